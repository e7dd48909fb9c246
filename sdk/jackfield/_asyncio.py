"""The runtime of the async clients: native awaits, and a bounded pool of threads for what blocks."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from random import Random
from typing import TypeVar

from ._errors import ConfigurationError, UsageError
from ._flight import Flights, Signal

T = TypeVar("T")


class AsyncioRuntime:
    """Runs on whatever event loop calls it.

    Args:
        workers: threads at most for blocking work, the urllib3 transport's among it.
    """

    def __init__(self, *, workers: int = 32) -> None:
        if workers < 1:
            raise ConfigurationError(f"workers must be 1 or more, not {workers}")
        self.random = Random().random
        self._workers = workers
        self._threads: ThreadPoolExecutor | None = None
        self._closed = False
        self._flights = Flights()

    monotonic = staticmethod(time.monotonic)
    now = staticmethod(time.time)
    token_bytes = staticmethod(os.urandom)

    async def sleep(self, seconds: float) -> None:
        """Lets other tasks run meanwhile."""
        await asyncio.sleep(seconds)

    async def offload(self, work: Callable[[], T]) -> T:
        """Runs it in a thread. Cancelled while it waits for one, it never starts; later, it ends by itself."""
        if self._closed:
            raise UsageError("this client is closed")
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._workers, thread_name_prefix="jackfield")
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def lock(self) -> AbstractAsyncContextManager[None]:
        """A lock between tasks."""
        return asyncio.Lock()

    def signal(self) -> Signal:
        """To a task, from whatever task or thread."""
        return _TaskSignal()

    async def flight(self, key: Hashable, work: Callable[[], Awaitable[T]], seconds: float | None = None) -> T:
        """Single flight between tasks, of whatever event loop."""
        return await self._flights.join(self, key, work, seconds)

    async def within(self, seconds: float, work: Awaitable[T]) -> T:
        """Cancels the work and raises TimeoutError when the time is up."""
        async with asyncio.timeout(seconds):
            return await work

    async def close(self) -> None:
        """Ends the threads, each when its work is done; the event loop goes on meanwhile."""
        self._closed = True
        threads, self._threads = self._threads, None
        if threads is not None:
            await asyncio.get_running_loop().run_in_executor(None, threads.shutdown)


class _TaskSignal:
    __slots__ = ("_event", "_loop")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def set(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._event.set)
        except RuntimeError:
            pass  # the loop is closed: nobody waits there any more

    async def wait(self, seconds: float | None = None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            pass  # who waits looks itself at what has become of it
