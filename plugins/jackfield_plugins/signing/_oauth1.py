"""OAuth 1.0a (RFC 5849): requests signed with a consumer's secret and a token's, in the Authorization header."""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Literal, get_args
from urllib.parse import quote, unquote_to_bytes

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

Method = Literal["HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"]

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
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

    async def _sign(self, request: Request, call: Call, proceed: Proceed) -> Response:
        if request.url.origin != call.origin:  # the credentials are for the service, and nobody else
            return await proceed(request, call)
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


def base_uri(message: Message) -> str:
    """§3.4.1.2: scheme and host in lower case, no default port, no query."""
    scheme = message.scheme.lower()
    return f"{scheme}://{message.authority.lower().removesuffix(_DEFAULT_PORTS[scheme])}{message.path}"


def base_string(message: Message, parameters: Mapping[str, str], form: bytes = b"") -> str:
    """§3.4.1: what is signed.

    Args:
        message: the request; of its headers none is signed.
        parameters: the protocol's, as they are meant; not `realm`.
        form: the body, if it is `application/x-www-form-urlencoded`.
    """
    protocol = [(_encoded(name), _encoded(value)) for name, value in parameters.items()]
    pairs = sorted([*_pairs((message.query or "").encode()), *protocol, *_pairs(form)])
    # §3.4.1.3.1: the signature itself "MUST be excluded if present"
    normalised = "&".join(f"{name}={value}" for name, value in pairs if name != "oauth_signature")
    return "&".join(_encoded(part) for part in (message.method.upper(), base_uri(message), normalised))


def signing_key(consumer_secret: Secret, token_secret: Secret | None = None) -> Secret:
    """§3.4.2: both secrets, encoded; the second may be missing, but not the `&`."""
    return Secret("&".join(_encoded(secret.reveal()) if secret else "" for secret in (consumer_secret, token_secret)))


def signature(base: str, key: Secret, method: Method) -> str:
    """The signature of a base string, in standard base64; of PLAINTEXT the key itself (§3.4.4)."""
    if method == "PLAINTEXT":
        return key.reveal()
    digest = "sha1" if method == "HMAC-SHA1" else "sha256"
    return b64encode(hmac.digest(key.reveal().encode(), base.encode(), digest)).decode()


def authorization(parameters: Mapping[str, str], realm: str | None = None) -> str:
    """§3.5.1: the parameters as the Authorization header carries them."""
    fields = [] if realm is None else [f'realm="{realm}"']
    fields += [f'{_encoded(name)}="{_encoded(value)}"' for name, value in parameters.items()]
    return f"OAuth {', '.join(fields)}"


def _form(request: Request) -> bytes:
    """§3.4.1.3.1: a body is signed if it is a form, and no other."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return b""
    if isinstance(request.body, StreamBody):
        raise UsageError("the fields of a form are sorted before they are signed: give its body as bytes, not a stream")
    return request.body


def _pairs(form: bytes) -> list[tuple[str, str]]:
    """The names and values of a form or a query, decoded, and encoded by §3.6."""
    parts = (piece.replace(b"+", b" ").partition(b"=") for piece in form.split(b"&") if piece)
    return [(_encoded(unquote_to_bytes(name)), _encoded(unquote_to_bytes(value))) for name, _, value in parts]


def _encoded(text: str | bytes) -> str:
    """§3.6: all but the unreserved characters of RFC 3986 in percent-encoding, of UTF-8."""
    return quote(text, safe="")


def _sendable(what: str, text: Secret | str) -> Secret:
    secret = Secret(text)
    if _has_surrogate(secret.reveal()):
        raise ConfigurationError(f"the {what} holds half of a surrogate pair")
    return secret
