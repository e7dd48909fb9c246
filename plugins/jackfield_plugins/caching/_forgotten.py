"""What became invalid while an answer was under way: such an answer is older than what made it so, and is not kept."""

from __future__ import annotations

from collections import OrderedDict

from jackfield import fork_safe_lock

_REMEMBERED = 4096  # places; what is older is taken to have been any place

_guard = fork_safe_lock()


class Forgotten:
    """Counts the moments at which places were forgotten, in this process."""

    def __init__(self) -> None:
        self._places: OrderedDict[bytes, int] = OrderedDict()
        self._all = 0
        self.moment = 0

    def add(self, place: bytes) -> None:
        """What is under way for this place is not to be kept."""
        with _guard:
            self.moment += 1
            self._places[place] = self.moment
            self._places.move_to_end(place)
            if len(self._places) > _REMEMBERED:
                self._all = self._places.popitem(last=False)[1]

    def add_all(self) -> None:
        """Nor is anything else."""
        with _guard:
            self.moment += 1
            self._all = self.moment
            self._places.clear()

    def last(self, place: bytes) -> int:
        """The moment at which the place was forgotten last; 0 if it never was."""
        return max(self._places.get(place, 0), self._all)
