"""The urllib3 transport against a peer that may do anything: real sockets, both colours of client.

An answer cut inside its status line or headers, a cut gzip stream, redirects and Retry-After are not treated here.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import gzip
import io
import logging
import pickle
import socket
import ssl
import threading
import traceback
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypedDict, Unpack

import pytest
import trustme
from tests.clients import Asker

from jackfield import (
    AsyncClient,
    BodyTooLargeError,
    Client,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    DeadlineExceededError,
    JackfieldError,
    NetworkError,
    ProtocolError,
    ReadTimeoutError,
    Request,
    Response,
    Service,
    ServiceError,
    StreamBody,
    SyncRuntime,
    TLSError,
    TruncatedBodyError,
    UnavailableError,
    Urllib3Transport,
    UsageError,
    operation,
)
from jackfield._source import Source
from jackfield.testing import VirtualSyncRuntime
from jackfield_plugins.retry import Retry

if TYPE_CHECKING:
    from tests.servers import Peer, Script, Serve

    from jackfield._headers import HeaderFields
    from jackfield._messages import Query

pytestmark = pytest.mark.usefixtures("nothing_left")

CANARY = "canary-5f1c2e"
QUICKLY = Retry(base=1e-6, cap=1e-6)
PATIENCE = 3.0  # seconds a hanging server waits for the client to give up; then the test fails
GUARD = 5.0


# --- the client of these tests


class Parts(TypedDict, total=False):
    query: Query
    headers: HeaderFields
    body: bytes | StreamBody
    idempotent: bool | None


class Limits(TypedDict, total=False):
    timeout: float
    connect_timeout: float
    read_timeout: float
    max_body_size: int


class Settings(Limits, total=False):
    plugins: Sequence[object]
    headers: HeaderFields


class Shelf(Service):
    """A service whose operations do what each test asks for."""

    def things(self, method: str, parts: Parts) -> Request:
        return Request(method, self.url("things"), **parts)

    @operation
    async def fetch(self, method: str, parts: Parts) -> Response:
        return await self.send(self.things(method, parts))

    @operation
    async def pieces(self, method: str, parts: Parts, after_each: Callable[[], None]) -> list[bytes]:
        response = await self.send(self.things(method, parts), stream=True)
        assert not isinstance(response.body, bytes)
        found: list[bytes] = []
        while piece := await response.body.read():
            found.append(piece)
            after_each()
        return found

    @operation
    async def first_piece(self) -> bytes:
        response = await self.send(self.things("GET", {}), stream=True)
        assert not isinstance(response.body, bytes)
        piece = await response.body.read()
        await response.body.close()
        await response.body.close()  # may be called again
        return piece

    @operation
    async def status(self) -> int:
        return (await self.send(self.things("GET", {}), stream=True)).status


class SyncShelf(Shelf, Client):
    pass


class AsyncShelf(Shelf, AsyncClient):
    pass


def nothing() -> None:
    pass


class Caller:
    """A client of either colour, called in one way."""

    def __init__(self, client: SyncShelf | AsyncShelf, runner: asyncio.Runner) -> None:
        self.client = client
        self._runner = runner

    def fetch(self, method: str = "GET", **parts: Unpack[Parts]) -> Response:
        if isinstance(self.client, SyncShelf):
            return self.client.fetch(method, parts)
        return self._runner.run(self.client.fetch(method, parts))

    def pieces(
        self, method: str = "GET", after_each: Callable[[], None] = nothing, **parts: Unpack[Parts]
    ) -> list[bytes]:
        if isinstance(self.client, SyncShelf):
            return self.client.pieces(method, parts, after_each)
        return self._runner.run(self.client.pieces(method, parts, after_each))

    def first_piece(self) -> bytes:
        if isinstance(self.client, SyncShelf):
            return self.client.first_piece()
        return self._runner.run(self.client.first_piece())

    def status(self) -> int:
        if isinstance(self.client, SyncShelf):
            return self.client.status()
        return self._runner.run(self.client.status())

    def limited(self, **limits: Unpack[Limits]) -> Caller:
        """A view of the client with other limits."""
        return Caller(self.client.with_options(**limits), self._runner)

    def close(self) -> None:
        if isinstance(self.client, SyncShelf):
            self.client.close()
        else:
            self._runner.run(self.client.aclose())


class Connect(Protocol):
    """Makes a client that the test's end closes; it has one connection, so that a slot lost is a slot missed."""

    def __call__(
        self,
        url: str,
        *,
        max_connections: int = 1,
        ssl_context: ssl.SSLContext | None = None,
        **options: Unpack[Settings],
    ) -> Caller: ...


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest, nothing_left: None) -> Iterator[Connect]:
    with ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner())

        def make(
            url: str,
            *,
            max_connections: int = 1,
            ssl_context: ssl.SSLContext | None = None,
            **options: Unpack[Settings],
        ) -> Caller:
            transport = Urllib3Transport(max_connections=max_connections, ssl_context=ssl_context)
            client = (SyncShelf if request.param == "sync" else AsyncShelf)(url, transport=transport, **options)
            caller = Caller(client, runner)
            stack.callback(caller.close)
            stack.callback(lambda: runner.run(transport.close()))
            return caller

        yield make


# --- what servers say


def reply(body: bytes = b"ok", *fields: str, status: str = "200 OK") -> bytes:
    """An answer with a Content-Length."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def headed(*fields: str, status: str = "200 OK") -> bytes:
    """The head of an answer."""
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode("latin-1")


CHUNKED = headed("Transfer-Encoding: chunked")


def answering(*answers: bytes) -> Script:
    """Answers the n-th request of a connection with the n-th answer, the last for all beyond."""

    def script(peer: Peer) -> None:
        for n, _ in enumerate(peer.requests()):
            peer.send(answers[min(n, len(answers) - 1)])

    return script


def sending(*pieces: bytes) -> Script:
    """Answers one request with these bytes, and says no more."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(*pieces)
        peer.hang(PATIENCE)

    return script


def sending_then_closing(*pieces: bytes) -> Script:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(*pieces)
        peer.close()

    return script


def sending_then_resetting(*pieces: bytes) -> Script:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(*pieces)
        peer.reset()

    return script


def dripping(start: bytes, piece: bytes, end: bytes = b"") -> Script:
    """Begins an answer, and then lets it drip: longer than the client's time, and not for ever."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(start)
        peer.drip([piece] * 150)
        peer.send(end)
        peer.hang(PATIENCE)

    return script


def repeating(start: bytes, piece: bytes, times: int) -> Script:
    """Begins an answer, and sends one piece over and over again."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(start)
        for _ in range(times):
            peer.send(piece)

    return script


