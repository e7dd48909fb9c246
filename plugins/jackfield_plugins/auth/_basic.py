"""Basic authentication (RFC 7617)."""

from __future__ import annotations

from base64 import b64encode

from jackfield import ConfigurationError, Secret

from ._static import Static, in_header
from ._text import normal


class Basic(Static):
    """Sends a user's name and password, in UTF-8, with every request to the service. A request with an
    `Authorization` of its own is left alone.

    Args:
        user: without a colon; may be empty, or a Secret, where a service wants its key here.
        password: may be empty.

    Raises:
        ConfigurationError: one of them cannot be sent.
    """

    def __init__(self, user: str | Secret, password: str | Secret) -> None:
        user_id = normal(user, "the user's name")
        if ":" in user_id:  # RFC 7617 §2: what is behind the first colon is the password
            raise ConfigurationError("the user's name holds a colon, which Basic authentication cannot carry")
        pair = f"{user_id}:{normal(password, 'the password')}"
        value = f"Basic {b64encode(pair.encode()).decode()}"
        super().__init__(in_header("Authorization", value), value)
