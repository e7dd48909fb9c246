"""Single flight, written once for threads and tasks: what differs is how a follower waits."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Hashable
from copy import copy
from typing import Any, TypeVar

T = TypeVar("T")


class Flight:
    """One piece of work that others may wait for. The two methods are what threads and tasks do differently."""

    value: Any = None
    error: Exception | None = None
    abandoned = True

    def land(self) -> None:
        """Wakes every follower."""
        raise NotImplementedError

    async def wait(self) -> None:
        """Until it has landed."""
        raise NotImplementedError


class Flights:
    """The work under way, by key."""

    def __init__(self, flight: Callable[[], Flight]) -> None:
        self._flight = flight
        self._guard = threading.Lock()
        self._flying: dict[Hashable, Flight] = {}

    async def join(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """Leads the work of this key, or follows who leads it; leads next if the leader was cancelled."""
        while True:
            with self._guard:
                flight = self._flying.get(key)
                if flight is None:
                    leading = self._flying[key] = self._flight()
                    break
            await flight.wait()
            if flight.error is not None:
                raise _fresh(flight.error)
            if not flight.abandoned:
                value: T = flight.value
                return value
        return await self._lead(key, leading, work)

    async def _lead(self, key: Hashable, flight: Flight, work: Callable[[], Awaitable[T]]) -> T:
        try:
            value = flight.value = await work()
            flight.abandoned = False
            return value
        except Exception as error:
            flight.error = error
            raise
        finally:
            with self._guard:
                del self._flying[key]
            flight.land()


def _fresh(error: Exception) -> Exception:
    """A copy, so that no two callers add notes and tracebacks to one object."""
    try:
        return copy(error)
    except TypeError:  # an exception whose constructor wants more than its args
        return error
