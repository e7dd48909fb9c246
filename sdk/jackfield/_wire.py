"""What stands in a request's head on the wire, besides what its author put there."""

from __future__ import annotations

from ._body import StreamBody
from ._decoding import offered
from ._errors import UsageError
from ._headers import Headers
from ._messages import Request

_LEFT_OUT = {
    "content-length": "it is made from the body",
    "transfer-encoding": "it is made from the body",
    "proxy-authorization": "the origin might see it; use `Proxy(auth=...)`",
}
_WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE", "TRACE", "OPTIONS"})


def asks_to_close(headers: Headers) -> bool:
    """Whether the connection is not to be used again."""
    return "connection" in headers and "close" in headers["connection"].lower()  # RFC 9112 §9.6


def wire_fields(request: Request) -> list[tuple[str, str]]:
    """The fields of its head, those that frame the body included.

    Raises:
        UsageError: they would frame the body in another way than it is sent.
    """
    headers = request.headers
    for name, why in _LEFT_OUT.items():
        if name in headers:
            raise UsageError(f"leave out the header {name!r}: {why}")
    if len(headers.get_all("host")) > 1:
        raise UsageError("a request has one 'host' header at most")
    pairs = headers.pairs()
    if "accept-encoding" not in headers:
        # A range is of what is coded.
        pairs.append(("accept-encoding", "identity" if "range" in headers else offered()))
    length = request.body.length if isinstance(request.body, StreamBody) else len(request.body)
    if length is None:
        pairs.append(("transfer-encoding", "chunked"))
    elif length or isinstance(request.body, StreamBody) or request.method not in _WITHOUT_BODY:
        pairs.append(("content-length", str(length)))  # RFC 9110 §8.6: 0, too, where a body may be expected
    return pairs
