"""HTTP on one connection: its requests are read, answered, delivered or broken; no thread, no command."""

import os
import re
import socket
import struct
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import BaseServer
from typing import Any, TypeAlias

from ._request import Incoming, Port
from ._wire import Answer, Delivery, header_safe

Respond: TypeAlias = Callable[[Incoming], Answer]

_FORM = "application/x-www-form-urlencoded"
_LENGTH = re.compile(r"[0-9]{1,12}")
_LONGEST_BODY = 4 * 1024 * 1024  # bytes; userdata may have 1 MiB, and triples when encoded
_TLS = b"\x16"  # the first byte of a client that took the end point for https
_RESET = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # SO_LINGER: on, 0 s


class Refused(Exception):
    """The HTTP around a request is wrong: a status and a reason phrase."""


class Handler(BaseHTTPRequestHandler):
    """The requests of one connection, one after the other; it logs nothing."""

    protocol_version = "HTTP/1.1"
    server_version = "CloudStackEmulator"
    sys_version = ""
    default_request_version = "HTTP/1.0"  # a line that names none is answered with a status line, too
    wbufsize = 65536  # so that head and body leave in one piece
    disable_nagle_algorithm = True

    def __init__(self, respond: Respond, port: Port, connection: socket.socket, server: BaseServer) -> None:
        self._respond = respond
        self._port: Port = port
        self.reset = False
        super().__init__(connection, ("127.0.0.1", 0), server)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what came in can be read from the emulator, and what went out is the client's to judge."""

    def handle_expect_100(self) -> bool:
        expected = super().handle_expect_100()
        self.wfile.flush()
        return expected

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

    def do_GET(self) -> None:
        try:
            body = self._body()
        except Refused as error:
            self.send_error(*error.args)
            return
        form = self.command == "POST" and self.headers.get_content_type() == _FORM
        incoming = Incoming(
            method=self.command,
            target=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            form=body if form else b"",
            port=self._port,
        )
        self._deliver(self._respond(incoming))

    do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET

    def _body(self) -> bytes:
        """The whole body, whatever the method."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers:
            raise Refused(411, "Length Required")
        if not _LENGTH.fullmatch(length):
            raise Refused(400, "Bad Content-Length")
        if int(length) > _LONGEST_BODY:
            raise Refused(413, "Content Too Large")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise Refused(400, "Body cut short")
        return body

    def _deliver(self, answer: Answer) -> None:
        if answer.delivery is not Delivery.WHOLE:
            self.close_connection = True
        if answer.delivery is Delivery.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.reset = True
        if answer.status:
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        missing = 1000 if answer.delivery is Delivery.TRUNCATED else 0
        self.send_response(answer.status, None if answer.reason is None else header_safe(answer.reason))
        self.send_header("Content-Type", answer.content_type)
        if answer.delivery is not Delivery.UNTIL_CLOSE:
            self.send_header("Content-Length", str(len(answer.body) + missing))
        for name, value in (*answer.headers.items(), *(("Set-Cookie", cookie) for cookie in answer.cookies)):
            self.send_header(name, value)
        if self.close_connection and not missing:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
