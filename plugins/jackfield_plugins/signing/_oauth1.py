"""OAuth 1.0a (RFC 5849): requests signed with a consumer's secret and a token's, in the Authorization header."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import get_args

from jackfield import (
    Call,
    ConfigurationError,
    Proceed,
    Request,
    Response,
    Secret,
    Stage,
    Step,
    StreamBody,
    UsageError,
    hookimpl,
)

from ._message import Message
from ._oauth1_signature import Method, authorization, base_string, signature, signing_key

_has_surrogate = re.compile("[\ud800-\udfff]").search
_is_realm = re.compile(r"[ !#-\[\]-~]*").fullmatch  # what a quoted string holds without escapes (RFC 9110 §5.6.4)


class OAuth1:
    """Signs every attempt afresh, with a time and a nonce of its own.

    Args:
        consumer_key: names the application; also called the client's key, or API key.
        consumer_secret: goes with it.
        token: names whom it acts for; None where there is nobody yet.
        token_secret: goes with the token.
        method: `HMAC-SHA1` is what nearly all services take, and not broken as a MAC is; `HMAC-SHA256` is no part of
            the RFC; `PLAINTEXT` sends the secrets themselves, and is refused over http (§3.4.4).
        realm: sent along if given; not signed.

    Raises:
        ConfigurationError: a method that is not among these, a token secret without a token, or text that cannot be
            sent.
    """

    name = "signing"

    def __init__(
        self,
        consumer_key: str,
        consumer_secret: Secret | str,
        token: Secret | str | None = None,
        token_secret: Secret | str | None = None,
        *,
        method: Method = "HMAC-SHA1",
        realm: str | None = None,
    ) -> None:
        if method not in get_args(Method):
            raise ConfigurationError(f"OAuth 1.0 signs by {', '.join(get_args(Method))}, not {method!r}")
        if token is None and token_secret is not None:
            raise ConfigurationError("a token_secret goes with a token: give both, or neither")
        if realm is not None and (not isinstance(realm, str) or not _is_realm(realm)):
            raise ConfigurationError("a realm is visible ASCII and blanks, without '\"' and '\\'")
        self._consumer_key = _sendable("consumer_key", consumer_key)
        self._token = None if token is None else _sendable("token", token)
        secrets = [_sendable("consumer_secret", consumer_secret)]
        secrets += [] if token_secret is None else [_sendable("token_secret", token_secret)]
        self._key = signing_key(*secrets)
        self._method: Method = method
        self._realm = realm

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.SIGN, self._sign)]

    @hookimpl
    def jackfield_identity(self) -> bytes:
        token = "" if self._token is None else self._token.reveal()
        return sha256(repr((self._consumer_key.reveal(), token, self._key.reveal())).encode()).digest()

    async def _sign(self, request: Request, call: Call, proceed: Proceed) -> Response:
        # §3.4.4: PLAINTEXT "MUST be used with a transport-layer mechanism such as TLS"
        if self._method == "PLAINTEXT" and request.url.origin.scheme != "https":
            raise UsageError("PLAINTEXT would send the secrets for all to read: use https, or HMAC-SHA1")
        parameters = self._parameters(int(call.runtime.now()), call.runtime.token_bytes(16).hex())
        base = base_string(Message.of(request), parameters, _form(request))
        parameters["oauth_signature"] = signature(base, self._key, self._method)
        value = authorization(parameters, self._realm)
        return await proceed(request.with_headers(request.headers.replacing("Authorization", value)), call)

    def _parameters(self, now: int, nonce: str) -> dict[str, str]:
        # oauth_version, which §3.1 leaves to the client, is not sent.
        token = {} if self._token is None else {"oauth_token": self._token.reveal()}
        return {
            "oauth_consumer_key": self._consumer_key.reveal(),
            **token,
            "oauth_signature_method": self._method,
            "oauth_timestamp": str(now),
            "oauth_nonce": nonce,
        }


def _form(request: Request) -> bytes:
    """§3.4.1.3.1: a body is signed if it is a form, and no other."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return b""
    if isinstance(request.body, StreamBody):
        raise UsageError("the fields of a form are sorted before they are signed: give its body as bytes, not a stream")
    return request.body


def _sendable(what: str, text: Secret | str) -> Secret:
    secret = Secret(text)
    if _has_surrogate(secret.reveal()):
        raise ConfigurationError(f"the {what} holds half of a surrogate pair")
    return secret
