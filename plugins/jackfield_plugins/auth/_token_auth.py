"""Tokens on requests (RFC 6750 §2.1): put on each, and replaced once where the service does not take one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from jackfield import (
    Call,
    ConfigurationError,
    ContractError,
    NetworkError,
    Proceed,
    Request,
    Response,
    Secret,
    Stage,
    Step,
    StreamBody,
    hookimpl,
)

from ._client_auth import ClientAuth
from ._endpoint import Endpoint
from ._grants import Grant
from ._manager import REFRESH_AHEAD, REFRESH_MARGIN, TokenManager
from ._source import GrantSource
from ._store import TokenStore
from ._token import Token

_is_scheme = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch  # RFC 9110 §11.1, §5.6.2
_NOT_FETCHED = Token(Secret("not-fetched"))


def unauthorized(response: Response) -> bool:
    """Whether this is a 401: what a service answers to a token that it does not take."""
    return response.status == 401


class TokenAuth:
    """Sends a manager's tokens to the service, and to no other origin.

    A token that is rejected is replaced, and the request sent once more, if its body can be. A request that has an
    `Authorization` header of its own is left alone.

    Args:
        manager: where tokens come from; one may serve several clients.
        scheme: the word before the token, which is also the `token_type` that the service must give.
        rejected: what the service answers to a token that has ended, if not 401. From status 400 on its body has been
            read; below, that of a streamed answer has not.
    """

    name = "auth"

    def __init__(
        self, manager: TokenManager, *, scheme: str = "Bearer", rejected: Callable[[Response], bool] = unauthorized
    ) -> None:
        self._manager = manager
        self._scheme = scheme
        self._rejected = rejected

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.AUTH, self._run)]

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        if "authorization" in request.headers:
            return await proceed(request, call)
        token = await self._token(call)
        response = await self._sent(request, token, call, proceed)
        if not self._rejected(response):
            self._manager.accept(token)
            return response
        again = self._manager.reject(token, call.runtime.now())
        if not again or (isinstance(request.body, StreamBody) and not request.body.replayable):
            return response
        if not isinstance(response.body, bytes):
            await response.body.close()
        token = await self._token(call)
        response = await self._sent(request, token, call, proceed)
        if not self._rejected(response):
            self._manager.accept(token)
        return response

    async def _sent(self, request: Request, token: Token, call: Call, proceed: Proceed) -> Response:
        value = f"{self._scheme} {token.access_token.reveal()}"
        response = await proceed(request.with_headers(request.headers.replacing("authorization", value)), call)
        return response if response.status < 400 else await response.settled()

    async def _token(self, call: Call) -> Token:
        if call.dry:  # nothing is sent, so no token is asked for
            return self._manager.current or _NOT_FETCHED
        try:
            token = await self._manager.token(call)
        except NetworkError as error:
            error.sent = False  # whatever became of the token request: the call's own has not been sent
            raise
        if token.token_type.lower() != self._scheme.lower():  # RFC 6749 §7.1: not "if it does not understand the type"
            raise ContractError(
                f"the service gave a token of type {token.token_type!r}, where {self._scheme!r} is expected: "
                "pass scheme=... if requests are to carry that word"
            )
        return token


class OAuth2(TokenAuth):
    """OAuth 2.0 (RFC 6749): asks for tokens with a grant, refreshes them, and puts them on requests.

    Args:
        token_url: the token endpoint. Client and grant are sent there, and nowhere else.
        grant: what to ask with, `Grant.client_credentials()` say; None if there is a `token` to begin with, or the
            store has one of an earlier run.
        client: how the client proves who it is; None for services that do not ask.
        token: one that was had elsewhere, a login say.
        as_json: the token endpoint wants JSON, and no form.
        allow_http: send credentials to an `http:` token endpoint that is not on this machine, for all to read.
        store: keeps tokens for other processes, and for later.
        account: whose token it is, for the store; needed where the grant does not say it: a login, a refresh token.
        refresh_ahead, refresh_margin: in seconds, see `TokenManager`.
        scheme, rejected: see `TokenAuth`.

    Raises:
        UsageError: an argument makes no sense; it says which and why.
    """

    def __init__(
        self,
        token_url: str,
        grant: Grant | None = None,
        *,
        client: ClientAuth | None = None,
        token: Token | None = None,
        as_json: bool = False,
        allow_http: bool = False,
        store: TokenStore | None = None,
        account: str | None = None,
        refresh_ahead: float = REFRESH_AHEAD,
        refresh_margin: float = REFRESH_MARGIN,
        scheme: str = "Bearer",
        rejected: Callable[[Response], bool] = unauthorized,
    ) -> None:
        if grant is None and token is None and store is None:
            raise ConfigurationError("give a grant, a token to begin with, or a store that has one of an earlier run")
        _check(store=store, token=token, rejected=rejected, scheme=scheme)
        source = GrantSource(Endpoint(token_url, client, as_json=as_json, allow_http=allow_http), grant, account, token)
        if store is not None and not source.is_named:
            raise ConfigurationError(
                "a store must know whose token it keeps, and this grant does not say it: pass account=..., the user's "
                "name say"
            )
        manager = TokenManager(
            source, store=store, token=token, refresh_ahead=refresh_ahead, refresh_margin=refresh_margin
        )
        super().__init__(manager, scheme=scheme, rejected=rejected)


def _check(*, store: object, token: object, rejected: object, scheme: object) -> None:
    if store is not None and not callable(getattr(store, "load", None)):
        raise ConfigurationError(f"store is a TokenStore, FileTokenStore(folder) say, not {type(store).__name__}")
    if token is not None and not isinstance(token, Token):
        raise ConfigurationError(
            f"token is a Token(...); for one that does not change there is Bearer, not {type(token).__name__}"
        )
    if not callable(rejected):
        raise ConfigurationError("rejected is a function that says of a response whether it rejects the token")
    if not isinstance(scheme, str) or not _is_scheme(scheme):
        raise ConfigurationError("scheme is the one word that stands before the token, 'Bearer' mostly")
