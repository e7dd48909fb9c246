"""Grants: what a token is asked for with, as data. A service's own are a `Grant` with other fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from jackfield import ConfigurationError, Runtime, Secret

from ._text import plain

Field: TypeAlias = "str | Secret | Callable[[Runtime], str]"

# Names that end so are of secrets, whoever forgets to say it; of RFC 6749, 7521, 7636, 8628, 8693, and of common use.
_SECRET = ("assertion", "code", "key", "passphrase", "password", "pin", "secret", "token", "verifier")
_NO_NAMES = {"grant_type", "redirect_uri", "scope"}  # these say nothing of who asks


class Grant:
    """The fields of a token request, besides those of the client.

    Args:
        fields: by name; `grant_type` among them. A `Secret` is shown nowhere, nor is what has a secret's name,
            `client_secret` say; a function makes a value afresh. The others tell identities apart in a store.
        repeatable: whether it may be sent again when its token has ended; not so a code that is good once.

    Raises:
        ConfigurationError: there is no `grant_type`, or a field is nothing that can be sent.
    """

    __slots__ = ("_fields", "name", "repeatable")

    def __init__(self, fields: Mapping[str, Field], *, repeatable: bool = True) -> None:
        name = fields.get("grant_type")
        if not isinstance(name, str) or not name:
            raise ConfigurationError("a grant has a field 'grant_type', a string that names it")
        self._fields = {field: _checked(field, value) for field, value in fields.items()}
        self.name = name
        self.repeatable = repeatable

    @classmethod
    def client_credentials(cls, scope: str | None = None) -> Grant:
        """The client for itself (RFC 6749 §4.4)."""
        return cls(_present(grant_type="client_credentials", scope=scope))

    @classmethod
    def password(cls, username: str, password: str | Secret, scope: str | None = None) -> Grant:
        """A user by name and password (RFC 6749 §4.3): only where the service offers nothing better."""
        return cls(_present(grant_type="password", username=username, password=Secret(password), scope=scope))

    @classmethod
    def refresh_token(cls, token: str | Secret, scope: str | None = None) -> Grant:
        """A refresh token that was had elsewhere (RFC 6749 §6); it is taken to be good once."""
        fields = _present(grant_type="refresh_token", refresh_token=Secret(token), scope=scope)
        return cls(fields, repeatable=False)

    @classmethod
    def authorization_code(cls, code: str | Secret, redirect_uri: str, verifier: str | Secret) -> Grant:
        """A code that a user's consent gave (RFC 6749 §4.1.3), with its PKCE verifier (RFC 7636 §4.5)."""
        fields: dict[str, Field] = {
            "grant_type": "authorization_code",
            "code": Secret(code),
            "redirect_uri": redirect_uri,
            "code_verifier": Secret(verifier),
        }
        return cls(fields, repeatable=False)

    @classmethod
    def jwt_bearer(cls, assertion: Callable[[Runtime], str], scope: str | None = None) -> Grant:
        """An assertion that somebody signed for whom the service trusts (RFC 7523 §2.1), made anew for each request."""
        return cls(_present(grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=assertion, scope=scope))

    def values(self, runtime: Runtime) -> dict[str, str | Secret]:
        """The fields as they are sent now. What a function made is taken for a secret."""
        return {
            name: field if isinstance(field, str | Secret) else Secret(plain(field(runtime), _called(name)))
            for name, field in self._fields.items()
        }

    @property
    def public(self) -> dict[str, str]:
        """The fields that are no secret and do not change: what tells one grant from another."""
        return {name: field for name, field in self._fields.items() if isinstance(field, str)}

    @property
    def is_named(self) -> bool:
        """Whether these say whose token it is; if there are no others, it is the client's own."""
        return self._fields.keys() == self.public.keys() or not self.public.keys() <= _NO_NAMES

    def __repr__(self) -> str:
        return f"<Grant {self.name}: {', '.join(self._fields)}>"


def _present(**fields: Field | None) -> dict[str, Field]:
    return {name: value for name, value in fields.items() if value is not None}


def _checked(name: object, value: Field) -> Field:
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"a grant's fields have names, strings that are not empty, not {name!r}")
    if callable(value):
        return value
    text = plain(value, _called(name))
    return Secret(text) if isinstance(value, Secret) or name.lower().endswith(_SECRET) else text


def _called(name: str) -> str:
    return f"the grant's field {name!r}"
