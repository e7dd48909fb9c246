"""One connection as the server behind it sees it: what to send, when to wait, and how to end."""

from __future__ import annotations

import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, TypeAlias

from ._received import Gone, ReceivedRequest, Receiver

if TYPE_CHECKING:
    from ssl import SSLContext

    from ._scripted import ScriptedServer

__all__ = ["GUARD", "Ending", "Gone", "Peer", "ReceivedRequest", "Script"]

Ending: TypeAlias = Literal["close", "reset", "half-close", "stall"]
GUARD = 10.0  # seconds; whoever waits that long waits in vain, and the test fails


class Peer(Receiver):
    """One connection, as its script sees it. A script that ends keeps the connection open until the client leaves.

    Attributes:
        ended: the connection is over, whoever ended it.
        is_open: whether this side has not closed it.
    """

    def __init__(self, sock: socket.socket, number: int, server: ScriptedServer) -> None:
        super().__init__(sock, number, server.record)
        self.ended = threading.Event()
        self.is_open = True
        self._server = server

    def secure(self, tls: SSLContext) -> None:
        """Does the TLS handshake."""
        wrapped = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.socket = wrapped  # first, so that a handshake that hangs can be cut
        wrapped.do_handshake()

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


Script: TypeAlias = Callable[[Peer], None]
