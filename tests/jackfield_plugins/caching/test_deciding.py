"""What is done with a request: RFC 9111 §4, §5.2.1 and §5.2.2, RFC 5861, RFC 8246."""

from __future__ import annotations

from math import inf

import pytest
from tests.jackfield_plugins.caching.answers import NOW, PRIVATE, SHARED, URL, Fields, date, fields, get, stored

from jackfield import Request, StreamBody
from jackfield_plugins.caching._deciding import Action, Decision, decide, is_for_all, may_serve_stale_on_error
from jackfield_plugins.caching._kept import Kept
from jackfield_plugins.caching._stored import Stored
from jackfield_plugins.caching._terms import Rules
from jackfield_plugins.caching._wishes import Wishes, wishes_of

FRESH: dict[str, str] = {"Cache-Control": "max-age=60", "ETag": '"e"'}


def decided(
    given: Fields | None = FRESH,
    after: float = 10,
    asks: Fields | None = None,
    rules: Rules = PRIVATE,
    method: str = "GET",
) -> Decision:
    """About a request, that many seconds after the answer came that is stored, if there is one."""
    entries = [] if given is None else [stored(given, rules=rules)]
    return decide(get(asks, method), entries, NOW + after, rules)


def action(given: Fields | None = FRESH, after: float = 10, asks: str = "", rules: Rules = PRIVATE) -> Action:
    return decided(given, after, {"Cache-Control": asks} if asks else None, rules).action


def control(text: str) -> dict[str, str]:
    return {"Cache-Control": text, "ETag": '"e"'}


# --- §4: what is given


def test_4_a_fresh_entry_is_given_with_its_age() -> None:
    decision = decided(after=10)

    assert decision[0] is Action.SERVE
    assert decision[2:] == (10, 60, "the entry is fresh", "")
    assert decision.entry is not None
    assert decision.entry.body == b"body"


def test_4_2_an_entry_is_fresh_as_long_as_its_lifetime_is_greater_than_its_age() -> None:
    assert action(after=59.9) is Action.SERVE
    assert action(after=60) is Action.VALIDATE


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (control("max-age=1"), Action.SERVE),
        ({**control("max-age=1"), "Date": date(-50)}, Action.SERVE),
        ({**control("max-age=60"), "Age": "59"}, Action.SERVE),
        ({**control("max-age=60"), "Age": "60"}, Action.VALIDATE),
        (control("max-age=0"), Action.VALIDATE),
        (control("max-age=60, no-cache"), Action.VALIDATE),
        (control("max-age=0, stale-while-revalidate=60"), Action.SERVE_AND_REFRESH),
    ],
    ids=str,
)
def test_4_to_who_waited_for_an_answer_it_is_no_older_than_it_says(given: Fields, expected: Action) -> None:
    entry = stored(given)._replace(asked_at=NOW - 30)

    decision = decide(get(), [entry], NOW + 1, PRIVATE, waited=True)

    assert decision.action is expected
    assert decision.age >= 31  # of which it tells the truth
    assert is_for_all(entry, PRIVATE) == (expected is not Action.VALIDATE)


@pytest.mark.parametrize("wish", ["no-cache", "max-age=20", "min-fresh=40"])
def test_4_who_waited_has_its_own_wishes_still(wish: str) -> None:
    entry = stored({**FRESH, "Age": "30"})

    assert decide(get({"Cache-Control": wish}), [entry], NOW, PRIVATE, waited=True).action is Action.VALIDATE
    assert is_for_all(entry, PRIVATE)


def test_4_a_head_is_answered_by_what_a_get_has_stored() -> None:
    assert decided(method="HEAD").action is Action.SERVE


def test_4_what_a_store_of_another_kind_gives_is_as_good() -> None:
    decision = decide(get(), [Stored(*stored(FRESH))], NOW + 10, PRIVATE)

    assert decision.action is Action.SERVE
    assert isinstance(decision.entry, Kept)


def test_4_nothing_stored_is_fetched() -> None:
    assert decided(None) == Decision(Action.FETCH, why="nothing is stored", fwd="uri-miss")


def test_4_1_what_another_request_selects_is_fetched() -> None:
    decision = decide(get({"A": "2"}), [stored({**FRESH, "Vary": "A"}, request=get({"A": "1"}))], NOW, PRIVATE)

    assert (decision.action, decision.entry, decision.fwd) == (Action.FETCH, None, "vary-miss")


def test_4_a_stale_entry_is_validated() -> None:
    decision = decided(after=100)

    assert (decision.action, decision.age, decision.lifetime, decision.fwd) == (Action.VALIDATE, 100, 60, "stale")
    assert decision.entry is not None


def test_4_2_3_a_clock_that_was_set_back_makes_an_entry_stale() -> None:
    assert action(after=-3600) is Action.VALIDATE


# --- what passes by


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "get"])
def test_4_other_methods_pass_by(method: str) -> None:
    decision = decided(method=method, asks={"Cache-Control": "only-if-cached"})

    assert (decision.action, decision.fwd) == (Action.BYPASS, "method")


