"""What to do with a request, given what is stored for it (RFC 9111 §4)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from jackfield import Request

from ._kept import Kept, kept
from ._selecting import selected
from ._stored import Stored
from ._terms import Rules, Terms
from ._validating import CONDITIONS
from ._wishes import NONE, Wishes, wishes_of

_ASKING = frozenset({"cache-control", "pragma", "range", *CONDITIONS})


class Action(Enum):
    """What to do with a request."""

    SERVE = auto()
    """The entry is the answer."""
    SERVE_AND_REFRESH = auto()
    """The entry is the answer, and is validated in the background (RFC 5861 §3)."""
    VALIDATE = auto()
    """`conditional(request, entry)` is sent."""
    FETCH = auto()
    """The request is sent as it is."""
    REFUSE = auto()
    """Nothing is sent: the request says only-if-cached, and 504 is the answer."""
    BYPASS = auto()
    """The request is sent as it is, and the answer not kept; it may still make stored ones invalid."""


GIVEN = (Action.SERVE, Action.SERVE_AND_REFRESH)
"""Where the entry is the answer."""


class Decision(NamedTuple):
    """What to do with a request, and why.

    Attributes:
        action: what to do.
        entry: which one the request selects, whatever is done with it; None if there is none.
        age: of the entry, in seconds.
        lifetime: seconds for which the entry is fresh, counted as its age is.
        why: for a person.
        fwd: why the request is sent, as Cache-Status says it (RFC 9211 §2.2); empty if it is not.
    """

    action: Action
    entry: Kept | None = None
    age: float = 0.0
    lifetime: float = 0.0
    why: str = ""
    fwd: str = ""


def decide(request: Request, stored: Sequence[Stored], now: float, rules: Rules, *, waited: bool = False) -> Decision:
    """What to do with a request.

    Args:
        request: as the caller meant it.
        stored: what is kept for its URL and its owner, newest first.
        now: seconds since 1970.
        rules: by which the cache decides; the same object each time, as what is read of an entry is kept with it.
        waited: whether what is stored has just come to a request that this one waited for. Then it is no older than it
            says: the time that it was under way would have passed for a request of its own as well.
    """
    if request.method not in ("GET", "HEAD"):
        return Decision(Action.BYPASS, why="its method is not for a cache", fwd="method")
    asks = not _ASKING.isdisjoint(map(str.lower, request.headers))  # one look, as most requests ask nothing
    wishes = wishes_of(request.headers) if asks else NONE
    if why := _not_ours(request, wishes, asks=asks):
        return _sent(wishes, Decision(Action.BYPASS, why=why, fwd="bypass"))
    entry = selected(request, stored, rules)
    if entry is None:
        why = "what is stored is for requests with other fields" if stored else "nothing is stored"
        return _sent(wishes, Decision(Action.FETCH, why=why, fwd="vary-miss" if stored else "uri-miss"))
    terms = entry.terms(rules)
    age = terms.age(now)
    action, why, fwd = _judged(terms, wishes, terms.told_age if waited else age)
    return _sent(wishes, Decision(action, entry, age, terms.lifetime, why, fwd))


def is_for_all(entry: Stored, rules: Rules) -> bool:
    """Whether an answer that has just come may be given to all who waited for it (§4)."""
    terms = kept(entry).terms(rules)
    return _judged(terms, NONE, terms.told_age)[0] in GIVEN


def may_serve_stale_on_error(request: Request, entry: Stored, now: float, rules: Rules) -> bool:
    """Whether an entry is the answer after a network error, or a 500, 502, 503 or 504 (RFC 5861 §4).

    Args:
        request: which selects the entry.
        entry: the one of the decision.
        now: seconds since 1970.
        rules: by which the cache decides.
    """
    terms, wishes = kept(entry).terms(rules), wishes_of(request.headers)
    if terms.never_stale or wishes.refuses_stale or wishes.no_store:
        return False
    return terms.age(now) - terms.lifetime <= max(terms.if_error, wishes.if_error, wishes.max_stale)


def _not_ours(request: Request, wishes: Wishes, *, asks: bool) -> str:
    if request.body:
        return "it has a body"
    if wishes.no_store:
        return "it says no-store"
    if asks and "range" in request.headers:
        return "it asks for a range"
    if asks and any(name in request.headers for name in CONDITIONS):
        return "it has conditions of its own"
    return ""


def _sent(wishes: Wishes, decision: Decision) -> Decision:
    """The decision; REFUSE where it is to send a request that says only-if-cached (§5.2.1.7)."""
    if not wishes.only_if_cached or decision.action is Action.SERVE:
        return decision
    if decision.action is Action.SERVE_AND_REFRESH:
        return decision._replace(action=Action.SERVE)
    return decision._replace(action=Action.REFUSE, why=f"it says only-if-cached, and {decision.why}", fwd="")


def _judged(terms: Terms, wishes: Wishes, age: float) -> tuple[Action, str, str]:
    left = terms.lifetime - age  # §4.2: "response_is_fresh = (freshness_lifetime > current_age)"
    if terms.asks:
        return Action.VALIDATE, "the entry says no-cache", "stale"
    if wishes.no_cache:
        return Action.VALIDATE, "the request says no-cache", "request"
    if left <= 0.0:
        return _judged_stale(terms, wishes, age, -left)
    if age > wishes.max_age and not terms.immutable:
        return Action.VALIDATE, "the request wants none that is so old", "request"
    if left < wishes.min_fresh:
        return Action.VALIDATE, "the request wants one that is fresh for longer", "request"
    return Action.SERVE, "the entry is fresh", ""


def _judged_stale(terms: Terms, wishes: Wishes, age: float, since: float) -> tuple[Action, str, str]:
    if terms.never_stale:
        return Action.VALIDATE, "the entry is stale, and must not be given so", "stale"
    if wishes.max_stale and since <= wishes.max_stale and age <= wishes.max_age and -since >= wishes.min_fresh:
        return Action.SERVE, "the entry is stale, and the request says that it may be", ""
    if terms.while_revalidate and since <= terms.while_revalidate and not wishes.refuses_stale:
        return Action.SERVE_AND_REFRESH, "the entry is stale, and says that it may be while it is validated", ""
    return Action.VALIDATE, "the entry is stale", "stale"
