"""Where an answer is kept, and whose it is: keyed hashes, of which nothing can be read."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import NamedTuple, TypeVar

from jackfield import Headers, Request, Url, fork_safe_lock

from ._selecting import PER_CALL

K = TypeVar("K")

# Fields that say nothing about who asks. Any other may be a credential: taking it for one costs hits, and no more.
_HARMLESS = frozenset(
    {
        *("accept", "accept-charset", "accept-encoding", "accept-language", "cache-control", "content-type", "pragma"),
        *("prefer", "range", "te", "user-agent"),
        *PER_CALL,
    }
)
_REMEMBERED, _LONGEST = 512, 256  # hashes, and characters of what they are made of

_guard = fork_safe_lock()


class Key(NamedTuple):
    """Where the answers to a request are kept, for one owner."""

    place: bytes
    owner: bytes


class Keys:
    """Makes the keys of one cache.

    Args:
        salt: the store's, 64 bytes at most. Without it nobody can tell whether a guess is right.
        shared: whether the cache is: what it may keep and give is not what another on the same store may.
    """

    def __init__(self, salt: bytes, *, shared: bool = False) -> None:
        self._salt = salt
        self._owner_of = b"shared" if shared else b"owner"
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
            if len(target) <= _LONGEST:
                _remember(self._places, (url, target), found)
        return found

    def _owner(self, request: Request, identity: bytes) -> bytes:
        headers = request.headers
        if headers is not self._plain:  # which those of a client are, call after call
            if who := telling_who(headers):  # nothing of them is remembered
                return self._hash(self._owner_of, identity + repr(who).encode())
            self._plain = headers
        found = self._owners.get(identity)
        if found is None:
            found = self._hash(self._owner_of, identity)
            _remember(self._owners, identity, found)
        return found

    def _hash(self, purpose: bytes, text: bytes) -> bytes:
        return blake2b(text, digest_size=20, key=self._salt, person=purpose).digest()


def telling_who(headers: Headers) -> list[tuple[str, list[str]]]:
    """The fields that may tell who asks. RFC 9110 §5.2: those of one name are one list; if not cookies."""
    names = sorted(name.lower() for name in headers if _may_tell_who(name.lower()))
    return [(name, headers.get_all(name) if name == "cookie" else [headers[name]]) for name in names]


def _may_tell_who(name: str) -> bool:
    return name not in _HARMLESS and not name.startswith("if-")


def _remember(hashes: OrderedDict[K, bytes], key: K, found: bytes) -> None:
    with _guard:
        hashes[key] = found
        if len(hashes) > _REMEMBERED:
            hashes.popitem(last=False)
