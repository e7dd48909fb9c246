"""Tokens: small pieces of state as JSON text, which a user may keep and hand back in another process."""

from __future__ import annotations

from typing import Any, TypeVar

from ._errors import UsageError

T = TypeVar("T")


def encode_token(state: Any) -> str:
    """The state as JSON text."""
    from msgspec.json import encode  # here, so that importing jackfield stays cheap

    return encode(state).decode()


def decode_token(token: str, into: type[T], what: str) -> T:
    """The state of a token; never trusted to be one of ours.

    Raises:
        UsageError: it is no token of `what`.
    """
    from msgspec.json import decode

    try:
        return decode(token, type=into)
    except (ValueError, TypeError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise UsageError(f"this is not the token of {what}: {error}") from error
