"""Digest fields of an answer (RFC 9530): what its bytes must hash to."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from jackfield import Headers, SignatureError

_LIMIT = 16 * 1024  # characters of a field that is parsed
# §5: these two are "active". The others do not withstand an attack, and are not believed.
_ALGORITHMS = {"sha-256": "sha256", "sha-512": "sha512"}


class Digest(NamedTuple):
    """An algorithm, as `hashlib` names it, and what must come out of it."""

    algorithm: str
    value: bytes


def digests_of(headers: Headers, name: str) -> frozenset[Digest]:
    """Every digest of `Content-Digest` or `Repr-Digest` that is worth something; none if there is no such field.

    Raises:
        SignatureError: the field is malformed.
    """
    if name not in headers:
        return frozenset()
    members = _dictionary(headers[name])
    return frozenset(_digest(name, key, members[key][0]) for key in _ALGORITHMS if key in members)


def _digest(name: str, key: str, value: object) -> Digest:
    if not isinstance(value, bytes):
        raise SignatureError(f"the {key} in the answer's {name} is no digest")
    return Digest(_ALGORITHMS[key], value)


def _dictionary(text: str) -> dict[str, tuple[Any, Any]]:
    import http_sf

    try:
        if len(text) > _LIMIT or not text.isascii():
            raise ValueError
        # RFC 9651 §4.2: what is malformed is "ignored", or else the whole message is; we take the careful way.
        return cast("dict[str, tuple[Any, Any]]", http_sf.parse(text.encode(), tltype="dictionary"))
    except ValueError:  # StructuredFieldError is one
        raise SignatureError("the answer's digest field is malformed: what it is for cannot be checked") from None
