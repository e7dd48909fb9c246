"""The rules of RFC 9111 once more, slowly and in the order of its text: on what was meant, not on what was written.

Nothing here is shared with what it judges, and nothing is read: a test makes a `Told` and an `Asked`, writes both as
fields, and compares.
"""

from __future__ import annotations

from typing import NamedTuple


class Told(NamedTuple):
    """What an answer says; moments are seconds from when it came."""

    max_age: int | None = None
    s_maxage: int | None = None
    expires: int | None = None
    last_modified: int | None = None
    date: int | None = None
    age: int | None = None
    delay: int = 0
    revalidate: int | None = None
    if_error: int | None = None
    flags: frozenset[str] = frozenset()


class Asked(NamedTuple):
    """What a request asks; a max-stale of -1 takes all."""

    max_age: int | None = None
    min_fresh: int | None = None
    max_stale: int | None = None
    if_error: int | None = None
    flags: frozenset[str] = frozenset()


def lifetime(told: Told, shared: bool) -> float:
    """§4.2.1: "the first match of the following"."""
    if shared and told.s_maxage is not None:
        return told.s_maxage
    if told.max_age is not None:
        return told.max_age
    date_value = 0 if told.date is None else told.date
    if told.expires is not None:
        return max(0, told.expires - date_value)
    if told.last_modified is not None:
        return min(86400, max(0, (date_value - told.last_modified) / 10))
    return 0


def current_age(told: Told, resident_time: float) -> float:
    """§4.2.3, with its names."""
    response_time, date_value = 0, 0 if told.date is None else told.date
    age_value = 0 if told.age is None else told.age
    apparent_age = max(0, response_time - date_value)
    response_delay = told.delay
    corrected_age_value = age_value + response_delay
    corrected_initial_age = max(apparent_age, corrected_age_value)
    return corrected_initial_age + resident_time


def stale_is_forbidden(told: Told, shared: bool) -> bool:
    """§4.2.4: "explicit in-protocol directive (e.g., by a no-cache response directive, a must-revalidate response
    directive, or an applicable s-maxage or proxy-revalidate response directive)".
    """
    always = {"no-cache", "must-revalidate"} & told.flags
    for_shared = "proxy-revalidate" in told.flags or told.s_maxage is not None
    return bool(always) or (shared and for_shared)


def done(told: Told, asked: Asked, resident_time: float, shared: bool) -> str:
    """What is done with a request that selects the one entry that is stored."""
    if "no-store" in asked.flags:
        wanted = "BYPASS"
    elif _may_be_given(told, asked, resident_time, shared):
        wanted = "SERVE"
    elif _may_be_given_and_refreshed(told, asked, resident_time, shared):
        wanted = "SERVE_AND_REFRESH"
    else:
        wanted = "VALIDATE"
    if "only-if-cached" in asked.flags:
        return "SERVE" if wanted.startswith("SERVE") else "REFUSE"
    return wanted


def _may_be_given(told: Told, asked: Asked, resident_time: float, shared: bool) -> bool:
    age, good_for = current_age(told, resident_time), lifetime(told, shared)
    if "no-cache" in told.flags or "no-cache" in asked.flags:
        return False
    fresh = good_for > age
    if asked.max_age is not None and age > asked.max_age and not (fresh and "immutable" in told.flags):
        return False
    if asked.min_fresh is not None and good_for - age < asked.min_fresh:
        return False
    if fresh:
        return True
    if stale_is_forbidden(told, shared) or asked.max_stale is None or asked.max_stale == 0:
        return False
    return asked.max_stale == -1 or age - good_for <= asked.max_stale


def _may_be_given_and_refreshed(told: Told, asked: Asked, resident_time: float, shared: bool) -> bool:
    if stale_is_forbidden(told, shared) or not told.revalidate:
        return False
    if asked.max_age is not None or asked.min_fresh is not None or "no-cache" in asked.flags:
        return False
    since = current_age(told, resident_time) - lifetime(told, shared)
    return 0 <= since <= told.revalidate


def given_on_error(told: Told, asked: Asked, resident_time: float, shared: bool) -> bool:
    """RFC 5861 §4: in the answer or in the request."""
    if stale_is_forbidden(told, shared) or {"no-cache", "no-store"} & asked.flags:
        return False
    if asked.max_age is not None or asked.min_fresh is not None:
        return False
    since = current_age(told, resident_time) - lifetime(told, shared)
    windows = [window for window in (told.if_error, asked.if_error, asked.max_stale) if window is not None]
    return since <= 0 or -1 in windows or any(since <= window for window in windows)
