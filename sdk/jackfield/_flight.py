"""Single flight, written once for threads and tasks: what differs is how a follower waits."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Hashable
from copy import copy
from typing import Any, Protocol, TypeVar

from ._errors import DeadlineExceededError, JackfieldError

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
    __slots__ = ("abandoned", "done", "error", "landed", "value")

    def __init__(self, landed: Signal) -> None:
        self.landed = landed
        self.value: Any = None
        self.error: Exception | None = None
        self.abandoned = True
        self.done = False


class Flights:
    """The work under way, by key."""

    def __init__(self, signal: Callable[[], Signal]) -> None:
        self._signal = signal
        self._guard = threading.Lock()
        self._flying: dict[Hashable, _Flight] = {}

    async def join(self, key: Hashable, work: Callable[[], Awaitable[T]], seconds: float | None) -> T:
        """Leads the work of this key, or follows who leads it; leads next if the leader was cancelled or too late."""
        while True:
            with self._guard:
                flight = self._flying.get(key)
                if flight is None:
                    leading = self._flying[key] = _Flight(self._signal())
                    break
            await flight.landed.wait(seconds)
            if not flight.done:
                raise TimeoutError("whoever works on this is still at it")
            if flight.error is not None:
                raise _fresh(flight.error)
            if not flight.abandoned:
                value: T = flight.value
                return value
        return await self._lead(key, leading, work)

    async def _lead(self, key: Hashable, flight: _Flight, work: Callable[[], Awaitable[T]]) -> T:
        try:
            value = flight.value = await work()
            flight.abandoned = False
            return value
        except DeadlineExceededError:
            raise  # the leader's own time was up: that is nobody else's outcome
        except Exception as error:
            flight.error = error
            raise
        finally:
            flight.done = True
            with self._guard:
                del self._flying[key]
            flight.landed.set()


def _fresh(error: Exception) -> Exception:
    """A copy, so that no two callers add notes and tracebacks to one object."""
    try:
        fresh = copy(error)
    except Exception:  # one that is not made from its args alone
        return error
    fresh.__cause__ = error.__cause__
    if isinstance(fresh, JackfieldError):
        fresh.call = None  # it will be told in which call it reaches this follower
    return fresh
