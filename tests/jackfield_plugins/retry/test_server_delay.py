"""When the service says to come back, in all the fields that say so, well-formed and not."""

from __future__ import annotations

import json
from datetime import datetime
from math import inf
from pathlib import Path
from time import thread_time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jackfield import Headers
from jackfield_plugins.retry._rate_limit import quotas, rate_limit_delay
from jackfield_plugins.retry._server_delay import hinted_delay, server_delay

VECTORS = Path(__file__).parents[2] / "vectors"
NOW = 1_700_000_000.0
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"  # NOW


def cases(name: str) -> list[Any]:
    found: list[Any] = json.loads((VECTORS / f"{name}.json").read_text())["cases"]
    return found


def told(*, throttled: bool = True, now: float = NOW, **fields: Any) -> float | None:
    headers = Headers.received((name.replace("_", "-"), value) for name, value in fields.items())
    return server_delay(headers, now, throttled=throttled)


# --- vectors


@pytest.mark.parametrize("case", [one for one in cases("http_date_retry_after") if one["kind"] == "retry-after"])
def test_retry_after_is_read_as_the_vectors_say(case: dict[str, Any]) -> None:
    now = datetime.fromisoformat(case["now"]).timestamp()

    seconds = server_delay(Headers.received([("retry-after", case["value"])]), now, throttled=False)

    expected = case["expected_seconds"]
    assert seconds == expected if expected != "cap" else seconds is not None and seconds > 1e9


@pytest.mark.parametrize("case", [one for one in cases("ratelimit_fields") if "field" in one])
def test_rate_limit_fields_are_read_as_the_vectors_say(case: dict[str, Any]) -> None:
    parsed = quotas(case["value"])

    assert [policy for policy, _ in parsed] == [policy for policy, _ in case["parsed"]]
    for (_, found), (_, expected) in zip(parsed, case["parsed"], strict=True):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert isinstance(found[name], bytes) if isinstance(value, dict) else found[name] == value


@pytest.mark.parametrize("case", [one for one in cases("ratelimit_fields") if "message" in one])
def test_a_refused_request_waits_as_the_vectors_say(case: dict[str, Any]) -> None:
    assert server_delay(Headers(case["headers"]), NOW, throttled=True) == case["expected_wait_seconds"]


# --- Retry-After and its kin


def test_a_date_is_by_the_clock_of_who_gave_it() -> None:
    later = "Tue, 14 Nov 2023 22:13:30 GMT"

    assert told(retry_after=later, date=DATE, now=NOW - 86_400) == 10
    assert told(retry_after=later, date="garbage", now=NOW) == 10
    assert told(retry_after="10", date=DATE, now=NOW - 86_400) == 10


@pytest.mark.parametrize("name", ["retry_after_ms", "x_ms_retry_after_ms"])
def test_milliseconds_are_more_exact_and_go_first(name: str) -> None:
    def fields(text: str, **others: Any) -> dict[str, Any]:
        return others | {name: text}

    assert told(**fields("1500", retry_after="2")) == 1.5
    assert told(**fields("12.5")) == 0.0125
    assert told(**fields("soon", retry_after="2")) == 2
    assert told(**fields("-5")) is None


def test_it_counts_whatever_the_failure() -> None:
    for throttled in (True, False):
        assert told(throttled=throttled, retry_after="3") == 3
        assert told(throttled=throttled, retry_after_ms="3000") == 3


# --- rate limits


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        ('"default";r=0;t=10', 10),
        ('"a";r=0;t=5, "b";r=0;t=9,"c";r=7;t=3600', 9),
        ("default;r=0;t=4", 4),
        ('"a";t=4;r=0', 4),
        ('"a";r=0;t=0', 0),
        ('"a";r=0', None),
        ('"a";t=4', None),
        ('"a";r=1;t=4', None),
        ('"a";r=0;t=-4', None),
        ('"a";r=0;t=1.5', None),
        ('"a";r=0;t', None),
        ('"a";r=0;t="4"', None),
        ('("a" "b");r=0;t=4', None),
        ("limit=100, remaining=0, reset=5", None),
        ("", None),
        ('"a', None),
        ('"é";r=0;t=4', None),
        ('"a";r=0;t=4' + " " * 4096, None),
    ],
)
def test_a_rate_limit_says_when_all_that_is_used_up_is_there_again(field: str, seconds: float | None) -> None:
    assert rate_limit_delay(field) == seconds


