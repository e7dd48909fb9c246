"""Asking whether an entry is still good: RFC 9111 §4.3, RFC 9110 §8.8 and §13."""

from __future__ import annotations

from time import thread_time

import pytest
from tests.jackfield_plugins.caching.answers import NOW, PRIVATE, Fields, date, fields, get, plan

from jackfield import Headers
from jackfield_plugins.caching._kept import Kept
from jackfield_plugins.caching._stored import Stored
from jackfield_plugins.caching._validating import conditional, updated, updated_by_head

LATER = NOW + 100


def entry(given: Fields, body: bytes = b"body") -> Kept:
    return Kept(200, tuple(fields(given).pairs()), body, NOW - 1, NOW, (("a", "1"),))


def asked(given: Fields, own: Fields | None = None) -> dict[str, str]:
    """The conditions that a request gets."""
    headers = conditional(get(own), entry(given)).headers
    return {name.lower(): headers[name] for name in headers}


def after_304(given: Fields, told: Fields) -> Headers | None:
    found = updated(entry(given), fields(told), LATER - 1, LATER)
    return None if found is None else found.fields


# --- §4.3.1


def test_4_3_1_an_entry_is_asked_about_by_its_tag_and_its_date() -> None:
    told = {"ETag": '"e"', "Last-Modified": date(-60)}

    assert asked(told, {"A": "1"}) == {"a": "1", "if-none-match": '"e"', "if-modified-since": date(-60)}


@pytest.mark.parametrize("tag", ['""', 'W/"e"', '"é!#~"', '"a,b"', ' "e"\t'])
def test_9110_8_8_3_a_tag_is_sent_as_it_is(tag: str) -> None:
    assert asked({"ETag": tag}) == {"if-none-match": tag.strip()}


@pytest.mark.parametrize("tag", ["*", "e", "'e'", 'w/"e"', 'W"e"', '"a"b"', '"a b"', '"a', "", '"\x7f"', '"a\r\nX: y"'])
def test_9110_8_8_3_what_is_no_tag_is_not_sent(tag: str) -> None:
    assert asked({"ETag": tag}) == {}


def test_9110_8_8_3_two_tags_are_none() -> None:
    assert asked([("ETag", '"a"'), ("ETag", '"b"')]) == {}


@pytest.mark.parametrize("value", ["yesterday", "", "0", date() + ", " + date(), "Tue, 14 Nov 2023 22:13:20 UTC"])
def test_9110_13_1_3_what_is_no_date_is_not_sent(value: str) -> None:
    assert asked({"Last-Modified": value}) == {}


def test_4_3_1_what_has_no_validator_is_asked_for_as_it_is() -> None:
    request = get({"A": "1"})

    assert conditional(request, entry({"Date": date()})) is request


@pytest.mark.parametrize("name", ["If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range"])
def test_4_3_1_conditions_of_the_caller_are_left_alone(name: str) -> None:
    request = get({name: '"own"'})

    assert conditional(request, entry({"ETag": '"e"'})) is request


def test_the_rest_of_a_request_is_as_it_was() -> None:
    request = get({"A": "1"}, "HEAD")
    asking = conditional(request, Stored(*entry({"ETag": '"e"'})))

    assert asking.replace(headers={}) == request.replace(headers={})


def test_a_long_tag_is_read_in_time_that_grows_with_its_length() -> None:
    begun = thread_time()
    for unit in ('"', "W/", 'W/"', "a", '""'):
        asked({"ETag": unit * 20_000, "Last-Modified": unit * 20_000})
    assert thread_time() - begun < 2


# --- §4.3.3, §4.3.4


def test_4_3_4_an_entry_that_is_validated_is_as_old_as_the_304() -> None:
    found = updated(entry({"ETag": '"e"', "Age": "50", "Date": date()}), fields({"Date": date(100)}), LATER - 1, LATER)

    assert found is not None
    assert (found.status, found.body, found.asked_at, found.came_at) == (200, b"body", LATER - 1, LATER)
    assert found.selecting == (("a", "1"),)
    assert found.terms(PRIVATE).age(LATER) == 1


def test_4_3_4_the_age_of_the_304_counts() -> None:
    found = updated(entry({"Age": "50"}), fields({"Date": date(100), "Age": "7"}), LATER, LATER)

    assert found is not None
    assert found.terms(PRIVATE).age(LATER) == 7


def test_3_2_fields_of_the_304_take_the_place_of_all_of_that_name() -> None:
    stored = [("Date", date()), ("A", "1"), ("a", "2"), ("B", "3"), ("ETag", '"e"')]

    found = after_304(stored, [("Date", date(100)), ("A", "4"), ("C", "5")])

    assert found is not None
    assert dict(found) == {"A": "4", "B": "3", "ETag": '"e"', "Date": date(100), "C": "5"}


