"""Tasks on a heap of virtual time: one runs until it parks, and who is next is drawn by the seed."""

from __future__ import annotations

import gc
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from heapq import heappop, heappush
from itertools import count
from math import inf
from random import Random
from types import coroutine
from typing import Any, Generic, NamedTuple, TypeVar

from jackfield import UsageError

T = TypeVar("T")
_COLLECT_EVERY = 1000  # steps


class Cancelled(BaseException):
    """Thrown into a task that was cancelled, where it waits. Clean up, and let it pass."""


class DeadlockError(AssertionError):
    """Nobody can go on, and nobody sleeps: who waits for what."""


class Parked(NamedTuple):
    """What a task gives the scheduler in order to wait: the one command there is.

    Attributes:
        subject: what it waits for; as text it says so to people.
        seconds: when to go on in any case; None: never.
    """

    subject: object
    seconds: float | None


@coroutine
def park(subject: object, seconds: float | None = None) -> Generator[Parked, None, None]:
    """Waits until the scheduler wakes this task, or so many seconds have passed."""
    yield Parked(subject, seconds)


class Alarm:
    """Something to do at a time; nothing any more once `action` is None."""

    __slots__ = ("action",)

    def __init__(self, action: Callable[[], None]) -> None:
        self.action: Callable[[], None] | None = action


class Flag:
    """A `Signal` of the simulation: happens once, and wakes who waits for it."""

    def __init__(self, scheduler: Scheduler, name: str) -> None:
        self._scheduler = scheduler
        self._name = name
        self._happened = False
        self._waiting: list[Task[Any]] = []

    def set(self) -> None:
        """It has happened."""
        if not self._happened:
            self._happened = True
            for task in self._waiting:
                self._scheduler.wake(task)

    async def wait(self, seconds: float | None = None) -> None:
        """Until it has happened, or so many seconds have passed."""
        if self._happened:
            return
        task = self._scheduler.current()
        self._waiting.append(task)
        try:
            await park(self, seconds)
        finally:
            self._waiting.remove(task)

    def __str__(self) -> str:
        return self._name


class Task(Generic[T]):
    """A coroutine on its way. Await it for its result; it is cancelled when `run` ends.

    Attributes:
        name: for people, and for the log.
        done: whether it has ended, however.
    """

    def __init__(self, scheduler: Scheduler, work: Coroutine[Any, Any, T], number: int, name: str) -> None:
        self.number = number
        self.name = name
        self.done = False
        self.awaited = False
        self.error: BaseException | None = None
        self.pending: list[BaseException] = []
        self.alarms: list[Alarm] = []
        self.waits_for: object = "its first turn"
        self.watch: Callable[[Task[T]], None] | None = None
        self.ended = Flag(scheduler, f"the end of {name}")
        self._value: T | None = None
        self._scheduler = scheduler
        self._work = work
        self._context = copy_context()

    def cancel(self) -> None:
        """Throws `Cancelled` into it where it waits; one that has ended stays as it is."""
        if not self.done:
            self._scheduler.interrupt(self, Cancelled())

    def result(self) -> T:
        """What it returned.

        Raises:
            BaseException: what it raised; `Cancelled` if it was cancelled.
            UsageError: it has not ended.
        """
        if not self.done:
            raise UsageError(f"{self.name} has not ended: await it")
        self.awaited = True
        if self.error is not None:
            raise self.error
        return self._value  # type: ignore[return-value]  # set when it is done without an error

    def __await__(self) -> Generator[Any, None, T]:
        yield from self.ended.wait().__await__()
        return self.result()

    def proceed(self) -> object:
        """Runs it until it parks, or ends; what it gave. For the scheduler."""
        try:
            if self.pending:
                return self._context.run(self._work.throw, self.pending.pop(0))
            return self._context.run(self._work.send, None)
        except StopIteration as stop:
            self._value = stop.value
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            self.error = error
        self.done = True
        return None


class Scheduler:
    """Runs tasks one at a time. It holds no set, no id and no clock: the same seed makes the same run.

    Attributes:
        time: seconds since the start.
        log: every time a task stopped: when, which, and why.
    """

    def __init__(self, seed: int) -> None:
        self.time = 0.0
        self.log: list[tuple[float, str, str]] = []
        self.tasks: dict[int, Task[Any]] = {}
        self.failed: list[Task[Any]] = []
        self._order = Random(f"order {seed}").random
        self._heap: list[tuple[float, float, int, Alarm]] = []
        self._numbers = count(1)
        self._running: Task[Any] | None = None
        self._steps = 0

    def start(self, work: Coroutine[Any, Any, T], name: str) -> Task[T]:
        """A new task, whose turn will come."""
        number = next(self._numbers)
        task = self.tasks[number] = Task(self, work, number, name or f"task {number}")
        self.wake(task)
        return task

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

    def at(self, seconds: float, action: Callable[[], None]) -> Alarm:
        """Does it so many seconds from now. Those of one instant come in an order that the seed decides."""
        alarm = Alarm(action)
        if seconds < inf:
            heappush(self._heap, (self.time + max(seconds, 0.0), self._order(), next(self._numbers), alarm))
        return alarm

    def wake(self, task: Task[Any], seconds: float = 0.0) -> None:
        """Lets the task go on, so many seconds from now."""
        task.alarms.append(self.at(seconds, lambda: self._resume(task)))

    def interrupt(self, task: Task[Any], error: BaseException) -> None:
        """Lets the task go on with an error."""
        task.pending.append(error)
        self.wake(task)

    def step(self) -> bool:
        """Does what is due next; False if there is nothing."""
        return self._next() or (gc.collect() > 0 and self._next())  # what was forgotten may let somebody go on

    def _next(self) -> bool:
        self._steps += 1
        if not self._steps % _COLLECT_EVERY:
            gc.collect(1)
        while self._heap:
            time, _, _, alarm = heappop(self._heap)
            if alarm.action is not None:
                self.time = time
                action, alarm.action = alarm.action, None
                action()
                return True
        return False

    def waiting(self) -> str:
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
