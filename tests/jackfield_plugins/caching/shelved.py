"""A store as a cache uses it, for tests: no call of it fails, and `put` is of what was asked for this very moment."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from jackfield import SyncRuntime
from jackfield_plugins.caching import CacheStore, Stored, StoreStats
from jackfield_plugins.caching._keys import Key
from jackfield_plugins.caching._shelf import Shelf

_RUNTIME = SyncRuntime()


def anything(_selecting: object) -> bool:
    """Every entry suits."""
    return True


class Shelved:
    def __init__(self, store: CacheStore) -> None:
        self.store = store
        self.shelf = Shelf(store)

    @property
    def salt(self) -> bytes:
        return self.store.salt

    @property
    def inside(self) -> Any:
        """The store, for tests that look into it."""
        return self.store

    def moment(self, place: bytes, owner: bytes) -> int | None:
        return _RUNTIME.run(self.shelf.get(Key(place, owner), anything, _RUNTIME))[1]

    def get(self, place: bytes, owner: bytes) -> Sequence[Stored]:
        return _RUNTIME.run(self.shelf.get(Key(place, owner), anything, _RUNTIME))[0]

    def put(self, place: bytes, owner: bytes, entry: Stored) -> bool | None:
        moment = self.moment(place, owner)
        return _RUNTIME.run(self.shelf.put(Key(place, owner), entry, moment, _RUNTIME))

    def remove(self, place: bytes) -> None:
        self.shelf.forget([place])
        _RUNTIME.run(self.shelf.settle(_RUNTIME))

    def clear(self) -> None:
        with suppress(OSError):
            self.shelf.clear()

    def stats(self) -> StoreStats:
        try:
            return self.store.stats()
        except OSError:
            return StoreStats(0, 0)

    def close(self) -> None:
        self.store.close()
