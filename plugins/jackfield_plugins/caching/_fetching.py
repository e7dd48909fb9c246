"""Asks the service, and keeps of what it answers what may be kept (RFC 9111 §3, §4.3)."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from typing import Any, NamedTuple

from jackfield import CacheNotStored, CacheStored, Call, Headers, JackfieldError, Proceed, Request, Response

from ._deciding import Action, Decision, decide, may_serve_stale_on_error
from ._invalidating import invalidated
from ._kept import Kept
from ._keys import Key, Keys, telling_who
from ._selecting import suits
from ._serving import served, told
from ._shelf import Shelf
from ._storing import storable
from ._tee import Tee, as_asked, too_long
from ._terms import Rules
from ._validating import conditional, updated, updated_by_head

_REDIRECTS = (301, 302, 303, 307, 308)
_GONE = (404, 410)
_DRIFT = 0.5  # seconds that a clock may lose while a request is under way
FAILED = (500, 502, 503, 504)  # RFC 5861 §4


class Visit(NamedTuple):
    """A request that has come to the cache, and what was decided about it.

    Attributes:
        request: as its caller meant it.
        call: its record.
        proceed: the way on to the service.
        key: where answers to it are kept.
        decision: what to do with it.
        moment: the store's, when it was decided; None if the store failed.
        since: how much the caches on the store had kept and forgotten by then.
    """

    request: Request
    call: Call
    proceed: Proceed
    key: Key
    decision: Decision
    moment: int | None
    since: int


class Answered(NamedTuple):
    """What the service answered.

    Attributes:
        response: for who asked.
        entry: the same for who asks the same: as it is kept, or would be if the store had not failed. None if it is
            nobody else's, or not yet.
        validated: what was kept, as it is now that the service has said that it is still good.
        stored: whether the entry is kept.
    """

    response: Response
    entry: Kept | None = None
    validated: Kept | None = None
    stored: bool = False


class _Times(NamedTuple):
    """When a request was sent and answered, seconds since 1970; and how far that clock was ahead of the monotonic."""

    asked_at: float
    came_at: float
    ahead: float


class Fetching:
    """What goes to the service for one cache.

    Args:
        shelf: where answers are kept.
        keys: makes their keys.
        rules: by which they are kept.
        max_entry: bytes of a body that is kept.

    Attributes:
        forgotten: gives a number for a place, another one after it has been forgotten through this process.
    """

    def __init__(self, shelf: Shelf, keys: Keys, rules: Rules, max_entry: int) -> None:
        self._shelf = shelf
        self._keys = keys
        self._rules = rules
        self._max_entry = max_entry
        self.forgotten = shelf.ledger.forgotten.last

    async def ask(self, visit: Visit) -> Answered:
        """Sends the request, with conditions if something is kept; keeps the answer, if it may be kept."""
        request, call, entry = visit.request, visit.call, visit.decision.entry
        sent = request if entry is None else conditional(request, entry)
        asked_at, ahead = call.runtime.now(), _ahead(call)
        response = await visit.proceed(sent, call)
        times = _Times(asked_at, call.runtime.now(), ahead)
        if entry is not None and response.status == 304 and sent is not request:
            await response.settled(1)
            return await self._validated(visit, entry, response, times)
        if request.method == "HEAD":
            await self._updated_by_head(visit, response, times)
            return Answered(told(response, f"fwd={visit.decision.fwd}"))
        return await self._kept(visit, response, times)

    async def kept_meanwhile(self, visit: Visit) -> Kept | None:
        """What another has brought since it was decided to ask; None if that is no answer to this request."""
        if self._shelf.ledger.forgotten.count == visit.since:
            return None
        request, runtime = visit.request, visit.call.runtime
        stored, _ = await self._shelf.get(visit.key, suits(request, self._rules), runtime)
        decision = decide(request, stored, runtime.now(), self._rules)
        return decision.entry if decision.action is Action.SERVE else None

    async def pass_by(self, visit: Visit) -> Response:
        """Sends what is not for a cache, and forgets what its answer makes invalid (§4.4)."""
        request, call = visit.request, visit.call
        try:
            response = await visit.proceed(request, call)
        except BaseException as error:
            if call.unanswered:  # it may have been carried out
                settling = self._forget(visit, 200, Headers())
                if isinstance(error, JackfieldError):
                    await settling
                else:  # the call was cancelled, and must not wait
                    _beside(call, settling)
            raise
        await self._forget(visit, response.status, response.headers)
        return told(response, f"fwd={visit.decision.fwd or 'bypass'}")

    def out_of_date(self, visit: Visit) -> bool:
        """Whether what was decided about has been forgotten since."""
        return self.forgotten(visit.key.place) > visit.since

    def _forget(self, visit: Visit, status: int, headers: Headers) -> Coroutine[Any, Any, None]:
        """Forgets at once what such an answer makes invalid; to be awaited, so that the store does."""
        places = [self._keys.place(request) for request in invalidated(visit.request, status, headers)]
        self._shelf.forget(places)
        return self._shelf.settle(visit.call.runtime)

    async def _forget_entry(self, visit: Visit) -> None:
        self._shelf.forget([visit.key.place])
        await self._shelf.settle(visit.call.runtime)

    async def _validated(self, visit: Visit, entry: Kept, response: Response, times: _Times) -> Answered:
        merged = updated(entry, response.headers, times.asked_at, times.came_at)
        if merged is None:  # of something else than what is kept
            afresh = visit.decision._replace(action=Action.FETCH, entry=None)
            return await self.ask(visit._replace(decision=afresh))
        kept, stored = await self._renewed(visit, entry, merged, times)
        answer = served(merged, visit.request, merged.terms(self._rules).age(times.came_at))
        did = f"fwd={visit.decision.fwd}; fwd-status=304" + ("; stored" if stored else "")
        return Answered(as_asked(told(answer, did), visit.call), kept, merged, stored)

    async def _updated_by_head(self, visit: Visit, response: Response, times: _Times) -> None:
        """§4.3.5."""
        entry = visit.decision.entry
        if entry is None:
            return
        now = updated_by_head(entry, response.status, response.headers, times.asked_at, times.came_at)
        if now is None:
            await self._forget_entry(visit)
        elif now is not entry:
            await self._renewed(visit, entry, now, times)

    async def _renewed(self, visit: Visit, entry: Kept, now: Kept, times: _Times) -> tuple[Kept | None, bool]:
        """Keeps an entry as it is now, if it may be kept still, and where it was."""
        as_get = visit.request if visit.request.method == "GET" else visit.request.replace(method="GET")
        plan = self._plan(visit.call, as_get, now.status, now.fields, times)
        if not isinstance(plan, str) and plan.selecting == entry.selecting:
            return await self._put(visit, plan._replace(body=now.body), times)
        self._tell_not_stored(visit, plan if isinstance(plan, str) else "it varies by other fields than before")
        await self._forget_entry(visit)
        return None, False

    async def _kept(self, visit: Visit, response: Response, times: _Times) -> Answered:
        did = f"fwd={visit.decision.fwd}"
        entry, now = visit.decision.entry, visit.call.runtime.now()
        if response.status in FAILED and entry and may_serve_stale_on_error(visit.request, entry, now, self._rules):
            self._tell_not_stored(visit, "what is kept stands in for it")
            return Answered(told(response, did))
        plan = self._plan(visit.call, visit.request, response.status, response.headers, times)
        if isinstance(plan, str):
            self._tell_not_stored(visit, plan)
            if entry is not None and (response.status < 400 or response.status in _GONE):
                await self._forget_entry(visit)
            return Answered(told(response, did))
        keep = partial(self._keep, visit, plan, times)
        if not isinstance(response.body, bytes):  # it is kept when it has passed, if it is
            tee = Tee(response.body, self._max_entry, keep, visit.call.runtime)
            return Answered(told(Response(response.status, response.headers, tee), did))
        kept, stored = await keep(response.body)
        return Answered(told(response, f"{did}; stored" if stored else did), kept, None, stored)

    def _plan(self, call: Call, request: Request, status: int, headers: Headers, times: _Times) -> Kept | str:
        asked_at, came_at, _ = times
        return storable(request, status, headers, asked_at, came_at, self._rules, authorized=bool(call.identity))

    async def _keep(self, visit: Visit, plan: Kept, times: _Times, body: bytes | str) -> tuple[Kept | None, bool]:
        entry, why = None, ""
        if isinstance(body, str):
            why = body
        elif visit.call.cut and (plan.status >= 400 or plan.status in _REDIRECTS):
            why = "its body was not read to its end"
        else:
            entry = plan._replace(body=body)
            if len(body) <= self._max_entry:
                return await self._put(visit, entry, times)
            why = too_long(self._max_entry)
        shared = None if self.out_of_date(visit) else entry
        self._tell_not_stored(visit, why)
        if visit.decision.entry is not None:  # which is older
            await self._forget_entry(visit)
        return shared, False

    async def _put(self, visit: Visit, entry: Kept, times: _Times) -> tuple[Kept | None, bool]:
        """What others may be given of it, and whether it is kept."""
        call = visit.call
        if why := self._unfit(visit, entry, times):
            self._tell_not_stored(visit, why)
            if visit.decision.entry is not None:  # and what is kept is older
                await self._forget_entry(visit)
            return None, False
        if (known := visit.decision.entry) is not None and known.asked_at > entry.asked_at:
            await self._forget_entry(visit)  # the clock was set back: nothing would take its place for as long
        stored = await self._shelf.put(visit.key, entry, visit.moment, call.runtime)
        if stored is None:
            self._tell_not_stored(visit, "the store failed")
            return entry, False
        if not stored:
            self._tell_not_stored(visit, "it is older than what was kept or forgotten while it was under way")
            return None, False
        if call.observers:
            seconds = entry.terms(self._rules).lifetime
            call.emit(CacheStored(call.operation, call.url(visit.request), len(entry.body), seconds))
        return entry, True

    def _unfit(self, visit: Visit, entry: Kept, times: _Times) -> str:
        """Why an answer that may be kept is not, in the light of what became of its request."""
        if self.out_of_date(visit):
            return "it became invalid while it was under way"
        if _ahead(visit.call) < times.ahead - _DRIFT:  # which of two answers is the newer one, the clock does not tell
            return "the clock was set back while it was under way"
        sent = visit.call.sent
        if sent is None or visit.call.identity:
            return ""
        names = [name for name, _ in entry.selecting]
        asked = visit.request.headers
        if telling_who(sent.headers) != telling_who(asked) or any(
            sent.headers.get(name) != asked.get(name) for name in names
        ):
            return "a step behind the cache has changed who asks, or for what"
        return ""

    def _tell_not_stored(self, visit: Visit, reason: str) -> None:
        if (call := visit.call).observers:
            call.emit(CacheNotStored(call.operation, call.url(visit.request), reason))


def _ahead(call: Call) -> float:
    return call.runtime.now() - call.runtime.monotonic()


def _beside(call: Call, work: Coroutine[Any, Any, None]) -> None:
    """Has it done beside the call, if that can be: else whoever needs it does it."""
    try:
        call.runtime.background(work)
    except RuntimeError:  # there is no loop any more
        work.close()
