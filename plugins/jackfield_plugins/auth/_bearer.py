"""Bearer tokens that do not change (RFC 6750 §2.1)."""

from __future__ import annotations

import re

from jackfield import ConfigurationError, Secret

from ._static import Static, in_header
from ._text import plain

_is_b64token = re.compile(r"[A-Za-z0-9._~+/-]+=*").fullmatch


class Bearer(Static):
    """Sends a token with every request to the service. A request with an `Authorization` of its own is left alone.

    Args:
        token: without the word `Bearer`.

    Raises:
        UsageError: it is not a bearer token.
    """

    def __init__(self, token: str | Secret) -> None:
        text = plain(Secret(token), "the token")
        if text[:7].lower() == "bearer ":
            raise ConfigurationError("leave out the word Bearer: give the token alone")
        # RFC 6750 §2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
        if not _is_b64token(text):
            raise ConfigurationError(
                "a bearer token is made of letters, digits and -._~+/, with = at its end only, and has no blanks: if "
                "this is what the service gave, send it with ApiKey('Bearer ...', header='Authorization')"
            )
        value = f"Bearer {text}"
        super().__init__(in_header("Authorization", value), value)
