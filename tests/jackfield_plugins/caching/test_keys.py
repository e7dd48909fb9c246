"""Keys: the same for the same thing and the same owner, others for others, and unreadable."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import Request, Url
from jackfield_plugins.caching._keys import Keys

KEYS = Keys(b"salt" * 4)
ME, YOU = b"m" * 32, b"y" * 32


def get(path: str = "/r", origin: str = "https://api.example", method: str = "GET", **parts: Any) -> Request:
    return Request(method, Url(Url.parse(origin).origin, path), **parts)


OTHERS = [
    get(),
    get("/R"),
    get("/r/"),
    get("/r%20"),
    get(origin="http://api.example"),
    get(origin="https://api.example:8443"),
    get(origin="https://api2.example"),
    get(query={"a": "1"}),
    get(query={"a": "1", "b": ""}),
    get(query={"b": "", "a": "1"}),
    get(query="a=1&b"),
    get(query={"a": "1&b="}),
]


@pytest.mark.parametrize(("one", "other"), list(combinations(OTHERS, 2)))
def test_other_urls_have_other_places(one: Request, other: Request) -> None:
    assert KEYS.place(one) != KEYS.place(other)


def test_the_same_url_has_the_same_place_however_it_is_written() -> None:
    assert KEYS.place(get(query={"a": "b c"})) == KEYS.place(get(query="a=b%20c"))
    assert KEYS.place(get(method="HEAD")) == KEYS.place(get())
    assert KEYS.place(get(origin="https://api.example:443")) == KEYS.place(get())
    assert KEYS.place(get(headers={"Accept": "text/html"})) == KEYS.place(get())


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Cookie",
        "Proxy-Authorization",
        "x-api-KEY",
        "X-Auth",
        "Session",
        "My-Secret",
        "x-amz-security-token",
        "Signature",
        "X-Password",
        "X-Credential",
    ],
)
def test_who_bears_another_credential_is_another_owner(name: str) -> None:
    owners = {KEYS.of(get(headers=headers), ME).owner for headers in ({}, {name: "a"}, {name: "b"})}

    assert len(owners) == 3
    assert KEYS.of(get(headers={name.upper(): "a"}), ME) == KEYS.of(get(headers={name.lower(): "a"}), ME)


@pytest.mark.parametrize("name", ["Accept", "User-Agent", "X-Request-Id", "If-None-Match"])
def test_who_bears_another_field_is_the_same_owner(name: str) -> None:
    assert KEYS.of(get(headers={name: "a"}), ME) == KEYS.of(get(), ME)


def test_clients_with_other_credentials_are_other_owners_of_the_same_place() -> None:
    mine, yours = KEYS.of(get(), ME), KEYS.of(get(), YOU)

    assert mine.place == yours.place
    assert mine.owner != yours.owner
    assert KEYS.of(get(), b"").owner not in (mine.owner, yours.owner)


def test_clients_with_other_credentials_are_other_owners_of_the_same_cookie() -> None:
    cookie = get(headers={"Cookie": "a"})

    assert KEYS.of(cookie, ME).owner != KEYS.of(cookie, YOU).owner


def test_credentials_cannot_be_shifted_from_one_field_to_another() -> None:
    fields = [
        [("Cookie", "a"), ("Cookie", "b")],
        [("Cookie", "a, b")],
        [("Cookie", "a"), ("X-Key", "b")],
        [("Cookie", "b"), ("X-Key", "a")],
        [("Cookie", "ab"), ("X-Key", "")],
    ]

    assert len({KEYS.of(get(headers=headers), ME).owner for headers in fields}) == len(fields)


def test_another_store_has_other_keys() -> None:
    other = Keys(b"pepper" * 3).of(get(headers={"Cookie": "a"}), ME)
    mine = KEYS.of(get(headers={"Cookie": "a"}), ME)

    assert mine.place != other.place
    assert mine.owner != other.owner
    assert KEYS.of(get(), ME).owner != Keys(b"pepper" * 3).of(get(), ME).owner


def test_places_and_owners_are_remembered_within_bounds() -> None:
    keys = Keys(b"salt")
    for number in range(5000):
        keys.of(get(f"/{number}"), b"%d" % number)

    assert len(keys._places) == len(keys._owners) == 512
    assert keys.place(get("/0")) == Keys(b"salt").place(get("/0"))


def test_places_of_long_urls_are_not_remembered() -> None:
    keys = Keys(b"salt")
    for number in range(10):
        keys.place(get(f"/{number}" + "x" * 8000))

    assert not keys._places
    assert keys.place(get("/" + "x" * 8000)) == Keys(b"salt").place(get("/" + "x" * 8000))
    assert keys.place(get("/" + "x" * 8000)) != keys.place(get("/" + "x" * 8001))


def test_a_shared_cache_is_another_owner_than_a_private_one() -> None:
    for headers in ({}, {"Cookie": "a"}):
        mine = Keys(b"salt").of(get(headers=headers), ME)
        ours = Keys(b"salt", shared=True).of(get(headers=headers), ME)

        assert mine.place == ours.place  # what one forgets, so does the other
        assert mine.owner != ours.owner


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8), st.text(max_size=8))
def test_other_queries_have_other_places(a: str, b: str, c: str, d: str) -> None:
    try:
        one, other = get(query=[("q", a), ("r", b)]), get(query=[("q", c), ("r", d)])
    except Exception:  # half a surrogate pair
        return

    assert (KEYS.place(one) == KEYS.place(other)) == ((a, b) == (c, d))
