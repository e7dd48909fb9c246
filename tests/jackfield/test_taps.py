"""Taps: every byte passes them, none is held, and what they raise ends the body."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from jackfield import AsyncioRuntime, Checksum, Meter, SignatureError, Sink, SyncRuntime, pour, tapped


class Pieces:
    """A body of these pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self.left = list(pieces)
        self.closed = 0

    async def read(self) -> bytes:
        return self.left.pop(0) if self.left else b""

    async def close(self) -> None:
        self.closed += 1


class Pouring(Pieces):
    """One that a transport made, which gives many pieces at a time."""

    async def pour(self, sink: Sink, at_most: int) -> int:
        poured = 0
        while self.left and poured < at_most:
            sink(piece := self.left.pop(0))
            poured += len(piece)
        return poured


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return SyncRuntime().run(work)


def test_each_tap_sees_each_piece_before_the_reader_does_and_the_end_once() -> None:
    seen: list[object] = []
    body = tapped(Pieces(b"one", b"two"), lambda piece: seen.append((1, piece)), lambda piece: seen.append((2, piece)))

    for _ in range(4):
        piece = run(body.read())
        seen.append(piece)

    assert seen == [
        *[(1, b"one"), (2, b"one"), b"one"],
        *[(1, b"two"), (2, b"two"), b"two"],
        *[(1, b""), (2, b""), b"", b""],
    ]


def test_a_body_without_taps_is_the_body_itself() -> None:
    body = Pieces(b"one")

    assert tapped(body) is body


@pytest.mark.parametrize("at", [b"two", b""], ids=["a-piece", "the-end"])
def test_what_a_tap_raises_leaves_as_it_is_and_closes_the_body(at: bytes) -> None:
    error = KeyboardInterrupt()

    def refuse(piece: bytes) -> None:
        if piece == at:
            raise error

    inner = Pieces(b"one", b"two")
    body = tapped(inner, refuse)
    assert run(body.read()) == b"one"

    def read_on() -> None:
        while run(body.read()):
            pass

    with pytest.raises(KeyboardInterrupt) as caught:
        read_on()

    assert caught.value is error
    assert inner.closed == 1


def test_closing_the_tapped_body_closes_what_is_tapped() -> None:
    inner = Pieces(b"one")

    run(tapped(inner, print).close())

    assert inner.closed == 1


def test_a_checksum_passes_what_was_meant_and_refuses_the_rest_at_its_end() -> None:
    right = Checksum("sha256", hashlib.sha256(b"one two").digest())
    wrong = Checksum("sha512", hashlib.sha512(b"one").digest())
    for check in (right, wrong):
        check(b"one ")
        check(b"two")

    right(b"")
    with pytest.raises(SignatureError, match="sha512"):
        wrong(b"")


def test_a_meter_tells_bytes_total_and_rate() -> None:
    told: list[tuple[int, int | None, float]] = []
    times = iter([10.0, 10.0, 12.0, 14.0])
    meter = Meter(
        lambda received, total, rate: told.append((received, total, rate)), 1000, start=100, clock=lambda: next(times)
    )

    for piece in (b"x" * 50, b"x" * 150, b""):
        meter(piece)

    assert told == [(150, 1000, 0.0), (300, 1000, 100.0), (300, 1000, 50.0)]


def test_a_meter_may_not_know_the_total() -> None:
    told: list[int | None] = []

    Meter(lambda received, total, rate: told.append(total))(b"x")

    assert told == [None]


def test_pouring_takes_piece_by_piece_from_a_body_that_offers_no_more() -> None:
    taken: list[bytes | memoryview] = []
    body = Pieces(b"one", b"three")

    counts = [run(pour(body, taken.append, SyncRuntime(), 100)) for _ in range(3)]

    assert counts == [3, 5, 0]
    assert taken == [b"one", b"three"]


def test_pouring_takes_many_pieces_from_a_body_that_offers_them() -> None:
    taken: list[bytes | memoryview] = []
    body = Pouring(b"one", b"two", b"three")

    counts = [run(pour(body, taken.append, SyncRuntime(), 4)) for _ in range(3)]

    assert counts == [6, 5, 0]
    assert taken == [b"one", b"two", b"three"]


def test_pouring_writes_in_a_thread_where_the_client_is_async() -> None:
    threads: list[threading.Thread] = []

    def note(piece: bytes | memoryview) -> None:
        threads.append(threading.current_thread())

    async def work() -> None:
        runtime = AsyncioRuntime()
        await pour(Pieces(b"one"), note, runtime, 100)
        await runtime.close()

    asyncio.run(work())

    assert threads != []
    assert threading.current_thread() not in threads
