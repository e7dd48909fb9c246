"""How long an answer is fresh and how old it is: RFC 9111 §4.2, with good clocks and bad ones."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.jackfield_plugins.caching.answers import NOW, PRIVATE, SHARED, Fields, date, fields

from jackfield_plugins.caching._directives import MOST
from jackfield_plugins.caching._freshness import date_in, written
from jackfield_plugins.caching._kept import Kept, kept
from jackfield_plugins.caching._stored import Stored
from jackfield_plugins.caching._terms import Rules


def entry(given: Fields, status: int = 200, asked_at: float = NOW, came_at: float = NOW) -> Kept:
    return Kept(status, tuple(fields(given).pairs()), b"", asked_at, came_at)


def lifetime(given: Fields, rules: Rules = PRIVATE, status: int = 200) -> float:
    return entry(given, status).terms(rules).lifetime


def age(given: Fields, after: float = 0.0, delay: float = 0.0) -> float:
    return entry(given, asked_at=NOW - delay).terms(PRIVATE).age(NOW + after)


# --- §4.2.1 lifetime


def test_4_2_1_max_age_goes_before_expires() -> None:
    assert lifetime({"Cache-Control": "max-age=60", "Expires": date(3600)}) == 60
    assert lifetime({"Cache-Control": "max-age=3600", "Expires": date(-60)}) == 3600


def test_5_2_2_10_s_maxage_goes_before_all_in_a_shared_cache_and_is_nothing_in_a_private_one() -> None:
    told = {"Cache-Control": "max-age=60, s-maxage=600", "Expires": date(3600)}

    assert lifetime(told, SHARED) == 600
    assert lifetime(told, PRIVATE) == 60
    assert lifetime({"Cache-Control": "s-maxage=600"}, PRIVATE) == 0


def test_4_2_1_expires_counts_from_the_date_of_the_origin_not_from_our_clock() -> None:
    assert lifetime({"Expires": date(5060), "Date": date(5000)}) == 60
    assert lifetime({"Expires": date(-4940), "Date": date(-5000)}) == 60


@pytest.mark.parametrize("day", [None, "foo", ""])
def test_9110_6_6_1_without_a_date_the_time_it_came_counts(day: str | None) -> None:
    assert lifetime({"Expires": date(60)} | ({} if day is None else {"Date": day})) == 60


@pytest.mark.parametrize("value", ["0", "-1", "", "never", "Thu, 31 Feb 2050 00:00:00 GMT", "1700003600"])
def test_5_3_an_expires_that_is_no_date_has_passed(value: str) -> None:
    assert lifetime({"Expires": value, "Last-Modified": date(-86400)}) == 0


def test_5_3_an_expires_before_the_date_is_no_negative_lifetime() -> None:
    assert lifetime({"Expires": date(-3600), "Date": date()}) == 0


def test_4_2_dates_are_read_in_any_case_but_in_no_other_zone() -> None:
    assert date_in(fields({"Expires": date(60).upper()}), "expires", NOW) == NOW + 60
    assert date_in(fields({"Expires": date(60).lower()}), "expires", NOW) == NOW + 60
    assert date_in(fields({"Expires": date(60).replace("GMT", "UTC")}), "expires", NOW) is None


# --- §4.2.2 heuristics


def test_4_2_2_a_tenth_of_the_time_since_the_last_change() -> None:
    assert lifetime({"Last-Modified": date(-36000), "Date": date()}) == 3600
    assert lifetime({"Last-Modified": date(-36000), "Date": date()}, Rules(heuristic=0.5)) == 18000


def test_4_2_2_a_guess_is_bounded() -> None:
    assert lifetime({"Last-Modified": date(-10_000_000)}) == 86400
    assert lifetime({"Last-Modified": date(-10_000_000)}, Rules(heuristic_most=60)) == 60


def test_4_2_2_a_guess_may_be_switched_off() -> None:
    assert lifetime({"Last-Modified": date(-36000)}, Rules(heuristic=0)) == 0


def test_4_2_2_a_change_after_the_answer_is_no_reason_to_guess() -> None:
    assert lifetime({"Last-Modified": date(3600), "Date": date()}) == 0


def test_4_2_2_no_guess_where_a_lifetime_is_told() -> None:
    assert lifetime({"Last-Modified": date(-36000), "Cache-Control": "max-age=0"}) == 0
    assert lifetime({"Last-Modified": date(-36000), "Expires": date(-60)}) == 0


@pytest.mark.parametrize("status", [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])
def test_9110_15_1_a_guess_for_a_status_that_allows_it(status: int) -> None:
    assert lifetime({"Last-Modified": date(-36000)}, status=status) == 3600


@pytest.mark.parametrize("status", [201, 202, 302, 303, 307, 400, 403, 409, 500, 502, 503, 504, 599])
def test_9110_15_1_no_guess_for_another_status_unless_it_is_public(status: int) -> None:
    assert lifetime({"Last-Modified": date(-36000)}, status=status) == 0
    assert lifetime({"Last-Modified": date(-36000), "Cache-Control": "public"}, status=status) == 3600


def test_what_sets_a_cookie_is_fresh_only_if_it_says_so() -> None:
    assert lifetime({"Last-Modified": date(-36000), "Set-Cookie": "a=b"}) == 0
    assert lifetime({"Cache-Control": "max-age=60", "Set-Cookie": "a=b"}) == 60


# --- RFC 9213


def test_9213_2_1_a_targeted_field_takes_the_place_of_cache_control_and_expires() -> None:
    told = {"CDN-Cache-Control": "must-revalidate", "Cache-Control": "max-age=60", "Expires": date(3600)}

    assert lifetime(told, SHARED) == 0
    assert lifetime(told, PRIVATE) == 60


@pytest.mark.parametrize("targeted", ["", "max-age=", "&", "max-age=1;", "MAX-AGE=1", "max-age=1, é", "x" * 20_000])
def test_9213_2_1_a_targeted_field_that_is_empty_or_malformed_is_ignored(targeted: str) -> None:
    assert lifetime({"CDN-Cache-Control": targeted, "Cache-Control": "max-age=60"}, SHARED) == 60


@pytest.mark.parametrize("targeted", ['max-age="60"', "max-age=60.5", "max-age=:YQ==:", "max-age=(60)", "max-age=-60"])
def test_9213_2_1_a_lifetime_of_another_type_is_none(targeted: str) -> None:
    assert lifetime({"CDN-Cache-Control": targeted, "Cache-Control": "max-age=60"}, SHARED) == 0


def test_9213_2_1_a_directive_that_is_false_is_not_there() -> None:
    def asks(text: str) -> bool:
        return entry({"CDN-Cache-Control": f"max-age=60, {text}"}).terms(SHARED).asks

    assert asks("no-cache")
    assert not asks("no-cache=?0")
    assert not entry({"CDN-Cache-Control": "immutable=?0"}).terms(SHARED).immutable


# --- §4.2.3 age


def test_4_2_3_an_answer_grows_older_here() -> None:
    assert age({"Date": date()}, after=100) == 100


def test_4_2_3_the_age_that_it_had_on_the_way_counts() -> None:
    assert age({"Date": date(), "Age": "30"}, after=100) == 130


def test_4_2_3_the_time_it_was_on_its_way_to_us_counts_with_its_age() -> None:
    assert age({"Date": date(), "Age": "30"}, after=100, delay=5) == 135


def test_4_2_3_a_date_that_tells_of_more_age_counts_instead() -> None:
    assert age({"Date": date(-600), "Age": "30"}, after=100, delay=5) == 700
    assert age({"Date": date(-20), "Age": "30"}, after=100) == 130


def test_4_2_3_a_clock_of_the_origin_that_is_fast_makes_nothing_younger() -> None:
    assert age({"Date": date(5000)}, after=100) == 100


def test_4_2_3_a_clock_that_was_set_back_while_it_came_makes_nothing_younger() -> None:
    assert age({"Date": date(), "Age": "30"}, delay=-500) == 30


def test_4_2_3_a_clock_that_was_set_back_since_leaves_the_age_unknown() -> None:
    assert age({"Date": date()}, after=-0.5) == 0
    assert age({"Date": date()}, after=-1.0) == MOST
    assert age({"Date": date()}, after=-3600) == MOST


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["7200"], 7200),
        (["7200, 0"], 7200),
        (["7200\t, 0"], 7200),
        (["0, 7200"], 0),
        (["7200", "0"], 7200),
        (["0", "7200"], 0),
        (["abc"], 0),
        (["abc, 5"], 0),
        (["-7200"], 0),
        (["7200.0"], 0),
        (["7200;foo=bar"], 0),
        ([""], 0),
        (["99999999999"], MOST),
        (["9" * 20_000], MOST),
    ],
)
def test_5_1_of_an_age_the_first_member_counts_if_it_is_a_number(values: list[str], expected: float) -> None:
    assert age([("Date", date()), *(("Age", value) for value in values)]) == expected


# --- what is read once


def test_an_entry_is_read_once_for_the_same_rules() -> None:
    one = entry({"Cache-Control": "max-age=60, s-maxage=600"})

    assert one.terms(PRIVATE) is one.terms(PRIVATE)
    assert one.terms(SHARED).lifetime == 600
    assert one.terms(PRIVATE).lifetime == 60
    assert one.fields is one.fields


def test_an_entry_that_remembers_is_the_stored_one_it_was_made_of() -> None:
    plain = Stored(200, (("A", "1"),), b"body", NOW, NOW)

    assert kept(plain) == plain
    assert kept(kept(plain)) is not plain
    assert kept(one := kept(plain)) is one


@settings(deadline=None, max_examples=100)
@given(st.floats(min_value=0, max_value=9e9))
def test_a_date_that_is_written_is_read_as_the_same_second(moment: float) -> None:
    assert date_in(fields({"Date": written(moment)}), "date", moment) == int(moment)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["Date", "Age", "Expires", "Last-Modified", "Cache-Control", "CDN-Cache-Control", "Pragma"]
            ),
            st.sampled_from([date(), date(60), date(-60), "0", "max-age=5", "s-maxage=9, x", ""]) | st.text(max_size=9),
        ),
        max_size=6,
    ),
    st.sampled_from([200, 301, 404, 503, 599]),
    st.floats(min_value=-1e6, max_value=1e6),
)
def test_whatever_an_answer_says_its_age_and_its_lifetime_are_seconds(
    given: list[tuple[str, str]], status: int, after: float
) -> None:
    for rules in (PRIVATE, SHARED):
        terms = entry(given, status).terms(rules)
        assert terms.lifetime >= 0
        assert terms.age(NOW + after) >= 0
        assert terms.age(NOW + abs(after) + 1) > terms.age(NOW)
