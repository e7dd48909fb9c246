"""How long a busy machine kept this process from running: what a test of a bound in real time leaves out."""

from __future__ import annotations

from contextlib import AbstractContextManager
from threading import Event, Thread
from time import monotonic, process_time
from types import TracebackType
from typing import Self

_TICK = 0.005
_NOTICED = 0.005  # less is how exactly one wakes


class Stalls(AbstractContextManager["Stalls"]):
    """Sleeps for a moment, again and again, and adds up how much later than that it woke, less what this process has
    worked meanwhile: what it keeps itself from is its own fault."""

    def __init__(self) -> None:
        self._over = Event()
        self._thread = Thread(target=self._watch)
        self._state = (0.0, monotonic() + _TICK, process_time())  # what was lost, when to wake, what was worked

    @property
    def seconds(self) -> float:
        """All of them so far, one that is not over yet included."""
        return self._lost_until(monotonic(), process_time())

    def in_time(self, elapsed: float, deadline: float) -> bool:
        """Whether what took so long ended at its deadline, or up to 10 % and 0.1 s later, as the contract has it."""
        return deadline <= elapsed <= deadline * 1.1 + 0.1 + self.seconds

    def _lost_until(self, now: float, worked: float) -> float:
        lost, due, before = self._state
        late = now - due - (worked - before)
        return lost + (late if late > _NOTICED else 0.0)

    def _watch(self) -> None:
        while not self._over.wait(_TICK):
            now, worked = monotonic(), process_time()
            self._state = (self._lost_until(now, worked), now + _TICK, worked)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
