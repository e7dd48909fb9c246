"""The server and the relay that users test with: they do what was planned, byte by byte, and end when told."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest
import trustme

from jackfield import (
    Client,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    NetworkError,
    NotFoundError,
    ProtocolError,
    ReadTimeoutError,
    Request,
    Service,
    TruncatedBodyError,
    UnavailableError,
    Urllib3Transport,
    operation,
)
from jackfield.testing import Cut, Drip, FaultServer, HangUp, Peer, Relay, Reply, Tamper, redirect, storm

pytestmark = pytest.mark.usefixtures("nothing_left")


class Core(Service):
    @operation
    async def get(self, name: str = "x") -> bytes:
        return (await self.send(Request("GET", self.url(name)))).content

    @operation
    async def head(self) -> bytes:
        return (await self.send(Request("HEAD", self.url("x")))).content

    @operation
    async def post(self, body: bytes) -> bytes:
        return (await self.send(Request("POST", self.url("x"), body=body))).content


class Api(Core, Client): ...


def raw(url: str, *, expect_reset: bool = False) -> bytes:
    """Everything that a plain GET is answered with, until the connection ends or a second is silent."""
    host, port = url.removeprefix("http://").split(":")
    received = b""
    try:
        with socket.create_connection((host, int(port)), timeout=1) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
            while piece := sock.recv(65536):
                received += piece
    except (ConnectionResetError, BrokenPipeError):
        assert expect_reset
    except TimeoutError:
        received += b"<silence>"
    return received


# --- answers


@pytest.mark.parametrize(
    ("reply", "wire"),
    [
        (Reply(body=b"abc"), b"HTTP/1.1 200 \r\ncontent-length: 3\r\n\r\nabc"),
        (Reply(404, b"", {"X-A": "1"}), b"HTTP/1.1 404 \r\ncontent-length: 0\r\nX-A: 1\r\n\r\n"),
        (Reply(body=b"abc", headers={"Content-Length": "9"}), b"HTTP/1.1 200 \r\nContent-Length: 9\r\n\r\nabc"),
        (
            Reply(body=b"abc", framing="chunked"),
            b"HTTP/1.1 200 \r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
        ),
        (Reply(body=b"", framing="chunked"), b"HTTP/1.1 200 \r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        (Reply(body=b"abc", framing="close"), b"HTTP/1.1 200 \r\nconnection: close\r\n\r\nabc"),
        (Reply(204), b"HTTP/1.1 204 \r\n\r\n"),
        (
            Reply(interim=(100, 103)),
            b"HTTP/1.1 100 \r\n\r\nHTTP/1.1 103 \r\n\r\nHTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n",
        ),
        (redirect("/b"), b"HTTP/1.1 302 \r\ncontent-length: 0\r\nlocation: /b\r\n\r\n"),
        (redirect("/b", 307), b"HTTP/1.1 307 \r\ncontent-length: 0\r\nlocation: /b\r\n\r\n"),
    ],
)
def test_a_reply_is_these_bytes(reply: Reply, wire: bytes) -> None:
    assert reply.wire() == wire


def test_a_storm_is_so_many_refusals() -> None:
    assert storm(3) == [Reply(503)] * 3
    assert storm(1, 429, retry_after="7") == [Reply(429, headers={"retry-after": "7"})]


@pytest.mark.parametrize(
    "wrong",
    [lambda: Cut(after=-1), lambda: Drip(b"", size=0), lambda: Drip(b"", every=-1), lambda: Tamper("close", -1)],
)
def test_what_makes_no_sense_is_refused_when_it_is_made(wrong: Callable[[], object]) -> None:
    with pytest.raises(ConfigurationError):
        wrong()


# --- the plan


def test_each_request_meets_what_the_plan_has_next_and_then_what_is_said_otherwise() -> None:
    with FaultServer(Reply(body=b"one"), Reply(404), otherwise=Reply(body=b"more")) as server, Api(server.url) as api:
        assert api.get("a") == b"one"
        with pytest.raises(NotFoundError):
            api.get("b")
        server.plan(*storm(1))
        with pytest.raises(UnavailableError):
            api.get("c")
        assert [api.get("d"), api.get("e")] == [b"more", b"more"]

    assert [request.target for request in server.requests] == ["/a", "/b", "/c", "/d", "/e"]
    assert server.connections == 1


def test_an_unplanned_request_is_answered_with_an_empty_200() -> None:
    with FaultServer() as server, Api(server.url) as api:
        assert api.get() == b""


def test_a_request_by_head_gets_no_body() -> None:
    with FaultServer(Reply(body=b"long"), Reply(body=b"next")) as server, Api(server.url) as api:
        assert api.head() == b""
        assert api.get() == b"next"
        assert server.connections == 1


def test_interim_answers_framings_and_the_end_of_the_connection_reach_the_client() -> None:
    framings = [Reply(body=b"abc", framing="chunked", interim=(103,)), Reply(body=b"abc", framing="close"), Reply(204)]
    with FaultServer(*framings) as server, Api(server.url) as api:
        assert [api.get() for _ in framings] == [b"abc", b"abc", b""]
        assert server.connections == 2


@pytest.mark.parametrize(
    ("behaviour", "received", "reset"),
    [
        (Cut("close", 20, Reply(body=b"abc")), b"HTTP/1.1 200 \r\nconte", False),
        (Cut("reset", 20, Reply(body=b"abc")), b"HTTP/1.1 200 \r\nconte", True),
        (Cut("half-close", 5), b"HTTP/", False),
        (Cut("stall", 5), b"HTTP/<silence>", False),
        (Cut("close", 0), b"", False),
        (Cut(), Reply().wire(), False),
        (Cut(of=b"garbage\r\n"), b"garbage\r\n", False),
        (HangUp("close"), b"", True),
        (HangUp("reset"), b"", True),
        (HangUp("stall"), b"<silence>", False),
        (Drip(b"drop by drop", every=0, size=5), b"drop by drop<silence>", False),
    ],
)
def test_a_fault_is_these_bytes_and_this_end(behaviour: Callable[[Peer], None], received: bytes, reset: bool) -> None:
    with FaultServer(behaviour) as server:
        assert raw(server.url, expect_reset=reset) == received


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (Cut("reset", after=0), ConnectionLostError),
        (Cut(after=30, of=Reply(body=b"x" * 50)), ConnectionLostError),
        (Cut(of=Reply(body=b"abc", headers={"content-length": "9"})), TruncatedBodyError),
        (Cut("half-close", after=-1 + len(Reply(body=b"abc").wire()), of=Reply(body=b"abc")), TruncatedBodyError),
        (Cut("stall", after=3), ReadTimeoutError),
        (Cut(of=b"garbage\r\n\r\n"), ProtocolError),
        (Drip(Reply(), every=5), ReadTimeoutError),
        (HangUp(), NetworkError),
    ],
)
def test_a_client_sees_the_fault_and_its_next_call_succeeds(
    behaviour: Callable[[Peer], None], error: type[Exception]
) -> None:
    with FaultServer(behaviour, otherwise=Reply(body=b"ok")) as server, Api(server.url) as api:
        with pytest.raises(error):
            api.with_options(read_timeout=0.5).get()
        assert api.get() == b"ok"


def test_a_function_of_yours_is_a_behaviour_too() -> None:
    def early(peer: Peer) -> None:
        peer.head()
        peer.send(Reply(404).wire())
        peer.end("close")

    with FaultServer(early) as server, Api(server.url) as api, pytest.raises(NotFoundError):
        api.post(b"x" * 10)


def test_what_a_function_of_yours_raises_comes_out_at_the_end() -> None:
    def broken(peer: Peer) -> None:
        raise LookupError("a mistake")

    with pytest.raises(AssertionError) as caught, FaultServer(broken) as server:
        assert raw(server.url, expect_reset=True) == b""

    assert isinstance(caught.value.__cause__, LookupError)


def test_an_idle_connection_takes_nothing_of_the_plan() -> None:
    with FaultServer(Reply(body=b"a"), otherwise=Reply(body=b"more")) as server, Api(server.url) as api:
        assert api.get() == b"a"
        server.plan(HangUp("stall"))
        with Api(server.url) as other, pytest.raises(ReadTimeoutError):
            other.with_options(read_timeout=1).get()
        assert api.get() == b"more"


def test_leaving_the_block_ends_what_hangs() -> None:
    with FaultServer(Cut("stall")) as server:
        sock = socket.create_connection(("127.0.0.1", server.port))
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        server.wait_for_requests(1)
    sock.close()


# --- TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def context(authority: trustme.CA) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)  # pyright: ignore[reportUnknownMemberType] # of pyOpenSSL
    return tls


@contextmanager
def trusting(authority: trustme.CA, url: str) -> Generator[Api]:
    trust = ssl.create_default_context()
    authority.configure_trust(trust)  # pyright: ignore[reportUnknownMemberType] # of pyOpenSSL
    transport = Urllib3Transport(ssl_context=trust)
    with Api(url, transport=transport, read_timeout=1.0, connect_timeout=1.0) as api:
        yield api
        api._run(transport.close())


def test_tls_may_be_cut_in_the_handshake_and_in_the_body(authority: trustme.CA) -> None:
    cut = Cut("close", after=-1 + len(Reply(body=b"abc").wire()), of=Reply(body=b"abc"))
    with (
        FaultServer(HangUp("close"), cut, otherwise=Reply(body=b"ok"), tls=context(authority)) as server,
        trusting(authority, server.url) as api,
    ):
        assert server.url.startswith("https://")
        with pytest.raises(ConnectError):
            api.get()
        with pytest.raises(ConnectionLostError):  # no close_notify: TLS itself sees the cut
            api.get()
        assert api.get() == b"ok"


# --- the relay


def test_a_relay_passes_on_and_counts() -> None:
    with FaultServer(otherwise=Reply(body=b"abc")) as server, Relay(server.url) as relay, Api(relay.url) as api:
        assert [api.get(), api.post(b"x" * 100_000)] == [b"abc", b"abc"]
        assert relay.connections == server.connections == 1

    answer = len(Reply(body=b"abc").wire())
    assert [counts["answer"] for counts in relay.counts] == [answer, answer]
    assert relay.counts[0]["request"] == len(server.requests[0].head)
    assert relay.counts[1]["request"] == len(server.requests[1].head) + 100_000


@pytest.mark.parametrize(
    ("tamper", "received", "reset"),
    [
        (Tamper("close", 10), b"HTTP/1.1 2", False),
        (Tamper("reset", 10), b"HTTP/1.1 2", True),
        (Tamper("half-close", 10), b"HTTP/1.1 2", False),
        (Tamper("stall", 10), b"HTTP/1.1 2<silence>", False),
        (Tamper("flip", 0), b"I" + Reply().wire()[1:] + b"<silence>", False),
        (Tamper("close", 10_000), Reply().wire() + b"<silence>", False),
        (None, Reply().wire() + b"<silence>", False),
        (Tamper("close", 3, "request"), b"", False),
    ],
)
def test_a_relay_does_so_after_so_many_bytes(tamper: Tamper | None, received: bytes, reset: bool) -> None:
    with FaultServer() as server, Relay(server.url) as relay:
        relay.plan(tamper)

        assert raw(relay.url, expect_reset=reset or tamper == Tamper("close", 3, "request")) == received

    assert len(server.requests) == (0 if tamper == Tamper("close", 3, "request") else 1)


def test_a_relay_tampers_with_one_exchange_of_a_connection_and_leaves_the_others() -> None:
    with FaultServer(otherwise=Reply(body=b"abc")) as server, Relay(server.url) as relay, Api(relay.url) as api:
        relay.plan(None, Tamper("flip", len(Reply(body=b"abc").wire()) - 1))

        assert [api.get(), api.get(), api.get()] == [b"abc", b"abb", b"abc"]
        assert server.connections == 1


def test_a_stalled_answer_stays_stalled_until_the_client_leaves() -> None:
    with FaultServer(otherwise=Reply(body=b"abc")) as server, Relay(server.url) as relay, Api(relay.url) as api:
        relay.plan(Tamper("stall", 5))
        with pytest.raises(ReadTimeoutError):
            api.with_options(read_timeout=1).get()
        assert api.get() == b"abc"


def test_tls_passes_through_a_relay_and_a_flipped_bit_is_found(authority: trustme.CA) -> None:
    with (
        FaultServer(otherwise=Reply(body=b"abc"), tls=context(authority)) as server,
        Relay(server.url) as relay,
        trusting(authority, relay.url) as api,
    ):
        assert api.get() == b"abc"
        relay.plan(Tamper("flip", 30))
        with pytest.raises(NetworkError):
            api.get()
        assert api.get() == b"abc"


def test_a_relay_before_nothing_ends_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    with Relay(url) as relay, Api(relay.url) as api, pytest.raises(NetworkError):
        api.get()


@pytest.mark.parametrize("upstream", ["", "http://host", "nothing"])
def test_a_relay_stands_before_a_url_with_a_port(upstream: str) -> None:
    with pytest.raises(ConfigurationError, match="with a port"):
        Relay(upstream)


def test_many_clients_at_once_share_one_plan() -> None:
    outcomes: list[Any] = []

    def call(api: Api) -> None:
        try:
            outcomes.append(api.get())
        except UnavailableError:
            outcomes.append("busy")

    with FaultServer(*storm(5), otherwise=Reply(body=b"ok")) as server, Api(server.url) as api:
        threads = [threading.Thread(target=call, args=(api,)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(map(str, outcomes)) == ["b'ok'"] * 15 + ["busy"] * 5
