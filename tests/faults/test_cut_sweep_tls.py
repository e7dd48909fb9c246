"""TLS that is cut at every byte: what ends without TLS's farewell was cut, and within a handshake nothing was sent.

The relay passes TLS on as the bytes it is. Where no tickets are given out, the exchanges of TLS 1.3 are: ClientHello,
and what the server says to it; the client's Finished and request, and the answer. In TLS 1.2 there is one more of the
handshake in between.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from ssl import SSLContext, TLSVersion
from typing import Any, Literal

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
    Gives,
    Line,
    Swept,
    Trusted,
    Way,
    farewell,
    many_at_once,
)
from tests.servers import Peer

from jackfield import ConnectError, ConnectTimeoutError, ReadTimeoutError, Urllib3Transport
from jackfield.testing import Behaviour, FaultServer, Relay, Reply

UNSENT = Fails(ConnectError, doubt=False)
TO_THE_END = Reply(body=BODY, framing="close")

# In both colours, and by both ends: all of the four would take twice the time.
EACH = pytest.mark.parametrize(("by", "colour"), [("close", "sync"), ("reset", "async")])
BOTH = pytest.mark.parametrize("colour", COLOURS)
pytestmark = pytest.mark.usefixtures("nothing_left")


def said(peer: Peer) -> None:
    """The client's request is answered, and TLS ended as it should be."""
    peer.request()
    peer.send(TO_THE_END.wire())
    farewell(peer)


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Trusted:
    return Trusted(tmp_path_factory.mktemp("tls"))


@contextmanager
def line_to(
    trusted: Trusted, colour: str, answer: Behaviour = WHOLE, tls: SSLContext | None = None, **options: Any
) -> Generator[Line]:
    """Through a relay to a server that answers so."""
    transport = Urllib3Transport(ssl_context=trusted.trust)
    with (
        FaultServer(otherwise=answer, tls=tls or trusted.context()) as server,
        Relay(server.url) as relay,
        Swept(colour, relay.url, transport, **options) as swept,
    ):
        yield Line(swept, relay)


@EACH
def test_a_handshake_that_is_cut_anywhere_is_no_connection_and_nothing_is_in_doubt(
    trusted: Trusted, by: By, colour: str
) -> None:
    with line_to(trusted, colour) as line:
        assert line.sweep(1, by, UNSENT, step=1 if by == "close" else 3) > 600
        assert line.sweep(1, by, UNSENT, "request", step=11) > 200

        assert line.swept.wrong == []


@EACH
def test_an_answer_over_tls_that_is_cut_anywhere_is_an_error_of_the_network(
    trusted: Trusted, by: By, colour: str
) -> None:
    with line_to(trusted, colour) as line:
        assert line.sweep(2, by, LOST) > len(WHOLE.wire())

        assert line.swept.wrong == []


@EACH
def test_a_request_over_tls_that_is_cut_anywhere_is_in_doubt(trusted: Trusted, by: By, colour: str) -> None:
    with line_to(trusted, colour) as line:
        assert line.sweep(2, by, LOST, "request", step=1 if by == "close" else 3) > 150

        assert line.swept.wrong == []


@BOTH
@pytest.mark.parametrize("by", ["close", "half-close"])
def test_an_answer_that_ends_with_the_connection_ends_with_the_farewell_of_tls(
    trusted: Trusted, by: By, colour: str
) -> None:
    with line_to(trusted, colour, said) as line:
        assert line.sweep(2, by, LOST, step=1 if by == "close" else 5) > len(TO_THE_END.wire()) + FAREWELL

        assert line.swept.wrong == []


