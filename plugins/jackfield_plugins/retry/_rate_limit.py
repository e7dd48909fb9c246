"""RateLimit and RateLimit-Policy fields (draft-ietf-httpapi-ratelimit-headers): lists of items of RFC 9651."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

_LIMIT = 4096  # characters


class Quota(NamedTuple):
    """One item of such a field: a policy's name, and its parameters by their letters."""

    policy: str
    parameters: dict[str, Any]


def quotas(text: str) -> list[Quota]:
    """The items of a field; none if it is malformed."""
    import http_sf

    if len(text) > _LIMIT:
        return []
    try:
        items = cast("list[tuple[Any, dict[str, Any]]]", http_sf.parse(text.encode(), tltype="list"))
    except ValueError:  # StructuredFieldError is one, UnicodeEncodeError another
        return []
    return [Quota(str(name), parameters) for name, parameters in items if not isinstance(name, list)]


def rate_limit_delay(text: str) -> float | None:
    """Seconds until every quota that a RateLimit field calls used up is there again; None if it does not say.

    `r` is what is left of a quota, `t` the seconds until there is more.
    """
    waits = [
        float(quota.parameters["t"])
        for quota in quotas(text)
        if _is_whole(quota.parameters.get("t")) and quota.parameters.get("r") == 0
    ]
    return max(waits, default=None)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
