"""Authentication, a scheme a module: for every one there is a page in docs/auth."""

from ._store import MemoryTokenStore, RenewalLock, TokenStore
from ._token import Token

__all__ = ["MemoryTokenStore", "RenewalLock", "Token", "TokenStore"]