def unused_port() -> socket.socket:
    """A port where nobody listens, for as long as the socket is open."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    return taken


# --- what goes over the wire


def test_a_get_is_these_bytes_and_no_others(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply()))
    caller = connect(server.url + "/api/v1", headers={"Accept-Encoding": "identity"})

    caller.fetch(headers={"X-Api-Key": "k"})

    assert server.requests[0].head == (
        b"GET /api/v1/things HTTP/1.1\r\n"
        b"Host: 127.0.0.1:%d\r\n"
        b"user-agent: jackfield\r\n"
        b"Accept-Encoding: identity\r\n"
        b"X-Api-Key: k\r\n"
        b"\r\n" % server.port
    )


def test_the_target_is_a_path_and_the_query_is_percent_encoded_in_its_order(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply()))
    caller = connect(server.url)

    caller.fetch(query=[("b", "ü &=#?/+%"), ("a b", "~*'()!"), ("none", ""), ("b", "2")])

    assert server.requests[0].target == ("/things?b=%C3%BC%20%26%3D%23%3F%2F%2B%25&a%20b=~%2A%27%28%29%21&none=&b=2")


def test_values_of_one_header_go_out_as_so_many_lines_in_their_order(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply()))
    caller = connect(server.url)

    caller.fetch(headers=[("X-Tag", "one"), ("X-Other", "o"), ("x-tag", "two, three")])

    assert server.requests[0].get_all("x-tag") == ["one", "two, three"]
    assert server.requests[0].get_all("x-other") == ["o"]
    assert server.requests[0].get_all("user-agent") == ["jackfield"]


def test_values_of_one_header_that_came_are_kept_apart(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply(b"", "Set-Cookie: a=1, b", "X-Latin: \xe9", "set-cookie: c=2")))
    caller = connect(server.url)

    response = caller.fetch()

    assert response.headers.get_all("Set-Cookie") == ["a=1, b", "c=2"]
    assert response.headers["x-latin"] == "\xe9"


def test_a_body_of_bytes_goes_out_with_its_length(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply()))
    caller = connect(server.url)

    caller.fetch("POST", body=b"\x00\r\n\r\nGET / HTTP/1.1\r\n\r\n", headers={"Content-Type": "x/y"})

    request = server.requests[0]
    assert request.line == "POST /things HTTP/1.1"
    assert request.body == b"\x00\r\n\r\nGET / HTTP/1.1\r\n\r\n"
    assert request.get_all("content-length") == ["23"]
    assert request.get_all("transfer-encoding") == []
    assert request.get_all("content-type") == ["x/y"]


@pytest.mark.parametrize(
    ("method", "lengths"),
    [("GET", []), ("HEAD", []), ("DELETE", []), ("POST", ["0"]), ("PUT", ["0"]), ("PATCH", ["0"])],
)
def test_without_a_body_a_length_is_told_where_one_is_expected(
    serve: Serve, connect: Connect, method: str, lengths: list[str]
) -> None:
    server = serve(answering(headed("Content-Length: 0")))
    caller = connect(server.url)

    caller.fetch(method)

    assert server.requests[0].get_all("content-length") == lengths
    assert server.requests[0].get_all("transfer-encoding") == []


def test_a_stream_of_known_length_goes_out_as_it_is(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply()))
    caller = connect(server.url)

    caller.fetch("PUT", body=StreamBody(lambda: [b"one", b"", b"two"], length=6))

    assert server.requests[0].body == b"onetwo"
    assert server.requests[0].get_all("content-length") == ["6"]
    assert server.requests[0].get_all("transfer-encoding") == []


def test_a_stream_of_unknown_length_goes_out_in_chunks(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply()))
    caller = connect(server.url)

    caller.fetch("PUT", body=StreamBody(lambda: [b"one", b"", b"t" * 17]))

    assert server.requests[0].body == b"3\r\none\r\n11\r\n" + b"t" * 17 + b"\r\n0\r\n\r\n"
    assert server.requests[0].get_all("transfer-encoding") == ["chunked"]
    assert server.requests[0].get_all("content-length") == []


def test_an_empty_stream_is_an_empty_body(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply()))
    caller = connect(server.url)

    caller.fetch("PUT", body=StreamBody(list))
    caller.fetch("PUT", body=StreamBody(list, length=0))

    assert [request.body for request in server.requests] == [b"0\r\n\r\n", b""]
    assert server.requests[1].get_all("content-length") == ["0"]
    assert server.connections == 1


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding"])
def test_the_caller_does_not_frame_the_message(serve: Serve, connect: Connect, name: str) -> None:
    server = serve(answering(reply()))
    caller = connect(server.url)

    with pytest.raises(UsageError, match=name.lower()):
        caller.fetch("POST", headers={name: "5"}, body=b"hello, smuggled")

    assert caller.fetch().content == b"ok"
    assert len(server.requests) == 1


def test_there_is_never_more_than_one_host_on_the_wire(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply()))
    caller = connect(server.url)

    for fields in ([("Host", "a.test")], [("Host", "a.test"), ("host", "b.test")]):
        try:
            caller.fetch(headers=fields)
        except UsageError:
            continue  # refusing it is as good

    assert all(len(request.get_all("host")) == 1 for request in server.requests)


def test_neither_proxies_nor_netrc_are_taken_from_the_environment(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    proxy = serve(answering(reply(b"by way of the proxy")))
    server = serve(answering(reply(b"directly")))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv(name.lower(), proxy.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login me password {CANARY}\ndefault login me password {CANARY}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    caller = connect(server.url)

    response = caller.fetch()

    assert response.content == b"directly"
    assert proxy.connections == 0
    assert server.requests[0].get_all("authorization") == []
    assert server.requests[0].target == "/things"


# --- connections are kept, and only while they are clean


def test_calls_in_a_row_share_one_connection_whatever_frames_the_answers(serve: Serve, connect: Connect) -> None:
    server = serve(
        answering(
            reply(b"one"),
            CHUNKED + b"3\r\ntwo\r\n0\r\n\r\n",
            CHUNKED + b"5;x=y\r\nthree\r\n00\r\nTrailer: t\r\n\r\n",
            headed(status="204 No Content"),
            headed("Content-Length: 7", status="304 Not Modified"),
            reply(b""),
            reply(b"last"),
        )
    )
    caller = connect(server.url)

    bodies = [caller.fetch().content for _ in range(7)]

    assert bodies == [b"one", b"two", b"three", b"", b"", b"", b"last"]
    assert server.connections == 1


def test_a_head_has_no_body_and_keeps_the_connection(serve: Serve, connect: Connect) -> None:
    server = serve(answering(headed("Content-Length: 1000"), CHUNKED, reply(b"next")))
    caller = connect(server.url)

    first, second, third = caller.fetch("HEAD"), caller.fetch("HEAD"), caller.fetch()

    assert (first.content, first.headers["content-length"], second.content) == (b"", "1000", b"")
    assert third.content == b"next"
    assert server.connections == 1


def test_an_older_server_may_ask_to_keep_the_connection(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply(b"old", "Connection: Keep-Alive").replace(b"HTTP/1.1", b"HTTP/1.0")))
    caller = connect(server.url)

    bodies = [caller.fetch().content for _ in range(2)]

    assert bodies == [b"old", b"old"]
    assert server.connections == 1


def test_streams_read_to_their_end_share_one_connection(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply(b"one"), CHUNKED + b"3\r\ntwo\r\n0\r\n\r\n", reply(b"")))
    caller = connect(server.url)

    bodies = [b"".join(caller.pieces()) for _ in range(3)]

    assert bodies == [b"one", b"two", b""]
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"bye", "Connection: close"),
        reply(b"bye", "Connection: Close, X-Thing"),
        reply(b"bye").replace(b"HTTP/1.1", b"HTTP/1.0"),
        CHUNKED.replace(b"200 OK", b"200 OK\r\nConnection: close") + b"3\r\nbye\r\n0\r\n\r\n",
    ],
    ids=["close", "close-among-others", "http-1.0", "close-chunked"],
)
def test_a_connection_that_the_server_ends_is_not_used_again(serve: Serve, connect: Connect, answer: bytes) -> None:
    server = serve(answering(answer), answering(reply(b"next")))
    caller = connect(server.url)

    first, second = caller.fetch(), caller.fetch()

    assert (first.content, second.content) == (b"bye", b"next")
    assert server.connections == 2
    assert server.peer(1).ended.wait(GUARD)


def test_a_connection_that_the_caller_wants_closed_is_not_used_again(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply(b"ok")))
    caller = connect(server.url)

    caller.fetch(headers={"Connection": "close"})
    caller.fetch()

    assert server.connections == 2  # RFC 9112 §9.6: no further requests after `close`
    assert server.peer(1).ended.wait(GUARD)


def test_a_body_without_a_length_ends_with_the_connection(serve: Serve, connect: Connect) -> None:
    server = serve(sending_then_closing(headed(), b"all ", b"of it"), answering(reply(b"next")))
    caller = connect(server.url)

    first, second = caller.fetch(), caller.fetch()

    assert (first.content, second.content) == (b"all of it", b"next")


@pytest.mark.parametrize("field", ["Transfer-Encoding: chunked", "Content-Length: 5"])
def test_a_204_that_tells_of_a_body_is_the_last_on_its_connection(serve: Serve, connect: Connect, field: str) -> None:
    server = serve(answering(headed(field, status="204 No Content")), answering(reply(b"next")))
    caller = connect(server.url)

    first, second = caller.fetch(), caller.fetch()

    assert (first.content, second.content) == (b"", b"next")
    assert server.connections == 2


def buffers() -> int:
    """How many of what answers are read into there are."""
    gc.collect()
    return sum(isinstance(one, Source) for one in gc.get_objects())


def test_an_idle_connection_keeps_no_buffer(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply(b"x" * 20_000), reply()))
    caller, before = connect(server.url), buffers()

    assert len(caller.fetch().content) == 20_000
    held = buffers() - before
    caller.fetch()

    assert held == 0
    assert server.connections == 1


def test_an_idle_connection_that_the_server_closed_goes_unnoticed(serve: Serve, connect: Connect) -> None:
    closed = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(reply(b"first"))
        peer.half_close()
        peer.settle()
        closed.set()

    server = serve(script, answering(reply(b"second")))
    caller = connect(server.url)

    first = caller.fetch()
    assert closed.wait(GUARD)
    second = caller.fetch("POST", body=b"not twice")

    assert (first.content, second.content) == (b"first", b"second")
    assert [request.body for request in server.requests] == [b"", b"not twice"]


def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_one(serve: Serve, connect: Connect) -> None:
    told, sent = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(reply(b"first"))
        peer.wait(told)
        peer.send(reply(b"too slow", status="408 Request Timeout"))
        peer.settle()
        sent.set()

    server = serve(script, answering(reply(b"second")))
    caller = connect(server.url)

    first = caller.fetch()
    told.set()
    assert sent.wait(GUARD)
    second = caller.fetch()

    assert (first.content, second.content) == (b"first", b"second")


EVIL = reply(b"evil")


@pytest.mark.parametrize(
    ("method", "answer", "body"),
    [
        ("GET", reply(b"first") + EVIL, b"first"),
        ("GET", reply(b"first") + b"x", b"first"),
        ("GET", reply(b"f" * 9000) + EVIL, b"f" * 9000),
        ("GET", reply(b"") + EVIL, b""),
        ("GET", CHUNKED + b"5\r\nfirst\r\n0\r\n\r\n" + EVIL, b"first"),
        ("GET", CHUNKED + b"2328\r\n" + b"f" * 9000 + b"\r\n0\r\n\r\n" + EVIL, b"f" * 9000),
        ("HEAD", reply(b"first"), b""),
        ("HEAD", reply(EVIL), b""),
        ("GET", headed("Content-Length: 5", status="204 No Content") + b"first", b""),
        ("GET", headed(status="204 No Content") + EVIL, b""),
        ("GET", headed("Content-Length: 5", status="304 Not Modified") + b"first", b""),
    ],
    ids=[
        "length",
        "length-by-one",
        "length-beyond-a-buffer",
        "length-0",
        "chunked",
        "chunked-beyond-a-buffer",
        "head",
        "head-with-an-answer-for-a-body",
        "204",
        "204-and-an-answer",
        "304",
    ],
)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_bytes_beyond_an_answer_are_ignored_and_their_connection_is_given_up(
    serve: Serve,
    connect: Connect,
    authority: trustme.CA,
    method: str,
    answer: bytes,
    body: bytes,
    streamed: bool,
    scheme: str,
) -> None:
    tls = server_context(authority, "127.0.0.1") if scheme == "https" else None
    server = serve(answering(answer), answering(reply(b"second")), tls=tls)
    caller = connect(server.url, ssl_context=client_context(authority))

    first = b"".join(caller.pieces(method)) if streamed else caller.fetch(method).content
    second = caller.fetch()

    assert first == body
    assert second.content == b"second"
    assert server.connections == 2


def test_a_connection_keeps_no_timeout_of_the_call_that_made_it(serve: Serve, connect: Connect) -> None:
    told = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(reply(b"first"))
        peer.request()
        told.wait(1.1)
        peer.send(reply(b"second"))

    server = serve(script)
    caller = connect(server.url)

    first = caller.limited(timeout=1, connect_timeout=0.9).fetch()
    second = caller.fetch()

    assert (first.content, second.content) == (b"first", b"second")
    assert server.connections == 1


def test_the_read_timeout_of_a_call_holds_on_a_connection_made_before(serve: Serve, connect: Connect) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(reply(b"first"))
        peer.request()
        peer.hang(PATIENCE)

    server = serve(script, answering(reply(b"third")))
    caller = connect(server.url)

    caller.fetch()
    with pytest.raises(ReadTimeoutError):
        caller.limited(read_timeout=0.05).fetch()
    third = caller.fetch()

    assert third.content == b"third"


# --- answers that are unusual and good


@pytest.mark.parametrize(
    "interim",
    [
        headed(status="100 Continue"),
        headed("Link: </style.css>; rel=preload", status="103 Early Hints"),
        headed(status="102 Processing"),
        headed(status="103 Early Hints") * 3 + headed(status="100 Continue") * 3,
        headed(status="199 Whatever"),
    ],
    ids=["100", "103", "102", "several", "199"],
)
@pytest.mark.parametrize("apart", [False, True], ids=["together", "apart"])
def test_interim_answers_are_passed_over(serve: Serve, connect: Connect, interim: bytes, apart: bool) -> None:
    def script(peer: Peer) -> None:
        for n, _ in enumerate(peer.requests()):
            answer = reply(b"final %d" % n)
            peer.send(*([interim, answer] if apart else [interim + answer]))

    server = serve(script)
    caller = connect(server.url)

    first, second = caller.fetch(), caller.fetch()

    assert (first.status, first.content, second.content) == (200, b"final 0", b"final 1")
    assert server.connections == 1


@pytest.mark.parametrize(
    ("line", "status"),
    [("HTTP/1.1 200", 200), ("HTTP/1.1 200 ", 200), ("HTTP/1.1 299 \xe9", 299), ("HTTP/1.1 399 No Such Code", 399)],
)
def test_a_status_needs_neither_reason_nor_fame(serve: Serve, connect: Connect, line: str, status: int) -> None:
    server = serve(answering(f"{line}\r\nContent-Length: 2\r\n\r\nok".encode("latin-1")))
    caller = connect(server.url)

    response = caller.fetch()

    assert (response.status, response.content) == (status, b"ok")


def test_equal_content_lengths_are_one(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply(b"hello", "Content-Length: 5")))
    caller = connect(server.url)

    try:
        body = caller.fetch().content
    except ProtocolError:
        body = b"hello"  # RFC 9112 §6.3 allows both

    assert body == b"hello"


def test_a_body_in_tiny_pieces_is_put_together(serve: Serve, connect: Connect) -> None:
    whole = CHUNKED + b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    server = serve(sending(*(whole[n : n + 1] for n in range(len(whole)))))
    caller = connect(server.url)

    response = caller.fetch()

    assert response.content == b"hello world"


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 1_000_003])
def test_a_body_of_any_size_arrives_whole(serve: Serve, connect: Connect, size: int) -> None:
    body = bytes(range(251)) * (size // 251 + 1)
    server = serve(answering(reply(body[:size])))
    caller = connect(server.url)

    whole, pieces = caller.fetch().content, caller.pieces()

    assert whole == body[:size]
    assert b"".join(pieces) == body[:size]
    assert all(pieces)


def packed(coding: str) -> bytes:
    body = b"hello " * 10_000
    for name in coding.split(", "):
        if name in ("gzip", "x-gzip"):
            body = gzip.compress(body)
        elif name == "deflate":
            body = zlib.compress(body)
        elif name == "raw":
            body = zlib.compress(body, wbits=-15)
    return body


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", packed("gzip")),
        ("GZip", packed("gzip")),
        ("x-gzip", packed("gzip")),
        ("deflate", packed("deflate")),
        ("deflate", packed("raw")),
        ("deflate, gzip", packed("deflate, gzip")),
        ("identity", packed("")),
    ],
    ids=["gzip", "any-case", "x-gzip", "deflate", "deflate-raw", "two", "identity"],
)
def test_a_compressed_body_is_unpacked(serve: Serve, connect: Connect, coding: str, body: bytes) -> None:
    chunked = CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: %b\r\n\r\n" % coding.encode())
    in_chunks = b"".join(b"1f\r\n%b\r\n" % body[n : n + 31] for n in range(0, len(body) // 31 * 31, 31))
    rest = body[len(body) // 31 * 31 :]
    last = b"%x\r\n%b\r\n0\r\n\r\n" % (len(rest), rest) if rest else b"0\r\n\r\n"
    server = serve(answering(reply(body, f"Content-Encoding: {coding}"), chunked + in_chunks + last))
    caller = connect(server.url)

    whole, pieces = caller.fetch().content, caller.pieces()

    assert whole == b"hello " * 10_000
    assert b"".join(pieces) == b"hello " * 10_000
    assert server.connections == 1


def test_a_coding_that_nobody_knows_leaves_the_body_as_it_is(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply(b"as it is", "Content-Encoding: aes128gcm")))
    caller = connect(server.url)

    response = caller.fetch()

    assert response.content == b"as it is"
    assert response.headers["content-encoding"] == "aes128gcm"


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", headed("Content-Encoding: gzip", "Content-Length: 1000")),
        ("GET", headed("Content-Encoding: gzip", status="204 No Content")),
        ("GET", headed("Content-Encoding: gzip", "Content-Length: 1000", status="304 Not Modified")),
        ("GET", headed("Content-Encoding: gzip", "Content-Length: 0")),
        ("GET", headed("Content-Encoding: gzip", "Transfer-Encoding: chunked") + b"0\r\n\r\n"),
    ],
    ids=["head", "204", "304", "length-0", "no-chunk"],
)
def test_where_there_is_no_body_there_is_nothing_to_unpack(
    serve: Serve, connect: Connect, method: str, answer: bytes
) -> None:
    server = serve(answering(answer, reply(b"next")))
    caller = connect(server.url)

    first, second = caller.fetch(method), caller.fetch()

    assert (first.content, second.content) == (b"", b"next")
    assert server.connections == 1


# --- faults


NO_LIMITS: Limits = {}


class Fault(NamedTuple):
    """What a server does wrong, and what the caller is told. The limits are those of the call that meets it."""

    name: str
    kind: type[JackfieldError]
    script: Script
    limits: Limits = NO_LIMITS


def resetting_at_once(peer: Peer) -> None:
    peer.reset()


def closing_at_once(peer: Peer) -> None:
    peer.close()


def half_closing(peer: Peer) -> None:
    peer.request()
    peer.half_close()
    peer.hang(PATIENCE)


def half_closing_in_the_body(peer: Peer) -> None:
    peer.request()
    peer.send(headed("Content-Length: 5") + b"hel")
    peer.half_close()
    peer.hang(PATIENCE)


def echoing(peer: Peer) -> None:
    request = peer.request()
    peer.send(request.head + request.body)
    peer.hang(PATIENCE)


SHORT: Limits = {"read_timeout": 0.05}
LATE: Limits = {"timeout": 0.5}
GZIPPED = headed("Content-Encoding: gzip", "Content-Length: 100000")
NAMELESS_END = b"\x1f\x8b\x08\x08\0\0\0\0\0\xff"  # a gzip header whose file name has not ended yet (RFC 1952 §2.3)
TWELVE_TIMES = ", ".join(["gzip"] * 12)

PACKED = reply(packed("gzip"), "Content-Encoding: gzip")

LOST = [
    Fault("reset-at-once", NetworkError, resetting_at_once),
    Fault("closed-at-once", ConnectionLostError, closing_at_once),
    Fault("reset-after-the-request", ConnectionLostError, sending_then_resetting()),
    Fault("closed-after-the-request", ConnectionLostError, sending_then_closing()),
    Fault("half-closed-after-the-request", ConnectionLostError, half_closing),
    Fault("reset-in-the-body", ConnectionLostError, sending_then_resetting(headed("Content-Length: 5") + b"hel")),
    Fault("reset-in-a-chunk", ConnectionLostError, sending_then_resetting(CHUNKED + b"5\r\nhel")),
    Fault("reset-in-a-packed-body", ConnectionLostError, sending_then_resetting(PACKED[:-30])),
    Fault("reset-in-a-body-without-length", ConnectionLostError, sending_then_resetting(headed(), b"hel")),
]
SILENT = [
    Fault("silent", ReadTimeoutError, sending(), SHORT),
    Fault("silent-in-the-head", ReadTimeoutError, sending(b"HTTP/1.1 200 OK\r\nContent-"), SHORT),
    Fault("silent-in-the-body", ReadTimeoutError, sending(headed("Content-Length: 5"), b"hel"), SHORT),
    Fault("silent-in-a-packed-body", ReadTimeoutError, sending(PACKED[:-30]), SHORT),
    Fault("silent-in-a-chunk-size", ReadTimeoutError, sending(CHUNKED + b"1"), SHORT),
    Fault("silent-before-the-last-chunk", ReadTimeoutError, sending(CHUNKED + b"5\r\nhello\r\n"), SHORT),
    Fault("silent-after-an-interim-answer", ReadTimeoutError, sending(headed(status="100 Continue")), SHORT),
    Fault("silent-too-long", DeadlineExceededError, sending(), LATE),
    Fault("silent-too-long-in-the-body", DeadlineExceededError, sending(headed("Content-Length: 5"), b"hel"), LATE),
]
DRIPPING = [
    Fault("dripped-status", DeadlineExceededError, dripping(b"HTTP/1.1 200 ", b"O", b"\r\n\r\n"), LATE),
    Fault("dripped-header", DeadlineExceededError, dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x", b"\r\n\r\n"), LATE),
    Fault(
        "dripped-interim-answers", DeadlineExceededError, dripping(b"", headed(status="100 Continue"), reply()), LATE
    ),
    Fault("dripped-body", DeadlineExceededError, dripping(headed("Content-Length: 150"), b"x"), LATE),
    Fault("dripped-chunks", DeadlineExceededError, dripping(CHUNKED, b"1\r\nx\r\n", b"0\r\n\r\n"), LATE),
    Fault("dripped-chunk-size", DeadlineExceededError, dripping(CHUNKED, b"0", b"5\r\nhello\r\n0\r\n\r\n"), LATE),
    Fault("dripped-chunk-extension", DeadlineExceededError, dripping(CHUNKED + b"0;", b"x", b"\r\n\r\n"), LATE),
    Fault("dripped-trailer", DeadlineExceededError, dripping(CHUNKED + b"0\r\n", b"X: y\r\n", b"\r\n"), LATE),
    Fault("dripped-without-a-byte-unpacked", DeadlineExceededError, dripping(GZIPPED + NAMELESS_END[:9], b"n"), LATE),
]
TRUNCATED = [
    Fault("no-body", TruncatedBodyError, sending_then_closing(headed("Content-Length: 5"))),
    Fault("short-body", TruncatedBodyError, sending_then_closing(headed("Content-Length: 5") + b"hell")),
    Fault("short-packed-body", TruncatedBodyError, sending_then_closing(PACKED[:-30])),
    Fault("half-closed-in-the-body", TruncatedBodyError, half_closing_in_the_body),
    Fault(
        "short-body-to-be-closed", TruncatedBodyError, sending_then_closing(reply(b"hello", "Connection: close")[:-1])
    ),
    Fault(
        "body-of-an-exabyte", TruncatedBodyError, sending_then_closing(headed("Content-Length: 1" + "0" * 18) + b"x")
    ),
    Fault("no-chunk", TruncatedBodyError, sending_then_closing(CHUNKED)),
    Fault("cut-in-a-chunk-size", TruncatedBodyError, sending_then_closing(CHUNKED + b"1")),
    Fault("cut-in-a-chunk-size-of-zeros", TruncatedBodyError, sending_then_closing(CHUNKED + b"5\r\nhello\r\n00")),
    Fault("cut-after-a-chunk-size", TruncatedBodyError, sending_then_closing(CHUNKED + b"5\r\n")),
    Fault("cut-in-a-chunk", TruncatedBodyError, sending_then_closing(CHUNKED + b"5\r\nhell")),
    Fault("cut-after-a-chunk", TruncatedBodyError, sending_then_closing(CHUNKED + b"5\r\nhello")),
    Fault("cut-in-the-end-of-a-chunk", TruncatedBodyError, sending_then_closing(CHUNKED + b"5\r\nhello\r")),
    Fault("no-last-chunk", TruncatedBodyError, sending_then_closing(CHUNKED + b"5\r\nhello\r\n")),
]
BAD_SIZES = [b"zz", b"", b"-5", b"+5", b"0x5", b"1_0", b"5 5", b"\xff", b"f" * 18, b"5;" + b"x" * 1_000_000]
BAD_LENGTHS = ["-5", "+5", "5, 6", "abc", "0x5", "5.0", "1_0", "5 5", "9" * 5000]
NOT_HTTP = [
    *(
        Fault(f"chunk-size-{size[:6]!r}", ProtocolError, sending_then_closing(CHUNKED, size, b"\r\nhello\r\n0\r\n\r\n"))
        for size in BAD_SIZES
    ),
    *(
        Fault(f"length-{size[:6]!r}", ProtocolError, sending_then_closing(headed(f"Content-Length: {size}"), b"hello"))
        for size in BAD_LENGTHS
    ),
    *(
        Fault(f"header-{line!r}", ProtocolError, sending(headed("X: y", line, "Content-Length: 0")))
        for line in ["no colon", "X : y", " X: y", "X: a\rb", "X: y\r", "X: a\0b", ": y", "X\xe9: y", "\r"]
    ),
    *(
        Fault(f"coding-{coding!r}", ProtocolError, sending(headed(f"Transfer-Encoding: {coding}") + b"0\r\n\r\n"))
        for coding in ["gzip", "gzip, chunked", "chunked, chunked", "identity", "chunked\r\nTransfer-Encoding: chunked"]
    ),
    Fault("chunks-of-http-1.0", ProtocolError, sending(CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n")),
    Fault("status-line-with-a-bare-cr", ProtocolError, sending(b"HTTP/1.1 200 OK\r\r\nContent-Length: 0\r\n\r\n")),
    Fault("chunk-longer-than-its-size", ProtocolError, sending(CHUNKED + b"3\r\nhello\r\n0\r\n\r\n")),
    Fault("chunk-without-its-end", ProtocolError, sending(CHUNKED + b"3\r\nhelXX0\r\n\r\n")),
    Fault("two-lengths", ProtocolError, sending(reply(b"hello", "Content-Length: 3"))),
    Fault(
        "two-lengths-to-be-closed", ProtocolError, sending(reply(b"hello", "Content-Length: 3", "Connection: close"))
    ),
    Fault("length-and-chunks", ProtocolError, sending(reply(b"0\r\n\r\n", "Transfer-Encoding: chunked"))),
    Fault("garbage", ProtocolError, sending(b"\x00\xff\x16\x03\r\n\r\n\r\n")),
    Fault("another-protocol", ProtocolError, sending(b"220 mail.test ESMTP ready\r\n")),
    Fault("http-0.9", ProtocolError, sending_then_closing(b"<html>hello</html>\r\n")),
    Fault("http-2", ProtocolError, sending(b"HTTP/2.0 200 OK\r\n\r\n")),
    Fault("our-own-words", ProtocolError, echoing),
    Fault("status-abc", ProtocolError, sending(b"HTTP/1.1 abc\r\n\r\n")),
    Fault("status-099", ProtocolError, sending(b"HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n")),
    Fault("status-1000", ProtocolError, sending(b"HTTP/1.1 1000 High\r\nContent-Length: 0\r\n\r\n")),
    Fault("another-protocol-unasked", ProtocolError, sending(headed("Upgrade: x", status="101 Switching Protocols"))),
    Fault("status-line-without-end", ProtocolError, sending(b"HTTP/1.1 200 " + b"x" * 1_000_000)),
    Fault("header-without-end", ProtocolError, sending(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000)),
    Fault("headers-without-end", ProtocolError, repeating(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000, 100)),
    Fault("interim-answers-without-end", ProtocolError, repeating(b"", headed(status="100 Continue") * 1000, 100)),
    Fault("early-hints-without-end", ProtocolError, repeating(b"", headed(status="103 Early Hints") * 1000, 100)),
    Fault("trailers-without-end", ProtocolError, repeating(CHUNKED + b"0\r\n", b"X: y\r\n" * 1000, 100)),
    Fault("not-packed", ProtocolError, sending(reply(b"not gzip at all", "Content-Encoding: gzip"))),
    Fault("packed-twelve-times", ProtocolError, sending(reply(b"x", f"Content-Encoding: {TWELVE_TIMES}"))),
]
FAULTS = [*LOST, *SILENT, *DRIPPING, *TRUNCATED, *NOT_HTTP]


def shown(error: BaseException) -> str:
    """All that a log may come to hold of an error: itself and every error behind it."""
    return "\n".join([str(error), repr(error), repr(error.args), *traceback.format_exception(error)])


def assert_tells_all_but_the_secret(error: JackfieldError, server_url: str, *, attempts: int = 1) -> None:
    operation_name = error.call.operation if error.call else ""
    assert error.call is not None
    assert operation_name in ("fetch", "pieces")
    assert error.call.method == "POST"
    assert error.call.url == f"{server_url}/things?token=***"
    assert error.call.attempts == attempts
    assert error.call.elapsed >= 0
    for part in (operation_name, "POST", f"{server_url}/things", "1 attempt" if attempts == 1 else f"{attempts} att"):
        assert part in str(error)
    assert CANARY not in shown(error)
    assert CANARY not in repr(error.__dict__)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


SECRETS: Parts = {
    "query": {"token": CANARY},
    "headers": {"X-Api-Key": CANARY, "Authorization": f"Bearer {CANARY}"},
    "body": CANARY.encode(),
}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_a_fault_is_a_typed_error_that_tells_the_call_and_leaves_the_client_well(
    serve: Serve, connect: Connect, caplog: pytest.LogCaptureFixture, fault: Fault, streamed: bool
) -> None:
    server = serve(fault.script, answering(reply(b"next")))
    caller = connect(server.url, connect_timeout=3)
    failing = caller.limited(**fault.limits)

    with caplog.at_level(logging.DEBUG), pytest.raises(fault.kind) as caught:
        (failing.pieces if streamed else failing.fetch)("POST", **SECRETS)

    assert_tells_all_but_the_secret(caught.value, server.url)
    assert CANARY not in caplog.text
    assert server.peer(1).ended.wait(GUARD), "the connection is open as long as somebody holds the error"
    assert caller.fetch().content == b"next"
    assert server.connections == 2


RESET = [fault for fault in LOST if "reset-" in fault.name and fault.kind is ConnectionLostError]


@pytest.mark.parametrize("fault", RESET, ids=[fault.name for fault in RESET])
def test_a_connection_lost_keeps_what_the_system_said(serve: Serve, connect: Connect, fault: Fault) -> None:
    server = serve(fault.script)
    caller = connect(server.url)

    with pytest.raises(fault.kind) as caught:
        caller.fetch()

    causes: list[BaseException | None] = [caught.value.__cause__]
    while causes[-1] is not None:
        causes.append(causes[-1].__cause__)
    assert any(isinstance(cause, OSError) for cause in causes)


@pytest.mark.parametrize(
    "framed",
    [reply(b"hello world"), CHUNKED + b"00006\r\nhello \r\n0005;x\r\nworld\r\n0\r\n\r\n"],
    ids=["length", "chunked"],
)
@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_body_cut_anywhere_is_whole_or_an_error(serve: Serve, connect: Connect, framed: bytes, end: str) -> None:
    head, body = framed.split(b"\r\n\r\n", 1)

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(head + b"\r\n\r\n" + body[: peer.number - 1])
        if end == "reset":
            peer.settle()
            peer.reset()
        else:
            peer.close()

    server = serve(script)
    caller = connect(server.url)
    whole: list[int] = []

    for cut in range(len(body) + 1):
        try:
            assert caller.fetch().content == b"hello world"
        except (TruncatedBodyError, ConnectionLostError):
            continue
        whole.append(cut)

    assert whole
    assert body[: min(whole)].endswith((b"world", b"\r\n0\r\n", b"\r\n0\r\n\r\n"))


SOCKET_CALLS = [
    "connect",
    "send",
    "sendall",
    "sendmsg",
    "recv",
    "recv_into",
    "settimeout",
    "setsockopt",
    "shutdown",
    "close",
]


@pytest.mark.parametrize("fields", [[], ["Connection: close"]], ids=["kept-open", "closed"])
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("kept", [False, True], ids=["new", "kept"])
def test_whichever_call_of_the_system_fails_the_error_is_ours_and_the_client_well(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch, streamed: bool, kept: bool, fields: list[str]
) -> None:
    server = serve(answering(reply(b"x" * 100_000, *fields)))
    caller = connect(server.url, connect_timeout=3)
    call = caller.pieces if streamed else caller.fetch
    countdown = [0]

    def failing(name: str) -> Callable[..., Any]:
        real = getattr(socket.socket, name)

        def method(*args: Any) -> Any:
            of_the_loop = args[0].family == socket.AF_UNIX
            if not of_the_loop and not threading.current_thread().name.startswith("scripted"):
                countdown[0] -= 1
                if countdown[0] == 0:
                    if name == "close":
                        real(*args)  # one that says it failed has closed all the same
                    raise OSError(errno.EIO, "Input/output error")
            return real(*args)

        return method

    for name in SOCKET_CALLS:
        monkeypatch.setattr(socket.socket, name, failing(name))
    failures, failed = 0, True

    while failed:
        if kept:
            caller.fetch()
        countdown[0] = failures + 1
        with suppress(NetworkError):
            call("POST", body=b"b" * 1000)
        failed, countdown[0] = countdown[0] <= 0, 0
        failures += failed
        assert caller.fetch().content == b"x" * 100_000

    assert 3 <= failures < 100


def test_a_request_cut_anywhere_is_an_error(serve: Serve, connect: Connect) -> None:
    def script(peer: Peer) -> None:
        for _ in range(10 * peer.number):
            peer.read(1)
        peer.close()

    server = serve(script)
    caller = connect(server.url)

    for _ in range(20):
        with pytest.raises(NetworkError):
            caller.fetch("POST", body=b"b" * 200)


def test_a_header_that_is_none_puts_no_secret_into_a_log(
    serve: Serve, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(answering(reply(b"ok", "this is no header", "X: y")))
    caller = connect(server.url)

    with caplog.at_level(logging.DEBUG), suppress(ProtocolError):
        caller.fetch("POST", **SECRETS)

    assert CANARY not in caplog.text


def test_an_error_while_a_stream_is_read_outside_the_operation_tells_the_call(serve: Serve) -> None:
    class Open(Service):
        @operation
        async def open(self) -> Response:
            return await self.send(Request("GET", self.url("things"), query={"token": CANARY}), stream=True)

    class AsyncOpen(Open, AsyncClient):
        pass

    server = serve(sending_then_closing(headed("Content-Length: 5") + b"hel"))

    async def main() -> JackfieldError:
        async with AsyncOpen(server.url) as client:
            response = await client.open()
            assert not isinstance(response.body, bytes)
            assert await response.body.read() == b"hel"
            with pytest.raises(TruncatedBodyError) as caught:
                await response.body.read()
            return caught.value

    error = asyncio.run(main())

    assert error.call is not None
    assert (error.call.operation, error.call.method, error.call.attempts) == ("open", "GET", 1)
    assert error.call.url == f"{server.url}/things?token=***"
    assert CANARY not in shown(error)


def test_the_deadline_stops_an_upload_that_never_ends(serve: Serve, connect: Connect) -> None:
    pause = threading.Event()

    def pieces() -> Iterator[bytes]:
        for _ in range(150):
            pause.wait(0.01)
            yield b"piece"

    server = serve(answering(reply(b"all taken")))
    caller = connect(server.url)

    with pytest.raises(DeadlineExceededError):
        caller.limited(timeout=0.5).fetch("PUT", body=StreamBody(pieces))

    assert caller.fetch().content == b"all taken"


@pytest.mark.parametrize("limits", [SHORT, LATE], ids=["read-timeout", "deadline"])
def test_a_server_that_does_not_read_stops_an_upload_in_time(serve: Serve, connect: Connect, limits: Limits) -> None:
    told = threading.Event()

    def script(peer: Peer) -> None:
        peer.head()
        told.wait(PATIENCE)
        peer.close()

    server = serve(script, answering(reply(b"next")))
    caller = connect(server.url)

    with pytest.raises((ReadTimeoutError, DeadlineExceededError)) as caught:
        caller.limited(**limits).fetch("PUT", body=b"x" * 50_000_000)
    told.set()

    assert isinstance(caught.value, ReadTimeoutError if limits is SHORT else DeadlineExceededError)
    assert caller.fetch().content == b"next"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_reads_slowly_stops_an_upload_at_the_deadline(
    serve: Serve, connect: Connect, authority: trustme.CA, scheme: str
) -> None:
    pause = threading.Event()

    def script(peer: Peer) -> None:
        peer.head()
        for _ in range(150):
            peer.read(16384)
            pause.wait(0.01)
        peer.reset()

    tls = server_context(authority, "127.0.0.1") if scheme == "https" else None
    server = serve(script, answering(reply(b"next")), tls=tls)
    caller = connect(server.url, ssl_context=client_context(authority))

    with pytest.raises(DeadlineExceededError):
        caller.limited(timeout=0.5).fetch("PUT", body=b"x" * 50_000_000)

    assert caller.fetch().content == b"next"


# --- bodies that are too large


def bomb() -> bytes:
    """100 MB of zeros, packed into a tenth of a megabyte."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9) as writer:
        for _ in range(20):
            writer.write(bytes(5_000_000))
    return packed.getvalue()


