"""Cache: the plugin. What comes to it is answered from the store, or sent on (RFC 9111 §4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from jackfield import (
    CacheHit,
    CacheMiss,
    Call,
    ConfigurationError,
    DeadlineExceededError,
    NetworkError,
    Proceed,
    Request,
    Response,
    Stage,
    Step,
    hookimpl,
)

from ._counts import CacheStats, Counts
from ._deciding import Action, Decision, decide, may_serve_stale_on_error
from ._fetching import FAILED, Answered, Fetching, Visit
from ._kept import Kept
from ._keys import Keys
from ._memory import MemoryStore
from ._refreshing import Refreshing
from ._selecting import suits
from ._serving import in_words, served, told
from ._shelf import Shelf
from ._store import SALT_SIZE, CacheStore, check_size
from ._stored import Stored
from ._tee import as_asked
from ._terms import Rules
from ._together import Together
from ._validating import conditional

_IN_TIME = 0.95  # of what is left of a call, after which it has what is stale


class Cache:
    """Keeps answers, and gives them again as long as RFC 9111 allows.

    One object may serve many clients of either colour, threads, tasks and event loops. Answers are kept apart by whose
    credentials the requests bear. Where the store fails, calls go on without it.

    Args:
        store: where answers are kept; a `MemoryStore` of its own if None. Who makes one closes it.
        shared: whether it serves more than one user: then `s-maxage`, `private` and `CDN-Cache-Control` count.
        heuristic: the part of the time since `Last-Modified` for which an answer that does not say how long it is fresh
            is taken to be; 0 for none.
        max_entry: bytes of the longest body that is kept; longer ones pass.

    Raises:
        ConfigurationError: a part makes no sense.
    """

    name = "cache"

    def __init__(
        self,
        store: CacheStore | None = None,
        *,
        shared: bool = False,
        heuristic: float = 0.1,
        max_entry: int = 8 * 1024 * 1024,
    ) -> None:
        if isinstance(heuristic, bool) or not isinstance(heuristic, int | float) or not 0 <= heuristic <= 1:
            raise ConfigurationError(f"heuristic must be a number from 0 to 1, not {heuristic!r}")
        self._store = MemoryStore() if store is None else store
        salt = _checked(getattr(self._store, "salt", None))
        self._rules = Rules(shared=shared, heuristic=heuristic, key=salt)
        self._shelf = Shelf(self._store)
        self._keys = Keys(salt, shared=shared)
        self._fetching = Fetching(self._shelf, self._keys, self._rules, check_size("max_entry", max_entry))
        self._together = Together(self._fetching, self._rules)
        self._counts = Counts()
        self._refreshing = Refreshing(self._together, self._counts)

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.CACHE, self._run)]

    def clear(self) -> None:
        """Forgets every answer. It waits for the store's disk; in async code, call it in a thread.

        Raises:
            OSError: the store cannot; nothing of it is given until it can.
        """
        self._shelf.clear()

    def stats(self) -> CacheStats:
        """What it has done, and what it holds. It waits as `clear` does.

        Raises:
            OSError: the store cannot tell.
        """
        return self._counts.stats(*self._store.stats())

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        key, since = self._keys.of(request, call.identity), self._shelf.ledger.forgotten.count
        stored: Sequence[Stored] = ()
        moment: int | None = None
        if request.method in ("GET", "HEAD"):
            stored, moment = await self._shelf.get(key, suits(request, self._rules), call.runtime)
        decision = decide(request, stored, call.runtime.now(), self._rules)
        if decision.action is Action.SERVE and not call.dry:
            return self._hit(request, call, decision, "fresh", "hit")
        visit = Visit(request, call, proceed, key, decision, moment, since)
        if call.dry:
            return await self._explain(visit)
        match decision.action:
            case Action.SERVE_AND_REFRESH:
                self._refreshing.begin(visit)
                return self._hit(request, call, decision, "stale", "hit")
            case Action.BYPASS:
                return await self._fetching.pass_by(visit)
            case Action.REFUSE:
                return told(Response(504), f'detail="{decision.why}"')
            case _:
                return await self._answer(visit)

    async def _answer(self, visit: Visit) -> Response:
        try:
            answered = await self._asked(visit)
        except (NetworkError, DeadlineExceededError) as error:
            stale = self._stale(visit, type(error).__name__)
            if stale is None:
                raise
            return stale
        if isinstance(answered, Decision):
            return self._hit(visit.request, visit.call, answered, "shared", f"fwd={visit.decision.fwd}; collapsed")
        response = answered.response
        if response.status in FAILED and (stale := self._stale(visit, str(response.status))) is not None:
            if not isinstance(response.body, bytes):
                await response.body.close()
            return stale
        self._note(visit, answered)
        return response

    async def _asked(self, visit: Visit) -> Answered | Decision:
        """In good time, where something else can be given."""
        call = visit.call
        if self._good_enough(visit) is None:
            return await self._together.ask(visit)
        try:
            return await call.runtime.within(call.limit(inf) * _IN_TIME, self._together.ask(visit))
        except TimeoutError:
            raise call.overdue() from None

    def _note(self, visit: Visit, answered: Answered) -> None:
        call, decision = visit.call, visit.decision
        self._counts.add("missed" if answered.validated is None else "validated")
        if not call.observers:
            return
        about = (call.operation, visit.request.method, call.url(visit.request))
        if answered.validated is None:
            call.emit(CacheMiss(*about, decision.why))
        else:
            terms = answered.validated.terms(self._rules)
            call.emit(CacheHit(*about, "validated", terms.age(call.runtime.now()), terms.lifetime))

    def _stale(self, visit: Visit, failure: str) -> Response | None:
        entry = self._good_enough(visit)
        if entry is None or self._fetching.out_of_date(visit):
            return None
        decision = visit.decision._replace(age=entry.terms(self._rules).age(visit.call.runtime.now()))
        return self._hit(visit.request, visit.call, decision, "stale", f'fwd=stale; detail="{failure}"')

    def _good_enough(self, visit: Visit) -> Kept | None:
        """What may be given if the service fails."""
        entry, now = visit.decision.entry, visit.call.runtime.now()
        if entry is None or not may_serve_stale_on_error(visit.request, entry, now, self._rules):
            return None
        return entry

    def _hit(self, request: Request, call: Call, decision: Decision, kind: str, did: str) -> Response:
        entry, age, lifetime = decision.entry, decision.age, decision.lifetime
        assert entry is not None
        self._counts.add(kind)
        if call.observers:
            call.emit(CacheHit(call.operation, request.method, call.url(request), kind, age, lifetime))
        return as_asked(told(served(entry, request, age), f"{did}; ttl={int(lifetime - age)}"), call)

    async def _explain(self, visit: Visit) -> Response:
        """Goes on to where the call is stopped, with the request that would be sent."""
        request, call, decision = visit.request, visit.call, visit.decision
        if call.notes is not None:
            call.notes.append(in_words(decision))
        entry = decision.entry if decision.action is Action.VALIDATE else None
        return await visit.proceed(request if entry is None else conditional(request, entry), call)


def _checked(salt: object) -> bytes:
    if not isinstance(salt, bytes) or len(salt) < SALT_SIZE:
        raise ConfigurationError(f"a store is a MemoryStore(...), say, and has a salt of {SALT_SIZE} bytes or more")
    return salt[:64]  # which is what BLAKE2b takes
