"""A relay that counts the bytes it passes on, and tampers with them after so many."""

from __future__ import annotations

import socket
import threading
from collections import Counter, deque
from dataclasses import dataclass
from selectors import EVENT_READ, DefaultSelector
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from jackfield import ConfigurationError

from ._peer import GUARD, Ending, Peer
from ._scripted import ScriptedServer

Way: TypeAlias = Literal["request", "answer"]


@dataclass(frozen=True, slots=True)
class Tamper:
    """What happens to one exchange.

    Args:
        by: how the connection ends, as of `Cut`: `"half-close"` ends `way` only, and with `"stall"` nothing passes
            either way; or `"flip"`: one bit of the next byte is changed, and all goes on.
        after: bytes that pass unharmed.
        way: the direction in which they are counted.
    """

    by: Ending | Literal["flip"]
    after: int
    way: Way = "answer"

    def __post_init__(self) -> None:
        if self.after < 0:
            raise ConfigurationError(f"after must be a number of bytes, 0 or more, not {self.after}")


class Relay(ScriptedServer):
    """Stands before a server while its `with` block lasts; each exchange meets the plan's next tampering.

    An exchange begins when the client speaks after the server has, or as the first on a connection.

    Args:
        upstream: the server's URL. TLS passes through as the bytes it is.

    Attributes:
        url: what to give the client in place of the server's.
        counts: bytes passed on each way, an entry for each exchange.
        tampered: how much of the plan has come true; what stands beyond the end of its exchange does not.
    """

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        if not parts.hostname or not parts.port:
            raise ConfigurationError(f"a relay stands before a URL with a port, not {upstream!r}")
        super().__init__()
        self._address = (parts.hostname, parts.port)
        self._scheme = parts.scheme
        self._plan: deque[Tamper | None] = deque()
        self._planning = threading.Lock()
        self.counts: list[Counter[Way]] = []
        self.tampered = 0

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def plan(self, *tampering: Tamper | None) -> None:
        """Adds to the plan; None leaves an exchange alone."""
        with self._planning:
            self._plan.extend(tampering)

    def begin(self) -> tuple[Counter[Way], Tamper | None]:
        """A new exchange. For connections."""
        with self._planning:
            self.counts.append(Counter())
            return self.counts[-1], self._plan.popleft() if self._plan else None

    def tell(self) -> None:
        """A piece of the plan comes true. For connections."""
        with self._planning:
            self.tampered += 1

    def converse(self, peer: Peer) -> None:
        """One connection. For peers."""
        with socket.create_connection(self._address, GUARD) as upstream:
            upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each piece goes on at once
            _Passage(self, peer, upstream).run()


class _Passage:
    """One connection through the relay."""

    def __init__(self, relay: Relay, peer: Peer, upstream: socket.socket) -> None:
        self._relay = relay
        self._peer = peer
        self._sockets: dict[Way, tuple[socket.socket, socket.socket]] = {
            "request": (peer.socket, upstream),
            "answer": (upstream, peer.socket),
        }
        self._last: Way = "answer"
        self._counts: Counter[Way] = Counter()
        self._tamper: Tamper | None = None
        self._dropped: set[Way] = set()  # what would go on this way is not passed on

    def run(self) -> None:
        with DefaultSelector() as selector:
            for name, pair in self._sockets.items():
                selector.register(pair[0], EVENT_READ, name)
            while selector.get_map() and self._peer.is_open:
                for key, _ in selector.select():
                    way: Way = key.data
                    source, sink = self._sockets[way]
                    if piece := source.recv(65536):
                        self._take(way, piece, sink)
                    else:
                        selector.unregister(source)
                        if way == "request":
                            return  # the client has left
                        self._finish(sink)
                    if not self._peer.is_open:
                        return

    def _take(self, way: Way, piece: bytes, sink: socket.socket) -> None:
        if way == "request" and self._last == "answer":
            self._counts, self._tamper = self._relay.begin()
        self._last = way
        tamper = self._tamper
        left = tamper.after - self._counts[way] if tamper is not None and tamper.way == way else len(piece)
        if tamper is None or left >= len(piece):
            self._pass(way, piece, sink)
            return
        self._tamper = None
        self._relay.tell()
        if tamper.by == "flip":
            self._pass(way, piece[:left] + bytes([piece[left] ^ 1]) + piece[left + 1 :], sink)
        else:
            self._pass(way, piece[:left], sink)
            self._cut(tamper.by, way, sink)

    def _pass(self, way: Way, piece: bytes, sink: socket.socket) -> None:
        if way not in self._dropped:
            sink.sendall(piece)
            self._counts[way] += len(piece)

    def _cut(self, by: Ending, way: Way, sink: socket.socket) -> None:
        if by in ("close", "reset"):
            self._peer.end(by)
        elif by == "half-close":
            self._dropped.add(way)
            sink.shutdown(socket.SHUT_WR)
        else:
            self._dropped.update(self._sockets)

    def _finish(self, sink: socket.socket) -> None:
        """The server has ended its side: so does the relay, unless it plays dead."""
        if "answer" not in self._dropped:
            sink.shutdown(socket.SHUT_WR)
