"""A task of a simulation, and the one thing by which it waits."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from types import coroutine
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from jackfield import UsageError

if TYPE_CHECKING:
    from ._agenda import Alarm
    from ._scheduler import Scheduler

T = TypeVar("T")


class Cancelled(BaseException):
    """Thrown into a task that was cancelled, where it waits. Clean up, and let it pass."""


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
