"""What credentials are made of, checked where they are made: so a variable that is not set is found there."""

from __future__ import annotations

from uuid import UUID

from jackfield import ConfigurationError, Secret, Url

from ._model import Record


def text(given: object, what: str) -> str:
    """A text that is not empty."""
    revealed = given.reveal() if isinstance(given, Secret) else given
    if isinstance(revealed, str) and revealed:
        return revealed
    found = "an empty one" if revealed == "" else type(given).__name__
    raise ConfigurationError(
        f"{what} is a text that is not empty, not {found}: if an environment variable has it, is that one set?"
    )


def id_of(given: object, what: str) -> str:
    """The id of whom the Hub knows: of a record, or as it is."""
    found = getattr(given, "id", None) if isinstance(given, Record) else given
    return str(found) if isinstance(found, UUID) else text(found, what)


def address(base_url: object) -> Url:
    """Where the auth service is.

    Raises:
        UsageError: it is no such address.
    """
    return Url.parse(text(base_url, "base_url, the address of the Hub's auth service,"))