TOO_LARGE: list[tuple[str, Callable[[], Script]]] = [
    ("by-one", lambda: answering(reply(b"x" * 1001), reply(b"x" * 1000))),
    ("by-one-chunked", lambda: answering(CHUNKED + b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n", reply(b"x" * 1000))),
    ("without-end", lambda: repeating(headed(), b"x" * 100_000, 2000)),
    ("chunks-without-end", lambda: repeating(CHUNKED, b"5\r\nhello\r\n" * 1000, 2000)),
    ("a-gzip-bomb", lambda: sending(reply(bomb(), "Content-Encoding: gzip"))),
    ("an-exabyte", lambda: repeating(headed("Content-Length: 1" + "0" * 18), b"x" * 100_000, 2000)),
]


@pytest.mark.parametrize("make", [make for _, make in TOO_LARGE], ids=[name for name, _ in TOO_LARGE])
def test_a_body_longer_than_allowed_is_refused_while_it_comes(
    serve: Serve, connect: Connect, make: Callable[[], Script]
) -> None:
    server = serve(make(), answering(reply(b"x" * 1000)))
    caller = connect(server.url, max_body_size=1000)

    with pytest.raises(BodyTooLargeError, match="max_body_size, 1000") as caught:
        caller.fetch("POST", **SECRETS)

    assert_tells_all_but_the_secret(caught.value, server.url)
    assert len(caller.fetch().content) == 1000
    assert server.connections == 1 or server.peer(1).ended.wait(GUARD)


def test_a_stream_may_be_longer_than_what_is_read_as_a_whole(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply(b"x" * 5000)))
    caller = connect(server.url, max_body_size=1000)

    assert len(b"".join(caller.pieces())) == 5000


# --- answers that come before the request has ended


def refusing_and_closing(peer: Peer) -> None:
    peer.head()
    peer.send(reply(b"no more than a megabyte", status="413 Content Too Large"))
    peer.close()  # with the body unread: a reset


def refusing_and_draining(peer: Peer) -> None:
    peer.head()
    peer.send(reply(b"no more than a megabyte", status="413 Content Too Large"))
    peer.half_close()
    peer.drain()


@pytest.mark.parametrize("kind", ["bytes", "stream", "stream-of-known-length"])
@pytest.mark.parametrize(
    ("scheme", "script"),
    [("http", refusing_and_closing), ("http", refusing_and_draining), ("https", refusing_and_draining)],
    ids=["http-closed", "http-drained", "https-drained"],
)
def test_an_early_answer_counts_although_the_body_was_not_taken(
    serve: Serve, connect: Connect, authority: trustme.CA, kind: str, scheme: str, script: Script
) -> None:
    tls = server_context(authority, "127.0.0.1") if scheme == "https" else None
    server = serve(script, answering(reply(b"next")), tls=tls)
    caller = connect(server.url, ssl_context=client_context(authority))
    pieces = [b"x" * 100_000] * 200
    bodies: dict[str, bytes | StreamBody] = {
        "bytes": b"".join(pieces),
        "stream": StreamBody(lambda: pieces),
        "stream-of-known-length": StreamBody(lambda: pieces, length=20_000_000),
    }

    with pytest.raises(ServiceError) as caught:
        caller.fetch("POST", body=bodies[kind])

    assert caught.value.status == 413
    assert caught.value.response is not None
    assert caught.value.response.content == b"no more than a megabyte"
    assert caller.fetch().content == b"next"
    assert server.connections == 2


def test_an_early_answer_that_tls_loses_is_a_connection_lost(
    serve: Serve, connect: Connect, authority: trustme.CA
) -> None:
    server = serve(refusing_and_closing, answering(reply(b"next")), tls=server_context(authority, "127.0.0.1"))
    caller = connect(server.url, ssl_context=client_context(authority))

    with pytest.raises((ServiceError, ConnectionLostError)):  # OpenSSL reads on after a failed write, mostly
        caller.fetch("POST", body=b"x" * 20_000_000)

    assert caller.fetch().content == b"next"


# --- request bodies that go wrong


def failing_pieces() -> Iterator[bytes]:
    yield b"hel"
    raise KeyError("the disk is gone")


def no_pieces() -> Iterator[bytes]:
    raise KeyError("there is no such file")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (StreamBody(lambda: [b"hel"], length=5), "fewer than the 5 bytes"),
        (StreamBody(list, length=5), "fewer than the 5 bytes"),
        (StreamBody(lambda: [b"hello", b"!"], length=5), "more than the 5 bytes"),
        (StreamBody(lambda: [b"hello!"], length=5), "more than the 5 bytes"),
        (StreamBody(lambda: [b"x"], length=0), "more than the 0 bytes"),
        (StreamBody(failing_pieces, length=5), "could not be produced"),
        (StreamBody(failing_pieces), "could not be produced"),
        (StreamBody(no_pieces), "could not be produced"),
    ],
    ids=["fewer", "none", "more", "more-at-once", "more-than-none", "raises", "raises-chunked", "cannot-begin"],
)
def test_a_body_that_is_not_as_announced_is_an_error_and_gives_the_connection_up(
    serve: Serve, connect: Connect, body: StreamBody, message: str
) -> None:
    def script(peer: Peer) -> None:
        peer.head()
        peer.hang()

    server = serve(script, answering(reply(b"next")))
    caller = connect(server.url)

    with pytest.raises(UsageError, match=message) as caught:
        caller.fetch("PUT", body=body)

    assert caught.value.call is not None
    assert (caught.value.call.operation, caught.value.call.method) == ("fetch", "PUT")
    assert server.peer(1).ended.wait(GUARD)
    assert caller.fetch().content == b"next"
    assert server.connections == 2


