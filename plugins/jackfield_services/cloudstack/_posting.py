"""How a command is sent: by GET, or as a form by POST; never with parameters in both places."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Literal, TypeAlias
from urllib.parse import urlencode

from jackfield import ConfigurationError, Request, Url

Method: TypeAlias = Literal["auto", "get", "post"]
Pairs: TypeAlias = "list[tuple[str, str]]"

_FORM = {"content-type": "application/x-www-form-urlencoded"}
# Bytes. IIS takes 2,048 of query unless it is told otherwise, the least of the usual proxies; CloudStack's own server,
# nginx and Apache take 8 KiB for the line or the whole head. Signature, expiry or session are added later: up
# to 250.
_LONGEST = 1800


def check_method(method: object, *, posts: bool) -> Method:
    """The method, if it is one that this client may use.

    Args:
        method: what was given.
        posts: whether the end point takes POST.

    Raises:
        ConfigurationError: it is none.
    """
    if method not in ("auto", "get", "post"):
        raise ConfigurationError(f"method is 'auto', 'get' or 'post', not {method!r}")
    if posts:
        return method
    if method == "post":
        raise ConfigurationError("without keys or login this speaks to the integration port, which takes GET only")
    return "get"


def request_of(url: Url, pairs: Pairs, method: Method, *, secret: bool, idempotent: bool) -> Request:
    """The request that sends these parameters.

    Args:
        url: the end point.
        pairs: all of them.
        method: the client's.
        secret: whether there is a secret among them, which access logs would keep of a URL.
        idempotent: whether it may be sent twice.
    """
    if method == "get" or (method == "auto" and not secret and not _is_long(pairs)):
        return Request("GET", url, query=pairs, idempotent=idempotent)
    return Request("POST", url, headers=_FORM, body=urlencode(pairs).encode(), idempotent=idempotent)


def shown(pairs: Iterable[tuple[str, str]], visible: frozenset[str]) -> str:
    """The parameters of a form for a person: values only of the names that may be seen."""
    return "&".join(f"{name}={value if name in visible else '***'}" for name, value in pairs)


def _is_long(pairs: Pairs) -> bool:
    """Whether this is more than a URL should hold."""
    plain = "&=".join(chain.from_iterable(pairs))
    if len(plain) * (3 if plain.isascii() else 12) <= _LONGEST:  # bytes of a character, once it is encoded
        return False
    return len(urlencode(pairs)) > _LONGEST
