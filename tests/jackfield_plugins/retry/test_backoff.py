"""How long to wait: our own choice, the service's word, and what fits; as a pure decision."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import Headers
from jackfield_plugins.retry._backoff import Backoff
from jackfield_plugins.retry._failure import Failure, Kind, Known

USUAL = Backoff(0.5, 1.0, 20.0, 60.0)
NOW = 1_700_000_000.0


def failure(kind: Kind = Kind.TRANSIENT, **fields: str) -> Failure:
    return Failure("x", kind, Known.UNSENT, Headers({name.replace("_", "-"): value for name, value in fields.items()}))


@pytest.mark.parametrize("kind", [Kind.TRANSIENT, Kind.TIMEOUT])
def test_the_window_doubles_up_to_the_cap(kind: Kind) -> None:
    assert [USUAL.window(kind, attempt) for attempt in (1, 2, 3, 6, 7, 10**9)] == [0.5, 1, 2, 16, 20, 20]


def test_after_429_it_begins_wider() -> None:
    assert [USUAL.window(Kind.THROTTLE, attempt) for attempt in (1, 2, 6)] == [1, 2, 20]


def test_what_the_service_says_is_obeyed_and_half_as_long_again_is_spread_over() -> None:
    def delay(chance: float) -> float | None:
        return USUAL.delay(failure(retry_after="10"), 1, chance, NOW, 1000.0)

    assert [delay(0.0), delay(0.5)] == [10, 10 + 0.5 * (0.5 + 5)]


def test_the_spread_ends_halfway_to_the_deadline() -> None:
    assert USUAL.delay(failure(retry_after="10"), 1, 0.5, NOW, 12.0) == 10.5


@pytest.mark.parametrize(
    ("told", "remaining", "begun"), [("10", 10.5, True), ("10", 10.0, False), ("60", 99.0, True), ("61", 99.0, False)]
)
def test_the_services_delay_fits_or_there_is_none(told: str, remaining: float, begun: bool) -> None:
    assert (USUAL.delay(failure(retry_after=told), 1, 0.0, NOW, remaining) is not None) is begun


@pytest.mark.parametrize(("remaining", "begun"), [(0.26, True), (0.25, False), (0.1, False), (0.0, False)])
def test_the_own_delay_fits_or_there_is_none(remaining: float, begun: bool) -> None:
    assert (USUAL.delay(failure(), 1, 0.5, NOW, remaining) is not None) is begun


def test_a_wish_lengthens_the_own_delay_and_no_more() -> None:
    assert USUAL.delay(failure(x_amz_retry_after="1500"), 1, 0.5, NOW, 99.0) == 1.5
    assert USUAL.delay(failure(x_amz_retry_after="90000"), 1, 0.5, NOW, 99.0) == 5.25
    assert USUAL.delay(failure(x_amz_retry_after="1500"), 1, 0.5, NOW, 1.5) is None


def test_rate_limit_fields_count_after_429_only() -> None:
    assert USUAL.delay(failure(Kind.THROTTLE, x_ratelimit_reset="9"), 1, 0.0, NOW, 99.0) == 9
    assert USUAL.delay(failure(Kind.TRANSIENT, x_ratelimit_reset="9"), 1, 0.0, NOW, 99.0) == 0


@given(
    attempt=st.integers(1, 10**6),
    chance=st.floats(0, 1, exclude_max=True),
    remaining=st.floats(-10, 1000),
    told=st.none() | st.integers(0, 10**30),
    kind=st.sampled_from(Kind),
)
@settings(deadline=None, max_examples=100)
def test_every_delay_is_bounded_obeys_the_service_and_ends_before_the_deadline(
    attempt: int, chance: float, remaining: float, told: int | None, kind: Kind
) -> None:
    failed = failure(kind) if told is None else failure(kind, retry_after=str(told))

    delay = USUAL.delay(failed, attempt, chance, NOW, remaining)

    if delay is not None:
        assert 0 <= delay < remaining
        assert (told or 0) <= delay <= (20 if told is None else told * 1.5 + 20)
