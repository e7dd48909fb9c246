"""Adaptive mode: calls are held back at the pace that the service bears, first come first served."""

from __future__ import annotations

import asyncio
from inspect import iscoroutine
from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    AsyncClient,
    Client,
    DeadlineExceededError,
    RateLimitedError,
    Request,
    Response,
    Service,
    Without,
    operation,
)
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime
from jackfield_plugins.retry import Retry
from jackfield_plugins.retry._pace import Pace, allowed_rate

GOOD, MANY = Response(200), Response(429)


class Core(Service):
    @operation
    async def send_it(self) -> int:
        return (await self.send(Request("GET", self.url("thing")))).status


class CoreClient(Core, Client): ...


class AsyncCoreClient(Core, AsyncClient): ...


def sync_client(transport: FakeTransport, *plugins: object, **options: Any) -> Any:
    return CoreClient("https://h", transport=transport, plugins=plugins, runtime=VirtualSyncRuntime(), **options)


def async_client(transport: FakeTransport, *plugins: object, **options: Any) -> Any:
    runtime = VirtualAsyncioRuntime()
    return AsyncCoreClient("https://h", transport=transport, plugins=plugins, runtime=runtime, **options)


BOTH = pytest.mark.parametrize("make", [sync_client, async_client], ids=["sync", "async"])


def get(outcome: Any) -> Any:
    return asyncio.run(outcome) if iscoroutine(outcome) else outcome


def slowed(calls: int = 100) -> Pace:
    """A pace after so many calls in a second, of which the last was refused at the second's end."""
    pace = Pace()
    for _ in range(calls):
        pace._reserve(0.0, inf)
    pace._slow_down(0.0, 1.0)
    return pace


def waits(pace: Pace, now: float, calls: int) -> list[float]:
    return [pace._reserve(now, inf) for _ in range(calls)]


# --- the rate


def test_the_rate_is_cut_to_seven_tenths_and_grows_back_in_ten_seconds_and_on() -> None:
    assert [allowed_rate(100, seconds) for seconds in (0, 5, 10, 20)] == pytest.approx([70, 85, 100, 130])


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
@settings(deadline=None, max_examples=100)
def test_the_rate_never_stops_calls_and_never_falls_with_time(peak: float, one: float, other: float) -> None:
    early, late = sorted([one, other])

    assert 0.5 <= allowed_rate(peak, early) <= allowed_rate(peak, late)


# --- turns


def test_until_the_service_objects_nobody_waits() -> None:
    assert waits(Pace(), 0.0, 1000) == [0.0] * 1000


def test_after_that_calls_go_evenly_at_the_rate_that_was_cut() -> None:
    assert waits(slowed(100), 1.0, 5) == pytest.approx([0, 1 / 70, 2 / 70, 3 / 70, 4 / 70])


def test_a_turn_that_nobody_took_is_not_made_up_for() -> None:
    pace = slowed(100)
    waits(pace, 1.0, 5)

    assert waits(pace, 11.0, 2) == pytest.approx([0, 1 / 100])


def test_the_rate_is_what_was_sent_in_the_last_whole_second_or_since() -> None:
    pace = Pace()
    waits(pace, 0.0, 40)
    waits(pace, 2.0, 10)  # 20 a second before; 10 so far in this second
    pace._slow_down(2.0, 2.5)

    assert waits(pace, 2.5, 2)[1] == pytest.approx(1 / (0.7 * 20))


def test_a_burst_after_a_long_rest_is_measured_as_such() -> None:
    pace = Pace()
    waits(pace, 0.0, 1)
    waits(pace, 3600.0, 50)
    pace._slow_down(3600.0, 3600.1)

    assert waits(pace, 3600.1, 2)[1] == pytest.approx(1 / (0.7 * 50))


@pytest.mark.parametrize("began", [0.5, 1.0, 1.9])
def test_refusals_of_what_was_sent_before_the_cut_or_in_the_second_after_it_cut_no_more(began: float) -> None:
    pace = slowed(100)
    for _ in range(50):
        pace._slow_down(began, 2.0)

    assert waits(pace, 1.0, 2)[1] == pytest.approx(1 / 70)


def test_a_refusal_of_what_was_sent_after_the_cut_cuts_again_from_the_rate_that_was_allowed() -> None:
    pace = slowed(100)
    waits(pace, 1.0, 200)
    pace._slow_down(2.0, 2.0)

    one, two = waits(pace, 2.0, 2)
    assert two - one == pytest.approx(1 / (0.7 * 73))


