"""Bodies in pieces of one size, for who asks for that."""

from __future__ import annotations

from jackfield import ByteStream, Response, Runtime, Sink, pour

from ._arrived import Arrived


def in_pieces(response: Response, size: int, runtime: Runtime) -> Response:
    """The answer with its body in pieces of that many bytes, but the last. A file takes them as they arrive.

    After a break, what is less than a piece comes again.

    Args:
        response: its body may have come whole, from a cache say.
        size: bytes, 1 or more.
        runtime: of who reads.
    """
    body = response.body
    return response.replace(body=_Pieces(Arrived(body) if isinstance(body, bytes) else body, size, runtime))


class _Pieces:
    """A body in pieces of one size."""

    def __init__(self, body: ByteStream, size: int, runtime: Runtime) -> None:
        self._body = body
        self._size = size
        self._runtime = runtime
        self._held = b""
        self._at = 0

    async def read(self) -> bytes:
        if self._at + self._size > len(self._held):
            await self._fill()
        piece = self._held[self._at : self._at + self._size]
        self._at += len(piece)
        return piece

    async def pour(self, sink: Sink, at_most: int) -> int:
        """For who wants all of it, in whatever pieces: a file."""
        assert not self._held, "this is read in pieces already"
        return await pour(self._body, sink, self._runtime, at_most)

    async def close(self) -> None:
        await self._body.close()

    async def _fill(self) -> None:
        """Has a whole piece, if there is so much."""
        pieces = [self._held[self._at :]]
        length = len(pieces[0])
        while length < self._size and (piece := await self._body.read()):
            pieces.append(piece)
            length += len(piece)
        self._held, self._at = b"".join(pieces), 0
