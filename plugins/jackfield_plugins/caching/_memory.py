"""A store in memory: what was used longest ago goes when there is no room."""

from __future__ import annotations

import os
from collections import OrderedDict

from jackfield import fork_safe_lock

from ._forgotten import Forgotten
from ._store import SALT_SIZE, VARIANTS, Found, StoreStats, Suits, check_size
from ._stored import Stored

_GUARD = fork_safe_lock()
# Bytes that Python needs around an entry, and around each of its fields, with what is read of them when it is given.
_ENTRY, _FIELD = 1500, 330


class MemoryStore:
    """Keeps answers for the clients of one process, which share it.

    Args:
        max_size: bytes that it may take, with what Python needs around each answer.

    Raises:
        ConfigurationError: `max_size` is no number of bytes.
    """

    blocks = False

    def __init__(self, max_size: int = 64 * 1024 * 1024) -> None:
        self._max_size = check_size("max_size", max_size)
        self.salt = os.urandom(SALT_SIZE)
        self._kept: OrderedDict[tuple[bytes, bytes], tuple[Stored, ...]] = OrderedDict()  # used longest ago first
        self._owners: dict[bytes, set[bytes]] = {}  # of each place
        self._size = 0
        self._entries = 0
        self._closed = False
        self._forgotten = Forgotten()

    def get(self, place: bytes, owner: bytes, suits: Suits | None = None) -> Found:
        """The very objects that were put, newest first."""
        key = place, owner
        with _GUARD:
            found = self._kept.get(key)
            if found is None:
                return Found((), self._forgotten.count)
            self._kept.move_to_end(key)
            return Found(found, self._forgotten.count)

    def put(self, place: bytes, owner: bytes, entry: Stored, moment: int) -> bool:
        """Keeps it in place of the variant with the same `selecting`; whether it did.

        Not if the place was forgotten after that moment, if that variant was asked for later, or if it is larger than
        the store.
        """
        with _GUARD:
            if self._closed or self._forgotten.last(place) > moment:
                return False
            variants = self._kept.get((place, owner), ())
            if any(one.selecting == entry.selecting and one.asked_at > entry.asked_at for one in variants):
                return False
            others = [other for other in self._taken(place, owner) if other.selecting != entry.selecting]
            fits = _size(entry) <= self._max_size
            self._give(place, owner, (entry, *others[: VARIANTS - 1]) if fits else tuple(others))
            while self._size > self._max_size:
                self._drop_oldest()
            return fits

    def remove(self, place: bytes) -> None:
        """Forgets what is kept of a place, whoever its owner is."""
        with _GUARD:
            self._forgotten.add(place)
            for owner in tuple(self._owners.get(place, ())):
                self._taken(place, owner)

    def clear(self) -> None:
        """Forgets everything."""
        with _GUARD:
            self._forgotten.add_all()
            self._kept.clear()
            self._owners.clear()
            self._size = self._entries = 0

    def stats(self) -> StoreStats:
        """What is in it now."""
        with _GUARD:
            return StoreStats(self._entries, self._size)

    def close(self) -> None:
        """Forgets everything, and keeps nothing any more."""
        with _GUARD:
            self._closed = True
            self.clear()

    def _taken(self, place: bytes, owner: bytes) -> tuple[Stored, ...]:
        found = self._kept.pop((place, owner), ())
        if found:
            owners = self._owners[place]
            owners.discard(owner)
            if not owners:
                del self._owners[place]
            self._entries -= len(found)
            self._size -= sum(map(_size, found))
        return found

    def _give(self, place: bytes, owner: bytes, entries: tuple[Stored, ...]) -> None:
        if entries:
            self._kept[place, owner] = entries
            self._owners.setdefault(place, set()).add(owner)
            self._entries += len(entries)
            self._size += sum(map(_size, entries))

    def _drop_oldest(self) -> None:
        place, owner = next(iter(self._kept))
        rest = self._taken(place, owner)[:-1]
        if rest:
            self._give(place, owner, rest)
            self._kept.move_to_end((place, owner), last=False)


def _size(entry: Stored) -> int:
    fields = sum(len(name) + len(value) + _FIELD for name, value in entry.headers)
    selecting = sum(len(name) + len(value or "") + _FIELD for name, value in entry.selecting)
    return len(entry.body) + fields + selecting + _ENTRY
