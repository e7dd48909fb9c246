"""What a peer may do while a body is sent to it: take it slowly, not at all, or speak before the end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from ssl import PROTOCOL_TLS_SERVER, SSLContext, create_default_context
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from tests.both import Both
from tests.clients import COLOURS, AnythingClient, Asker
from tests.stalls import Stalls

from jackfield import (
    Call,
    Client,
    ConnectionLostError,
    DeadlineExceededError,
    ReadTimeoutError,
    Request,
    Service,
    ServiceError,
    StreamBody,
    SyncRuntime,
    Url,
    Urllib3Transport,
    UsageError,
    operation,
)
from jackfield._connection import Connection
from jackfield._sending import Sending
from jackfield.testing import Cut, FaultServer, Peer, Reply

KILOBYTE, MEGABYTE = 1024, 1024 * 1024
PATIENCE = 0.6  # seconds


@pytest.fixture(params=COLOURS)
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def tls_server(authority: trustme.CA) -> SSLContext:
    context, certificate = SSLContext(PROTOCOL_TLS_SERVER), authority.issue_cert("127.0.0.1")
    certificate.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]  # it takes pyOpenSSL's, too
    return context


def tls_transport(authority: trustme.CA) -> Urllib3Transport:
    context = create_default_context()
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]  # it takes pyOpenSSL's, too
    return Urllib3Transport(ssl_context=context)


class Counted:
    """A body of pieces that notes how many were asked for."""

    def __init__(self, pieces: int, size: int = 100 * KILOBYTE) -> None:
        self.size = pieces * size
        self.asked = 0
        self._piece, self._pieces = b"x" * size, pieces

    @property
    def body(self) -> StreamBody:
        return StreamBody(self._give, length=self.size)

    def _give(self) -> Iterator[bytes]:
        for _ in range(self._pieces):
            self.asked += 1
            yield self._piece


def status_of(ask: Asker, body: StreamBody) -> int | None:
    """Of the answer, whether or not it is an error."""
    try:
        return ask("PUT", body=body).status
    except ServiceError as error:
        return error.status


def answering_at_once(early: bytes) -> Callable[[Peer], None]:
    """Speaks when the head has come, and then takes the whole body."""

    def script(peer: Peer) -> None:
        peer.arrives()
        peer.send(early)
        peer.request()
        peer.send(Reply(200, b"in the end").wire().removeprefix(early))

    return script


@pytest.mark.parametrize("status", [300, 401, 413, 500])
@pytest.mark.parametrize("size", [KILOBYTE, 100 * KILOBYTE, 3 * MEGABYTE])
def test_sending_stops_soon_after_a_refusal(colour: str, status: int, size: int) -> None:
    counted = Counted(50 * MEGABYTE // size, size)

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(Reply(status).wire())
        peer.drain()

    with FaultServer(script) as server, Asker(colour, server.url) as ask:
        assert status_of(ask, counted.body) == status
        assert counted.asked * size < 30 * MEGABYTE
        assert ask("GET").status == 200
        assert server.connections == 2


def test_a_refusal_stops_a_body_that_is_one_big_piece(colour: str) -> None:
    took = [0]

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(Reply(413).wire())
        while piece := peer.socket.recv(65536):
            took[0] += len(piece)

    with FaultServer(script) as server, Asker(colour, server.url) as ask, pytest.raises(ServiceError):
        ask("PUT", body=b"x" * 50 * MEGABYTE)

    assert took[0] < 30 * MEGABYTE


@pytest.mark.parametrize(
    "early",
    [
        Reply(200, b"early").wire(),
        Reply(202).wire(),
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
        b"HTTP/1.1 ",
    ],
    ids=["200", "202", "100", "103", "part-of-an-answer"],
)
def test_what_is_no_refusal_stops_nothing(colour: str, early: bytes) -> None:
    body = Counted(200)

    with FaultServer(answering_at_once(early)) as server, Asker(colour, server.url) as ask:
        assert status_of(ask, body.body) in (200, 202)
        server.wait_for_requests(1)

        assert len(server.requests[0].body) == body.size


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_peer_that_only_speaks_is_heard_after_the_read_timeout(
    colour: str, authority: trustme.CA, scheme: str
) -> None:
    def script(peer: Peer) -> None:
        peer.head()
        peer.ended.wait(PATIENCE / 4)
        peer.send(Reply(413, b"too much").wire())
        peer.ended.wait(2 * PATIENCE)

    tls = tls_server(authority) if scheme == "https" else None
    with (
        FaultServer(script, tls=tls) as server,
        Asker(colour, server.url, tls_transport(authority), read_timeout=PATIENCE) as ask,
    ):
        with pytest.raises(ServiceError) as caught:
            ask("PUT", body=Counted(500).body)

        assert caught.value.status == 413
        assert caught.value.response is not None
        assert caught.value.response.content == b"too much"


def test_a_peer_that_says_nothing_either_is_a_read_timeout(colour: str, stalls: Stalls) -> None:
    done = threading.Event()

    def script(peer: Peer) -> None:
        peer.head()
        peer.wait(done)

    with FaultServer(script) as server, Asker(colour, server.url, read_timeout=1) as ask:
        with pytest.raises(ReadTimeoutError) as caught:
            ask("POST", body=Counted(500).body)
        done.set()

    assert caught.value.call is not None
    assert caught.value.call.may_have_been_processed
    assert caught.value.call.elapsed < 1.9 + stalls.seconds  # it was not waited for twice


class SlowSocket:
    """Takes ten bytes at a time."""

    def __init__(self) -> None:
        self.taken = b""
        self.waits: list[float] = []

    def gettimeout(self) -> float | None:
        return self.waits[-1] if self.waits else None

    def settimeout(self, seconds: float) -> None:
        self.waits.append(seconds)

    def send(self, data: bytes) -> int:
        self.taken += bytes(data[:10])
        return min(len(data), 10)


def slow_connection() -> tuple[Connection, Any]:
    connection, sock = Connection(Url.parse("http://peer.test/").origin), SlowSocket()
    taking: Any = sock
    connection.sock = taking
    return connection, sock


def test_each_wait_for_the_peer_to_take_some_more_has_its_own_time() -> None:
    connection, sock = slow_connection()
    left = iter([9.0, 8.0, 8.0, 7.0])
    connection.patience = lambda: next(left)

    connection.send(b"0123456789" * 3 + b"the end")

    assert sock.taken == b"0123456789" * 3 + b"the end"
    assert sock.waits == [9.0, 8.0, 7.0]


def test_a_memoryview_is_sent_as_a_whole_too() -> None:
    connection, sock = slow_connection()
    connection.patience = lambda: 1.0

    connection.send(memoryview(b"0123456789abcdef")[2:])

    assert sock.taken == b"23456789abcdef"


@given(chunks=st.lists(st.binary(min_size=1, max_size=50).map(lambda some: some * 2000), max_size=5))
def test_chunks_are_framed_whole_however_little_the_peer_takes_at_a_time(chunks: list[bytes]) -> None:
    connection, (ours, theirs) = Connection(Url.parse("http://peer.test/").origin), socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    connection.sock, connection.patience = ours, lambda: 10.0
    taken = bytearray()

    def take() -> None:
        while piece := theirs.recv(3000):
            taken.extend(piece)

    taking = threading.Thread(target=take)
    taking.start()
    with theirs:
        with ours:
            for chunk in [*chunks, b""]:
                connection.send_chunk(chunk)
        taking.join()

    assert taken == b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])


def test_the_deadline_ends_a_piece_that_is_taken_drop_by_drop() -> None:
    connection, sock = slow_connection()
    left = iter([1.0, 1.0])

    def patience() -> float:
        for seconds in left:
            return seconds
        raise DeadlineExceededError("the time is up")

    connection.patience = patience

    with pytest.raises(DeadlineExceededError):
        connection.send(b"x" * 100)

    assert len(sock.taken) == 20


def test_an_answer_with_a_rest_of_the_request_unsent_is_the_last_on_its_connection(colour: str) -> None:
    def script(peer: Peer) -> None:
        peer.head()
        peer.send(Reply(413).wire())
        peer.drain()

    with FaultServer(script) as server, Asker(colour, server.url) as ask:
        with pytest.raises(ServiceError):
            ask("PUT", body=Counted(500).body)

        assert server.peer(1).ended.wait(10)


@pytest.mark.parametrize("kind", ["file-is-gone", "wrong-length"])
def test_of_a_body_that_cannot_begin_nothing_is_sent_and_nothing_doubtful(colour: str, kind: str) -> None:
    def gone() -> Iterator[bytes]:
        raise FileNotFoundError("disk.img")

    body = StreamBody(gone) if kind == "file-is-gone" else StreamBody(lambda: [b"ab"], length=1)

    with FaultServer() as server, Asker(colour, server.url) as ask:
        with pytest.raises(UsageError) as caught:
            ask("POST", body=body)
        ask("GET")

        assert [request.line for request in server.requests] == ["GET /things HTTP/1.1"]
    assert caught.value.call is not None
    assert not caught.value.call.may_have_been_processed


class Silent:
    """A source that gives a piece, and then nothing until it is aborted."""

    def __init__(self) -> None:
        self.waits, self.woken, self.closed = threading.Event(), threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        yield b"a"
        self.waits.set()
        if not self.woken.wait(10):
            raise AssertionError("nobody woke it")
        raise OSError("it was woken")

    def abort(self) -> None:
        self.woken.set()

    def close(self) -> None:
        self.closed.set()


def drained(peer: Peer) -> None:
    peer.drain()


def test_a_client_that_is_closed_wakes_a_source_that_waits(colour: str) -> None:
    source = Silent()

    with FaultServer(drained) as server, Asker(colour, server.url) as ask:

        def close() -> None:
            source.waits.wait(10)
            SyncRuntime().run(ask.transport.close())

        closer = threading.Thread(target=close)
        closer.start()
        with pytest.raises(ConnectionLostError):
            ask("PUT", body=StreamBody(lambda: source))
        closer.join(10)

    assert source.closed.wait(10)
    assert source.woken.is_set()


class Fragile(Iterator[bytes]):
    """A source that notes what is done to it, and takes it amiss."""

    def __init__(self) -> None:
        self.pieces, self.done = iter([b"a", b"b"]), list[str]()

    def __next__(self) -> bytes:
        return next(self.pieces)

    def abort(self) -> None:
        self.done.append("abort")
        raise ValueError("I/O operation on closed file")

    def close(self) -> None:
        self.done.append("close")


def test_a_source_that_was_sent_is_left_alone_whatever_becomes_of_the_answer(colour: str) -> None:
    class Big(Service):
        @operation
        async def begin(self, body: StreamBody) -> bytes:
            response = await self.send(Request("PUT", self.url(), body=body), stream=True)
            assert not isinstance(response.body, bytes)
            piece = await response.body.read()
            await response.body.close()
            return piece

    source = Fragile()
    with (
        FaultServer(*[Reply(200, b"x" * 1_000_000)] * 3) as server,
        Both(colour, Big, server.url, Urllib3Transport(max_connections=1), connect_timeout=1.0) as api,
    ):
        for _ in range(3):
            source.pieces = iter([b"a", b"b"])
            assert api.get(api.client.begin(StreamBody(lambda: source)))  # its only connection was given back

    assert source.done == ["close"] * 3


def test_a_source_that_does_not_want_to_be_woken_keeps_no_connection(colour: str) -> None:
    source = Fragile()
    waits = threading.Event()

    def pieces() -> Fragile:
        waits.set()
        return source

    source.pieces = iter(lambda: b"a" * 65536, b"")  # for ever
    with (
        FaultServer(*[Cut("stall", 0)] * 2) as server,
        Asker(colour, server.url, Urllib3Transport(max_connections=1), timeout=PATIENCE, connect_timeout=1.0) as ask,
    ):
        for _ in range(2):
            with pytest.raises((DeadlineExceededError, ReadTimeoutError)):  # and no PoolTimeoutError
                ask("PUT", body=StreamBody(pieces))

    assert "close" in source.done


def test_the_deadline_wakes_a_source_that_waits_in_an_async_client() -> None:
    source = Silent()

    with FaultServer(drained) as server, Asker("async", server.url, timeout=PATIENCE) as ask:
        with pytest.raises(DeadlineExceededError):
            ask("PUT", body=StreamBody(lambda: source))

        assert source.closed.wait(10)
        assert source.woken.is_set()


def test_an_abort_before_the_body_is_open_reaches_its_source() -> None:
    source = Silent()
    client = AnythingClient("http://peer.test")
    request = Request("PUT", client.url("things"), body=StreamBody(lambda: source))
    connection, _ = slow_connection()
    connection.patience = lambda: 1.0
    sending = Sending(request, Call("put", client._wiring))

    sending.abort()
    with pytest.raises(UsageError, match="it was woken"):
        sending.run(connection)

    assert source.closed.is_set()


class Refused(Service):
    @operation
    async def is_closed_at_the_answer(self, source: Silent) -> bool:
        """Whether the body is, when the answer has come, and nobody has read it."""
        request = Request("PUT", self.url("things"), body=StreamBody(lambda: source))
        response = await self.send(request, stream=True)
        try:
            return source.closed.is_set()
        finally:
            assert not isinstance(response.body, bytes)
            await response.body.close()


class RefusedClient(Refused, Client): ...


def test_a_body_is_closed_when_the_answer_has_come() -> None:
    class Many(Silent):
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"x" * MEGABYTE] * 50)

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(Reply(300, b"choose").wire())
        peer.drain()

    with FaultServer(script) as server, RefusedClient(server.url) as client:
        assert client.is_closed_at_the_answer(Many())


def test_an_upload_over_tls_is_not_looked_into_for_an_answer(colour: str, authority: trustme.CA) -> None:
    def script(peer: Peer) -> None:
        peer.arrives()
        peer.send(Reply(413, b"too much").wire())
        peer.request()

    with (
        FaultServer(script, tls=tls_server(authority)) as server,
        Asker(colour, server.url, tls_transport(authority)) as ask,
    ):
        body = Counted(100)
        assert status_of(ask, body.body) == 413
        server.wait_for_requests(1)

        assert len(server.requests[0].body) == body.size
