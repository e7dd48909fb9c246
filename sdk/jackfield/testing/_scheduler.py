"""Who runs: one task at a time until it parks, and who is next is drawn by the seed."""

from __future__ import annotations

from collections.abc import Coroutine
from itertools import count
from typing import Any, TypeVar

from jackfield import UsageError

from ._agenda import Agenda
from ._garbage import Garbage
from ._task import Cancelled, Parked, Task

T = TypeVar("T")


class DeadlockError(AssertionError):
    """Nobody can go on, and nobody sleeps: who waits for what."""


class Scheduler:
    """Runs tasks one at a time. It holds no set, no id and no clock: the same seed makes the same run.

    Attributes:
        at: does something so many seconds from now.
        log: every time a task stopped: when, which, and why.
        tasks: those that have not ended, by number.
        failed: those that ended by an error.
    """

    def __init__(self, seed: int) -> None:
        self.log: list[tuple[float, str, str]] = []
        self.tasks: dict[int, Task[Any]] = {}
        self.failed: list[Task[Any]] = []
        self._numbers = count(1)
        self._agenda = Agenda(seed, self._numbers)
        self.at = self._agenda.at
        self._running: Task[Any] | None = None
        self._garbage = Garbage()

    def start(self, work: Coroutine[Any, Any, T], name: str) -> Task[T]:
        """A new task, whose turn will come.

        Raises:
            UsageError: there is no coroutine to make one of.
        """
        if not isinstance(work, Coroutine):
            raise UsageError(f"a task is made of a coroutine, `main()` say, not of {work!r}")
        number = next(self._numbers)
        task = self.tasks[number] = Task(self, work, number, name or f"task {number}")
        self.wake(task)
        return task

    @property
    def time(self) -> float:
        """Seconds since the start."""
        return self._agenda.time

    def current(self) -> Task[Any]:
        """The task that runs.

        Raises:
            UsageError: none does.
        """
        if self._running is None:
            raise UsageError("a SimulatedRuntime waits only inside its own `run(...)`")
        return self._running

    def note(self, text: str) -> None:
        """Writes into the log."""
        self.log.append((self.time, "" if self._running is None else self._running.name, text))

    def wake(self, task: Task[Any], seconds: float = 0.0) -> None:
        """Lets the task go on, so many seconds from now."""
        task.alarms.append(self.at(seconds, lambda: self._resume(task)))

    def interrupt(self, task: Task[Any], error: BaseException) -> None:
        """Lets the task go on with an error."""
        task.pending.append(error)
        self.wake(task)

    def drive(self, main: Task[Any]) -> str:
        """Runs it to its end, then cancels all others; who waits for what, if that is for ever."""
        stuck = ""
        with self._garbage.left_alone():
            try:
                while not main.done and not stuck:
                    if not self._step():
                        stuck = self._waiting()
            finally:
                stuck = self._cancel_all() or stuck
        return stuck

    def _cancel_all(self) -> str:
        for task in tuple(self.tasks.values()):
            task.cancel()
        while self.tasks and self._step():
            pass
        left = self._waiting()
        self.tasks = {}
        return left

    def _step(self) -> bool:
        """Does what is due next; False if there is nothing."""
        return self._next() or (self._garbage.collect() and self._next())  # what was forgotten may let somebody go on

    def _next(self) -> bool:
        self._garbage.step()
        return self._agenda.next()

    def _waiting(self) -> str:
        """Who waits for what."""
        return "; ".join(f"{task.name} waits for {task.waits_for}" for task in self.tasks.values())

    def _resume(self, task: Task[Any]) -> None:
        for alarm in task.alarms:
            alarm.action = None
        task.alarms.clear()
        self._running = task
        try:
            parked = task.proceed()
            if task.done:
                self._ended(task)
            else:
                self._park(task, parked)
        finally:
            self._running = None

    def _park(self, task: Task[Any], parked: object) -> None:
        if not isinstance(parked, Parked):
            self.interrupt(task, UsageError(_FOREIGN))
            return
        task.waits_for = parked.subject
        self.note(str(parked.subject))
        if parked.seconds is not None:
            self.wake(task, parked.seconds)
        if task.pending:
            self.wake(task)

    def _ended(self, task: Task[Any]) -> None:
        self.note("ended" if task.error is None else f"ended by {type(task.error).__name__}")
        del self.tasks[task.number]
        if task.error is not None and not isinstance(task.error, Cancelled):
            self.failed.append(task)
        task.ended.set()
        if task.watch is not None:
            task.watch(task)


_FOREIGN = (
    "a task of a simulation awaited something foreign: it may await only its SimulatedRuntime and what stands on it, "
    "never asyncio"
)
