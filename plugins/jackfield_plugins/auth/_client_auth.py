"""How a client proves to a token endpoint who it is (RFC 6749 §2.3, RFC 7523 §2.2); OpenID Connect gave the names."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol
from urllib.parse import quote_plus

from jackfield import ConfigurationError, Runtime, Secret

from ._text import plain


class Credentials(NamedTuple):
    """What goes into a token request.

    Attributes:
        fields: of the body, by name.
        headers: header fields, by name.
        hidden: further secrets, that are in these in another form; as those are, they are masked in errors.
    """

    fields: Mapping[str, str | Secret] = MappingProxyType({})
    headers: Mapping[str, str | Secret] = MappingProxyType({})
    hidden: tuple[Secret, ...] = ()


class ClientAuth(Protocol):
    """A client, as it names and proves itself in token requests.

    It may have an `identity`, a Secret that holds its name and its proof; without it no cache is shared by its tokens.
    """

    @property
    def client_id(self) -> str:
        """Its public name."""
        ...

    def credentials(self, runtime: Runtime) -> Credentials:
        """What to send; made anew for every request."""
        ...


class PublicClient:
    """`none`: it has a name, and nothing to prove it with; for programs on their users' machines."""

    def __init__(self, client_id: str) -> None:
        self.client_id = checked_client_id(client_id)
        self.identity = Secret(f"public {client_id}")

    def credentials(self, runtime: Runtime) -> Credentials:
        return Credentials({"client_id": self.client_id})


class ClientSecretBasic:
    """`client_secret_basic`: id and secret in an `Authorization: Basic` header; what every service must offer."""

    def __init__(self, client_id: str, client_secret: str | Secret) -> None:
        self.client_id = checked_client_id(client_id)
        self._secret = Secret(plain(client_secret, "client_secret"))
        self.identity = Secret(f"secret {self._secret.reveal()} {client_id}")

    def credentials(self, runtime: Runtime) -> Credentials:
        # RFC 6749 §2.3.1: both "encoded using the application/x-www-form-urlencoded encoding algorithm" first
        both = f"{quote_plus(self.client_id)}:{quote_plus(self._secret.reveal())}"
        encoded = b64encode(both.encode()).decode()
        return Credentials(
            headers={"authorization": Secret(f"Basic {encoded}")}, hidden=(self._secret, Secret(encoded))
        )


class ClientSecretPost:
    """`client_secret_post`: id and secret in the body, for services that want it so."""

    def __init__(self, client_id: str, client_secret: str | Secret) -> None:
        self.client_id = checked_client_id(client_id)
        self._secret = Secret(plain(client_secret, "client_secret"))
        self.identity = Secret(f"secret {self._secret.reveal()} {client_id}")

    def credentials(self, runtime: Runtime) -> Credentials:
        return Credentials({"client_id": self.client_id, "client_secret": self._secret})


class PrivateKeyJwt:
    """`private_key_jwt`: an assertion that the client signs; no secret is ever sent (RFC 7523 §2.2).

    Args:
        client_id: its public name.
        assertion: makes one, as `JwtAssertion` does; issuer and subject are the client's id.
    """

    def __init__(self, client_id: str, assertion: Callable[[Runtime], str]) -> None:
        self.client_id = checked_client_id(client_id)
        if not callable(assertion):
            raise ConfigurationError("PrivateKeyJwt takes what makes an assertion, a JwtAssertion(...), and no text")
        self._assertion = assertion

    def credentials(self, runtime: Runtime) -> Credentials:
        fields: dict[str, str | Secret] = {
            "client_id": self.client_id,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": Secret(self._assertion(runtime)),
        }
        return Credentials(fields)


def checked_client_id(client_id: object) -> str:
    """The name of a client, if it can be one."""
    if isinstance(client_id, str) and client_id and client_id.isprintable():
        return client_id
    raise ConfigurationError("client_id must be a string of printable characters that is not empty")
