"""What a process remembers of an SQLite file: entries that it has read lately, and that they were used."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable
from typing import TypeVar

from ._kept import Kept

_READ, _USED = 128, 256  # keys, at most
_LARGEST = 32 * 1024  # bytes of the rows of one key: 4 MiB of rows in all, at most

K = TypeVar("K")
V = TypeVar("V")
Key = tuple[bytes, bytes]
Row = tuple[int, bytes, bytes | None]

# What is among the newest quarter stays there: what is used often is written once in a while, and not at each use.
_NEWEST = "SELECT (SELECT max(used) FROM uses), (SELECT min(used) FROM uses)"  # each from the index's end
_USE = "UPDATE uses SET used = ? WHERE used < ? AND id IN (SELECT id FROM entries WHERE place = ? AND owner = ?)"


class Recent:
    """A few small ones: while their rows are the same, byte by byte, nothing is parsed again. Safe between threads."""

    def __init__(self) -> None:
        self._read: OrderedDict[Key, tuple[list[Row], tuple[Kept, ...]]] = OrderedDict()
        self._used: OrderedDict[Key, None] = OrderedDict()  # the latest last

    def get(self, key: Key, rows: list[Row]) -> tuple[Kept, ...] | None:
        """What was made of exactly these rows, with whatever has been read of it since."""
        found = self._read.get(key)
        return found[1] if found is not None and found[0] == rows else None

    def put(self, key: Key, rows: list[Row], entries: tuple[Kept, ...]) -> None:
        """Remembers what was made of them, if that is all there is to them."""
        sizes = [len(head) + len(body) if body is not None else _LARGEST for _, head, body in rows]
        if sum(sizes) < _LARGEST:
            _remember(self._read, key, (rows, entries), _READ)

    def use(self, key: Key) -> None:
        """Its entries were given."""
        _remember(self._used, key, None, _USED)

    @property
    def used(self) -> tuple[Key, ...]:
        """What was used since that was last written, the latest last."""
        return tuple(self._used)

    def written(self, keys: Iterable[Key]) -> None:
        """They are in the file."""
        for key in keys:
            self._used.pop(key, None)

    def clear(self) -> None:
        """Forgets all entries."""
        self._read.clear()


def write_uses(connection: sqlite3.Connection, used: Iterable[Key]) -> None:
    """Writes down what was used, so that it does not go first when there is no room."""
    newest, oldest = connection.execute(_NEWEST).fetchone()
    if newest is not None:
        limit = newest - (newest - oldest) // 4
        connection.executemany(_USE, [(newest + n, limit, *key) for n, key in enumerate(used, 1)])


def _remember(found: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    found.pop(key, None)
    found[key] = value
    if len(found) > most:
        found.popitem(last=False)
