"""The fault matrix, F01-F04, F36, F37, F45: connections that do not come about, or not safely, or by a proxy.

Every case also asks once more, and gets a good answer: the client is well after whatever came.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from ssl import create_default_context
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import pytest
from tests.clients import COLOURS, Asker
from tests.servers import GUARD, Peer, Script
from tests.servers.certificates import DAY, Authority, Issued, self_signed
from tests.servers.proxy import ESTABLISHED, tunnelling

from jackfield import (
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    DeadlineExceededError,
    JackfieldError,
    NetworkError,
    Proxy,
    ProxyError,
    TLSError,
    TruncatedBodyError,
    Urllib3Transport,
)

if TYPE_CHECKING:
    from tests.faults.conftest import Connect, Kind
    from tests.servers import Serve
    from tests.stalls import Stalls

pytestmark = pytest.mark.usefixtures("nothing_left")
COLOURED = pytest.mark.parametrize("colour", COLOURS)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell"
TCP = (socket.SOCK_STREAM, 6, "")


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


Outcome: TypeAlias = list[tuple[str, int]] | Exception | threading.Event


class Names:
    """Stands in for the system's look-up: gives these addresses, or raises, or waits until it is told.

    Args:
        outcomes: of one look-up after the other; the last of them stays.
    """

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcome = outcomes[0]
        self._next = list(outcomes[1:])
        self.asked = 0

    def __call__(self, host: str, port: int, *rest: object, flags: int = 0, **options: object) -> list[Any]:
        if flags:
            raise socket.gaierror(socket.EAI_NONAME, "it is a name")
        self.asked += 1
        outcome, self.outcome = self.outcome, self._next.pop(0) if self._next else self.outcome
        if isinstance(outcome, threading.Event):
            outcome.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "too late")
        if isinstance(outcome, Exception):
            raise outcome
        return [(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, *TCP, address) for address in outcome]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Names]:
    def stand_in(*outcomes: Outcome) -> Names:
        found = Names(*outcomes)
        monkeypatch.setattr(socket, "getaddrinfo", found)
        return found

    return stand_in


# --- F01, F02


def unsent(error: JackfieldError) -> None:
    """Nothing was sent, so that there is no doubt, and the next attempt can do no harm."""
    assert isinstance(error, NetworkError)
    assert not error.sent
    assert error.call is not None
    assert not error.call.may_have_been_processed


def test_f01_a_refused_connection_is_tried_again_whatever_the_method(
    serve: Serve, connect_any: Connect, kind: Kind, names: Callable[..., Names]
) -> None:
    server = serve(answering)
    with dead_port() as dead:
        looked_up = names([dead])
        caller = connect_any("http://service.test", *kind.plugins)

        error = caller.fails(ConnectError, kind.method, attempts=3, body=b"x")
        looked_up.outcome = [("127.0.0.1", server.port)]
        caller.is_well()

    assert "refused" in error.message
    assert not error.permanent
    unsent(error)
    assert len(server.requests) == 1


def test_f01_a_service_that_comes_up_meanwhile_is_asked_once_whatever_the_method(
    serve: Serve, connect_any: Connect, kind: Kind, names: Callable[..., Names]
) -> None:
    server = serve(answering)
    with dead_port() as dead:
        names([dead], [dead], [("127.0.0.1", server.port)])
        caller = connect_any("http://service.test", *kind.plugins)

        assert caller.ask(kind.method, body=b"x").content == b"well"

    assert [request.body for request in server.requests] == [b"x"]


def test_f02_a_connection_that_hangs_is_given_up_in_time_and_tried_again(
    serve: Serve, connect_any: Connect, kind: Kind, names: Callable[..., Names], stalls: Stalls
) -> None:
    server = serve(answering)
    with hanging_port() as hangs:
        looked_up = names([hangs])
        caller = connect_any("http://service.test", *kind.plugins, virtual=False)

        error = caller.view(connect_timeout=0.05).fails(ConnectTimeoutError, kind.method, attempts=3, body=b"x")
        looked_up.outcome = [("127.0.0.1", server.port)]
        caller.is_well()

    unsent(error)
    assert error.call is not None
    assert stalls.in_time(error.call.elapsed, 0.15)
    assert len(server.requests) == 1


def test_f02_a_connection_that_hangs_beyond_the_deadline_is_the_end_of_it(
    connect_any: Connect, kind: Kind, stalls: Stalls
) -> None:
    with hanging_port() as (host, port):
        caller = connect_any(f"http://{host}:{port}", *kind.plugins, virtual=False, timeout=0.5)

        error = caller.fails(DeadlineExceededError, kind.method, body=b"x")

    assert error.call is not None
    assert stalls.in_time(error.call.elapsed, 0.5)
    assert not error.call.may_have_been_processed


# --- F03: names


def test_f03_a_name_that_does_not_exist_is_not_tried_again(
    serve: Serve, connect_any: Connect, kind: Kind, names: Callable[..., Names]
) -> None:
    server = serve(answering)
    looked_up = names(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    caller = connect_any("http://nowhere.test", *kind.plugins)

    error = caller.fails(ConnectError, kind.method, body=b"x")

    assert "not known" in error.message
    assert error.permanent
    assert looked_up.asked == 1
    unsent(error)
    looked_up.outcome = [("127.0.0.1", server.port)]
    caller.is_well()


def test_f03_a_look_up_that_fails_for_now_is_tried_again(
    serve: Serve, connect_any: Connect, kind: Kind, names: Callable[..., Names]
) -> None:
    server = serve(answering)
    looked_up = names(socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"))
    caller = connect_any("http://later.test", *kind.plugins)

    error = caller.fails(ConnectError, kind.method, attempts=3, body=b"x")

    assert "Temporary" in error.message
    assert not error.permanent
    assert looked_up.asked == 3
    unsent(error)
    looked_up.outcome = [("127.0.0.1", server.port)]
    caller.is_well()


@pytest.mark.parametrize(
    ("limits", "told", "attempts", "seconds"),
    [({"connect_timeout": 0.05}, ConnectTimeoutError, 3, 0.15), ({"timeout": 0.5}, DeadlineExceededError, 1, 0.5)],
    ids=["connect-timeout", "deadline"],
)
def test_f03_a_look_up_that_hangs_is_given_up_in_time(
    serve: Serve,
    connect_any: Connect,
    kind: Kind,
    limits: dict[str, Any],
    told: type[JackfieldError],
    attempts: int,
    seconds: float,
    names: Callable[..., Names],
    stalls: Stalls,
) -> None:
    server = serve(answering)
    hanging = threading.Event()
    looked_up = names(hanging)
    caller = connect_any("http://slow.test", *kind.plugins, virtual=False)

    error = caller.view(**limits).fails(told, kind.method, attempts=attempts, body=b"x")

    hanging.set()
    assert error.call is not None
    assert stalls.in_time(error.call.elapsed, seconds)
    assert not error.call.may_have_been_processed
    looked_up.outcome = [("127.0.0.1", server.port)]
    caller.is_well()


@COLOURED
def test_f03_no_more_look_ups_hang_than_so_many(
    colour: str, names: Callable[..., Names], monkeypatch: pytest.MonkeyPatch
) -> None:
    from jackfield import _look_up

    monkeypatch.setattr(_look_up, "_look_ups", _look_up.LookUps(2))
    told = threading.Event()
    looked_up = names(told)

    for name in "abba":
        with (
            Asker(colour, f"http://{name}.slow.test", connect_timeout=0.2) as asked,
            pytest.raises(ConnectTimeoutError),
        ):
            asked()
    with Asker(colour, "http://c.slow.test", connect_timeout=0.2) as asked, pytest.raises(ConnectTimeoutError):
        asked()

    assert looked_up.asked == 2  # a name that hangs is not looked up again beside it, and a third has to wait
    told.set()


# --- F04: several addresses


@contextmanager
def dead_port_of_ipv6() -> Generator[tuple[str, int]]:
    """The same at ::1, which stands first where a name has both; of a machine that has it."""
    try:
        taken = socket.socket(socket.AF_INET6)
        taken.bind(("::1", 0))
    except OSError:
        pytest.skip("there is no IPv6 here")
    with taken:
        yield taken.getsockname()[:2]


@pytest.mark.parametrize("first", [dead_port, dead_port_of_ipv6, hanging_port], ids=["refused", "refused-6", "hangs"])
def test_f04_the_second_address_is_there_within_a_second_when_the_first_is_dead(
    serve: Serve, connect_any: Connect, kind: Kind, first: Any, names: Callable[..., Names], stalls: Stalls
) -> None:
    server = serve(answering)
    with first() as dead:
        names([dead, ("127.0.0.1", server.port)])
        caller = connect_any("http://twice.test", virtual=False)  # which tries nothing again
        began = monotonic()

        answer = caller.ask(kind.method, body=b"x")

        assert monotonic() - began < 1 + stalls.seconds
        assert answer.content == b"well"
        assert [request.body for request in server.requests] == [b"x"]
        caller.is_well()


@COLOURED
def test_f04_a_first_address_that_is_slow_still_wins_if_it_answers_before_the_second(
    serve: Serve, colour: str, names: Callable[..., Names]
) -> None:
    server = serve(answering)
    with hanging_port() as hangs:
        names([hangs, ("127.0.0.1", server.port), hangs])

        with Asker(colour, "http://thrice.test", connect_timeout=5) as asked:
            assert asked().content == b"well"

    assert server.connections == 1


@COLOURED
def test_f04_all_that_hang_share_the_time(colour: str, names: Callable[..., Names], stalls: Stalls) -> None:
    with hanging_port() as hangs:
        names([hangs] * 4)

        with (
            Asker(colour, "http://four.test", connect_timeout=1) as asked,
            pytest.raises(ConnectTimeoutError) as caught,
        ):
            asked()

    assert caught.value.call is not None
    assert stalls.in_time(caught.value.call.elapsed, 1)


@COLOURED
def test_f04_when_all_are_dead_the_last_failure_is_told(colour: str, names: Callable[..., Names]) -> None:
    with dead_port() as dead:
        names([dead, dead])

        with Asker(colour, "http://dead.test") as asked, pytest.raises(ConnectError, match="refused"):
            asked()


@COLOURED
def test_f04_a_name_without_an_address_is_a_connect_error(colour: str, names: Callable[..., Names]) -> None:
    names([])

    with Asker(colour, "http://empty.test") as asked, pytest.raises(ConnectError, match="cannot connect"):
        asked()


# --- F36: TLS

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UNFRAMED = b"HTTP/1.1 200 OK\r\n\r\nwe"
Ending = Literal["close", "reset"]


class Trusting:
    """A service that proves who it is, and who believes it.

    Attributes:
        options: of a transport that trusts the authority.
    """

    def __init__(self, authority: Authority, folder: Path) -> None:
        self.options: dict[str, Any] = {"ssl_context": authority.client_context()}
        self._context = authority.issue("127.0.0.1", "service.test").server_context(folder)

    def transport(self) -> Urllib3Transport:
        return Urllib3Transport(**self.options)

    def script(self, script: Script) -> Script:
        """The same over TLS."""

        def secured(peer: Peer) -> None:
            peer.secure(self._context)
            script(peer)

        return secured


@pytest.fixture(scope="module")
def trusting(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Trusting:
    return Trusting(authority, tmp_path_factory.mktemp("certificates"))


def hanging_handshake(dripping: bool) -> Script:
    def script(peer: Peer) -> None:
        peer.read(16)
        if dripping:
            peer.drip([b"\x16\x03\x03\x3f\xff", *[b"\x00"] * 300])
        peer.drain()

    return script


@pytest.mark.parametrize("by", ["close", "reset"])
@pytest.mark.parametrize("after", [0, 16], ids=["at-once", "after-the-hello"])
def test_f36_a_handshake_that_is_cut_is_tried_again_as_nothing_was_sent(
    serve: Serve, connect_any: Connect, trusting: Trusting, kind: Kind, by: Ending, after: int
) -> None:
    def cut(peer: Peer) -> None:
        peer.arrives()
        if after:
            peer.read(after)
        peer.end(by)

    server = serve(*[cut] * 5, trusting.script(answering))
    caller = connect_any(server.url.replace("http:", "https:"), *kind.plugins, transport=trusting.options)

    error = caller.fails(ConnectError, kind.method, attempts=3, body=b"x")
    answer = caller.ask(kind.method, body=b"x")

    unsent(error)
    assert not isinstance(error, TLSError)
    assert answer.content == b"well"
    assert [request.body for request in server.requests] == [b"x"]
    assert server.connections == 6
    caller.is_well()


@pytest.mark.parametrize("dripping", [False, True], ids=["silent", "dripping"])
def test_f36_a_handshake_that_hangs_is_given_up_in_time_and_tried_again(
    serve: Serve, connect_any: Connect, trusting: Trusting, kind: Kind, dripping: bool, stalls: Stalls
) -> None:
    hanging, well = hanging_handshake(dripping), trusting.script(answering)
    over = threading.Event()

    def script(peer: Peer) -> None:
        (well if over.is_set() else hanging)(peer)

    server = serve(*[script] * 4)
    url = server.url.replace("http:", "https:")
    caller = connect_any(url, *kind.plugins, virtual=False, transport=trusting.options)

    error = caller.view(connect_timeout=0.05).fails(ConnectTimeoutError, kind.method, attempts=3, body=b"x")
    over.set()

    unsent(error)
    assert error.call is not None
    assert stalls.in_time(error.call.elapsed, 0.15)
    caller.is_well()


@COLOURED
@pytest.mark.parametrize("dripping", [False, True], ids=["silent", "dripping"])
def test_f36_a_handshake_that_hangs_beyond_the_deadline_is_the_end_of_it(
    serve: Serve, trusting: Trusting, colour: str, dripping: bool, stalls: Stalls
) -> None:
    server = serve(hanging_handshake(dripping))

    with (
        Asker(colour, server.url.replace("http:", "https:"), trusting.transport(), timeout=0.3) as asked,
        pytest.raises(DeadlineExceededError) as caught,
    ):
        asked()

    assert caught.value.call is not None
    assert stalls.in_time(caught.value.call.elapsed, 0.3)


BAD_RECORDS = {
    "of-a-handshake": b"\x16\x03\x03\x00\x05hello" * 3,
    "of-no-type": b"\x99\x03\x03\x00\x05hello",
    "no-record": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("record", BAD_RECORDS)
def test_f36_what_is_not_tls_is_an_error_and_not_asked_again(
    serve: Serve, connect_any: Connect, trusting: Trusting, kind: Kind, record: str
) -> None:
    def garbage(peer: Peer) -> None:
        peer.read(16)
        peer.send(BAD_RECORDS[record])
        peer.drain()

    server = serve(garbage, trusting.script(answering))
    caller = connect_any(server.url.replace("http:", "https:"), *kind.plugins, transport=trusting.options)

    error = caller.fails(TLSError, kind.method, body=b"x")

    unsent(error)
    assert server.connections == 1
    caller.is_well()


def test_f36_a_bad_record_in_the_answer_is_an_error(
    serve: Serve, connect_any: Connect, trusting: Trusting, kind: Kind
) -> None:
    def garbage(peer: Peer) -> None:
        peer.request()
        peer.send(OK[:-2])
        socket.socket.sendall(peer.socket, b"\x17\x03\x03\x00\x20" + b"x" * 32)  # below TLS
        peer.drain()

    server = serve(trusting.script(garbage), trusting.script(answering))
    caller = connect_any(server.url.replace("http:", "https:"), *kind.plugins, transport=trusting.options)

    error = caller.fails(NetworkError, kind.method, body=b"x")

    assert error.call is not None
    assert error.call.may_have_been_processed == (not kind.repeated)
    assert [request.body for request in server.requests] == [b"x"]
    caller.is_well()


CUT = {"in-the-head": OK[:20], "in-the-body": OK[:-2], "in-a-chunk": CHUNKED + b"4\r\nwe", "unframed": UNFRAMED}


@pytest.mark.parametrize("by", ["close", "reset"])
@pytest.mark.parametrize("sent", CUT)
def test_f36_an_answer_that_is_cut_without_the_farewell_of_tls_is_an_error(
    serve: Serve, connect_any: Connect, trusting: Trusting, kind: Kind, by: Ending, sent: str
) -> None:
    def cut(peer: Peer) -> None:
        peer.request()
        peer.send(CUT[sent])
        peer.settle()
        peer.end(by)

    in_the_callers_hands = connect_any("http://127.0.0.1:9").streams and sent != "in-the-head"
    attempts = 1 if in_the_callers_hands else kind.attempts
    server = serve(*[trusting.script(cut)] * attempts, trusting.script(answering))
    caller = connect_any(server.url.replace("http:", "https:"), *kind.plugins, transport=trusting.options)

    error = caller.fails((ConnectionLostError, TruncatedBodyError), kind.method, attempts=attempts, body=b"x")

    assert error.call is not None
    assert error.call.may_have_been_processed == (not kind.repeated)
    assert [request.body for request in server.requests] == [b"x"] * attempts
    caller.is_well()


@pytest.mark.parametrize("by", ["close", "reset"])
@pytest.mark.parametrize("whole", [OK, CHUNKED + b"4\r\nwell\r\n0\r\n\r\n"], ids=["length", "chunked"])
def test_f36_a_whole_answer_needs_no_farewell_of_tls(
    serve: Serve, connect_any: Connect, trusting: Trusting, kind: Kind, by: Ending, whole: bytes
) -> None:
    def cut(peer: Peer) -> None:
        peer.request()
        peer.send(whole)
        peer.settle()
        peer.end(by)

    server = serve(trusting.script(cut), trusting.script(answering))
    caller = connect_any(server.url.replace("http:", "https:"), transport=trusting.options)  # tries nothing again

    assert caller.ask(kind.method, body=b"x").content == b"well"

    assert server.peer(1).ended.wait(GUARD)
    assert [request.body for request in server.requests] == [b"x"]
    caller.is_well()


# --- F37: certificates


WRONG: dict[str, Callable[[Authority], Issued]] = {
    "unknown-authority": lambda _: Authority().issue("127.0.0.1"),
    "self-signed": lambda _: self_signed("127.0.0.1"),
    "wrong-host": lambda authority: authority.issue("other.test"),
    "expired": lambda authority: authority.issue("127.0.0.1", starts=-2 * DAY, ends=-DAY / 24),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_f37_a_wrong_certificate_is_an_error_and_not_asked_for_again(
    serve: Serve,
    connect_any: Connect,
    trusting: Trusting,
    authority: Authority,
    kind: Kind,
    wrong: str,
    tmp_path: Path,
) -> None:
    context = WRONG[wrong](authority).server_context(tmp_path)

    def impostor(peer: Peer) -> None:
        peer.secure(context)
        answering(peer)

    server = serve(impostor, trusting.script(answering))
    caller = connect_any(server.url.replace("http:", "https:"), *kind.plugins, transport=trusting.options)

    error = caller.fails(TLSError, kind.method, body=b"x")

    assert error.permanent
    assert "certificate verify failed" in error.message
    assert ("is this the address" if wrong == "wrong-host" else "create_default_context(cafile=") in error.message
    unsent(error)
    assert server.requests == []
    assert server.connections == 1
    caller.is_well()


# --- F45: proxies


def connecting(answer: bytes, ending: str = "close") -> Script:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer)
        peer.close() if ending == "close" else peer.reset()

    return script


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_f45_a_proxy_that_is_not_there_is_tried_again(connect_any: Connect, kind: Kind, scheme: str) -> None:
    with dead_port() as (host, port):
        caller = connect_any(f"{scheme}://service.test", *kind.plugins, transport={"proxy": f"http://{host}:{port}"})

        error = caller.fails(ProxyError, kind.method, attempts=3, body=b"x")

    assert "refused" in error.message
    unsent(error)


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
def test_f45_a_proxy_that_opens_no_tunnel_is_a_proxy_error_and_asked_again_if_that_may_help(
    serve: Serve, connect_any: Connect, trusting: Trusting, kind: Kind, hostile: str
) -> None:
    answer, told, permanent = HOSTILE[hostile]
    attempts = 1 if permanent else 3
    origin = serve(trusting.script(answering))
    proxy = serve(*[connecting(answer)] * attempts, tunnelling(origin.port))
    caller = connect_any("https://service.test", *kind.plugins, transport={"proxy": proxy.url, **trusting.options})

    error = caller.fails(ProxyError, kind.method, attempts=attempts, body=b"x")

    assert told in error.message
    assert error.permanent is permanent
    unsent(error)
    assert len(proxy.requests) == attempts
    assert origin.connections == 0
    caller.is_well()


def test_f45_a_proxy_that_passes_nothing_on_in_clear_is_a_proxy_error_and_not_asked_again(
    serve: Serve, connect_any: Connect, kind: Kind
) -> None:
    def refusing(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
        answering(peer)

    proxy = serve(refusing, answering)
    caller = connect_any("http://service.test", *kind.plugins, transport={"proxy": proxy.url})

    error = caller.fails(ProxyError, kind.method, body=b"x")

    assert "407" in error.message
    unsent(error)
    assert len(proxy.requests) == 1
    caller.is_well()


@COLOURED
@pytest.mark.parametrize("dripping", [False, True], ids=["silent", "dripping"])
@pytest.mark.parametrize(
    ("limits", "told"),
    [({"connect_timeout": 0.3}, ConnectTimeoutError), ({"timeout": 0.3}, DeadlineExceededError)],
    ids=["connect-timeout", "deadline"],
)
def test_f45_a_proxy_that_takes_its_time_is_given_up(
    serve: Serve, colour: str, dripping: bool, limits: dict[str, Any], told: type[JackfieldError], stalls: Stalls
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        if dripping:
            peer.send(b"HTTP/1.1 200 OK\r\nX: ")
            peer.drip([b"a"] * 300)
        peer.hang(5)

    proxy = serve(script)
    transport = Urllib3Transport(ssl_context=create_default_context(), proxy=proxy.url)  # loaded before time runs

    with Asker(colour, "https://service.test", transport, **limits) as asked, pytest.raises(told) as caught:
        asked()

    assert caught.value.call is not None
    assert stalls.in_time(caught.value.call.elapsed, 0.3)
    assert not caught.value.call.may_have_been_processed


@pytest.mark.parametrize("by", ["close", "reset"])
def test_f45_a_tunnel_that_is_cut_in_the_handshake_is_tried_again(
    serve: Serve, connect_any: Connect, trusting: Trusting, kind: Kind, by: Ending
) -> None:
    origin = serve(trusting.script(answering))
    proxy = serve(connecting(ESTABLISHED, by), tunnelling(origin.port))
    caller = connect_any("https://service.test", *kind.plugins, transport={"proxy": proxy.url, **trusting.options})

    assert caller.ask(kind.method, body=b"x").content == b"well"

    assert proxy.connections == 2
    assert [request.body for request in origin.requests] == [b"x"]
    caller.is_well()


def test_f45_a_tunnel_that_is_cut_after_the_request_is_an_error_and_tried_again_but_for_a_post(
    serve: Serve, connect_any: Connect, trusting: Trusting, kind: Kind
) -> None:
    def silent(peer: Peer) -> None:
        peer.request()
        peer.close()

    origin = serve(*[trusting.script(silent)] * kind.attempts, trusting.script(answering))
    proxy = serve(tunnelling(origin.port))
    caller = connect_any("https://service.test", *kind.plugins, transport={"proxy": proxy.url, **trusting.options})

    error = caller.fails(ConnectionLostError, kind.method, attempts=kind.attempts, body=b"x")

    assert error.call is not None
    assert error.call.may_have_been_processed == (not kind.repeated)
    assert [request.body for request in origin.requests] == [b"x"] * kind.attempts
    caller.is_well()


@COLOURED
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
        assert asked().content == b"well"


@COLOURED
@pytest.mark.parametrize("dripping", [False, True], ids=["silent", "dripping"])
def test_f36_a_handshake_inside_the_proxy_s_tls_has_no_more_time_than_any(
    serve: Serve, authority: Authority, tmp_path: Path, colour: str, dripping: bool, stalls: Stalls
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
        Asker(colour, "https://service.test", Urllib3Transport(proxy=through), timeout=0.3) as asked,
        pytest.raises(DeadlineExceededError) as caught,
    ):
        asked()

    assert caught.value.call is not None
    assert stalls.in_time(caught.value.call.elapsed, 0.3)


@COLOURED
def test_f10_an_answer_that_drips_inside_the_proxy_s_tls_keeps_to_the_deadline(
    serve: Serve, authority: Authority, tmp_path: Path, colour: str, stalls: Stalls
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
        Asker(colour, "https://service.test", transport, timeout=0.3) as asked,
        pytest.raises(DeadlineExceededError) as caught,
    ):
        asked()

    assert caught.value.call is not None
    assert stalls.in_time(caught.value.call.elapsed, 0.3)


@COLOURED
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
