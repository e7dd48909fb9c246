"""What comes on a connection, byte by byte. Of HTTP it knows only where a request ends."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Gone(Exception):
    """The client has left, or the server is being stopped: there is nothing more to do for the script."""


class ReceivedRequest(NamedTuple):
    """One request as it came. `body` is as it was on the wire, chunk sizes and all."""

    head: bytes
    body: bytes
    connection: int

    @property
    def line(self) -> str:
        return self.head.partition(b"\r\n")[0].decode("latin-1")

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names in lower case, in the order of the wire."""
        fields = (line.partition(":") for line in self.head.decode("latin-1").split("\r\n")[1:-2])
        return [(name.lower(), value.strip()) for name, _, value in fields]

    def get_all(self, name: str) -> list[str]:
        return [value for found, value in self.headers if found == name]


class Receiver:
    """What a `Peer` hears.

    Attributes:
        number: 1 for the server's first connection.
        socket: for what is not offered here; what `request` read ahead is gone from it.
    """

    def __init__(self, sock: socket.socket, number: int, record: Callable[[ReceivedRequest], None]) -> None:
        self.number = number
        self.socket = sock
        self._record = record
        self._buffer = b""

    def arrives(self) -> None:
        """Waits until something comes, and leaves it where it is.

        Raises:
            Gone: nothing more will come.
        """
        if not self._buffer:
            self._receive()

    def request(self) -> ReceivedRequest:
        """Reads one request, and records it.

        Raises:
            Gone: the client left before the end of it.
        """
        head = self._until(b"\r\n\r\n")
        request = ReceivedRequest(head, b"", self.number)
        if request.get_all("transfer-encoding"):
            request = request._replace(body=b"".join(self._chunks()))
        elif lengths := request.get_all("content-length"):
            request = request._replace(body=self._exactly(int(lengths[0])))
        self._record(request)
        return request

    def requests(self) -> Iterator[ReceivedRequest]:
        """One request after the other, until the client leaves."""
        while True:
            try:
                request = self.request()
            except Gone:
                return
            yield request

    def head(self) -> bytes:
        """Reads the head of a request and leaves its body where it is."""
        return self._until(b"\r\n\r\n")

    def read(self, at_most: int) -> bytes:
        """Reads what is there, whatever it is.

        Raises:
            Gone: nothing more will come.
        """
        piece = self._buffer[:at_most] or self.socket.recv(at_most)
        self._buffer = self._buffer[len(piece) :]
        if not piece:
            raise Gone
        return piece

    def _until(self, mark: bytes) -> bytes:
        while (end := self._buffer.find(mark)) < 0:
            self._receive()
        end += len(mark)
        found, self._buffer = self._buffer[:end], self._buffer[end:]
        return found

    def _exactly(self, size: int) -> bytes:
        pieces: list[bytes] = []
        while size:
            pieces.append(self.read(min(size, 65536)))
            size -= len(pieces[-1])
        return b"".join(pieces)

    def _chunks(self) -> Iterator[bytes]:
        while True:
            line = self._until(b"\r\n")
            size = int(line, 16)
            yield line + self._exactly(size + 2)
            if not size:
                return

    def _receive(self) -> None:
        piece = self.socket.recv(65536)
        if not piece:
            raise Gone
        self._buffer += piece
