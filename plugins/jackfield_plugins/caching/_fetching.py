"""Asks the service, and keeps of what it answers what may be kept (RFC 9111 §3, §4.3)."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from jackfield import CacheNotStored, CacheStored, Call, Headers, JackfieldError, Request, Response

from ._deciding import Action, decide, may_serve_stale_on_error
from ._forgotten import Forgotten
from ._invalidating import invalidated
from ._kept import Kept
from ._keys import Keys
from ._rules import Rules
from ._serving import served
from ._shelf import Shelf
from ._status import told
from ._storing import storable
from ._tee import Tee, as_asked
from ._validating import conditional, updated, updated_by_head
from ._visit import Visit

_REDIRECTS = (301, 302, 303, 307, 308)
_GONE = (404, 410)
FAILED = (500, 502, 503, 504)  # RFC 5861 §4


class Answered(NamedTuple):
    """What the service answered.

    Attributes:
        response: for who asked.
        entry: the same as it was kept; None if it was not, or not yet.
        validated: what was kept, as it is now that the service has said that it is still good.
    """

    response: Response
    entry: Kept | None = None
    validated: Kept | None = None


class _Times(NamedTuple):
    """When a request was sent and answered, and, before that, the last moment at which something was forgotten."""

    asked_at: float
    came_at: float
    moment: int


class Fetching:
    """What goes to the service for one cache.

    Args:
        shelf: where answers are kept.
        keys: makes their keys.
        rules: by which they are kept.
        max_entry: bytes of a body that is kept.
    """

    def __init__(self, shelf: Shelf, keys: Keys, rules: Rules, max_entry: int) -> None:
        self._shelf = shelf
        self._keys = keys
        self._rules = rules
        self._max_entry = max_entry
        self.forgotten = Forgotten()

    async def ask(self, visit: Visit) -> Answered:
        """Sends the request, with conditions if something is kept; keeps the answer, if it may be kept."""
        request, call, entry = visit.request, visit.call, visit.decision.entry
        sent = request if entry is None else conditional(request, entry)
        moment, asked_at = self.forgotten.moment, call.runtime.now()
        response = await visit.proceed(sent, call)
        times = _Times(asked_at, call.runtime.now(), moment)
        if entry is not None and response.status == 304 and sent is not request:
            await response.settled(1)
            return await self._validated(visit, entry, response, times)
        if request.method == "HEAD":
            await self._updated_by_head(visit, response, times)
            return Answered(told(response, f"fwd={visit.decision.fwd}"))
        return await self._kept(visit, response, times)

    async def kept_meanwhile(self, visit: Visit) -> Kept | None:
        """What another has brought since it was decided to ask; None if that is no answer to this request."""
        if self._shelf.puts == visit.puts:
            return None
        runtime = visit.call.runtime
        decision = decide(visit.request, await self._shelf.get(visit.key, runtime), runtime.now(), self._rules)
        return decision.entry if decision.action is Action.SERVE else None

    async def pass_by(self, visit: Visit) -> Response:
        """Sends what is not for a cache, and forgets what its answer makes invalid (§4.4)."""
        request, call = visit.request, visit.call
        try:
            response = await visit.proceed(request, call)
        except JackfieldError:
            if call.unanswered:  # it may have been carried out
                await self._forget(visit, 200, Headers())
            raise
        await self._forget(visit, response.status, response.headers)
        return told(response, f"fwd={visit.decision.fwd or 'bypass'}")

    async def _forget(self, visit: Visit, status: int, headers: Headers) -> None:
        for request in invalidated(visit.request, status, headers):
            place = self._keys.place(request)
            self.forgotten.add(place)
            await self._shelf.remove(place, visit.call.runtime)

    async def _validated(self, visit: Visit, entry: Kept, response: Response, times: _Times) -> Answered:
        merged = updated(entry, response.headers, times.asked_at, times.came_at)
        if merged is None:  # of something else than what is kept
            afresh = visit.decision._replace(action=Action.FETCH, entry=None)
            return await self.ask(visit._replace(decision=afresh))
        as_get = visit.request if visit.request.method == "GET" else visit.request.replace(method="GET")
        plan = self._plan(visit.call, as_get, merged.status, merged.fields, times)
        if isinstance(plan, str):
            self._tell_not_stored(visit, plan)
            await self._shelf.remove(visit.key.place, visit.call.runtime)
            stored = None
        else:
            stored = await self._put(visit, plan._replace(body=merged.body), times.moment)
        answer = served(merged, visit.request, merged.terms(self._rules).age(times.came_at))
        did = f"fwd={visit.decision.fwd}; fwd-status=304" + ("; stored" if stored else "")
        return Answered(as_asked(told(answer, did), visit.call), stored, merged)

    async def _updated_by_head(self, visit: Visit, response: Response, times: _Times) -> None:
        """§4.3.5."""
        entry = visit.decision.entry
        if entry is None:
            return
        now = updated_by_head(entry, response.status, response.headers, times.asked_at, times.came_at)
        if now is None:
            await self._shelf.remove(visit.key.place, visit.call.runtime)
        elif now is not entry:
            plan = self._plan(visit.call, visit.request.replace(method="GET"), now.status, now.fields, times)
            if isinstance(plan, str) or plan.selecting != entry.selecting:  # the old one must not be given beside it
                await self._shelf.remove(visit.key.place, visit.call.runtime)
            if isinstance(plan, str):
                self._tell_not_stored(visit, plan)
            else:
                await self._put(visit, plan._replace(body=now.body), times.moment)

    async def _kept(self, visit: Visit, response: Response, times: _Times) -> Answered:
        did = f"fwd={visit.decision.fwd}"
        entry, now = visit.decision.entry, visit.call.runtime.now()
        if response.status in FAILED and entry and may_serve_stale_on_error(visit.request, entry, now, self._rules):
            self._tell_not_stored(visit, "what is kept stands in for it")
            return Answered(told(response, did))
        plan = self._plan(visit.call, visit.request, response.status, response.headers, times)
        if isinstance(plan, str):
            self._tell_not_stored(visit, plan)
            if visit.decision.entry is not None and (response.status < 400 or response.status in _GONE):
                await self._shelf.remove(visit.key.place, visit.call.runtime)
            return Answered(told(response, did))
        keep = partial(self._keep, visit, plan, times.moment)
        if not isinstance(response.body, bytes):
            tee = Tee(response.body, self._max_entry, keep, visit.call.runtime)
            return Answered(told(Response(response.status, response.headers, tee), f"{did}; stored"))
        kept = await keep(response.body)
        return Answered(told(response, f"{did}; stored" if kept else did), kept)

    def _plan(self, call: Call, request: Request, status: int, headers: Headers, times: _Times) -> Kept | str:
        asked_at, came_at, _ = times
        return storable(request, status, headers, asked_at, came_at, self._rules, authorized=bool(call.identity))

    async def _keep(self, visit: Visit, plan: Kept, moment: int, body: bytes | None) -> Kept | None:
        if body is None or len(body) > self._max_entry:
            self._tell_not_stored(visit, f"its body is longer than {self._max_entry} bytes")
        elif visit.call.cut and (plan.status >= 400 or plan.status in _REDIRECTS):
            self._tell_not_stored(visit, "its body was not read to its end")
        else:
            return await self._put(visit, plan._replace(body=body), moment)
        return None

    async def _put(self, visit: Visit, entry: Kept, moment: int) -> Kept | None:
        place, runtime = visit.key.place, visit.call.runtime
        if self.forgotten.last(place) > moment:
            self._tell_not_stored(visit, "it became invalid while it was under way")
            return None
        if not await self._shelf.put(visit.key, entry, runtime):
            self._tell_not_stored(visit, "the store failed")
            return None
        if self.forgotten.last(place) > moment:  # at this very moment
            await self._shelf.remove(place, runtime)
            return None
        if (call := visit.call).observers:
            seconds = entry.terms(self._rules).lifetime
            call.emit(CacheStored(call.operation, call.url(visit.request), len(entry.body), seconds))
        return entry

    def _tell_not_stored(self, visit: Visit, reason: str) -> None:
        if (call := visit.call).observers:
            call.emit(CacheNotStored(call.operation, call.url(visit.request), reason))
