"""How a proxy is asked for a tunnel (RFC 9110 §9.3.6), and what it means when there is none."""

from __future__ import annotations

import socket
from collections.abc import Callable

from ._errors import ConnectionLostError, ProtocolError, ProxyError
from ._head import read_head
from ._proxy import ProxyServer
from ._source import Source
from ._url import Origin


def open_tunnel(sock: socket.socket, server: ProxyServer, origin: Origin, time_left: Callable[[], float]) -> None:
    """Has the proxy connect this socket to the origin.

    Raises:
        ProxyError: it will not, or speaks in riddles.
        OSError: the connection to the proxy failed.
    """
    host = f"[{origin.host}]" if ":" in origin.host else origin.host.rstrip(".")
    place = f"{host}:{origin.port}"
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if server.authorization is not None:
        lines.append(f"Proxy-Authorization: {server.authorization.reveal()}")
    sock.settimeout(time_left())
    sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
    source = Source(sock, time_left)
    try:
        status = read_head(source, "HEAD").status  # RFC 9110 §9.3.6: whatever length it tells, no body follows
    except (ConnectionLostError, ProtocolError) as error:
        raise refused(f"the proxy gave no answer to CONNECT: {error.message}", permanent=error.permanent) from None
    if not 200 <= status < 300:
        raise refused(f"the proxy answered {status} to CONNECT", permanent=400 <= status < 500)
    if source.holds_more():  # no server of TLS speaks first
        raise refused("the proxy sent bytes of its own into the tunnel", permanent=True)


def refused(message: str, *, permanent: bool) -> ProxyError:
    """The error; if `permanent`, trying again is no use."""
    error = ProxyError(message)
    error.permanent = permanent
    return error
