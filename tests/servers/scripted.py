"""A server that does what a script says, byte by byte. Of HTTP it knows only where a request ends."""

from __future__ import annotations

import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from ssl import SSLContext
from types import TracebackType
from typing import NamedTuple, Protocol, Self, TypeAlias

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
    """

    def __init__(self, sock: socket.socket, number: int, server: ScriptedServer) -> None:
        self.number = number
        self.ended = threading.Event()
        self._socket = sock
        self._server = server
        self._buffer = b""
        self._is_open = True

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
        piece = self._buffer[:at_most] or self._socket.recv(at_most)
        self._buffer = self._buffer[len(piece) :]
        if not piece:
            raise Gone
        return piece

    def send(self, *pieces: bytes) -> None:
        """Sends each piece by itself."""
        for piece in pieces:
            self._socket.sendall(piece)

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
        self._socket.settimeout(within)
        try:
            while self._socket.recv(65536):
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
        while self._socket.recv(65536):
            pass
        raise Gone

    def settle(self) -> None:
        """Waits until all that was sent, a half close too, has reached the client's side (on Linux)."""
        if sys.platform != "linux":
            return
        from fcntl import ioctl
        from termios import TIOCOUTQ

        closed = b"\x07"  # TCP_CLOSE, the first byte of `struct tcp_info`: it was reset, and nothing will be taken
        while struct.unpack("i", ioctl(self._socket.fileno(), TIOCOUTQ, b"\0" * 4))[0]:
            reset = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == closed
            if reset or self._server.stopping.wait(0.001):
                raise Gone

    def half_close(self) -> None:
        """Sends no more, and still listens."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Ends the connection. What came and was not read makes this a reset."""
        self._is_open = False
        self._socket.close()
        self.ended.set()

    def reset(self) -> None:
        """Ends the connection the hard way: the client sees a reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def serve(self, script: Script, tls: SSLContext | None) -> None:
        """Runs the script, and sees the client out. For the server."""
        try:
            if tls is not None:
                wrapped = tls.wrap_socket(self._socket, server_side=True, do_handshake_on_connect=False)
                self._socket = wrapped  # first, so that a handshake that hangs can be cut
                wrapped.do_handshake()
            script(self)
            if self._is_open:
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
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

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
        piece = self._socket.recv(65536)
        if not piece:
            raise Gone
        self._buffer += piece


Script: TypeAlias = Callable[[Peer], None]


class ScriptedServer:
    """Listens on a free port of the loopback. The n-th connection gets the n-th script, the last for all beyond.

    Attributes:
        peers: every connection so far.
        requests: every request that was read to its end, in the order of their ends.
        errors: what scripts raised by mistake; leaving the `with` block raises the first of them.
        stopping: set when it is time to go.
    """

    def __init__(self, *scripts: Script, host: str = "127.0.0.1", tls: SSLContext | None = None) -> None:
        self.peers: list[Peer] = []
        self.requests: list[ReceivedRequest] = []
        self.errors: list[Exception] = []
        self.stopping = threading.Event()
        self._scripts = scripts
        self._tls = tls
        self._host = host
        self._held: list[threading.Event] = []
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(
            (host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=256
        )
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name=f"scripted-{self.port}", daemon=True)

    @property
    def url(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'http' if self._tls is None else 'https'}://{host}:{self.port}"

    @property
    def connections(self) -> int:
        """How many there have been."""
        return len(self.peers)

    def peer(self, number: int) -> Peer:
        """The connection of that number; blocks until there is one."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.peers) >= number, GUARD):
                raise AssertionError(f"{len(self.peers)} connections came, not {number}")
        return self.peers[number - 1]

    def wait_for_requests(self, count: int) -> None:
        """Blocks until so many have been read to their end."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.requests) >= count, GUARD):
                raise AssertionError(f"{len(self.requests)} requests came, not {count}")

    def record(self, request: ReceivedRequest) -> None:
        """Remembers a request. For peers."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()

    def hold(self, told: threading.Event) -> None:
        """Blocks until the event is set or the server stops. For peers."""
        self._held.append(told)
        if not self.stopping.is_set() and not told.wait(GUARD):
            raise AssertionError("a script was never told to go on")
        if self.stopping.is_set():
            raise Gone

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        for event in self._held:
            event.set()
        with suppress(OSError):
            socket.create_connection(self._listener.getsockname()[:2], timeout=GUARD).close()  # wakes `accept`
        self._acceptor.join(GUARD)
        self._listener.close()
        for peer in self.peers:
            peer.cut()
        for thread in self._threads:
            thread.join(GUARD)
        alive = [thread.name for thread in (self._acceptor, *self._threads) if thread.is_alive()]
        if error is None and (self.errors or alive):
            raise AssertionError(f"a script went wrong, or did not end: {alive}") from next(iter(self.errors), None)

    def _accept(self) -> None:
        while True:
            accepted, _ = self._listener.accept()
            if self.stopping.is_set():
                accepted.close()
                return
            peer = Peer(accepted, len(self.peers) + 1, self)
            script = self._scripts[min(peer.number, len(self._scripts)) - 1]
            with self._changed:
                self.peers.append(peer)
                self._changed.notify_all()
            thread = threading.Thread(
                target=peer.serve, args=(script, self._tls), name=f"scripted-{self.port}-{peer.number}", daemon=True
            )
            self._threads.append(thread)
            thread.start()


class Serve(Protocol):
    """Starts a server that the test's end stops."""

    def __call__(self, *scripts: Script, host: str = "127.0.0.1", tls: SSLContext | None = None) -> ScriptedServer: ...
