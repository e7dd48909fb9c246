"""A token as a value: what a token service gave (RFC 6749 §5.1), and until when it is good."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple, Self

from msgspec import Meta, Struct, ValidationError, convert

from jackfield import DecodeError, Secret, known


class _Kept(Struct):
    access_token: Annotated[str, Meta(min_length=1)]
    token_type: str
    issued_at: float
    expires_at: float | None
    refresh_token: str | None
    scope: str | None
    login: str | None = None


class _Fields(NamedTuple):
    access_token: Secret
    token_type: str
    issued_at: float
    expires_at: float | None
    refresh_token: Secret | None
    scope: str | None
    login: str | None


class Token(_Fields):
    """An access token. Times are seconds since 1970, by the clock of this machine.

    Args:
        access_token: what requests carry.
        token_type: as the service named it, `Bearer` mostly.
        issued_at: when it was had.
        expires_at: when it ends; None where the service does not tell.
        refresh_token: what the next one may be had with.
        scope: what it is good for, where that differs from what was asked.
        login: a digest of what is good once and began it, a code say; the manager sees to it.
    """

    __slots__ = ()

    def __new__(
        cls,
        access_token: str | Secret,
        token_type: str = "Bearer",  # noqa: S107 - the name of a type
        issued_at: float = 0.0,
        expires_at: float | None = None,
        refresh_token: str | Secret | None = None,
        scope: str | None = None,
        login: str | None = None,
    ) -> Self:
        refresh = None if refresh_token is None else Secret(refresh_token)
        return super().__new__(cls, Secret(access_token), token_type, issued_at, expires_at, refresh, scope, login)

    @property
    def lifetime(self) -> float | None:
        """Seconds from when it was had to its end."""
        return None if self.expires_at is None else max(self.expires_at - self.issued_at, 0.0)

    def dump(self) -> dict[str, Any]:
        """All of it, secrets revealed, for a store that keeps it safe."""
        refresh = self.refresh_token and self.refresh_token.reveal()
        return {**self._asdict(), "access_token": self.access_token.reveal(), "refresh_token": refresh}

    @classmethod
    def load(cls, stored: object) -> Token:
        """The token that `dump` gave.

        Raises:
            DecodeError: it is not one.
        """
        try:
            kept = convert(stored, known(_Kept))
        except ValidationError as error:
            raise DecodeError(f"this is no stored token: {error}") from error
        refresh = kept.refresh_token or None
        return cls(kept.access_token, kept.token_type, kept.issued_at, kept.expires_at, refresh, kept.scope, kept.login)


def same(one: Token, other: Token | None) -> bool:
    """Whether requests carry the same."""
    return other is not None and one.access_token == other.access_token
