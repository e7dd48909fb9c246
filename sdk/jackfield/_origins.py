"""What is known of each origin by one who may meet many: a state for each, and room for those in use only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

from ._call import Call
from ._fork import fork_safe_lock
from ._url import Origin

_ROOM = 256  # origins whose states stay though they are idle


class State(Protocol):
    """What can say whether it knows anything."""

    def is_idle(self, now: float) -> bool:
        """Whether a new one would do as well; `now` is of the runtime's monotonic clock."""
        ...


S = TypeVar("S", bound=State)
_guard = fork_safe_lock()


class ByOrigin(Generic[S]):
    """A state for each origin; some hundred are kept, and beyond that those only that are not idle.

    All who ask for one origin's at a time get the same one, however many there are: none is forgotten that anybody
    holds. Threads, tasks and clients may share this.

    Args:
        make: a new state.
    """

    def __init__(self, make: Callable[[Origin], S]) -> None:
        self._make = make
        self._kept: dict[Origin, S] = {}
        self._living: WeakValueDictionary[Origin, S] = WeakValueDictionary()
        self._room = _ROOM

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, origin: Origin, call: Call) -> S:
        """That origin's state, perhaps a new one. Hold it while you use it."""
        state = self._kept.get(origin)
        return self._new(origin, call) if state is None else state

    def _new(self, origin: Origin, call: Call) -> S:
        with _guard:
            if len(self._kept) >= self._room:
                self._make_room(call.runtime.monotonic())
            state = self._living.get(origin)
            if state is None:
                state = self._living[origin] = self._make(origin)
            self._kept[origin] = state
            return state

    def _make_room(self, now: float) -> None:
        for origin, state in list(self._kept.items()):  # what a finalizer does meanwhile may change it
            if state.is_idle(now):
                self._kept.pop(origin, None)
        self._room = max(_ROOM, 2 * len(self._kept))  # so that looking through them costs each new one little
