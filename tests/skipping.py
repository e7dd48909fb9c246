"""An event loop that skips what it would wait, for tests in which only its own tasks are at work: a limit of an hour is
up at once, and never before all that can go on has gone on, however slow the machine is."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from selectors import DefaultSelector
from typing import Any, TypeVar

from jackfield import AsyncioRuntime

T = TypeVar("T")


class _Selector(DefaultSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "every task waits, and nothing is to come"
            self.now += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._skipping = _Selector()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.now


class SkippingRuntime(AsyncioRuntime):
    """For a client in such a loop: it has the loop's clock."""

    @staticmethod
    def monotonic() -> float:
        return asyncio.get_running_loop().time()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Does the work in a loop of its own."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)
