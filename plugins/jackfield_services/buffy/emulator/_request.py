"""What came in: a request as it is read, and as it is remembered."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property
from io import BufferedIOBase
from urllib.parse import parse_qsl, unquote

from ._wire import Json

_ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


@dataclass(slots=True, kw_only=True)
class ReceivedRequest:
    """A request as the server read it; `status` is what it answered, 0 where it broke the connection.

    `path` is decoded, `query` its pairs in their order, `json` the body where it was JSON. Headers and body stay out
    of its repr.
    """

    method: str
    path: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str] = field(repr=False)
    json: Json = field(default=None, repr=False)
    status: int = 0


@dataclass(frozen=True)
class Incoming:
    """An HTTP request: names of headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def path(self) -> str:
        """Its path, decoded."""
        return unquote(_ORIGIN.sub("", self.target, count=1).partition("?")[0])

    @cached_property
    def query(self) -> tuple[tuple[str, str], ...]:
        """The pairs of its query, decoded as a form is: a bare + is a space."""
        return tuple(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def is_json(self) -> bool:
        """FastAPI takes a body without a content type for JSON, too."""
        kind = self.headers.get("content-type")
        if not kind:
            return True
        media_type = kind.partition(";")[0].strip().lower()
        return media_type == "application/json" or bool(re.fullmatch(r"application/[^/]*\+json", media_type))

    def remembered(self) -> ReceivedRequest:
        """It, for the list of those that came."""
        try:
            said = json.loads(self.body) if self.body else None
        except (ValueError, RecursionError):
            said = None
        return ReceivedRequest(method=self.method, path=self.path, query=self.query, headers=self.headers, json=said)


def read_body(headers: Message, stream: BufferedIOBase) -> bytes:
    """RFC 9112, 6: the body, in chunks or of a length. ValueError where it is neither, or ends too soon."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        pieces = list(iter(lambda: _chunk(stream), b""))
        while stream.readline(65537).strip():
            pass  # trailers
        return b"".join(pieces)
    return _exactly(int(headers.get("content-length", "0")), stream)


def _chunk(stream: BufferedIOBase) -> bytes:
    size = int(stream.readline(65537).partition(b";")[0], 16)
    piece = _exactly(size, stream)
    if size:
        stream.readline(3)
    return piece


def _exactly(size: int, stream: BufferedIOBase) -> bytes:
    data = stream.read(max(size, 0))
    if len(data) != size:
        raise ValueError("the body ends too soon")
    return data
