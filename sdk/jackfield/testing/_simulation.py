"""A runtime in which many calls run at once on virtual time, and a seed decides all that chance would."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Hashable, Iterable
from contextlib import AbstractAsyncContextManager, contextmanager
from hashlib import sha256
from itertools import count
from random import Random
from types import TracebackType
from typing import Any, TypeVar

from jackfield import Flights, UsageError, check_seconds

from ._scheduler import Cancelled, DeadlockError, Flag, Scheduler, Task, park
from ._time import START

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
        with _collected_by_steps():
            stuck = self._drive(task)
        if stuck:
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
        failures: list[BaseException] = []
        over = self.signal()

        def watch(task: Task[T]) -> None:
            if task.error is not None:
                failures.append(task.error)
            if failures or all(other.done for other in tasks):
                over.set()

        tasks = [self.spawn(work) for work in works]
        for task in tasks:
            task.awaited, task.watch = True, watch
        try:
            if tasks:
                await over.wait()
        finally:
            await _stop(tasks)
        if failures:
            raise failures[0]
        return [task.result() for task in tasks]

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
        return _Lock(self._scheduler, f"lock {next(self._numbers)}")

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
        runners: list[Task[T]] = []
        over = self.signal()

        def decided() -> Task[T] | None:
            done = [runner for runner in runners if runner.done]
            winners = (runner for runner in done if runner.error is None)
            return next(winners, runners[0] if len(done) == len(runners) else None)

        def watch(_: Task[T]) -> None:
            if decided():
                over.set()

        try:
            for work in works:
                runners.append(self.spawn(work))
                runners[-1].awaited, runners[-1].watch = True, watch
                await over.wait(delay)
                if decided():
                    break
            await over.wait()
            winner = decided()
        finally:
            await _stop(runners)
        assert winner is not None
        return winner.result()

    async def close(self) -> None:
        """Nothing to give back."""

    def _drive(self, main: Task[Any]) -> str:
        """Runs it to its end, then all others to theirs; who waits for what, if that is for ever."""
        stuck = ""
        try:
            while not main.done and not stuck:
                if not self._scheduler.step():
                    stuck = self._scheduler.waiting()
        finally:
            stuck = self._cancel_all() or stuck
        return stuck

    def _cancel_all(self) -> str:
        scheduler = self._scheduler
        for task in tuple(scheduler.tasks.values()):
            task.cancel()
        while scheduler.tasks and scheduler.step():
            pass
        left = scheduler.waiting()
        scheduler.tasks = {}
        return left


@contextmanager
def _collected_by_steps() -> Generator[None]:
    """Garbage is collected after so many steps, not so many allocations: what is freed may wake somebody."""
    by_itself = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if by_itself:
            gc.enable()


async def _stop(tasks: Iterable[Task[Any]]) -> None:
    """Cancels those that have not ended, and waits for their ends."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        await task.ended.wait()


class _TimeUp(Cancelled):
    """The time that `within` gives is up."""


class _Lock:
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
    def __init__(self, scheduler: Scheduler, lock: _Lock) -> None:
        super().__init__(scheduler, "")
        self._lock = lock

    def __str__(self) -> str:
        return str(self._lock)
