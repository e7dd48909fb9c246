"""Dates of header fields: the three forms, strictly, and nothing that raises."""

from __future__ import annotations

import json
from datetime import datetime
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import parse_http_date

VECTORS = Path(__file__).parents[1] / "vectors" / "http_date_retry_after.json"
CASES: list[dict[str, Any]] = [c for c in json.loads(VECTORS.read_text())["cases"] if c["kind"] == "http-date"]
NOW = 1_700_000_000.0


def seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["value"])
def test_the_published_cases(case: dict[str, Any]) -> None:
    now = seconds(case["now"]) if "now" in case else NOW
    expected = case.get("expected_iso") or case["expected"]

    found = parse_http_date(case["value"], now)

    if expected is None:
        assert found is None
    elif "leap second" in expected:
        assert found == seconds("2017-01-01T00:00:00Z")
    else:
        assert found == seconds(expected)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z"),
        ("Monday, 06-Nov-73 08:49:37 GMT", "2073-11-06T08:49:37Z"),  # within 50 years of now
        ("Monday, 16-Nov-73 08:49:37 GMT", "1973-11-16T08:49:37Z"),  # beyond
        ("Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31T23:59:59Z"),
        (" Sun, 06 Nov 1994 08:49:37 GMT\t", "1994-11-06T08:49:37Z"),
    ],
)
def test_a_year_of_two_digits_is_at_most_fifty_years_ahead(text: str, iso: str) -> None:
    assert parse_http_date(text, NOW) == seconds(iso)


@pytest.mark.parametrize(
    "text",
    [
        *("", "Sun", "9" * 10000, "Sun, 06 Nov 0000 08:49:37 GMT", "Sun, 06 Nov 19941 08:49:37 GMT"),
        *("Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 08:49:61 GMT"),
        *("Sun, 06 nov 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC"),
        "Sun, ٠٦ Nov 1994 08:49:37 GMT",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_http_date(text, NOW) is None


@given(st.integers(0, 250_000_000_000))
def test_what_others_write_is_read(moment: int) -> None:
    assert parse_http_date(formatdate(moment, usegmt=True), NOW) == moment


@given(st.text())
def test_nothing_raises(text: str) -> None:
    assert parse_http_date(text, NOW) is None
