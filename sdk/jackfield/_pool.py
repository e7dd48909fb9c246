"""Connections to one origin: at most so many, lent to one exchange at a time, in the order they were asked for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from ._call import Call
from ._connection import Connection
from ._errors import PoolTimeoutError, UsageError
from ._flight import Signal


class Pool:
    """Lends connections; the one used last is lent first, so that the others grow idle.

    Who has to wait does so in its runtime, and holds no thread meanwhile that somebody else may need to go on.
    """

    def __init__(self, make: Callable[[], Connection], size: int) -> None:
        self._make = make
        self._size = size
        self._lent = 0
        self._idle: list[Connection] = []
        self._waiting: deque[Signal] = deque()
        self._guard = threading.Lock()
        self._closed = False

    async def acquire(self, call: Call) -> Connection:
        """A connection, perhaps one that was used before and is still open.

        Raises:
            PoolTimeoutError: all were busy for `connect_timeout` seconds.
        """
        with self._guard:
            place = None if self._lent < self._size or self._closed else call.runtime.signal()
            if place is None:
                self._lent += 1
            else:
                self._waiting.append(place)
        if place is not None:
            await self._wait(place, call)
        return self._take()

    def release(self, connection: Connection, *, reusable: bool) -> None:
        """Takes a connection back; closes it unless its last answer was read to the end and agreed to more."""
        keep = reusable and not self._closed and not connection.is_closed
        if not keep:
            connection.close()
        with self._guard:
            if keep:
                self._idle.append(connection)
            self._pass_on()

    def close(self) -> None:
        """Closes what is idle now, and what is lent when it comes back; who waits is sent away."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
            while self._waiting:
                self._lent += 1
                self._waiting.popleft().set()
        for connection in idle:
            connection.close()

    async def _wait(self, place: Signal, call: Call) -> None:
        seconds = call.limit(call.options.connect_timeout)
        try:
            await place.wait(seconds)
        except BaseException:
            with self._guard:
                self._leave(place)
            raise
        with self._guard:
            if place not in self._waiting:
                return
            self._leave(place)
        call.limit(seconds)  # the deadline, if it is that which has passed
        raise PoolTimeoutError(f"all {self._size} connections to the origin were busy for {seconds:g} s")

    def _leave(self, place: Signal) -> None:
        if place in self._waiting:
            self._waiting.remove(place)
        else:  # it was called at the same moment: the turn is the next one's
            self._pass_on()

    def _pass_on(self) -> None:
        if self._waiting:
            self._waiting.popleft().set()
        else:
            self._lent -= 1

    def _take(self) -> Connection:
        try:
            with self._guard:
                if self._closed:
                    raise UsageError("this client is closed")
                idle = self._idle.pop() if self._idle else None
            if idle is None:
                return self._make()
            if not idle.is_connected:  # the peer closed it meanwhile, or sent what nobody asked for
                idle.close()
            return idle
        except BaseException:
            with self._guard:
                self._pass_on()
            raise
