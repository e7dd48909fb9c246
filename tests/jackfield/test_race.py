"""A race: works started one after the other, of which the first that returns ends the rest."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

import pytest

from jackfield import AsyncioRuntime, ConfigurationError, SyncRuntime, UsageError
from jackfield.testing import SimulatedRuntime, VirtualAsyncioRuntime, VirtualSyncRuntime


class World:
    """Works that end when a test says so, and what became of them."""

    def __init__(self) -> None:
        self.runtime = VirtualAsyncioRuntime()
        self.started: list[str] = []
        self.ended: list[str] = []

    async def give(self, name: str, rounds: int = 0) -> str:
        self.started.append(name)
        try:
            for _ in range(rounds):
                await asyncio.sleep(0)
            return name
        finally:
            self.ended.append(name)

    async def fail(self, name: str, rounds: int = 0) -> str:
        await self.give(name, rounds)
        raise ValueError(name)

    async def hang(self, name: str) -> str:
        self.started.append(name)
        try:
            await asyncio.Event().wait()
            raise AssertionError
        finally:
            await asyncio.sleep(0)  # its clean-up takes a moment
            self.ended.append(name)

    def race(self, *works: Callable[[], Coroutine[Any, Any, str]]) -> Coroutine[Any, Any, str]:
        return self.runtime.race((work() for work in works), 3.0)


def test_a_work_that_need_not_wait_runs_alone_and_takes_no_time() -> None:
    world = World()

    def works() -> Iterator[Coroutine[Any, Any, str]]:
        yield world.give("a")
        raise AssertionError("one was enough")

    assert asyncio.run(world.runtime.race(works(), 3.0)) == "a"
    assert world.runtime.sleeps == []


def test_the_next_starts_when_the_delay_has_passed_and_the_first_to_return_wins() -> None:
    world = World()

    assert asyncio.run(world.race(partial(world.hang, "a"), partial(world.give, "b"))) == "b"
    assert world.started == ["a", "b"]
    assert world.runtime.sleeps == [3.0]


def test_who_lost_has_ended_when_the_race_has() -> None:
    world = World()

    async def main() -> tuple[str, int]:
        winner = await world.race(partial(world.hang, "a"), partial(world.hang, "b"), partial(world.give, "c"))
        return winner, len(asyncio.all_tasks())

    assert asyncio.run(main()) == ("c", 1)
    assert sorted(world.ended) == ["a", "b", "c"]


def test_the_first_may_still_win_after_another_started() -> None:
    world = World()

    assert asyncio.run(world.race(partial(world.give, "a", rounds=6), partial(world.hang, "b"))) == "a"
    assert world.started == ["a", "b"]
    assert world.ended == ["a", "b"]


def test_a_failure_waits_for_those_that_still_run() -> None:
    world = World()

    assert asyncio.run(world.race(partial(world.fail, "a", rounds=6), partial(world.give, "b", rounds=12))) == "b"


def test_when_all_that_started_have_failed_the_first_failure_is_raised_and_no_other_starts() -> None:
    world = World()
    with pytest.raises(ValueError, match=r"^a$"):
        asyncio.run(world.race(partial(world.fail, "a", rounds=6), partial(world.fail, "b"), partial(world.give, "c")))

    assert world.started == ["a", "b"]


def test_when_there_is_no_further_work_the_race_waits_for_what_runs() -> None:
    world = World()

    assert asyncio.run(world.race(partial(world.give, "a", rounds=20))) == "a"
    assert world.runtime.sleeps == [3.0]


@pytest.mark.parametrize("rounds", range(12))
def test_a_race_that_is_cancelled_at_any_moment_leaves_no_task(rounds: int) -> None:
    world = World()

    async def main() -> int:
        race = asyncio.create_task(
            world.race(partial(world.hang, "a"), partial(world.hang, "b"), partial(world.hang, "c"))
        )
        for _ in range(rounds):
            await asyncio.sleep(0)
        race.cancel()
        with pytest.raises(asyncio.CancelledError):
            await race
        return len(asyncio.all_tasks())

    assert asyncio.run(main()) == 1
    assert sorted(world.ended) == world.started
    gc.collect()  # no coroutine is found that nobody awaited


def test_failures_of_those_who_lost_are_nobodys_business(caplog: pytest.LogCaptureFixture) -> None:
    world = World()

    async def spoil(name: str) -> str:
        try:
            return await world.hang(name)
        finally:
            raise ValueError(name)

    assert asyncio.run(world.race(partial(spoil, "a"), partial(world.give, "b"))) == "b"
    gc.collect()
    assert caplog.records == []


def test_a_sync_runtime_says_that_it_cannot_race() -> None:
    world, runtime = World(), SyncRuntime()
    works: Iterator[Coroutine[Any, Any, str]] = (world.give(name) for name in "ab")

    with pytest.raises(ConfigurationError, match="async client"):
        runtime.run(runtime.race(works, 1.0))

    assert world.started == []


@pytest.mark.parametrize(
    "kind", [SyncRuntime, VirtualSyncRuntime, AsyncioRuntime, VirtualAsyncioRuntime, SimulatedRuntime]
)
@pytest.mark.parametrize("works", [[], iter(())])
def test_a_race_of_none_is_refused_by_every_runtime(kind: type[Any], works: Any) -> None:
    runtime = kind()
    race = runtime.race(works, 1.0)

    with pytest.raises(UsageError, match=r"a race of no works has no winner: give it one work or more") as caught:
        asyncio.run(race) if isinstance(runtime, AsyncioRuntime) else runtime.run(race)

    assert type(caught.value) is UsageError


def test_a_sync_runtime_takes_one_work_at_most_and_leaves_none_that_nobody_awaits() -> None:
    world, runtime, taken = World(), SyncRuntime(), list[str]()

    def works() -> Iterator[Coroutine[Any, Any, str]]:
        for name in "ab":
            taken.append(name)
            yield world.give(name)

    with pytest.raises(ConfigurationError):
        runtime.run(runtime.race(works(), 1.0))

    assert (taken, world.started) == (["a"], [])
    gc.collect()  # no coroutine is found that nobody awaited
