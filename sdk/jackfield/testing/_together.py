"""Tasks of a simulation under way at once: all of them wanted, or the first that returns."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from jackfield import UsageError

from ._task import Task

if TYPE_CHECKING:
    from ._simulation import SimulatedRuntime

T = TypeVar("T")


async def gather(runtime: SimulatedRuntime, works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """As of `SimulatedRuntime`."""
    failures: list[BaseException] = []
    over = runtime.signal()

    def watch(task: Task[T]) -> None:
        if task.error is not None:
            failures.append(task.error)
        if failures or all(other.done for other in tasks):
            over.set()

    tasks = [runtime.spawn(work) for work in works]
    for task in tasks:
        task.awaited, task.watch = True, watch
    try:
        if tasks:
            await over.wait()
    finally:
        await _stop(tasks)
    if failures:
        raise failures[0]
    return [task.result() for task in tasks]


async def race(runtime: SimulatedRuntime, works: Iterable[Coroutine[Any, Any, T]], delay: float) -> T:
    """As of `Runtime`."""
    runners: list[Task[T]] = []
    over = runtime.signal()

    def decided() -> Task[T] | None:
        done = [runner for runner in runners if runner.done]
        winners = (runner for runner in done if runner.error is None)
        return next(winners, runners[0] if len(done) == len(runners) else None)

    def watch(_: Task[T]) -> None:
        if decided():
            over.set()

    try:
        for work in works:
            runners.append(runtime.spawn(work))
            runners[-1].awaited, runners[-1].watch = True, watch
            await over.wait(delay)
            if decided():
                break
        if not runners:
            raise UsageError("a race of no works has no winner: give it one work or more")
        await over.wait()
        winner = decided()
    finally:
        await _stop(runners)
    assert winner is not None
    return winner.result()


async def _stop(tasks: Iterable[Task[Any]]) -> None:
    """Cancels those that have not ended, and waits for their ends."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        await task.ended.wait()
