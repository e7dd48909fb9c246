"""Logging in: what the Hub's auth service is asked for a token with, and what it says instead of one (RFC 6749 §4, §5).

The token endpoint is that of OAuth 2.0 but for three things: it takes JSON, knows robots, and has the Hub's errors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from msgspec.json import encode

from jackfield import Call, CallSummary, ConfigurationError, DecodeError, Headers, Request, Response, Secret
from jackfield_plugins.auth import (
    ClientSecretPost,
    Endpoint,
    Grant,
    GrantSource,
    Token,
    TokenAuth,
    TokenManager,
    TokenStore,
)

from ._credentials import address
from ._errors import HubAPIError, HubLoginError, hub_error, message_of
from ._rejected import Rejections, is_about_token
from ._said import said
from ._secrecy import without

_is_code = re.compile(r"[A-Za-z]{1,30}(?:_[A-Za-z]{1,30}){0,7}").fullmatch
_OF_ROBOTS = "robot_credentials"
_KEPT = ("date", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "retry-after")


class _LoginEndpoint(Endpoint):
    """Where tokens are asked for; what is answered instead of one is an error of the Hub's."""

    async def ask(self, grant: str, fields: Mapping[str, str | Secret], call: Call) -> Token:
        started = call.runtime.monotonic()
        try:
            return await super().ask(grant, fields, call)
        except HubAPIError as refused:
            error = refused
        except DecodeError as unread:
            error = HubLoginError(f"no token came: {unread.message}")
            error.add_note("that is no answer of a Hub's auth service: check base_url")
        elapsed = call.runtime.monotonic() - started
        error.attach(CallSummary(f"{call.operation} (token)", "POST", self.address, 1, elapsed, False))
        raise error  # outside, where it has no context

    def refusal(self, response: Response, grant: str, secrets: Sequence[str]) -> HubAPIError:
        error = _login_error(response, secrets)
        if grant == _OF_ROBOTS and error.code == "invalid_grant":
            error.add_note(
                "robots are of Hubs of generation 0.1.1: later ones have clients in their place, see ClientAuth"
            )
        return error


class _AnewSource(GrantSource):
    """Tokens that are had by the grant each time: a refresh token has nothing that the grant has not."""

    async def grant(self, call: Call) -> Token:
        return (await super().grant(call))._replace(refresh_token=None)


class LoginAuth(TokenAuth):
    """Logs in, and again when a token has ended; a token that the Hub rejects is replaced, and the call sent again."""

    _who: str
    _source: ClassVar[type[GrantSource]] = _AnewSource

    def __init__(
        self,
        who: str,
        grant: Grant,
        base_url: str,
        client: object,
        allow_http: bool,
        store: TokenStore | None,
        proof: ClientSecretPost | None = None,
    ) -> None:
        if client is not None:
            raise ConfigurationError(
                "client= was the HTTP client of flame_hub_client: leave it out, as whoever calls asks for the token, "
                "too; CoreClient(..., transport=...) and its like say how that is sent"
            )
        if store is not None and not callable(getattr(store, "load", None)):
            raise ConfigurationError(f"store is a TokenStore, FileTokenStore(folder) say, not {type(store).__name__}")
        url = address(base_url)
        endpoint = _LoginEndpoint(str(url.at("token")), proof, as_json=True, allow_http=allow_http)
        super().__init__(TokenManager(self._source(endpoint, grant), store=store))
        self._who = who
        self._rejections = Rejections(url)

    def secrets(self) -> list[str]:
        """The token that is sent with requests."""
        token = self._manager.current
        return [token.access_token.reveal()] if token else []

    async def is_rejected(self, request: Request, response: Response, call: Call) -> bool:
        """Whether the service did nothing but refuse the token.

        A 401 is about the token, and so is a 400 with a code that says it. A 400 without a word, and a 500 that says no
        more than that, may be anything: then the auth service is asked. What a 500 left half done must not be done
        twice: what is to be sent again, and is not only read, has to get a token first that the auth service does take.
        """
        about = is_about_token(response)
        if about is not None:
            return about
        if not await self._rejections.is_dead(request.headers["authorization"], call):
            return False
        return request.method in ("GET", "HEAD") or await self._is_outlived(request, call)

    async def _is_outlived(self, request: Request, call: Call) -> bool:
        """Whether the auth service takes the next token; if not, that it refuses this one says nothing."""
        dead = Token(Secret(request.headers["authorization"].removeprefix("Bearer ")))
        if not self._manager.reject(dead, call.runtime.now()):
            return True  # there is no next one so soon: nothing is sent again
        token = await self._token(call)
        return await self._rejections.is_taken(f"Bearer {token.access_token.reveal()}", call)


def _login_error(response: Response, secrets: Sequence[str]) -> HubAPIError:
    """The error that an answer of the token endpoint is. Of the answer it holds what repeats none of the secrets."""
    shown = _shown(response, secrets)
    if response.status == 429 or response.status >= 500:
        return hub_error(shown)
    told = said(shown)
    error = HubLoginError(message_of(response.status, told), response=shown, error_response=told)
    if told is None:
        error.add_note("that is not how the Hub's auth service refuses a login: check base_url")
    return error


def _shown(response: Response, secrets: Sequence[str]) -> Response:
    """Status, code and message, with what of the headers says when to come back."""
    headers = Headers.received([(name, value) for name in _KEPT for value in response.headers.get_all(name)])
    told = said(response)
    if told is None:
        return Response(response.status, headers)
    # A code is a word of a registry, which a secret may be a part of by chance.
    code = told.code if _is_code(told.code) and told.code not in secrets else without(told.code, secrets)
    body = {"statusCode": told.status_code, "code": code, "message": without(told.message, secrets)}
    return Response(response.status, headers, encode(body))
