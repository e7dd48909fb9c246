"""The runtime: the only owner of time, chance, locks and blocking work. The contract, and the one without a loop."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Protocol, TypeVar

from ._errors import ConfigurationError, UsageError
from ._flight import Flights, Signal

T = TypeVar("T")


class Runtime(Protocol):
    """What a step may await, besides the transport and other steps. Once it is closed, waiting is a UsageError."""

    def monotonic(self) -> float:
        """Seconds of a clock that never jumps."""
        ...

    def now(self) -> float:
        """Seconds since 1970 (UTC), by a clock that may be wrong."""
        ...

    def random(self) -> float:
        """A number from 0 to below 1, for jitter."""
        ...

    def token_bytes(self, size: int, /) -> bytes:
        """So many bytes that nobody can foretell, for nonces and states."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        ...

    async def offload(self, work: Callable[[], T]) -> T:
        """Runs what blocks where it stops nobody else."""
        ...

    def lock(self) -> AbstractAsyncContextManager[None]:
        """A new lock, for `async with`; between threads or tasks, whichever call in this runtime."""
        ...

    def signal(self) -> Signal:
        """Something to wait for until another thread or task says that it has happened."""
        ...

    async def flight(self, key: Hashable, work: Callable[[], Awaitable[T]], seconds: float | None = None) -> T:
        """Single flight: of the callers of one key at one time one works, and all get its outcome.

        A failure reaches each follower as a copy of its own. If the leader is cancelled or its call out of time, a
        follower takes over. Who has followed for so many seconds gets a TimeoutError, and work that joins its own key
        a UsageError. For callers of several runtimes there is `Flights`.
        """
        ...

    def within(self, seconds: float, work: Awaitable[T]) -> Awaitable[T]:
        """Awaits the work; where the runtime can interrupt it, raises TimeoutError after so many seconds."""
        ...

    async def race(self, works: Iterable[Coroutine[Any, Any, T]], delay: float) -> T:
        """What the first of several works gives, that returns; the others are cancelled, and have ended then.

        The first is taken and started at once, another whenever `delay` seconds have passed without an outcome. When
        all that were started have failed, that of the first is raised.

        Raises:
            UsageError: there are no works.
            ConfigurationError: this runtime cannot have two works under way.
        """
        ...

    def background(self, work: Coroutine[Any, Any, object]) -> bool:
        """Runs the work beside its caller, who does not wait for it; its errors are logged.

        It ends when the runtime is closed, at the latest. False, and it never begins, where `BACKGROUND` are at it.
        """
        ...

    async def close(self) -> None:
        """Ends every wait with a UsageError, and gives back threads. May be called again."""
        ...


