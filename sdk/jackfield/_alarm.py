"""Wakes a thread that waits for something that is no socket, or not yet connected."""

from __future__ import annotations

import socket
from collections.abc import Callable
from selectors import EVENT_READ, DefaultSelector
from types import TracebackType
from typing import Self


class Alarm:
    """One thread waits, others ring or cut it. A cut lasts: whoever waits, now or later, is woken at once.

    Attributes:
        ear: readable when it was rung or cut.
        cuttable: shut it down to cut the alarm.
    """

    def __init__(self) -> None:
        self.ear, self.cuttable = socket.socketpair()
        self.ear.setblocking(False)

    def ring(self) -> None:
        """From whatever thread; does nothing once it is closed."""
        try:
            self.cuttable.send(b"!")
        except OSError:
            pass  # who waited has gone

    def wait(self, time_left: Callable[[], float], done: Callable[[], bool]) -> None:
        """Until it is done. Whoever makes it done rings.

        Args:
            time_left: seconds; raises when there are none, or when the alarm was cut.
            done: looked at each time that it rings.
        """
        with DefaultSelector() as selector:
            selector.register(self.ear, EVENT_READ)
            while not done():
                if selector.select(time_left()):
                    self.silence()

    def silence(self) -> None:
        """Hears the rings so far. A cut is still there after it."""
        try:
            self.ear.recv(64)
        except BlockingIOError:
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ear.close()
        self.cuttable.close()
