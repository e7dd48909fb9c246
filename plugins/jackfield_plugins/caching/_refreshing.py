"""stale-while-revalidate (RFC 5861 §3): entries are validated in the background, while they are given."""

from __future__ import annotations

from collections.abc import Hashable

from jackfield import JackfieldError

from ._together import Together
from ._visit import Visit


class Refreshing:
    """The entries that are being validated: each once, in the time that a call has, and closed with its client."""

    def __init__(self, together: Together) -> None:
        self._together = together
        self._under_way: dict[Hashable, float] = {}  # and when each has ended, be it with its process

    def begin(self, visit: Visit) -> None:
        """Validates the visit's entry, if nobody does. Where there is no room in the background, the next may."""
        visit = visit._replace(call=visit.call.beside())
        key, call = self._together.key(visit), visit.call
        now = call.runtime.monotonic()
        if self._under_way.get(key, now) > now:
            return
        self._under_way[key] = call.deadline
        if not call.runtime.background(self._refresh(visit, key)):
            self._under_way.pop(key, None)

    async def _refresh(self, visit: Visit, key: Hashable) -> None:
        call = visit.call
        try:
            await call.runtime.within(call.limit(call.timeout), self._together.ask(visit))
        except (JackfieldError, TimeoutError):
            pass  # who asks when it may not be given any more will see
        finally:
            self._under_way.pop(key, None)