def test_the_rate_that_is_cut_is_what_was_sent_where_that_is_less_than_was_allowed() -> None:
    pace = slowed(100)
    waits(pace, 101.0, 20)
    waits(pace, 102.0, 1)
    pace._slow_down(102.0, 102.0)

    one, two = waits(pace, 102.0, 2)
    assert two - one == pytest.approx(1 / (0.7 * 20))


def test_a_turn_after_the_deadline_is_refused_at_once_and_taken_from_nobody() -> None:
    pace = slowed(100)
    waits(pace, 1.0, 7)  # 70 a second

    with pytest.raises(DeadlineExceededError, match=r"next turn is in 0\.1 s.*nothing was sent"):
        pace._reserve(1.0, 0.09)
    assert pace._reserve(1.0, 0.11) == pytest.approx(0.1)


# --- in the chain


@BOTH
def test_a_service_that_is_never_too_busy_costs_no_wait(make: Any) -> None:
    client = make(FakeTransport(otherwise=GOOD), Retry(adaptive=True))

    for _ in range(100):
        get(client.send_it())

    assert client.runtime.sleeps == []


@BOTH
def test_each_attempt_after_a_refusal_waits_for_its_turn(make: Any) -> None:
    client = make(FakeTransport([GOOD] * 9 + [MANY], otherwise=GOOD), Retry(adaptive=True))
    client.runtime.random = lambda: 0.0

    for _ in range(12):
        get(client.send_it())

    assert client.runtime.sleeps[0] == 0  # the backoff, of which chance made nothing
    assert client.runtime.sleeps[1:] == pytest.approx([1 / 7, 1 / 7], rel=0.05)


@BOTH
def test_a_call_that_waited_for_its_turn_counts_from_there(make: Any) -> None:
    transport = FakeTransport([MANY, GOOD, MANY], otherwise=GOOD)
    client = make(transport, Retry(max_attempts=1, adaptive=True), Without("errors"))

    for _ in range(5):
        get(client.send_it())

    first, second, third = client.runtime.sleeps
    assert first == second == pytest.approx(1 / 0.7)
    assert third > 1.8  # more than a second after the first cut there was another


@BOTH
def test_other_failures_slow_nobody_down(make: Any) -> None:
    client = make(FakeTransport([Response(503)], otherwise=GOOD), Retry(adaptive=True))
    client.runtime.random = lambda: 0.0

    for _ in range(5):
        get(client.send_it())

    assert client.runtime.sleeps == [0]


@BOTH
def test_a_call_whose_turn_is_too_late_fails_at_once(make: Any) -> None:
    transport = FakeTransport([MANY], otherwise=GOOD)
    client = make(transport, Retry(max_attempts=1, adaptive=True), timeout=1)
    with pytest.raises(RateLimitedError):
        get(client.send_it())
    get(client.send_it())

    with pytest.raises(DeadlineExceededError, match="nothing was sent") as caught:
        get(client.send_it())

    assert client.runtime.sleeps == []
    assert len(transport.requests) == 2
    assert caught.value.call is not None


@BOTH
def test_the_steps_say_in_the_chain_where_they_stand(make: Any) -> None:
    standard, adaptive = make(FakeTransport(), Retry()), make(FakeTransport(), Retry(adaptive=True))

    assert "pace" not in str(standard.chain)
    assert str(adaptive.chain).index("RETRY    retry") < str(adaptive.chain).index("LIMIT    pace")


@BOTH
def test_a_server_with_a_limit_refuses_less_and_less(make: Any) -> None:
    client: Any = None
    served: list[float] = []

    def limited(request: Request) -> Response:  # 10 a second
        now = client.runtime.elapsed
        if len([moment for moment in served if moment > now - 1]) >= 10:
            refused.append(now)
            return MANY
        served.append(now)
        return GOOD

    refused: list[float] = []
    client = make(FakeTransport(otherwise=limited), Retry(max_attempts=1, adaptive=True), Without("errors"))
    while client.runtime.elapsed < 60:
        get(client.send_it())
        client.runtime.elapsed += 0.01

    assert len(refused) < 0.1 * len(served)
    assert len(served) > 0.7 * 10 * 60
