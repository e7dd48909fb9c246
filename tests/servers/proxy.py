"""A proxy that makes tunnels, as a script for a `ScriptedServer`."""

from __future__ import annotations

import select
import socket
import ssl

from jackfield.testing._peer import Gone, Peer, Script

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def tunnelling(to: int, answer: bytes = ESTABLISHED, at_most: int | None = None) -> Script:
    """Answers CONNECT, and then passes bytes between the client and a port of the loopback.

    Args:
        to: the port, whatever the client asked for.
        answer: to CONNECT.
        at_most: bytes from the port that are passed on; then the tunnel is cut.
    """

    def script(peer: Peer) -> None:
        peer.request()
        with socket.create_connection(("127.0.0.1", to)) as origin:
            origin.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each piece goes on at once
            peer.send(answer)
            passed = 0
            while True:
                if _readable(peer, origin):
                    origin.sendall(peer.read(65536))
                    continue
                piece = origin.recv(65536)
                if at_most is not None and passed + len(piece) >= at_most:
                    peer.send(piece[: at_most - passed])
                    piece = b""
                if not piece:
                    peer.close()
                    raise Gone
                peer.send(piece)
                passed += len(piece)

    return script


def _readable(peer: Peer, origin: socket.socket) -> bool:
    """Waits until either side has something to say; whether it is the client."""
    client = peer.socket
    if isinstance(client, ssl.SSLSocket) and client.pending():
        return True
    return client in select.select([client, origin], [], [])[0]
