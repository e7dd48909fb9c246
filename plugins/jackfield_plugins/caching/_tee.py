"""Bodies that are read piece by piece: those that are kept as they pass, and those that are kept already."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager

from jackfield import BodyTooLargeError, ByteStream, Call, Response, Runtime, Sink, pour

_PIECE = 128 * 1024  # bytes

Keep = Callable[[bytes | str], Awaitable[object]]


class Tee:
    """A body that is kept when it has been read to its end; not where that is not reached.

    Args:
        body: what is read.
        limit: bytes; of a longer one nothing is kept, and it passes.
        keep: is called once: with the whole at the end, or with why there is none.
        runtime: the reader's.
    """

    def __init__(self, body: ByteStream, limit: int, keep: Keep, runtime: Runtime) -> None:
        self._body = body
        self._limit = limit
        self._keep: Keep | None = keep
        self._runtime = runtime
        self._held = bytearray()
        self._broken = False

    async def read(self) -> bytes:
        with self._whole_or_nothing():
            piece = await self._body.read()
        self._hold(piece)
        await self._passed(len(piece))
        return piece

    async def pour(self, sink: Sink, at_most: int) -> int:
        """As `jackfield.pour` of this body."""

        def both(piece: bytes | memoryview) -> None:
            sink(piece)
            self._hold(piece)

        with self._whole_or_nothing():
            poured = await pour(self._body, both, self._runtime, at_most)
        await self._passed(poured)
        return poured

    async def close(self) -> None:
        try:
            await self._end("its body was not read to its end")
        finally:
            await self._body.close()

    @contextmanager
    def _whole_or_nothing(self) -> Generator[None]:
        try:
            yield
        except BaseException:  # a piece may be missing, whatever comes after it
            self._broken = True
            self._held = bytearray()
            raise

    def _hold(self, piece: bytes | memoryview) -> None:
        if self._keep is not None and not self._broken and len(self._held) <= self._limit:
            self._held += piece

    async def _passed(self, size: int) -> None:
        if len(self._held) > self._limit:
            await self._end(too_long(self._limit))
        elif not size and not self._broken:
            await self._end(bytes(self._held))

    async def _end(self, what: bytes | str) -> None:
        keep, self._keep, self._held = self._keep, None, bytearray()
        if keep is not None:
            await keep(what)


class Whole:
    """A body that is there already."""

    def __init__(self, body: bytes) -> None:
        self._left = memoryview(body)

    async def read(self) -> bytes:
        piece, self._left = bytes(self._left[:_PIECE]), self._left[_PIECE:]
        return piece

    async def close(self) -> None:
        self._left = self._left[:0]


def too_long(limit: int) -> str:
    """Why a body is not kept."""
    return f"its body is longer than {limit} bytes"


def as_asked(response: Response, call: Call) -> Response:
    """The response with its body as the call asked for it: as a stream, or whole and not longer than it may be.

    Raises:
        BodyTooLargeError: it is longer; another client of the cache allowed more.
    """
    if not isinstance(response.body, bytes):
        return response
    if call.stream:
        return Response(response.status, response.headers, Whole(response.body))
    if len(response.body) > (limit := call.options.max_body_size):
        raise BodyTooLargeError(f"the body is longer than max_body_size, {limit} bytes")
    return response
