"""HTTP on one connection: its requests are read, answered, delivered or broken; no thread, no route."""

import socket
from collections.abc import Callable
from typing import TypeAlias

from jackfield_services._loopback import LoopbackHandler, LoopbackServer

from ._body import Body, BrokenBody
from ._request import Incoming
from ._wire import Answer, Delivery

Respond: TypeAlias = Callable[[Incoming], Answer]


class Handler(LoopbackHandler):
    """The requests of one connection to a service."""

    def __init__(
        self, respond: Respond, now: Callable[[], float], connection: socket.socket, server: LoopbackServer
    ) -> None:
        self._respond = respond
        self._now = now
        super().__init__(connection, server)

    def respond(self) -> None:
        try:
            body = Body.of(self.headers, self.rfile)
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = self._respond(Incoming(self.command, self.path, headers, body))
        except BrokenBody as error:
            self.send_error(*error.args)
            return
        if not body.finish() or answer.delivery is not Delivery.WHOLE:
            self.close_connection = True
        self._deliver(answer)

    def _deliver(self, answer: Answer) -> None:
        if answer.delivery is Delivery.RESET:
            self.reset()
        if answer.delivery in (Delivery.WHOLE, Delivery.TRUNCATED):
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        self.send_header("Date", self.date_time_string(self._now()))
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
