"""A request on its way out: its head, its body piece by piece, and an eye on a peer who may answer before the end."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import closing
from itertools import chain, islice
from ssl import SSLEOFError, SSLSocket

from urllib3.util.wait import wait_for_read

from ._body import Reading, StreamBody
from ._call import Call
from ._connection import Connection
from ._messages import Request
from ._wire import wire_fields

_SMALL = 64 * 1024  # bytes that are sent at once
_PIECE = 256 * 1024
_LOOK = 1024 * 1024  # bytes between two looks at what the peer says meanwhile


class Sending:
    """One request, sent once. Blocking; may be aborted from another thread, which has to cut the socket as well.

    Raises:
        UsageError: its headers do not fit its body.
    """

    def __init__(self, request: Request, call: Call) -> None:
        self._request = request
        self._fields = wire_fields(request)
        self._call = call
        self._body: Reading | None = None
        self._aborted = False

    def run(self, connection: Connection) -> bool:
        """Sends it; whether all of it, as a peer that answered before the end has not taken the rest.

        Raises:
            UsageError: the body cannot be produced.
        """
        body = self._request.body
        if isinstance(body, bytes) and len(body) <= _SMALL:
            return self._send(connection, body)
        stream = StreamBody(lambda: [body]) if isinstance(body, bytes) else body
        try:
            with closing(iter(stream)) as reading:
                self._body = reading
                if self._aborted:  # before there was something to wake
                    reading.abort()
                begun = list(islice(reading, 1))  # what cannot be produced is not begun to be sent
                return self._send(connection, b"", chain(begun, reading))
        finally:
            self._body = None  # whoever aborts from here on means the answer

    def abort(self) -> None:
        """Wakes whoever waits for a piece of the body."""
        self._aborted = True
        if (body := self._body) is not None:
            body.abort()

    def _send(self, connection: Connection, whole: bytes, pieces: Iterable[bytes] | None = None) -> bool:
        self._call.unanswered = True
        try:
            connection.begin(self._request.method, self._request.target, self._fields, whole)
            return pieces is None or self._send_body(connection, pieces)
        except (BrokenPipeError, ConnectionResetError, SSLEOFError):
            return False  # the peer may have answered before it had read all, and then closed
        except TimeoutError:
            if self._call.remaining() > 0 and wait_for_read(connection.sock, timeout=0):
                return False  # it neither reads nor closes, but it speaks
            raise

    def _send_body(self, connection: Connection, pieces: Iterable[bytes]) -> bool:
        chunked = ("transfer-encoding", "chunked") in self._fields
        send, unseen = connection.send_chunk if chunked else connection.send, 0
        for piece in pieces:
            for part in _parts(piece):
                if unseen >= _LOOK:
                    unseen = 0
                    if _refuses(connection.sock):
                        return False
                send(part)
                unseen += len(part)
        if chunked:
            connection.send_chunk(b"")
        return True


def _parts(piece: bytes) -> Iterable[bytes | memoryview]:
    if len(piece) <= _PIECE:
        return (piece,)
    whole = memoryview(piece)
    return (whole[start : start + _PIECE] for start in range(0, len(piece), _PIECE))


def _refuses(sock: socket.socket) -> bool:
    """Whether the peer has answered, and does not want the rest."""
    # RFC 9112 §9.5: a client should look for an error while it sends, and then stop. A success may want the rest.
    if not isinstance(sock, socket.socket) or isinstance(sock, SSLSocket) or not wait_for_read(sock, timeout=0):
        return False  # under TLS nobody knows what arrived before it is read
    return sock.recv(12, socket.MSG_PEEK)[9:] >= b"300"  # of "HTTP/1.1 413"
