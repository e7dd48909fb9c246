"""What a `Login` knows of one end point: the session, who uses it, and whether the server refuses to open another."""

from __future__ import annotations

import os
from copy import copy
from weakref import WeakSet

from jackfield import Url

from ._errors import CloudStackUnauthorizedError
from ._session import Session

_MARGIN = 0.1  # of its timeout: a session that was idle for the rest of it is not used
_PAUSE = 60.0  # seconds before credentials that were good once are sent again after a refusal
_NOT_AGAIN = (
    "this is what the server said before: the same is not sent again, as CloudStack disables an account after some "
    "failed logins. Make a client with another Login"
)


class EndPoint:
    """Times are of the runtime's monotonic clock."""

    def __init__(self, url: Url) -> None:
        self.url = url
        self.clients: WeakSet[object] = WeakSet()
        self._session: Session | None = None
        self._process = 0  # a forked child opens sessions of its own
        self._used_at = 0.0
        self._was_good = False
        self._refusal: CloudStackUnauthorizedError | None = None
        self._refused_at = 0.0

    @property
    def latest(self) -> Session | None:
        """The session that was opened last, be it good or not."""
        return self._session if self._process == os.getpid() else None

    def session(self, now: float) -> Session | None:
        """The session, if there is one that the server should still know."""
        session = self.latest
        return session if session and now - self._used_at < session.timeout * (1 - _MARGIN) else None

    def open(self, session: Session, now: float) -> None:
        """Goes on with this session."""
        self._used_at, self._process, self._session = now, os.getpid(), session
        self._was_good = True

    def used(self, session: Session, now: float) -> None:
        """The server took a request of this session that was sent at this time, at the earliest."""
        if session is self._session:
            self._used_at = now

    def end(self, session: Session) -> None:
        """The server does not know this session, or not any more; one that came after it stays."""
        if session is self._session:
            self._session = None

    def leave(self, now: float) -> Session | None:
        """Goes on without a session; gives the one that was there."""
        session, self._session = self.session(now), None
        return session

    def refuse(self, error: CloudStackUnauthorizedError, now: float) -> None:
        """The server does not take these credentials."""
        self._refusal, self._refused_at = copy(error), now
        self._refusal.add_note(_NOT_AGAIN)

    def check(self, now: float) -> None:
        """Raises the server's refusal again: of credentials that never were good always, of others for a minute."""
        if self._refusal is not None and not (self._was_good and now - self._refused_at >= _PAUSE):
            raise copy(self._refusal)
