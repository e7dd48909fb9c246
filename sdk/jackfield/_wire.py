"""What stands in a request's head on the wire, besides what its author put there."""

from __future__ import annotations

from collections.abc import Mapping

from urllib3 import HTTPHeaderDict

from ._body import StreamBody
from ._decoding import offered
from ._errors import UsageError
from ._headers import Headers
from ._messages import Request


def asks_to_close(headers: Headers) -> bool:
    """Whether the connection is not to be used again."""
    return "connection" in headers and "close" in headers["connection"].lower()  # RFC 9112 §9.6


def wire_headers(request: Request) -> Mapping[str, str]:
    """The headers as urllib3 takes them.

    Raises:
        UsageError: they would frame the body in another way than it is sent.
    """
    for name in ("content-length", "transfer-encoding"):
        if name in request.headers:
            raise UsageError(f"leave out the header {name!r}: it is made from the body")
    if len(request.headers.get_all("host")) > 1:
        raise UsageError("a request has one 'host' header at most")
    pairs = request.headers.pairs()
    if "accept-encoding" not in request.headers and "range" not in request.headers:  # a range is of what is coded
        pairs.append(("accept-encoding", offered()))
    length = request.body.length if isinstance(request.body, StreamBody) else len(request.body) or None
    if length is not None:
        pairs.append(("content-length", str(length)))
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else HTTPHeaderDict(pairs)
