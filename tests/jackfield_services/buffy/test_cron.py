"""What of cron a server gets: that which croniter reads, and which comes at least once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield_services.buffy import BuffyValueError
from jackfield_services.buffy._cron import check_cron


@pytest.mark.parametrize(
    "cron",
    [
        "* * * * *",
        "0 0 * * *",
        "59 23 31 12 7",
        "0 0 1 1 0",
        "00 09 01 01 00",
        "*/5 * * * *",
        "*/59 */23 */31 */12 */7",
        "1-5 * * * *",
        "1-59/2 8-18/3 * * 1-5",
        "1,2,3-5,10-20/5 * * * *",
        "0 0 29 2 *",
        "0 0 31 * *",
        "0 0 31 1,2 *",
        "0 0 30 4-6 *",
        "0 0 31 2 1",
        "0 0 * jan mon",
        "0 0 * JAN-Mar sun-SAT",
        "0 0 * dec sat,sun",
    ],
)
def test_cron_that_comes(cron: str) -> None:
    check_cron(cron)


@pytest.mark.parametrize(
    "cron",
    [
        None,
        5,
        b"* * * * *",
        "",
        "nonsense",
        "* * * *",
        "* * * * * *",
        "* * * * * */10",
        " * * * * *",
        "* * * * *\n",
        "*\t* * * *",
        "*  * * * *",
        "@daily",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 0 *",
        "* * * 13 *",
        "* * * * 8",
        "-1 * * * *",
        "1- * * * *",
        "-5 * * * *",
        "5-1 * * * *",
        "1-60 * * * *",
        "1--5 * * * *",
        "1-2-3 * * * *",
        "1,,2 * * * *",
        ", * * * *",
        "1, * * * *",
        "*/0 * * * *",
        "*/ * * * *",
        "*/-1 * * * *",
        "*/60 * * * *",
        "*/1/2 * * * *",
        "5/10 * * * *",
        "*-5 * * * *",
        "1-*/2 * * * *",
        "1.5 * * * *",
        "001 * * * *",
        "\u0661 * * * *",
        "+1 * * * *",
        "1_0 * * * *",
        "? * * * *",
        "* * L * *",
        "* * * * 5#3",
        "* * * * L5",
        "R * * * *",
        "H * * * *",
        "jan * * * *",
        "* * * mon *",
        "* * * * jan",
        "* * * january *",
        "* * * * sat-mon",
        "0 0 30 2 *",
        "0 0 31 2 *",
        "0 0 31 2,4,6 *",
        "0 0 30-31 feb *",
        "0 0 31 4-6/2 *",
        "0 0 31 2 */1",
        "0 0 31 2 0-6",
        "0 0 31 2 1-7",
        "0 0 31 2 sun-sat",
    ],
)
def test_cron_that_a_server_may_die_of(cron: Any) -> None:
    with pytest.raises(BuffyValueError, match="cron"):
        check_cron(cron)


@settings(deadline=None, max_examples=100)
@given(st.text(st.sampled_from("0123456789*/,-? LW#jan\n"), max_size=20))
def test_anything_is_taken_or_refused(text: str) -> None:
    try:
        check_cron(text)
    except BuffyValueError:
        return
    assert len(text.split(" ")) == 5
