"""Connections to an origin, direct or by a proxy, and the heads of requests on them (RFC 9112 §3)."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any

from urllib3.connection import HTTPConnection

from ._alarm import Alarm
from ._answer import Answer
from ._border import blamed_on_the_proxy
from ._errors import UsageError
from ._nested_tls import TlsWithinTls
from ._proxy import ProxyServer
from ._reach import Choose, reach
from ._source import Source
from ._tls import default_context, secured
from ._tunnel import open_tunnel
from ._url import Origin

_GATHERS = hasattr(socket.socket, "sendmsg")


class Connection(HTTPConnection):
    """In clear."""

    connect_patience: Callable[[], float]
    patience: Callable[[], float]
    _cuttable: socket.socket | None = None

    def __init__(self, origin: Origin, proxy: ProxyServer | None = None, choose: Choose | None = None) -> None:
        super().__init__(origin.host, origin.port)
        self._origin = origin
        self._proxy = proxy
        self._choose = choose
        self._authority = origin._replace(host=self.host).authority  # urllib3 takes the dot off a name's end

    def connect(self) -> None:
        """Reaches the peer, within what `connect_patience` allows. What fails on the way is closed."""
        self.sock = self._reach_origin()

    @property
    def cuttable(self) -> socket.socket | None:
        """What to shut down to wake whoever waits for the peer."""
        sock: Any = self._cuttable or self.sock
        return sock.outer if isinstance(sock, TlsWithinTls) else sock

    def begin(self, method: str, target: str, fields: list[tuple[str, str]], body: bytes = b"") -> None:
        """Sends the head of a request, and together with it a body that is small.

        Fields stand in the head as they are given, and no others but `Host`, if it is not.

        Raises:
            UsageError: something in it breaks a line, though a `Request` is checked when it is made.
        """
        lines = [" ".join((method, target, "HTTP/1.1")), *map(": ".join, fields), "", ""]
        if "host" not in {name.lower() for name, _ in fields}:
            lines.insert(1, f"Host: {self._authority}")
        head = "\r\n".join(lines).encode("latin-1")
        if len(head.splitlines()) != len(lines) - 1:
            raise UsageError("a line of the request's head is broken: make requests and headers by their constructors")
        self._send_together([head, body] if body else [head])

    def send(self, data: Any) -> None:
        """All of it, however much that is: each wait for the peer to take some is at most `patience()` seconds."""
        self._send([memoryview(data)])

    def send_chunk(self, data: bytes | memoryview) -> None:
        """All of it, as one chunk of a body (RFC 9112 §7.1); as the last, if it is empty."""
        self._send_together([b"%x\r\n" % len(data), data, b"\r\n"])

    def _send_together(self, parts: list[bytes | memoryview]) -> None:
        if len(parts) > 1 and not (_GATHERS and type(self.sock) is socket.socket):
            parts = [b"".join(parts)]  # TLS cannot gather, nor can Windows
        self._send(parts)

    def _send(self, parts: list[bytes | memoryview]) -> None:
        sock, left = self.sock, sum(map(len, parts))
        while left:
            patience = self.patience()
            if sock.gettimeout() != patience:  # to set it takes a system call
                sock.settimeout(patience)
            sent = sock.sendmsg(parts) if len(parts) > 1 else sock.send(parts[0])
            left -= sent
            while left and sent >= len(parts[0]):
                sent -= len(parts.pop(0))
            parts[0] = memoryview(parts[0])[sent:]

    def next_answer(self, method: str) -> Answer:
        """Waits for the head of the answer; each wait in it and in the body is at most `patience()` seconds."""
        return Answer(Source(self.sock, self.patience), method)

    def _time_left(self) -> float:
        seconds = self.connect_patience()
        if seconds <= 0:
            raise TimeoutError("timed out")
        return seconds

    @contextmanager
    def _abortable(self, sock: socket.socket) -> Generator[None]:
        # A handshake detaches the socket: only a second one to the same connection can cut it.
        second: socket.socket | None = None
        try:
            self._cuttable = second = sock.dup()
            yield
        except BaseException:
            sock.close()
            raise
        finally:
            self._cuttable = None
            if second is not None:
                second.close()

    def _reach(self, host: str, port: int, choose: Choose | None = None) -> socket.socket:
        with Alarm() as alarm:
            self._cuttable = alarm.cuttable
            try:
                return reach(host, port, self.socket_options or (), self._time_left, alarm, choose)
            finally:
                self._cuttable = None

    def _reach_origin(self) -> socket.socket:
        return self._reach(self._dns_host, self.port, self._choose)

    def _reach_proxy(self, proxy: ProxyServer) -> socket.socket:
        with blamed_on_the_proxy():
            return self._reach(proxy.origin.host, proxy.origin.port)

    def _greet_proxy(self, sock: socket.socket, proxy: ProxyServer) -> socket.socket:
        if proxy.origin.scheme == "http":
            return sock
        with blamed_on_the_proxy():
            tls: Any = secured(sock, proxy.origin.host, proxy.ssl_context or default_context(), self._time_left())
        return tls  # type: ignore[no-any-return]  # an SSLSocket, as `sock` is none


class ForwardedConnection(Connection):
    """To a proxy that passes requests of http on."""

    _proxy: ProxyServer

    def __init__(self, origin: Origin, proxy: ProxyServer) -> None:
        super().__init__(origin, proxy)
        self._authority = origin.authority  # RFC 9112 §3.2: the same as in the URL

    def connect(self) -> None:
        sock = self._reach_proxy(self._proxy)
        with self._abortable(sock):
            self.sock = self._greet_proxy(sock, self._proxy)

    def begin(self, method: str, target: str, fields: list[tuple[str, str]], body: bytes = b"") -> None:
        """As to an origin, but with the whole URL (RFC 9112 §3.2.2), and what the proxy wants to see."""
        if self._proxy.authorization is not None:
            fields = [*fields, ("Proxy-Authorization", self._proxy.authorization.reveal())]
        super().begin(method, "".join((str(self._origin), target)), fields, body)


class TlsConnection(Connection):
    """Over TLS, through a proxy's tunnel if there is one."""

    default_port = 443  # type: ignore[misc]  # of a class for urllib3, of an instance for typeshed

    def __init__(
        self, origin: Origin, ssl_context: SSLContext, proxy: ProxyServer | None, choose: Choose | None
    ) -> None:
        super().__init__(origin, proxy, choose)
        self._ssl_context = ssl_context

    def connect(self) -> None:
        proxy = self._proxy
        sock = self._reach_origin() if proxy is None else self._reach_proxy(proxy)
        with self._abortable(sock):
            if proxy is not None:
                sock = self._tunnelled(sock, proxy)
            tls: Any = secured(sock, self.host, self._ssl_context, self._time_left())
            self.sock = tls

    def _tunnelled(self, sock: socket.socket, proxy: ProxyServer) -> socket.socket:
        sock = self._greet_proxy(sock, proxy)
        try:
            with blamed_on_the_proxy():
                open_tunnel(sock, proxy, self._origin, self._time_left)
        except BaseException:
            sock.close()
            raise
        return sock


def connection_to(
    origin: Origin, ssl_context: Callable[[], SSLContext], proxy: ProxyServer | None, choose: Choose | None
) -> Connection:
    """A connection, not yet connected."""
    if origin.scheme == "https":
        return TlsConnection(origin, ssl_context(), proxy, choose)
    return Connection(origin, None, choose) if proxy is None else ForwardedConnection(origin, proxy)