@pytest.mark.parametrize("piece", ["\xe9", 1, None], ids=["str", "int", "none"])
@pytest.mark.parametrize("length", [1, None])
def test_a_body_whose_pieces_are_not_bytes_is_refused(
    serve: Serve, connect: Connect, piece: Any, length: int | None
) -> None:
    server = serve(answering(reply(b"taken")))
    caller = connect(server.url)

    with pytest.raises(UsageError):
        caller.fetch("PUT", body=StreamBody(lambda: [piece], length=length))
    caller.fetch()

    assert [request.line for request in server.requests] == ["GET /things HTTP/1.1"]


def test_what_produces_a_body_is_closed_when_the_call_ends(serve: Serve, connect: Connect) -> None:
    closed: list[str] = []

    def pieces() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 100_000
        finally:
            closed.append("closed")

    def script(peer: Peer) -> None:
        peer.head()
        peer.reset()

    server = serve(script)
    caller = connect(server.url)

    with pytest.raises(ConnectionLostError) as caught:
        caller.fetch("PUT", body=StreamBody(pieces))

    assert closed == ["closed"]
    assert caught.value.call is not None


def test_a_body_with_more_than_announced_never_makes_a_whole_request(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply(b"taken")))
    caller = connect(server.url)

    with pytest.raises(UsageError):
        caller.fetch("PUT", body=StreamBody(lambda: [b"hello", b"!"], length=5))
    caller.fetch()

    assert [request.line for request in server.requests] == ["GET /things HTTP/1.1"]


