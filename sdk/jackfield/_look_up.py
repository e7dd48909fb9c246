"""Names to addresses, by the system's look-up, which can neither be interrupted nor told a limit."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from copy import copy
from threading import Lock, Thread
from typing import Any, NamedTuple, TypeAlias

from ._alarm import Alarm

Address: TypeAlias = tuple[int, int, int, str, Any]

_AT_MOST = 32  # threads


class _Name(NamedTuple):
    host: str
    port: int


class _LookUp:
    """One look-up under way or due, and who waits for it."""

    def __init__(self) -> None:
        self.waiting: list[Alarm] = []
        self.found: Sequence[Address] | Exception | None = None

    def outcome(self) -> Sequence[Address]:
        if isinstance(self.found, Exception):
            raise copy(self.found)  # each who waited adds to the traceback of one of its own
        assert self.found is not None
        return self.found


class LookUps:
    """Looks names up in threads of its own, one look-up a name at one time: who wants the same waits for that.

    One that hangs costs its callers the time they have, and the process a thread; of these there are so many at most.
    """

    def __init__(self, at_most: int = _AT_MOST) -> None:
        self._at_most = at_most
        self._threads = 0
        self._guard = Lock()
        self._under_way: dict[_Name, _LookUp] = {}
        self._due: dict[_Name, None] = {}  # in order

    def addresses(self, host: str, port: int, time_left: Callable[[], float], alarm: Alarm) -> Sequence[Address]:
        """What the name stands for, the best first.

        Args:
            host: a name or an IP address.
            port: is in each address.
            time_left: seconds; raises when there are none, or when the alarm was cut.
            alarm: the caller's.

        Raises:
            OSError, UnicodeError: as of `socket.getaddrinfo`.
        """
        try:
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            pass  # it is a name
        look_up = self._join(_Name(host, port), alarm)
        try:
            alarm.wait(time_left, lambda: look_up.found is not None)
        finally:
            self._leave(_Name(host, port), look_up, alarm)
        return look_up.outcome()

    def _join(self, name: _Name, alarm: Alarm) -> _LookUp:
        with self._guard:
            look_up = self._under_way.get(name)
            if look_up is None:
                look_up = self._under_way[name] = _LookUp()
                self._due[name] = None
            look_up.waiting.append(alarm)
            if self._due and self._threads < self._at_most:
                Thread(target=self._work, name="jackfield-look-up", daemon=True).start()
                self._threads += 1
            return look_up

    def _leave(self, name: _Name, look_up: _LookUp, alarm: Alarm) -> None:
        with self._guard:
            look_up.waiting.remove(alarm)
            unwanted = not look_up.waiting and self._under_way.get(name) is look_up
            if unwanted and name in self._due:  # it has not begun
                del self._due[name]
                del self._under_way[name]

    def _work(self) -> None:
        while (name := self._next()) is not None:
            try:
                found: Sequence[Address] | Exception = socket.getaddrinfo(*name, type=socket.SOCK_STREAM)
            except Exception as error:
                found = error
            with self._guard:
                look_up = self._under_way.pop(name)
            look_up.found = found
            for alarm in tuple(look_up.waiting):
                alarm.ring()

    def _next(self) -> _Name | None:
        with self._guard:
            for name in self._due:
                del self._due[name]
                return name
            self._threads -= 1
            return None


_look_ups = LookUps()


def look_up(host: str, port: int, time_left: Callable[[], float], alarm: Alarm) -> Sequence[Address]:
    """As `LookUps.addresses`, with all others of this process."""
    return _look_ups.addresses(host, port, time_left, alarm)


def _begin_in_child() -> None:
    global _look_ups
    _look_ups = LookUps()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)  # the threads stayed with the parent
