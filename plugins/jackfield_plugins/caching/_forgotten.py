"""Which places were forgotten when, counted and not timed: clocks are set back."""

from __future__ import annotations

from collections import OrderedDict

REMEMBERED = 1000  # places; of what was asked for before them, nothing is kept


class Forgotten:
    """The last places that were forgotten. Who uses it from several threads holds a lock.

    Attributes:
        count: goes up whenever something is forgotten.
    """

    def __init__(self) -> None:
        self.count = 0
        self._places: OrderedDict[bytes, int] = OrderedDict()  # longest ago first
        self._others = 0  # at which any other place may have been forgotten

    def add(self, place: bytes) -> None:
        """It is forgotten now."""
        self.count += 1
        self._places[place] = self.count
        self._places.move_to_end(place)
        if len(self._places) > REMEMBERED:
            self._others = self._places.popitem(last=False)[1]

    def add_all(self) -> None:
        """So is every place."""
        self.count += 1
        self._others = self.count
        self._places.clear()

    def last(self, place: bytes) -> int:
        """The count at which it was forgotten last, or a later one; 0 if it never was."""
        return self._places.get(place, self._others)