def test_a_body_that_can_be_replayed_is_sent_again_from_its_beginning(serve: Serve, connect: Connect) -> None:
    server = serve(sending_then_resetting(), answering(reply(b"taken")))
    caller = connect(server.url, plugins=[QUICKLY])

    response = caller.fetch("PUT", body=StreamBody(lambda: iter([b"one", b"two"]), length=6))

    assert response.content == b"taken"
    assert [request.body for request in server.requests] == [b"onetwo", b"onetwo"]


def test_a_body_that_can_be_sent_once_is_sent_once(serve: Serve, connect: Connect) -> None:
    server = serve(sending_then_resetting(), answering(reply(b"taken")))
    caller = connect(server.url, plugins=[QUICKLY])

    with pytest.raises(ConnectionLostError) as caught:
        caller.fetch("PUT", body=StreamBody.once(iter([b"one", b"two"]), length=6))

    assert caught.value.call is not None
    assert caught.value.call.attempts == 1
    assert [request.body for request in server.requests] == [b"onetwo"]


def test_a_body_that_can_be_sent_once_is_kept_while_no_connection_was_made(connect: Connect) -> None:
    taken: list[bytes] = []

    def pieces() -> Iterator[bytes]:
        taken.append(b"one")
        yield b"one"

    with unused_port() as port:
        caller = connect(f"http://127.0.0.1:{port.getsockname()[1]}", plugins=[QUICKLY])

        with pytest.raises(ConnectError) as caught:
            caller.fetch("POST", body=StreamBody.once(pieces()))

    assert caught.value.call is not None
    assert caught.value.call.attempts == 3
    assert taken == []


