"""Which fields of an answer are kept (RFC 9111 §3.1), and which ones a later answer changes (§3.2)."""

from __future__ import annotations

from jackfield import Headers

from ._directives import Control, listed
from ._freshness import written

# §3.1: of one connection, or of one proxy.
_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"}
    | {"proxy-authenticate", "proxy-authentication-info", "proxy-authorization"}
)
# Nobody takes from us what we decide by: "Cache-Control is never appropriate as a connection option" (RFC 9110 §7.6.1).
_OURS = frozenset(
    {"age", "cache-control", "cdn-cache-control", "date", "etag", "expires", "last-modified", "pragma", "vary"}
)
# §3.2: fields "that the cache's stored response depends upon", as it is kept decoded, and those of an empty body.
_OF_THE_BODY = frozenset(
    {"content-digest", "content-encoding", "content-length", "content-md5", "content-range", "content-type"}
)


def fields_to_keep(headers: Headers, control: Control, shared: bool) -> Headers:
    """The fields of an answer that a cache keeps."""
    # What a qualified no-cache names may not be given without validation, which is what an entry without it does.
    dropped = listed(control.directives, "no-cache") or frozenset()
    if shared:
        dropped |= listed(control.directives, "private") or frozenset()
    return _without(headers, dropped)


def merged(stored: Headers, new: Headers) -> Headers:
    """The fields of an entry after an answer to its validation, or to a HEAD."""
    changes = _without(new, _OF_THE_BODY)
    # How old the entry is, is told by the new answer, or not at all.
    return changes.over(stored.without("age").without("date"))


def dated(headers: Headers, came_at: float) -> Headers:
    """With the time at which they came for a `Date`, if they have none (RFC 9110 §6.6.1)."""
    return headers if "date" in headers else headers.replacing("Date", written(came_at))


def _without(headers: Headers, names: frozenset[str]) -> Headers:
    connection = {name.strip(" \t").lower() for value in headers.get_all("connection") for name in value.split(",")}
    dropped = _HOP | ((names | connection) - _OURS)
    return Headers.received(pair for pair in headers.pairs() if pair[0].lower() not in dropped)
