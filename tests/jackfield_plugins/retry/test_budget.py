"""The retry budget: what retries cost, who shares it, and that nothing of it is lost or made."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import ConfigurationError
from jackfield_plugins.retry import RetryBudget
from jackfield_plugins.retry._budget import budget_of
from jackfield_plugins.retry._failure import Kind


@pytest.mark.parametrize(("kind", "cost"), [(Kind.TRANSIENT, 14), (Kind.TIMEOUT, 14), (Kind.THROTTLE, 5)])
def test_a_retry_costs_by_its_kind(kind: Kind, cost: int) -> None:
    budget = RetryBudget()

    assert budget.take(kind) == cost
    assert budget.tokens == 500 - cost


def test_the_costs_can_be_set() -> None:
    budget = RetryBudget(100, transient=5, timeout=10, throttle=7)

    assert [budget.take(kind) for kind in (Kind.TRANSIENT, Kind.TIMEOUT, Kind.THROTTLE)] == [5, 10, 7]
    assert budget.tokens == 78


def test_without_enough_left_there_is_nothing_taken() -> None:
    budget = RetryBudget(14)

    assert [budget.take(Kind.TRANSIENT), budget.take(Kind.TRANSIENT), budget.tokens] == [14, 0, 0]
    budget.give(13)
    assert [budget.take(Kind.TRANSIENT), budget.tokens] == [0, 13]


def test_no_more_is_given_back_than_fits() -> None:
    budget = RetryBudget(20)
    budget.take(Kind.TRANSIENT)

    budget.give(1000)
    budget.give(1)

    assert budget.tokens == 20


@given(st.lists(st.one_of(st.sampled_from(Kind), st.integers(1, 50)), max_size=60), st.integers(1, 100))
@settings(deadline=None, max_examples=100)
def test_whatever_is_taken_and_given_the_bucket_is_neither_overdrawn_nor_overfull(steps: list[Any], full: int) -> None:
    budget = RetryBudget(full)
    for step in steps:
        before = budget.tokens
        if isinstance(step, Kind):
            taken = budget.take(step)
            assert budget.tokens == before - taken
        else:
            budget.give(step)
            assert budget.tokens == min(full, before + step)
        assert 0 <= budget.tokens <= full


def test_threads_that_share_one_lose_nothing() -> None:
    budget = RetryBudget(8 * 500 * 5, throttle=5)

    def work() -> None:
        for _ in range(500):
            budget.give(budget.take(Kind.THROTTLE) - 3)

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert budget.tokens == 8 * 500 * 5 - 8 * 500 * 3


def test_who_names_a_budget_shares_it_with_all_who_name_it() -> None:
    assert budget_of("test: one") is budget_of("test: one")
    assert budget_of("test: one") is not budget_of("test: another")
    assert budget_of(None) is not budget_of(None)
    own = RetryBudget()
    assert budget_of(own) is own


@pytest.mark.parametrize("wrong", ["", 5, b"name", True])
def test_what_is_no_budget_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="RetryBudget, or a name"):
        budget_of(wrong)


@pytest.mark.parametrize("name", ["capacity", "transient", "timeout", "throttle"])
@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "5", float("nan")])
def test_a_budget_that_makes_no_sense_is_refused(name: str, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="whole numbers of 1 or more"):
        RetryBudget(**{name: wrong})
