"""An HTTP/1.1 answer as it arrives: its head, then its body piece by piece, to its exact end (RFC 9112 §6-7)."""

from __future__ import annotations

import re
from typing import NoReturn

from ._errors import ProtocolError, TruncatedBodyError
from ._head import read_head
from ._source import Source

_MAX_LINE = 4 * 1024
_MAX_TRAILERS = 64
_line_end = re.compile(rb"\n")
_chunk_size = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n").fullmatch


class Answer:
    """One answer; its head is read when it is made.

    Args:
        source: where it comes from.
        method: of the request that it answers.
    """

    def __init__(self, source: Source, method: str) -> None:
        self._source = source
        self.head = read_head(source, method)
        self._left = None if self.head.chunked else self.head.length
        self._in_chunk = False
        self.complete = self._left == 0

    def reusable(self) -> bool:
        """Whether the connection may carry another request: read to the end, agreed to, and nothing read beyond.

        What comes after it still is seen by whoever takes the connection next, before it is used.
        """
        return self.complete and self.head.keep_alive and not self._source.holds_more()

    def read1(self, size: int) -> bytes:
        """The next piece, at most `size` bytes; empty at the end."""
        if room := self._room(size):
            piece = self._source.read1(room)
            self._arrived(len(piece))
            return piece
        return b""

    def readinto1(self, buffer: memoryview) -> int:
        """Puts the next piece into the buffer, as much as has come and fits; how many bytes, 0 at the end."""
        if room := self._room(len(buffer)):
            size = self._source.readinto1(buffer[:room])
            self._arrived(size)
            return size
        return 0

    def _room(self, size: int) -> int:
        """How much of `size` belongs to the body, or to its present chunk; 0 at the end."""
        if self.complete or (self.head.chunked and not self._next_chunk()):
            return 0
        if self._left is None:  # the end of the connection is the end of the body
            return size
        return min(size, self._left)

    def _arrived(self, size: int) -> None:
        if self._left is None:
            self.complete = not size
            return
        if not size:
            self._ended_early()
        self._left -= size
        self.complete = self._left == 0 and not self.head.chunked

    def _next_chunk(self) -> bool:
        """Goes to the data of a chunk, if the present one is used up; False after the last."""
        if self._left:
            return True
        if self._in_chunk and self._line() != b"\r\n":
            raise ProtocolError("a chunk of the body is longer than it says")
        size = _chunk_size(self._line())
        if size is None:
            raise ProtocolError("the size of a chunk of the body is malformed")
        self._left, self._in_chunk = int(size[1], 16), True
        if self._left == 0:
            self._skip_trailers()
            self.complete = True
        return not self.complete

    def _skip_trailers(self) -> None:
        for _ in range(_MAX_TRAILERS):
            if self._line() == b"\r\n":
                return
        raise ProtocolError(f"more than {_MAX_TRAILERS} trailer lines follow the body")

    def _line(self) -> bytes:
        line = self._source.upto(_line_end, _MAX_LINE)
        if line is None:
            if len(self._source.held) >= _MAX_LINE:
                raise ProtocolError(f"a line between chunks is longer than {_MAX_LINE} bytes")
            self._ended_early()
        return line

    def _ended_early(self) -> NoReturn:
        raise TruncatedBodyError("the connection ended before the body did")