@pytest.mark.parametrize(
    "name",
    ["Content-Length", "Content-Encoding", "Content-Range", "Content-Type", "Content-MD5", "Content-Digest"],
)
def test_3_2_fields_that_say_what_the_body_is_stay(name: str) -> None:
    found = after_304({"Date": date(), name: "old"}, {"Date": date(100), name: "new"})
    assert found is not None
    assert found[name] == "old"

    found = after_304({"Date": date()}, {"Date": date(100), name: "new"})
    assert found is not None
    assert name not in found


def test_3_2_fields_of_the_connection_change_nothing() -> None:
    told = {"Date": date(100), "Connection": "keep-alive, A", "A": "new", "Keep-Alive": "timeout=5", "TE": "x"}

    found = after_304({"Date": date(), "A": "old"}, told)

    assert found is not None
    assert dict(found) == {"A": "old", "Date": date(100)}


def test_9110_6_6_1_a_304_without_a_date_gets_the_time_it_came() -> None:
    found = after_304({"Date": date(), "Expires": date(160)}, {})

    assert found is not None
    assert found["date"] == date(100)


def test_4_3_4_a_304_with_another_lifetime_changes_it() -> None:
    found = after_304({"Cache-Control": "max-age=1"}, {"Cache-Control": "max-age=3600"})

    assert found is not None
    assert found["cache-control"] == "max-age=3600"


def test_4_3_4_a_304_may_forbid_to_keep_the_entry() -> None:
    found = after_304({"Cache-Control": "max-age=1", "ETag": '"e"'}, {"Cache-Control": "no-store"})

    assert found is not None
    assert plan(found.pairs()) == "it says no-store"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"ETag": '"a"'}, {"ETag": '"b"'}),
        ({"ETag": 'W/"a"'}, {"ETag": 'W/"b"'}),
        ({"ETag": '"a"'}, {"ETag": '"A"'}),
        ({"Last-Modified": date(-60)}, {"Last-Modified": date(-61)}),
        ({"Last-Modified": date(-60)}, {"Last-Modified": date(-59), "ETag": '"a"'}),
        ({"ETag": '"a"', "Last-Modified": date(-60)}, {"Last-Modified": date(-59)}),
    ],
)
def test_4_3_4_a_304_about_another_representation_is_not_used(ours: Fields, theirs: Fields) -> None:
    assert after_304(ours, theirs) is None


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"ETag": '"a"'}, {"ETag": '"a"'}),
        ({"ETag": 'W/"a"'}, {"ETag": '"a"'}),
        ({"ETag": '"a"'}, {"ETag": 'W/"a"'}),
        ({"ETag": '"a"'}, {}),
        ({}, {"ETag": '"a"'}),
        ({"ETag": '"a"'}, {"ETag": "malformed"}),
        ({"ETag": '"a"', "Last-Modified": date(-60)}, {"ETag": '"a"', "Last-Modified": date(-59)}),
        ({"Last-Modified": date(-60)}, {"Last-Modified": date(-60).upper()}),
        ({"Last-Modified": date(-60)}, {"Last-Modified": "malformed"}),
        ({}, {}),
    ],
)
def test_4_3_4_a_304_that_names_no_other_validator_is_about_this_one(ours: Fields, theirs: Fields) -> None:
    assert after_304(ours, theirs) is not None


# --- §4.3.5


def after_head(given: Fields, told: Fields, status: int = 200, body: bytes = b"body") -> Kept | None:
    return updated_by_head(entry(given, body), status, fields(told), LATER - 1, LATER)


def test_4_3_5_a_head_that_tells_of_the_same_renews_an_entry() -> None:
    found = after_head(
        {"ETag": '"e"', "Last-Modified": date(-60), "Content-Length": "10", "A": "1"},
        {
            "ETag": '"e"',
            "Last-Modified": date(-60),
            "Content-Length": "10",
            "Cache-Control": "max-age=9",
            "Date": date(100),
        },
    )

    assert found is not None
    assert (found.came_at, found.fields["cache-control"], found.fields["a"]) == (LATER, "max-age=9", "1")


@pytest.mark.parametrize(
    "told",
    [
        {"ETag": '"f"'},
        {"ETag": 'W/"e"'},
        {"Last-Modified": date(-59)},
        {"ETag": '"e"', "Last-Modified": date(-59)},
        {"Content-Length": "11"},
        {"Content-Length": ""},
    ],
)
def test_4_3_5_a_head_that_tells_of_another_makes_an_entry_invalid(told: Fields) -> None:
    assert after_head({"ETag": '"e"', "Last-Modified": date(-60), "Content-Length": "10"}, told) is None


def test_4_3_5_a_validator_that_an_entry_has_not_is_another() -> None:
    assert after_head({}, {"ETag": '"e"'}) is None


def test_4_3_5_an_entry_of_no_told_length_is_as_long_as_its_body() -> None:
    assert after_head({}, {"Content-Length": "4"}) is not None
    assert after_head({}, {"Content-Length": "5"}) is None


@pytest.mark.parametrize("status", [204, 404, 410, 500, 503])
def test_4_3_5_a_head_of_another_status_changes_nothing(status: int) -> None:
    one = entry({"ETag": '"e"'})

    assert updated_by_head(one, status, fields({"ETag": '"f"'}), LATER, LATER) is one
