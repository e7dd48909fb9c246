"""A request on its way out: its head, its body piece by piece, and an eye on a peer who may answer before the end."""

from __future__ import annotations

import socket
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from itertools import chain
from ssl import SSLEOFError, SSLSocket
from typing import Any, cast

from urllib3.util.wait import wait_for_read

from ._body import Reading, StreamBody
from ._call import Call
from ._connection import Connection
from ._messages import Request

_SMALL = 64 * 1024  # bytes that are sent at once
_PIECE = 256 * 1024
_LOOK = 1024 * 1024  # bytes between two looks at what the peer says meanwhile


class Sending:
    """One request, sent once. Blocking; may be aborted from another thread, which has to cut the socket as well.

    Args:
        headers: as urllib3 takes them.
    """

    def __init__(self, request: Request, headers: Mapping[str, str], call: Call) -> None:
        self._request = request
        self._headers = headers
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
            return self._send(connection, body or None)
        stream = StreamBody(lambda: [body]) if isinstance(body, bytes) else body
        try:
            with closing(iter(stream)) as reading:
                self._body = reading
                if self._aborted:  # before there was something to wake
                    reading.abort()
                pieces = self._timed(reading, connection.sock)
                first = next(pieces, b"")  # what cannot be produced is not begun to be sent
                return self._send(connection, chain((first,), pieces))
        finally:
            self._body = None  # whoever aborts from here on means the answer

    def abort(self) -> None:
        """Wakes whoever waits for a piece of the body."""
        self._aborted = True
        if (body := self._body) is not None:
            body.abort()

    def _send(self, connection: Connection, body: bytes | Iterable[Any] | None) -> bool:
        request, taken = self._request, cast("bytes | Iterable[bytes] | None", body)  # any buffer will do
        connection.timeout = self._patience()
        self._call.unanswered = True
        try:
            connection.request(request.method, request.target, taken, self._headers)
        except _Refused:
            return False
        except (BrokenPipeError, ConnectionResetError, SSLEOFError):
            return False  # the peer may have answered before it had read all, and then closed
        except TimeoutError:
            if self._call.remaining() > 0 and wait_for_read(connection.sock, timeout=0):
                return False  # it neither reads nor closes, but it speaks
            raise
        return True

    def _patience(self) -> float:
        return self._call.limit(self._call.options.read_timeout)

    def _timed(self, pieces: Iterable[bytes], sock: socket.socket) -> Generator[bytes | memoryview]:
        unseen = 0
        for piece in pieces:
            for part in _parts(piece):
                if unseen >= _LOOK:
                    unseen = 0
                    if _refuses(sock):
                        raise _Refused
                sock.settimeout(self._patience())
                yield part
                unseen += len(part)


def _parts(piece: bytes) -> Iterable[bytes | memoryview]:
    if len(piece) <= _PIECE:
        return (piece,)
    whole = memoryview(piece)
    return (whole[start : start + _PIECE] for start in range(0, len(piece), _PIECE))


class _Refused(Exception):
    """The peer has answered, and does not want the rest."""


def _refuses(sock: socket.socket) -> bool:
    # RFC 9112 §9.5: a client should look for an error while it sends, and then stop. A success may want the rest.
    if not isinstance(sock, socket.socket) or isinstance(sock, SSLSocket) or not wait_for_read(sock, timeout=0):
        return False  # under TLS nobody knows what arrived before it is read
    return sock.recv(12, socket.MSG_PEEK)[9:] >= b"300"  # of "HTTP/1.1 413"
