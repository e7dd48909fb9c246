"""Who asks, as callers say it: an object of `auth`, a token, or nobody."""

from __future__ import annotations

from collections.abc import Iterable

from jackfield import Call, ConfigurationError, Pure, Request, Stage, hookimpl

from .auth import HubAuth, StaticAuth
from .types import AuthParam


class Nobody(HubAuth):
    """Asks without a token, which is enough for reading realms."""

    name = "auth"
    _who = ""

    @hookimpl
    def jackfield_steps(self) -> Iterable[Pure]:
        return [Pure(self.name, Stage.AUTH, request=self._leave)]

    @hookimpl
    def jackfield_identity(self) -> bytes:
        return b""

    def _leave(self, request: Request, call: Call) -> Request:
        return request


def auth_of(given: AuthParam) -> HubAuth:
    """The plugin that is meant; raises ConfigurationError if there is none."""
    if given is None:
        return Nobody()
    if isinstance(given, str):
        return StaticAuth(given)
    if not isinstance(given, HubAuth):
        kind = type(given).__name__
        raise ConfigurationError(
            f"auth is a PasswordAuth(…) or another of jackfield_services.flame_hub.auth, not a {kind}"
        )
    return given
