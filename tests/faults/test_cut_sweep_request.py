"""Requests that are cut on their way, at every byte: what the service saw at least in part is in doubt, and sent once.

To its client the relay has taken all; of what it passes on the service sees the first bytes, and then an end, or
silence. So the client cannot know, and must say so.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Literal

import pytest
from tests.clients import COLOURS
from tests.faults.sweeping import BODY, LOST, STALL, Fails, Gives, Swept, many_at_once
from tests.servers.scripted import GUARD, Gone, Peer

from jackfield import BadRequestError, ConnectionLostError, ReadTimeoutError, ServiceError, StreamBody
from jackfield.testing import FaultServer, Relay, Reply, Tamper
from jackfield_plugins.retry import Retry, RetryBudget

ANSWER = Reply(body=BODY)
PIECE = bytes(range(256)) * 40  # 10 kB
LONG = 20 * len(PIECE)
Way = Literal["close", "reset", "half-close"]

pytestmark = [pytest.mark.usefixtures("nothing_left"), pytest.mark.parametrize("colour", COLOURS)]


def short(length: int | None = 30) -> StreamBody:
    return StreamBody(lambda: [b"a" * 10, b"b" * 7, b"c" * 13], length=length)


def long(length: int | None = LONG) -> StreamBody:
    return StreamBody(lambda: [PIECE] * 20, length=length)


BODIES: dict[str, Callable[[], bytes | StreamBody]] = {
    "bytes": lambda: b"x" * 53,
    "chunked": lambda: short(None),
    "long": long,
    "long-chunked": lambda: long(None),
}
SHORT = ["bytes", "chunked"]


def quickly() -> Retry:
    """Whatever may be tried again is, at once."""
    return Retry(base=1e-6, cap=1e-6, budget=RetryBudget(1_000_000))


def complaining(peer: Peer) -> None:
    """Answers a request that ends too early, as some servers do."""
    while True:
        peer.arrives()
        try:
            peer.request()
        except Gone:
            peer.send(Reply(400, headers={"connection": "close"}).wire())
            peer.end("close")
            raise
        peer.send(ANSWER.wire())


def sent(swept: Swept, relay: Relay, body: Callable[[], bytes | StreamBody], method: str = "POST") -> int:
    """Bytes of such a request."""
    assert swept.outcome(method, body=body()) == BODY
    return relay.counts[-1]["request"]


def places(size: int) -> list[int]:
    """Every byte of a short request; of a long one some of the head's, those around the pieces' borders, and others."""
    if size < LONG:
        return list(range(size))
    head = size % len(PIECE)
    borders = {at + near for at in range(head, size, len(PIECE)) for near in (-1, 0, 1)}
    return sorted({*range(0, head, 20), *borders, *Random(7).sample(range(size), 20)})


@pytest.mark.parametrize("by", ["close", "reset", "half-close"])
@pytest.mark.parametrize("body", BODIES)
def test_a_post_that_is_cut_anywhere_is_in_doubt_and_was_sent_once(body: str, by: Way, colour: str) -> None:
    with (
        FaultServer(otherwise=ANSWER) as server,
        Relay(server.url) as relay,
        Swept(colour, relay.url, plugins=[quickly()]) as swept,
    ):
        cuts = places(sent(swept, relay, BODIES[body]))
        for at in cuts:
            relay.plan(Tamper(by, at, "request"), None)
            swept.judge(at, swept.outcome(body=BODIES[body]()), Fails(ConnectionLostError))

        assert swept.wrong == []
        assert relay.tampered == len(cuts)
        assert [counts["request"] for counts in relay.counts[1::2]] == cuts
    assert len(server.requests) == 1 + len(cuts)


@pytest.mark.parametrize("body", SHORT)
def test_an_answer_to_a_post_that_was_cut_counts_as_one(body: str, colour: str) -> None:
    with (
        FaultServer(otherwise=complaining) as server,
        Relay(server.url) as relay,
        Swept(colour, relay.url, plugins=[quickly()]) as swept,
    ):
        cuts = places(sent(swept, relay, BODIES[body]))[1:]  # to no byte there is no answer
        for at in cuts:
            relay.plan(Tamper("half-close", at, "request"), None)
            swept.judge(at, swept.outcome(body=BODIES[body]()), Fails(BadRequestError, doubt=False))

    assert swept.wrong == []
    assert sum(counts["request"] > 0 for counts in relay.counts) == 1 + 2 * len(cuts)


@pytest.mark.parametrize("by", ["close", "reset"])
@pytest.mark.parametrize("body", ["long", "long-chunked"])
def test_an_answer_that_comes_before_the_whole_request_is_cut_as_safely(body: str, by: Way, colour: str) -> None:
    refusal = Reply(413, b"too long", {"connection": "close"})

    def refusing(peer: Peer) -> None:
        if b"expected" in peer.head():
            peer.send(refusal.wire())
            peer.drain()
        peer.send(ANSWER.wire())

    head = refusal.wire().index(b"\r\n\r\n") + 4
    places = range(len(refusal.wire()))
    with (
        FaultServer(otherwise=refusing) as server,
        Relay(server.url) as relay,
        Swept(colour, relay.url, plugins=[quickly()]) as swept,
    ):
        for at in places:
            relay.plan(Tamper(by, at))
            outcome = swept.outcome(body=BODIES[body](), headers={"x-is": "expected"})
            relay._plan.clear()
            swept.judge(at, outcome, LOST if at < head else Fails(ServiceError, doubt=False))

    assert swept.wrong == []
    assert relay.tampered == len(places)


@pytest.mark.parametrize("body", BODIES)
def test_a_post_that_stalls_anywhere_is_in_doubt_and_was_sent_once(body: str, colour: str) -> None:
    def one(at: int) -> list[str]:
        with FaultServer(otherwise=ANSWER) as server, Relay(server.url) as relay:
            relay.plan(Tamper("stall", at, "request"))
            with Swept(colour, relay.url, plugins=[quickly()], read_timeout=4 * STALL) as swept:
                outcome = swept.outcome(body=BODIES[body]())
                assert relay.peer(1).ended.wait(GUARD)  # it has met the plan before there is a second
                swept.judge(at, outcome, Fails(ReadTimeoutError))
        return [*swept.wrong, *[f"{at}: {len(relay.counts)} requests"] * (len(relay.counts) != 2)]

    with FaultServer(otherwise=ANSWER) as server, Relay(server.url) as relay, Swept(colour, relay.url) as swept:
        cuts = places(sent(swept, relay, BODIES[body]))
    assert many_at_once(one, cuts[:: 1 + len(cuts) // 40]) == []


@pytest.mark.parametrize("by", ["close", "reset"])
@pytest.mark.parametrize("body", BODIES)
def test_a_put_that_is_cut_anywhere_is_sent_again_whole(body: str, by: Way, colour: str) -> None:
    with (
        FaultServer(otherwise=ANSWER) as server,
        Relay(server.url) as relay,
        Swept(colour, relay.url, plugins=[quickly()]) as swept,
    ):
        cuts = places(sent(swept, relay, BODIES[body], "PUT"))[::7]
        for at in cuts:
            relay.plan(Tamper(by, at, "request"), None)
            swept.judge(at, swept.outcome("PUT", body=BODIES[body]()), Gives())

    assert swept.wrong == []
    assert len(relay.counts) == 1 + 3 * len(cuts)
    assert {request.body for request in server.requests if request.line[:3] == "PUT"} == {server.requests[0].body}


@pytest.mark.parametrize("length", [30, None])
def test_a_put_whose_body_cannot_be_produced_again_is_an_error_and_sent_once(length: int | None, colour: str) -> None:
    with (
        FaultServer(otherwise=ANSWER) as server,
        Relay(server.url) as relay,
        Swept(colour, relay.url, plugins=[quickly()]) as swept,
    ):

        def once() -> StreamBody:
            return StreamBody.once(iter([b"a" * 10, b"b" * 20]), length=length)

        cuts = places(sent(swept, relay, once, "PUT"))[::5]
        for at in cuts:
            relay.plan(Tamper("close", at, "request"), None)
            swept.judge(at, swept.outcome("PUT", body=once()), Fails(ConnectionLostError, doubt=False))

    assert swept.wrong == []
    assert len(relay.counts) == 1 + 2 * len(cuts)
