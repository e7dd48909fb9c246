"""A string that must not be shown, by any of the ways in which things are shown."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import encode

from jackfield import JackfieldError, Secret, UsageError

CANARY = "hunter2-canary"


def test_a_secret_reveals_its_value_on_request() -> None:
    assert Secret(CANARY).reveal() == CANARY


def test_a_secret_made_of_a_secret_is_the_same() -> None:
    assert Secret(Secret(CANARY)).reveal() == CANARY


@pytest.mark.parametrize(
    "shown",
    [
        str(Secret(CANARY)),
        repr(Secret(CANARY)),
        f"{Secret(CANARY)}",
        f"{Secret(CANARY)!r:>30}",
        f"{Secret(CANARY):>30}",
        "%s %r" % (Secret(CANARY), Secret(CANARY)),  # noqa: UP031 - that way too
        "{0} {0!r} {0!s}".format(Secret(CANARY)),
        repr([Secret(CANARY)]) + repr({"key": Secret(CANARY)}),
        ascii(Secret(CANARY)),
        str(UsageError(f"bad {Secret(CANARY)}")),
    ],
)
def test_a_secret_shows_itself_as_stars(shown: str) -> None:
    assert CANARY not in shown
    assert "***" in shown


def test_a_secret_in_a_log_record_shows_itself_as_stars(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("tests").warning("with %s and %r", Secret(CANARY), Secret(CANARY))

    assert CANARY not in caplog.text


def test_a_secret_cannot_be_looked_into_by_accident() -> None:
    secret: Any = Secret(CANARY)

    assert not hasattr(secret, "__dict__")
    looks: list[Callable[[Any], object]] = [list, len, json.dumps, encode]
    for look in looks:
        with pytest.raises(TypeError):
            look(secret)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_not_pickled_and_the_refusal_shows_nothing(protocol: int) -> None:
    with pytest.raises(TypeError, match="not pickled") as caught:
        pickle.dumps({"key": Secret(CANARY)}, protocol)

    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_copies_of_a_secret_are_the_secret() -> None:
    secret = Secret(CANARY)

    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


@pytest.mark.parametrize("value", ["", None, 5, b"bytes", ["x"]])
def test_what_is_no_text_or_empty_is_no_secret(value: Any) -> None:
    with pytest.raises(UsageError):
        Secret(value)


def test_the_refusal_does_not_show_what_was_given() -> None:
    wrong: Any = CANARY.encode()

    with pytest.raises(JackfieldError) as caught:
        Secret(wrong)

    assert CANARY not in str(caught.value)


def test_a_secret_equals_only_a_secret_of_the_same_value() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


@given(st.text(min_size=1), st.text(min_size=1))
@settings(deadline=None, max_examples=100)
def test_whatever_the_texts_secrets_compare_as_their_values_do(one: str, other: str) -> None:
    assert (Secret(one) == Secret(other)) is (one == other)
    assert Secret(one) == Secret(one)
    assert hash(Secret(one)) == hash(Secret(one))


def test_even_half_of_a_surrogate_pair_is_compared() -> None:
    assert Secret("\ud800") == Secret("\ud800")
    assert Secret("\ud800") != Secret("\ud801")
