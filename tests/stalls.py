"""How long a busy machine kept this process from running: what a test of a bound in real time leaves out."""

from __future__ import annotations

from contextlib import AbstractContextManager
from threading import Event, Thread
from time import monotonic, process_time
from types import TracebackType
from typing import NamedTuple, Self

_TICK = 0.005
_NOTICED = 0.005  # less is how exactly one wakes


class Woken(NamedTuple):
    """A moment in which the watcher woke.

    Attributes:
        lost: seconds in which the process was kept from running, until then.
        at: when that was.
        worked: seconds of CPU that the process had taken by then.
    """

    lost: float
    at: float
    worked: float

    def then(self, at: float, worked: float) -> Woken:
        """The next such moment. What the process worked meanwhile is its own fault."""
        late = at - self.at - _TICK - max(0.0, worked - self.worked - _TICK)
        return Woken(self.lost + (late if late > _NOTICED else 0.0), at, worked)


class Stalls(AbstractContextManager["Stalls"]):
    """Sleeps for a moment, again and again, and adds up how much later than that it woke."""

    def __init__(self) -> None:
        self._over = Event()
        self._thread = Thread(target=self._watch)
        self._last = Woken(0.0, monotonic(), process_time())

    @property
    def seconds(self) -> float:
        """All of them so far, one that is not over yet included."""
        return self._last.then(monotonic(), process_time()).lost

    def in_time(self, elapsed: float, deadline: float) -> bool:
        """Whether what took so long ended at its deadline, or up to 10 % and 0.1 s later, as the contract has it."""
        return deadline <= elapsed <= deadline * 1.1 + 0.1 + self.seconds

    def _watch(self) -> None:
        while not self._over.wait(_TICK):
            self._last = self._last.then(monotonic(), process_time())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
