"""Retry-After (RFC 9110 §10.2.3): read strictly, and never raising."""

from __future__ import annotations

import re

from ._dates import parse_http_date
from ._headers import Headers

_is_whole = re.compile(r"[0-9]+").fullmatch


def parse_retry_after(headers: Headers, now: float) -> float | None:
    """Seconds that an answer asks to wait: 0 for a date that has passed, `inf` for too many digits; None if none.

    Args:
        headers: the answer's. A date is counted from its own `Date`, where it has one: clocks differ.
        now: seconds since 1970, by ours.
    """
    text = headers.get("retry-after", "").strip(" \t")
    if _is_whole(text):  # delay-seconds = 1*DIGIT
        return float(text)  # where `int` would raise
    moment = parse_http_date(text, now)
    if moment is None:
        return None
    sent = parse_http_date(headers.get("date", ""), now)
    return max(moment - (now if sent is None else sent), 0.0)
