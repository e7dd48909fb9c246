"""Pouring from a real connection: what has come is handed on, and what comes next is waited for, in that order."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.clients import COLOURS
from tests.servers import Serve

from jackfield import AsyncClient, Client, ConnectionLostError, Request, Service, operation, pour
from jackfield.testing import Peer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Taking(Service):
    @operation
    async def take(self, sink: Callable[[bytes | memoryview], object]) -> int:
        """How many bytes were poured into the sink."""
        response = await self.send(Request("GET", self.url()), stream=True)
        assert not isinstance(response.body, bytes)
        poured = 0
        while count := await pour(response.body, sink, self.runtime, 1 << 20):
            poured += count
        return poured


class TakingClient(Taking, Client): ...


class AsyncTakingClient(Taking, AsyncClient): ...


def take(colour: str, url: str, sink: Callable[[bytes | memoryview], object]) -> int:
    async def awaited() -> int:
        async with AsyncTakingClient(url) as client:
            return await client.take(sink)

    if colour == "async":
        return asyncio.run(awaited())
    with TakingClient(url) as client:
        return client.take(sink)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("size", [1, 8000, 16_000, 40_000])
def test_what_came_with_the_head_is_handed_on_before_more_is_waited_for(serve: Serve, colour: str, size: int) -> None:
    taken, told = bytearray(), threading.Event()

    def sink(piece: bytes | memoryview) -> None:
        taken.extend(piece)
        if len(taken) >= size:
            told.set()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(HEAD % (size + 5) + b"a" * size)
        peer.wait(told)
        peer.send(b"bbbbb")

    assert take(colour, serve(script).url, sink) == size + 5
    assert taken == b"a" * size + b"bbbbb"


@pytest.mark.parametrize("colour", COLOURS)
def test_what_came_with_the_size_of_its_chunk_is_handed_on_before_more_is_waited_for(serve: Serve, colour: str) -> None:
    taken, told = bytearray(), threading.Event()

    def sink(piece: bytes | memoryview) -> None:
        taken.extend(piece)
        told.set()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(CHUNKED + b"30000\r\n" + b"a" * 500)
        peer.wait(told)
        peer.send(b"b" * (0x30000 - 500) + b"\r\n0\r\n\r\n")

    assert take(colour, serve(script).url, sink) == 0x30000
    assert taken == b"a" * 500 + b"b" * (0x30000 - 500)


@pytest.mark.parametrize("colour", COLOURS)
def test_what_came_before_a_reset_has_gone_to_the_sink(serve: Serve, colour: str) -> None:
    taken, told = bytearray(), threading.Event()

    def sink(piece: bytes | memoryview) -> None:
        taken.extend(piece)
        told.set()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(HEAD % 20_000 + b"a" * 9000)
        peer.wait(told)
        peer.reset()

    with pytest.raises(ConnectionLostError):
        take(colour, serve(script).url, sink)

    assert taken == b"a" * 9000


def test_a_sink_that_keeps_its_pieces_keeps_one_buffer(serve: Serve) -> None:
    kept: list[Any] = []

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(HEAD % 300_000 + b"a" * 300_000)

    take("sync", serve(script).url, kept.append)

    assert {type(piece) for piece in kept} == {memoryview}
    assert len({id(piece.obj) for piece in kept}) == 1
