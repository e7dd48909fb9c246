"""The lock of a simulation."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Any

from ._scheduler import Scheduler
from ._task import Flag, Task


class Lock:
    """One task at a time, in the order in which they asked."""

    def __init__(self, scheduler: Scheduler, name: str) -> None:
        self._scheduler = scheduler
        self._name = name
        self._owner: Task[Any] | None = None
        self._queue: deque[tuple[Task[Any], Flag]] = deque()

    async def __aenter__(self) -> None:
        task = self._scheduler.current()
        if self._owner is None:
            self._owner = task
            return
        place = (task, _Turn(self._scheduler, self))
        self._queue.append(place)
        try:
            await place[1].wait()
        except BaseException:
            if place in self._queue:
                self._queue.remove(place)
            else:
                self._release()  # its turn had come
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def _release(self) -> None:
        self._owner = None
        if self._queue:
            self._owner, turn = self._queue.popleft()
            turn.set()

    def __str__(self) -> str:
        return f"{self._name}, held by {'nobody' if self._owner is None else self._owner.name}"


class _Turn(Flag):
    def __init__(self, scheduler: Scheduler, lock: Lock) -> None:
        super().__init__(scheduler, "")
        self._lock = lock

    def __str__(self) -> str:
        return str(self._lock)
