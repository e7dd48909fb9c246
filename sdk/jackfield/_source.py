"""Bytes from a socket, each wait of them bounded by what is left of the call."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

_AT_ONCE = 64 * 1024  # bytes
_OVERLAP = 3  # bytes of an ending that may have come with what was seen before


class Source:
    """What a peer sends. It never closes the socket, which is its connection's.

    Args:
        sock: connected.
        patience: seconds to wait for the next bytes; asked before every wait, and raises when the time is up.
    """

    def __init__(self, sock: socket.socket, patience: Callable[[], float]) -> None:
        self._socket = sock
        self._patience = patience
        self._held = b""
        self._at = 0  # what stands before it was read

    @property
    def held(self) -> bytes:
        """What came and was not read."""
        return self._held[self._at :]

    def upto(self, ending: re.Pattern[bytes], limit: int) -> bytes | None:
        """All up to an ending of 4 bytes at most, and with it; None if the peer ends before, or sends more than that.

        Args:
            ending: may look ahead, and back at what it is the ending of.
            limit: bytes.
        """
        seen = 0
        while (found := ending.search(self._held, self._at + seen, self._at + limit)) is None:
            held = len(self._held) - self._at
            if held >= limit or not self._receive():
                return None
            seen = max(held - _OVERLAP, 0)
        return self._taken(found.end())

    def read1(self, size: int) -> bytes:
        """The next piece, at most `size` bytes: what is held, or else what comes next; empty at the end."""
        if self._at < len(self._held):
            return self._taken(min(self._at + size, len(self._held)))
        return self._ready().recv(size)

    def readinto1(self, buffer: memoryview) -> int:
        """Puts the next piece into the buffer; how many bytes, 0 at the end."""
        if self._at < len(self._held):
            piece = self.read1(len(buffer))
            buffer[: len(piece)] = piece
            return len(piece)
        return self._ready().recv_into(buffer)

    def holds_more(self) -> bool:
        """Whether the peer sent bytes that nobody has read, as far as this side knows without asking the system."""
        if self._at < len(self._held):
            return True
        pending: Callable[[], int] | None = getattr(self._socket, "pending", None)  # of TLS, which holds some, too
        return pending is not None and pending() > 0

    def _ready(self) -> socket.socket:
        sock, patience = self._socket, self._patience()
        if sock.gettimeout() != patience:  # to set it takes a system call
            sock.settimeout(patience)
        return sock

    def _receive(self) -> bool:
        piece = self._ready().recv(_AT_ONCE)
        self._held, self._at = self._held[self._at :] + piece, 0
        return bool(piece)

    def _taken(self, end: int) -> bytes:
        piece = self._held[self._at : end]
        self._at = end
        return piece
