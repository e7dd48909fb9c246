"""What unsafe requests make invalid: RFC 9111 §4.4."""

from __future__ import annotations

import pytest
from tests.jackfield_plugins.caching.answers import Fields, fields

from jackfield import Request, Url
from jackfield_plugins.caching._invalidating import invalidated

UNSAFE = ["POST", "PUT", "PATCH", "DELETE", "M-SEARCH", "QUERY", "CONNECT", "get"]


def places(method: str = "POST", status: int = 200, given: Fields | None = None, query: str = "q=1") -> list[str]:
    request = Request(method, Url.parse("https://api.example/a/b"), query=query, headers={"X": "1"}, body=b"{}")
    found = invalidated(request, status, fields(given or {}))
    assert all((place.method, place.body, place.headers["x"]) == ("GET", b"", "1") for place in found)
    return [f"{place.url.origin}{place.target}" for place in found]


@pytest.mark.parametrize("method", UNSAFE)
def test_4_4_the_url_of_an_unsafe_request_becomes_invalid(method: str) -> None:
    assert places(method) == ["https://api.example/a/b?q=1"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
def test_4_4_safe_requests_make_nothing_invalid(method: str) -> None:
    assert places(method, given={"Location": "/c"}) == []


@pytest.mark.parametrize("status", [200, 201, 204, 299, 301, 303, 399])
def test_4_4_what_is_no_error_makes_invalid(status: int) -> None:
    assert places(status=status)


@pytest.mark.parametrize("status", [100, 199, 400, 404, 409, 412, 500, 503, 599])
def test_4_4_errors_change_nothing(status: int) -> None:
    assert places(status=status) == []


def test_4_4_what_location_and_content_location_name_becomes_invalid() -> None:
    told = [("Location", "c?x=2"), ("Content-Location", "https://api.example:443/d"), ("Content-Location", "../e")]

    assert places(given=told)[1:] == ["https://api.example/a/c?x=2", "https://api.example/d", "https://api.example/e"]


@pytest.mark.parametrize(
    "reference",
    [
        "https://other.example/a",
        "http://api.example/a",
        "https://api.example:8443/a",
        "//other.example/a",
        "https://user@api.example/a",
        "ftp://api.example/a",
        "https://",
        "\\\\api.example",
        "a" * 20_000,
    ],
)
def test_4_4_what_is_of_another_origin_or_nowhere_is_left_alone(reference: str) -> None:
    assert places(given={"Location": reference, "Content-Location": reference}) == places()
