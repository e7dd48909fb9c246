"""What a process remembers for an SQLite file until it can, or must, write to it."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable

from ._sqlite_file import EMPTY

REMOVE = "DELETE FROM entries WHERE place = ?"
# What is among the newest quarter stays there: what is used often is written once in a while, and not at each use.
_NEWEST = "SELECT (SELECT max(used) FROM uses), (SELECT min(used) FROM uses)"  # each from the index's end
_USE = "UPDATE uses SET used = ? WHERE used < ? AND id IN (SELECT id FROM entries WHERE place = ? AND owner = ?)"

_MOST_OWED = 1000  # places; with more of them, nothing in the file counts any more
_MOST_USES = 256


class Notes:
    """Places whose entries are no longer true but could not be removed, and entries that were used lately."""

    def __init__(self) -> None:
        self._owed: set[bytes] = set()
        self._all_owed = False
        self._uses: OrderedDict[tuple[bytes, bytes], None] = OrderedDict()  # the latest last

    def __bool__(self) -> bool:
        return bool(self._uses or self._owed or self._all_owed)

    def hides(self, place: bytes) -> bool:
        """Whether nothing may be given of it."""
        return self._all_owed or place in self._owed

    def owe(self, place: bytes | None) -> None:
        """Its entries are to be removed; None: all there are."""
        if place is None or len(self._owed) >= _MOST_OWED:
            self._all_owed = True
        else:
            self._owed.add(place)

    def use(self, place: bytes, owner: bytes) -> None:
        """Its entries were given."""
        uses, key = self._uses, (place, owner)
        uses.pop(key, None)
        uses[key] = None
        if len(uses) > _MOST_USES:
            uses.popitem(last=False)

    def write(self, connection: sqlite3.Connection) -> Callable[[], None]:
        """Writes all of it down. What is given is called when that is certain, and forgets what was written."""
        owed, uses, all_owed = tuple(self._owed), tuple(self._uses), self._all_owed
        if all_owed:
            empty(connection)
        for place in owed:
            connection.execute(REMOVE, (place,))
        _use(connection, uses)

        def forget() -> None:
            self._owed.difference_update(owed)
            self._all_owed = self._all_owed and not all_owed
            for key in uses:
                self._uses.pop(key, None)

        return forget


def empty(connection: sqlite3.Connection) -> None:
    """Makes the tables anew: many entries go as fast as few."""
    for statement in EMPTY:
        connection.execute(statement)


def _use(connection: sqlite3.Connection, uses: tuple[tuple[bytes, bytes], ...]) -> None:
    newest, oldest = connection.execute(_NEWEST).fetchone()
    if newest is not None:
        limit = newest - (newest - oldest) // 4
        connection.executemany(_USE, [(newest + n, limit, *key) for n, key in enumerate(uses, 1)])
