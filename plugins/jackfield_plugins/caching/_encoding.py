"""An entry as bytes: a version, a digest, msgpack. What was not written by `encoded`, with this key, is nothing."""

from __future__ import annotations

from hashlib import blake2b
from hmac import compare_digest

from msgspec.msgpack import Decoder, Encoder

from ._stored import Stored

VERSION = b"\x01"
_DIGEST = 16  # bytes
_encode = Encoder().encode
_decode = Decoder(Stored).decode


def encoded(entry: Stored, key: bytes) -> bytes:
    """The entry as bytes that only `decoded` with the same key makes an entry of.

    Args:
        entry: what of it is kept: the fields of `Stored`.
        key: bytes of any length that name where it is kept, say salt, place and owner: what turns up elsewhere, by
            whatever fault, is no entry there.

    Raises:
        ValueError: it holds what UTF-8 does not: a lone surrogate.
    """
    packed = _encode(tuple(entry))
    return VERSION + _digest(packed, key) + packed


def decoded(data: bytes, key: bytes) -> Stored:
    """The entry that these bytes are.

    Raises:
        ValueError: they are damaged, of another version, or not of this key.
    """
    if data[:1] != VERSION:
        raise ValueError("an entry of another version")
    packed = memoryview(data)[1 + _DIGEST :]
    if not compare_digest(data[1 : 1 + _DIGEST], _digest(packed, key)):
        raise ValueError("a damaged entry")
    return _decode(packed)


def _digest(packed: bytes | memoryview, key: bytes) -> bytes:
    made = blake2b(len(key).to_bytes(8, "big"), digest_size=_DIGEST)
    made.update(key)
    made.update(packed)
    return made.digest()
