"""How long an answer is fresh, and how old it was when it came (RFC 9111 §4.2), with its dates (RFC 9110 §5.6.7)."""

from __future__ import annotations

from time import gmtime
from typing import TYPE_CHECKING

from jackfield import Headers, parse_http_date

from ._directives import Control, delta, seconds

if TYPE_CHECKING:
    from ._kept import Kept
    from ._terms import Rules

# RFC 9110 §15.1: "heuristically cacheable"; 206 is not kept.
HEURISTIC = frozenset({200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501})

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def explicit_lifetime(entry: Kept, control: Control, rules: Rules) -> float | None:
    """Seconds for which the answer says that it is fresh (§4.2.1); None if it does not say."""
    for name in ("s-maxage", "max-age") if rules.shared else ("max-age",):
        if (told := seconds(control.directives, name)) is not None:
            return told
    if control.targeted or "expires" not in entry.fields:
        return None
    # §5.3: "A cache recipient MUST interpret invalid date formats, especially the value "0", as representing a time in
    # the past".
    expires = date_in(entry.fields, "expires", entry.came_at)
    return 0.0 if expires is None else max(expires - date_of(entry), 0.0)


def fresh_for(entry: Kept, control: Control, rules: Rules) -> float:
    """Seconds for which the answer is fresh: as it says, or by a guess (§4.2.2)."""
    told = explicit_lifetime(entry, control, rules)
    if told is not None:
        return told
    if entry.status not in HEURISTIC and "public" not in control.directives:
        return 0.0
    # What sets a cookie was made for one moment: it is validated each time, if it does not say how long it is good.
    changed = date_in(entry.fields, "last-modified", entry.came_at)
    if changed is None or "set-cookie" in entry.fields:
        return 0.0
    return min(max((date_of(entry) - changed) * rules.heuristic, 0.0), rules.heuristic_most)


def initial_age(entry: Kept) -> float:
    """Seconds since its origin made it, when it came: §4.2.3 `corrected_initial_age`, never too low."""
    apparent = entry.came_at - date_of(entry)
    delay = max(entry.came_at - entry.asked_at, 0.0)  # below 0: the clock was set meanwhile
    return max(apparent, told_age(entry.fields) + delay)


def date_of(entry: Kept) -> float:
    """When its origin made it. RFC 9110 §6.6.1: without a date it is the time it was received."""
    date = date_in(entry.fields, "date", entry.came_at)
    return entry.came_at if date is None else date


def told_age(fields: Headers) -> float:
    """The seconds that `Age` gives. §5.1: of several "use the first member", and an invalid one "SHOULD" be ignored."""
    if "age" not in fields:
        return 0.0
    return delta(fields["age"].partition(",")[0].strip(" \t")) or 0.0


def date_in(fields: Headers, name: str, now: float) -> float | None:
    """The seconds since 1970 that a field gives; None if it is not there, or no date.

    RFC 9111 §4.2: "a cache recipient SHOULD match the field value case-insensitively".
    """
    return parse_http_date(fields[name].title().replace("Gmt", "GMT"), now) if name in fields else None


def written(moment: float) -> str:
    """The date of a moment, in the one form that is to be sent."""
    of = gmtime(moment)
    time = f"{of.tm_hour:02}:{of.tm_min:02}:{of.tm_sec:02}"
    return f"{_DAYS[of.tm_wday]}, {of.tm_mday:02} {_MONTHS[of.tm_mon - 1]} {of.tm_year:04} {time} GMT"
