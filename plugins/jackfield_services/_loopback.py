"""The server under every emulator: sockets, threads and HTTP's outside. The standard library alone, and no service."""

from __future__ import annotations

import os
import selectors
import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any

_GOODBYE = 1.0  # seconds to wait for what a client still sends to a connection that is being closed
_RESET = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # SO_LINGER: on, 0 s
_TLS = b"\x16"  # the first byte of a client that took the server for https


class LoopbackServer(socketserver.TCPServer):
    """A thread that accepts on a free port of loopback, and a thread for every connection.

    Args:
        name: of the threads.
        handle: handles the requests of a connection, one after the other.
        port: another than a free one; OSError where it is taken.

    Attributes:
        url: where it is.
        accepted: how many connections there were.
    """

    request_queue_size = 1024  # as many clients may come at once

    allow_reuse_address = os.name != "nt"  # connections that have ended do not keep a port

    def __init__(
        self, name: str, handle: Callable[[socket.socket, LoopbackServer], LoopbackHandler], port: int = 0
    ) -> None:
        super().__init__(("127.0.0.1", port), socketserver.BaseRequestHandler)
        self.socket.setblocking(False)  # a client that left between select and accept must not hang it
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.accepted = 0
        self._name = name
        self._handle = handle
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._waker, self._woken = socket.socketpair()
        self._acceptor = threading.Thread(target=self._accept, name=name, daemon=True)
        self._acceptor.start()

    def refuse(self, spared: socket.socket | None = None) -> None:
        """Accept no more, and cut every connection but one: its thread may call this, as any other may."""
        self._waker.close()
        self._acceptor.join()
        self.server_close()
        with self._guard:
            for connection in self._open - {spared}:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def stop(self) -> int:
        """Accept no more, cut every connection, wait for every thread; gives the number of connections."""
        self.refuse()
        self._woken.close()
        for thread in self._threads:
            thread.join()
        return self.accepted

    def _accept(self) -> None:
        """`BaseServer.serve_forever` asks twice a second whether to go on; this one is told.

        Who was in line by then is accepted, to see an end and no reset.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            stopping = False
            while not stopping:
                stopping = any(key.fileobj is self._woken for key, _ in selector.select())
                with suppress(OSError):  # nobody is left in line, or the client was gone before it was accepted
                    while True:
                        self._admit(self.socket.accept()[0])

    def _admit(self, connection: socket.socket) -> None:
        connection.settimeout(None)
        thread = threading.Thread(target=self._serve, args=(connection,), name=self._name, daemon=True)
        with self._guard:
            self._open.add(connection)
        self._threads = [old for old in self._threads if old.is_alive()]
        self._threads.append(thread)
        self.accepted += 1
        thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if not self._handle(connection, self).was_reset:
                _linger(connection)
        except OSError:
            pass  # the client went away
        finally:
            with self._guard:  # `stop` must not shut down a descriptor that has become another's
                self._open.remove(connection)
                connection.close()


class LoopbackHandler(BaseHTTPRequestHandler):
    """The requests of one connection, one after the other, handled by the time it is made; it logs nothing."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # a line that names none is answered with a status line, too
    wbufsize = 65536  # so that head and body leave in one piece
    disable_nagle_algorithm = True

    def __init__(self, connection: socket.socket, server: LoopbackServer) -> None:
        self.was_reset = False
        super().__init__(connection, ("127.0.0.1", 0), server)

    def respond(self) -> None:
        """Reads the rest of a request, whatever its method, and answers it."""
        raise NotImplementedError

    def reset(self) -> None:
        """This request is the last: the connection will be broken off instead of closed."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.was_reset = self.close_connection = True

    def do_GET(self) -> None:
        self.respond()

    do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET

    def handle(self) -> None:
        if self.connection.recv(1, socket.MSG_PEEK) == _TLS:
            self.raw_requestline = b"TLS"  # no line will ever end it: it is answered as the line it is not
            self.parse_request()
        else:
            super().handle()

    def parse_request(self) -> bool:
        """RFC 9112, 2.2: empty lines before the request line are skipped; so are blank ones."""
        while self.raw_requestline and not self.raw_requestline.decode("latin-1").split():
            self.raw_requestline = self.rfile.readline(65537)
        return super().parse_request()

    def handle_expect_100(self) -> bool:
        expected = super().handle_expect_100()
        self.wfile.flush()
        return expected

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what came in can be read from the emulator, and what went out is the client's to judge."""


def _linger(connection: socket.socket) -> None:
    """Say goodbye, then read on: to close over unread bytes would reset the answer away from the client."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(_GOODBYE)
        while connection.recv(65536):
            pass
