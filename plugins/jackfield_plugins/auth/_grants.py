"""Grants: what a token is asked for with, as data. A service's own are a `Grant` with other fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from jackfield import ConfigurationError, Runtime, Secret

from ._text import plain

Field: TypeAlias = "str | Secret | Callable[[Runtime], str]"

# Names of fields that say whose token it is, and of others that may be shown. What has another name is a secret, though
# nobody called it one; names that end in one of these are sure to be.
_WHO = {"account", "email", "id", "login", "robot_id", "subject", "user", "user_id", "username"}
_HARMLESS = {"audience", "client_id", "grant_type", "realm", "redirect_uri", "resource", "scope", "tenant"}
_SECRET = ("assertion", "code", "key", "passphrase", "password", "pin", "secret", "token", "verifier")


class Grant:
    """The fields of a token request, besides those of the client.

    Args:
        fields: by name; `grant_type` among them. A `Secret` is shown nowhere, nor is any field but those of well-known
            names, `username` or `scope` say; a function makes a value afresh.
        repeatable: whether it may be sent again when its token has ended; not so a code that is good once.

    Attributes:
        name: its `grant_type`.
        is_named: whether the fields say whose token it is; if all may be shown, it is the client's own.

    Raises:
        ConfigurationError: there is no `grant_type`, or a field is nothing that can be sent.
    """

    __slots__ = ("_fields", "is_named", "name", "repeatable")

    def __init__(self, fields: Mapping[str, Field], *, repeatable: bool = True) -> None:
        name = fields.get("grant_type")
        if not isinstance(name, str) or not name:
            raise ConfigurationError("a grant has a field 'grant_type', a string that names it")
        self._fields = {field: _checked(field, value) for field, value in fields.items()}
        self.name = name
        self.repeatable = repeatable
        self.is_named = _is_named(fields)

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
        """The fields that may be shown."""
        return {name: field for name, field in self._fields.items() if isinstance(field, str)}

    @property
    def known(self) -> list[tuple[str, str]] | None:
        """Every field, secrets revealed; None where one is made anew each time, by a key say."""
        fields = [(name, f.reveal() if isinstance(f, Secret) else f) for name, f in sorted(self._fields.items())]
        known = [(name, value) for name, value in fields if isinstance(value, str)]
        return known if len(known) == len(fields) else None

    @property
    def once(self) -> list[str]:
        """The values, secrets revealed: what tells a grant that is good once from the next."""
        return [str(f.reveal() if isinstance(f, Secret) else f) for f in self._fields.values()]

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
    shown = name.lower() in _WHO | _HARMLESS or (not text and not name.lower().endswith(_SECRET))
    return text if isinstance(value, str) and shown else Secret(text)


def _is_named(fields: Mapping[str, Field]) -> bool:
    open_names = {name.lower() for name, value in fields.items() if isinstance(value, str)}
    secret_names = {name for name in open_names if name.endswith(_SECRET)}
    unknown = open_names - secret_names - _WHO - _HARMLESS  # one of which may say whose it is, too
    is_the_clients = len(open_names) == len(fields) and not secret_names
    return not unknown and (is_the_clients or not _WHO.isdisjoint(open_names))


def _called(name: str) -> str:
    return f"the grant's field {name!r}"
