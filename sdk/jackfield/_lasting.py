"""Bodies that take longer than a call may: what bounds them is that they go on arriving."""

from __future__ import annotations

from ._body import ByteStream
from ._call import Call
from ._taps import Sink, pour

_STRIDE = 64 * 1024  # bytes, for which there is the whole of the timeout


class Lasting:
    """A body whose deadline moves on as it arrives, and while its reader does something else."""

    def __init__(self, body: ByteStream, call: Call) -> None:
        self._body = body
        self._call = call
        self._arrived = 0
        self._left = call.remaining()

    async def read(self) -> bytes:
        self._resume()
        piece = await self._body.read()
        self._pause(len(piece))
        return piece

    async def pour(self, sink: Sink, at_most: int) -> int:
        """As `pour` of this body."""
        self._resume()
        poured = await pour(self._body, sink, self._call.runtime, at_most)
        self._pause(poured)
        return poured

    async def close(self) -> None:
        await self._body.close()

    def _resume(self) -> None:
        self._call.deadline = self._call.runtime.monotonic() + self._left

    def _pause(self, arrived: int) -> None:
        self._arrived += arrived
        self._left = self._call.remaining()
        if self._arrived >= _STRIDE:
            self._arrived, self._left = 0, self._call.timeout
