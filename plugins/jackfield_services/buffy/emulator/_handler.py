"""HTTP on one connection: its requests are read, answered, delivered or broken; no route."""

import socket

from jackfield_services._loopback import LoopbackHandler, LoopbackServer

from ._request import Incoming, read_body
from ._service import Service
from ._wire import Answer, Delivery


class Handler(LoopbackHandler):
    """The requests of one connection."""

    def __init__(self, service: Service, connection: socket.socket, server: LoopbackServer) -> None:
        self._service = service
        self._loopback = server
        self._was_told_to_close = False
        super().__init__(connection, server)

    def respond(self) -> None:
        self._was_told_to_close = self.close_connection
        try:
            body = read_body(self.headers, self.rfile)
        except ValueError:
            self.send_error(400, "Invalid HTTP request received.")
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self._service.respond(Incoming(self.command, self.path, headers, body))
        if self._service.died:  # who reads this answer finds nobody to connect to
            self._loopback.refuse(spared=self.connection)
            self.close_connection = True
        self._deliver(answer)

    def _deliver(self, answer: Answer) -> None:
        if answer.delivery is not Delivery.WHOLE or self._service.closes_after(answer):
            self.close_connection = True
        if answer.delivery is Delivery.RESET:
            self.reset()
        elif answer.delivery is not Delivery.CLOSE:
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        self.send_header("date", self._service.date)
        self.send_header("server", "uvicorn")
        if answer.length is not None and answer.status != 204:
            self.send_header("content-length", str(answer.length))
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.length is None:
            self.send_header("transfer-encoding", "chunked")
        if self._was_told_to_close:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self._write(answer)

    def _write(self, answer: Answer) -> None:
        whole = answer.delivery is Delivery.WHOLE
        body = answer.body[: len(answer.body) // 2] if answer.delivery is Delivery.TRUNCATED else answer.body
        if answer.length is not None:
            self.wfile.write(body[: answer.length])
            self.close_connection |= len(body) != answer.length
            return
        if body:  # an empty chunk would be the end
            self.wfile.write(b"%x\r\n%b\r\n" % (len(body), body))
        if whole:
            self.wfile.write(b"0\r\n\r\n")
