"""The answer that an entry is: RFC 9111 §4, §5.1."""

from __future__ import annotations

from math import inf

import pytest
from tests.jackfield_plugins.caching.answers import date, get, stored

from jackfield_plugins.caching._serving import served
from jackfield_plugins.caching._stored import Stored


def test_4_an_entry_is_given_as_it_came_with_its_age() -> None:
    entry = stored({"Cache-Control": "max-age=60", "Date": date(), "Age": "3", "A": "1"}, 203)

    response = served(entry, get(), 7.9)

    assert (response.status, response.content) == (203, b"body")
    assert dict(response.headers) == {"Cache-Control": "max-age=60", "Date": date(), "Age": "7", "A": "1"}
    assert response.headers.get_all("age") == ["7"]


def test_9110_9_3_2_a_head_is_answered_without_a_body() -> None:
    entry = stored({"Cache-Control": "max-age=60", "Content-Length": "4"})

    response = served(Stored(*entry), get(method="HEAD"), 0)

    assert response.content == b""
    assert response.headers["content-length"] == "4"


@pytest.mark.parametrize(
    ("age", "expected"), [(0.0, "0"), (59.999, "59"), (2.0**31, "2147483648"), (inf, "2147483648")]
)
def test_1_2_2_an_age_is_whole_seconds_of_31_bits(age: float, expected: str) -> None:
    assert served(stored({"Cache-Control": "max-age=60"}), get(), age).headers["age"] == expected