class SyncRuntime:
    """Runs everything in the caller's thread. No capability ever suspends, so one `send` ends a coroutine."""

    def __init__(self) -> None:
        from random import SystemRandom

        self.random = SystemRandom().random  # whatever was seeded, and in forked children too, everybody has his own
        self._flights = Flights()
        self._closed = False
        self._waiting: set[_ThreadSignal] = set()
        self._beside: set[threading.Thread] = set()

    monotonic = staticmethod(time.monotonic)
    now = staticmethod(time.time)
    token_bytes = staticmethod(os.urandom)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine to its end.

        Raises:
            UsageError: it awaited something that is not the runtime's: there is no event loop here to wait for it.
        """
        try:
            work.send(None)
        except StopIteration as done:
            value: T = done.value
            return value
        except RuntimeError as error:
            if "no running event loop" in str(error):
                raise UsageError(_FOREIGN) from error
            raise
        _close(work)
        raise UsageError(_FOREIGN)

    async def sleep(self, seconds: float) -> None:
        """Blocks the caller's thread."""
        await self.signal().wait(seconds)

    async def offload(self, work: Callable[[], T]) -> T:
        """Runs it here and now."""
        return work()

    def lock(self) -> AbstractAsyncContextManager[None]:
        """A lock between threads."""
        return _ThreadLock()

    def signal(self) -> Signal:
        """Between threads."""
        return _ThreadSignal(lambda: self._closed, self._waiting)

    async def flight(self, key: Hashable, work: Callable[[], Awaitable[T]], seconds: float | None = None) -> T:
        """Single flight between threads."""
        return await self._flights.join(self, key, work, seconds)

    def within(self, seconds: float, work: Awaitable[T]) -> Awaitable[T]:
        """Nothing here can interrupt a thread: what blocks bounds itself by `call.limit`."""
        return work

    async def race(self, works: Iterable[Coroutine[Any, Any, T]], delay: float) -> T:
        """Nothing here can end work that blocks in another thread, so there is none."""
        for work in works:
            work.close()
            raise ConfigurationError(
                "a sync client has one attempt of a call under way, and cannot race two (Hedging does): use the async "
                "client, or leave that plugin out"
            )
        raise UsageError(NO_WORKS)

    def background(self, work: Coroutine[Any, Any, object]) -> bool:
        """In a thread of its own."""
        self._beside.difference_update([one for one in tuple(self._beside) if not one.is_alive()])
        if not self._closed and len(self._beside) < BACKGROUND:
            thread = threading.Thread(target=self._run_beside, args=(work,), name="jackfield-background", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                pass  # there are too many threads
            else:
                self._beside.add(thread)
                return True
        work.close()
        return False

    def _run_beside(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            self.run(work)
        except Exception as error:
            log_background(error)

    async def close(self) -> None:
        """Ends every wait, in whatever thread, and awaits what runs in the background, 10 seconds at most."""
        self._closed = True
        for waiting in tuple(self._waiting):
            waiting.set()
        join(self._beside - {threading.current_thread()})


BACKGROUND = 8  # works at one time
_FAREWELL = 10.0  # seconds


def join(threads: Iterable[threading.Thread]) -> None:
    """Waits until they have ended, for so long as anybody would wait for that."""
    until = time.monotonic() + _FAREWELL
    for thread in threads:
        thread.join(max(until - time.monotonic(), 0))


def log_background(error: BaseException) -> None:
    """Tells of what went wrong where nobody waits for it."""
    from logging import getLogger

    getLogger("jackfield").warning("work in the background failed: %s: %s", type(error).__name__, error)


CLOSED = "this client is closed"
NO_WORKS = "a race of no works has no winner: give it one work or more"
_FOREIGN = (
    "a step or operation awaited something foreign in a sync client: it may await only the runtime "
    "(call.runtime.sleep, .offload, .lock ...), the transport and other steps, never asyncio itself"
)


class _Abandoned(BaseException):
    """Thrown into a coroutine that waits for what will not come; `close` would not reach into nested clean-ups."""


def _close(work: Coroutine[Any, Any, Any]) -> None:
    for _ in range(100):  # it may await again while it ends, in a `finally` say
        try:
            work.throw(_Abandoned())
        except (Exception, _Abandoned):
            return


class _ThreadLock:
    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()

    async def __aenter__(self) -> None:
        self._lock.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()


class _ThreadSignal:
    """A lock that is taken until it is set: that is one step, which may be made in the middle of any other.

    A finalizer or a signal's handler may set it in the very thread that waits; and a forked child finds no lock of it
    held by a thread that stayed with the parent.
    """

    __slots__ = ("_closed", "_taken", "_waiting")

    def __init__(self, closed: Callable[[], bool], waiting: set[_ThreadSignal]) -> None:
        self._taken = threading.Lock()
        self._taken.acquire()
        self._closed = closed
        self._waiting = waiting

    def set(self) -> None:
        try:
            self._taken.release()
        except RuntimeError:
            pass  # it was set before

    async def wait(self, seconds: float | None = None) -> None:
        self._waiting.add(self)
        try:
            limit = -1 if seconds is None else min(max(seconds, 0.0), threading.TIMEOUT_MAX)
            if not self._closed() and self._taken.acquire(timeout=limit):
                self.set()  # for all who wait
        finally:
            self._waiting.discard(self)
        if self._closed():
            raise UsageError(CLOSED)
