"""Digest fields (RFC 9530): a message's content or representation as a hash, made, checked and asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from hmac import compare_digest

from jackfield import SignatureError, UsageError

from ._checks import BYTES, check_kind
from ._structured_fields import byte_sequences, dictionary, distrusted

# RFC 9530 §5: these two are "active". The others, md5, sha, unixsum, unixcksum, adler and crc32c, are "deprecated", as
# they do not withstand an attack: they are neither made nor believed.
ALGORITHMS: Mapping[str, str] = {"sha-256": "sha256", "sha-512": "sha512"}


def digest_field(data: bytes, algorithms: Iterable[str] = ("sha-256",)) -> str:
    """The value of a `Content-Digest` or `Repr-Digest` field (RFC 9530 §2, §3).

    Args:
        data: the content, or the representation.
        algorithms: `"sha-256"`, `"sha-512"`.

    Raises:
        UsageError: there is another algorithm, or none; or the data is not bytes.
    """
    check_kind("data", data, BYTES, "bytes")
    if not (digests := {name: new_hash(name, data).digest() for name in algorithms}):
        raise UsageError("a digest field has an algorithm at least: 'sha-256'")
    return byte_sequences(digests)


def check_digest_field(value: str, data: bytes) -> None:
    """Holds data against a `Content-Digest` or `Repr-Digest` field: every digest in it of a known algorithm must match.

    Raises:
        SignatureError: one does not, there is none, or the field is malformed.
        UsageError: the field is not text, or the data is not bytes.
    """
    check_kind("the value of a digest field", value, str, "text")
    check_kind("data", data, BYTES, "bytes")
    with distrusted():
        members = dictionary(value)
    known = [name for name in ALGORITHMS if name in members]
    if not known:
        raise SignatureError(f"the digest field has no digest that can be believed: one of {', '.join(ALGORITHMS)}")
    for name in known:
        digest = members[name].value
        if not isinstance(digest, bytes) or not compare_digest(digest, new_hash(name, data).digest()):
            raise SignatureError(f"the {name} digest does not match: this is not what was sent")


def digest_preferences(value: str) -> dict[str, int]:
    """What a `Want-Content-Digest` or `Want-Repr-Digest` field says (RFC 9530 §4).

    Returns:
        By algorithm, 10 for the most wanted, 1 for the least, 0 for what is not acceptable. A field that is malformed
        counts as not there (RFC 9651 §4.2), and a member that is no such number as well.
    """
    try:
        members = dictionary(value)
    except UsageError:
        return {}
    return {name: member.value for name, member in members.items() if _is_weight(member.value)}


def preferred_digest(value: str) -> str | None:
    """Of the algorithms that this module makes, the one that such a field wants most; the first of several."""
    wanted = {name: weight for name, weight in digest_preferences(value).items() if weight and name in ALGORITHMS}
    return max(wanted, key=wanted.__getitem__, default=None)


def new_hash(algorithm: str, data: bytes = b"") -> hashlib._Hash:
    """The hash of one of the algorithms.

    Raises:
        UsageError: it is none of them.
    """
    if algorithm not in ALGORITHMS:
        raise UsageError(f"{algorithm!r} is no digest algorithm that is made: {' and '.join(ALGORITHMS)} are")
    return hashlib.new(ALGORITHMS[algorithm], data)


def _is_weight(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10
