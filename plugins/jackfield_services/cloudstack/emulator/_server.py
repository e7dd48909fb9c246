"""The server's threads and connections: accept, hand each to a handler, and stop leaving nothing."""

import selectors
import socket
import socketserver
import threading
from contextlib import suppress

from ._handler import Handler, Respond
from ._request import Port

_THREADS = "cloudstack-emulator"
_GOODBYE = 1.0  # seconds to wait for what a client still sends to a connection that is being closed


class Server(socketserver.TCPServer):
    """A thread that accepts on a free port of loopback, and a thread for every connection."""

    request_queue_size = 1024  # as many clients may come at once

    def __init__(self, respond: Respond, port: Port) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self.socket.setblocking(False)  # a client that left between select and accept must not hang it
        self.number: int = self.server_address[1]
        self._port: Port = port
        self.accepted = 0
        self._respond = respond
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._waker, self._woken = socket.socketpair()
        self._acceptor = threading.Thread(target=self._accept, name=_THREADS, daemon=True)
        self._acceptor.start()

    def stop(self) -> int:
        """Accept no more, cut every connection, wait for every thread; gives the number of connections."""
        self._waker.close()
        self._acceptor.join()
        self.server_close()
        self._woken.close()
        with self._guard:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        return self.accepted

    def _accept(self) -> None:
        """`BaseServer.serve_forever` asks twice a second whether to go on; this one is told."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while all(key.fileobj is not self._woken for key, _ in selector.select()):
                with suppress(OSError):  # the client was gone before it was accepted
                    self._admit(self.socket.accept()[0])

    def _admit(self, connection: socket.socket) -> None:
        connection.settimeout(None)
        thread = threading.Thread(target=self._serve, args=(connection,), name=_THREADS, daemon=True)
        with self._guard:
            self._open.add(connection)
        self._threads = [old for old in self._threads if old.is_alive()]
        self._threads.append(thread)
        self.accepted += 1
        thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            handler = Handler(self._respond, self._port, connection, self)
            if not handler.reset:
                _linger(connection)
        except OSError:
            pass  # the client went away
        finally:
            with self._guard:  # `stop` must not shut down a descriptor that has become another's
                self._open.remove(connection)
                connection.close()


def _linger(connection: socket.socket) -> None:
    """Say goodbye, then read on: to close over unread bytes would reset the answer away from the client."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(_GOODBYE)
        while connection.recv(65536):
            pass
