"""OAuth 2.0 (RFC 6749) as one plugin: endpoint, grant, client and manager, put together."""

from __future__ import annotations

import re
from collections.abc import Callable

from jackfield import ConfigurationError, Response

from ._client_auth import ClientAuth
from ._endpoint import Endpoint
from ._grants import Grant
from ._manager import REFRESH_AHEAD, REFRESH_MARGIN, TokenManager
from ._source import GrantSource
from ._store import TokenStore
from ._token import Token
from ._token_auth import TokenAuth, unauthorized

_is_scheme = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch  # RFC 9110 §11.1, §5.6.2


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
