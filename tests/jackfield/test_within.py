"""A time limit that costs nothing where nothing is waited for, and is one where something is."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from jackfield._within import Within

T = TypeVar("T")
LONG = 60.0  # seconds that nobody waits


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, LONG / 2))


async def limited(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    return await Within(seconds, work)


def test_work_that_need_not_wait_sets_no_alarm() -> None:
    async def work() -> int:
        return 7

    steps = limited(LONG, work())  # outside of any event loop, where there are no alarms

    with pytest.raises(StopIteration) as ended:
        steps.send(None)

    assert ended.value.value == 7


def test_work_that_waits_goes_on_as_if_it_were_awaited() -> None:
    async def work() -> list[int]:
        seen: list[int] = []
        for number in range(5):
            await asyncio.sleep(0)
            seen.append(number)
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, 5)
        return [*seen, await future]

    assert run(limited(LONG, work())) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("waits", [0, 1, 3])
def test_what_the_work_raises_is_raised(waits: int) -> None:
    async def work() -> None:
        for _ in range(waits):
            await asyncio.sleep(0)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run(limited(LONG, work()))


def test_what_the_work_waits_for_may_fail_and_be_borne() -> None:
    async def work() -> str:
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_exception, KeyError("theirs"))
        try:
            return await future
        except KeyError:
            await asyncio.sleep(0)
            return "borne"

    assert run(limited(LONG, work())) == "borne"


def test_when_the_time_is_up_the_work_is_cancelled_and_cleans_up() -> None:
    cleaned: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(LONG)
        finally:
            await asyncio.sleep(0)
            cleaned.append("up")

    with pytest.raises(TimeoutError):
        run(limited(0.01, work()))

    assert cleaned == ["up"]


def test_a_cancel_from_outside_is_a_cancel() -> None:
    async def main() -> bool:
        task = asyncio.ensure_future(limited(LONG, asyncio.sleep(LONG)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    assert run(main())


def test_what_is_given_up_is_closed() -> None:
    closed: list[bool] = []

    async def work() -> None:
        try:
            await asyncio.sleep(LONG)
        finally:
            closed.append(True)

    async def main() -> None:
        steps = Within(LONG, work()).__await__()
        next(steps)
        steps.close()

    run(main())

    assert closed == [True]
