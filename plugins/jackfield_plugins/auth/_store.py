"""Where tokens are kept besides the client that uses them: the protocol, and a store in memory."""

from __future__ import annotations

import os
import threading
from typing import Protocol

from ._token import Token


class RenewalLock(Protocol):
    """The right to renew one token, among all who share the store."""

    def acquire(self) -> bool:
        """Takes it, at once; False if somebody else has it.

        Raises:
            OSError: it cannot tell; the token is renewed nevertheless.
        """
        ...

    def release(self) -> None:
        """Gives it back, if it was taken. After it this lock takes nothing more, nor does an `acquire` under way."""
        ...


class TokenStore(Protocol):
    """Keeps tokens by key. Safe between threads; `blocks` says whether it waits for a disk or a network."""

    @property
    def blocks(self) -> bool:
        """Whether its calls must not run on an event loop."""
        ...

    def load(self, key: str) -> Token | None:
        """The token of this key, if there is one.

        Raises:
            ConfigurationError: it is kept where others can read it.
            OSError: it cannot be read; another one is asked for.
        """
        ...

    def save(self, key: str, token: Token) -> None:
        """Keeps this one in place of what was there: whole, or not at all.

        Raises:
            OSError: it cannot; the token is used nevertheless.
        """
        ...

    def lock(self, key: str) -> RenewalLock:
        """A new lock on the token of this key, not yet taken."""
        ...


class MemoryTokenStore:
    """Shares tokens between clients of one process."""

    blocks = False

    def __init__(self) -> None:
        # Again by the same thread: a coroutine that was given up ends wherever the garbage collector finds it.
        self._guard = threading.RLock()
        self._tokens: dict[str, Token] = {}
        self._held: dict[tuple[int, str], _Held] = {}

    def load(self, key: str) -> Token | None:
        """The token of this key, if there is one."""
        return self._tokens.get(key)

    def save(self, key: str, token: Token) -> None:
        """Keeps this one in place of what was there."""
        self._tokens[key] = token

    def lock(self, key: str) -> RenewalLock:
        """A lock between threads and tasks of this process."""
        return _Held((os.getpid(), key), self._guard, self._held)  # a forked child has nobody to wait for


class _Held:
    def __init__(self, key: tuple[int, str], guard: threading.RLock, held: dict[tuple[int, str], _Held]) -> None:
        self._key, self._guard, self._all = key, guard, held

    def acquire(self) -> bool:
        with self._guard:
            return self._all.setdefault(self._key, self) is self

    def release(self) -> None:
        with self._guard:
            if self._all.get(self._key) is self:
                del self._all[self._key]
