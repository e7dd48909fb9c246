"""A token on its store, as the manager uses one: what blocks runs beside, what fails does no harm."""

from __future__ import annotations

import logging
import threading
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
        self.is_behind = False  # what was to be kept last is not

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
        if self._store is None:
            return
        write = _Write(self._store, self._key, token)
        try:
            await self._run(write.run, call)
            self.is_behind = False
        except OSError as error:
            self.is_behind = True
            self._warn(error)
        except BaseException:
            write.stop()
            self.is_behind = not write.done
            raise

    async def _run(self, work: Callable[[], T], call: Call) -> T:
        blocks = self._store is not None and self._store.blocks
        return await call.runtime.offload(work) if blocks else work()

    def _warn(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            logging.getLogger("jackfield").warning("tokens are not kept in their store: %s", error)


class _Write:
    """A save that may go on in another thread when its task was cancelled. Once stopped it is over, or never begins."""

    def __init__(self, store: TokenStore, key: str, token: Token) -> None:
        self._store, self._key, self._token = store, key, token
        self._guard = threading.Lock()
        self._stopped = False
        self.done = False

    def run(self) -> None:
        with self._guard:
            if not self._stopped:
                self._store.save(self._key, self._token)
                self.done = True

    def stop(self) -> None:
        with self._guard:  # the lock on the token must not be given back while this is being written
            self._stopped = True
