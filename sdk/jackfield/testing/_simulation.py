"""A runtime in which many calls run at once on virtual time, and a seed decides all that chance would."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from itertools import count
from random import Random
from typing import Any, TypeVar

from jackfield import Flights, UsageError, check_seconds

from ._lock import Lock
from ._scheduler import DeadlockError, Scheduler
from ._task import Cancelled, Flag, Task, park
from ._time import START
from ._together import gather, race

T = TypeVar("T")


class SimulatedRuntime:
    """For async clients: `runtime.run(main())`, in which as many tasks as you like make calls.

    Time passes only when every task waits. Tasks that may go on at the same instant do so in an order drawn from the
    seed: other seeds, other races; the same seed, the same run to the last event.

    Args:
        seed: decides jitter, tokens and the order of tasks.
        offload_seconds: how long what is offloaded takes.
    """

    def __init__(self, seed: int = 0, *, offload_seconds: float = 0.0) -> None:
        chance = Random(seed)
        self.random = chance.random
        self.token_bytes = chance.randbytes
        self._offload_seconds = check_seconds("offload_seconds", offload_seconds, zero=True)
        self._scheduler = Scheduler(seed)
        self._flights = Flights()
        self._numbers = count(1)

    # --- driving a simulation

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Runs it to its end, then cancels the tasks that are left.

        Raises:
            DeadlockError: it waits, and nothing will ever wake it.
            Exception: what it raised; or what a task raised that nobody awaited.
        """
        scheduler = self._scheduler
        if scheduler.tasks:
            main.close()
            raise UsageError("this SimulatedRuntime is running already: `await` in place of `run`, or `spawn`")
        scheduler.failed = []
        task = self.spawn(main, "main")
        if stuck := scheduler.drive(task):
            raise DeadlockError(f"nobody can go on, and nobody sleeps: {stuck}")
        value = task.result()
        for other in scheduler.failed:
            if not other.awaited:
                other.result()
        return value

    def spawn(self, work: Coroutine[Any, Any, T], name: str = "") -> Task[T]:
        """A task of its own. Await it for its result."""
        return self._scheduler.start(work, name)

    async def gather(self, *works: Coroutine[Any, Any, T]) -> list[T]:
        """Runs them at once, each as a task; their results, in order. If one fails, the others are cancelled.

        Raises:
            BaseException: what the first to fail raised.
        """
        return await gather(self, works)

    @property
    def log(self) -> list[tuple[float, str, str]]:
        """Every time a task stopped: seconds since the start, its name, and what for; and what was noted."""
        return self._scheduler.log

    def note(self, text: str) -> None:
        """Writes into the log, for the digest to cover."""
        self._scheduler.note(text)

    def digest(self) -> str:
        """A hash of the log: two runs that agree in it were the same."""
        return sha256(repr(self.log).encode()).hexdigest()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._scheduler.time

    # --- what a step may await

    def monotonic(self) -> float:
        return self._scheduler.time

    def now(self) -> float:
        return START + self._scheduler.time

    async def sleep(self, seconds: float) -> None:
        """Parks the task, also for 0 seconds."""
        self._scheduler.current()
        await park(f"{seconds:.9g} s", seconds)

    async def offload(self, work: Callable[[], T]) -> T:
        """Runs it inline, after others have had their turn; its outcome comes `offload_seconds` later."""
        await self.sleep(0)
        value = work()
        if self._offload_seconds:
            await self.sleep(self._offload_seconds)
        return value

    def lock(self) -> AbstractAsyncContextManager[None]:
        """Between tasks, in the order in which they ask."""
        return Lock(self._scheduler, f"lock {next(self._numbers)}")

    def signal(self) -> Flag:
        """To tasks, from a task."""
        return Flag(self._scheduler, f"signal {next(self._numbers)}")

    async def flight(self, key: Hashable, work: Callable[[], Awaitable[T]], seconds: float | None = None) -> T:
        """Single flight between tasks."""
        return await self._flights.join(self, key, work, seconds)

    async def within(self, seconds: float, work: Awaitable[T]) -> T:
        """Interrupts the work and raises TimeoutError when so many virtual seconds have passed."""
        task, up = self._scheduler.current(), _TimeUp()
        alarm = self._scheduler.at(seconds, lambda: self._scheduler.interrupt(task, up))
        try:
            return await work
        except _TimeUp as error:
            if error is not up:
                raise
            raise TimeoutError(f"not done within {seconds:g} s") from None
        finally:
            alarm.action = None
            if up in task.pending:  # it was about to be thrown
                task.pending.remove(up)

    async def race(self, works: Iterable[Coroutine[Any, Any, T]], delay: float) -> T:
        """A task for each."""
        return await race(self, works, delay)

    def background(self, work: Coroutine[Any, Any, object]) -> bool:
        """A task, as many as you like; by what it ended stands in the log."""
        self.spawn(work, "background").awaited = True
        return True

    async def close(self) -> None:
        """Nothing to give back."""


class _TimeUp(Cancelled):
    """The time that `within` gives is up."""
