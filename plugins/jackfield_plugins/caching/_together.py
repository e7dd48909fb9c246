"""Coalescing: of the same requests at one time one goes to the service, and what comes of it serves all."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from jackfield import Call, Flights, Response, fork_safe_lock

from ._deciding import Action, Decision, decide
from ._fetching import Answered, Fetching
from ._kept import Kept
from ._rules import Rules
from ._visit import Visit

_REMEMBERED = 4096  # places

_guard = fork_safe_lock()


class Together:
    """Who asks the service for the same thing at the same time, whatever the thread, task, loop or client.

    RFC 9111 §4: "A cache can use a response that is stored or storable to satisfy multiple requests, provided that it
    is allowed to reuse that response for the requests in question." So those who waited for an answer that they must
    not be given ask themselves, all at once; and where the last answer was such a one, nobody waits.
    """

    def __init__(self, fetching: Fetching, rules: Rules) -> None:
        self.fetching = fetching
        self._rules = rules
        self._flights = Flights()
        self._apart: OrderedDict[bytes, None] = OrderedDict()

    async def ask(self, visit: Visit) -> Answered | Decision:
        """What the service answers; or the decision to serve what it has just answered to another.

        A leader that fails takes nobody with it: one of the others asks next. When that fails as well, so do all.
        """
        if visit.request.method != "GET" or visit.call.stream:
            return await self.fetching.ask(visit)
        if visit.key.place in self._apart:
            return await self.lead(visit)
        failed = False
        while True:
            lead = _Lead(self, visit)
            try:
                entry = await self._join(visit, lead)
            except Exception as error:
                if lead.answered is not None:
                    return lead.answered
                if isinstance(error, _FailedError) and failed:
                    return Answered(error.response)
                if lead.began or failed:
                    raise
                failed = True
                continue
            if lead.answered is not None:
                return lead.answered
            decision = self._decide(visit, entry)
            return decision if decision.action is Action.SERVE else await self.fetching.ask(visit)

    async def _join(self, visit: Visit, lead: _Lead) -> Kept | None:
        call = visit.call
        try:
            return await self._flights.join(call.runtime, self.key(visit), lead, max(call.remaining(), 0.0))
        except TimeoutError:
            if lead.began:
                raise
            raise call.overdue() from None

    def key(self, visit: Visit) -> Hashable:
        """The same for the same request, as long as what it asks for has not become invalid."""
        request, key = visit.request, visit.key
        fields = tuple(request.headers.pairs())
        return (request.method, key, fields, self.fetching.forgotten.last(key.place), _limits(visit.call))

    async def lead(self, visit: Visit) -> Answered:
        """Asks for all, and learns whether the answer to this can be given to others."""
        answered = await self.fetching.ask(visit)
        if answered.response.status == 429 or answered.response.status >= 500:
            return answered
        reusable = self._decide(visit, answered.entry).action is Action.SERVE
        with _guard:
            if reusable:
                self._apart.pop(visit.key.place, None)
            else:
                self._apart[visit.key.place] = None
                if len(self._apart) > _REMEMBERED:
                    self._apart.popitem(last=False)
        return answered

    def _decide(self, visit: Visit, entry: Kept | None) -> Decision:
        return decide(visit.request, () if entry is None else (entry,), visit.call.runtime.now(), self._rules)


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
        response = answered.response
        if answered.entry is None and (response.status == 429 or response.status >= 500):
            raise _FailedError(response)
        return answered.entry


class _FailedError(Exception):
    """The service answered that it cannot answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response)
        self.response = response


def _limits(call: Call) -> tuple[float, ...]:
    options = call.options
    return (options.connect_timeout, options.read_timeout, options.max_body_size)
