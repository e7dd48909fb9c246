"""Streams of operations that are not bounded: they last as long as they go on arriving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jackfield import (
    Call,
    DeadlineExceededError,
    Request,
    Response,
    Service,
    operation,
)
from jackfield._lasting import Lasting

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.jackfield.conftest import Colour

TIMEOUT = 60.0


class Slow:
    """A transport whose stream takes so many seconds for each piece."""

    def __init__(self, pieces: int, size: int, seconds: float) -> None:
        self.left = [b"x" * size] * pieces
        self.seconds = seconds
        self.closed = 0
        self.call: Call | None = None

    async def send(self, request: Request, call: Call) -> Response:
        self.call = call
        return Response(200, body=self)

    async def read(self) -> bytes:
        assert self.call is not None
        await self.call.runtime.sleep(self.call.limit(self.seconds))
        self.call.limit(1)
        return self.left.pop() if self.left else b""

    async def close(self) -> None:
        self.closed += 1


class Core(Service):
    @operation(bounded=False)
    async def long(self, then: Callable[[Any], object] = lambda runtime: None) -> int:
        return await self._count(then)

    @operation
    async def short(self, then: Callable[[Any], object] = lambda runtime: None) -> int:
        return await self._count(then)

    @operation(bounded=False)
    async def poured(self) -> bytes:
        body = (await self.send(Request("GET", self.url()), stream=True)).body
        assert isinstance(body, Lasting)
        taken = bytearray()
        while await body.pour(taken.extend, 100_000):
            pass
        return bytes(taken)

    async def _count(self, then: Callable[[Any], object]) -> int:
        body = (await self.send(Request("GET", self.url()), stream=True)).body
        assert not isinstance(body, bytes)
        count = 0
        while piece := await body.read():
            count += len(piece)
            then(self.runtime)
        await body.close()
        return count


def test_a_stream_may_take_longer_than_the_timeout_as_long_as_it_arrives(colour: Colour) -> None:
    slow = Slow(100, 64 * 1024, TIMEOUT / 2)

    client = colour.client(Core, slow, timeout=TIMEOUT)

    assert colour.get(client.long()) == 100 * 64 * 1024
    assert client.runtime.elapsed > 50 * TIMEOUT / 2
    assert slow.closed == 1


def test_a_stream_that_drips_is_ended(colour: Colour) -> None:
    slow = Slow(100_000, 1, 1.0)
    client = colour.client(Core, slow, timeout=TIMEOUT)

    with pytest.raises(DeadlineExceededError):
        colour.get(client.long())

    assert client.runtime.elapsed == pytest.approx(TIMEOUT)


def test_what_its_reader_does_meanwhile_does_not_count(colour: Colour) -> None:
    def dawdle(runtime: Any) -> None:
        runtime.elapsed += 10 * TIMEOUT

    client = colour.client(Core, Slow(10, 10, 1.0), timeout=TIMEOUT)

    assert colour.get(client.long(dawdle)) == 100


def test_an_operation_that_is_bounded_bounds_its_stream(colour: Colour) -> None:
    client = colour.client(Core, Slow(100, 64 * 1024, TIMEOUT / 2), timeout=TIMEOUT)

    with pytest.raises(DeadlineExceededError):
        colour.get(client.short())


def test_pouring_moves_the_deadline_as_reading_does_whether_the_body_can_pour_or_not(colour: Colour) -> None:
    client = colour.client(Core, Slow(100, 64 * 1024, TIMEOUT / 2), timeout=TIMEOUT)

    assert len(colour.get(client.poured())) == 100 * 64 * 1024


def test_pouring_is_left_to_a_body_that_can(colour: Colour) -> None:
    class Pouring(Slow):
        async def pour(self, sink: Callable[[bytes], object], at_most: int) -> int:
            piece = await self.read()
            sink(piece)
            asked.append(at_most)
            return len(piece)

    asked: list[int] = []
    client = colour.client(Core, Pouring(3, 10, 1.0), timeout=TIMEOUT)

    assert colour.get(client.poured()) == b"x" * 30
    assert asked == [100_000] * 4