@pytest.mark.parametrize(
    "name", ["Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range"]
)
def test_4_3_a_request_for_a_part_or_with_conditions_of_its_own_passes_by(name: str) -> None:
    decision = decided(asks={name: '"e"'})

    assert (decision.action, decision.entry, decision.fwd) == (Action.BYPASS, None, "bypass")


def test_9110_9_3_1_a_get_with_a_body_passes_by() -> None:
    for body in (b"{}", StreamBody(lambda: [b"1"])):
        assert decide(Request("GET", URL, body=body), [stored(FRESH)], NOW, PRIVATE).action is Action.BYPASS


def test_5_2_1_5_a_request_with_no_store_passes_by() -> None:
    assert action(asks="no-store") is Action.BYPASS


# --- §5.2.1: what a request asks


def test_5_2_1_1_max_age_refuses_what_is_older() -> None:
    assert action(asks="max-age=10") is Action.SERVE
    assert action(asks="max-age=9") is Action.VALIDATE
    assert decided(asks={"Cache-Control": "max-age=0"}).fwd == "request"


def test_5_2_1_1_max_age_counts_the_age_that_an_answer_came_with() -> None:
    assert action({"Cache-Control": "max-age=3600", "Age": "1800"}, 0, "max-age=600") is Action.VALIDATE


def test_5_2_1_2_max_stale_takes_what_is_stale_by_so_much() -> None:
    assert action(after=70, asks="max-stale=10") is Action.SERVE
    assert action(after=70.1, asks="max-stale=10") is Action.VALIDATE
    assert action(after=1e9, asks="max-stale") is Action.SERVE
    assert action(after=60, asks="max-stale=0") is Action.VALIDATE


def test_5_2_1_2_max_stale_and_max_age_are_both_kept() -> None:
    assert action(after=70, asks="max-stale=10, max-age=70") is Action.SERVE
    assert action(after=70, asks="max-stale=10, max-age=69") is Action.VALIDATE


def test_5_2_1_3_min_fresh_refuses_what_is_stale_soon() -> None:
    assert action(asks="min-fresh=50") is Action.SERVE
    assert action(asks="min-fresh=51") is Action.VALIDATE
    assert decided(asks={"Cache-Control": "min-fresh=51"}).fwd == "request"
    assert action(after=70, asks="min-fresh=0, max-stale") is Action.VALIDATE
    assert action(after=60, asks="min-fresh=0, max-stale=1") is Action.SERVE


def test_5_2_1_4_no_cache_validates() -> None:
    assert action(asks="no-cache") is Action.VALIDATE
    assert decided(asks={"Cache-Control": "no-cache"}).fwd == "request"
    assert action(after=70, asks="no-cache, max-stale") is Action.VALIDATE


def test_5_4_pragma_counts_where_there_is_no_cache_control() -> None:
    assert decided(asks={"Pragma": "No-Cache"}).action is Action.VALIDATE
    assert decided(asks={"Pragma": "x, no-cache"}).action is Action.VALIDATE
    assert decided(asks={"Pragma": "no-cache", "Cache-Control": "max-age=60"}).action is Action.SERVE
    assert decided(asks={"Pragma": "other"}).action is Action.SERVE


@pytest.mark.parametrize(
    ("given", "after", "asks"),
    [
        (None, 0, ""),
        (FRESH, 100, ""),
        (FRESH, 10, ", max-age=0"),
        (FRESH, 10, ", no-cache"),
        (FRESH, 10, ", no-store"),
        (control("no-cache"), 10, ""),
    ],
)
def test_5_2_1_7_only_if_cached_is_refused_where_something_would_be_sent(
    given: Fields | None, after: float, asks: str
) -> None:
    decision = decided(given, after, {"Cache-Control": f"only-if-cached{asks}"})

    assert (decision.action, decision.fwd) == (Action.REFUSE, "")
    assert "only-if-cached" in decision.why


def test_5_2_1_7_only_if_cached_is_given_what_is_stored() -> None:
    assert action(asks="only-if-cached") is Action.SERVE
    assert action(after=100, asks="only-if-cached, max-stale") is Action.SERVE
    assert action(control("max-age=60, stale-while-revalidate=60"), 100, "only-if-cached") is Action.SERVE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Wishes()),
        ("foo, bar=1", Wishes()),
        ("max-age=x", Wishes(max_age=0)),
        ("max-age=5, max-age=3", Wishes(max_age=3)),
        ("min-fresh=x", Wishes(min_fresh=inf)),
        ("min-fresh=5, min-fresh=3", Wishes(min_fresh=5)),
        ("max-stale=x", Wishes(max_stale=0)),
        ("max-stale", Wishes(max_stale=inf)),
        ("max-stale=5, max-stale", Wishes(max_stale=5)),
        ('max-stale="5"', Wishes(max_stale=5)),
        ("stale-if-error=5", Wishes(if_error=5)),
        ("NO-CACHE, No-Store, only-IF-cached", Wishes(no_cache=True, no_store=True, only_if_cached=True)),
    ],
)
def test_5_2_1_what_a_request_asks_wrongly_is_taken_for_less(text: str, expected: Wishes) -> None:
    assert wishes_of(fields({"Cache-Control": text})) == expected


