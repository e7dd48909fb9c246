"""The body of a request, read piece by piece from the connection (RFC 9112, 6 and 7.1)."""

import re
from email.message import Message
from io import BufferedIOBase

_LENGTH = re.compile(r"[0-9]{1,15}")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,12})[ \t]*(?:;[^\r\n]*)?\r\n")
_LINE = 8192  # bytes of a chunk's head, and of a trailer
_WORTH_READING = 65536  # bytes; of a body that nobody wanted, to save the connection
_LONGEST = 4 * 1024 * 1024  # bytes of a body that is taken whole


class BrokenBody(Exception):
    """The body cannot be read: an HTTP status and a reason phrase."""


class Body:
    """What is left of a body; `length` is in bytes, None where it comes in chunks."""

    def __init__(self, stream: BufferedIOBase, length: int | None) -> None:
        self._stream = stream
        self._left = length or 0
        self._chunked = length is None
        self._begun = False

    @classmethod
    def of(cls, headers: Message, stream: BufferedIOBase) -> "Body":
        """The body that these headers announce. BrokenBody where they make no sense."""
        coding = headers.get("Transfer-Encoding")
        if coding is not None:
            if coding.lower() != "chunked":
                raise BrokenBody(501, "Unknown transfer coding")
            return cls(stream, None)
        length = headers.get("Content-Length", "0")
        if not _LENGTH.fullmatch(length):
            raise BrokenBody(400, "Bad Content-Length")
        return cls(stream, int(length))

    def read(self, size: int) -> bytes:
        """At most `size` bytes, none at the end."""
        if self._chunked and not self._left:
            self._next_chunk()
        piece = self._stream.read(min(size, self._left))
        if not piece and self._left:
            raise BrokenBody(400, "Body cut short")
        self._left -= len(piece)
        return piece

    def whole(self) -> bytes:
        """All of it, up to 4 MiB."""
        pieces = bytearray()
        while piece := self.read(65536):
            pieces += piece
            if len(pieces) > _LONGEST:
                raise BrokenBody(413, "Content Too Large")
        return bytes(pieces)

    def finish(self) -> bool:
        """Whether the body has ended, after what little may be left was read."""
        try:
            left = _WORTH_READING
            while left > 0 and (piece := self.read(left)):
                left -= len(piece)
        except BrokenBody:
            return False
        return left > 0

    def _next_chunk(self) -> None:
        if self._begun and self._stream.readline(_LINE) != b"\r\n":
            raise BrokenBody(400, "Bad chunk")
        self._begun = True
        head = _CHUNK_SIZE.fullmatch(self._stream.readline(_LINE))
        if head is None:
            raise BrokenBody(400, "Bad chunk")
        self._left = int(head[1], 16)
        if not self._left:
            self._chunked = False
            while self._stream.readline(_LINE) not in (b"\r\n", b""):
                pass  # trailers
