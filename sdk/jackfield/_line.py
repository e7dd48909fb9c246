"""Waiting for one's turn: lines in which threads, tasks, event loops and clients of both colours stand together."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from math import inf
from weakref import WeakSet, ref

from ._call import Call
from ._errors import DeadlineExceededError
from ._flight import Signal


class Line:
    """Those who came and have not left, first come first served; the first `size` of them are in.

    That order is all there is to know, so nothing can be counted wrong. There is no lock: a place may be left at any
    line, also of this module, when the garbage collector finds a forgotten stream or coroutine, or Ctrl-C comes. In a
    forked child it is empty: those who stood there are the parent's.

    Args:
        size: how many are in at one time, 1 or more.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._order: deque[object] = deque()
        self._waiting: dict[object, ref[Place]] = {}  # or a task whose loop has ended would be kept, and its place
        _lines.add(self)

    def is_idle(self, now: float) -> bool:
        """Whether nobody stands in it, whatever the time: a new one would do as well, says `ByOrigin`."""
        return not self._order

    def _join(self, key: object) -> int:
        self._order.append(key)
        return self._order.index(key)

    def _leave(self, key: object) -> None:
        self._waiting.pop(key, None)
        try:
            self._order.remove(key)
        except ValueError:
            pass  # it left before
        if self._waiting:
            self._call()

    def _admits(self, key: object) -> bool:
        order = self._order
        if len(order) <= self._size:
            return True
        try:
            order.index(key, 0, self._size)
        except ValueError:
            return False
        return True

    def _listen(self, key: object, place: Place) -> None:
        self._waiting[key] = ref(place)

    def _call(self) -> None:
        try:
            for index in range(self._size):  # whoever leaves meanwhile does the same after us
                key = self._order[index]
                if (waiting := self._waiting.get(key)) is not None:
                    if (place := waiting()) is not None:
                        place._called.set()
                    self._waiting.pop(key, None)
        except IndexError:
            pass  # there are not so many

    def _empty(self) -> None:
        self._order.clear()
        self._waiting.clear()


class Place:
    """One caller's place in a line: `take` it, `wait` if it is not among the first, and `leave` it in a `finally`.

    It is left when it is dropped, if not before, so that a stream may keep it.
    """

    __slots__ = ("__weakref__", "_called", "_key", "_line", "_may_be_in")
    _called: Signal

    def __init__(self, line: Line) -> None:
        self._may_be_in = False
        self._key = object()  # what the line remembers, so that it does not keep this
        self._line = line

    def take(self) -> int:
        """Stands at the end of the line, once; how many are ahead."""
        self._may_be_in = True
        return self._line._join(self._key)

    @property
    def is_in(self) -> bool:
        """Whether it, which was taken and not left, is among the first."""
        return self._line._admits(self._key)

    async def wait(self, call: Call, seconds: float) -> bool:
        """Until it is in, for so many seconds at most, which may be `inf`; whether it is."""
        self._called = call.runtime.signal()
        self._line._listen(self._key, self)
        if not self.is_in:
            await self._called.wait(None if seconds == inf else seconds)
        return self.is_in

    def leave(self) -> None:
        """Makes room, and calls who is in by that. May be called again."""
        if self._may_be_in:
            self._line._leave(self._key)
            self._may_be_in = False  # last: until then `__del__` does what an interrupt left undone

    def __del__(self) -> None:
        if getattr(self, "_may_be_in", False):
            self.leave()


class Turns:
    """Lets callers start one after the other, in the order in which they came, an interval apart.

    That is the generic cell rate algorithm (ITU-T I.371). Who gives up while it waits leaves no gap: whoever is first
    in the line, and nobody else, decides when to start.

    Args:
        who: lets them start so late, for the error: "the rate limit", say.
        interval: seconds to the start after one at the given moment of the runtime's monotonic clock; may change.
        tolerance: seconds that a start may come too early: a burst after a pause.
    """

    def __init__(self, who: str, interval: Callable[[float], float], tolerance: float = 0.0) -> None:
        self._who = who
        self._interval = interval
        self._tolerance = tolerance
        self._expected = -inf  # the theoretical arrival time of the next start
        self._line = Line(1)

    async def take(self, call: Call) -> float:
        """Returns when it is this caller's turn: the moment, by the runtime's monotonic clock.

        Raises:
            DeadlineExceededError: the turn would come after the call's deadline; that is said as soon as it is known.
        """
        place = Place(self._line)
        try:
            if ahead := place.take():
                await self._wait(place, ahead, call)
            now = call.runtime.monotonic()
            while (start := self._expected - self._tolerance) > now:
                self._check(start, now, call)
                await call.runtime.sleep(start - now)
                now = call.runtime.monotonic()
            self._expected = max(now, self._expected) + self._interval(now)
            return now
        finally:
            place.leave()

    def is_idle(self, now: float) -> bool:
        """Whether nobody waits, and new ones would let callers start at the same times."""
        return self._line.is_idle(now) and self._expected <= now

    async def _wait(self, place: Place, ahead: int, call: Call) -> None:
        now = call.runtime.monotonic()
        self._check(max(now, self._expected) + ahead * self._interval(now) - self._tolerance, now, call)
        if not await place.wait(call, call.limit(inf)):
            raise call.overdue()

    def _check(self, start: float, now: float, call: Call) -> None:
        if start >= call.deadline:
            raise DeadlineExceededError(
                f"{self._who} lets this attempt start in {start - now:.3g} s, and the call has "
                f"{max(call.deadline - now, 0):.3g} s left: nothing was sent"
            )


_lines: WeakSet[Line] = WeakSet()


def _begin_in_child() -> None:
    for line in _lines:
        line._empty()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
