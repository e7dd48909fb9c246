"""When the service says to come back: Retry-After (RFC 9110 §10.2.3), its kin in milliseconds, rate limit resets.

All is read strictly: what is malformed says nothing, and nothing here raises.
"""

from __future__ import annotations

import re

from jackfield import Headers, parse_http_date, parse_retry_after

from ._rate_limit import rate_limit_delay

_is_whole = re.compile(r"[0-9]+").fullmatch
_is_number = re.compile(r"[0-9]+(?:\.[0-9]+)?").fullmatch
_EPOCH = 1e9  # a reset from here on is a moment, and no number of seconds
_EPOCH_MS = 1e11


def server_delay(headers: Headers, now: float, *, throttled: bool) -> float | None:
    """Seconds that the service asks to wait, which may be `inf`; None if it does not say.

    Args:
        headers: of its answer.
        now: seconds since 1970, where the answer has no date of its own.
        throttled: whether a rate limit refused the request; if not, its fields say nothing about this.
    """
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        if (milliseconds := _number(headers, name)) is not None:
            return milliseconds / 1000
    # Retry-After goes before the rate limit fields (draft-ietf-httpapi-ratelimit-headers).
    if (seconds := parse_retry_after(headers, now)) is not None:
        return seconds
    return _until_reset(headers, now) if throttled else None


def hinted_delay(headers: Headers, own: float) -> float:
    """The own delay, lengthened by up to 5 s if `x-amz-retry-after` (milliseconds) wishes it."""
    text = headers.get("x-amz-retry-after", "")
    return max(own, min(float(text) / 1000, own + 5)) if _is_whole(text) else own


def _until_reset(headers: Headers, now: float) -> float | None:
    if (text := headers.get("ratelimit")) is not None and (seconds := rate_limit_delay(text)) is not None:
        return seconds
    for prefix in ("ratelimit", "x-ratelimit"):
        reset = _number(headers, f"{prefix}-reset")
        if reset is not None and not _number(headers, f"{prefix}-remaining"):  # with some left, it was another limit
            return _until(reset, headers, now)
    return None


def _until(reset: float, headers: Headers, now: float) -> float:
    if reset < _EPOCH:
        return reset
    moment = reset if reset < _EPOCH_MS else reset / 1000
    return max(moment - _sent_at(headers, now), 0.0)


def _sent_at(headers: Headers, now: float) -> float:
    """When the answer was made, by the clock that its moments are of; ours may be wrong."""
    text = headers.get("date")
    moment = None if text is None else parse_http_date(text, now)
    return now if moment is None else moment


def _number(headers: Headers, name: str) -> float | None:
    text = headers.get(name, "").strip(" \t")
    return float(text) if _is_number(text) else None
