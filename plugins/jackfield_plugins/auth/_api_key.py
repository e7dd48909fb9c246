"""API keys in a header, the query or a cookie (RFC 6265 §4.1.1), by whatever name."""

from __future__ import annotations

import re
from collections.abc import Callable

from jackfield import ConfigurationError, Request, Secret

from ._static import Static, in_header
from ._text import plain

_is_token = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
# RFC 6265 §4.1.1: cookie-octet is visible ASCII without quotes, comma, semicolon and backslash.
_OCTETS = r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*"
_is_cookie_value = re.compile(rf'{_OCTETS}|"{_OCTETS}"').fullmatch


class ApiKey(Static):
    """Sends a key with every request to the service, in one place. A request that has this header itself is left
    alone; a query parameter or a cookie of the same name is replaced.

    Args:
        key: as it is sent, with its `Token ` or the like where the service wants that.
        header: the name of a header field; `X-API-Key` if no place is given.
        query: the name of a query parameter, case told apart.
        cookie: the name of a cookie, case told apart.

    Raises:
        UsageError: more than one place, or a name or key that cannot be sent there.
    """

    def __init__(
        self, key: str | Secret, *, header: str | None = None, query: str | None = None, cookie: str | None = None
    ) -> None:
        if sum(place is not None for place in (header, query, cookie)) > 1:
            raise ConfigurationError("an API key goes to one place: give header=, query= or cookie=")
        text = plain(Secret(key), "the key")
        if query is not None:
            super().__init__(_in_query(query, Secret(text)), f"query {query} {text}")
        elif cookie is not None:
            super().__init__(_in_cookie(cookie, Secret(text)), f"cookie {cookie} {text}")
        else:
            name = "X-API-Key" if header is None else header
            super().__init__(_in_header(name, text), f"header {name} {text}")


def _in_header(name: str, key: str) -> Callable[[Request], Request]:
    _check_name(name, "a header")
    return in_header(name, key)


def _in_query(name: str, key: Secret) -> Callable[[Request], Request]:
    if not plain(name, "the name of a query parameter"):
        raise ConfigurationError("the name of a query parameter is not empty")

    def add(request: Request) -> Request:
        others = (pair for pair in request.query if pair[0] != name)
        return request.replace(query=(*others, (name, key.reveal())))

    return add


def _in_cookie(name: str, key: Secret) -> Callable[[Request], Request]:
    _check_name(name, "a cookie")
    if not _is_cookie_value(key.reveal()):
        raise ConfigurationError("a key in a cookie is visible ASCII without quotes, comma, semicolon and backslash")

    def add(request: Request) -> Request:
        cookies = (cookie.strip() for line in request.headers.get_all("cookie") for cookie in line.split(";"))
        others = (cookie for cookie in cookies if cookie and cookie.partition("=")[0].strip() != name)
        mine = f"{name}={key.reveal()}"
        # RFC 6265 §5.4: one Cookie header, its pairs parted by "; "
        return request.with_headers(request.headers.replacing("Cookie", "; ".join([*others, mine])))

    return add


def _check_name(name: object, place: str) -> None:
    if not isinstance(name, str) or not _is_token(name):  # and does not show it: it may be the key, in the wrong place
        raise ConfigurationError(
            f"the name of {place} is letters, digits and !#$%&'*+-.^_`|~: the key comes first, the name after header= "
            "or cookie="
        )
