"""urllib3's connections, with our own reading of what comes back."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable
from ssl import SSLContext, SSLSocket

from urllib3.connection import HTTPConnection, HTTPSConnection

from ._answer import Answer
from ._source import Source
from ._url import Origin


class Connection(HTTPConnection):
    """In clear. `next_answer` takes the place of `getresponse`, which would make urllib3's own response, and log."""

    connect_patience: Callable[[], float]
    _patience: Callable[[], float]

    def _new_conn(self) -> socket.socket:
        # As urllib3's, but each address gets what is left, not the whole time again.
        failure = OSError("the name has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(
            self._dns_host, self.port, type=socket.SOCK_STREAM
        ):
            sock = socket.socket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(self.connect_patience())
                sock.connect(address)
                return sock
            except OSError as error:
                sock.close()
                failure = error
            except BaseException:
                sock.close()
                raise
        raise failure

    @property
    def cuttable(self) -> socket.socket | None:
        """What to shut down to wake whoever waits for the peer."""
        return self.sock

    def next_answer(self, patience: Callable[[], float]) -> Answer:
        """Waits for the head of the answer; each wait in it and in the body is at most `patience()` seconds."""
        self._patience = patience
        answer: object = http.client.HTTPConnection.getresponse(self)
        assert isinstance(answer, Answer)
        return answer

    def response_class(self, sock: socket.socket, *, method: str) -> Answer:  # type: ignore[override]  # called as a class is
        return Answer(Source(sock, self._patience), method)


class TlsConnection(Connection, HTTPSConnection):  # pyright: ignore[reportIncompatibleVariableOverride]  # as above
    """Over TLS."""

    _handshaking: socket.socket | None = None

    @property
    def cuttable(self) -> socket.socket | None:
        return self._handshaking or self.sock

    def _new_conn(self) -> socket.socket:
        # A handshake detaches the socket: only a second one to the same connection can cut it.
        sock = super()._new_conn()
        self._handshaking = sock.dup()
        return sock

    def connect(self) -> None:
        try:
            super().connect()
        finally:
            handshaking, self._handshaking = self._handshaking, None
            if handshaking is not None:
                handshaking.close()
        if isinstance(self.sock, SSLSocket):
            # An end without TLS's farewell may be a cut.
            self.sock.suppress_ragged_eofs = False  # type: ignore[attr-defined]  # typeshed does not know it


def connection_to(origin: Origin, ssl_context: Callable[[], SSLContext]) -> Connection:
    """A connection, not yet connected."""
    if origin.scheme == "http":
        return Connection(origin.host, origin.port)
    return TlsConnection(origin.host, origin.port, ssl_context=ssl_context())
