"""stale-while-revalidate (RFC 5861 §3): entries are validated in the background, while they are given."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from jackfield import CacheRefreshFailed, JackfieldError, fork_safe_lock

from ._counts import Counts
from ._deciding import Decision
from ._fetching import Answered, Visit
from ._together import Together

_REMEMBERED = 1024  # keys
_LONGEST = 60.0  # seconds

_guard = fork_safe_lock()


class Refreshing:
    """The entries that are being validated: each once, in the time that a call has, and closed with its client.

    One whose validation fails is given on, but not tried again for a second; and each time for twice as long, up to a
    minute.
    """

    def __init__(self, together: Together, counts: Counts) -> None:
        self._together = together
        self._counts = counts
        # Until when nobody is to begin, which ends a refresh that ended with its process; and how many have failed.
        self._resting: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def begin(self, visit: Visit) -> None:
        """Validates the visit's entry, if nobody does. Where there is no room in the background, the next may."""
        visit = visit._replace(call=visit.call.beside())
        key, call = self._together.key(visit), visit.call
        now = call.runtime.monotonic()
        until, failures = self._resting.get(key, (now, 0))
        if until > now:
            return
        self._rest(key, call.deadline, failures)
        if not call.runtime.background(self._refresh(visit, key, failures)):
            self._rest(key, now, failures)

    async def _refresh(self, visit: Visit, key: Hashable, failures: int) -> None:
        call = visit.call
        try:
            answered = await call.runtime.within(call.limit(call.timeout), self._together.ask(visit))
        except Exception as failure:
            self._failed(visit, key, type(failure).__name__, failures)
            if not isinstance(failure, JackfieldError | TimeoutError):
                raise
        except BaseException:  # its client is closed; another's may go on
            self._rest(key, call.runtime.monotonic(), failures)
            raise
        else:
            if error := _error(answered):
                self._failed(visit, key, error, failures)
            else:
                self._counts.add("refreshed")
                with _guard:
                    self._resting.pop(key, None)

    def _failed(self, visit: Visit, key: Hashable, error: str, failures: int) -> None:
        """Who asks when it may not be given any more will see why."""
        call, delay = visit.call, min(2.0**failures, _LONGEST)
        self._counts.add("refresh_failed")
        self._rest(key, call.runtime.monotonic() + delay, failures + 1)
        call.emit(CacheRefreshFailed(call.operation, visit.request.method, call.url(visit.request), error, delay))

    def _rest(self, key: Hashable, until: float, failures: int) -> None:
        with _guard:
            self._resting[key] = until, failures
            if len(self._resting) > _REMEMBERED:
                self._resting.popitem(last=False)


def _error(answered: Answered | Decision) -> str:
    """Why the answer refreshes nothing; empty if it does."""
    if isinstance(answered, Decision) or answered.entry is not None or answered.response.status < 400:
        return ""
    return str(answered.response.status)
