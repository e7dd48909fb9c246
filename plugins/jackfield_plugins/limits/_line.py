"""A line of callers, first come first served, that threads, tasks and event loops stand in together."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from jackfield import Call


class _Signal(Protocol):
    def set(self) -> None: ...


class Line:
    """Those who came and have not left, in order; the first `size` of them are in.

    That order is all there is to know, so nothing can be counted wrong. There is no lock: a place may be left at any
    line, also of this module, when the garbage collector finds a forgotten stream or coroutine, or Ctrl-C comes.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._order: deque[object] = deque()
        self._waiting: dict[object, _Signal] = {}

    def join(self, key: object) -> None:
        """Stands at the end."""
        self._order.append(key)

    def leave(self, key: object) -> None:
        """Goes, from wherever it stands, and calls who is in by that. May be called again."""
        self._waiting.pop(key, None)
        try:
            self._order.remove(key)
        except ValueError:
            pass  # it left before
        if self._waiting:
            self._call()

    def admits(self, key: object) -> bool:
        """Whether it, which has not left, is in."""
        order = self._order
        if len(order) <= self._size:
            return True
        try:
            order.index(key, 0, self._size)
        except ValueError:
            return False
        return True

    def ahead(self, key: object) -> int:
        """How many came earlier."""
        return self._order.index(key)

    def listen(self, key: object, called: _Signal) -> None:
        """Wants to be called when it is in; it may be so before that could be heard."""
        self._waiting[key] = called

    def _call(self) -> None:
        try:
            for index in range(self._size):  # whoever leaves meanwhile does the same after us
                key = self._order[index]
                if (called := self._waiting.get(key)) is not None:
                    called.set()
                    self._waiting.pop(key, None)
        except IndexError:
            pass  # there are not so many


class Place:
    """One caller's place in a line; it is left when it is dropped, if not before."""

    __slots__ = ("_key", "_line", "_may_be_in")

    def __init__(self, line: Line) -> None:
        self._may_be_in = False
        self._key = object()  # what the line remembers, so that it does not keep this
        self._line = line

    def take(self) -> int:
        """Stands at the end of the line; how many are ahead."""
        self._may_be_in = True
        self._line.join(self._key)
        return self._line.ahead(self._key)

    @property
    def is_in(self) -> bool:
        return self._line.admits(self._key)

    async def wait(self, call: Call, seconds: float) -> bool:
        """Until it is in, for so many seconds at most; whether it is."""
        called = call.runtime.signal()
        self._line.listen(self._key, called)
        if not self.is_in:
            await called.wait(seconds)
        return self.is_in

    def leave(self) -> None:
        """Makes room. May be called again."""
        if self._may_be_in:
            self._line.leave(self._key)
            self._may_be_in = False  # last: until then `__del__` does what an interrupt left undone

    def __del__(self) -> None:
        if getattr(self, "_may_be_in", False):
            self.leave()
