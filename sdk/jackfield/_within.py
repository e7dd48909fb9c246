"""A time limit on what is awaited, which costs nothing where nothing has to be waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Within(Generic[T]):
    """Awaits the work, and raises TimeoutError after so many seconds. The alarm is set when the work first waits."""

    def __init__(self, seconds: float, work: Awaitable[T]) -> None:
        self._seconds = seconds
        self._work = work

    def __await__(self) -> Generator[Any, Any, T]:
        steps = self._work.__await__()
        try:
            waits = next(steps)
        except StopIteration as done:
            value: T = done.value
            return value
        return (yield from self._timed(_Begun(steps, waits)).__await__())

    async def _timed(self, begun: _Begun[T]) -> T:
        async with asyncio.timeout(self._seconds):
            return await begun


class _Begun(Generic[T]):
    """The rest of work that has begun, and waits for something."""

    def __init__(self, steps: Generator[Any, Any, T], waits: Any) -> None:
        self._steps = steps
        self._waits = waits

    def __await__(self) -> Generator[Any, Any, T]:
        steps, waits = self._steps, self._waits
        try:
            while True:
                try:
                    sent = yield waits
                except GeneratorExit:
                    steps.close()
                    raise
                except BaseException as error:
                    waits = steps.throw(error)
                else:
                    waits = steps.send(sent)
        except StopIteration as done:
            value: T = done.value
            return value
