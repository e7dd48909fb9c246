"""Caching: answers that are kept and given again, by the rules of RFC 9111."""

from ._cache import Cache
from ._counts import CacheStats
from ._encoding import decoded, encoded
from ._memory import MemoryStore
from ._sqlite import SqliteStore
from ._store import CacheStore, Found, StoreError, StoreStats, Suits
from ._stored import Stored

__all__ = [
    "Cache",
    "CacheStats",
    "CacheStore",
    "Found",
    "MemoryStore",
    "SqliteStore",
    "StoreError",
    "StoreStats",
    "Stored",
    "Suits",
    "decoded",
    "encoded",
]
