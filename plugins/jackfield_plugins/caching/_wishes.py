"""What a request asks of a cache (RFC 9111 §5.2.1, RFC 5861 §4)."""

from __future__ import annotations

from functools import lru_cache
from math import inf
from typing import NamedTuple

from jackfield import Headers

from ._directives import Directives, delta, most, parse_directives, seconds


class Wishes(NamedTuple):
    """What a request asks of a cache.

    Attributes:
        no_store: whether nothing of it, and of its answer, is to be kept.
        no_cache: whether no entry is to be given without having been validated.
        only_if_cached: whether it is not to be sent.
        max_age: seconds that an entry may be old at most, and then it is not to be stale.
        min_fresh: seconds for which an entry must be fresh still.
        max_stale: seconds after its lifetime for which an entry is good enough.
        if_error: the same, where there is an error.
    """

    no_store: bool = False
    no_cache: bool = False
    only_if_cached: bool = False
    max_age: float = inf
    min_fresh: float = -inf
    max_stale: float = 0.0
    if_error: float = 0.0

    @property
    def refuses_stale(self) -> bool:
        """§5.2.1.1: who sends `max-age` "does not wish to receive a stale response", if not for `max-stale`."""
        return self.no_cache or self.max_age != inf or self.min_fresh != -inf


NONE = Wishes()
_NO_CACHE = Wishes(no_cache=True)


def wishes_of(headers: Headers) -> Wishes:
    """What the fields of a request ask."""
    if "cache-control" in headers:
        return _read(headers["cache-control"])
    # §5.4: a request with Pragma and no Cache-Control was made for caches of HTTP/1.0.
    if "pragma" in headers and "no-cache" in parse_directives([headers["pragma"]]):
        return _NO_CACHE
    return NONE


@lru_cache(maxsize=64)
def _read(text: str) -> Wishes:
    asked = parse_directives([text])
    max_age, min_fresh = seconds(asked, "max-age"), most(asked, "min-fresh")
    return Wishes(
        no_store="no-store" in asked,
        no_cache="no-cache" in asked,
        only_if_cached="only-if-cached" in asked,
        max_age=inf if max_age is None else max_age,
        min_fresh=-inf if min_fresh is None else min_fresh,
        max_stale=_max_stale(asked),
        if_error=seconds(asked, "stale-if-error") or 0.0,
    )


def _max_stale(asked: Directives) -> float:
    """§5.2.1.2: without an argument, "a stale response of any age"."""
    given = asked.get("max-stale", ["0"])
    return min([inf if argument is None else delta(argument) or 0.0 for argument in given])
