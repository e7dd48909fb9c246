"""The server under every emulator: its connections and threads, and HTTP around what a service answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from tests.jackfield_services.independence import SERVICES, SHARED, imported

from jackfield_services import _loopback
from jackfield_services._loopback import LoopbackHandler, LoopbackServer

pytestmark = pytest.mark.usefixtures("nothing_left")
NAME = "loopback-under-test"


class Handler(LoopbackHandler):
    """Tells method and target; /reset resets after it, /unread leaves the body, and ends; /last ends all."""

    def __init__(self, connection: socket.socket, server: LoopbackServer) -> None:
        self.loopback = server
        super().__init__(connection, server)

    def respond(self) -> None:
        if self.path != "/unread":
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
        told = f"{self.command} {self.path}".encode()
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(told)))
        if self.path == "/unread":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(told)
        if self.path == "/reset":
            self.reset()
        if self.path == "/last":
            self.wfile.flush()
            self.loopback.refuse(spared=self.connection)
            self.close_connection = True


@pytest.fixture
def server(nothing_left: None) -> Iterator[LoopbackServer]:
    running = LoopbackServer(NAME, Handler)
    yield running
    running.stop()


def connect(server: LoopbackServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=30)


def rest(connection: socket.socket) -> bytes:
    """What comes until the connection ends."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def told(text: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text)


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == NAME]


@pytest.mark.parametrize("name", SHARED)
def test_what_emulators_share_imports_the_standard_library_and_each_other_alone(name: str) -> None:
    assert imported(SERVICES.parent / f"{name.replace('.', '/')}.py") <= set(SHARED)


def test_only_this_machine_can_connect(server: LoopbackServer) -> None:
    assert server.socket.getsockname() == ("127.0.0.1", urlsplit(server.url).port)


def test_requests_on_one_connection_are_answered_one_after_the_other(server: LoopbackServer) -> None:
    methods = [b"GET", b"POST", b"HEAD", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"]
    with connect(server) as connection:
        for method in methods:
            connection.sendall(b"%b / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody" % method)
        connection.shutdown(socket.SHUT_WR)
        assert rest(connection) == b"".join(told(b"%b /" % method) for method in methods)
    assert server.accepted == 1


def test_many_connections_are_served_at_once(server: LoopbackServer) -> None:
    with ExitStack() as closing:
        for connection in reversed([closing.enter_context(connect(server)) for _ in range(5)]):
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert connection.recv(65536) == told(b"GET /")
        assert (server.accepted, len(threads())) == (5, 6)


def test_a_reset_ends_the_connection_and_only_that(server: LoopbackServer) -> None:
    with connect(server) as connection, connect(server) as other:
        connection.sendall(b"GET /reset HTTP/1.1\r\n\r\nGET /after HTTP/1.1\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            assert rest(connection) == told(b"GET /reset")
        other.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert other.recv(65536) == told(b"GET /")


def test_an_answer_is_not_lost_to_a_body_that_comes_after_it_and_is_not_read(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_loopback, "_GOODBYE", None)
    with connect(server) as connection:
        connection.sendall(b"POST /unread HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n")
        connection.recv(1, socket.MSG_PEEK)
        connection.sendall(bytes(3_000_000))
        connection.shutdown(socket.SHUT_WR)
        assert rest(connection).endswith(b"\r\n\r\nPOST /unread")


def test_a_client_sees_the_end_before_it_says_goodbye(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_loopback, "_GOODBYE", None)
    with connect(server) as connection:
        connection.sendall(b"GET /unread HTTP/1.1\r\n\r\n")
        assert rest(connection).endswith(b"\r\n\r\nGET /unread")


def test_a_body_is_sent_for_before_it_is_read(server: LoopbackServer) -> None:
    with connect(server) as connection:
        connection.sendall(b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"body")
        assert connection.recv(65536) == told(b"PUT /")


def test_blank_lines_before_a_request_are_skipped(server: LoopbackServer) -> None:
    with connect(server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n\r\n \r\nGET /next HTTP/1.1\r\n\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        assert rest(connection) == told(b"GET /") + told(b"GET /next")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 70_000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"431"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"BREW / HTTP/1.1\r\n\r\n", b"501"),
        (b"\x16\x03\x01\x02\x00", b"400"),  # TLS: no line's end will come
    ],
)
def test_what_is_no_request_is_refused_in_silence(
    server: LoopbackServer, capfd: pytest.CaptureFixture[str], sent: bytes, status: bytes
) -> None:
    with connect(server) as connection:
        connection.sendall(sent)
        assert connection.recv(12) == b"HTTP/1.1 " + status
    server.stop()
    assert capfd.readouterr() == ("", "")


def test_stopping_ends_every_connection_wherever_it_is(server: LoopbackServer) -> None:
    put = b"PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbo"
    sent = [b"", b"GET / HTT", b"GET / HTTP/1.1\r\nA: b", put, b"GET / HTTP/1.1\r\n\r\n"]
    with ExitStack() as closing:
        connections = [closing.enter_context(connect(server)) for _ in sent]
        for connection, begun in zip(connections, sent, strict=True):
            connection.sendall(begun)
        assert connections[-1].recv(65536) == told(b"GET /")

        server.stop()

        assert threads() == []
        assert {rest(connection) for connection in connections} == {b""}


def test_who_connected_before_the_stop_was_accepted_and_sees_an_end(server: LoopbackServer) -> None:
    with ExitStack() as closing:
        connections = [closing.enter_context(connect(server)) for _ in range(100)]
        assert server.stop() == 100
        assert {connection.recv(1) for connection in connections} == {b""}


def test_a_stopped_server_refuses_connections_and_may_be_stopped_again(server: LoopbackServer) -> None:
    connect(server).close()
    assert server.stop() == server.stop() == 1
    with pytest.raises(ConnectionRefusedError):
        connect(server)


def test_a_handler_may_end_it_and_spare_its_own_connection(server: LoopbackServer) -> None:
    with connect(server) as connection, connect(server) as other:
        other.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert other.recv(65536) == told(b"GET /")
        connection.sendall(b"GET /last HTTP/1.1\r\n\r\n")
        assert rest(connection) == told(b"GET /last")
        assert rest(other) == b""
        with pytest.raises(ConnectionRefusedError):
            connect(server)


def test_the_next_server_may_take_the_port_of_one_that_has_ended(server: LoopbackServer) -> None:
    with connect(server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        connection.recv(65536)
        server.stop()
        again = LoopbackServer(NAME, Handler, urlsplit(server.url).port or 0)
    assert again.url == server.url
    again.stop()


def test_a_port_that_is_taken_is_not_shared(server: LoopbackServer) -> None:
    with pytest.raises(OSError, match="in use"):
        LoopbackServer(NAME, Handler, urlsplit(server.url).port or 0)
