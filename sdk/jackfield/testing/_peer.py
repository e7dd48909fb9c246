"""One connection as the server behind it sees it, byte by byte. Of HTTP it knows only where a request ends."""

from __future__ import annotations

import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from ssl import SSLContext

    from ._scripted import ScriptedServer

Ending: TypeAlias = Literal["close", "reset", "half-close", "stall"]
GUARD = 10.0  # seconds; whoever waits that long waits in vain, and the test fails


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


class Peer:
    """One connection, as its script sees it. A script that ends keeps the connection open until the client leaves.

    Attributes:
        number: 1 for the server's first connection.
        ended: the connection is over, whoever ended it.
        is_open: whether this side has not closed it.
        socket: for what is not offered here; what `request` read ahead is gone from it.
    """

    def __init__(self, sock: socket.socket, number: int, server: ScriptedServer) -> None:
        self.number = number
        self.ended = threading.Event()
        self.socket = sock
        self._server = server
        self._buffer = b""
        self.is_open = True

    def secure(self, tls: SSLContext) -> None:
        """Does the TLS handshake."""
        wrapped = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.socket = wrapped  # first, so that a handshake that hangs can be cut
        wrapped.do_handshake()

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
        self._server.record(request)
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

    def send(self, *pieces: bytes) -> None:
        """Sends each piece by itself."""
        for piece in pieces:
            self.socket.sendall(piece)

    def drip(self, pieces: Iterable[bytes], every: float = 0.01) -> None:
        """Sends the pieces with a pause of so many seconds after each."""
        for piece in pieces:
            self.send(piece)
            if self._server.stopping.wait(every):
                raise Gone

    def wait(self, told: threading.Event) -> None:
        """Does nothing until it is told to go on."""
        self._server.hold(told)

    def hang(self, at_most: float = GUARD) -> None:
        """Says nothing until the client leaves, which it must within so many seconds."""
        if not self.client_leaves(within=at_most):
            raise AssertionError(f"the client did not leave within {at_most} s")
        raise Gone

    def client_leaves(self, *, within: float) -> bool:
        """Says nothing for so many seconds at most; whether the client left meanwhile."""
        self.socket.settimeout(within)
        try:
            while self.socket.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass  # it left by a reset
        return True

    def drain(self) -> None:
        """Reads and forgets all that comes, until the client leaves.

        Raises:
            Gone: it has.
        """
        while self.socket.recv(65536):
            pass
        raise Gone

    def settle(self) -> None:
        """Waits until all that was sent, a half close too, has reached the client's side (on Linux).

        Raises:
            Gone: it never will.
        """
        if sys.platform != "linux":
            return
        from fcntl import ioctl
        from termios import TIOCOUTQ

        closed = b"\x07"  # TCP_CLOSE, the first byte of `struct tcp_info`: it was reset, and nothing will be taken
        while struct.unpack("i", ioctl(self.socket.fileno(), TIOCOUTQ, b"\0" * 4))[0]:
            reset = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == closed
            if reset or self._server.stopping.wait(0.001):
                raise Gone

    def end(self, by: Ending) -> None:
        """Ends the connection in one of the ways there are. On the loopback what was sent has arrived by then."""
        if by == "stall":
            self.drain()
        if by == "half-close":
            self.half_close()
        elif by == "reset":
            self.reset()
        else:
            self.close()

    def half_close(self) -> None:
        """Sends no more, and still listens."""
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Ends the connection. What came and was not read makes this a reset."""
        self.is_open = False
        self.socket.close()
        self.ended.set()

    def reset(self) -> None:
        """Ends the connection the hard way: the client sees a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def serve(self) -> None:
        """Lets the server converse, and sees the client out. For the server."""
        try:
            self._server.converse(self)
            if self.is_open:
                self.drain()
        except (Gone, OSError):
            pass  # clients that leave are what many a script is about
        except Exception as error:
            self._server.errors.append(error)
        finally:
            self.close()

    def cut(self) -> None:
        """Wakes the script from whatever it waits for on the socket. For the server."""
        with suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

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


Script: TypeAlias = Callable[[Peer], None]
