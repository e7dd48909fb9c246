"""API keys: in one place, under any name, for the service alone."""

from __future__ import annotations

from pickle import PicklingError, dumps
from typing import Any, cast

import pytest
from tests.jackfield_plugins.auth.sending import BOTH, CANARY, OTHERS, Make, get, sent, sync_client

from jackfield import (
    Response,
    Secret,
    UnauthorizedError,
    Url,
    UsageError,
)
from jackfield.testing import FakeTransport
from jackfield_plugins.auth import ApiKey

PLACES: list[dict[str, Any]] = [{}, {"header": "X-Other"}, {"query": "api_key"}, {"cookie": "session"}]
IN_EACH_PLACE = pytest.mark.parametrize("place", PLACES, ids=["default", "header", "query", "cookie"])


# --- in a header


@BOTH
def test_it_is_sent_in_a_header(make: Make) -> None:
    assert sent(make, ApiKey("k")).headers.get_all("X-API-Key") == ["k"]
    assert sent(make, ApiKey("Token k", header="Authorization")).headers.get_all("authorization") == ["Token k"]
    assert sent(make, ApiKey(Secret("k"), header="x-k")).headers["X-K"] == "k"


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\nb", "\xe9", 7])
def test_a_header_needs_a_name_that_http_allows(name: Any) -> None:
    with pytest.raises(UsageError):
        ApiKey(CANARY, header=name)


# --- in the query


@BOTH
def test_it_is_sent_in_the_query_behind_the_parameters(make: Make) -> None:
    request = sent(make, ApiKey("k&=\xe9", query="api key"), query=[("b", "1"), ("a", "2")], headers={"x": "y"})

    assert request.target == "/thing?b=1&a=2&api%20key=k%26%3D%C3%A9"
    assert request.headers == sent(make, ApiKey("k", query="q"), headers={"x": "y"}).headers


@BOTH
def test_a_parameter_of_its_name_is_replaced_and_one_of_another_case_is_not(make: Make) -> None:
    query = [("key", "old"), ("Key", "other"), ("key", "older")]

    assert sent(make, ApiKey("k", query="key"), query=query).query == (("Key", "other"), ("key", "k"))


@pytest.mark.parametrize("name", ["", "a\nb", "\ud800", 7])
def test_a_parameter_needs_a_name(name: Any) -> None:
    with pytest.raises(UsageError, match="query parameter"):
        ApiKey(CANARY, query=name)


# --- in a cookie


@BOTH
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], "session=k"),
        ([("Cookie", "a=1; b=2")], "a=1; b=2; session=k"),
        ([("cookie", "a=1;session=old;b=2")], "a=1; b=2; session=k"),
        (
            [("cookie", "session = old; Session=x; session2=y; xsession=z")],
            "Session=x; session2=y; xsession=z; session=k",
        ),
        ([("cookie", "a=session=1; session")], "a=session=1; session=k"),
        ([("cookie", "a=1"), ("cookie", "session=old; b=2")], "a=1; b=2; session=k"),
        ([("cookie", "; ;a=1;")], "a=1; session=k"),
    ],
)
def test_it_is_sent_as_a_cookie_beside_others(make: Make, before: list[tuple[str, str]], after: str) -> None:
    request = sent(make, ApiKey("k", cookie="session"), headers=before)

    assert request.headers.get_all("cookie") == [after]


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a;b", "a,b", "\xe9", "a\n", 7])
def test_a_cookie_needs_a_name_that_rfc_6265_allows(name: Any) -> None:
    with pytest.raises(UsageError, match="name of a cookie"):
        ApiKey(CANARY, cookie=name)


@pytest.mark.parametrize("character", [*map(chr, range(0x101))], ids=ascii)
def test_a_cookie_takes_what_rfc_6265_allows_and_nothing_else(character: str) -> None:
    # RFC 6265 §4.1.1: %x21 / %x23-2B / %x2D-3A / %x3C-5B / %x5D-7E
    if "\x21" <= character <= "\x7e" and character not in '",;\\':
        request = sent(sync_client, ApiKey(character, cookie="c"))
        assert request.headers["cookie"] == f"c={character}"
    else:
        with pytest.raises(UsageError):
            ApiKey(character, cookie="c")


