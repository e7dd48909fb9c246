"""Who asks: a user, a robot, a client, or whoever a token was given to. One object serves all clients of a Hub.

The first call of any of them logs in, whatever its thread or task; the rest share the token, and its renewal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jackfield import ConfigurationError, Secret
from jackfield_plugins.auth import Bearer, ClientSecretPost, Grant, GrantSource, TokenStore

from ._credentials import id_of, text
from ._login import LoginAuth
from ._model import Id, Record

if TYPE_CHECKING:
    from .types import AuthParam

__all__ = ["ClientAuth", "HubAuth", "PasswordAuth", "RobotAuth", "StaticAuth"]

_HUB = "https://auth.privateaim.dev"


class HubAuth:
    """What the Hub's clients take as `auth`."""

    _who: str

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._who})"


class PasswordAuth(HubAuth, LoginAuth):
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
        base_url: str = _HUB,
        client: None = None,
        *,
        allow_http: bool = False,
        store: TokenStore | None = None,
    ) -> None:
        grant = Grant.password(name := text(username, "username"), text(password, "password"))
        super().__init__(f"username={name!r}", grant, base_url, client, allow_http, store)


class RobotAuth(HubAuth, LoginAuth):
    """A robot, by id and secret: for Hubs of generation 0.1.1; later ones have clients instead.

    Args:
        robot_id: the robot, or its id.
        robot_secret: the robot's secret.
        base_url, client, allow_http, store: as of `PasswordAuth`.

    Raises:
        UsageError: an argument makes no sense; it says which and why.
    """

    def __init__(
        self,
        robot_id: Id[Record],
        robot_secret: str | Secret,
        base_url: str = _HUB,
        client: None = None,
        *,
        allow_http: bool = False,
        store: TokenStore | None = None,
    ) -> None:
        name, secret = id_of(robot_id, "robot_id"), text(robot_secret, "robot_secret")
        grant = Grant({"grant_type": "robot_credentials", "id": name, "secret": secret})
        super().__init__(f"robot_id={name!r}", grant, base_url, client, allow_http, store)


class ClientAuth(HubAuth, LoginAuth):
    """A client, by id and secret.

    Args:
        client_id: the client, or its id.
        client_secret: the client's secret.
        base_url, client, allow_http, store: as of `PasswordAuth`.

    Raises:
        UsageError: an argument makes no sense; it says which and why.
    """

    def __init__(
        self,
        client_id: Id[Record],
        client_secret: str | Secret,
        base_url: str = _HUB,
        client: None = None,
        *,
        allow_http: bool = False,
        store: TokenStore | None = None,
    ) -> None:
        name = id_of(client_id, "client_id")
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
        super().__init__(text(access_token, "access_token"))


def auth_of(given: AuthParam) -> HubAuth | None:
    """What a client was given as `auth`, as a plugin; a string is an access token."""
    if given is None or isinstance(given, HubAuth):
        return given
    if isinstance(given, str):
        return StaticAuth(given)
    raise ConfigurationError(
        "auth is a PasswordAuth, RobotAuth, ClientAuth or StaticAuth, an access token, or None, not "
        f"{type(given).__name__}; a plugin of your own goes into plugins=[...]"
    )
