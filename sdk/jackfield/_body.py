"""Bodies that are not bytes: what is sent piece by piece, and what arrives piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Protocol

from ._errors import UsageError


class StreamBody:
    """A request body that is produced while it is sent.

    Args:
        open: gives the pieces from the beginning, each time it is called.
        length: bytes in all, where known; without it the body is sent chunked.
    """

    __slots__ = ("_open", "length", "replayable")

    def __init__(self, open: Callable[[], Iterable[bytes]], *, length: int | None = None) -> None:
        if length is not None and length < 0:
            raise UsageError(f"a body's length is 0 or more, not {length}")
        self._open = open
        self.length = length
        self.replayable = True

    @classmethod
    def once(cls, pieces: Iterable[bytes], *, length: int | None = None) -> StreamBody:
        """A body that can be sent once only: such a request is not retried after bytes were sent."""
        remaining = [pieces]

        def take() -> Iterable[bytes]:
            if not remaining:
                raise UsageError("this body was sent already, and cannot be replayed: give StreamBody a function")
            return remaining.pop()

        body = cls(take, length=length)
        body.replayable = False
        return body

    def __iter__(self) -> Generator[bytes]:
        """The pieces from the beginning.

        Raises:
            UsageError: there are more or fewer bytes than `length`, or the pieces cannot be produced.
        """
        pieces: Iterable[bytes] = ()
        sent, held = 0, b""  # the last piece is held back until the length is known to be right
        try:
            pieces = self._open()
            for piece in pieces:
                if not isinstance(piece, bytes | bytearray):
                    raise TypeError(f"a piece is a {type(piece).__name__}, not bytes")
                if not piece:
                    continue
                sent += len(piece)
                if self.length is not None and sent > self.length:
                    break
                if held:
                    yield held
                held = piece
        except UsageError:
            raise
        except Exception as error:
            raise UsageError(f"the request body could not be produced: {error!r}") from error
        finally:
            if isinstance(pieces, Generator):
                pieces.close()
        if self.length is not None and sent != self.length:
            wrong = "more" if sent > self.length else "fewer"
            raise UsageError(f"the request body has {wrong} than the {self.length} bytes announced")
        if held:
            yield held

    def __repr__(self) -> str:
        return f"StreamBody(length={self.length}, replayable={self.replayable})"


class ByteStream(Protocol):
    """A response body that is still arriving. Whoever wraps one wraps both methods."""

    async def read(self) -> bytes:
        """The next piece; empty at the end, when the connection has been released."""
        ...

    async def close(self) -> None:
        """Drops what has not been read, and the connection with it. May be called again."""
        ...
