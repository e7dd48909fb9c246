"""Strategies and configurations: as users write and compare them, and as the server reads them."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from msgspec.json import decode, encode

from jackfield_services.buffy import ReCachingStrategy, RequestCacheConfiguration

EACH = [
    (ReCachingStrategy.never(), {"strategy_name": "never"}),
    (ReCachingStrategy.age(), {"strategy_name": "age", "seconds": 3600}),
    (ReCachingStrategy.age(seconds=6), {"strategy_name": "age", "seconds": 6}),
    (ReCachingStrategy.cron(), {"strategy_name": "cron", "cron": "0 0 * * *", "run_at_start": True}),
    (ReCachingStrategy.when_requested(), {"strategy_name": "when_requested"}),
    (
        ReCachingStrategy.when_remote_changed(),
        {"strategy_name": "when_remote_changed", "check_interval_sec": 21600, "fallback_max_age_sec": 86400},
    ),
]


def test_the_list_has_all_of_them() -> None:
    names = [kind.__name__ for kind in ReCachingStrategy.list()]
    assert names == ["never", "age", "cron", "when_requested", "when_remote_changed"]


@pytest.mark.parametrize(("strategy", "wire"), EACH)
def test_the_server_reads_and_writes_them(strategy: Any, wire: dict[str, Any]) -> None:
    configuration = RequestCacheConfiguration(recaching_strategy=strategy)
    told = decode(encode(configuration))

    assert told["recaching_strategy"] == wire
    assert decode(encode(told), type=RequestCacheConfiguration) == configuration
    assert strategy.model_dump() == wire
    assert strategy.strategy_name == wire["strategy_name"]


def test_a_configuration_is_what_the_server_documents() -> None:
    assert RequestCacheConfiguration().model_dump() == {
        "request_id": None,
        "recaching_strategy": EACH[-1][1],
        "max_cached_unpinned_versions": 2,
        "max_cached_pinned_versions": 10,
    }


def test_a_configuration_may_be_changed_after_it_was_made() -> None:
    configuration = RequestCacheConfiguration()
    configuration.max_cached_unpinned_versions = 3
    configuration.recaching_strategy = ReCachingStrategy.when_requested()

    assert configuration.model_dump()["recaching_strategy"] == {"strategy_name": "when_requested"}
    assert RequestCacheConfiguration().max_cached_unpinned_versions == 2


@pytest.mark.parametrize(
    ("other", "is_equal"),
    [
        (ReCachingStrategy.age(seconds=5), True),
        (ReCachingStrategy.age, True),
        ("age", True),
        (ReCachingStrategy.age(seconds=6), False),
        (ReCachingStrategy.never(), False),
        (ReCachingStrategy.never, False),
        ("never", False),
        (str, False),
        (5, False),
        (None, False),
    ],
)
def test_a_strategy_equals_its_like_its_kind_and_its_name(other: Any, is_equal: bool) -> None:
    strategy: Any = ReCachingStrategy.age(seconds=5)

    assert (strategy == other, other == strategy) == (is_equal, is_equal)
    assert (strategy != other, other != strategy) == (not is_equal, not is_equal)


def test_configurations_with_other_figures_differ() -> None:
    five, six = [RequestCacheConfiguration(recaching_strategy=ReCachingStrategy.age(n)) for n in (5, 6)]
    assert five != six


@pytest.mark.parametrize(("strategy", "wire"), EACH)
def test_they_can_be_copied_and_pickled(strategy: Any, wire: dict[str, Any]) -> None:
    assert pickle.loads(pickle.dumps(strategy)) == strategy
    assert copy.deepcopy(strategy).model_dump() == wire


def test_what_a_later_server_says_more_is_ignored() -> None:
    told = b'{"recaching_strategy": {"strategy_name": "age", "seconds": 5, "jitter": 1}, "unpack_response": false}'
    assert decode(told, type=RequestCacheConfiguration).recaching_strategy == ReCachingStrategy.age(5)
