"""What is to be done when, on virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from math import inf
from random import Random


class Alarm:
    """Something to do at a time; nothing any more once `action` is None."""

    __slots__ = ("action",)

    def __init__(self, action: Callable[[], None]) -> None:
        self.action: Callable[[], None] | None = action


class Agenda:
    """A heap of alarms. Those of one instant come in an order that the seed decides.

    Args:
        seed: of that order.
        numbers: each once; they order those that drew the same place.

    Attributes:
        time: seconds since the start.
    """

    def __init__(self, seed: int, numbers: Iterator[int]) -> None:
        self.time = 0.0
        self._order = Random(f"order {seed}").random
        self._heap: list[tuple[float, float, int, Alarm]] = []
        self._numbers = numbers

    def at(self, seconds: float, action: Callable[[], None]) -> Alarm:
        """Does it so many seconds from now."""
        alarm = Alarm(action)
        if seconds < inf:
            heappush(self._heap, (self.time + max(seconds, 0.0), self._order(), next(self._numbers), alarm))
        return alarm

    def next(self) -> bool:
        """Lets time pass until something is due, and does it; False if there is nothing."""
        while self._heap:
            time, _, _, alarm = heappop(self._heap)
            if (action := alarm.action) is not None:
                self.time = time
                action()
                return True
        return False
