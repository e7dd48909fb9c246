"""Requests, answers and entries for the tests of the decisions."""

from __future__ import annotations

from email.utils import formatdate

from jackfield import Headers, Request, Url
from jackfield_plugins.caching._kept import Kept
from jackfield_plugins.caching._storing import storable
from jackfield_plugins.caching._terms import Rules

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
PRIVATE, SHARED = Rules(), Rules(shared=True)
URL = Url.parse("https://api.example/things")

Fields = dict[str, str] | list[tuple[str, str]]


def date(offset: float = 0.0) -> str:
    """The date that is this many seconds after NOW."""
    return formatdate(NOW + offset, usegmt=True)


def fields(given: Fields) -> Headers:
    """Fields as a peer sends them."""
    return Headers.received(given.items() if isinstance(given, dict) else given)


def get(given: Fields | None = None, method: str = "GET") -> Request:
    """A request."""
    return Request(method, URL, headers=fields(given or {}))


def plan(
    given: Fields,
    status: int = 200,
    request: Request | None = None,
    rules: Rules = PRIVATE,
    *,
    authorized: bool = False,
) -> Kept | str:
    """How an answer that came at NOW would be kept."""
    return storable(request or get(), status, fields(given), NOW, NOW, rules, authorized=authorized)


def stored(given: Fields, status: int = 200, request: Request | None = None, rules: Rules = PRIVATE) -> Kept:
    """The entry of such an answer."""
    entry = plan(given, status, request, rules)
    assert isinstance(entry, Kept), entry
    return entry._replace(body=b"body")
