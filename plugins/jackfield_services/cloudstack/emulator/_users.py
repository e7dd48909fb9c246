"""Who may ask: the users of the emulated cloud, by their keys, and by their names and domains."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from ._wire import JsonObject

Role: TypeAlias = Literal["Admin", "User"]

ROOT = "/"
_NAMESPACE = uuid.UUID("6f8a2d1e-3c47-5b90-a1d2-7e9f04c6b835")
_CREATED = "2026-04-14T09:25:51+0000"


def made_id(what: str) -> str:
    """The same name has the same id in every run."""
    return str(uuid.uuid5(_NAMESPACE, what))


@dataclass(slots=True, kw_only=True)
class User:
    """A user of the emulated cloud, who is also the account of that name; what is changed holds at once.

    `domain` is a path: "/" is ROOT, "/sales/eu" a domain below. `role` "Admin" is the root administrator's; "User"
    neither sees nor may run the administrators' commands. `second_factor` is the code that a login has to be followed
    by; None: a login is enough. Keys that are not given are the name with "-api-key" and "-api-secret" behind it.
    """

    username: str = "admin"
    password: str = field(default="emulator-password", repr=False)
    domain: str = ROOT
    role: Role = "Admin"
    api_key: str = ""
    api_secret: str = field(default="", repr=False)
    second_factor: str | None = field(default=None, repr=False)
    enabled: bool = True

    def __post_init__(self) -> None:
        if self.role not in get_args(Role):
            raise ValueError(f"role is 'Admin' or 'User', not {self.role!r}")
        self.api_key = self.api_key or f"{self.username}-api-key"
        self.api_secret = self.api_secret or f"{self.username}-api-secret"

    @property
    def id(self) -> str:
        """The user's ID."""
        return made_id(f"user {slashed(self.domain)[1:]}{self.username}")

    @property
    def account_id(self) -> str:
        """The ID of the user's account."""
        return made_id(f"account {slashed(self.domain)[1:]}{self.username}")

    @property
    def domain_id(self) -> str:
        """The ID of the user's domain: a login may name it as `domainid` instead of `domain`."""
        return made_id(f"domain {'ROOT' if slashed(self.domain) == ROOT else slashed(self.domain)}")

    def owns(self) -> JsonObject:
        """How what belongs to the user says so."""
        path = slashed(self.domain)
        about: JsonObject = {"account": self.username, "accountid": self.account_id, "userid": self.id}
        return {**about, "domainid": self.domain_id, "domain": "ROOT" if path == ROOT else path.split("/")[-2]}

    def shown(self) -> JsonObject:
        """The user as an item of a list."""
        person: JsonObject = {"firstname": self.username.capitalize(), "lastname": "Example"}
        state: JsonObject = {"state": "enabled" if self.enabled else "disabled", "created": _CREATED}
        role: JsonObject = {"accounttype": 1 if self.role == "Admin" else 0, "rolename": self.role}
        known: JsonObject = {"is2faenabled": self.second_factor is not None, "apikey": self.api_key}
        owns = {name: value for name, value in self.owns().items() if name != "userid"}
        return {"id": self.id, "username": self.username, **person, **state, **role, **known, **owns}


SYSTEM = User(username="system", domain=ROOT, role="Admin")  # whom the integration port takes everybody for


def slashed(path: str) -> str:
    """As the server looks a domain up: with a / at both ends."""
    path = path if path.endswith("/") else f"{path}/"
    return path if path.startswith("/") else f"/{path}"


def by_key(users: Sequence[User], api_key: str) -> User | None:
    """Whose key it is."""
    return next((user for user in users if user.api_key.encode() == api_key.encode()), None)
