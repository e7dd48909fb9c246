"""Ways by a proxy that are cut at every byte: a tunnel that is not made is the proxy's fault, and nothing was sent.

An exchange is, through a tunnel: CONNECT; the first half of the handshake with the origin; its second half, the request
and the answer. A proxy of https has a handshake of its own before.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from ssl import SSLSocket
from typing import Any

import pytest
from tests.clients import COLOURS
from tests.faults.sweeping import (
    BODY,
    FAREWELL,
    LOST,
    RECORD,
    STALL,
    WHOLE,
    By,
    Fails,
    Line,
    Swept,
    Trusted,
    Way,
    farewell,
    many_at_once,
)
from tests.servers import Peer, ScriptedServer
from tests.servers.proxy import tunnelling

from jackfield import ConnectError, ConnectTimeoutError, Proxy, ProxyError, Urllib3Transport
from jackfield.testing import FaultServer, Relay, Reply

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\nProxy-Agent: relay\r\n\r\n"
NO_TUNNEL = Fails(ProxyError, doubt=False)
UNSENT = Fails(ConnectError, doubt=False)
TO_THE_END = Reply(body=BODY, framing="close")

BOTH = pytest.mark.parametrize("colour", COLOURS)
EACH = pytest.mark.parametrize(("by", "colour"), [("close", "sync"), ("reset", "async"), ("half-close", "sync")])
pytestmark = pytest.mark.usefixtures("nothing_left")


class Civil(Peer):
    """Ends its own TLS as it should be, whatever it carries."""

    def __init__(self, peer: Peer) -> None:
        self.__dict__ = peer.__dict__

    def close(self) -> None:
        if isinstance(self.socket, SSLSocket):
            with suppress(OSError):  # the client does not wait for it
                self.socket.unwrap()
        super().close()


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Trusted:
    return Trusted(tmp_path_factory.mktemp("tls"))


@contextmanager
def tunnel(trusted: Trusted, colour: str, *, secure: bool = False, **options: Any) -> Generator[Line]:
    """A relay before a proxy, of https if `secure`, through which an origin of TLS is asked."""
    with (
        FaultServer(otherwise=WHOLE, tls=trusted.context()) as origin,
        ScriptedServer(tunnelling(origin.port, ESTABLISHED), tls=trusted.context() if secure else None) as proxy,
        Relay(proxy.url) as relay,
        through(relay.url, f"https://service.test:{origin.port}", trusted, colour, **options) as swept,
    ):
        yield Line(swept, relay)


def through(proxy: str, url: str, trusted: Trusted, colour: str, **options: Any) -> Swept:
    way = Proxy(proxy, ssl_context=trusted.trust)
    return Swept(colour, url, Urllib3Transport(ssl_context=trusted.trust, proxy=way), **options)


@EACH
def test_a_connect_that_is_cut_anywhere_makes_no_tunnel(trusted: Trusted, by: By, colour: str) -> None:
    with tunnel(trusted, colour) as line:
        assert line.sweep(1, by, NO_TUNNEL) == len(ESTABLISHED)
        assert line.sweep(1, by, NO_TUNNEL, "request") > len("CONNECT service.test:1 HTTP/1.1")

        assert line.swept.wrong == []


@EACH
def test_a_tunnel_that_is_cut_anywhere_is_an_error_and_tells_whether_the_request_was_sent(
    trusted: Trusted, by: By, colour: str
) -> None:
    with tunnel(trusted, colour) as line:
        assert line.sweep(2, by, UNSENT, step=23) > 600
        assert line.sweep(2, by, UNSENT, "request", step=31) > 200
        assert line.sweep(3, by, LOST, step=3) > len(WHOLE.wire())
        assert line.sweep(3, by, LOST, "request", step=11) > 150

        assert line.swept.wrong == []


@EACH
def test_a_tunnel_by_a_proxy_of_https_that_is_cut_anywhere_is_an_error(trusted: Trusted, by: By, colour: str) -> None:
    with tunnel(trusted, colour, secure=True) as line:
        assert line.sweep(1, by, NO_TUNNEL, step=61) > 600
        assert line.sweep(2, by, NO_TUNNEL, step=3) > len(ESTABLISHED)
        assert line.sweep(3, by, UNSENT, step=61) > 600
        assert line.sweep(4, by, LOST, step=4) > len(WHOLE.wire())
        # Half closed, it is still told by the proxy that this is no TLS.
        lost = Fails(permanent=None) if by == "half-close" else LOST
        assert line.sweep(4, by, lost, "request", step=13) > 150

        assert line.swept.wrong == []


@BOTH
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_proxy_that_stalls_anywhere_is_given_up(trusted: Trusted, secure: bool, colour: str) -> None:
    stalled: list[bool] = []

    def one(place: tuple[Way, int]) -> list[str]:
        with tunnel(trusted, colour, secure=secure, connect_timeout=6 * STALL) as line:
            stalled.append(line.cut(1 + secure, "stall", place[1], Fails(ConnectTimeoutError, doubt=False), place[0]))
        return line.swept.wrong

    ways: tuple[Way, ...] = ("answer", "request")
    assert many_at_once(one, [(way, at) for way in ways for at in range(0, len(ESTABLISHED), 4)]) == []
    assert any(stalled)


@BOTH
def test_an_answer_within_a_tunnel_ends_by_its_own_farewell_not_by_the_proxys(trusted: Trusted, colour: str) -> None:
    def said(peer: Peer) -> None:
        peer.request()
        peer.send(TO_THE_END.wire())
        farewell(peer)

    def civil(peer: Peer) -> None:
        tunnelling(relay.port, ESTABLISHED)(Civil(peer))

    with (
        FaultServer(otherwise=said, tls=trusted.context()) as origin,
        Relay(origin.url) as relay,
        ScriptedServer(civil, tls=trusted.context()) as proxy,
        through(proxy.url, f"https://service.test:{relay.port}", trusted, colour) as swept,
    ):
        line = Line(swept, relay)
        assert line.sweep(2, "close", LOST, step=4) > len(TO_THE_END.wire()) + RECORD
        for at in range(FAREWELL):
            assert line.cut(2, "close", len(TO_THE_END.wire()) + RECORD + at)

    assert swept.wrong == []


@EACH
def test_an_answer_by_a_proxy_of_plain_http_that_is_cut_anywhere_is_an_error(by: By, colour: str) -> None:
    with (
        FaultServer(otherwise=WHOLE) as proxy,
        Relay(proxy.url) as relay,
        Swept(colour, "http://service.test", Urllib3Transport(proxy=relay.url)) as swept,
    ):
        line = Line(swept, relay)
        assert line.sweep(1, by, LOST) == len(WHOLE.wire())

    assert swept.wrong == []
    assert proxy.requests[0].target == "http://service.test/panel"
