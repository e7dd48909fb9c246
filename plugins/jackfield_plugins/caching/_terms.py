"""By which rules a cache decides, and on which terms an entry may be given again by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ._directives import MOST, Directives, control_of, listed, seconds
from ._freshness import fresh_for, initial_age, told_age

if TYPE_CHECKING:
    from ._kept import Kept


class Rules(NamedTuple):
    """By which rules a cache decides.

    Attributes:
        shared: whether it serves more than one user: then `s-maxage`, `private` and `CDN-Cache-Control` count.
        heuristic: the part of the time since `Last-Modified` for which an answer without a lifetime is fresh (RFC 9111
            §4.2.2); 0 for none.
        heuristic_most: seconds that such an answer is fresh at most.
        key: that digests of what may be secret are made with: the store's salt.
    """

    shared: bool = False
    heuristic: float = 0.1
    heuristic_most: float = 86400.0
    key: bytes = b""


class Terms(NamedTuple):
    """What an entry allows: what of its fields matters when a request comes, read beforehand.

    Attributes:
        lifetime: seconds for which it is fresh (RFC 9111 §4.2.1).
        initial_age: seconds that it was old when it came (§4.2.3).
        told_age: the same, as it said itself: without the time that it was under way.
        came_at: when that was, seconds since 1970.
        asks: whether it is never given without having been validated (§5.2.2.4).
        never_stale: whether nothing allows to give it when it is stale (§4.2.4).
        while_revalidate: seconds after its lifetime for which it is given while it is validated (RFC 5861 §3).
        if_error: seconds after its lifetime for which it is given where there is an error (RFC 5861 §4).
        immutable: whether a request's `max-age` is no reason to validate it (RFC 8246 §2).
    """

    lifetime: float
    initial_age: float
    told_age: float
    came_at: float
    asks: bool
    never_stale: bool
    while_revalidate: float
    if_error: float
    immutable: bool

    def age(self, now: float) -> float:
        """Seconds since its origin made or validated it (§4.2.3)."""
        resident = now - self.came_at
        if resident >= 0.0:
            return self.initial_age + resident
        # The clock was set back. Within its resolution that is nothing; beyond, how old the entry is nobody knows.
        return self.initial_age if resident > -1.0 else MOST


def terms_of(entry: Kept, rules: Rules) -> Terms:
    """The terms of an entry, for a cache with these rules."""
    control = control_of(entry.fields, rules.shared)
    directives = control.directives
    asks = listed(directives, "no-cache") is None
    return Terms(
        lifetime=fresh_for(entry, control, rules),
        initial_age=initial_age(entry),
        told_age=told_age(entry.fields),
        came_at=entry.came_at,
        asks=asks,
        never_stale=asks or "must-revalidate" in directives or (rules.shared and _for_proxies(directives)),
        while_revalidate=seconds(directives, "stale-while-revalidate") or 0.0,
        if_error=seconds(directives, "stale-if-error") or 0.0,
        immutable="immutable" in directives,
    )


def _for_proxies(directives: Directives) -> bool:
    """§5.2.2.10: s-maxage "incorporates the semantics of the proxy-revalidate response directive"."""
    return "proxy-revalidate" in directives or "s-maxage" in directives
