"""Logging in: what the Hub's auth service is asked for a token with, and what it says instead of one (RFC 6749 §4, §5).

The token endpoint is that of OAuth 2.0 but for three things: it takes JSON, knows robots, and has the Hub's errors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from json import dumps
from typing import ClassVar

from msgspec.json import encode

from jackfield import Call, CallSummary, ConfigurationError, Headers, Request, Response, Secret
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
from ._rejected import Rejections
from ._said import said

_is_code = re.compile(r"[A-Za-z]{1,30}(?:_[A-Za-z]{1,30}){0,7}").fullmatch
_KEPT = ("date", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "retry-after")
_SHORTEST = 4  # characters of a secret that is looked for in what the service says


class _LoginEndpoint(Endpoint):
    """Where tokens are asked for; what is answered instead of one is an error of the Hub's."""

    async def ask(self, grant: str, fields: Mapping[str, str | Secret], call: Call) -> Token:
        started = call.runtime.monotonic()
        try:
            return await super().ask(grant, fields, call)
        except HubAPIError as error:
            elapsed = call.runtime.monotonic() - started
            error.attach(CallSummary(f"{call.operation} (token)", "POST", self.address, 1, elapsed, False))
            raise

    def refusal(self, response: Response, grant: str, secrets: Sequence[str]) -> HubAPIError:
        return _login_error(response, secrets)


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

    async def is_rejected(self, request: Request, response: Response, call: Call) -> bool:
        return await self._rejections.is_dead(request, response, call)


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
    code = told.code if _is_code(told.code) and told.code not in secrets else _masked(told.code, secrets)
    body = {"statusCode": told.status_code, "code": code, "message": _masked(told.message, secrets)}
    return Response(response.status, headers, encode(body))


def _masked(words: str, secrets: Sequence[str]) -> str:
    """The words without the secrets, be they as they are or as JSON has them."""
    for secret in secrets:
        if len(secret) >= _SHORTEST:  # a shorter one is in every other word
            for form in (dumps(secret)[1:-1], dumps(secret, ensure_ascii=False)[1:-1], secret):
                words = words.replace(form, "***")
    return words
