"""F01-F10, F36-F39, F45: connections that do not come about, hang, or end too early; in both colours.

Every case also asks once more, and gets a good answer: the client is well after whatever came.
What a cut or a silence within an answer does is in tests/jackfield/test_transport.py, byte by byte.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest
from tests.clients import COLOURS, Asker
from tests.servers import GUARD, Peer, Script
from tests.servers.certificates import Authority
from tests.servers.proxy import ESTABLISHED, tunnelling

from jackfield import (
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    DeadlineExceededError,
    JackfieldError,
    Proxy,
    ProxyError,
    TLSError,
    TruncatedBodyError,
    Urllib3Transport,
)
from jackfield_plugins.retry import Retry

if TYPE_CHECKING:
    from tests.servers import Serve

pytestmark = [pytest.mark.usefixtures("nothing_left"), pytest.mark.parametrize("colour", COLOURS)]


def quickly() -> Retry:
    """With a budget of its own."""
    return Retry(base=1e-6, cap=1e-6)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
METHODS = ["GET", "POST"]
TCP = (socket.AF_INET, socket.SOCK_STREAM, 6, "")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def answering(peer: Peer) -> None:
    for _ in peer.requests():
        peer.send(OK)


@contextmanager
def dead_port() -> Generator[tuple[str, int]]:
    """Where connections are refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()


@contextmanager
def hanging_port() -> Generator[tuple[str, int]]:
    """Where connections neither come about nor fail: beyond its backlog the kernel answers nobody."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield full.getsockname()


class Names:
    """Stands in for the system's look-up: gives these addresses, or raises, or waits until it is told."""

    def __init__(self, outcome: list[tuple[str, int]] | Exception | threading.Event) -> None:
        self.outcome = outcome
        self.asked = 0

    def __call__(self, host: str, port: int, *rest: object, flags: int = 0, **options: object) -> list[Any]:
        if flags:
            raise socket.gaierror(socket.EAI_NONAME, "it is a name")
        self.asked += 1
        if isinstance(self.outcome, threading.Event):
            self.outcome.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "too late")
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return [(*TCP, address) for address in self.outcome]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Names]:
    def stand_in(outcome: Any) -> Names:
        found = Names(outcome)
        monkeypatch.setattr(socket, "getaddrinfo", found)
        return found

    return stand_in


# --- F01, F02


@pytest.mark.parametrize("method", METHODS)
def test_f01_a_refused_connection_is_tried_again_whatever_the_method(colour: str, method: str) -> None:
    with (
        dead_port() as (host, port),
        Asker(colour, f"http://{host}:{port}", plugins=[quickly()]) as asked,
        pytest.raises(ConnectError, match="refused") as caught,
    ):
        asked(method, body=b"x")

    assert not caught.value.permanent
    assert caught.value.call is not None
    assert caught.value.call.attempts == 3
    assert not caught.value.call.may_have_been_processed


@pytest.mark.parametrize("method", METHODS)
def test_f02_a_connection_that_hangs_is_given_up_in_time_and_tried_again(colour: str, method: str) -> None:
    with (
        hanging_port() as (host, port),
        Asker(colour, f"http://{host}:{port}", plugins=[quickly()], connect_timeout=0.05) as asked,
        pytest.raises(ConnectTimeoutError) as caught,
    ):
        asked(method, body=b"x")

    assert caught.value.call is not None
    assert caught.value.call.attempts == 3
    assert caught.value.call.elapsed < 2


# --- F03: names


def test_f03_a_name_that_does_not_exist_is_an_error_for_good(colour: str, names: Callable[..., Names]) -> None:
    looked_up = names(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))

    with Asker(colour, "http://nowhere.test") as asked, pytest.raises(ConnectError, match="not known") as caught:
        asked()

    assert caught.value.permanent
    assert looked_up.asked == 1