# --- §5.2.2: what an answer allows


def test_5_2_2_4_no_cache_is_validated_each_time() -> None:
    assert action(control("max-age=60, no-cache")) is Action.VALIDATE
    assert action(control("max-age=60, no-cache"), 100, "max-stale") is Action.VALIDATE


def test_5_2_2_4_a_qualified_no_cache_is_not() -> None:
    assert action(control('max-age=60, no-cache="set-cookie"')) is Action.SERVE
    assert action(control('max-age=60, no-cache="set-cookie", no-cache')) is Action.VALIDATE


def test_5_4_pragma_of_an_answer_counts_where_there_is_no_cache_control() -> None:
    told = {"Expires": date(60), "ETag": '"e"', "Pragma": "no-cache"}

    assert action(told) is Action.VALIDATE
    assert action({**told, "Cache-Control": "public"}) is Action.SERVE


@pytest.mark.parametrize(
    ("directive", "shared_only"),
    [("must-revalidate", False), ("no-cache", False), ("proxy-revalidate", True), ("s-maxage=60", True)],
)
def test_4_2_4_what_must_not_be_given_stale_is_not(directive: str, shared_only: bool) -> None:
    told = control(f"max-age=60, stale-while-revalidate=99, stale-if-error=99, {directive}")
    entry = stored(told, rules=SHARED)

    for rules in (PRIVATE, SHARED):
        forbidden = rules.shared or not shared_only
        assert (action(told, 100, "max-stale", rules) is Action.VALIDATE) == forbidden
        assert (action(told, 100, "", rules) is Action.VALIDATE) == forbidden
        assert may_serve_stale_on_error(get(), entry, NOW + 100, rules) != forbidden


def test_5_2_2_2_must_revalidate_is_given_while_it_is_fresh() -> None:
    assert action(control("max-age=60, must-revalidate")) is Action.SERVE


def test_8246_2_immutable_is_not_validated_by_a_reload_while_it_is_fresh() -> None:
    assert action(control("max-age=60, immutable"), asks="max-age=0") is Action.SERVE
    assert action(control("max-age=60, immutable"), 100, "max-age=0") is Action.VALIDATE
    assert action(control("max-age=60, immutable"), asks="no-cache") is Action.VALIDATE
    assert action(control("max-age=60, immutable"), asks="max-age=0, min-fresh=55") is Action.VALIDATE


# --- RFC 5861


def test_5861_3_stale_while_revalidate_is_given_and_refreshed_within_its_time() -> None:
    told = control("max-age=60, stale-while-revalidate=30")

    assert action(told, 59) is Action.SERVE
    assert action(told, 60) is Action.SERVE_AND_REFRESH
    assert action(told, 90) is Action.SERVE_AND_REFRESH
    assert action(told, 90.1) is Action.VALIDATE
    assert decided(told, 70)[2:] == (
        70,
        60,
        "the entry is stale, and says that it may be while it is validated",
        "",
    )


@pytest.mark.parametrize("asks", ["max-age=3600", "max-age=0", "min-fresh=1", "no-cache"])
def test_5861_3_who_wants_none_that_is_stale_gets_none(asks: str) -> None:
    assert action(control("max-age=60, stale-while-revalidate=30"), 70, asks) is Action.VALIDATE


@pytest.mark.parametrize("value", ["", "=", "=x", "=-1", "=0"])
def test_5861_3_a_time_that_is_none_allows_nothing(value: str) -> None:
    assert action(control(f"max-age=60, stale-while-revalidate{value}"), 60) is Action.VALIDATE
    assert action(control(f"max-age=60, stale-while-revalidate{value}"), 61) is Action.VALIDATE


def on_error(given: str = "max-age=60, stale-if-error=30", after: float = 70, asks: str = "") -> bool:
    request = get({"Cache-Control": asks} if asks else {})
    return may_serve_stale_on_error(request, Stored(*stored(control(given))), NOW + after, PRIVATE)


def test_5861_4_stale_if_error_of_an_answer_is_good_for_its_time() -> None:
    assert on_error(after=61)
    assert on_error(after=90)
    assert not on_error(after=90.1)


def test_5861_4_a_request_may_say_it_too() -> None:
    assert on_error("max-age=60", 90, "stale-if-error=30")
    assert not on_error("max-age=60", 90.1, "stale-if-error=30")
    assert on_error("max-age=60", 90, "max-stale=30")


def test_5861_4_without_it_an_error_is_an_error() -> None:
    assert not on_error("max-age=60", 61)


@pytest.mark.parametrize("asks", ["no-cache", "no-store", "max-age=3600", "min-fresh=1"])
def test_5861_4_who_wants_none_that_is_stale_gets_the_error(asks: str) -> None:
    assert not on_error(asks=asks)


def test_5861_4_an_entry_of_which_nobody_knows_the_age_is_none_for_an_error() -> None:
    assert not on_error(after=-3600)