# --- what is tried again


def test_a_post_that_may_have_been_processed_is_sent_once_and_the_error_says_so(serve: Serve, connect: Connect) -> None:
    server = serve(sending_then_resetting())
    caller = connect(server.url, plugins=[QUICKLY])

    with pytest.raises(ConnectionLostError, match="may have been processed") as caught:
        caller.fetch("POST", body=b"pay")

    assert caught.value.call is not None
    assert caught.value.call.may_have_been_processed
    assert len(server.requests) == 1


def test_a_get_is_tried_again_on_a_new_connection(serve: Serve, connect: Connect) -> None:
    server = serve(sending_then_resetting(), sending_then_closing(), answering(reply(b"at last")))
    caller = connect(server.url, plugins=[QUICKLY])

    response = caller.fetch()

    assert response.content == b"at last"
    assert server.connections == 3


@pytest.mark.parametrize(
    "answer",
    [reply(b"x" * 11), CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n", b"220 mail.test ESMTP\r\n"],
    ids=["too-large", "bad-chunk-size", "another-protocol"],
)
def test_what_would_be_wrong_again_is_not_asked_for_again(serve: Serve, connect: Connect, answer: bytes) -> None:
    server = serve(sending(answer))
    caller = connect(server.url, plugins=[QUICKLY], max_body_size=10)

    with pytest.raises(ProtocolError):
        caller.fetch()

    assert len(server.requests) == 1


# --- no connection


def test_a_refused_connection_tells_so_and_no_secret(connect: Connect) -> None:
    with unused_port() as port:
        url = f"http://127.0.0.1:{port.getsockname()[1]}"
        caller = connect(url, plugins=[QUICKLY])

        with pytest.raises(ConnectError, match="Connection refused") as caught:
            caller.fetch("POST", **SECRETS)

    assert_tells_all_but_the_secret(caught.value, url, attempts=3)
    assert caught.value.call is not None
    assert not caught.value.call.may_have_been_processed
    assert not caught.value.sent
    assert isinstance(caught.value.__cause__, Exception)


def test_a_refused_connection_costs_no_slot(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply(b"ok")))
    refused = ("127.0.0.1", server.port)
    real, calls = socket.socket.connect, [0]
    caller = connect(server.url, connect_timeout=3)

    def refuse_first(self: socket.socket, address: Any) -> None:
        calls[0] += address == refused
        if calls[0] <= 3 and address == refused:
            raise ConnectionRefusedError(111, "Connection refused")
        real(self, address)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(socket.socket, "connect", refuse_first)
        for _ in range(3):
            with pytest.raises(ConnectError):
                caller.fetch()
        response = caller.fetch()

    assert response.content == b"ok"


