"""What credentials are made of, checked where they are made: so a variable that is not set is found there."""

from __future__ import annotations

from uuid import UUID

from jackfield import ConfigurationError, Secret, Url, UsageError

from ._model import Record

AUTH_SERVICE = "https://auth.privateaim.dev"


def text(given: object, what: str) -> str:
    """A text that is not empty."""
    revealed = given.reveal() if isinstance(given, Secret) else given
    if isinstance(revealed, str) and revealed:
        return revealed
    found = "an empty one" if revealed == "" else type(given).__name__
    raise ConfigurationError(
        f"{what} is a text that is not empty, not {found}: if an environment variable has it, is that one set?"
    )


def holder(given: object, kinds: tuple[type[Record], ...], what: str) -> str:
    """The id of who has credentials: of a record of these kinds, or that another record names; or as it is."""
    found = given
    if isinstance(given, Record):
        name = "id" if isinstance(given, kinds) else what
        if name not in given.__struct_fields__:
            raise ConfigurationError(f"{what} is of a {kinds[0].__name__}, and a {type(given).__name__} has none")
        found = getattr(given, name)
    return str(found) if isinstance(found, UUID) else text(found, what)


def address(base_url: object) -> Url:
    """Where a service is; raises ConfigurationError if it is no such address."""
    given = text(base_url, "base_url, the address of the Hub's service,")
    try:
        return Url.parse(given)
    except UsageError as error:
        raise ConfigurationError(f"base_url: {error}") from None