@pytest.mark.parametrize(
    ("place", "key"),
    [
        *((place, f"{CANARY}{end}") for place in ("header", "query", "cookie") for end in ("\n", "\x80", "\ud800")),
        *((place, f"sk {CANARY}") for place in ("header", "cookie")),
    ],
)
def test_a_key_in_the_place_of_a_name_is_not_shown(place: str, key: str) -> None:
    with pytest.raises(UsageError, match=f"the name of a .*{place}") as caught:
        ApiKey("X-Key", **cast("Any", {place: key}))

    assert CANARY not in f"{caught.value!r}{caught.value}{caught.value.__context__!r}"


def test_the_value_of_a_cookie_may_be_quoted_as_a_whole() -> None:
    assert sent(sync_client, ApiKey('"k"', cookie="c")).headers["cookie"] == 'c="k"'
    with pytest.raises(UsageError):
        ApiKey('"k', cookie="c")


# --- wherever it is


def test_one_place_is_enough() -> None:
    for places in ({"header": "a", "query": "a"}, {"query": "a", "cookie": "a"}, {"header": "a", "cookie": "a"}):
        with pytest.raises(UsageError, match="one place"):
            ApiKey("k", **places)


@IN_EACH_PLACE
@pytest.mark.parametrize("key", [f"{CANARY}\n", f"\r\n{CANARY}", f"{CANARY}\x00", f"{CANARY}\ud800", "", None, b"k", 7])
def test_what_cannot_be_sent_is_refused_and_not_shown(place: dict[str, Any], key: Any) -> None:
    with pytest.raises(UsageError) as caught:
        ApiKey(key, **place)

    assert CANARY not in f"{caught.value!r}{caught.value}{caught.value.__context__!r}"


@pytest.mark.parametrize("key", [f"{CANARY}\u20ac", f" {CANARY}", f"{CANARY} "])
def test_what_a_header_cannot_carry_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(UsageError) as caught:
        ApiKey(key)

    assert CANARY not in f"{caught.value!r}{caught.value}"


@BOTH
@IN_EACH_PLACE
def test_another_origin_gets_the_request_as_it_was(make: Make, place: dict[str, Any]) -> None:
    before = {"headers": {"Cookie": "session=mine", "x-other": "mine"}, "query": {"api_key": "mine"}}

    for other in OTHERS:
        request = sent(make, ApiKey(CANARY, **place), Url.parse(other), **before)
        assert request == sent(make, ApiKey("another"), Url.parse(other), **before)
        assert CANARY not in f"{request.headers.pairs()}{request.target}"


@BOTH
def test_no_other_origin_gets_it_or_loses_what_the_caller_gave(make: Make) -> None:
    transport = FakeTransport(otherwise=Response(200))
    client = make(transport, ApiKey("k"))

    for other in OTHERS:
        get(client.send_it(Url.parse(other)))
        get(client.send_it(Url.parse(other), headers={"X-API-Key": "mine"}))

    assert [request.headers.get("X-API-Key") for request in transport.requests] == [None, "mine"] * 4


@BOTH
def test_a_request_with_a_header_of_its_own_is_left_alone(make: Make) -> None:
    assert sent(make, ApiKey("k"), headers={"x-api-key": "mine"}).headers.get_all("X-API-Key") == ["mine"]


@BOTH
def test_a_header_of_the_client_goes_before_it_too(make: Make) -> None:
    transport = FakeTransport(otherwise=Response(200))

    get(make(transport, ApiKey("k"), headers={"x-api-key": "mine"}).send_it())

    assert transport.requests[0].headers.get_all("X-API-Key") == ["mine"]


@BOTH
@IN_EACH_PLACE
def test_it_is_shown_nowhere(make: Make, place: dict[str, Any]) -> None:
    plugin = ApiKey(CANARY, **place)
    client = make(FakeTransport([Response(401)]), plugin)

    with pytest.raises(UnauthorizedError) as caught:
        get(client.send_it())

    explained = get(client.send_it.explain())
    shown = (
        f"{plugin!r} {plugin} {vars(plugin)} {caught.value!r} {caught.value!s} {explained} {explained!r} {client.chain}"
    )
    assert CANARY not in shown
    with pytest.raises((TypeError, AttributeError, PicklingError)):
        dumps(plugin)


@BOTH
@IN_EACH_PLACE
def test_a_request_to_look_at_is_the_one_that_is_sent(make: Make, place: dict[str, Any]) -> None:
    transport = FakeTransport([Response(200)])
    client = make(transport, ApiKey(CANARY, **place))

    shown = get(client.send_it.request())
    get(client.send_it())

    assert transport.requests == [shown]
