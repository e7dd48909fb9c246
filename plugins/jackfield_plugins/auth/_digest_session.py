"""What a process knows of the nonces of Digest servers (RFC 7616 §3.3, §3.4): shared by its threads and tasks."""

from __future__ import annotations

import threading

from jackfield import Origin

from ._digest_answer import Session

_REMEMBERED = 1024  # nonces whose uses are counted; a server that comes back to an older one asks for another


class Sessions:
    """The session to go on with, by origin, and how often each nonce was used."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._current: dict[Origin, Session] = {}
        self._uses: dict[tuple[Origin, str], int] = {}

    def current(self, origin: Origin) -> Session | None:
        """The session that the next request may go on with."""
        return self._current.get(origin)

    def count(self, origin: Origin, nonce: str) -> int:
        """One more use of the nonce: 1 for the first. No number is given twice (RFC 7616 §3.4)."""
        with self._guard:
            count = self._uses.pop((origin, nonce), 0) + 1
            self._uses[origin, nonce] = count
            if len(self._uses) > _REMEMBERED:
                del self._uses[next(iter(self._uses))]
            return count

    def change(self, origin: Origin, used: Session | None, to: Session | None) -> None:
        """Goes on with another session, or with none; unless somebody did so since `used` was taken."""
        with self._guard:
            if self._current.get(origin) not in (None, used):
                return
            if to is None:
                self._current.pop(origin, None)
            else:
                self._current[origin] = to
