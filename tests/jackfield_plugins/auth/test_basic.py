"""Basic authentication: as RFC 7617 writes it, for the service alone."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from pathlib import Path
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
from jackfield_plugins.auth import Basic

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "rfc7617_basic.json").read_text())["cases"]
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6)


def header(user: Any, password: Any) -> str:
    return sent(sync_client, Basic(user, password)).headers["authorization"]


def basic(pair: str) -> str:
    return f"Basic {b64encode(pair.encode()).decode()}"


@pytest.mark.parametrize("case", VECTORS, ids=[case["source"] for case in VECTORS])
def test_the_cases_of_the_rfc(case: dict[str, Any]) -> None:
    if case.get("must_fail"):
        with pytest.raises(UsageError):
            Basic(case["user"], case["password"])
    else:
        assert header(case["user"], case["password"]) == case["authorization"]


@pytest.mark.parametrize(
    ("user", "password", "expected"),
    [
        ("test", "123\xa3", "Basic dGVzdDoxMjPCow=="),  # RFC 7617 §2.1
        ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),  # §2
        ("", "token", "Basic OnRva2Vu"),
        ("key", "", "Basic a2V5Og=="),
        ("u", ":a:", "Basic dTo6YTo="),
        ("\u4f60", "\U0001f511", basic("\u4f60:\U0001f511")),
        ("e\u0301", "\u212b", basic("\xe9:\xc5")),  # in normal form C
        ("u", "\xa0 x ", basic("u:\xa0 x ")),
    ],
)
def test_name_and_password_go_in_utf8(user: str, password: str, expected: str) -> None:
    assert header(user, password) == expected


def test_a_name_or_password_may_be_a_secret() -> None:
    assert header(Secret("a"), Secret("b")) == header("a", "b")


@given(TEXT.filter(lambda text: ":" not in text), TEXT)
@settings(deadline=None, max_examples=100)
def test_a_server_reads_what_was_meant(user: str, password: str) -> None:
    from unicodedata import normalize

    scheme, _, credentials = header(user, password).partition(" ")

    name, _, word = b64decode(credentials, validate=True).decode().partition(":")
    assert (scheme, name, word) == ("Basic", normalize("NFC", user), normalize("NFC", password))


CONTROLS = [*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0))]


@pytest.mark.parametrize("control", CONTROLS, ids=ascii)
def test_control_characters_are_refused_and_nothing_shown(control: str) -> None:
    for user, password in ((f"{CANARY}{control}", "x"), (f"{control}{CANARY}", "x"), ("u", f"{CANARY}{control}")):
        with pytest.raises(UsageError, match="control character") as caught:
            Basic(user, password)

        assert CANARY not in f"{caught.value!r}{caught.value}"


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("a:b", CANARY),
        (":", CANARY),
        ("\ud800", CANARY),
        ("u", f"{CANARY}\udfff"),
        (None, CANARY),
        ("u", CANARY.encode()),
    ],
)
def test_what_basic_cannot_carry_is_refused_and_nothing_shown(user: Any, password: Any) -> None:
    with pytest.raises(UsageError) as caught:
        Basic(user, password)

    assert CANARY not in f"{caught.value!r}{caught.value}{caught.value.__context__!r}"
    assert "user" in str(caught.value) or "password" in str(caught.value)


@BOTH
def test_it_is_sent_with_every_request_to_the_service(make: Make) -> None:
    request = sent(make, Basic("u", "p"), Url.parse("https://H:8443/elsewhere"), headers={"x": "y"}, query={"a": "b"})

    assert request.headers.get_all("authorization") == [basic("u:p")]
    assert (request.headers["x"], request.query) == ("y", (("a", "b"),))


@BOTH
def test_no_other_origin_gets_it_or_loses_what_the_caller_gave(make: Make) -> None:
    transport = FakeTransport(otherwise=Response(200))
    client = make(transport, Basic("u", "p"))

    for other in OTHERS:
        get(client.send_it(Url.parse(other)))
        get(client.send_it(Url.parse(other), headers={"Authorization": "mine"}))

    assert [request.headers.get("Authorization") for request in transport.requests] == [None, "mine"] * 4


@BOTH
def test_a_request_with_a_header_of_its_own_is_left_alone(make: Make) -> None:
    assert sent(make, Basic("u", "p"), headers={"authorization": "mine"}).headers.get_all("Authorization") == ["mine"]


@BOTH
def test_a_header_of_the_client_goes_before_it_too(make: Make) -> None:
    transport = FakeTransport(otherwise=Response(200))

    get(make(transport, Basic("u", "p"), headers={"authorization": "mine"}).send_it())

    assert transport.requests[0].headers.get_all("Authorization") == ["mine"]


@BOTH
def test_it_is_shown_nowhere(make: Make) -> None:
    plugin = Basic("u", CANARY)
    client = make(FakeTransport([Response(401)]), plugin)

    with pytest.raises(UnauthorizedError) as caught:
        get(client.send_it())

    explained = get(client.send_it.explain())
    shown = (
        f"{plugin!r} {plugin} {vars(plugin)} {caught.value!r} {caught.value!s} {explained} {explained!r} {client.chain}"
    )
    assert CANARY not in shown
    assert basic(f"u:{CANARY}").removeprefix("Basic ") not in shown
    with pytest.raises((TypeError, AttributeError, PicklingError)):
        dumps(plugin)


@BOTH
def test_a_request_to_look_at_is_the_one_that_is_sent(make: Make) -> None:
    transport = FakeTransport([Response(200)])
    client = make(transport, Basic("u", CANARY))

    shown = get(client.send_it.request())
    get(client.send_it())

    assert transport.requests == [shown]
