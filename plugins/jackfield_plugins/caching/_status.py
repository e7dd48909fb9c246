"""Cache-Status (RFC 9211): tells on the answer itself what the cache did."""

from __future__ import annotations

from jackfield import Headers, Response

_NAME = "jackfield"


def told(response: Response, did: str) -> Response:
    """The response, with what this cache did, "hit; ttl=30" say."""
    headers, member = response.headers, f"{_NAME}; {did}"
    if "cache-status" in headers:  # §2: the last member is the one "closest to the user"
        added = Headers.received([*headers.pairs(), ("Cache-Status", member)])
    else:
        added = headers.replacing("Cache-Status", member)
    return Response(response.status, added, response.body)
