"""Tokens: small pieces of state as JSON text, which a user may keep and hand back in another process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from ._errors import UsageError
from ._shapes import decoder_of

T = TypeVar("T")

_NULL = b"null"


def encode_token(state: Any) -> str:
    """The state as JSON text."""
    from msgspec.json import encode  # here, so that importing jackfield stays cheap

    return encode(state).decode()


def decode_token(token: str, into: type[T], what: str) -> T:
    """The state of a token; never trusted to be one of ours.

    Raises:
        UsageError: it is no token of `what`.
    """
    try:
        kind: Any = into
        state: T = decoder_of(kind).decode(token)
    except (ValueError, TypeError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise UsageError(f"this is not the token of {what}: {error}") from error
    return state


def digest_of(arguments: Iterable[tuple[str, Any]], usual: Mapping[str, bytes]) -> str:
    """Eight characters that tell a call's arguments from others.

    Those that say what is usual, or null, count as not given, so that an operation may get more parameters later on;
    those that JSON cannot say, or that hold what it cannot, do not count either.
    """
    from hashlib import blake2b

    given = sorted(
        (name, text) for name, value in arguments if (text := said(value)) not in (b"", usual.get(name, _NULL))
    )
    return blake2b(repr(given).encode(), digest_size=4).hexdigest()


def said(value: Any) -> bytes:
    """The value as JSON; nothing if it has no form there."""
    from msgspec.json import encode

    try:
        return encode(value, order="deterministic")
    except Exception:  # of whatever kind: any object may be an argument
        return b""
