"""A store as the cache uses it: where it fails, calls go on without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from logging import getLogger
from typing import TypeVar

from jackfield import Runtime

from ._keys import Key
from ._store import CacheStore
from ._stored import Stored

T = TypeVar("T")

_DOUBTS = 4096  # places


class Shelf:
    """What a store has, without the errors it may have with it: the first is logged, and counts as nothing there.

    Attributes:
        puts: changes whenever something is kept.
    """

    def __init__(self, store: CacheStore) -> None:
        self._store = store
        self._blocks = store.blocks
        self._warned = False
        self._doubted: set[bytes] = set()  # places that could not be forgotten
        self.puts = 0

    async def get(self, key: Key, runtime: Runtime) -> Sequence[Stored]:
        """What is kept under the key."""
        if self._doubted and await self._doubts(key.place, runtime):
            return ()
        if self._blocks:
            return await self._tried(lambda: self._store.get(*key), runtime, ())
        try:
            return self._store.get(*key)
        except Exception as error:
            self._warn(error)
            return ()

    async def put(self, key: Key, entry: Stored, runtime: Runtime) -> bool:
        """Keeps it; whether it did."""

        def put() -> bool:
            self._store.put(*key, entry)
            self.puts += 1
            return True

        return await self._tried(put, runtime, False)

    async def remove(self, place: bytes, runtime: Runtime) -> None:
        """Forgets a place; nothing of it is given as long as that fails."""

        def remove() -> bool:
            self._store.remove(place)
            return True

        if await self._tried(remove, runtime, False):
            self._doubted.discard(place)
        elif len(self._doubted) <= _DOUBTS:
            self._doubted.add(place)

    async def _doubts(self, place: bytes, runtime: Runtime) -> bool:
        if place in self._doubted:
            await self.remove(place, runtime)
        return place in self._doubted or len(self._doubted) > _DOUBTS

    async def _tried(self, work: Callable[[], T], runtime: Runtime, otherwise: T) -> T:
        try:
            return await runtime.offload(work) if self._blocks else work()
        except Exception as error:
            self._warn(error)
            return otherwise

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            # Only the error's kind: that of somebody's store may quote its address, with a password in it.
            getLogger("jackfield").warning(
                "the cache's store %s failed (%s): calls go on without it",
                type(self._store).__name__,
                type(error).__name__,
            )
