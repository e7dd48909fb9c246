"""An event loop that skips what it would wait, for tests in which only its own tasks are at work: a limit of an hour is
up at once, and never before all that can go on has gone on, however slow the machine is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from selectors import DefaultSelector
from typing import Any, TypeVar, TypeVarTuple

from jackfield import AsyncioRuntime

_AT_MOST = 2.0**23  # seconds; from twice as many on, what asyncio adds to look ahead (1 ns) changes nothing

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class _Selector(DefaultSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready:
            assert timeout == 0 or len(self.get_map()) <= 1, (
                "a peer takes its own time: this loop would not wait for it"
            )
            assert timeout is not None, "every task waits, and nothing is to come"
            self.now += timeout
            assert self.now < _AT_MOST, "the clock is no longer fine enough for asyncio"
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._skipping = _Selector()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.now

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        raise AssertionError("a thread takes its own time: this loop would not wait for it")


class SkippingRuntime(AsyncioRuntime):
    """For a client in such a loop: it has the loop's clock."""

    @staticmethod
    def monotonic() -> float:
        return asyncio.get_running_loop().time()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Does the work in a loop of its own."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)
