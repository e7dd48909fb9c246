"""Answers cut at every byte: never a success, never an error that is not ours, and the client's next call succeeds.

By close and reset one position after the other; by a stall many positions at once, as each takes a read timeout. A
plain body that ends where its connection does (RFC 9112 §6.3, 8) is the exception: one that is closed too early is like
one that ends there. With gzip it is not, which has an end of its own.
"""

from __future__ import annotations

import gzip
from typing import Literal

import pytest
from tests.clients import COLOURS
from tests.faults.sweeping import BODY, LOST, STALL, Fails, Swept, many_at_once
from tests.servers import ScriptedServer

from jackfield import CallSummary, ConnectError, NotFoundError, ReadTimeoutError
from jackfield.testing import Cut, FaultServer, Relay, Reply, Tamper
from jackfield_plugins.retry import Retry

GZIP = {"content-encoding": "gzip"}
PACKED = gzip.compress(BODY, mtime=0)
SHAPES = {
    "plain": Reply(body=BODY),
    "chunked": Reply(body=BODY, framing="chunked"),
    "gzip": Reply(body=PACKED, headers=GZIP),
    "gzip-chunked": Reply(body=PACKED, headers=GZIP, framing="chunked"),
    "plain-to-the-end": Reply(body=BODY, framing="close"),
    "gzip-to-the-end": Reply(body=PACKED, headers=GZIP, framing="close"),
    "after-103": Reply(body=BODY, interim=(103,)),
}
By = Literal["close", "reset", "stall"]

pytestmark = [pytest.mark.usefixtures("nothing_left"), pytest.mark.parametrize("colour", COLOURS)]


def positions(shape: str, by: By) -> range:
    """Where a cut is an error: everywhere but at the end, or where the body may as well end."""
    wire = SHAPES[shape].wire()
    return range(wire.index(b"\r\n\r\n") + 4 if (shape, by) == ("plain-to-the-end", "close") else len(wire))


@pytest.mark.parametrize("by", ["close", "reset"])
@pytest.mark.parametrize("shape", SHAPES)
def test_an_answer_that_is_cut_anywhere_is_an_error_of_the_network(shape: str, by: By, colour: str) -> None:
    cuts = [Cut(by, at, SHAPES[shape]) for at in positions(shape, by)]
    plan = [step for cut in cuts for step in (cut, Reply(body=BODY))]
    with FaultServer(*plan) as server, Swept(colour, server.url, plugins=[Retry()]) as swept:
        for cut in cuts:
            swept.judge(cut.after, swept.outcome())

    assert swept.wrong == []
    assert len(server.requests) == len(plan)  # a POST is sent once


@pytest.mark.parametrize("shape", SHAPES)
def test_an_answer_that_stalls_anywhere_is_an_error_of_the_network(shape: str, colour: str) -> None:
    def one(at: int) -> list[str]:
        # By connection: where the machine is slow, the first is given up before its request is read.
        with (
            ScriptedServer(Cut("stall", at, SHAPES[shape]), Reply(body=BODY)) as server,
            Swept(colour, server.url, read_timeout=STALL) as swept,
        ):
            outcome = swept.outcome()
            server.peer(1)  # the first connection is known to the server before there is a second
            swept.judge(at, outcome, Fails(ReadTimeoutError))
        return swept.wrong

    places = positions(shape, "stall")
    assert many_at_once(one, places if colour == "sync" else places[::4]) == []


@pytest.mark.parametrize("by", ["close", "reset"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_answer_that_says_no_is_told_if_only_its_body_is_cut(
    framing: Literal["length", "chunked"], by: By, colour: str
) -> None:
    refusal = Reply(404, b'{"error": "no such panel"}', framing=framing)
    head = refusal.wire().index(b"\r\n\r\n") + 4
    places = range(len(refusal.wire()))
    plan = [step for at in places for step in (Cut(by, at, refusal), Reply(body=BODY))]
    with FaultServer(*plan) as server, Swept(colour, server.url, plugins=[Retry()]) as swept:
        for at in places:
            swept.judge(at, swept.outcome(), LOST if at < head else Fails(NotFoundError, doubt=False))

    assert swept.wrong == []
    assert len(server.requests) == len(plan)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_answer_that_is_whole_is_read_whatever_becomes_of_the_connection_then(shape: str, colour: str) -> None:
    endings = [Cut(by, None, SHAPES[shape]) for by in ("close", "reset", "half-close")]
    if SHAPES[shape].framing == "close":
        endings = endings[::2]  # a reset is no end
    with FaultServer(*endings) as server:

        def one() -> bytes | Exception:  # a client each: what ends after an answer may end before it is known to
            with Swept(colour, server.url) as swept:
                return swept.outcome()

        assert [one() for _ in endings] == [BODY] * len(endings)


@pytest.mark.parametrize("by", ["close", "reset", "half-close"])
def test_a_relay_that_cuts_does_no_more_harm_than_a_server(
    by: Literal["close", "reset", "half-close"], colour: str
) -> None:
    reply = SHAPES["chunked"]
    places = range(0, len(reply.wire()), 3)
    with FaultServer(otherwise=reply) as server, Relay(server.url) as relay, Swept(colour, relay.url) as swept:
        relay.plan(*(step for at in places for step in (Tamper(by, at), None)))
        for at in places:
            swept.judge(at, swept.outcome())

    assert swept.wrong == []
    assert relay.tampered == len(places)


def test_the_sweep_sees_what_is_wrong(colour: str) -> None:
    def of(attempts: int = 1, *, doubt: bool = True) -> ReadTimeoutError:
        error = ReadTimeoutError("late")
        error.call = CallSummary("ask", "POST", "http://h/", attempts, 0.0, doubt)
        return error

    with (
        FaultServer(Reply(body=BODY), otherwise=Reply(body=b"late answer")) as server,
        Swept(colour, server.url) as swept,
    ):
        swept.judge(3, of())
        assert swept.wrong == []
        swept.judge(4, of())
        swept.judge(5, b"")
        assert [fault.partition(":")[0] for fault in swept.wrong] == ["4", "5", "5"]

    assert Fails().fault(of()) == ""
    assert Fails(doubt=False).fault(of(doubt=False)) == ""
    for fails, outcome in (
        (Fails(), b""),
        (Fails(), ValueError("naked")),
        (Fails(), ReadTimeoutError("of what call?")),
        (Fails(), of(2)),
        (Fails(), of(doubt=False)),
        (Fails(doubt=False), of()),
        (Fails(ConnectError), of()),
        (Fails(permanent=True), of()),
    ):
        assert fails.fault(outcome), outcome
