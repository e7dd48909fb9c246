"""When a JSON Web Token says that it ends (RFC 7519 §4.1.4). Nothing is verified: that is its service's to do."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from math import isfinite

from msgspec import Struct

from jackfield import decoder_of


class _Claims(Struct):
    exp: float | None = None


def expiry(token: str) -> float | None:
    """The `exp` of the token, in seconds since 1970; None if it is no JWT, or has none."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims: _Claims = decoder_of(_Claims).decode(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):  # no base64, or no such JSON
        return None
    return claims.exp if claims.exp is not None and isfinite(claims.exp) else None
