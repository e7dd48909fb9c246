"""The authorization code flow with PKCE (RFC 6749 §4.1, RFC 7636), as far as it is no request of ours.

The user's browser makes the requests; here are the URL to send it to, and the check of what it brings back.
"""

from __future__ import annotations

import os
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from hashlib import sha256
from hmac import compare_digest
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from jackfield import ConfigurationError, Secret, UsageError

from ._answer import TokenError, printable
from ._client_auth import checked_client_id
from ._endpoint import parse_address
from ._grants import Grant
from ._text import plain

_is_verifier = re.compile(r"[A-Za-z0-9\-._~]{43,128}").fullmatch  # RFC 7636 §4.1
_is_uri = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!$-;=?-\[\]_a-z~]+").fullmatch  # RFC 3986 §4.3, as far as need be
_OURS = {"client_id", "code_challenge", "code_challenge_method", "redirect_uri", "response_type", "scope", "state"}


class CodeRequest(NamedTuple):
    """A login that has begun. Keep it, in the user's session say, until the browser comes back.

    Attributes:
        url: where to send the browser.
        state: ties the answer to this login.
        verifier: ties the code to this login; goes to the token endpoint only.
    """

    url: str
    state: Secret
    verifier: Secret

    def __repr__(self) -> str:
        return f"CodeRequest({self.url.partition('?')[0]!r})"


class AuthorizationCode:
    """Begins logins at a service, and checks how they ended.

    Args:
        authorize_url: the service's authorization endpoint; a query is kept.
        client_id: the client's public name.
        redirect_uri: where the service sends the browser afterwards, as it is registered there.
        scope: what is asked for.
        issuer: what `iss` in the answer must be (RFC 9207), for services that send it; guards against mix-ups.
        extra: further parameters of the service's own.

    Raises:
        UsageError: an argument makes no sense, or is about a parameter that this sets itself.
    """

    def __init__(
        self,
        authorize_url: str,
        client_id: str,
        redirect_uri: str,
        *,
        scope: str | None = None,
        issuer: str | None = None,
        extra: Iterable[tuple[str, str]] = (),
    ) -> None:
        self._address, query = parse_address(authorize_url)
        if not isinstance(redirect_uri, str) or not _is_uri(redirect_uri):
            raise ConfigurationError("redirect_uri is an absolute URI without a fragment (RFC 6749 §3.1.2)")
        self._redirect_uri = redirect_uri
        self._issuer = issuer
        asked = [("response_type", "code"), ("client_id", checked_client_id(client_id)), ("redirect_uri", redirect_uri)]
        asked += [("scope", plain(scope, "scope"))] if scope else []
        self._asked = [*_others(query), *asked, *_others(extra)]

    def start(self, token_bytes: Callable[[int], bytes] = os.urandom) -> CodeRequest:
        """A login with a state and a verifier of its own."""
        state, verifier = _text(token_bytes(32)), _text(token_bytes(32))  # RFC 7636 §4.1: 32 octets, 43 characters
        query = [
            *self._asked,
            ("state", state),
            ("code_challenge", pkce_challenge(verifier)),
            ("code_challenge_method", "S256"),
        ]
        return CodeRequest(f"{self._address}?{urlencode(query)}", Secret(state), Secret(verifier))

    def finish(self, begun: CodeRequest, redirected: str) -> Grant:
        """The grant of a login: `OAuth2(token_url, grant, client=…)` exchanges its code when a token is first needed.

        Args:
            begun: what `start` gave.
            redirected: the URL that the browser was sent to, query and all.

        Raises:
            TokenError: the user or the service refused, or this is no answer to that login.
        """
        answer = _parameters(redirected)
        if not compare_digest(answer.get("state", "").encode("utf-8", "replace"), begun.state.reveal().encode()):
            raise TokenError("the state is not that of this login: it may be forged, or of an older one; begin again")
        if self._issuer is not None and answer.get("iss") != self._issuer:
            raise TokenError("the answer is of another issuer than the one that was asked: begin again")
        if code := printable(answer.get("error", "")):
            text = printable(answer.get("error_description", ""))
            said = f'{code}, "{text}"' if text else code
            raise TokenError(f"the login was refused: {said}; begin again", code=code, text=text)
        if not (code := answer.get("code", "")) or not code.isprintable():
            raise TokenError("the answer to the login holds no code: is this the URL that the browser was sent to?")
        return Grant.authorization_code(code, self._redirect_uri, begun.verifier)


def pkce_challenge(verifier: str) -> str:
    """BASE64URL(SHA256(verifier)), the method S256 of RFC 7636 §4.2.

    Raises:
        UsageError: the verifier is not 43 to 128 of the characters A-Z a-z 0-9 - . _ ~
    """
    if not isinstance(verifier, str) or not _is_verifier(verifier):
        raise UsageError("a PKCE verifier is 43 to 128 characters of A-Z a-z 0-9 - . _ ~ (RFC 7636 §4.1)")
    return _text(sha256(verifier.encode("ascii")).digest())


def _text(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def _others(parameters: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    pairs = list(parameters)
    for pair in pairs:
        if not isinstance(pair, tuple) or [type(part) for part in pair] != [str, str]:
            raise ConfigurationError("extra is pairs of name and value, all strings")
        if pair[0] in _OURS:  # RFC 6749 §3.1: parameters "MUST NOT be included more than once"
            raise ConfigurationError(f"the parameter {pair[0]!r} is set by AuthorizationCode itself: leave it out")
        plain("".join(pair), f"the parameter {pair[0]!a}")
    return pairs


def _parameters(url: str) -> dict[str, str]:
    if not isinstance(url, str):
        raise UsageError(f"the URL that the browser was sent to is a string, not {type(url).__name__}")
    pairs = parse_qsl(url.partition("#")[0].partition("?")[2], keep_blank_values=True)
    found = dict(pairs)
    if len(found) < len(pairs):  # RFC 6749 §3.1: "MUST NOT be included more than once"
        raise TokenError("the answer to the login names a parameter twice: it may be forged; begin again")
    return found
