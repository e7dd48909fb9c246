"""Dates of header fields (RFC 9110 §5.6.7): read strictly, and never raising."""

from __future__ import annotations

import re

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_month = "|".join(_MONTHS)
_day = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
_long = "Mon|Tues|Wednes|Thurs|Fri|Satur|Sun"
_time = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_forms = (
    re.compile(rf"(?:{_day}), (?P<day>[0-9]{{2}}) (?P<month>{_month}) (?P<year>[0-9]{{4}}) {_time} GMT"),
    re.compile(rf"(?:{_long})day, (?P<day>[0-9]{{2}})-(?P<month>{_month})-(?P<year>[0-9]{{2}}) {_time} GMT"),
    re.compile(rf"(?:{_day}) (?P<month>{_month}) (?P<day>[0-9 ][0-9]) {_time} (?P<year>[0-9]{{4}})"),
)
_FIFTY_YEARS = 50 * 365.25 * 86400


def parse_http_date(text: str, now: float) -> float | None:
    """The seconds since 1970 that a date stands for, in any of the three forms; None if it is no date.

    Args:
        text: a field's value.
        now: seconds since 1970, to tell the century of a year of two digits.
    """
    for form in _forms:
        if found := form.fullmatch(text.strip(" \t")):
            return _seconds(found, now)
    return None


def _seconds(found: re.Match[str], now: float) -> float | None:
    if int(found["second"]) > 60:  # 60 is a leap second
        return None
    short = len(found["year"]) == 2
    moment = _moment(found, int(found["year"]) + (2000 if short else 0))
    if short and moment is not None and moment > now + _FIFTY_YEARS:  # "appears to be more than 50 years in the future"
        return _moment(found, int(found["year"]) + 1900)
    return moment


def _moment(found: re.Match[str], year: int) -> float | None:
    from datetime import UTC, datetime

    month = _MONTHS.index(found["month"]) + 1
    try:
        minute = datetime(year, month, int(found["day"]), int(found["hour"]), int(found["minute"]), tzinfo=UTC)
    except ValueError:  # the 31st of February
        return None
    return minute.timestamp() + int(found["second"])
