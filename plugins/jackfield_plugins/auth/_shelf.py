"""A token on its store, as the manager uses one: what blocks runs beside, what fails does no harm."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from jackfield import Call

from ._store import RenewalLock, TokenStore
from ._token import Token

T = TypeVar("T")

_FIRST_WAIT, _LONGEST_WAIT = 0.02, 0.5  # seconds between two looks at a lock that another process holds


class Shelf:
    """One key of a store.

    Args:
        store: where; None keeps nothing.
        key: under which name.
    """

    def __init__(self, store: TokenStore | None, key: str) -> None:
        self._store = store
        self._key = key
        self._warned = False

    def lock(self) -> RenewalLock | None:
        """A lock that `acquire` takes, and whoever asked releases."""
        return self._store.lock(self._key) if self._store else None

    async def acquire(self, lock: RenewalLock | None, call: Call) -> None:
        """Waits until nobody else, in whatever process, renews this token.

        Raises:
            DeadlineExceededError: the call ended before.
        """
        wait = _FIRST_WAIT
        while lock is not None and not await self._taken(lock, call):
            await call.runtime.sleep(call.limit(wait))
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _taken(self, lock: RenewalLock, call: Call) -> bool:
        try:
            return await self._run(lock.acquire, call)
        except OSError as error:  # there is nothing to lock on, so nothing to wait for
            self._warn(error)
            return True

    async def load(self, call: Call) -> Token | None:
        """What is kept, if it can be read.

        Raises:
            ConfigurationError: the store refuses, as others can read it.
        """
        store = self._store
        if store is None:
            return None
        try:
            return await self._run(lambda: store.load(self._key), call)
        except OSError as error:
            self._warn(error)
            return None

    async def save(self, token: Token, call: Call) -> None:
        """Keeps it; a store that cannot is warned of once, and stops nobody."""
        store = self._store
        if store is None:
            return
        try:
            await self._run(lambda: store.save(self._key, token), call)
        except OSError as error:
            self._warn(error)

    async def _run(self, work: Callable[[], T], call: Call) -> T:
        blocks = self._store is not None and self._store.blocks
        return await call.runtime.offload(work) if blocks else work()

    def _warn(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            logging.getLogger("jackfield").warning("tokens are not kept in their store: %s", error)
