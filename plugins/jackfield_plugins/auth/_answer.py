"""What a token endpoint answers (RFC 6749 §5): a token, or an error that says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import isfinite
from typing import Any

from msgspec import Struct, field

from jackfield import (
    DecodeError,
    Headers,
    RateLimitedError,
    Response,
    Secret,
    ServiceError,
    UnauthorizedError,
    UnavailableError,
    parse_http_date,
)

from ._jwt import expiry
from ._token import Token

_is_code = re.compile(r"[a-z]{1,20}(?:_[a-z]{1,20}){0,5}").fullmatch
_MOST = 64 * 1024  # characters of a token: it goes into a header
_LONGEST = 10 * 365 * 86400.0  # seconds; what claims to live longer lives as long
_ADVICE = {
    "access_denied": "the user did not agree",
    "expired_token": "begin the login again",
    "invalid_client": "check the client's id and secret, and whether the service wants them in this way",
    "invalid_grant": "check user name and password, or log in again: a code or refresh token is used up or expired",
    "invalid_request": "check the grant's fields, and whether the service wants them as a form or as JSON",
    "invalid_scope": "check the scope",
    "unauthorized_client": "the service does not allow this client this grant",
    "unsupported_grant_type": "the service does not know this grant",
}


class TokenError(UnauthorizedError):
    """No token could be had: the token service refused, or nothing is left to ask it with. Nothing is cached.

    `code` and `text` are the service's `error` and `error_description` (RFC 6749 §5.2).
    """


class _Granted(Struct):
    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the type's name, RFC 6750
    expires_in: Any = None
    refresh_token: str | None = None
    scope: Any = None


class _Refused(Struct):
    error: str = ""
    text: str = field(default="", name="error_description")


def read_token(response: Response, now: float) -> Token:
    """The token of a good answer.

    It ends with `expires_in` or with the `exp` of the JWT that it is, whichever is earlier. `exp` is held against the
    answer's own `Date`, so that this machine's clock may be wrong.

    Args:
        response: of a status below 300.
        now: seconds since 1970.

    Raises:
        DecodeError: it is none.
    """
    granted = response.decode(_Granted)
    if not _is_sendable(granted.access_token):
        raise DecodeError("the token service gave an access token that no header can carry")
    date = parse_http_date(response.headers.get("date", ""), now)
    ends = expiry(granted.access_token)
    lifetimes = [_seconds(granted.expires_in), None if ends is None else ends - (now if date is None else date)]
    lifetime = min((max(seconds, 0.0) for seconds in lifetimes if seconds is not None), default=None)
    return Token(
        Secret(granted.access_token),
        granted.token_type,
        now,
        None if lifetime is None else now + min(lifetime, _LONGEST),
        Secret(granted.refresh_token) if granted.refresh_token else None,
        granted.scope if isinstance(granted.scope, str) else None,
    )


def _is_sendable(token: str) -> bool:
    return 0 < len(token) <= _MOST and token.isascii() and token.isprintable()


def _seconds(given: object) -> float | None:
    try:
        seconds = float(given) if isinstance(given, int | float | str) and not isinstance(given, bool) else None
    except (ValueError, OverflowError):  # OverflowError: an integer of a thousand digits
        return None
    return seconds if seconds is not None and seconds > 0 and isfinite(seconds) else None  # 0: some mean "for ever"


def refusal(response: Response, grant: str, secrets: Iterable[str]) -> ServiceError:
    """The error that another answer than a token is.

    Args:
        response: as it came; of it the error keeps the status, and `Retry-After`.
        grant: the name of what was tried.
        secrets: what must not be repeated, should the service do so.
    """
    status = response.status
    if kind := _kind_of_trouble(status):
        headers = [("retry-after", value) for value in response.headers.get_all("retry-after")]
        return kind(
            f"the token service answered {status}", status=status, response=Response(status, Headers.received(headers))
        )
    try:
        refused = response.decode(_Refused)
    except DecodeError:
        refused = _Refused()
    # The codes are a registry of words, which a secret may be a part of by chance.
    code = refused.error if _is_code(refused.error) else printable(refused.error, secrets)
    text = printable(refused.text, secrets)
    said = ", ".join(filter(None, [code, f'"{text}"' if text else ""])) or f"status {status}"
    advice = _ADVICE.get(code, "check the token URL and the credentials")
    return TokenError(
        f"the token service refused the grant {grant!r}: {said}; {advice}", status=status, code=code, text=text
    )


def _kind_of_trouble(status: int) -> type[ServiceError] | None:
    if status == 429:
        return RateLimitedError
    return UnavailableError if status in (502, 503, 504) else ServiceError if status >= 500 else None


def printable(words: str, secrets: Iterable[str] = ()) -> str:
    """What a service says, in so far as it may be repeated."""
    for secret in secrets:
        if len(secret) > 3:  # a shorter one is in every other word
            words = words.replace(secret, "***")
    return "".join(c if c.isprintable() else " " for c in words[:200])
