"""HTTP on one connection: its requests are read, answered, delivered or broken; no thread, no route."""

import os
import socket
import struct
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import BaseServer
from typing import Any, TypeAlias

from ._body import Body, BrokenBody
from ._request import Incoming
from ._wire import Answer, Delivery

Respond: TypeAlias = Callable[[Incoming], Answer]

_RESET = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # SO_LINGER: on, 0 s


class Handler(BaseHTTPRequestHandler):
    """The requests of one connection, one after the other; it logs nothing."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # a line that names none is answered with a status line, too
    wbufsize = 65536  # so that head and body leave in one piece
    disable_nagle_algorithm = True

    def __init__(self, respond: Respond, connection: socket.socket, server: BaseServer) -> None:
        self._respond = respond
        self.reset = False
        super().__init__(connection, ("127.0.0.1", 0), server)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what came in can be read from the emulator, and what went out is the client's to judge."""

    def handle_expect_100(self) -> bool:
        expected = super().handle_expect_100()
        self.wfile.flush()
        return expected

    def do_GET(self) -> None:
        try:
            body = Body.of(self.headers, self.rfile)
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = self._respond(Incoming(self.command, self.path, headers, body))
        except BrokenBody as error:
            self.send_error(*error.args)
            self.close_connection = True
            return
        if not body.finish() or answer.delivery is not Delivery.WHOLE:
            self.close_connection = True
        self._deliver(answer)

    do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET

    def _deliver(self, answer: Answer) -> None:
        if answer.delivery is Delivery.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.reset = True
        if answer.delivery in (Delivery.WHOLE, Delivery.TRUNCATED):
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        self.send_header("Date", self.date_time_string())
        for name, value in answer.headers:
            self.send_header(name, value)
        if isinstance(answer.body, bytes):
            self.send_header("content-length", str(len(answer.body)))
        else:
            self.send_header("transfer-encoding", "chunked")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self._write(answer)

    def _write(self, answer: Answer) -> None:
        truncated = answer.delivery is Delivery.TRUNCATED
        if isinstance(answer.body, bytes):
            self.wfile.write(answer.body[: len(answer.body) // 2] if truncated else answer.body)
            return
        for piece in filter(None, answer.body):  # an empty chunk would be the end
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            if truncated:
                return
        self.wfile.write(b"0\r\n\r\n")