def test_retry_after_goes_before_rate_limits_and_these_before_resets() -> None:
    limit = '"default";r=0;t=20'

    assert told(retry_after="5", ratelimit=limit, ratelimit_reset="30") == 5
    assert told(retry_after="soon", ratelimit=limit, ratelimit_reset="30") == 20
    assert told(ratelimit='"default";r=3;t=20', ratelimit_reset="30", x_ratelimit_reset="40") == 30


@pytest.mark.parametrize("prefix", ["ratelimit", "x_ratelimit"])
def test_a_reset_is_seconds_or_a_moment(prefix: str) -> None:
    def reset(text: str, **fields: Any) -> float | None:
        together: dict[str, Any] = fields | {f"{prefix}_reset": text}
        return told(**together)

    assert reset("30") == 30
    assert reset(" 2.5 ") == 2.5
    assert reset("1700000060") == 60
    assert reset("1700000060000") == 60
    assert reset("1700000060.25") == 60.25
    assert reset("1699999000") == 0
    assert reset("1700000060", date="Tue, 14 Nov 2023 22:14:10 GMT") == 10
    assert reset("9" * 400) == inf
    for malformed in ("soon", "-1", "1e3", "", "2023-11-14T22:14:20Z", "6m0s"):
        assert reset(malformed) is None


@pytest.mark.parametrize("prefix", ["ratelimit", "x_ratelimit"])
def test_a_limit_of_which_there_is_some_left_is_not_waited_for(prefix: str) -> None:
    def left(remaining: str) -> float | None:
        fields: dict[str, Any] = {f"{prefix}_reset": "30", f"{prefix}_remaining": remaining}
        return told(**fields)

    assert [left("1"), left("0"), left("none")] == [None, 30, 30]


def test_what_failed_for_another_reason_waits_for_no_rate_limit() -> None:
    assert told(throttled=False, ratelimit='"default";r=0;t=20', ratelimit_reset="30", x_ratelimit_reset="30") is None


def test_an_answer_that_says_nothing_says_nothing() -> None:
    assert told(date=DATE, server="x") is None


# --- a wish


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1500", 1.5),
        ("0", 1),
        ("999", 1),
        ("6000", 6),
        ("10000", 6),
        ("9" * 400, 6),
        ("soon", 1),
        ("-1", 1),
        ("1.5", 1),
    ],
)
def test_a_wish_lengthens_the_own_delay_by_five_seconds_at_most(text: str, seconds: float) -> None:
    assert hinted_delay(Headers({"x-amz-retry-after": text}), 1.0) == seconds


def test_without_a_wish_the_own_delay_stands() -> None:
    assert hinted_delay(Headers(), 0.25) == 0.25


# --- hostile


FIELDS = ("retry-after", "retry-after-ms", "ratelimit", "ratelimit-reset", "x-ratelimit-reset", "date")


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=40) | st.from_regex(r"[0-9.e+-]{0,400}")))
@example({"ratelimit": '"\ud800";r=0;t=1'})
@example({"ratelimit": "?1;" * 9})
@settings(deadline=None, max_examples=100)
def test_whatever_comes_nothing_raises_and_no_delay_is_negative(fields: dict[str, str]) -> None:
    seconds = server_delay(Headers.received(fields.items()), NOW, throttled=True)

    assert seconds is None or seconds >= 0


@pytest.mark.parametrize("text", ["1" * 20_000, " " * 20_000 + "x", "1 " * 20_000, '"a";r=0,' * 20_000, "1." * 20_000])
def test_long_fields_are_read_in_linear_time(text: str) -> None:
    started = thread_time()
    for name in FIELDS:
        server_delay(Headers.received([(name, text)]), NOW, throttled=True)

    assert thread_time() - started < 2
