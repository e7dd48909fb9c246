"""Who asks, as callers say it: an object of `auth`, a token, or nobody."""

from __future__ import annotations

from collections.abc import Iterable

from jackfield import Pure, hookimpl

from .auth import HubAuth
from .auth import auth_of as given_as_auth
from .types import AuthParam


class Nobody(HubAuth):
    """Asks without a token, which is enough for reading realms; in place of it a call may name who asks."""

    name = "auth"
    _who = ""

    @hookimpl
    def jackfield_steps(self) -> Iterable[Pure]:
        return []


def auth_of(given: AuthParam) -> HubAuth:
    """The plugin that is meant; raises ConfigurationError if there is none."""
    return given_as_auth(given) or Nobody()
