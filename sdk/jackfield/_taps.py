"""Taps: functions that see a body's bytes as they pass, and hold back none of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

from ._body import ByteStream
from ._errors import SignatureError
from ._runtime import Runtime

Tap: TypeAlias = Callable[[bytes], object]
Sink: TypeAlias = Callable[[bytes | memoryview], object]
ProgressCallback: TypeAlias = Callable[[int, int | None, float], object]


def tapped(body: ByteStream, *taps: Tap) -> ByteStream:
    """A body that shows what is read of it to the taps: `hashlib.sha256().update`, the `write` of a file, a `Meter`.

    Args:
        body: what is read; `close` of the result closes it.
        taps: each is called with every piece, and with empty bytes at the end. What one raises ends the body, and
            leaves as it is. They must be quick: in an async client they run on the event loop's thread.
    """
    return _Tapped(body, taps) if taps else body


class _Tapped:
    def __init__(self, body: ByteStream, taps: tuple[Tap, ...]) -> None:
        self._body = body
        self._taps = taps
        self._ended = False

    async def read(self) -> bytes:
        piece = await self._body.read()
        if self._ended:  # it was told once
            return piece
        self._ended = not piece
        try:
            for tap in self._taps:
                tap(piece)
        except BaseException:
            await self._body.close()
            raise
        return piece

    async def close(self) -> None:
        await self._body.close()


class Checksum:
    """A tap that holds the whole body against a hash.

    Args:
        algorithm: as `hashlib` names it, `"sha256"`.
        expected: the digest, as bytes.

    Raises:
        SignatureError: from the body's end: it is not what was meant to come.
    """

    def __init__(self, algorithm: str, expected: bytes) -> None:
        import hashlib

        self._algorithm = algorithm
        self._expected = expected
        self._hash = hashlib.new(algorithm)

    def __call__(self, piece: bytes | memoryview) -> None:
        if piece:
            self._hash.update(piece)
            return
        from hmac import compare_digest

        if not compare_digest(self._hash.digest(), self._expected):
            raise SignatureError(f"the {self._algorithm} of what came is not the one expected: it is something else")


class Meter:
    """A tap that tells how far a body is.

    Args:
        told: is called after each piece, and at the end, with the bytes so far, the bytes in all or None, and bytes
            per second since the meter was made.
        total: bytes in all, where known.
        start: bytes that were there before; they are in the first figure, and not in the rate.
        clock: seconds.
    """

    def __init__(
        self,
        told: ProgressCallback,
        total: int | None = None,
        *,
        start: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.received = start
        self.total = total
        self._told = told
        self._start = start
        self._clock = clock
        self._began = clock()

    def __call__(self, piece: bytes) -> None:
        self.received += len(piece)
        self.tell()

    def tell(self) -> None:
        """Calls with what is known now."""
        seconds = self._clock() - self._began
        self._told(self.received, self.total, (self.received - self._start) / seconds if seconds > 0 else 0.0)


async def pour(body: ByteStream, sink: Sink, runtime: Runtime, at_most: int) -> int:
    """Reads some of a body into a sink that may block, a file's `write` say: in a thread, where the client is async.

    Args:
        body: what is read.
        sink: gets each piece; not the empty one at the end. It must not keep it: it may be a view of a buffer that is
            used again. What it raises leaves as it is: close the body then.
        runtime: where blocking work goes.
        at_most: bytes after which it is time to come back; it may be a piece more, and is less from a slow peer.

    Returns:
        How many bytes went to the sink; 0 at the end. Those before an error have gone there as well.
    """
    if (own := getattr(body, "pour", None)) is not None:  # many pieces for one change of threads
        poured: int = await own(sink, at_most)
        return poured
    if piece := await body.read():
        await runtime.offload(lambda: sink(piece))
    return len(piece)
