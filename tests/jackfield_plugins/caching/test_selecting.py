"""Which entry a request selects: RFC 9111 §4.1."""

from __future__ import annotations

from hashlib import blake2b
from time import thread_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.jackfield_plugins.caching.answers import PRIVATE, Fields, date, fields, get, stored

from jackfield_plugins.caching._selecting import selected, selecting, suits
from jackfield_plugins.caching._stored import Stored
from jackfield_plugins.caching._terms import Rules


def entry(vary: Fields, asked: Fields, rules: Rules = PRIVATE) -> Stored:
    lines = [*(vary.items() if isinstance(vary, dict) else vary), ("Cache-Control", "max-age=60")]
    return Stored(*stored(lines, request=get(asked), rules=rules))


def matches(name: str, first: Fields, second: Fields, rules: Rules = PRIVATE) -> bool:
    return selected(get(second), [entry({"Vary": name}, first, rules)], rules) is not None


def test_4_1_without_vary_every_request_selects() -> None:
    assert selected(get({"A": "1"}), [entry({}, {"A": "2"})], PRIVATE) is not None


def test_4_1_the_fields_that_vary_names_must_match() -> None:
    assert matches("A", {"A": "1"}, {"A": "1", "B": "2"})
    assert not matches("A", {"A": "1"}, {"A": "2"})
    assert not matches("A, B", {"A": "1", "B": "1"}, {"A": "1", "B": "2"})


def test_4_1_a_field_that_is_absent_matches_only_where_it_is_absent() -> None:
    for name in ("Accept", "X-Any"):
        assert matches(name, {}, {})
        assert not matches(name, {}, {name: ""})
        assert not matches(name, {name: ""}, {})


def test_4_1_names_are_read_in_any_case_and_from_all_lines() -> None:
    varied = entry([("Vary", "aCCept ,, B"), ("VARY", "c, b")], {"B": "1"})

    assert [name for name, _ in varied.selecting] == ["accept", "b", "c"]


@pytest.mark.parametrize("lines", [["*"], ["a, *"], ["*, a"], [", *"], ["", "*"], ["*", "*"], ["a", " * "]])
def test_4_1_a_star_fails_to_match_always(lines: list[str]) -> None:
    assert selecting(get(), fields([("Vary", line) for line in lines]), PRIVATE) is None


@pytest.mark.parametrize("name", ["A", "Accept", "Cookie"])
def test_4_1_fields_of_several_lines_are_one(name: str) -> None:
    assert matches(name, {name: "1, 2"}, [(name, "1"), (name, "2")])


@pytest.mark.parametrize("name", ["Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Prefer"])
def test_4_1_blanks_around_commas_make_no_difference_in_a_list(name: str) -> None:
    assert matches(name, {name: "1,2"}, {name: "1 ,\t2"})
    assert not matches(name, {name: "1,2"}, {name: "2,1"})


@pytest.mark.parametrize("name", ["A", "Cookie", "X-Name", "Origin", "Content-Type"])
def test_4_1_they_do_where_nobody_knows_that_it_is_a_list(name: str) -> None:
    assert not matches(name, {name: "name=a,b"}, {name: "name=a, b"})


def test_4_1_a_quoted_string_is_compared_as_it_is() -> None:
    assert not matches("Prefer", {"Prefer": 'a="a, b"'}, {"Prefer": 'a="a,b"'})


@pytest.mark.parametrize("name", ["Accept-Language", "Accept-Encoding", "Accept-Charset"])
def test_4_1_case_makes_no_difference_where_the_field_has_none(name: str) -> None:
    assert matches(name, {name: "En, gzip"}, {name: "eN,GZIP"})


@pytest.mark.parametrize("name", ["Accept", "Prefer", "X-Tenant", "Authorization", "Cookie"])
def test_4_1_case_makes_a_difference_elsewhere(name: str) -> None:
    assert not matches(name, {name: "a"}, {name: "A"})


def test_4_1_who_lists_english_first_does_not_get_the_german_answer() -> None:
    assert not matches("Accept-Language", {"Accept-Language": "en, de"}, {"Accept-Language": "de, en"})


