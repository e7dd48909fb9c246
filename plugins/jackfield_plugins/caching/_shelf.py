"""A store as a cache uses it: where it fails, calls go on without it, and nothing wrong is given afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from logging import getLogger
from typing import TypeVar

from jackfield import Runtime

from ._keys import Key
from ._ledger import ledger_of
from ._store import CacheStore, Found, StoreError, Suits
from ._stored import Stored

T = TypeVar("T")

_QUIET = 3600.0  # seconds from one warning to the next
_NOTHING = (), None


class Shelf:
    """What a store has, without the errors it may have with it: then nothing is there, and of an hour's one is logged.

    What a call must forget is known to every cache on the store before anything is awaited: the call may be cancelled.

    Attributes:
        ledger: what all caches on the store share.
    """

    def __init__(self, store: CacheStore) -> None:
        self._store = store
        self._blocks = store.blocks
        self.ledger = ledger_of(store)

    async def get(self, key: Key, suits: Suits, runtime: Runtime) -> tuple[Sequence[Stored], int | None]:
        """What is kept under the key, and the moment; None if the store fails."""
        if self._blocks:
            return await self._tried(lambda: self._get(key, suits), runtime) or _NOTHING
        try:
            return self._get(key, suits)
        except Exception as error:
            self._warn(error, runtime)
            return _NOTHING

    async def put(self, key: Key, entry: Stored, moment: int | None, runtime: Runtime) -> bool | None:
        """Keeps it; whether the store did. None if it failed, or had when the moment was to be told.

        What the entry was to replace is given no more then.
        """
        if moment is None:
            self.ledger.forget([key.place])
            return None
        return await self._tried(partial(self._put, key, entry, moment), runtime)

    def forget(self, places: Iterable[bytes]) -> None:
        """Nothing of them is given any more; `settle` is to be awaited then, or done beside."""
        self.ledger.forget(places)

    async def settle(self, runtime: Runtime) -> None:
        """Has the store remove what is forgotten; if it fails, or this is cancelled, whoever asks for it next does."""
        if not self.ledger.is_even:
            await self._tried(lambda: self.ledger.pay(self._store), runtime)

    def clear(self) -> None:
        """Forgets everything.

        Raises:
            OSError: the store cannot; nothing is given until it can.
        """
        self.ledger.forget_all()
        self.ledger.pay(self._store)

    def _get(self, key: Key, suits: Suits) -> Found:
        if self.ledger.owes(key.place):
            self.ledger.pay(self._store)
        found = self._store.get(*key, suits)
        entries, _ = found  # somebody's store may give anything
        for entry in entries:
            if not isinstance(entry, Stored):
                raise TypeError("a store gives what it was given")
        return found

    def _put(self, key: Key, entry: Stored, moment: int) -> bool:
        try:
            self.ledger.pay(self._store)
            done = self._store.put(*key, entry, moment) is True
        except BaseException:
            self.ledger.forget([key.place])
            raise
        if done:
            self.ledger.kept()
        return done

    async def _tried(self, work: Callable[[], T], runtime: Runtime) -> T | None:
        try:
            return await runtime.offload(work) if self._blocks else work()
        except Exception as error:
            self._warn(error, runtime)
            return None

    def _warn(self, error: Exception, runtime: Runtime) -> None:
        now = runtime.monotonic()
        if now < self.ledger.quiet_until:
            return
        self.ledger.quiet_until = now + _QUIET
        # Only the kind of a foreign error: somebody's store may quote its address, with a password in it.
        getLogger("jackfield").warning(
            "the cache's store %s failed (%s): calls go on without it",
            type(self._store).__name__,
            error if isinstance(error, StoreError) else type(error).__name__,
        )
