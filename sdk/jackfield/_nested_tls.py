"""TLS to an origin inside TLS to a proxy, which Python's own sockets do not offer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from ssl import MemoryBIO, SSLContext, SSLSocket, SSLWantReadError, SSLZeroReturnError
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

T = TypeVar("T")
_PIECE = 16 * 1024


class TlsWithinTls:
    """TLS to an origin, inside TLS to a proxy: as much of a socket as a connection needs.

    Attributes:
        outer: the socket to the proxy.
    """

    def __init__(self, outer: SSLSocket, context: SSLContext, host: str) -> None:
        self.outer = outer
        self._timeout = outer.gettimeout()
        self._arrived, self._leaving = MemoryBIO(), MemoryBIO()
        self._tls = context.wrap_bio(self._arrived, self._leaving, server_hostname=host)

    def do_handshake(self) -> None:
        self._carry_out(self._tls.do_handshake)

    def getpeercert(self) -> dict[str, Any] | None:
        return self._tls.getpeercert()

    def fileno(self) -> int:
        return self.outer.fileno()

    def settimeout(self, seconds: float | None) -> None:
        """Of every operation as a whole, as with a socket of one TLS."""
        self._timeout = seconds

    def gettimeout(self) -> float | None:
        return self._timeout

    def pending(self) -> int:
        """Bytes that are here and were not read."""
        return self._tls.pending() + self._arrived.pending + self.outer.pending()

    def recv(self, size: int) -> bytes:
        try:
            return self._carry_out(partial(self._tls.read, size))
        except SSLZeroReturnError:
            return b""

    def recv_into(self, buffer: WriteableBuffer) -> int:
        with memoryview(buffer) as view:
            piece = self.recv(len(view))
            view[: len(piece)] = piece
            return len(piece)

    def send(self, data: ReadableBuffer) -> int:
        with memoryview(data) as view:
            return self._carry_out(partial(self._tls.write, view[:_PIECE]))

    def close(self) -> None:
        self.outer.close()

    def _carry_out(self, step: Callable[[], T]) -> T:
        until = None if self._timeout is None else monotonic() + self._timeout
        while True:
            try:
                done: tuple[T] | None = (step(),)
            except SSLWantReadError:
                done = None
            if leaving := self._leaving.read():
                self._bound(until)
                self.outer.sendall(leaving)
            if done is not None:
                return done[0]
            self._bound(until)
            if piece := self.outer.recv(_PIECE):
                self._arrived.write(piece)
            else:
                self._arrived.write_eof()

    def _bound(self, until: float | None) -> None:
        seconds = None if until is None else until - monotonic()
        if seconds is not None and seconds <= 0:
            raise TimeoutError("timed out")
        self.outer.settimeout(seconds)