def test_4_1_of_several_that_match_the_one_of_the_latest_date_is_selected() -> None:
    def of(day: str, vary: str = "A") -> Stored:
        return Stored(*stored({"Cache-Control": "max-age=60", "Date": day, "Vary": vary}, request=get({"A": "1"})))

    older, newer, other = of(date(-60)), of(date(-30)), of(date(-10), "A, B")._replace(selecting=(("b", "x"),))

    assert selected(get({"A": "1"}), [older, newer, other], PRIVATE) == newer
    assert selected(get({"A": "1"}), [newer, older, other], PRIVATE) == newer


def test_4_1_of_equal_dates_the_newest_in_the_store_is_selected() -> None:
    one, two = (entry({"Vary": "A"}, {})._replace(body=body) for body in (b"1", b"2"))

    assert selected(get(), [one, two], PRIVATE) == one


def test_what_a_request_says_of_a_field_is_hashed_once_however_many_entries_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed: list[bytes] = []

    def counting(text: bytes, **options: Any) -> Any:
        hashed.append(text)
        return blake2b(text, **options)

    variants = [entry({"Vary": "X-Foo, X-Bar"}, {"X-Foo": str(number), "X-Bar": "1"}) for number in range(16)]
    monkeypatch.setattr("hashlib.blake2b", counting)

    assert selected(get({"X-Foo": "15", "X-Bar": "1"}), variants, PRIVATE) == variants[15]
    assert len(hashed) == 2


def test_whether_a_request_suits_can_be_asked_of_any_number_of_entries() -> None:
    suit = suits(get({"A": "1", "Accept": "b"}), PRIVATE)
    one, other = entry({"Vary": "A, Accept"}, {"A": "1", "Accept": "b"}), entry({"Vary": "A"}, {"A": "2"})

    assert [suit(of.selecting) for of in (one, other, one)] == [True, False, True]
    assert suit(())


def test_nothing_stored_is_nothing_selected() -> None:
    assert selected(get(), [], PRIVATE) is None


# --- what a store sees


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "X-Api-Key", "X-Tenant", "User-Agent"])
def test_s35_no_value_that_may_be_secret_is_in_an_entry(name: str) -> None:
    rules = Rules(key=b"salt")
    kept = entry({"Vary": name}, {name: "hunter2"}, rules)

    assert "hunter2" not in repr(kept)
    assert matches(name, {name: "hunter2"}, {name: "hunter2"}, rules)
    assert not matches(name, {name: "hunter2"}, {name: "hunter3"}, rules)


def test_s35_digests_of_another_key_or_another_field_say_nothing() -> None:
    one = entry({"Vary": "Cookie"}, {"Cookie": "a"}, Rules(key=b"1")).selecting
    two = entry({"Vary": "Cookie"}, {"Cookie": "a"}, Rules(key=b"2")).selecting
    three = entry({"Vary": "X-Other"}, {"X-Other": "a"}, Rules(key=b"1")).selecting

    assert len({one[0][1], two[0][1], three[0][1]}) == 3


def test_a_value_of_any_characters_is_compared() -> None:
    assert matches("X-Any", {"X-Any": "\udcff"}, {"X-Any": "\udcff"})
    assert not matches("X-Any", {"X-Any": "\udcff"}, {"X-Any": "\udcfe"})


def test_fields_that_hold_no_secret_are_kept_as_they_are() -> None:
    assert entry({"Vary": "Accept-Encoding"}, {"Accept-Encoding": "GZIP, br"}).selecting == (
        ("accept-encoding", "gzip,br"),
    )


@pytest.mark.parametrize("unit", [" ", ",", " ,", "a,", '"', '",'])
def test_reading_takes_time_that_grows_with_the_length(unit: str) -> None:
    for name in ("Accept", "X-Any"):
        request = get([(name, "a" + unit * 20_000 + "a")])
        begun = thread_time()
        selecting(request, fields({"Vary": name}), PRIVATE)
        selecting(request, fields({"Vary": unit * 20_000}), PRIVATE)
        assert thread_time() - begun < 2


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.sampled_from(["A", "B", "C"]), max_size=3),
    st.dictionaries(st.sampled_from(["A", "B", "C", "D"]), st.sampled_from(["", "1", "2"])),
    st.dictionaries(st.sampled_from(["A", "B", "C", "D"]), st.sampled_from(["", "1", "2"])),
)
def test_a_request_selects_what_agrees_in_every_field_named(
    names: list[str], first: dict[str, str], second: dict[str, str]
) -> None:
    expected = all(first.get(name) == second.get(name) for name in names)

    assert (selected(get(second), [entry({"Vary": ", ".join(names)}, first)], PRIVATE) is not None) == expected
