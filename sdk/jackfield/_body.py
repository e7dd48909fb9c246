"""Bodies that are not bytes: what is sent piece by piece, and what arrives piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ._errors import JackfieldError, UsageError

if TYPE_CHECKING:
    from ._taps import Tap

_VIEWS = (bytearray, memoryview)


@runtime_checkable
class _Abortable(Protocol):
    def abort(self) -> None: ...

    def close(self) -> None: ...


class StreamBody:
    """A request body that is produced while it is sent.

    Args:
        open: gives the pieces from the beginning, each time it is called. If what it gives has `abort()` and `close()`,
            `abort` is called, from another thread, when the call is given up while it waits for a piece, and must wake
            it; `close` in the end, as a generator's. In an async client one that blocks for ever and cannot be woken
            keeps its thread, and so the process from ending.
        length: bytes in all, where known; without it the body is sent chunked.
    """

    __slots__ = ("_open", "_taps", "length", "replayable")

    def __init__(self, open: Callable[[], Iterable[bytes]], *, length: int | None = None) -> None:
        if length is not None and length < 0:
            raise UsageError(f"a body's length is 0 or more, not {length}")
        self._open = open
        self._taps: tuple[Callable[[], Tap], ...] = ()
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

    def tapped(self, *taps: Callable[[], Tap]) -> StreamBody:
        """This body with taps that see what is sent of it; not what is read to be digested.

        Args:
            taps: each is called when a sending begins, and gives the tap for it. That is called with each piece when it
                was sent, as far as this side knows, and with empty bytes at the end. What it raises ends the upload. In
                an async client it runs in the thread that sends.
        """
        body = StreamBody(self._open, length=self.length)
        body._taps = (*self._taps, *taps)
        body.replayable = self.replayable
        return body

    def pieces(self) -> Reading:
        """The pieces from the beginning, for who looks at them and does not send them: no tap sees them."""
        return Reading(self._open, self.length, ())

    def __iter__(self) -> Reading:
        """The pieces from the beginning, to be sent."""
        return Reading(self._open, self.length, self._taps)

    def __repr__(self) -> str:
        return f"StreamBody(length={self.length}, replayable={self.replayable})"


class Reading(Iterator[bytes]):
    """The pieces of a body, once from the beginning to the end; none is empty. The body is opened for the first.

    Raises:
        UsageError: by `next`: there are more or fewer bytes than announced, or the pieces cannot be produced.
    """

    def __init__(
        self, open: Callable[[], Iterable[bytes]], length: int | None, taps: tuple[Callable[[], Tap], ...]
    ) -> None:
        self._source: Iterable[bytes] = ()
        self._aborted = False
        self._checked = self._check(open, length)
        self._pieces = _shown(self._checked, taps) if taps else self._checked

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Closes what produces the pieces; for the thread that takes them."""
        self._pieces.close()
        self._checked.close()

    def abort(self) -> None:
        """Wakes whoever waits for the next piece, if what produces it can be woken. From any thread."""
        self._aborted = True
        if isinstance(self._source, _Abortable):
            with suppress(Exception):  # whoever gives up a call has other things to end
                self._source.abort()

    def _check(self, open: Callable[[], Iterable[bytes]], length: int | None) -> Generator[bytes]:
        sent, held = 0, b""  # the last piece is held back until it is known that nothing follows it
        try:
            for piece in self._opened(open):
                if not isinstance(piece, bytes):
                    piece = _copied(piece)  # what fills one buffer again and again has more pieces than one
                sent += len(piece)
                if length is not None and sent > length:
                    break
                if piece and sent == length:
                    held = piece
                elif piece:
                    yield piece
        except UsageError:
            raise
        except Exception as error:
            raise UsageError(f"the request body could not be produced: {error!r}") from error
        finally:
            source: Any = self._source
            if isinstance(source, Generator | _Abortable):
                source.close()
        if length is not None and sent != length:
            wrong = "more" if sent > length else "fewer"
            raise UsageError(f"the request body has {wrong} than the {length} bytes announced")
        if held:
            yield held

    def _opened(self, open: Callable[[], Iterable[bytes]]) -> Iterable[bytes]:
        self._source = open()
        if self._aborted:  # before there was something to wake
            self.abort()
        return self._source


def _copied(piece: bytearray | memoryview) -> bytes:
    if not isinstance(piece, _VIEWS):
        raise TypeError(f"a piece is a {type(piece).__name__}, not bytes")
    return bytes(piece)


def _shown(pieces: Iterable[bytes], taps: Iterable[Callable[[], Tap]]) -> Generator[bytes]:
    try:
        begun = [begin() for begin in taps]
        for piece in pieces:
            yield piece
            for tap in begun:
                tap(piece)
        for tap in begun:
            tap(b"")
    except JackfieldError:
        raise
    except Exception as error:  # as it is, it might pass for one of the connection's
        raise UsageError(f"the upload was ended by a tap of its body: {error!r}") from error


class ByteStream(Protocol):
    """A response body that is still arriving. Whoever wraps one wraps both methods.

    It may have a third, `async def pour(sink, at_most) -> int`, which gives many pieces to a sink where they are read;
    `jackfield.pour` uses it where it is there.
    """

    async def read(self) -> bytes:
        """The next piece; empty at the end, when the connection has been released."""
        ...

    async def close(self) -> None:
        """Drops what has not been read, and the connection with it. Raises nothing. May be called again."""
        ...
