"""Answers cut at every byte: never a success, never an error that is not ours, and the client's next call succeeds.

By close and reset one position after the other; by a stall many positions at once, as each takes a read timeout. A
plain body that ends where its connection does (RFC 9112 §6.3, 8) is the exception: one that is closed too early is like
one that ends there. With gzip it is not, which has an end of its own.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import pytest
from tests.servers import ScriptedServer

from jackfield import AsyncClient, Client, JackfieldError, NetworkError, ReadTimeoutError, Request, Service, operation
from jackfield.testing import Cut, FaultServer, Relay, Reply, Tamper

BODY = b'{"name": "panel", "sockets": [1, 2, 3], "free": true}'
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
STALL = 0.05  # seconds of silence that the client bears
AT_ONCE = 32  # stalled at one time
By = Literal["close", "reset", "stall"]

BOTH = pytest.mark.parametrize("colour", ["sync", "async"])
pytestmark = pytest.mark.usefixtures("nothing_left")


class Panel(Service):
    @operation
    async def get(self) -> bytes:
        return (await self.send(Request("GET", self.url("panel")))).content


class Api(Panel, Client): ...


class AsyncApi(Panel, AsyncClient): ...


def positions(shape: str, by: By) -> range:
    """Where a cut is an error: everywhere but at the end, or where the body may as well end."""
    wire = SHAPES[shape].wire()
    return range(wire.index(b"\r\n\r\n") + 4 if (shape, by) == ("plain-to-the-end", "close") else len(wire))


async def outcome(call: Callable[[], Awaitable[bytes]]) -> bytes | BaseException:
    try:
        return await call()
    except Exception as error:
        return error


def judge(at: object, cut: bytes | BaseException, following: bytes | BaseException) -> list[str]:
    """What is wrong with what became of a cut answer and of the call after it."""
    wrong: list[str] = []
    if not isinstance(cut, NetworkError):
        wrong.append(f"{at}: {cut!r}")
    if isinstance(cut, JackfieldError) and cut.call is None:
        wrong.append(f"{at}: an error that does not say of which call")
    if following != BODY:
        wrong.append(f"{at}: the next call gave {following!r}")
    return wrong


def nothing() -> None: ...


def sweep(
    colour: str, url: str, places: Iterable[object], *, between: Callable[[], object] = nothing, **options: Any
) -> list[str]:
    """A call that is cut and one that is not for each place, on one client; all that is wrong."""

    async def both(api: Any, place: object) -> list[str]:
        patient = api.with_options(read_timeout=10.0)
        if colour == "async":
            cut = await outcome(api.get)
            between()
            return judge(place, cut, await outcome(patient.get))
        results: list[bytes | BaseException] = []
        for client in (api, patient):
            try:
                results.append(client.get())
            except Exception as error:
                results.append(error)
            between()
        return judge(place, *results)

    async def all_of_them() -> list[str]:
        api: Any = (Api if colour == "sync" else AsyncApi)(url, **options)
        try:
            return [fault for place in places for fault in await both(api, place)]
        finally:
            api.close() if colour == "sync" else await api.aclose()

    return asyncio.run(all_of_them())


@BOTH
@pytest.mark.parametrize("by", ["close", "reset"])
@pytest.mark.parametrize("shape", SHAPES)
def test_an_answer_that_is_cut_anywhere_is_an_error_of_the_network(shape: str, by: By, colour: str) -> None:
    whole = Reply(body=BODY)
    cuts = [Cut(by, at, SHAPES[shape]) for at in positions(shape, by)]
    with FaultServer(*(step for cut in cuts for step in (cut, whole))) as server:
        assert sweep(colour, server.url, [cut.after for cut in cuts]) == []

    assert len(server.requests) == 2 * len(cuts)  # no attempt of its own accord


@BOTH
@pytest.mark.parametrize("shape", SHAPES)
def test_an_answer_that_stalls_anywhere_is_an_error_of_the_network(shape: str, colour: str) -> None:
    def one(at: int) -> list[str]:
        # By connection: where the machine is slow, the first is given up before its request is read.
        with ScriptedServer(Cut("stall", at, SHAPES[shape]), Reply(body=BODY)) as server:
            # The first connection is known to the server before there is a second.
            return sweep(colour, server.url, [at], between=lambda: server.peer(1), read_timeout=STALL)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        assert [fault for faults in threads.map(one, positions(shape, "stall")) for fault in faults] == []


@BOTH
@pytest.mark.parametrize("shape", SHAPES)
def test_an_answer_that_is_whole_is_read_whatever_becomes_of_the_connection_then(shape: str, colour: str) -> None:
    endings = [Cut(by, None, SHAPES[shape]) for by in ("close", "reset", "half-close")]
    if SHAPES[shape].framing == "close":
        endings = endings[::2]  # a reset is no end
    with FaultServer(*endings) as server:

        async def one() -> bytes:  # a client each: what ends after an answer may end before it is known to
            if colour == "sync":
                with Api(server.url) as api:
                    return api.get()
            async with AsyncApi(server.url) as awaited:
                return await awaited.get()

        assert [asyncio.run(one()) for _ in endings] == [BODY] * len(endings)


@BOTH
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_gzip_stream_that_is_cut_is_an_error_though_its_length_is_right(
    framing: Literal["length", "chunked", "close"], colour: str
) -> None:
    cuts = [Reply(body=PACKED[:at], headers=GZIP, framing=framing) for at in range(1, len(PACKED))]
    with FaultServer(*(step for cut in cuts for step in (cut, Reply(body=BODY)))) as server:
        assert sweep(colour, server.url, [len(cut.body) for cut in cuts]) == []


@BOTH
def test_a_gzip_stream_with_a_flipped_bit_is_never_taken_for_the_body(colour: str) -> None:
    reply = SHAPES["gzip"]
    start = len(reply.wire()) - len(PACKED) + 10  # the gzip head holds fields that mean nothing
    with FaultServer(otherwise=reply) as server, Relay(server.url) as relay:
        places = range(start, len(reply.wire()))
        relay.plan(*(step for at in places for step in (Tamper("flip", at), None)))

        assert sweep(colour, relay.url, places) == []


@BOTH
@pytest.mark.parametrize("by", ["close", "reset"])
def test_a_relay_that_cuts_does_no_more_harm_than_a_server(by: Literal["close", "reset"], colour: str) -> None:
    reply = SHAPES["chunked"]
    places = range(0, len(reply.wire()), 3)
    with FaultServer(otherwise=reply) as server, Relay(server.url) as relay:
        relay.plan(*(step for at in places for step in (Tamper(by, at), None)))

        assert sweep(colour, relay.url, places) == []


def test_the_sweep_sees_what_is_wrong() -> None:
    right = ReadTimeoutError("late")
    right.call = object()  # type: ignore[assignment]  # any will do

    assert judge(3, right, BODY) == []
    assert judge(3, b"", BODY) == ["3: b''"]
    assert judge(3, ValueError("naked"), BODY) == ["3: ValueError('naked')"]
    assert len(judge(3, ReadTimeoutError("late"), BODY)) == 1
    assert len(judge(3, right, b"late answer of the call before")) == 1
