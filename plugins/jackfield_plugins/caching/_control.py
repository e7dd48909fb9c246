"""What an answer's fields say to this cache: Cache-Control (RFC 9111 §5.2), Pragma, CDN-Cache-Control (RFC 9213)."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from jackfield import Headers

from ._directives import Directives, parse_directives

_LONGEST = 16 * 1024  # characters of a structured field that is read


class Control(NamedTuple):
    """Directives for a cache.

    Attributes:
        directives: by their names.
        targeted: whether they are for caches of this kind: then neither Cache-Control nor Expires counts.
    """

    directives: Directives
    targeted: bool = False


def control_of(fields: Headers, shared: bool) -> Control:
    """What the fields of an answer say to a cache that serves one user, or many."""
    if shared and "cdn-cache-control" in fields and (targeted := _targeted(fields["cdn-cache-control"])):
        return Control(targeted, True)
    directives = parse_directives(fields.get_all("cache-control"))
    if "cache-control" not in fields and "no-cache" in parse_directives(fields.get_all("pragma")):
        directives["no-cache"] = [None]  # §5.4 has done with it; who sends nothing else means it
    return Control(directives)


def _targeted(text: str) -> Directives | None:
    """RFC 9213 §2.1: one that is empty, or no dictionary, "MUST be ignored"."""
    import http_sf

    if len(text) > _LONGEST or not text.isascii():
        return None
    try:
        found = cast("dict[str, tuple[Any, Any]]", http_sf.parse(text.encode(), tltype="dictionary"))
    except http_sf.StructuredFieldError:
        return None
    return {name: [_argument(value)] for name, (value, _) in found.items() if value is not False}


def _argument(value: object) -> str | None:
    """As `parse_directives` has it: what has another type than the directive's is good for nothing."""
    if value is True:
        return None
    return str(value) if isinstance(value, int) else ""
