"""The clock of the machine's stalls, on times that it is given."""

from __future__ import annotations

import pytest

from .stalls import Stalls, Woken


@pytest.mark.parametrize(
    ("slept", "worked", "lost"),
    [
        (0.305, 0.0, 0.3),  # it stood still
        (0.305, 0.305, 0.0),  # it worked, and kept itself from waking
        (0.305, 0.105, 0.2),
        (0.305, 1.2, 0.0),  # it worked on several processors
        (0.009, 0.0, 0.0),  # it woke as exactly as one can
        (0.001, 0.0, 0.0),  # it was asked before it should wake
    ],
)
def test_only_what_the_process_did_not_work_itself_was_lost(slept: float, worked: float, lost: float) -> None:
    began = Woken(2.0, at=100.0, worked=7.0)

    assert began.then(100.0 + slept, 7.0 + worked).lost == pytest.approx(2.0 + lost)


@pytest.mark.parametrize(("elapsed", "is_in_time"), [(0.9, False), (1.0, True), (1.2, True), (30.0, False)])
def test_what_ends_early_or_much_too_late_is_not_in_time(elapsed: float, is_in_time: bool) -> None:
    assert Stalls().in_time(elapsed, 1.0) is is_in_time
