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
    Connections may come back at any line of this module: the garbage collector gives back those of forgotten streams.
    So `release` never waits for the guard; whoever holds it looks after what came back, once it has let go.
    """

    def __init__(self, make: Callable[[], Connection], size: int) -> None:
        self._make = make
        self._size = size
        self._lent = 0
        self._idle: list[Connection] = []
        self._waiting: deque[Signal] = deque()
        self._returned: deque[tuple[Connection, bool]] = deque()
        self._guard = threading.Lock()
        self._closed = False

    async def acquire(self, call: Call) -> Connection:
        """A connection, perhaps one that was used before and is still open.

        Raises:
            PoolTimeoutError: all were busy for `connect_timeout` seconds.
        """
        if not self._admitted():
            place = call.runtime.signal()
            if not self._admitted(place):
                await self._wait(place, call)
        return self._take()

    def release(self, connection: Connection, *, reusable: bool) -> None:
        """Takes a connection back; closes it unless its last answer was read to the end and agreed to more."""
        self._returned.append((connection, reusable))
        self._settle()

    def close(self) -> None:
        """Closes what is idle now, and what is lent when it comes back; who waits is sent away."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
            while self._waiting:
                self._lent += 1
                self._waiting.popleft().set()
        self._settle()
        for connection in idle:
            _close(connection)

    def forget(self) -> None:
        """In a forked child: closes this side of what is idle. The parent goes on with it, and may hold the guard."""
        for connection in self._idle:
            _close(connection)

    def _admitted(self, place: Signal | None = None) -> bool:
        with self._guard:
            free = self._lent < self._size or self._closed
            if free:
                self._lent += 1
            elif place is not None:
                self._waiting.append(place)
        if self._returned:
            self._settle()
        return free

    async def _wait(self, place: Signal, call: Call) -> None:
        try:
            seconds = call.limit(call.options.connect_timeout)
            await place.wait(seconds)
        except BaseException:
            self._leave(place)
            raise
        if self._leave(place, called=True):
            call.limit(seconds)  # the deadline, if it is that which has passed
            raise PoolTimeoutError(f"all {self._size} connections to the origin were busy for {seconds:g} s")

    def _leave(self, place: Signal, *, called: bool = False) -> bool:
        """Gives up waiting; whether it was still waiting. With `called`, a turn that has come is kept."""
        with self._guard:
            waited = place in self._waiting
            if waited:
                self._waiting.remove(place)
            elif not called:
                self._pass_on()
        self._settle()
        return waited

    def _pass_on(self) -> None:
        if self._waiting:
            self._waiting.popleft().set()
        else:
            self._lent -= 1

    def _take(self) -> Connection:
        try:
            if self._closed:
                raise UsageError("this client is closed")
            with self._guard:
                idle = self._idle.pop() if self._idle else None
            if self._returned:
                self._settle()
            if idle is None:
                return self._make()
            if not idle.is_connected:  # the peer closed it meanwhile, or sent what nobody asked for
                _close(idle)
            return idle
        except BaseException:
            with self._guard:
                self._pass_on()
            self._settle()
            raise

    def _settle(self) -> None:
        while self._returned:
            guarded = False
            try:  # before it is taken: an interrupt may come at any line
                guarded = self._guard.acquire(blocking=False)
                if not guarded:
                    return
                connection, reusable = self._returned.popleft()
                if reusable and not self._closed and not connection.is_closed:
                    self._idle.append(connection)
                else:
                    _close(connection)
                self._pass_on()
            finally:
                if guarded:
                    self._guard.release()


def _close(connection: Connection) -> None:
    try:
        connection.close()
    except OSError:
        pass  # it is gone all the same
