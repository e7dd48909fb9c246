"""What is remembered of the last URLs."""

from __future__ import annotations

from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")

_AT_MOST = 1024


class Recent(Generic[T]):
    """Something for each of the last keys, for any number of threads."""

    def __init__(self) -> None:
        self._known: dict[str, T] = {}
        self._guard = Lock()

    def put(self, key: str, value: T) -> None:
        with self._guard:
            self._known.pop(key, None)
            self._known[key] = value
            if len(self._known) > _AT_MOST:
                del self._known[next(iter(self._known))]

    def get(self, key: str) -> T | None:
        with self._guard:
            return self._known.get(key)

    def clear(self) -> None:
        with self._guard:
            self._known.clear()
