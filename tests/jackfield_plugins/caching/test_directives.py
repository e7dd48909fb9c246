"""Lists of cache directives: what is read of them, in what time, and that nothing makes them raise."""

from __future__ import annotations

from math import inf
from time import thread_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield_plugins.caching._directives import (
    MOST,
    Directives,
    delta,
    listed,
    most,
    parse_directives,
    seconds,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max-age=3600", {"max-age": ["3600"]}),
        ("No-Store", {"no-store": [None]}),
        ("MaX-aGe=3600, NO-CACHE", {"max-age": ["3600"], "no-cache": [None]}),
        ('max-age="3600"', {"max-age": ["3600"]}),
        ('no-cache="a, b"', {"no-cache": ["a, b"]}),
        (r'x="a\"b, no-store"', {"x": ['a"b, no-store']}),
        ('extension="max-age=3600", max-age=1', {"extension": ["max-age=3600"], "max-age": ["1"]}),
        ('max-age=1, extension="max-age=3600"', {"max-age": ["1"], "extension": ["max-age=3600"]}),
        ("max-age=1, max-age=2", {"max-age": ["1", "2"]}),
        (", ,max-age=1,,\t no-store ,", {"max-age": ["1"], "no-store": [None]}),
        ("max-age='3600'", {"max-age": ["'3600'"]}),
        ("max-age=", {"max-age": [""]}),
        ("=3600, no-store", {"no-store": [None]}),
        ("", {}),
    ],
)
def test_rfc9111_5_2_directives_are_names_with_a_token_a_quoted_string_or_nothing(
    text: str, expected: Directives
) -> None:
    assert parse_directives([text]) == expected


def test_rfc9110_5_3_the_lines_of_a_field_are_one_list() -> None:
    assert parse_directives(["max-age=1", "no-store, max-age=2"]) == {"max-age": ["1", "2"], "no-store": [None]}


@pytest.mark.parametrize("text", ["max-age =3600", "max-age= 3600", "max-age\t=3600", "max-age = 3600"])
def test_rfc9111_5_2_blanks_around_the_equals_sign_make_the_argument_good_for_nothing(text: str) -> None:
    assert seconds(parse_directives([text]), "max-age") == 0


@pytest.mark.parametrize("text", ['x="a, no-store', 'x=", no-store', r'x="a\", no-store', 'x="a", y="b, no-store'])
def test_an_open_quote_hides_no_directive(text: str) -> None:
    assert "no-store" in parse_directives([text])


@pytest.mark.parametrize("text", ['max-age="60"0', 'max-age=6"0"', 'max-age="60', r'max-age="6\"0"', 'max-age="a"'])
def test_an_argument_that_is_half_quoted_is_no_number(text: str) -> None:
    assert seconds(parse_directives([text]), "max-age") == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0.0),
        ("3600", 3600.0),
        ("003600", 3600.0),
        ("000", 0.0),
        ("2147483647", MOST - 1),
        ("2147483648", MOST),
        ("2147483649", MOST),
        ("99999999999", MOST),
        ("9" * 5000, MOST),
        ("0" * 5000 + "1", 1.0),
    ],
)
def test_rfc9111_1_2_2_delta_seconds_are_whole_and_capped(text: str, expected: float) -> None:
    assert delta(text) == expected


@pytest.mark.parametrize(
    "text", [None, "", "-1", "+1", "1.0", "1e3", "a1", "1a", " 1", "1 ", "0x10", "1_000", "²", "\u0661"]
)
def test_rfc9111_1_2_2_what_is_no_whole_number_is_none(text: str | None) -> None:
    assert delta(text) is None


def test_rfc9111_4_2_1_of_several_the_least_counts() -> None:
    for text in ("max-age=1800, max-age=1", "max-age=1, max-age=1800"):
        assert seconds(parse_directives([text]), "max-age") == 1


@pytest.mark.parametrize("text", ["max-age=abc", "max-age", "max-age=-1", "max-age=3600.0", "max-age=3600, max-age=x"])
def test_rfc9111_4_2_1_invalid_freshness_is_none(text: str) -> None:
    assert seconds(parse_directives([text]), "max-age") == 0


def test_a_directive_that_is_not_there_says_nothing() -> None:
    assert seconds({}, "max-age") is None
    assert most({}, "min-fresh") is None
    assert listed({}, "no-cache") == frozenset()


@pytest.mark.parametrize(
    ("text", "expected"), [("x=1, x=5", 5.0), ("x=abc", inf), ("x", inf), ("x=0", 0.0), ("x=5, x=", inf)]
)
def test_what_restricts_by_much_counts_most(text: str, expected: float) -> None:
    assert most(parse_directives([text]), "x") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('no-cache="Set-Cookie"', {"set-cookie"}),
        ('no-cache="a, B ,c"', {"a", "b", "c"}),
        ("no-cache=a", {"a"}),
        ('no-cache="a", no-cache="b"', {"a", "b"}),
        ("no-cache", None),
        ('no-cache=""', None),
        ('no-cache="a b"', None),
        ('no-cache="a,,b"', None),
        ('no-cache="a", no-cache', None),
        ('no-cache, no-cache="a"', None),
    ],
)
def test_rfc9111_5_2_2_4_a_qualified_directive_names_fields(text: str, expected: set[str] | None) -> None:
    assert listed(parse_directives([text]), "no-cache") == expected


@pytest.mark.parametrize(
    "unit", ['"', '\\"', ",", '"\\', "a,", '"a",', "=", '="', " ", "a ", "a=", "\t,", '\\"a', 'no-store="a\\",', "x\\"]
)
@pytest.mark.parametrize("ends", ["", '"', "\\"])
def test_reading_takes_time_that_grows_with_the_length(unit: str, ends: str) -> None:
    text = ends + unit * 20_000 + ends

    begun = thread_time()
    directives = parse_directives([text])
    for name in directives:
        listed(directives, name)
        seconds(directives, name)

    assert thread_time() - begun < 2


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(alphabet=st.sampled_from('ab="\\, \t0;é-'), max_size=30), max_size=3))
def test_nothing_makes_it_raise(values: list[str]) -> None:
    directives = parse_directives(values)

    assert all(name and name == name.lower().strip(" \t") for name in directives)
    for name in directives:
        assert 0 <= (seconds(directives, name) or 0) <= MOST
        listed(directives, name)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "c"]), st.none() | st.text(alphabet='x1, "\\=', max_size=5)), max_size=5
    )
)
def test_what_is_written_by_the_grammar_is_read_as_it_was_meant(pairs: list[tuple[str, str | None]]) -> None:
    expected: Directives = {}
    for name, argument in pairs:
        expected.setdefault(name, []).append(argument)

    assert parse_directives([", ".join(_written(*pair) for pair in pairs)]) == expected


def _written(name: str, argument: str | None) -> str:
    if argument is None:
        return name
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'
