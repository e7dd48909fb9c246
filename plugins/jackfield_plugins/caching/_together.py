"""Coalescing: of the same requests at one time one goes to the service, and what comes of it serves all."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from jackfield import Call, Flights, Response, fork_safe_lock

from ._deciding import GIVEN, Decision, decide, is_for_all
from ._fetching import Answered, Fetching, Visit
from ._kept import Kept
from ._selecting import PER_CALL
from ._terms import Rules
from ._wishes import wishes_of

_REMEMBERED = 4096  # keys
_TURNS = 5

_guard = fork_safe_lock()


class Together:
    """Who asks the service for the same thing at the same time, whatever the thread, task, loop or client.

    RFC 9111 §4: "A cache can use a response that is stored or storable to satisfy multiple requests, provided that it
    is allowed to reuse that response for the requests in question." So those who waited for an answer that they must
    not be given ask themselves, all at once; and where the last answer was for nobody else, nobody waits.
    """

    def __init__(self, fetching: Fetching, rules: Rules) -> None:
        self.fetching = fetching
        self._rules = rules
        self._flights = Flights()
        self._apart: OrderedDict[Hashable, None] = OrderedDict()  # keys whose last answer was for nobody else

    async def ask(self, visit: Visit) -> Answered | Decision:
        """What the service answers; or the decision to serve what it has just answered to another.

        A leader that fails takes nobody with it: one of the others asks next. When that fails as well, so do all. Nor
        does one that hangs: after half of the time that it has left, one of those who wait asks as well.
        """
        if visit.request.method != "GET" or visit.call.stream or wishes_of(visit.request.headers).no_cache:
            return await self.fetching.ask(visit)
        if visit.key in self._apart:
            return await self.lead(visit)
        return await self._join(visit)

    def key(self, visit: Visit) -> Hashable:
        """The same for the same request, as long as what it asks for has not become invalid."""
        request, key = visit.request, visit.key
        fields = tuple(pair for pair in request.headers.pairs() if pair[0].lower() not in PER_CALL)
        return (request.method, key, fields, self.fetching.forgotten(key.place), _limits(visit.call))

    async def _join(self, visit: Visit) -> Answered | Decision:
        call, failed, turn = visit.call, False, 1
        while turn <= _TURNS:
            lead = _Lead(self, visit)
            try:
                key, patience = (self.key(visit), turn), _patience(call, turn)
                entry = await self._flights.join(call.runtime, key, lead, patience, apart=True)
            except Exception as error:
                if lead.answered is not None:
                    return lead.answered
                if lead.began:
                    raise
                if isinstance(error, TimeoutError):  # whoever leads is still at it
                    turn += 1
                elif not failed:
                    failed = True
                elif isinstance(error, _FailedError):
                    return Answered(error.response)
                else:
                    raise
            else:
                return lead.answered or await self._after(visit, entry)
        raise call.overdue()

    async def _after(self, visit: Visit, entry: Kept | None) -> Answered | Decision:
        """What another's request has brought, or the answer to one of its own."""
        stored = () if entry is None else (entry,)
        decision = decide(visit.request, stored, visit.call.runtime.now(), self._rules, waited=True)
        return decision if decision.action in GIVEN else await self.fetching.ask(visit._replace(decision=decision))

    async def lead(self, visit: Visit) -> Answered:
        """Asks, and learns whether the answer to this can be given to others."""
        forgotten = self.fetching.forgotten(visit.key.place)
        answered = await self.fetching.ask(visit)
        if not _has_failed(answered) and self.fetching.forgotten(visit.key.place) == forgotten:
            with _guard:
                if answered.entry is not None and is_for_all(answered.entry, self._rules):
                    self._apart.pop(visit.key, None)
                else:
                    self._apart[visit.key] = None
                    if len(self._apart) > _REMEMBERED:
                        self._apart.popitem(last=False)
        return answered


class _Lead:
    """The work of a flight, and what came of it for who led."""

    def __init__(self, together: Together, visit: Visit) -> None:
        self._together = together
        self._visit = visit
        self.began = False
        self.answered: Answered | None = None

    async def __call__(self) -> Kept | None:
        self.began = True
        if (entry := await self._together.fetching.kept_meanwhile(self._visit)) is not None:
            return entry
        answered = self.answered = await self._together.lead(self._visit)
        if _has_failed(answered):
            raise _FailedError(answered.response)
        return answered.entry


class _FailedError(Exception):
    """The service answered that it cannot answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response)
        self.response = response


def _has_failed(answered: Answered) -> bool:
    return answered.response.status == 429 or answered.response.status >= 500


def _patience(call: Call, turn: int) -> float:
    """Seconds to follow: half of those that are left, and all of them at the last turn."""
    return call.remaining() / (1 if turn == _TURNS else 2)


def _limits(call: Call) -> tuple[float, ...]:
    options = call.options
    return (options.connect_timeout, options.read_timeout, options.max_body_size)
