"""HTTP on one connection: its requests are read, answered, delivered or broken; no thread, no command."""

import re
import socket
from collections.abc import Callable
from typing import TypeAlias

from jackfield_services._loopback import LoopbackHandler, LoopbackServer

from ._request import Incoming, Port
from ._wire import Answer, Delivery, header_safe

Respond: TypeAlias = Callable[[Incoming], Answer]

_FORM = "application/x-www-form-urlencoded"
_LENGTH = re.compile(r"[0-9]{1,12}")
_LONGEST_BODY = 4 * 1024 * 1024  # bytes; userdata may have 1 MiB, and triples when encoded


class Refused(Exception):
    """The HTTP around a request is wrong: a status and a reason phrase."""


class Handler(LoopbackHandler):
    """The requests of one connection to one of the server's ports."""

    server_version = "CloudStackEmulator"
    sys_version = ""

    def __init__(self, respond: Respond, port: Port, connection: socket.socket, server: LoopbackServer) -> None:
        self._respond = respond
        self._port: Port = port
        super().__init__(connection, server)

    def respond(self) -> None:
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
            self.reset()
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
