"""A service's threads and connections: accept, hand each to a handler, and stop leaving nothing; no HTTP."""

import socket
import socketserver
import threading
from contextlib import suppress

from ._handler import Handler, Respond

_THREADS = "flame-hub-emulator"
_GOODBYE = 1.0  # seconds to wait for what a client still sends to a connection that is being closed
_BACKLOG = 1024  # as many clients may come at once


class Server(socketserver.BaseServer):
    """A thread that accepts on a free port of loopback, and a thread for every connection."""

    def __init__(self, respond: Respond) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._respond = respond
        self._stopping = False
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.accepted = 0
        self._acceptor = threading.Thread(target=self._accept, name=_THREADS, daemon=True)
        self._acceptor.start()

    def stop(self) -> int:
        """Accept no more, cut every connection, wait for every thread; gives the number of connections."""
        self._stopping = True
        with suppress(OSError):  # one of those that wait in line has ended it already
            socket.create_connection(self._listener.getsockname()).close()
        self._acceptor.join()
        self._listener.close()
        with self._guard:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        return self.accepted

    def _accept(self) -> None:
        while True:
            with suppress(OSError):  # the client was gone before it was accepted
                connection, _ = self._listener.accept()
                if self._stopping:
                    connection.close()
                    return
                self._admit(connection)

    def _admit(self, connection: socket.socket) -> None:
        thread = threading.Thread(target=self._serve, args=(connection,), name=_THREADS, daemon=True)
        with self._guard:
            self._open.add(connection)
        self._threads = [old for old in self._threads if old.is_alive()]
        self._threads.append(thread)
        self.accepted += 1
        thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            handler = Handler(self._respond, connection, self)
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
