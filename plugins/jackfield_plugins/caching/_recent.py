"""Entries that were read of a file lately: while their rows are the same, byte by byte, nothing is parsed again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from ._kept import Kept

Rows = list[tuple[bytes]]

_PLACES = 128
_LARGEST = 32 * 1024  # bytes of the rows of one place: 4 MiB of rows in all, at most


class Recent:
    """A few small ones, by place and owner. Safe between threads."""

    def __init__(self) -> None:
        self._read: OrderedDict[tuple[bytes, bytes], tuple[Rows, Sequence[Kept]]] = OrderedDict()

    def get(self, key: tuple[bytes, bytes], rows: Rows) -> Sequence[Kept] | None:
        """What was made of exactly these rows, with whatever has been read of it since."""
        found = self._read.get(key)
        return found[1] if found is not None and found[0] == rows else None

    def put(self, key: tuple[bytes, bytes], rows: Rows, entries: Sequence[Kept]) -> None:
        """Remembers what was made of them."""
        self._read.pop(key, None)
        if sum(len(data) for (data,) in rows) <= _LARGEST:
            self._read[key] = rows, entries
            if len(self._read) > _PLACES:
                self._read.popitem(last=False)

    def clear(self) -> None:
        """Forgets all of them."""
        self._read.clear()