@BOTH
@pytest.mark.parametrize("by", ["close", "half-close", "reset"])
def test_an_answer_that_ends_with_the_connection_and_a_bare_end_of_tcp_is_an_error(
    trusted: Trusted, by: Literal["close", "half-close", "reset"], colour: str
) -> None:
    def bare(peer: Peer) -> None:
        peer.request()
        peer.send(TO_THE_END.wire())
        peer.end(by)

    context = trusted.context()
    with (
        FaultServer(bare, otherwise=WHOLE, tls=context) as server,
        Swept(colour, server.url, Urllib3Transport(ssl_context=trusted.trust)) as swept,
    ):
        swept.judge("the end", swept.outcome(), LOST)

    assert swept.wrong == []


@BOTH
@pytest.mark.parametrize("by", ["close", "half-close"])
def test_an_answer_that_is_whole_by_its_length_needs_no_farewell(trusted: Trusted, by: By, colour: str) -> None:
    def polite(peer: Peer) -> None:
        peer.request()
        peer.send(WHOLE.wire())
        farewell(peer)

    end = len(WHOLE.wire()) + RECORD
    with line_to(trusted, colour, polite) as line:
        assert line.cut(2, by, end - 1, LOST)
        for at in range(end, end + FAREWELL):
            line.cut(2, by, at, Gives())

        assert line.swept.wrong == []
        assert line.relay.tampered > 1


@EACH
def test_tls_1_2_is_cut_as_safely(trusted: Trusted, by: By, colour: str) -> None:
    with line_to(trusted, colour, tls=trusted.context(TLSVersion.TLSv1_2)) as line:
        assert line.sweep(1, by, UNSENT, step=13) > 500
        assert line.sweep(2, by, UNSENT, step=5) > 40
        assert line.sweep(2, by, UNSENT, "request", step=5) > 60
        assert line.sweep(3, by, LOST, step=5) > len(WHOLE.wire())
        assert line.sweep(3, by, LOST, "request", step=5) > 120

        assert line.swept.wrong == []


@EACH
def test_tickets_that_come_before_the_answer_are_no_answer(trusted: Trusted, by: By, colour: str) -> None:
    with line_to(trusted, colour, tls=trusted.context(tickets=2)) as line:
        for exchange in (2, 3):  # they come before the request is on its way, or after
            for at in range(0, 500, 11):
                line.cut(exchange, by, at, LOST)

        assert line.swept.wrong == []
        assert line.relay.tampered > 40


@BOTH
@pytest.mark.parametrize(
    ("exchange", "way", "right"),
    [
        (1, "answer", Fails(ConnectTimeoutError, doubt=False)),
        (1, "request", Fails(ConnectTimeoutError, doubt=False)),
        (2, "answer", Fails(ReadTimeoutError)),
        (2, "request", Fails(ReadTimeoutError)),
    ],
)
def test_tls_that_stalls_anywhere_is_given_up(
    trusted: Trusted, exchange: int, way: Way, right: Fails, colour: str
) -> None:
    patience: Any = {"connect_timeout": 6 * STALL} if exchange == 1 else {"read_timeout": 6 * STALL}

    stalled: list[bool] = []

    def one(at: int) -> list[str]:
        with line_to(trusted, colour, **patience) as line:
            stalled.append(line.cut(exchange, "stall", at, right, way))
        return line.swept.wrong

    end = {(1, "answer"): 700, (1, "request"): 500, (2, "answer"): len(WHOLE.wire()) + RECORD, (2, "request"): 180}
    assert many_at_once(one, range(0, end[exchange, way], end[exchange, way] // 16)) == []
    assert any(stalled)


@BOTH
@pytest.mark.parametrize("way", ["answer", "request"])
def test_a_bit_that_flips_in_tls_is_never_read(trusted: Trusted, way: Way, colour: str) -> None:
    def some(start: int) -> list[str]:
        with line_to(trusted, colour, connect_timeout=1.0, read_timeout=4 * STALL) as line:
            for exchange in (1, 2):
                for at in range(start, 800 if exchange == 1 else 200, 16 * 13):
                    line.flip(exchange, at, way)
        return line.swept.wrong

    assert many_at_once(some, range(0, 16 * 13, 13)) == []
