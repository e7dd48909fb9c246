"""A whole cache around the decisions, in the fewest lines: to ask as the public HTTP cache test suite asks."""

from __future__ import annotations

from jackfield import Headers, Request, Response
from jackfield_plugins.caching._deciding import Action, decide
from jackfield_plugins.caching._invalidating import invalidated
from jackfield_plugins.caching._kept import Kept
from jackfield_plugins.caching._serving import served
from jackfield_plugins.caching._storing import storable
from jackfield_plugins.caching._terms import Rules
from jackfield_plugins.caching._validating import conditional, updated, updated_by_head

Answer = tuple[int, Headers, bytes]


class Loop:
    """Asks an origin whose next answer is given each time; it answers 304 to every condition.

    Attributes:
        sent: the requests that went to the origin.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._entries: dict[str, list[Kept]] = {}
        self.sent: list[Request] = []

    def ask(self, request: Request, answer: Answer, now: float) -> tuple[str, Response]:
        """How the request was answered, and with what."""
        stored = self._entries.get(request.target, [])
        decision = decide(request, stored, now, self._rules)
        entry = decision.entry
        if decision.action is Action.REFUSE:
            return "refused", Response(504)
        if decision.action in (Action.SERVE, Action.SERVE_AND_REFRESH):
            assert entry is not None
            return "cached", served(entry, request, decision.age)
        if decision.action is Action.VALIDATE and entry is not None:
            asking = conditional(request, entry)
            self.sent.append(asking)
            how = "etag_validated" if "if-none-match" in asking.headers else "lm_validated"
            if asking is not request and (now_is := updated(entry, answer[1], now, now)) is not None:
                self._keep(request, now_is.status, now_is.fields, now_is.body, now)
                return how, served(now_is, request, 0.0)
        else:
            self.sent.append(request)
        return "not_cached", self._fetched(request, entry, answer, now, bypassed=decision.action is Action.BYPASS)

    def _fetched(self, request: Request, entry: Kept | None, answer: Answer, now: float, *, bypassed: bool) -> Response:
        status, headers, body = answer
        for place in invalidated(request, status, headers):
            self._entries.pop(place.target, None)
        if request.method == "HEAD" and entry is not None:
            found = updated_by_head(entry, status, headers, now, now)
            kept = [one for one in self._entries[request.target] if one is not entry]
            self._entries[request.target] = kept if found is None else [found, *kept]
        elif not bypassed:
            self._keep(request, status, headers, body, now)
        return Response(status, headers, body)

    def _keep(self, request: Request, status: int, headers: Headers, body: bytes, now: float) -> None:
        plan = storable(request, status, headers, now, now, self._rules)
        if isinstance(plan, Kept):
            others = [one for one in self._entries.get(request.target, []) if one.selecting != plan.selecting]
            self._entries[request.target] = [plan._replace(body=body), *others]
