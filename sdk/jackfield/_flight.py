"""Single flight, written once for threads and tasks: what differs is how a follower waits."""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable, Hashable
from contextvars import ContextVar
from copy import copy
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ._errors import DeadlineExceededError, UsageError

if TYPE_CHECKING:
    from ._runtime import Runtime

T = TypeVar("T")


class Signal(Protocol):
    """Something that happens once, and that one or many wait for."""

    def set(self) -> None:
        """It has happened; says so from whatever thread."""
        ...

    async def wait(self, seconds: float | None = None) -> None:
        """Until it has happened, or so many seconds have passed."""
        ...


class _Flight:
    __slots__ = ("abandoned", "done", "error", "followers", "thread", "value")

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.followers: list[Signal] = []
        self.value: Any = None
        self.error: Exception | None = None
        self.abandoned = True
        self.done = False

    def needs_this_thread(self, runtime: Runtime) -> bool:
        """Whether its leader is a task that cannot go on while the caller waits, as waiting keeps their thread."""
        from ._runtime import SyncRuntime

        return self.thread == threading.get_ident() and isinstance(runtime, SyncRuntime) and not self.done

    async def landing(self, runtime: Runtime, until: float | None) -> None:
        """Waits until it is done; raises TimeoutError if it is not by then."""
        landed = runtime.signal()
        self.followers.append(landed)
        try:
            if not self.done:  # looked at after the signal is known: who lands says so first, and then tells all
                await landed.wait(None if until is None else max(until - runtime.monotonic(), 0))
        finally:
            self.followers.remove(landed)
        if not self.done:
            raise TimeoutError("whoever works on this is still at it")


_leading: ContextVar[tuple[_Flight, ...]] = ContextVar("jackfield_leading", default=())


class Flights:
    """The work under way, by key, among all who share this: threads, tasks, event loops, clients of either colour."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        # Again by the same thread: a coroutine that was given up ends wherever the garbage collector finds it.
        self._guard = threading.RLock()
        self._flying: dict[Hashable, _Flight] = {}

    async def join(
        self,
        runtime: Runtime,
        key: Hashable,
        work: Callable[[], Awaitable[T]],
        seconds: float | None = None,
        *,
        apart: bool = False,
    ) -> T:
        """Leads the work of this key, or follows who leads it; leads next if the leader was cancelled, late or misused.

        Args:
            runtime: the caller's, in which it works or waits.
            key: callers of one key at one time share one outcome; a failure reaches each follower as its own copy.
            work: what to do; it must not join its own key.
            seconds: the longest that this caller follows.
            apart: whether a sync caller works by itself where a task of its own thread leads, for which it cannot wait.

        Raises:
            TimeoutError: the work of others took longer than that.
            UsageError: the work joined its own key, or is a task's on the thread of a sync caller: who would both wait
                for themselves.
        """
        if self._process != os.getpid():
            self._begin()  # a forked child has none of those who lead
        until = None if seconds is None else runtime.monotonic() + seconds
        while True:
            new = _Flight()
            with self._guard:
                flight = self._flying.setdefault(key, new)
            if flight is new:
                return await self._lead(key, new, work)
            if flight in _leading.get():
                raise UsageError(f"the work of {key!r} joined its own flight: it would wait for itself")
            if flight.needs_this_thread(runtime):
                if apart:
                    return await self._lead(key, new, work)
                raise UsageError(
                    "a task of this thread's event loop is at the same work, and cannot go on while a sync call waits "
                    "for it: make the call in a thread (asyncio.to_thread), or use the async client"
                )
            await flight.landing(runtime, until)
            if flight.error is not None:
                raise _fresh(flight.error)
            if not flight.abandoned:
                value: T = flight.value
                return value

    async def _lead(self, key: Hashable, flight: _Flight, work: Callable[[], Awaitable[T]]) -> T:
        led_before = _leading.get()
        _leading.set((*led_before, flight))
        try:
            value = flight.value = await work()
            flight.abandoned = False
            return value
        except (DeadlineExceededError, UsageError):
            raise  # the leader's own time was up, or its client closed: that is nobody else's outcome
        except Exception as error:
            flight.error = _fresh(error)  # as it is now: the leader's own call will be noted on it
            raise
        finally:
            _leading.set(led_before)
            flight.done = True
            with self._guard:
                if self._flying.get(key) is flight:
                    del self._flying[key]
            for landed in tuple(flight.followers):
                landed.set()


def _fresh(error: Exception) -> Exception:
    """A copy, so that no two callers add notes and tracebacks to one object."""
    try:
        fresh = copy(error)
    except Exception:  # one that is not made from its args alone
        return error
    fresh.__cause__ = error.__cause__
    return fresh
