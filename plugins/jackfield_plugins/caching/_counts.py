"""How often a cache did what."""

from __future__ import annotations

from typing import NamedTuple

from jackfield import fork_safe_lock

_guard = fork_safe_lock()


class CacheStats(NamedTuple):
    """What a cache has done since it was made, and what is in its store.

    Attributes:
        fresh: answers that came out of the store, and were fresh.
        stale: answers that were given past their time: while they were refreshed, or as the service failed.
        validated: answers that were given again as the service said that they are still good.
        shared: answers that another's same request had brought just then.
        missed: requests that the service answered.
        refreshed: times that an answer was refreshed in the background.
        refresh_failed: times that it could not be.
        entries: answers in the store.
        size: bytes that they take.
    """

    fresh: int
    stale: int
    validated: int
    shared: int
    missed: int
    refreshed: int
    refresh_failed: int
    entries: int
    size: int


class Counts:
    """Counts by kind."""

    def __init__(self) -> None:
        self._numbers = dict.fromkeys(CacheStats._fields[:-2], 0)

    def add(self, kind: str) -> None:
        """One more."""
        with _guard:
            self._numbers[kind] += 1

    def stats(self, entries: int, size: int) -> CacheStats:
        """All of them."""
        with _guard:
            return CacheStats(**self._numbers, entries=entries, size=size)
