"""References that a service gives: resolved as RFC 3986 says, and never anywhere but to http and https."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import ContractError, Request, Url, UsageError, follow
from jackfield._reference import resolve

VECTORS = Path(__file__).parents[1] / "vectors" / "rfc3986_resolution.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text())["cases"]
SPOKEN = [case for case in CASES if case["expected"].startswith(("http://", "https://"))]
BASE = Request("GET", Url.parse("https://api.example.test/v1/nodes"), query="page=1")


def base_of(text: str) -> Request:
    parts = urlsplit(text)
    return Request("GET", Url.parse(f"{parts.scheme}://{parts.netloc}{parts.path}"), query=parts.query)


def led(base: Request, reference: str) -> str:
    target = resolve(base, reference)
    return str(target.url) + ("" if target.query is None else f"?{target.query}")


@pytest.mark.parametrize("case", SPOKEN, ids=lambda case: f"{case['base']} + {case['reference']}")
def test_the_cases_of_the_rfc(case: dict[str, Any]) -> None:
    base = base_of(case["base"])

    assert led(base, case["reference"]) == case["expected"].partition("#")[0]
    assert (resolve(base, case["reference"]).url.origin != base.url.origin) is case["cross_origin"]


@pytest.mark.parametrize(
    "reference", [case["reference"] for case in CASES if case not in SPOKEN] + ["http:g", "https:/g", "mailto:a@b"]
)
def test_other_schemes_lead_nowhere(reference: str) -> None:
    with pytest.raises(UsageError):
        resolve(BASE, reference)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("?page=2", "https://api.example.test/v1/nodes?page=2"),
        ("?a=b+c&d=%2F", "https://api.example.test/v1/nodes?a=b+c&d=%2F"),
        ("", "https://api.example.test/v1/nodes?page=1"),
        ("#top", "https://api.example.test/v1/nodes?page=1"),
        ("//OTHER.example.test/x", "https://other.example.test/x"),
        ("HTTPS://API.example.test:443/x", "https://api.example.test/x"),
        ("/a b/ä?q=a b", "https://api.example.test/a%20b/%C3%A4?q=a%20b"),
        ("/\xc3\xa4", "https://api.example.test/%C3%A4"),  # UTF-8 in a header
        ("/\u20ac", "https://api.example.test/%E2%82%AC"),
        ("/100%/x", "https://api.example.test/100%25/x"),
        ("https://other.example.test", "https://other.example.test/"),
        ("https://other.example.test?x=1", "https://other.example.test/?x=1"),
        (" /x\t", "https://api.example.test/x"),
        ("/../../x", "https://api.example.test/x"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
    ],
)
def test_what_services_send_is_understood(reference: str, expected: str) -> None:
    assert led(BASE, reference) == expected


@pytest.mark.parametrize(
    "reference",
    [
        *("file:///etc/passwd", "ftp://h/x", "javascript:alert(1)", "gopher://h/", "unix:/run/x", "data:,x"),
        *("http://", "https:///x", "http://u:p@h/", "//u@h/", "http://h:99999/", "http://h:x/", "http://h h/"),
        *("/a\r\nx-evil: 1", "/a\x00", "/a\nb", "\\\\host\\x", "/\\host", "http://h\\@evil", "http://[fe80::1%25lo]/"),
        *("http://[::1]evil/", "/" + "a" * 70_000, "http://" + "a" * 300 + "/", "http://h\u2100/", 5, None),
    ],
    ids=lambda reference: repr(reference)[:40],
)
def test_what_is_dangerous_is_refused(reference: Any) -> None:
    with pytest.raises(UsageError):
        resolve(BASE, reference)


@pytest.mark.parametrize(
    "reference", ["hunter2-canary:x", "hunter2-canary://h/", "http://hunter2-canary@h/", "//h:canary/"]
)
def test_what_is_refused_is_not_repeated(reference: str) -> None:
    with pytest.raises(UsageError) as refused:
        resolve(BASE, reference)

    assert "canary" not in str(refused.value)


def test_a_request_is_sent_on_with_the_query_as_it_was_given() -> None:
    on = resolve(BASE, "/x?sig=a+b%2f").on(BASE)

    assert on.target == "/x?sig=a+b%2f"
    assert resolve(BASE, "/x").on(BASE).target == "/x"


@pytest.mark.parametrize("reference", ["?page=2", "nodes?page=2", "HTTPS://api.EXAMPLE.test:443/v1/nodes?page=2"])
def test_a_link_of_the_service_to_itself_is_followed_with_all_that_the_request_holds(reference: str) -> None:
    request = Request("POST", BASE.url, query={"page": "1"}, headers={"x-key": "mine"}, body=b"{}")

    following = follow(request, reference)

    assert following == request.replace(query="page=2")


@pytest.mark.parametrize(
    "reference",
    [
        "http://api.example.test/v1/nodes",
        "https://api.example.test:444/v1/nodes",
        "//elsewhere.example.test/",
        "https://api.example.test.evil.test/",
        "https://api.example.test@evil.test/",
        "file:///etc/passwd",
        "\\\\evil.test",
        "/\r\nx-evil: 1",
    ],
)
def test_a_link_to_anywhere_else_is_the_services_fault(reference: str) -> None:
    with pytest.raises(ContractError, match="link leads"):
        follow(BASE, reference)


segments = st.lists(st.sampled_from([".", "..", "a", "b;c", "d=e"]), max_size=6).map("/".join)


@given(segments, st.booleans(), st.none() | st.sampled_from(["", "x=1"]))
@settings(deadline=None, max_examples=200)
def test_it_agrees_with_the_standard_library_where_that_keeps_to_the_rfc(
    path: str, rooted: bool, query: str | None
) -> None:
    reference = ("/" if rooted else "") + path + ("" if query is None else f"?{query}")
    if reference.startswith("//") or query == "" or (not path and not rooted):
        return  # an authority; and empty queries, which urljoin drops, as it does empty segments

    assert led(BASE, reference) == urljoin("https://api.example.test/v1/nodes?page=1", reference)


@given(st.text(max_size=50))
@settings(deadline=None, max_examples=200)
def test_whatever_a_service_says_is_a_target_or_a_usage_error(reference: str) -> None:
    try:
        target = resolve(BASE, reference)
    except UsageError:
        return
    assert target.on(BASE).url == target.url
