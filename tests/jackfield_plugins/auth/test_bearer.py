"""Bearer tokens: as RFC 6750 §2.1 writes them, for the service alone."""

from __future__ import annotations

from pickle import PicklingError, dumps
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.jackfield_plugins.auth.sending import BOTH, CANARY, OTHERS, Make, get, sent, sync_client

from jackfield import (
    Response,
    Secret,
    UnauthorizedError,
    Url,
    UsageError,
)
from jackfield.testing import FakeTransport
from jackfield_plugins.auth import ApiKey, Bearer

B64 = "ABCXYZabcxyz0189-._~+/"


@pytest.mark.parametrize("token", ["mF_9.B5f-4.1JqM", "a", "a=", "a.b.c==", "-._~+/", "bearer", "Bearerx"])
def test_a_token_is_sent_as_it_is(token: str) -> None:
    assert sent(sync_client, Bearer(token)).headers.get_all("authorization") == [f"Bearer {token}"]


def test_a_token_may_be_a_secret() -> None:
    assert sent(sync_client, Bearer(Secret("a"))).headers["authorization"] == "Bearer a"


@given(st.text(B64 + "= :|\n\x7f\xe9", min_size=1, max_size=12))
@settings(deadline=None, max_examples=100)
def test_a_token_is_sent_if_it_is_a_b64token_and_refused_if_not(token: str) -> None:
    body = token.rstrip("=")
    if body and set(body) <= set(B64):
        assert sent(sync_client, Bearer(token)).headers["authorization"] == f"Bearer {token}"
    else:
        with pytest.raises(UsageError):
            Bearer(token)


@pytest.mark.parametrize(
    ("token", "says"),
    [
        (f"Bearer {CANARY}", "leave out the word Bearer"),
        (f"bearer  {CANARY}", "leave out the word Bearer"),
        (f"{CANARY}\n", "a line break say: strip it"),
        (f"{CANARY}\r\nx-evil: 1", "a line break say: strip it"),
        (f"{CANARY}\x7f", "control character"),
        (f"{CANARY} ", "no blanks"),
        (f" {CANARY}", "no blanks"),
        (f"{CANARY}=x", "= at its end only"),
        (f"{CANARY}|x", "ApiKey"),
        (f"{CANARY}\xe9", "letters, digits"),
        (f"{CANARY}\u0661", "letters, digits"),
        (f"{CANARY}\udfff", "surrogate"),
        ("=", "letters, digits"),
        ("", "not empty"),
        (None, "string"),
        (CANARY.encode(), "string"),
    ],
)
def test_what_is_no_bearer_token_is_refused_with_what_to_do(token: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        Bearer(token)

    assert CANARY not in f"{caught.value!r}{caught.value}{caught.value.__context__!r}"


def test_a_token_of_another_kind_goes_as_an_api_key() -> None:
    request = sent(sync_client, ApiKey("Bearer 12|abc", header="Authorization"))

    assert request.headers["authorization"] == "Bearer 12|abc"


@BOTH
def test_it_is_sent_with_every_request_to_the_service(make: Make) -> None:
    request = sent(make, Bearer("t"), Url.parse("https://H:8443/elsewhere"), headers={"x": "y"})

    assert (request.headers.get_all("authorization"), request.headers["x"]) == (["Bearer t"], "y")


@BOTH
def test_no_other_origin_gets_it_or_loses_what_the_caller_gave(make: Make) -> None:
    transport = FakeTransport(otherwise=Response(200))
    client = make(transport, Bearer("t"))

    for other in OTHERS:
        get(client.send_it(Url.parse(other)))
        get(client.send_it(Url.parse(other), headers={"Authorization": "mine"}))

    assert [request.headers.get("Authorization") for request in transport.requests] == [None, "mine"] * 4


@BOTH
def test_a_request_with_a_header_of_its_own_is_left_alone(make: Make) -> None:
    assert sent(make, Bearer("t"), headers={"authorization": "mine"}).headers.get_all("Authorization") == ["mine"]


@BOTH
def test_a_header_of_the_client_goes_before_it_too(make: Make) -> None:
    transport = FakeTransport(otherwise=Response(200))

    get(make(transport, Bearer("t"), headers={"authorization": "mine"}).send_it())

    assert transport.requests[0].headers.get_all("Authorization") == ["mine"]


@BOTH
def test_it_is_shown_nowhere(make: Make) -> None:
    plugin = Bearer(CANARY)
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
def test_a_request_to_look_at_is_the_one_that_is_sent(make: Make) -> None:
    transport = FakeTransport([Response(200)])
    client = make(transport, Bearer(CANARY))

    shown = get(client.send_it.request())
    get(client.send_it())

    assert transport.requests == [shown]
