"""Who asks: a user, a robot, a client, or whoever a token was given to. One object serves all clients of a Hub.

The first call of any of them logs in, whatever its thread or task; the rest share the token, and its renewal.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from jackfield import ConfigurationError, Pure, Secret, hookimpl
from jackfield_plugins.auth import Bearer, ClientSecretPost, Grant, GrantSource, TokenStore

from ._auth_models import Client, Robot
from ._credentials import AUTH_SERVICE, holder, text
from ._login import LoginAuth
from ._model import Id, Record
from ._node_models import ClientCredentials

if TYPE_CHECKING:
    from .types import AuthParam

__all__ = ["ClientAuth", "HubAuth", "PasswordAuth", "RobotAuth", "StaticAuth"]


class HubAuth:
    """What the Hub's clients take as `auth`."""

    _who: str

    def secrets(self) -> list[str]:
        """What is sent with requests, and is not to be shown."""
        return []

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._who})"


class PasswordAuth(LoginAuth, HubAuth):
    """A user, by name and password; later by refresh tokens, and again by the password where one fails.

    Args:
        username: the user's name.
        password: the user's password.
        base_url: the Hub's auth service; a path is kept.
        client: not used; the transport of flame_hub_client.
        allow_http: send the password to an `http:` address that is not on this machine, for all to read.
        store: keeps tokens for other processes, and for later.

    Raises:
        UsageError: an argument makes no sense; it says which and why.
    """

    _source = GrantSource

    def __init__(
        self,
        username: str,
        password: str | Secret,
        base_url: str = AUTH_SERVICE,
        client: None = None,
        *,
        allow_http: bool = False,
        store: TokenStore | None = None,
    ) -> None:
        grant = Grant.password(name := text(username, "username"), text(password, "password"))
        super().__init__(f"username={name!r}", grant, base_url, client, allow_http, store)


class RobotAuth(LoginAuth, HubAuth):
    """A robot, by id and secret: for Hubs of generation 0.1.1; later ones have clients instead.

    Args:
        robot_id: the robot, or its id; or the node or project that it was made for.
        robot_secret: the robot's secret.
        base_url, client, allow_http, store: as of `PasswordAuth`.

    Raises:
        UsageError: an argument makes no sense; it says which and why.
    """

    def __init__(
        self,
        robot_id: Id[Record],
        robot_secret: str | Secret,
        base_url: str = AUTH_SERVICE,
        client: None = None,
        *,
        allow_http: bool = False,
        store: TokenStore | None = None,
    ) -> None:
        name, secret = holder(robot_id, (Robot,), "robot_id"), text(robot_secret, "robot_secret")
        grant = Grant({"grant_type": "robot_credentials", "id": name, "secret": secret})
        super().__init__(f"robot_id={name!r}", grant, base_url, client, allow_http, store)


class ClientAuth(LoginAuth, HubAuth):
    """A client, by id and secret.

    Args:
        client_id: the client, or its id; or the node or analysis that it was made for.
        client_secret: the client's secret.
        base_url, client, allow_http, store: as of `PasswordAuth`.

    Raises:
        UsageError: an argument makes no sense; it says which and why.
    """

    def __init__(
        self,
        client_id: Id[Record],
        client_secret: str | Secret,
        base_url: str = AUTH_SERVICE,
        client: None = None,
        *,
        allow_http: bool = False,
        store: TokenStore | None = None,
    ) -> None:
        name = holder(client_id, (Client, ClientCredentials), "client_id")
        proof = ClientSecretPost(name, text(client_secret, "client_secret"))
        super().__init__(f"client_id={name!r}", Grant.client_credentials(), base_url, client, allow_http, store, proof)


class StaticAuth(HubAuth, Bearer):
    """A token that was had elsewhere, used as it is, to its end.

    Args:
        access_token: without the word `Bearer`.

    Raises:
        UsageError: it is no token.
    """

    _who = "***"

    def __init__(self, access_token: str | Secret) -> None:
        self._token = Secret(text(access_token, "access_token"))
        super().__init__(self._token)

    def secrets(self) -> list[str]:
        return [self._token.reveal()]


class Nobody(HubAuth):
    """Asks without a token, which is enough for reading realms; in place of it a call may name who asks."""

    name = "auth"
    _who = ""

    @hookimpl
    def jackfield_steps(self) -> Iterable[Pure]:
        return []


def auth_of(given: AuthParam) -> HubAuth:
    """Who is meant by `auth`; a string is an access token."""
    if given is None:
        return Nobody()
    if isinstance(given, HubAuth):
        return given
    if isinstance(given, str):
        return StaticAuth(given)
    raise ConfigurationError(
        "auth is a PasswordAuth, RobotAuth, ClientAuth or StaticAuth, an access token, or None, not "
        f"{type(given).__name__}; a plugin of your own goes into plugins=[...]"
    )
