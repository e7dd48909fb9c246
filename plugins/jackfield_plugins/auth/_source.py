"""Where tokens come from: the protocol, and OAuth 2.0 as it is meant by RFC 6749."""

from __future__ import annotations

from hashlib import sha256
from typing import Protocol

from msgspec.json import encode

from jackfield import Call, ConfigurationError, Secret

from ._answer import TokenError
from ._endpoint import Endpoint
from ._grants import Grant
from ._token import Token


class TokenSource(Protocol):
    """Asks for tokens, by `call.fetch`; whoever calls it sees to it that it is asked once, and at the right time.

    It may have an `identity`: a digest, as bytes, of all that tokens are had with, secrets too. Without it no cache is
    shared by clients of its tokens.
    """

    @property
    def name(self) -> str:
        """What it is asked with, for people."""
        ...

    @property
    def key(self) -> str:
        """Names service and account in a store; holds no secret: whoever may use a store may use its tokens."""
        ...

    @property
    def repeatable(self) -> bool:
        """Whether `grant` may be called again when its token has ended."""
        ...

    @property
    def login(self) -> str | None:
        """A digest of what is good once; a store's tokens of another are not used. None: whatever the store has."""
        ...

    async def grant(self, call: Call) -> Token:
        """A token from the beginning."""
        ...

    async def refresh(self, refresh_token: Secret, call: Call) -> Token:
        """A token for a refresh token. One without a refresh token of its own leaves the old one good (RFC 6749 §6)."""
        ...


class GrantSource:
    """Tokens of a token endpoint.

    Args:
        endpoint: where to ask.
        grant: what to ask with; None if there is a token to begin with, and refresh tokens after it.
        account: whose token it is, where the grant's public fields do not say it.
        token: one to begin with.

    Attributes:
        is_named: whether `key` tells whose token it is; if not, no store may be shared by it.
        identity: a digest of all that tokens are had with; None where a key signs, or a store holds, what that is.
    """

    def __init__(
        self, endpoint: Endpoint, grant: Grant | None, account: str | None = None, token: Token | None = None
    ) -> None:
        if grant is not None and not isinstance(grant, Grant):
            raise ConfigurationError(f"grant is a Grant, Grant.client_credentials() say, not {type(grant).__name__}")
        self._endpoint = endpoint
        self._grant = grant
        self.name = grant.name if grant else "refresh_token"
        self.repeatable = grant is not None and grant.repeatable
        client = endpoint.client.client_id if endpoint.client else None
        self.is_named = account is not None or (grant is not None and grant.is_named)
        # Of what is good once the account alone says whose it is: a later run has another code, or none.
        public = sorted(grant.public.items()) if grant and grant.repeatable else None
        self.key = _digest([endpoint.address, client, public, account])
        self.login = _login(grant, token)
        self.identity = self._identified(account)

    def _identified(self, account: str | None) -> bytes | None:
        client, proof = self._endpoint.client, "none"
        if client is not None:
            identity = getattr(client, "identity", None)
            if not isinstance(identity, Secret):
                return None
            proof = identity.reveal()
        had_with = self.login or (self._grant.known if self._grant else None)
        if had_with is None:
            return None
        return sha256(encode([self._endpoint.address, proof, had_with, account])).digest()

    async def grant(self, call: Call) -> Token:
        if self._grant is None:
            raise TokenError("the token has ended, and there is no grant to have another with: log in again")
        fields = self._grant.values(call.runtime)
        token = await self._endpoint.ask(self._grant.name, fields, call)
        return _keeping(token, fields.get("refresh_token"))

    async def refresh(self, refresh_token: Secret, call: Call) -> Token:
        token = await self._endpoint.ask("refresh_token", {"refresh_token": refresh_token}, call)
        return _keeping(token, refresh_token)


def _login(grant: Grant | None, token: Token | None) -> str | None:
    if token is not None:
        return _digest([(token.refresh_token or token.access_token).reveal()])
    return None if grant is None or grant.repeatable else _digest(grant.once)


def _digest(parts: object) -> str:
    return sha256(encode(parts)).hexdigest()


def _keeping(token: Token, refresh_token: str | Secret | None) -> Token:
    if token.refresh_token is None and refresh_token:
        return token._replace(refresh_token=Secret(refresh_token))
    return token
