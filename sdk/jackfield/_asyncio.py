"""The runtime of the async clients: native awaits, and a bounded pool of threads for what blocks."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, suppress
from random import SystemRandom
from typing import Any, Generic, TypeVar

from ._errors import ConfigurationError, UsageError
from ._flight import Flights, Signal
from ._runtime import BACKGROUND, CLOSED, NO_WORKS, join, log_background
from ._within import Within

T = TypeVar("T")


class AsyncioRuntime:
    """Runs on whatever event loop calls it. In a forked child it begins without threads.

    Args:
        workers: threads at most for blocking work, the urllib3 transport's among it; each is begun when it is needed.
            With many more than the transport's connections to one origin, one that hangs keeps no other waiting.
    """

    def __init__(self, *, workers: int = 256) -> None:
        if workers < 1:
            raise ConfigurationError(f"workers must be 1 or more, not {workers}")
        self.random = SystemRandom().random
        self._workers = workers
        self._threads: ThreadPoolExecutor | None = None
        self._process = 0
        self._closed = False
        self._begun: list[threading.Thread] = []
        self._waiting: set[_TaskSignal] = set()
        self._beside: set[asyncio.Task[object]] = set()
        self._flights = Flights()

    monotonic = staticmethod(time.monotonic)
    now = staticmethod(time.time)
    token_bytes = staticmethod(os.urandom)

    async def sleep(self, seconds: float) -> None:
        """Lets other tasks run meanwhile."""
        await self.signal().wait(seconds)

    async def offload(self, work: Callable[[], T]) -> T:
        """Runs it in a thread. Cancelled while it waits for one, it never starts; later, it ends by itself."""
        if self._closed:
            raise UsageError(CLOSED)
        if self._threads is None or self._process != os.getpid():  # a forked child has none of its parent's threads
            self._process = os.getpid()
            self._begun = begun = list[threading.Thread]()
            self._threads = ThreadPoolExecutor(
                self._workers, "jackfield", initializer=lambda: begun.append(threading.current_thread())
            )
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def lock(self) -> AbstractAsyncContextManager[None]:
        """A lock between tasks."""
        return asyncio.Lock()

    def signal(self) -> Signal:
        """To a task, from whatever task or thread."""
        return _TaskSignal(lambda: self._closed, self._waiting)

    async def flight(self, key: Hashable, work: Callable[[], Awaitable[T]], seconds: float | None = None) -> T:
        """Single flight between tasks, of whatever event loop."""
        return await self._flights.join(self, key, work, seconds)

    async def within(self, seconds: float, work: Awaitable[T]) -> T:
        """Cancels the work and raises TimeoutError when the time is up."""
        return await Within(seconds, work)

    async def race(self, works: Iterable[Coroutine[Any, Any, T]], delay: float) -> T:
        """A task for each."""
        return await _Race(iter(works), lambda: self.sleep(delay)).run()

    def background(self, work: Coroutine[Any, Any, object]) -> bool:
        """In a task of its own."""
        if self._closed or len(self._beside) >= BACKGROUND:
            work.close()
            return False
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._ended_beside)
        return True

    def _ended_beside(self, task: asyncio.Task[object]) -> None:
        self._beside.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log_background(error)

    async def close(self) -> None:
        """Ends every wait, of whatever task, and the threads, each when its work is done; the event loop goes on.

        It waits for work that nobody can end, a body that is not produced say, 10 seconds at most.
        """
        self._closed = True
        for waiting in tuple(self._waiting):
            waiting.set()
        beside = tuple(self._beside - {asyncio.current_task()})
        here = [task for task in beside if task.get_loop() is asyncio.get_running_loop()]
        for task in beside:
            with suppress(RuntimeError):  # its loop is closed: it has ended with that
                task.get_loop().call_soon_threadsafe(task.cancel)
        await asyncio.gather(*here, return_exceptions=True)
        if self._threads is not None and self._process == os.getpid():
            self._threads.shutdown(wait=False)
            await asyncio.get_running_loop().run_in_executor(None, join, tuple(self._begun))
        self._threads = None


class _Race(Generic[T]):
    """Tasks that were started one after the other, and what will start the next."""

    def __init__(self, works: Iterator[Coroutine[Any, Any, T]], pause: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._works = works
        self._pause = pause
        self._runners: list[asyncio.Task[T]] = []
        self._alarm: asyncio.Task[None] | None = None

    async def run(self) -> T:
        try:
            await self._start()
            if not self._runners:
                raise UsageError(NO_WORKS)
            while not (decided := self._decided()):
                await self._wait()
            return decided.result()
        finally:
            tasks: list[asyncio.Task[Any]] = [task for task in (*self._runners, self._alarm) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _start(self) -> None:
        self._alarm = None
        if (work := next(self._works, None)) is not None:
            self._runners.append(asyncio.create_task(work))
            await asyncio.sleep(0)  # work that need not wait is done now, and needs no alarm
            if not self._decided():
                self._alarm = asyncio.create_task(self._pause())

    async def _wait(self) -> None:
        waiting = [task for task in (*self._runners, self._alarm) if task is not None and not task.done()]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if self._alarm is not None and self._alarm.done() and not self._decided():
            await self._start()

    def _decided(self) -> asyncio.Task[T] | None:
        """The first who returned; when all have failed, the first."""
        done = [runner for runner in self._runners if runner.done()]
        winners = (runner for runner in done if not runner.cancelled() and runner.exception() is None)
        return next(winners, self._runners[0] if len(done) == len(self._runners) else None)


class _TaskSignal:
    __slots__ = ("_closed", "_event", "_loop", "_waiting")

    def __init__(self, closed: Callable[[], bool], waiting: set[_TaskSignal]) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._closed = closed
        self._waiting = waiting

    def set(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._event.set)
        except RuntimeError:
            pass  # the loop is closed: nobody waits there any more

    async def wait(self, seconds: float | None = None) -> None:
        self._waiting.add(self)
        try:
            if not self._closed():
                async with asyncio.timeout(seconds):
                    await self._event.wait()
        except TimeoutError:
            pass  # who waits looks itself at what has become of it
        finally:
            self._waiting.discard(self)
        if self._closed():
            raise UsageError(CLOSED)
