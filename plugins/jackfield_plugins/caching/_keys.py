"""Where an answer is kept, and whose it is: keyed hashes, of which nothing can be read."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import NamedTuple, TypeVar

from jackfield import Headers, Request, Url, fork_safe_lock

K = TypeVar("K")

# Fields that say nothing about who asks. Any other may be a credential: taking it for one costs hits, and no more.
_HARMLESS = frozenset(
    {
        *("accept", "accept-charset", "accept-encoding", "accept-language", "cache-control", "content-type", "date"),
        *("pragma", "prefer", "range", "te", "traceparent", "tracestate", "user-agent"),
        *("x-correlation-id", "x-request-id"),
    }
)
_REMEMBERED = 4096  # hashes

_guard = fork_safe_lock()


class Key(NamedTuple):
    """Where the answers to a request are kept, for one owner."""

    place: bytes
    owner: bytes


class Keys:
    """Makes the keys of one store.

    Args:
        salt: the store's. Without it nobody can tell whether a guess is right.
    """

    def __init__(self, salt: bytes) -> None:
        self._salt = salt[:64]  # what BLAKE2b takes
        self._places: OrderedDict[tuple[Url, str], bytes] = OrderedDict()
        self._owners: OrderedDict[bytes, bytes] = OrderedDict()
        self._plain: Headers | None = None  # the last ones without a secret

    def of(self, request: Request, identity: bytes) -> Key:
        """The key of a request by a client with such credentials."""
        return Key(self.place(request), self._owner(request, identity))

    def place(self, request: Request) -> bytes:
        """For the URL: scheme, host, port, path and query. HEAD is answered from where GET is."""
        url, target = request.url, request.target
        found = self._places.get((url, target))
        if found is None:
            found = self._hash(b"place", f"{url.origin}{target}".encode("utf-8", "surrogateescape"))
            _remember(self._places, (url, target), found)
        return found

    def _owner(self, request: Request, identity: bytes) -> bytes:
        headers = request.headers
        if headers is not self._plain:  # which those of a client are, call after call
            who = sorted((name.lower(), headers.get_all(name)) for name in headers if _may_tell_who(name.lower()))
            if who:  # nothing of them is remembered
                return self._hash(b"owner", identity + repr(who).encode())
            self._plain = headers
        found = self._owners.get(identity)
        if found is None:
            found = self._hash(b"owner", identity)
            _remember(self._owners, identity, found)
        return found

    def _hash(self, purpose: bytes, text: bytes) -> bytes:
        return blake2b(text, digest_size=20, key=self._salt, person=purpose).digest()


def _may_tell_who(name: str) -> bool:
    return name not in _HARMLESS and not name.startswith("if-")


def _remember(hashes: OrderedDict[K, bytes], key: K, found: bytes) -> None:
    with _guard:
        hashes[key] = found
        if len(hashes) > _REMEMBERED:
            hashes.popitem(last=False)