@pytest.mark.parametrize("method", METHODS)
def test_f03_a_look_up_that_fails_for_now_is_tried_again(colour: str, method: str, names: Callable[..., Names]) -> None:
    looked_up = names(socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"))

    with (
        Asker(colour, "http://later.test", plugins=[quickly()]) as asked,
        pytest.raises(ConnectError, match="Temporary") as caught,
    ):
        asked(method, body=b"x")

    assert not caught.value.permanent
    assert looked_up.asked == 3


@pytest.mark.parametrize(
    ("limits", "kind"),
    [({"connect_timeout": 0.1}, ConnectTimeoutError), ({"timeout": 0.1}, DeadlineExceededError)],
    ids=["connect-timeout", "deadline"],
)
def test_f03_a_look_up_that_hangs_is_given_up_in_time(
    colour: str, limits: dict[str, Any], kind: type[JackfieldError], names: Callable[..., Names]
) -> None:
    told = threading.Event()
    names(told)

    with Asker(colour, "http://slow.test", **limits) as asked, pytest.raises(kind) as caught:
        asked()

    told.set()
    assert caught.value.call is not None
    assert caught.value.call.elapsed < 0.9


def test_f03_no_more_look_ups_hang_than_so_many(
    colour: str, names: Callable[..., Names], monkeypatch: pytest.MonkeyPatch
) -> None:
    from jackfield import _reach

    monkeypatch.setattr(_reach, "_look_ups", _reach.LookUps(2))
    told = threading.Event()
    looked_up = names(told)

    with Asker(colour, "http://slow.test", connect_timeout=0.02) as asked:
        for _ in range(4):
            with pytest.raises(ConnectTimeoutError):
                asked()

    assert looked_up.asked == 2
    told.set()


# --- F04: several addresses


@pytest.mark.parametrize("first", [dead_port, hanging_port], ids=["refused", "hangs"])
@pytest.mark.parametrize("method", METHODS)
def test_f04_the_second_address_is_there_when_the_first_is_dead(
    serve: Serve, colour: str, method: str, first: Any, names: Callable[..., Names]
) -> None:
    server = serve(answering)
    with first() as dead:
        names([dead, ("127.0.0.1", server.port)])
        began = monotonic()

        with Asker(colour, "http://twice.test", connect_timeout=5) as asked:
            answer = asked(method, body=b"x")

    assert answer.content == b"ok"
    assert monotonic() - began < 1
    assert len(server.requests) == 1


def test_f04_a_first_address_that_is_slow_still_wins_if_it_answers_before_the_second(
    serve: Serve, colour: str, names: Callable[..., Names]
) -> None:
    server = serve(answering)
    with hanging_port() as hangs:
        names([hangs, ("127.0.0.1", server.port), hangs])

        with Asker(colour, "http://thrice.test", connect_timeout=5) as asked:
            assert asked().content == b"ok"

    assert server.connections == 1


def test_f04_all_that_hang_share_the_time(colour: str, names: Callable[..., Names]) -> None:
    with hanging_port() as hangs:
        names([hangs] * 4)

        with (
            Asker(colour, "http://four.test", connect_timeout=0.6) as asked,
            pytest.raises(ConnectTimeoutError) as caught,
        ):
            asked()

    assert caught.value.call is not None
    assert caught.value.call.elapsed < 1.2


def test_f04_when_all_are_dead_the_last_failure_is_told(colour: str, names: Callable[..., Names]) -> None:
    with dead_port() as dead:
        names([dead, dead])

        with Asker(colour, "http://dead.test") as asked, pytest.raises(ConnectError, match="refused"):
            asked()


def test_f04_a_name_without_an_address_is_a_connect_error(colour: str, names: Callable[..., Names]) -> None:
    names([])

    with Asker(colour, "http://empty.test") as asked, pytest.raises(ConnectError, match="cannot connect"):
        asked()


# --- F07, F39: kept connections


def test_f39_a_server_that_closes_after_some_requests_goes_unnoticed(serve: Serve, colour: str) -> None:
    def two(peer: Peer) -> None:
        for n in range(2):
            peer.request()
            peer.send(OK if n == 0 else OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        peer.close()

    server = serve(two)

    with Asker(colour, server.url) as asked:
        answers = [asked("POST", body=b"x").content for _ in range(200)]

    assert answers == [b"ok"] * 200
    assert len(server.requests) == 200
    assert server.connections == 100


# --- F36: TLS


def tls_client(authority: Authority) -> Urllib3Transport:
    return Urllib3Transport(ssl_context=authority.client_context())


@pytest.mark.parametrize("ending", ["close", "reset"])
@pytest.mark.parametrize("method", METHODS)
def test_f36_a_handshake_that_is_cut_is_tried_again_as_nothing_was_sent(
    serve: Serve, authority: Authority, tmp_path: Path, colour: str, method: str, ending: str
) -> None:
    context = authority.issue("127.0.0.1").server_context(tmp_path)

    def cut(peer: Peer) -> None:
        peer.read(16)
        peer.close() if ending == "close" else peer.reset()

    def well(peer: Peer) -> None:
        peer.secure(context)
        answering(peer)

    server = serve(cut, cut, well)

    with Asker(colour, server.url.replace("http:", "https:"), tls_client(authority), plugins=[quickly()]) as asked:
        assert asked(method, body=b"x").content == b"ok"

    assert server.connections == 3


def test_f36_what_is_not_tls_is_not_asked_again(serve: Serve, authority: Authority, colour: str) -> None:
    def garbage(peer: Peer) -> None:
        peer.read(16)
        peer.send(b"\x16\x03\x03\x00\x05hello" * 3)
        peer.hang(3)

    server = serve(garbage)

    with (
        Asker(colour, server.url.replace("http:", "https:"), tls_client(authority), plugins=[quickly()]) as asked,
        pytest.raises(TLSError),
    ):
        asked()

    assert server.connections == 1


@pytest.mark.parametrize(
    ("limits", "kind"),
    [({"connect_timeout": 0.5}, ConnectTimeoutError), ({"timeout": 0.5}, DeadlineExceededError)],
    ids=["connect-timeout", "deadline"],
)
@pytest.mark.parametrize("dripping", [False, True], ids=["silent", "dripping"])
def test_f36_look_up_connection_and_handshake_share_the_time(
    serve: Serve,
    authority: Authority,
    colour: str,
    limits: dict[str, Any],
    kind: type[JackfieldError],
    dripping: bool,
) -> None:
    def script(peer: Peer) -> None:
        peer.read(16)
        if dripping:
            peer.drip([b"\x16\x03\x03\x3f\xff", *[b"\x00"] * 300])
        peer.hang(5)

    server = serve(script)

    with (
        Asker(colour, server.url.replace("http:", "https:"), tls_client(authority), **limits) as asked,
        pytest.raises(kind) as caught,
    ):
        asked()

    assert caught.value.call is not None
    assert 0.49 < caught.value.call.elapsed < 0.95


# --- F45: proxies


def connecting(answer: bytes, ending: str = "close") -> Script:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer)
        peer.close() if ending == "close" else peer.reset()

    return script


def failing_through(colour: str, transport: Urllib3Transport, **options: Any) -> ProxyError:
    with Asker(colour, "https://service.test", transport, **options) as asked, pytest.raises(ProxyError) as caught:
        asked("POST", body=b"x")
    assert not caught.value.sent
    assert caught.value.call is not None
    assert not caught.value.call.may_have_been_processed
    return caught.value


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_f45_a_proxy_that_is_not_there_is_tried_again(colour: str, scheme: str) -> None:
    with dead_port() as (host, port):
        transport = Urllib3Transport(proxy=f"http://{host}:{port}")
        with (
            Asker(colour, f"{scheme}://service.test", transport, plugins=[quickly()]) as asked,
            pytest.raises(ProxyError, match="refused") as caught,
        ):
            asked("POST", body=b"x")

    assert caught.value.call is not None
    assert caught.value.call.attempts == 3


HOSTILE = {
    "502": (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\nnope", "502", False),
    "503": (b"HTTP/1.1 503 Busy\r\n\r\n", "503", False),
    "403": (b"HTTP/1.1 403 Forbidden\r\n\r\n", "403", True),
    "407": (b"HTTP/1.1 407 Who are you\r\n\r\n", "407", True),
    "302": (b"HTTP/1.1 302 Found\r\nLocation: http://evil.test/\r\n\r\n", "302", False),
    "101": (b"HTTP/1.1 101 Switching\r\n\r\n", "no answer to CONNECT", True),
    "nothing": (b"", "no answer to CONNECT", False),
    "half-a-head": (b"HTTP/1.1 200 OK\r\nX-A", "no answer to CONNECT", False),
    "garbage": (b"\x00\x01\x02\r\n\r\n", "no answer to CONNECT", True),
    "http/0.9": (b"<html>hello</html>\r\n", "no answer to CONNECT", True),
    "endless-line": (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000, "no answer to CONNECT", True),
    "endless-headers": (b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 5000, "no answer to CONNECT", True),
    "endless-interim": (b"HTTP/1.1 100 Continue\r\n\r\n" * 5000, "no answer to CONNECT", True),
    "speaks-first": (ESTABLISHED + b"\x15\x03\x03", "bytes of its own", True),
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_f45_a_proxy_that_opens_no_tunnel_is_a_proxy_error(serve: Serve, colour: str, hostile: str) -> None:
    answer, told, permanent = HOSTILE[hostile]
    proxy = serve(connecting(answer))

    error = failing_through(colour, Urllib3Transport(proxy=proxy.url))

    assert told in error.message
    assert error.permanent is permanent
    assert len(proxy.requests) == 1


@pytest.mark.parametrize("dripping", [False, True], ids=["silent", "dripping"])
@pytest.mark.parametrize(
    ("limits", "kind"),
    [({"connect_timeout": 0.5}, ConnectTimeoutError), ({"timeout": 0.5}, DeadlineExceededError)],
    ids=["connect-timeout", "deadline"],
)
def test_f45_a_proxy_that_takes_its_time_is_given_up(
    serve: Serve, colour: str, dripping: bool, limits: dict[str, Any], kind: type[JackfieldError]
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        if dripping:
            peer.send(b"HTTP/1.1 200 OK\r\nX: ")
            peer.drip([b"a"] * 300)
        peer.hang(5)

    proxy = serve(script)

    with (
        Asker(colour, "https://service.test", Urllib3Transport(proxy=proxy.url), **limits) as asked,
        pytest.raises(kind) as caught,
    ):
        asked()

    assert caught.value.call is not None
    assert 0.49 < caught.value.call.elapsed < 0.95


@pytest.mark.parametrize("ending", ["close", "reset"])
def test_f45_a_tunnel_that_is_cut_in_the_handshake_is_tried_again(
    serve: Serve, authority: Authority, tmp_path: Path, colour: str, ending: str
) -> None:
    origin = serve(answering, tls=authority.issue("service.test").server_context(tmp_path))
    proxy = serve(connecting(ESTABLISHED, ending), tunnelling(origin.port))
    transport = Urllib3Transport(proxy=proxy.url, ssl_context=authority.client_context())

    with Asker(colour, "https://service.test", transport, plugins=[quickly()]) as asked:
        assert asked("POST", body=b"x").content == b"ok"

    assert proxy.connections == 2
    assert len(origin.requests) == 1


@pytest.mark.parametrize("secure", [False, True], ids=["http-proxy", "https-proxy"])
def test_f45_a_tunnel_that_is_cut_within_the_answer_is_an_error_and_the_next_call_is_well(
    serve: Serve, authority: Authority, tmp_path: Path, colour: str, secure: bool
) -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000

    def at_length(peer: Peer) -> None:
        for _ in peer.requests():
            peer.send(long)

    context = authority.issue("service.test", "127.0.0.1").server_context(tmp_path)
    origin = serve(at_length, answering, tls=context)
    proxy = serve(tunnelling(origin.port, at_most=40_000), tunnelling(origin.port), tls=context if secure else None)
    transport = Urllib3Transport(
        proxy=Proxy(proxy.url, ssl_context=authority.client_context()), ssl_context=authority.client_context()
    )

    with Asker(colour, "https://service.test", transport) as asked:
        with pytest.raises((ConnectionLostError, TruncatedBodyError)):
            asked()
        assert asked().content == b"ok"


@pytest.mark.parametrize("dripping", [False, True], ids=["silent", "dripping"])
def test_f36_a_handshake_inside_the_proxy_s_tls_has_no_more_time_than_any(
    serve: Serve, authority: Authority, tmp_path: Path, colour: str, dripping: bool
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(ESTABLISHED)
        peer.read(16)
        if dripping:
            peer.drip([b"\x16\x03\x03\x3f\xff", *[b"\x00"] * 300])
        peer.hang(5)

    proxy = serve(script, tls=authority.issue("127.0.0.1").server_context(tmp_path))
    through = Proxy(proxy.url, ssl_context=authority.client_context())

    with (
        Asker(colour, "https://service.test", Urllib3Transport(proxy=through), timeout=0.4) as asked,
        pytest.raises(DeadlineExceededError) as caught,
    ):
        asked()

    assert caught.value.call is not None
    assert caught.value.call.elapsed < 0.8


def test_f40_an_answer_that_drips_inside_the_proxy_s_tls_keeps_to_the_deadline(
    serve: Serve, authority: Authority, tmp_path: Path, colour: str
) -> None:
    def dripping(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nX: ")
        peer.drip([b"a"] * 300)
        peer.hang(5)

    context = authority.issue("127.0.0.1", "service.test").server_context(tmp_path)
    origin = serve(dripping, tls=context)
    proxy = serve(tunnelling(origin.port), tls=context)
    transport = Urllib3Transport(
        proxy=Proxy(proxy.url, ssl_context=authority.client_context()), ssl_context=authority.client_context()
    )

    with (
        Asker(colour, "https://service.test", transport, timeout=0.5) as asked,
        pytest.raises(DeadlineExceededError) as caught,
    ):
        asked()

    assert caught.value.call is not None
    assert caught.value.call.elapsed < 0.95


def test_f40_a_call_that_is_given_up_inside_the_proxy_s_tls_cuts_its_connection(
    serve: Serve, authority: Authority, tmp_path: Path, colour: str
) -> None:
    def silent(peer: Peer) -> None:
        peer.request()
        peer.hang(5)

    context = authority.issue("127.0.0.1", "service.test").server_context(tmp_path)
    origin = serve(silent, tls=context)
    proxy = serve(tunnelling(origin.port), tls=context)
    transport = Urllib3Transport(
        proxy=Proxy(proxy.url, ssl_context=authority.client_context()), ssl_context=authority.client_context()
    )

    def close_soon() -> None:
        origin.wait_for_requests(1)
        asyncio.run(transport.close())

    with Asker(colour, "https://service.test", transport) as asked:
        closer = threading.Thread(target=close_soon)
        closer.start()
        with pytest.raises(ConnectionLostError):
            asked()
        closer.join()

    assert proxy.peer(1).ended.wait(GUARD)
