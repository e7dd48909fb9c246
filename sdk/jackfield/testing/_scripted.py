"""A server on a real socket that does what a script says, connection by connection."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from jackfield import UsageError

from ._peer import GUARD, Peer, Script
from ._received import Gone, ReceivedRequest

if TYPE_CHECKING:
    from ssl import SSLContext


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
        if self._acceptor.ident is None:
            raise UsageError("nobody listens there yet: `with FaultServer(...) as server:`")
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

    def converse(self, peer: Peer) -> None:
        """The whole of one connection. For peers."""
        if self._tls is not None:
            peer.secure(self._tls)
        self._scripts[min(peer.number, len(self._scripts)) - 1](peer)

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
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each piece arrives by itself
            peer = Peer(accepted, len(self.peers) + 1, self)
            with self._changed:
                self.peers.append(peer)
                self._changed.notify_all()
            thread = threading.Thread(target=peer.serve, name=f"scripted-{self.port}-{peer.number}", daemon=True)
            self._threads.append(thread)
            thread.start()