@pytest.mark.parametrize(
    ("limits", "kind"),
    [({"connect_timeout": 0.1}, ConnectTimeoutError), ({"timeout": 0.5}, DeadlineExceededError)],
    ids=["connect-timeout", "deadline"],
)
def test_a_connection_that_does_not_come_about_is_given_up_in_time(
    connect: Connect, limits: Limits, kind: type[JackfieldError]
) -> None:
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):  # beyond its backlog the kernel answers nobody
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        caller = connect(url)

        with pytest.raises(kind) as caught:
            caller.limited(**limits).fetch("POST", **SECRETS)

    assert_tells_all_but_the_secret(caught.value, url)


def test_a_name_that_does_not_exist_is_a_connect_error(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    caller = connect("http://nowhere.test")

    with pytest.raises(ConnectError, match="Name or service not known") as caught:
        caller.fetch("POST", **SECRETS)

    assert not isinstance(caught.value, ConnectTimeoutError)
    assert_tells_all_but_the_secret(caught.value, "http://nowhere.test")


def test_a_name_that_cannot_exist_is_a_typed_error(connect: Connect) -> None:
    url = f"http://{'.'.join(['a' * 63] * 5)}.test"
    caller = connect(url)

    with pytest.raises(JackfieldError) as caught:
        caller.fetch("POST", **SECRETS)

    assert_tells_all_but_the_secret(caught.value, url)


def test_the_second_address_is_tried_when_the_first_is_dead(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(answering(reply(b"by the second")))
    with unused_port() as dead:
        stream = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        both = [(*stream, dead.getsockname()), (*stream, ("127.0.0.1", server.port))]

        def found(*_: object, **__: object) -> list[Any]:
            return both

        monkeypatch.setattr(socket, "getaddrinfo", found)
        caller = connect("http://twice.test")

        response = caller.fetch()

    assert response.content == b"by the second"
    assert server.requests[0].get_all("host") == ["twice.test"]


def test_no_address_is_tried_when_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = VirtualSyncRuntime()
    addresses = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"192.0.2.{n}", 80)) for n in range(10)]

    def ten(*_: object, **__: object) -> list[Any]:
        return addresses

    def hang(self: socket.socket, address: object) -> None:
        runtime.elapsed += 2.5
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "getaddrinfo", ten)
    monkeypatch.setattr(socket.socket, "connect", hang)

    client = SyncShelf("http://many.test", runtime=runtime, timeout=20, connect_timeout=60)
    with client, pytest.raises(DeadlineExceededError):
        client.fetch("GET", {})

    assert runtime.elapsed <= 20.001


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
def test_an_ipv6_address_is_an_origin_like_any_other(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply(b"six")), host="::1")
    caller = connect(server.url)

    response = caller.fetch()

    assert response.content == b"six"
    assert server.requests[0].get_all("host") == [f"[::1]:{server.port}"]


# --- streamed answers


def test_a_stream_is_read_while_it_comes(serve: Serve, connect: Connect) -> None:
    taken = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(headed("Content-Length: 6") + b"one")
        peer.wait(taken)
        peer.send(b"two")
        peer.hang()

    server = serve(script)
    caller = connect(server.url)

    pieces = caller.pieces(after_each=taken.set)

    assert pieces == [b"one", b"two"]


def test_a_stream_closed_early_gives_its_connection_up(serve: Serve, connect: Connect) -> None:
    server = serve(sending(headed("Content-Length: 1000") + b"beginning"), answering(reply(b"next")))
    caller = connect(server.url, connect_timeout=3)

    piece = caller.first_piece()

    assert piece == b"beginning"
    assert server.peer(1).ended.wait(GUARD)
    assert caller.fetch().content == b"next"


def test_a_stream_that_is_forgotten_gives_its_connection_up(serve: Serve, connect: Connect) -> None:
    server = serve(sending(headed("Content-Length: 1000") + b"beginning"), answering(reply(b"next")))
    caller = connect(server.url, connect_timeout=3)

    status = caller.status()
    gc.collect()

    assert status == 200
    assert server.peer(1).ended.wait(GUARD)
    assert caller.fetch().content == b"next"


def test_a_stream_that_was_read_to_its_end_keeps_its_connection_when_it_is_closed(serve: Serve) -> None:
    class Twice(Service):
        @operation
        async def twice(self) -> tuple[bytes, bytes, bytes]:
            response = await self.send(Request("GET", self.url("things")), stream=True)
            assert not isinstance(response.body, bytes)
            pieces = await response.body.read(), await response.body.read(), await response.body.read()
            await response.body.close()
            return pieces

    class SyncTwice(Twice, Client):
        pass

    server = serve(answering(reply(b"all")))

    with SyncTwice(server.url) as client:
        first, second = client.twice(), client.twice()

    assert first == second == (b"all", b"", b"")
    assert server.connections == 1


def test_a_stream_without_end_ends_with_the_deadline(serve: Serve, connect: Connect) -> None:
    server = serve(repeating(CHUNKED, b"5\r\nhello\r\n" * 100, 1_000_000), answering(reply(b"next")))
    caller = connect(server.url)

    with pytest.raises(DeadlineExceededError):
        caller.limited(timeout=0.5).pieces()

    assert server.peer(1).ended.wait(GUARD)
    assert caller.fetch().content == b"next"


def test_an_error_status_of_a_stream_holds_no_connection(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply(b"come back later", status="503 Service Unavailable"), reply(b"next")))
    caller = connect(server.url, connect_timeout=0.5)

    with pytest.raises(UnavailableError) as caught:
        caller.pieces()
    held = caught.value

    assert caller.fetch().content == b"next"
    assert pickle.loads(pickle.dumps(held)).status == 503


def test_a_stream_that_is_tried_again_holds_one_connection_only(serve: Serve, connect: Connect) -> None:
    server = serve(
        answering(reply(b"later", status="503 Service Unavailable"), reply(b"now")), answering(reply(b"now"))
    )
    caller = connect(server.url, plugins=[QUICKLY], connect_timeout=3)

    pieces = caller.pieces()

    assert pieces == [b"now"]


# --- TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)  # pyright: ignore[reportUnknownMemberType] # of pyOpenSSL
    return context


