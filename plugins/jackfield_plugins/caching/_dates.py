"""Dates as a cache reads and writes them (RFC 9110 §5.6.7)."""

from __future__ import annotations

from time import gmtime

from jackfield import Headers, parse_http_date

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


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
