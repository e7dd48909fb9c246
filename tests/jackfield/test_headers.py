"""Header fields: what RFC 9110 §5 says of them, and what is shown of them."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import Headers, UsageError

NAMES = st.text("!#$%&'*+-.^_`|~0123456789abcXYZ", min_size=1, max_size=8)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=8)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=8)


def test_look_ups_ignore_case_and_the_spelling_given_is_kept() -> None:
    headers = Headers([("X-One", "1"), ("ACCEPT", "a")])

    assert headers["x-ONE"] == "1"
    assert headers.get("Accept") == "a"
    assert "aCCEPT" in headers
    assert list(headers) == ["X-One", "ACCEPT"]
    assert headers.pairs() == [("X-One", "1"), ("ACCEPT", "a")]
    assert len(headers) == 2


def test_a_name_that_is_not_there_is_a_key_error_or_the_default() -> None:
    headers = Headers({"a": "1"})

    assert headers.get("b") is None
    assert headers.get_all("b") == []
    odd: Any = 5
    assert odd not in headers
    with pytest.raises(KeyError):
        headers["b"]


def test_several_values_of_a_name_are_joined_by_a_comma_and_kept_apart_on_request() -> None:
    headers = Headers([("Set-Cookie", "a=1"), ("X", "x"), ("set-cookie", "b=2")])

    assert headers["set-cookie"] == "a=1, b=2"
    assert headers.get_all("SET-COOKIE") == ["a=1", "b=2"]
    assert len(headers) == 2
    assert headers.pairs() == [("Set-Cookie", "a=1"), ("set-cookie", "b=2"), ("X", "x")]


def test_a_mapping_whose_names_differ_in_case_only_keeps_both_values() -> None:
    headers = Headers({"A": "1", "a": "2"})

    assert headers.get_all("a") == ["1", "2"]


def test_replacing_puts_one_value_where_several_stood_and_leaves_the_original() -> None:
    headers = Headers([("A", "1"), ("a", "2"), ("B", "3")])

    changed = headers.replacing("a", "4")

    assert changed.pairs() == [("a", "4"), ("B", "3")]
    assert headers.get_all("a") == ["1", "2"]


def test_replacing_a_name_that_is_not_there_adds_it() -> None:
    assert Headers({"a": "1"}).replacing("b", "2").pairs() == [("a", "1"), ("b", "2")]


def test_without_drops_every_value_whatever_the_case_and_leaves_the_original() -> None:
    headers = Headers([("A", "1"), ("a", "2"), ("B", "3")])

    assert headers.without("a").pairs() == [("B", "3")]
    assert headers.without("nothing") == headers
    assert len(headers) == 2


def test_over_keeps_its_own_fields_and_takes_the_rest_from_the_defaults() -> None:
    own = Headers([("ACCEPT", "mine")])
    defaults = Headers([("accept", "theirs"), ("accept", "more"), ("user-agent", "x")])

    merged = own.over(defaults)

    assert merged.get_all("accept") == ["mine"]
    assert merged["user-agent"] == "x"
    assert defaults.get_all("accept") == ["theirs", "more"]
    assert own.pairs() == [("ACCEPT", "mine")]


@pytest.mark.parametrize("name", ["", " ", "a b", "a:", "a\n", "a\r\nb", "ä", "a\x00", "(a)", 'a"', b"a", None, 1])
def test_a_name_that_is_no_token_is_refused(name: Any) -> None:
    with pytest.raises(UsageError, match="no header name"):
        Headers([(name, "x")])
    with pytest.raises(UsageError, match="no header name"):
        Headers().replacing(name, "x")


@pytest.mark.parametrize(
    "value",
    [
        "a\nb",
        "a\r\nb",
        "a\rb",
        "a\x00b",
        "a\x0bb",
        "a\x7fb",
        "\n",
        "a\n",
        "a\r",
        " a",
        "a ",
        "\ta",
        "a\t",
        "ĊĀ",
        "€",
        b"a",
        None,
        1,
    ],
)
def test_a_value_that_a_header_cannot_carry_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="header 'x-token'"):
        Headers([("x-token", value)])
    with pytest.raises(UsageError, match="header 'x-token'"):
        Headers().replacing("x-token", value)


def test_the_error_for_a_value_does_not_show_it() -> None:
    with pytest.raises(UsageError) as caught:
        Headers({"authorization": "Bearer hunter2\n"})

    assert "authorization" in str(caught.value)
    assert "hunter2" not in f"{caught.value!s} {caught.value!r}"


@pytest.mark.parametrize("value", ["", "a", "a b", "a\tb", "é", "ÿ", '"q"', "a, b"])
def test_a_value_may_hold_visible_latin_1_with_blanks_and_tabs_inside(value: str) -> None:
    assert Headers({"x": value})["x"] == value


@pytest.mark.parametrize("fields", ["a: b", ["a"], [("a",)], [("a", "b", "c")], [None]])
def test_what_is_neither_a_mapping_nor_pairs_is_a_usage_error(fields: Any) -> None:
    with pytest.raises(UsageError):
        Headers(fields)


def test_what_a_peer_sent_is_kept_as_it_came() -> None:
    headers = Headers.received([("X", " odd\x01"), ("bad name", "1"), ("x", "2")])

    assert headers.get_all("X") == [" odd\x01", "2"]
    assert headers["BAD NAME"] == "1"


def test_headers_made_of_headers_equal_them() -> None:
    headers = Headers([("A", "1"), ("a", "2")])

    assert Headers(headers) == headers
    assert Headers(headers).pairs() == headers.pairs()


def test_equality_ignores_case_and_order_of_names_but_not_the_order_of_values() -> None:
    one = Headers([("A", "1"), ("B", "2"), ("a", "3")])

    assert one == Headers([("b", "2"), ("a", "1"), ("A", "3")])
    assert hash(one) == hash(Headers([("b", "2"), ("a", "1"), ("A", "3")]))
    assert one != Headers([("A", "3"), ("B", "2"), ("A", "1")])
    assert one != Headers([("A", "1, 3"), ("B", "2")])
    assert one != {"A": "1, 3", "B": "2"}


def test_headers_cannot_be_changed() -> None:
    headers: Any = Headers({"a": "1"})

    with pytest.raises(TypeError):
        headers["a"] = "2"
    with pytest.raises(TypeError):
        del headers["a"]
    with pytest.raises(AttributeError):
        headers.extra = 1
    headers.get_all("a").append("3")
    headers.pairs().append(("b", "4"))
    assert headers.pairs() == [("a", "1")]


@pytest.mark.parametrize("name", ["authorization", "X-Api-Key", "cookie", "Set-Cookie", "location", "x-anything"])
def test_a_value_that_may_be_secret_is_not_shown(name: str) -> None:
    assert "hunter2" not in repr(Headers({name: "hunter2"}))
    assert name in repr(Headers({name: "hunter2"}))


def test_values_on_the_allow_list_are_shown_whatever_their_case() -> None:
    shown = repr(Headers({"Content-Type": "text/plain", "RETRY-AFTER": "7"}))

    assert "text/plain" in shown
    assert "7" in shown


def test_what_a_peer_sent_prints_on_one_line_without_control_characters() -> None:
    shown = repr(Headers.received([("server", "\x1b[2Jx"), ("bad\nname", "1"), ("etag", "a\r\nb")]))

    assert shown.isprintable()


def test_headers_survive_pickling_and_copying() -> None:
    headers = Headers([("A", "1"), ("a", "2"), ("B", "3")])

    assert pickle.loads(pickle.dumps(headers)).pairs() == headers.pairs()
    assert copy.copy(headers) == headers
    assert copy.deepcopy(headers) == headers


@given(PAIRS)
@settings(deadline=None, max_examples=100)
def test_every_field_given_comes_out_and_none_besides(pairs: list[tuple[str, str]]) -> None:
    headers = Headers(pairs)

    assert sorted(headers.pairs()) == sorted(pairs)
    for name in headers:
        assert headers.get_all(name) == [value for other, value in pairs if other.lower() == name.lower()]


@given(PAIRS, PAIRS)
@settings(deadline=None, max_examples=100)
def test_over_gives_each_name_from_exactly_one_side(
    own: list[tuple[str, str]], defaults: list[tuple[str, str]]
) -> None:
    mine, theirs = Headers(own), Headers(defaults)

    merged = mine.over(theirs)

    assert {name.lower() for name in merged} == {name.lower() for name in (*mine, *theirs)}
    assert all(merged.get_all(name) == (mine if name in mine else theirs).get_all(name) for name in merged)


@given(st.text(max_size=6), st.text(max_size=6))
@settings(deadline=None, max_examples=200)
def test_whatever_the_text_no_line_break_or_control_character_gets_into_a_field(name: str, value: str) -> None:
    try:
        pairs = Headers({name: value}).pairs()
    except UsageError:
        return

    assert pairs == [(name, value)]
    assert not any(c in "\r\n\x00\x0b\x0c\x7f" or (c < " " and c != "\t") for c in name + value)
    assert value == value.strip(" \t")
