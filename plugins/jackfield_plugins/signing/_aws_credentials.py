"""What AWS knows a caller by, checked when made."""

from __future__ import annotations

import re
from typing import NamedTuple

from jackfield import ConfigurationError, Secret

_is_visible = re.compile(r"[!-~]+").fullmatch


class _Fields(NamedTuple):
    access_key: str
    secret_key: Secret
    session_token: Secret | None


class AwsCredentials(_Fields):
    """An access key, or temporary credentials.

    Args:
        access_key: the key's ID; it is sent, and no secret.
        secret_key: signs, and is never sent.
        session_token: what temporary credentials come with.

    Raises:
        ConfigurationError: one of them holds a blank, a line break, or what cannot be sent.
        UsageError: one of the secrets is no string, or empty.
    """

    __slots__ = ()

    def __new__(
        cls, access_key: str, secret_key: Secret | str, session_token: Secret | str | None = None
    ) -> AwsCredentials:
        if not isinstance(access_key, str) or not _is_visible(access_key) or {"/", ","}.intersection(access_key):
            raise ConfigurationError("an access_key is visible ASCII without '/' and ',', like 'AKIDEXAMPLE'")
        token = None if session_token is None else _visible("session_token", session_token)
        return super().__new__(cls, access_key, _visible("secret_key", secret_key), token)


def _visible(what: str, value: Secret | str) -> Secret:
    secret = Secret(value)
    if not _is_visible(secret.reveal()):
        raise ConfigurationError(f"a {what} is visible ASCII: a blank or a line break has slipped in")
    return secret