def client_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType] # of pyOpenSSL
    return context


def test_a_server_that_proves_who_it_is_is_talked_to(serve: Serve, connect: Connect, authority: trustme.CA) -> None:
    server = serve(answering(reply(b"x" * 100_000), reply(b"two")), tls=server_context(authority, "127.0.0.1"))
    caller = connect(server.url, ssl_context=client_context(authority))

    first, second = caller.fetch("POST", body=b"b" * 100_000), caller.pieces()

    assert first.content == b"x" * 100_000
    assert second == [b"two"]
    assert server.requests[0].body == b"b" * 100_000
    assert server.connections == 1


@pytest.mark.parametrize(
    ("names", "trusted"),
    [(["127.0.0.1"], False), (["other.test"], True)],
    ids=["unknown-authority", "wrong-host"],
)
def test_a_server_that_cannot_prove_who_it_is_hears_nothing_and_is_not_asked_again(
    serve: Serve, connect: Connect, authority: trustme.CA, names: list[str], trusted: bool
) -> None:
    server = serve(answering(reply()), tls=server_context(authority, *names))
    context = client_context(authority) if trusted else None
    caller = connect(server.url, ssl_context=context, plugins=[QUICKLY])

    with pytest.raises(TLSError, match="certificate verify failed") as caught:
        caller.fetch("POST", **SECRETS)

    assert isinstance(caught.value.__cause__, ssl.SSLError)
    assert_tells_all_but_the_secret(caught.value, server.url)
    assert caught.value.call is not None
    assert not caught.value.call.may_have_been_processed
    assert server.requests == []
    assert server.connections == 1
    assert server.peer(1).ended.wait(GUARD)


@pytest.mark.parametrize("script", [closing_at_once, resetting_at_once], ids=["closed", "reset"])
def test_a_handshake_that_is_cut_says_nothing_about_certificates_and_is_tried_again(
    serve: Serve, connect: Connect, authority: trustme.CA, script: Script
) -> None:
    def cut(peer: Peer) -> None:
        peer.read(16)
        script(peer)

    server = serve(cut)
    caller = connect(server.url.replace("http:", "https:"), ssl_context=client_context(authority), plugins=[QUICKLY])

    with pytest.raises(ConnectError) as caught:
        caller.fetch()

    assert not isinstance(caught.value, TLSError)
    assert server.connections == 3


@pytest.mark.parametrize(
    ("limits", "kind"),
    [({"connect_timeout": 0.1}, ConnectTimeoutError), ({"timeout": 0.5}, DeadlineExceededError)],
    ids=["connect-timeout", "deadline"],
)
def test_a_handshake_that_hangs_is_given_up_in_time(
    serve: Serve, connect: Connect, authority: trustme.CA, limits: Limits, kind: type[JackfieldError]
) -> None:
    def silent(peer: Peer) -> None:
        peer.hang(PATIENCE)

    server = serve(silent)
    caller = connect(server.url.replace("http:", "https:"), ssl_context=client_context(authority))

    with pytest.raises(kind):
        caller.limited(**limits).fetch()

    assert server.peer(1).ended.wait(GUARD)


def test_a_handshake_that_drips_is_stopped_by_the_deadline(
    serve: Serve, connect: Connect, authority: trustme.CA
) -> None:
    def script(peer: Peer) -> None:
        peer.read(16)
        peer.drip([b"\x16\x03\x03\x3f\xff", *[b"\x00"] * 150])
        peer.hang(PATIENCE)

    server = serve(script)
    caller = connect(server.url.replace("http:", "https:"), ssl_context=client_context(authority))

    with pytest.raises(DeadlineExceededError):
        caller.limited(timeout=0.5).fetch()


def test_a_server_of_tls_that_is_talked_to_in_clear_is_a_typed_error(
    serve: Serve, connect: Connect, authority: trustme.CA
) -> None:
    server = serve(answering(reply()), tls=server_context(authority, "127.0.0.1"))
    url = server.url.replace("https:", "http:")
    caller = connect(url)

    with pytest.raises((ProtocolError, ConnectionLostError)) as caught:
        caller.fetch("POST", **SECRETS)

    assert_tells_all_but_the_secret(caught.value, url)
    assert server.requests == []


def test_a_server_without_tls_is_not_talked_to_in_clear(serve: Serve, connect: Connect, authority: trustme.CA) -> None:
    heard: list[bytes] = []

    def script(peer: Peer) -> None:
        heard.append(peer.read(65536))
        peer.send(reply(b"in clear"))
        peer.hang(PATIENCE)

    server = serve(script)
    caller = connect(server.url.replace("http:", "https:"), ssl_context=client_context(authority))

    with pytest.raises(TLSError):
        caller.fetch("POST", **SECRETS)

    assert CANARY.encode() not in heard[0]


@pytest.mark.parametrize(
    "answer",
    [headed("Content-Length: 5") + b"hel", CHUNKED + b"5\r\nhel", headed() + b"hel"],
    ids=["length", "chunked", "until-closed"],
)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_body_cut_without_the_farewell_of_tls_is_an_error(
    serve: Serve, connect: Connect, authority: trustme.CA, answer: bytes, streamed: bool
) -> None:
    server = serve(sending_then_closing(answer), answering(reply(b"next")), tls=server_context(authority, "127.0.0.1"))
    caller = connect(server.url, ssl_context=client_context(authority))

    with pytest.raises((TruncatedBodyError, ConnectionLostError)):
        (caller.pieces if streamed else caller.fetch)()

    assert caller.fetch().content == b"next"


def test_a_whole_body_needs_no_farewell_of_tls(serve: Serve, connect: Connect, authority: trustme.CA) -> None:
    server = serve(
        sending_then_closing(reply(b"hello", "Connection: close")), tls=server_context(authority, "127.0.0.1")
    )
    caller = connect(server.url, ssl_context=client_context(authority))

    assert caller.fetch().content == b"hello"


# --- making and closing


@pytest.mark.parametrize("number", [0, -1])
def test_a_transport_has_at_least_one_connection(number: int) -> None:
    with pytest.raises(ConfigurationError, match="max_connections"):
        Urllib3Transport(max_connections=number)


def test_a_closed_client_says_so_and_closes_again_without_ado(serve: Serve, connect: Connect) -> None:
    server = serve(answering(reply()))
    caller = connect(server.url)
    caller.fetch()

    caller.close()
    caller.close()

    with pytest.raises(UsageError, match="closed"):
        caller.fetch()
    assert server.connections == 1


def test_a_client_that_made_its_own_transport_closes_its_connections(serve: Serve) -> None:
    server = serve(answering(reply()))

    with SyncShelf(server.url) as client:
        client.fetch("GET", {})

    assert server.peer(1).ended.wait(GUARD)


@pytest.mark.parametrize("size", [64 * 1024, 64 * 1024 + 1, 300_000])
def test_a_big_body_of_bytes_goes_out_whole_piece_by_piece(serve: Serve, connect: Connect, size: int) -> None:
    server = serve(answering(reply()))
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)

    connect(server.url).fetch("POST", body=body)

    assert server.requests[0].get_all("content-length") == [str(size)]
    assert server.requests[0].get_all("transfer-encoding") == []
    assert server.requests[0].body == body


def test_a_header_of_blanks_is_judged_in_no_time(serve: Serve, connect: Connect) -> None:
    """A pattern that takes quadratic time would hold this up, and every other thread, for most of a minute."""
    server = serve(sending(b"HTTP/1.1 200 OK\r\nX:" + b" " * 60_000 + b"\x01\r\n\r\n"))

    with pytest.raises(ProtocolError):
        connect(server.url).fetch()


def test_an_answer_has_one_reader(serve: Serve) -> None:
    class Big(Service):
        @operation
        async def open(self) -> Any:
            return (await self.send(Request("GET", self.url()), stream=True)).body

    class BigClient(Big, Client): ...

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        peer.wait(second_has_asked)
        peer.send(b"well")

    second_has_asked, first_reads = threading.Event(), threading.Event()
    server, read = serve(script), list[bytes]()
    runtime = SyncRuntime()
    with BigClient(server.url, runtime=runtime) as client:
        body = client.open()

        def first() -> None:
            first_reads.set()
            read.append(runtime.run(body.read()))

        thread = threading.Thread(target=first)
        thread.start()
        assert first_reads.wait(GUARD)
        while not body._exchange._working:
            pass
        with pytest.raises(UsageError, match="two at once"):
            runtime.run(body.read())
        second_has_asked.set()
        thread.join(GUARD)

    assert read == [b"well"]


@pytest.mark.parametrize(
    "options",
    [{"ssl_context": "ca.pem"}, {"max_connections": "8"}, {"max_connections": True}, {"verify": "ca.pem"}],
    ids=str,
)
def test_settings_of_another_kind_are_refused(options: Any) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        Urllib3Transport(**options)


def test_https_where_nobody_speaks_tls_is_said(serve: Serve) -> None:
    server = serve(lambda peer: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n"))

    with Asker("sync", server.url.replace("http:", "https:")) as ask, pytest.raises(TLSError, match="is it http://"):
        ask()
