"""Retry-After: seconds or a date, and nothing else."""

from __future__ import annotations

from math import inf

import pytest

from jackfield import Headers, parse_retry_after

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("00120", 120),
        (" 7\t", 7),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60),
        ("Tuesday, 14-Nov-23 22:14:20 GMT", 60),
        ("Tue Nov 14 22:14:20 2023", 60),
        ("Tue, 14 Nov 2023 22:13:00 GMT", 0),
        ("9" * 5000, inf),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("1, 2", None),
        ("1_0", None),
        ("٣", None),
        ("soon", None),
        ("0x10", None),
        ("10 s", None),
        ("inf", None),
        ("nan", None),
        ("²", None),
        ("Tue, 14 Nov 2023 22:13:30", None),
        ("2023-11-14T22:14:20Z", None),
    ],
    ids=lambda value: str(value)[:24],
)
def test_it_is_read_strictly(text: str, seconds: float | None) -> None:
    assert parse_retry_after(Headers.received([("Retry-After", text)]), NOW) == seconds


def test_without_it_nothing_is_asked() -> None:
    assert parse_retry_after(Headers(), NOW) is None


def test_a_date_is_counted_from_the_answers_own() -> None:
    later = "Tue, 14 Nov 2023 23:00:30 GMT"

    assert parse_retry_after(Headers({"retry-after": later, "date": "Tue, 14 Nov 2023 23:00:00 GMT"}), NOW) == 30
    assert parse_retry_after(Headers({"retry-after": later, "date": "today"}), NOW) == 2830
