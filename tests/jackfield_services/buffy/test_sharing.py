"""One request among threads and tasks: what one of them wishes for is not overruled by what another found before."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.jackfield_services.buffy.buffy_world import CONTENT, NEW, OLD, ORIGIN, FakeBuffy, one, version

from jackfield import Request, Response
from jackfield.testing import FakeTransport
from jackfield_services.buffy import AsyncBuffyClient, BuffyClient
from jackfield_services.buffy._asking import asked_for
from jackfield_services.buffy._order import Order

MANY = 8


@pytest.fixture(autouse=True)
def _often() -> Any:
    """Threads change places as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """The work done by many threads, which begin together."""
    together = threading.Barrier(MANY)

    def begin(number: int) -> Any:
        together.wait(10)
        return work(number)

    with ThreadPoolExecutor(MANY) as pool:
        return [each.result(20) for each in [pool.submit(begin, number) for number in range(MANY)]]


def test_many_threads_order_wait_and_read_one_request() -> None:
    buffy = FakeBuffy(version(NEW), version(OLD))
    with BuffyClient(transport=buffy.transport) as made:
        asked = made.create_request(ORIGIN, hold_request_order=True)

        def work(number: int) -> tuple[str, bytes]:
            for _ in range(4):
                asked.order()
                asked.wait()
            return asked.wait().version, b"".join(asked.download_response_content())

        assert at_once(work) == [(NEW, CONTENT)] * MANY
    assert asked.id == "4e02eb858c03"
    assert asked.response_version == NEW


def test_no_wish_of_a_thread_is_lost() -> None:
    texts, flags = ["prefer_version", "prefer_tag", "force_version", "force_tag"], ["prefer_cached", "fallback"]
    flags += ["prefer_pinned", "force_pinned"]
    names = texts + flags
    for turn in range(50):
        order = Order(asked_for(ORIGIN, None))
        wished = {name: str(turn) for name in texts} | dict.fromkeys(flags, turn % 2 == 0)
        at_once(lambda number, order=order, wished=wished: order.change(**{names[number]: wished[names[number]]}))  # type: ignore[misc]
        assert order.wishes._asdict() == wished


def test_a_version_that_was_chosen_by_older_wishes_is_not_bound() -> None:
    order = Order(asked_for(ORIGIN, None))
    before = order.wishes
    order.wish()
    order.bind(one(NEW), before)
    assert order.bound is None

    order.bind(one(OLD), order.wishes)
    assert order.bound is not None
    order.change(force_tag="x")
    assert order.bound is None


def test_what_a_thread_forces_meanwhile_is_what_it_gets() -> None:
    buffy = FakeBuffy(version(NEW), version(OLD))
    asked: Any = None
    turned: list[str] = []

    def answer(request: Request) -> Response:
        told = buffy._answer(request)
        if request.url.path.endswith("/response") and not turned:
            turned.append("once")
            asked.order(force_version=OLD)  # another thread, while the first one's answer is on its way
        return told

    with BuffyClient(transport=FakeTransport(otherwise=answer)) as made:
        asked = made.create_request(ORIGIN)
        assert asked.wait().version == NEW  # as was wished for when it began
        assert asked.wait().version == OLD
        assert asked.response_version == OLD


def test_many_tasks_use_one_request() -> None:
    buffy = FakeBuffy()

    async def main() -> list[bytes]:
        async with AsyncBuffyClient(transport=buffy.transport) as made:
            asked = await made.create_request(ORIGIN)

            async def work() -> bytes:
                await asked.order()
                return b"".join([piece async for piece in asked.download_response_content()])

            return await asyncio.gather(*(work() for _ in range(MANY)))

    assert asyncio.run(main()) == [CONTENT] * MANY
