"""What a token endpoint answers, and how long the token of it is good."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import encode

from jackfield import DecodeError, Response, ServiceError
from jackfield_plugins.auth._answer import read_token, refusal
from jackfield_plugins.auth._jwt import expiry

NOW = 784111777.0  # Sun, 06 Nov 1994 08:49:37 GMT


def jwt(claims: Any) -> str:
    return f"e30.{urlsafe_b64encode(encode(claims)).rstrip(b'=').decode()}.c2ln"


def lifetime(fields: dict[str, Any], headers: dict[str, str] | None = None) -> float | None:
    token = read_token(Response(200, headers or {}, encode({"access_token": "a"} | fields)), NOW)
    assert token.issued_at == NOW
    return token.lifetime


def test_everything_that_a_good_answer_holds_is_kept() -> None:
    fields = {"access_token": "a", "token_type": "bearer", "expires_in": 60, "refresh_token": "r", "scope": "x y"}

    token = read_token(Response(200, body=encode(fields | {"example_parameter": "example_value"})), NOW)

    assert token.access_token.reveal() == "a"
    assert token.refresh_token is not None
    assert token.refresh_token.reveal() == "r"
    assert token[1:4] == ("bearer", NOW, NOW + 60)
    assert token.scope == "x y"


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        *((60, 60.0), ("60", 60.0), (60.5, 60.5), (-5, None), (0, None), (1e20, 315360000.0), ("1e9", 315360000.0)),
        *(("soon", None), (None, None), (True, None), ([], None), ({}, None), ("nan", None), ("1e999", None)),
    ],
    ids=repr,
)
def test_expires_in_is_read_whatever_it_is(given: Any, seconds: float | None) -> None:
    assert lifetime({"expires_in": given}) == seconds


def test_a_number_of_four_hundred_digits_is_no_crash() -> None:
    body = b'{"access_token": "a", "expires_in": 1' + b"0" * 400 + b"}"

    assert read_token(Response(200, body=body), NOW).lifetime is None


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"access_token": jwt({"exp": NOW + 5}), "expires_in": 3600}, 5.0),
        ({"access_token": jwt({"exp": NOW + 3600}), "expires_in": 5}, 5.0),
        ({"access_token": jwt({"exp": NOW + 5.5})}, 5.5),
        ({"access_token": jwt({"exp": NOW - 5}), "expires_in": 3600}, 0.0),
        ({"access_token": jwt({"sub": "me"}), "expires_in": 3600}, 3600.0),
    ],
)
def test_it_ends_with_expires_in_or_with_exp_whichever_is_earlier(fields: dict[str, Any], seconds: float) -> None:
    assert lifetime(fields) == seconds


@pytest.mark.parametrize("length", range(8))
def test_a_jwt_is_read_however_long_it_is(length: int) -> None:
    assert expiry(jwt({"exp": 5, "jti": "x" * length})) == 5.0


@pytest.mark.parametrize("skew", [-86400, -3600, 3600, 86400])
def test_exp_is_held_against_the_services_own_clock(skew: int) -> None:
    claims = {"exp": NOW + skew + 60}
    assert lifetime({"access_token": jwt(claims)}, {"date": formatdate(NOW + skew, usegmt=True)}) == 60.0


@pytest.mark.parametrize("date", ["", "soon", "Sun, 06 Nov 1994", "9" * 5000])
def test_a_date_that_is_none_is_left_alone(date: str) -> None:
    assert lifetime({"access_token": jwt({"exp": NOW + 60})}, {"date": date}) == 60.0


@pytest.mark.parametrize(
    "token",
    [
        *("a", "a.b", "a.b.c", "a.b.c.d", "..", f"e30.{'A' * 100001}.c", "e30.eyJleHAiOjFlOTk5fQ.c", "e30.\xe4.c"),
        *(jwt("x"), jwt({"exp": "soon"}), jwt({"exp": None}), jwt({"exp": True})),
        f"e30.{'W1tb' * 30000}.c",
    ],
)
def test_what_is_no_jwt_with_an_end_says_nothing(token: str) -> None:
    assert expiry(token) is None


@given(st.text() | st.tuples(st.text(), st.text(), st.text()).map(".".join))
@settings(deadline=None, max_examples=100)
def test_no_token_crashes_the_reader(token: str) -> None:
    expiry(token)


@given(st.binary() | st.dictionaries(st.sampled_from(["access_token", "expires_in", "scope"]), st.text()).map(encode))
@settings(deadline=None, max_examples=100)
def test_whatever_is_answered_is_a_token_or_an_error_of_ours(body: bytes) -> None:
    try:
        read_token(Response(200, body=body), NOW)
    except DecodeError:
        pass


@given(st.integers(300, 599), st.binary() | st.dictionaries(st.text(), st.text()).map(encode))
@settings(deadline=None, max_examples=100)
def test_every_refusal_is_an_error_of_ours(status: int, body: bytes) -> None:
    error = refusal(Response(status, body=body), "password", ["secret"])

    assert isinstance(error, ServiceError)
    assert error.status == status


@pytest.mark.parametrize("secret", ["d", "pending", "authorization_pending"])
def test_a_secret_that_is_a_part_of_a_code_by_chance_does_not_break_it(secret: str) -> None:
    error = refusal(Response(400, body=encode({"error": "authorization_pending"})), "password", [secret])

    assert error.code == "authorization_pending"


def test_a_token_that_is_too_long_for_a_header_is_refused() -> None:
    assert read_token(Response(200, body=encode({"access_token": "a" * 65536})), NOW).lifetime is None
    with pytest.raises(DecodeError, match="no header can carry"):
        read_token(Response(200, body=encode({"access_token": "a" * 65537})), NOW)


def test_what_a_service_repeats_is_not_repeated() -> None:
    said = {"error": "bad-hunter2", "error_description": "no\n\x1b[31m hunter2! " + "x" * 1000}

    error = refusal(Response(400, {"set-cookie": "t=hunter2"}, encode(said)), "password", ["hunter2"])

    assert "hunter2" not in repr(vars(error)) + str(error)
    assert "\x1b" not in str(error)
    assert len(str(error)) < 500
