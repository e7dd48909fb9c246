"""Which answers are kept (RFC 9111 §3), and which of their fields (§3.1)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.jackfield_plugins.caching.answers import NOW, PRIVATE, SHARED, URL, Fields, date, fields, get, plan, stored

from jackfield import Request, StreamBody
from jackfield_plugins.caching._kept import Kept
from jackfield_plugins.caching._storing import storable
from jackfield_plugins.caching._terms import Rules

FRESH = {"Cache-Control": "max-age=60"}


def why(given: Fields, status: int = 200, request: Request | None = None, rules: Rules = PRIVATE) -> str:
    """Why it is not kept."""
    found = plan(given, status, request, rules)
    assert isinstance(found, str)
    assert found
    return found


def kept_names(given: Fields, rules: Rules = PRIVATE) -> set[str]:
    return {name.lower() for name, _ in stored(given, rules=rules).headers}


# --- §3: which answers


def test_3_what_is_kept_is_the_answer_and_when_it_was_asked_for_and_came() -> None:
    headers = fields([("Date", date()), ("A", "1"), ("Cache-Control", "max-age=60"), ("a", "2")])

    entry = storable(get(), 200, headers, NOW - 2, NOW, PRIVATE)

    assert entry == (200, tuple(headers.pairs()), b"", NOW - 2, NOW, ())


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "get"])
def test_3_only_answers_to_get_are_kept(method: str) -> None:
    assert "GET" in why(FRESH, request=get(method=method))


def test_9110_9_3_1_a_get_with_a_body_is_another_request_each_time() -> None:
    for body in (b"{}", StreamBody(lambda: [b"1"])):
        assert "body" in why(FRESH, request=Request("GET", URL, body=body))


@pytest.mark.parametrize("status", [100, 101, 103, 199])
def test_3_only_final_answers_are_kept(status: int) -> None:
    assert str(status) in why(FRESH, status)


@pytest.mark.parametrize("status", [206, 304])
def test_3_3_parts_and_news_of_other_answers_are_not_kept(status: int) -> None:
    assert str(status) in why(FRESH, status)


@pytest.mark.parametrize("status", [428, 429, 431, 511])
def test_6585_answers_that_must_not_be_stored_by_a_cache_are_not(status: int) -> None:
    assert str(status) in why(FRESH, status)


@pytest.mark.parametrize("status", [401, 407])
def test_an_answer_about_a_credential_is_not_kept(status: int) -> None:
    assert str(status) in why({"Cache-Control": "public, max-age=60"}, status)


@pytest.mark.parametrize("control", ["no-store", "max-age=60, no-store", "NO-STORE", "no-store=x", 'x=", no-store'])
def test_5_2_2_5_no_store_is_not_kept(control: str) -> None:
    for rules in (PRIVATE, SHARED):
        assert why({"Cache-Control": control, "ETag": '"e"'}, rules=rules) == "it says no-store"


def test_5_2_1_5_an_answer_to_a_request_with_no_store_is_not_kept() -> None:
    assert why(FRESH, request=get({"Cache-Control": "max-age=0, no-store"})) == "the request says no-store"


def test_5_2_2_3_must_understand_makes_no_store_void_for_a_status_that_is_understood() -> None:
    control = {"Cache-Control": "max-age=60, no-store, must-understand"}

    for status in (200, 204, 301, 302, 303, 307, 308, 400, 403, 404, 409, 410, 451, 500, 501, 502, 503, 504):
        assert isinstance(plan(control, status), Kept)
    for status in (299, 499, 599):
        assert "must-understand" in why(control, status)
        assert "must-understand" in why({"Cache-Control": "max-age=60, must-understand"}, status)


@pytest.mark.parametrize("status", [201, 299, 302, 303, 307, 400, 403, 500, 502, 503, 504, 599])
def test_3_a_status_that_allows_no_guess_is_kept_if_a_lifetime_is_told(status: int) -> None:
    validated = {"ETag": '"e"', "Last-Modified": date(-36000)}

    assert str(status) in why(validated, status)
    for told in ({"Cache-Control": "max-age=60"}, {"Expires": date(60)}, {"Cache-Control": "public"}):
        assert isinstance(plan(validated | told, status), Kept)


def test_3_private_counts_as_told_in_a_private_cache_and_s_maxage_in_a_shared_one() -> None:
    private, shared = {"Cache-Control": "private", "ETag": '"e"'}, {"Cache-Control": "s-maxage=60", "ETag": '"e"'}

    assert isinstance(plan(private, 403), Kept)
    assert isinstance(plan(shared, 403, rules=SHARED), Kept)
    assert "403" in why(shared, 403)


def test_9213_2_1_an_expires_beside_a_targeted_field_tells_nothing() -> None:
    told = {"CDN-Cache-Control": "must-revalidate", "Expires": date(60), "ETag": '"e"'}

    assert "403" in why(told, 403, rules=SHARED)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"Cache-Control": "max-age=0"},
        {"Cache-Control": "max-age=60, no-cache"},
        {"Expires": "0"},
        {"ETag": "unquoted"},
        {"ETag": "*"},
        {"Last-Modified": "yesterday"},
    ],
)
def test_what_could_neither_be_given_nor_validated_is_not_kept(told: Fields) -> None:
    assert why(told)


@pytest.mark.parametrize(
    "told",
    [
        {"ETag": '"e"'},
        {"ETag": 'W/"e"', "Cache-Control": "no-cache"},
        {"ETag": '""'},
        {"Last-Modified": date(), "Cache-Control": "max-age=0"},
        {"Cache-Control": "max-age=0, stale-while-revalidate=5"},
        {"Cache-Control": "max-age=0, stale-if-error=5"},
        {"Cache-Control": "max-age=1"},
        {"Cache-Control": "max-age=1", "Age": "5"},
        {"Expires": date(60)},
    ],
)
def test_what_can_be_given_or_validated_is_kept(told: Fields) -> None:
    assert isinstance(plan(told), Kept)


def test_4_1_what_varies_by_everything_is_not_kept() -> None:
    assert "Vary" in why(FRESH | {"Vary": "Accept, *"})


# --- §3, §3.5: shared caches


@pytest.mark.parametrize(
    "control", ["private", "private, private=a", "private=a, private", 'private=""', 'private="a b"']
)
def test_5_2_2_7_private_is_not_kept_in_a_shared_cache(control: str) -> None:
    told = {"Cache-Control": f"max-age=60, {control}"}

    assert "private" in why(told, rules=SHARED)
    assert isinstance(plan(told), Kept)


@pytest.mark.parametrize(
    ("control", "expected"),
    [("max-age=60", False), ("public", True), ("must-revalidate", True), ("s-maxage=60", True), ("immutable", False)],
)
def test_3_5_an_answer_to_credentials_is_kept_in_a_shared_cache_if_it_says_so(control: str, expected: bool) -> None:
    told, request = {"Cache-Control": control, "ETag": '"e"'}, get({"Authorization": "Bearer x"})

    assert isinstance(plan(told, request=request, rules=SHARED), Kept) == expected
    assert isinstance(plan(told, rules=SHARED, authorized=True), Kept) == expected
    assert isinstance(plan(told, rules=SHARED), Kept)
    assert isinstance(plan(told, request=request, authorized=True), Kept)


@pytest.mark.parametrize(("control", "expected"), [("max-age=60", False), ("public", True), ("s-maxage=60", True)])
def test_7_3_a_cookie_is_given_to_many_only_if_the_answer_says_so(control: str, expected: bool) -> None:
    told = {"Cache-Control": control, "ETag": '"e"', "Set-Cookie": "session=1"}

    assert isinstance(plan(told, rules=SHARED), Kept) == expected
    assert isinstance(plan(told), Kept)


def test_9213_2_1_a_targeted_field_decides_in_a_shared_cache() -> None:
    told = {"CDN-Cache-Control": "no-store", "Cache-Control": "max-age=60"}

    assert "no-store" in why(told, rules=SHARED)
    assert isinstance(plan(told), Kept)


# --- §3.1: which fields


@pytest.mark.parametrize(
    "name",
    [
        "Connection",
        "Keep-Alive",
        "Proxy-Connection",
        "TE",
        "Transfer-Encoding",
        "Upgrade",
        "Proxy-Authenticate",
        "Proxy-Authentication-Info",
        "Proxy-Authorization",
    ],
)
def test_3_1_fields_of_one_connection_or_one_proxy_are_not_kept(name: str) -> None:
    assert kept_names(FRESH | {name: "x", "Other": "y"}) == {"cache-control", "date", "other"}


def test_3_1_fields_that_connection_names_are_not_kept() -> None:
    told = [*FRESH.items(), ("Connection", "close, A"), ("Connection", " b ,"), ("a", "1"), ("B", "2"), ("C", "3")]

    assert kept_names(told) == {"cache-control", "date", "c"}


def test_9110_7_6_1_connection_does_not_take_what_a_cache_decides_by() -> None:
    told = FRESH | {"Age": "5", "ETag": '"e"', "Vary": "Accept", "Date": date(), "Expires": "0", "Pragma": "x"}
    named = ", ".join([*told, "CDN-Cache-Control", "Last-Modified"])
    told |= {"Last-Modified": date(), "CDN-Cache-Control": "x"}

    assert kept_names(told | {"Connection": named}) == {name.lower() for name in told}


def test_5_2_2_4_fields_that_no_cache_names_are_not_kept() -> None:
    told = {"Cache-Control": 'max-age=60, no-cache="Set-Cookie, a"', "Set-Cookie": "1", "A": "2", "B": "3"}

    assert kept_names(told) == {"cache-control", "date", "b"}


def test_5_2_2_7_fields_that_private_names_are_not_kept_in_a_shared_cache() -> None:
    told = {"Cache-Control": 'max-age=60, private="a"', "A": "1", "B": "2"}

    assert kept_names(told, SHARED) == {"cache-control", "date", "b"}
    assert kept_names(told, PRIVATE) == {"cache-control", "date", "a", "b"}


@pytest.mark.parametrize(
    "name", ["Set-Cookie", "Set-Cookie2", "Age", "Trailer", "Content-Encoding", "X-Any", "Warning"]
)
def test_3_1_all_other_fields_are_kept(name: str) -> None:
    assert name.lower() in kept_names(FRESH | {name: "1"})


def test_9110_6_6_1_an_answer_without_a_date_gets_the_time_it_came() -> None:
    assert stored(FRESH).fields["date"] == date()
    assert stored(FRESH | {"Date": date(-5)}).fields["date"] == date(-5)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Cache-Control", "Connection", "Vary", "ETag", "Date", "Expires", "Age", "A", "Te"]),
            st.sampled_from(["no-store", "max-age=5", 'private="a"', "a, *", '"e"', "", "public"])
            | st.text(max_size=9),
        ),
        max_size=6,
    ),
    st.integers(min_value=100, max_value=599),
)
def test_whatever_an_answer_says_it_is_kept_or_there_is_a_reason(given: list[tuple[str, str]], status: int) -> None:
    for rules in (PRIVATE, SHARED):
        found = plan(given, status, rules=rules)

        assert isinstance(found, Kept) or found
        if isinstance(found, Kept):
            assert "no-store" not in found.fields.get("cache-control", "") or "must-understand" in str(given)
            assert not {"te", "connection"} & set(found.fields)
