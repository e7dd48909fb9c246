"""Bodies that are read piece by piece: those that are kept as they pass, and those that are kept already."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager

from jackfield import ByteStream, Call, Response, Runtime, Tap, pour

_PIECE = 128 * 1024  # bytes


class Tee:
    """A body that is kept when it has been read to its end; not where that is not reached.

    Args:
        body: what is read.
        limit: bytes; of a longer one nothing is kept, and it passes.
        keep: is called with the whole at the end; with None, when it has become longer than that.
        runtime: the reader's.
    """

    def __init__(
        self, body: ByteStream, limit: int, keep: Callable[[bytes | None], Awaitable[object]], runtime: Runtime
    ) -> None:
        self._body = body
        self._limit = limit
        self._keep: Callable[[bytes | None], Awaitable[object]] | None = keep
        self._runtime = runtime
        self._held = bytearray()

    async def read(self) -> bytes:
        with self._whole_or_nothing():
            piece = await self._body.read()
        self._hold(piece)
        await self._passed(len(piece))
        return piece

    async def pour(self, sink: Tap, at_most: int) -> int:
        """As `jackfield.pour` of this body."""

        def both(piece: bytes) -> None:
            sink(piece)
            self._hold(piece)

        with self._whole_or_nothing():
            poured = await pour(self._body, both, self._runtime, at_most)
        await self._passed(poured)
        return poured

    async def close(self) -> None:
        self._keep = None
        await self._body.close()

    @contextmanager
    def _whole_or_nothing(self) -> Generator[None]:
        try:
            yield
        except BaseException:  # a piece may be missing, whatever comes after it
            self._keep = None
            raise

    def _hold(self, piece: bytes) -> None:
        if self._keep is not None and len(self._held) <= self._limit:
            self._held += piece

    async def _passed(self, size: int) -> None:
        too_long, keep = len(self._held) > self._limit, self._keep
        if keep is None or (size and not too_long):
            return
        held, self._keep, self._held = self._held, None, bytearray()
        await keep(None if too_long else bytes(held))


class Whole:
    """A body that is there already."""

    def __init__(self, body: bytes) -> None:
        self._left = memoryview(body)

    async def read(self) -> bytes:
        piece, self._left = bytes(self._left[:_PIECE]), self._left[_PIECE:]
        return piece

    async def close(self) -> None:
        self._left = self._left[:0]


def as_asked(response: Response, call: Call) -> Response:
    """The response with its body as a stream, where the call asked for one."""
    if call.stream and isinstance(response.body, bytes):
        return Response(response.status, response.headers, Whole(response.body))
    return response
