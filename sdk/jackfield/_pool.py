"""Connections to one origin: at most so many, lent to one exchange at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ._connection import Connection
from ._errors import PoolTimeoutError, UsageError


class Pool:
    """Lends connections; the one used last is lent first, so that the others grow idle."""

    def __init__(self, make: Callable[[], Connection], size: int) -> None:
        self._make = make
        self._size = size
        self._lent = 0
        self._idle: list[Connection] = []
        self._freed = threading.Condition()
        self._closed = False

    def acquire(self, timeout: float) -> Connection:
        """A connection, perhaps one that was used before and is still open.

        Raises:
            PoolTimeoutError: all were busy for `timeout` seconds.
        """
        with self._freed:
            if self._lent >= self._size and not self._freed.wait_for(self._may_lend, timeout):
                raise PoolTimeoutError(f"all {self._size} connections to the origin were busy for {timeout:g} s")
            if self._closed:
                raise UsageError("this client is closed")
            self._lent += 1
            idle = self._idle.pop() if self._idle else None
        if idle is None:
            return self._make()
        if not idle.is_connected:  # the peer closed it meanwhile, or sent what nobody asked for
            idle.close()
        return idle

    def release(self, connection: Connection, *, reusable: bool) -> None:
        """Takes a connection back; closes it unless its last answer was read to the end and agreed to more."""
        with self._freed:
            self._lent -= 1
            keep = reusable and not self._closed and not connection.is_closed
            if keep:
                self._idle.append(connection)
            self._freed.notify()
        if not keep:
            connection.close()

    def close(self) -> None:
        """Closes what is idle now, and what is lent when it comes back."""
        with self._freed:
            self._closed = True
            idle, self._idle = self._idle, []
            self._freed.notify_all()
        for connection in idle:
            connection.close()

    def _may_lend(self) -> bool:
        return self._lent < self._size or self._closed
