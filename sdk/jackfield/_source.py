"""Bytes from a socket, each wait of them bounded by what is left of the call."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class _Raw(io.RawIOBase):
    def __init__(self, sock: socket.socket, patience: Callable[[], float]) -> None:
        self._socket = sock
        self._patience = patience
        self._set = sock.gettimeout()
        self.stopped = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        if self.stopped:
            return None
        patience = self._patience()
        if patience != self._set:
            self._socket.settimeout(patience)
            self._set = patience
        return self._socket.recv_into(buffer)


class Source(io.BufferedReader):
    """What a peer sends, buffered. It never closes the socket, which is its connection's.

    Args:
        sock: connected.
        patience: seconds to wait for the next bytes; asked before every wait, and raises when the time is up.
    """

    def __init__(self, sock: socket.socket, patience: Callable[[], float]) -> None:
        self._raw = _Raw(sock, patience)
        self._pending: Callable[[], int] | None = getattr(sock, "pending", None)  # of TLS, which buffers, too
        super().__init__(self._raw, 64 * 1024)

    def readinto1(self, buffer: WriteableBuffer, /) -> int:
        """Puts into the buffer what is held already, or else what comes next: never both, which would be to wait."""
        self._raw.stopped = True
        held = super().readinto1(buffer)
        self._raw.stopped = False
        return held or super().readinto1(buffer)

    def holds_more(self) -> bool:
        """Whether the peer sent bytes that nobody has read, as far as this side knows. Nothing can be read after."""
        self._raw.stopped = True
        return bool(self.peek(1)) or (self._pending is not None and self._pending() > 0)
