"""Who logs in: name, password, domain, second factor; checked when they are given, and never shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeAlias

from jackfield import ConfigurationError, Secret

Code: TypeAlias = "str | Secret"
SecondFactor: TypeAlias = "Code | Callable[[], Code | Awaitable[Code]]"


class Account(NamedTuple):
    """`place` is the parameter that tells the domain; `second_factor` a `Secret`, or a function."""

    username: str
    password: Secret
    place: tuple[str, str]
    second_factor: Secret | Callable[[], Code | Awaitable[Code]] | None

    @classmethod
    def of(
        cls,
        username: str,
        password: str | Secret,
        domain: str | None,
        domain_id: str | None,
        second_factor: SecondFactor | None,
    ) -> Account:
        """The account.

        Raises:
            ConfigurationError: one of these makes no sense.
        """
        if second_factor is not None and not isinstance(second_factor, str | Secret) and not callable(second_factor):
            raise ConfigurationError("second_factor is the code, or a function that gives one")
        factor = Secret(second_factor) if isinstance(second_factor, str | Secret) else second_factor
        known = sendable("password", password.reveal() if isinstance(password, Secret) else password)
        return cls(sendable("username", username), Secret(known), _place(domain, domain_id), factor)


def sendable(what: str, text: object) -> str:
    """The text, if it can be sent.

    Raises:
        ConfigurationError: it cannot. It is not shown.
    """
    if not isinstance(text, str) or not text:
        raise ConfigurationError(f"{what} must be a string that is not empty")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigurationError(f"{what} holds half of a surrogate pair") from None
    return text


def _place(domain: str | None, domain_id: str | None) -> tuple[str, str]:
    if domain is not None and domain_id is not None:
        raise ConfigurationError("a domain is told by domain= or by domain_id=, not by both")
    if domain_id is not None:
        return ("domainId", sendable("domain_id", domain_id))
    # Domains are told as "ROOT/sales", and looked up as "/sales/"; "/ROOT/" the server does not find.
    names = [name for name in sendable("domain", domain or "/").split("/") if name]
    if names and names[0].upper() == "ROOT":
        del names[0]
    return ("domain", "/".join(["", *names, ""]))
