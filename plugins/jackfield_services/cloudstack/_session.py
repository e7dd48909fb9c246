"""A session of CloudStack's: what `login` answers, and how requests bear it (RFC 6265 for the cookies)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import inf
from typing import Any, NamedTuple

from jackfield import Request, Response, Secret
from jackfield_plugins.signing import InParameters

from ._errors import CloudStackDecodeError
from ._json import whole

_PARAMETER = InParameters("sessionkey", any_case=True)
_COOKIES = ("JSESSIONID", "sessionkey")  # no other is kept
_LONGEST = 4096  # characters; RFC 6265 §6.1 asks for no more
# RFC 6265 §4.1.1: cookie-octet is visible ASCII without quotes, comma, semicolon and backslash.
_is_value = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+").fullmatch
_AGES = 10**9  # seconds
_NO_SESSION = "login succeeded, but its answer holds no session that can be used: {} is missing or malformed"


class Session(NamedTuple):
    """What a login gave.

    Attributes:
        key: goes along as a parameter.
        cookies: go along as a header, for the origin that set them.
        timeout: seconds without a request after which the server forgets it.
    """

    key: Secret
    cookies: tuple[tuple[str, Secret], ...]
    timeout: float = inf

    @property
    def secrets(self) -> list[str]:
        """What of it nobody else should see."""
        return [secret.reveal() for secret in (self.key, *(value for _, value in self.cookies))]

    def on(self, request: Request) -> Request:
        """The request with this session: `sessionkey` in the form where there is one, else in the query."""
        request = _PARAMETER.put(request, self.key.reveal())
        given = (cookie.strip() for line in request.headers.get_all("cookie") for cookie in line.split(";"))
        others = [cookie for cookie in given if cookie and cookie.partition("=")[0].strip() not in _COOKIES]
        ours = [f"{name}={value.reveal()}" for name, value in self.cookies]
        # RFC 6265 §5.4: one Cookie header, its pairs parted by "; "
        return request.with_headers(request.headers.replacing("Cookie", "; ".join([*others, *ours])))


def read_session(fields: dict[str, Any], response: Response) -> Session:
    """The session that an answer to `login` opens.

    Raises:
        CloudStackDecodeError: it has no key or no cookie that can be sent back; neither is shown.
    """
    key = fields.get("sessionkey")
    if not isinstance(key, str) or not _fits(key):
        raise _unusable("sessionkey", response)
    cookies = dict(_readable(response.headers.get_all("set-cookie")))
    if "JSESSIONID" not in cookies:
        raise _unusable("the cookie JSESSIONID", response)
    timeout = whole(fields.get("timeout"))
    pairs = tuple((name, Secret(cookies[name])) for name in _COOKIES if name in cookies)
    return Session(Secret(key), pairs, min(timeout, _AGES) if timeout and timeout > 0 else inf)


def _readable(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    # RFC 6265 §5.2: name and value stand before the first ";"; a cookie that comes again replaces the first.
    # Where it may go is not the server's to say: to its own origin, and nowhere else.
    for line in lines:
        name, _, value = line.partition(";")[0].partition("=")
        if _fits(value.strip()):
            yield name.strip(), value.strip()


def _fits(text: str) -> bool:
    return len(text) <= _LONGEST and _is_value(text) is not None


def _unusable(what: str, response: Response) -> CloudStackDecodeError:
    # Without the answer itself: it holds what did come of the session.
    return CloudStackDecodeError(_NO_SESSION.format(what), response.status, None, Response(response.status))
