"""Adaptive mode: calls are held back at the pace that the service bears, first come first served."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.made import Make, both, get, makers

from jackfield import (
    Call,
    DeadlineExceededError,
    RateLimitedError,
    Request,
    Response,
    Service,
    Url,
    Without,
    operation,
)
from jackfield.testing import FakeTransport, SimulatedRuntime, VirtualSyncRuntime
from jackfield_plugins.retry import Retry
from jackfield_plugins.retry._pace import Pace, allowed_rate

GOOD, MANY = Response(200), Response(429)


class Core(Service):
    @operation
    async def send_it(self, url: str = "https://h") -> int:
        return (await self.send(Request("GET", Url.parse(url)))).status


sync_client, async_client = makers(Core)
BOTH = both(sync_client, async_client)


class Keeping:
    """A transport that remembers the call."""

    call: Call

    async def send(self, request: Request, call: Call) -> Response:
        self.call = call
        return GOOD

    async def close(self) -> None: ...


class Paced:
    """A pace, and calls that ask it for their turns; `slowed`: after 100 in a second, of which the last was refused."""

    def __init__(self, *, slowed: bool = False) -> None:
        self.runtime = VirtualSyncRuntime()
        self.pace = Pace()
        transport = Keeping()
        sync_client(transport, runtime=self.runtime, timeout=1e6).send_it()
        self.call = transport.call
        if slowed:
            self.turns(100)
            self.runtime.elapsed = 1.0
            self.pace.slow_down(0.0, 1.0)

    def turns(self, calls: int) -> list[float]:
        """When so many calls, one after the other, have their turns."""
        return [self.runtime.run(self.pace.turn(self.call)) for _ in range(calls)]

    def gap(self) -> float:
        """Seconds between two turns from now."""
        one, two = self.turns(2)
        return two - one


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
    assert Paced().turns(1000) == [0.0] * 1000


def test_after_that_calls_go_evenly_at_the_rate_that_was_cut() -> None:
    turns = Paced(slowed=True).turns(5)

    assert turns == pytest.approx([1, 1 + 1 / 70, 1 + 2 / 70, 1 + 3 / 70, 1 + 4 / 70], abs=1e-3)


def test_calls_go_faster_as_the_rate_recovers_also_those_that_have_waited_for_long() -> None:
    paced = Paced(slowed=True)

    assert len([turn for turn in paced.turns(900) if turn < 11]) == pytest.approx(850, abs=2)  # 70 to 100 a second


def test_a_turn_that_nobody_took_is_not_made_up_for() -> None:
    paced = Paced(slowed=True)
    paced.turns(5)
    paced.runtime.elapsed = 11.0

    assert paced.turns(2) == pytest.approx([11, 11 + 1 / 100])


def test_the_rate_is_what_was_sent_in_the_last_whole_second_or_since() -> None:
    paced = Paced()
    paced.turns(40)
    paced.runtime.elapsed = 2.0
    paced.turns(10)  # 20 a second before; 10 so far in this second
    paced.pace.slow_down(2.0, 2.5)
    paced.runtime.elapsed = 2.5

    assert paced.gap() == pytest.approx(1 / (0.7 * 20))


def test_a_burst_after_a_long_rest_is_measured_as_such() -> None:
    paced = Paced()
    paced.turns(1)
    paced.runtime.elapsed = 3600.0
    paced.turns(50)
    paced.pace.slow_down(3600.0, 3600.1)
    paced.runtime.elapsed = 3600.1

    assert paced.gap() == pytest.approx(1 / (0.7 * 50))


@pytest.mark.parametrize("began", [0.5, 1.0, 1.9])
def test_refusals_of_what_was_sent_before_the_cut_or_in_the_second_after_it_cut_no_more(began: float) -> None:
    paced = Paced(slowed=True)
    for _ in range(50):
        paced.pace.slow_down(began, 2.0)

    assert paced.gap() == pytest.approx(1 / 70)


def test_a_refusal_of_what_was_sent_after_the_cut_cuts_again_from_the_rate_that_was_allowed() -> None:
    paced = Paced(slowed=True)
    paced.pace._count = 200  # as many threads would have made it
    paced.runtime.elapsed = 2.0
    paced.pace.slow_down(2.0, 2.0)

    assert paced.gap() == pytest.approx(1 / (0.7 * 73))


def test_the_rate_that_is_cut_is_what_was_sent_where_that_is_less_than_was_allowed() -> None:
    paced = Paced(slowed=True)
    paced.runtime.elapsed = 101.0
    paced.turns(20)
    paced.runtime.elapsed = 102.0
    paced.turns(1)
    paced.pace.slow_down(102.0, 102.0)

    paced.turns(1)  # whose time was set before
    assert paced.gap() == pytest.approx(1 / (0.7 * 20), rel=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_fifty_callers_who_gave_up_while_they_waited_do_not_delay_the_next(seed: int) -> None:
    runtime, sent = SimulatedRuntime(seed), list[float]()

    def note(request: Request) -> Response:
        sent.append(runtime.elapsed)
        return MANY if len(sent) == 1 else GOOD

    transport = FakeTransport(otherwise=note)
    retry = Retry(max_attempts=1, adaptive=True)
    client = async_client(transport, retry, Without("errors"), runtime=runtime, timeout=1000)

    async def main() -> None:
        await client.send_it()
        await client.send_it()  # from here on there is a gap
        crowd = [runtime.spawn(client.send_it()) for _ in range(50)]
        await runtime.sleep(0.1)
        last = runtime.spawn(client.send_it())
        await runtime.sleep(0.1)
        for task in crowd:
            task.cancel()
        await last

    runtime.run(main())

    assert sent == pytest.approx([0, 0, 1 / 0.7])


# --- in the chain


@BOTH
def test_a_service_that_is_never_too_busy_costs_no_wait(make: Make) -> None:
    client = make(FakeTransport(otherwise=GOOD), Retry(adaptive=True))

    for _ in range(100):
        get(client.send_it())

    assert client.runtime.sleeps == []


@BOTH
def test_each_attempt_after_a_refusal_waits_for_its_turn(make: Make) -> None:
    client = make(FakeTransport([GOOD] * 9 + [MANY], otherwise=GOOD), Retry(adaptive=True))
    client.runtime.random = lambda: 0.0

    for _ in range(12):
        get(client.send_it())

    assert client.runtime.sleeps[0] == 0  # the backoff, of which chance made nothing
    assert client.runtime.sleeps[1:] == pytest.approx([1 / 7, 1 / 7], rel=0.05)


@BOTH
def test_a_call_that_waited_for_its_turn_counts_from_there(make: Make) -> None:
    transport = FakeTransport([MANY, GOOD, MANY], otherwise=GOOD)
    client = make(transport, Retry(max_attempts=1, adaptive=True), Without("errors"))

    for _ in range(5):
        get(client.send_it())

    first, second, third = client.runtime.sleeps
    assert first == pytest.approx(1 / 0.7)
    assert second == pytest.approx(1 / (0.7 + 0.03 / 0.7))  # the rate grows meanwhile
    assert third > 1.8  # more than a second after the first cut there was another


@BOTH
def test_other_failures_slow_nobody_down(make: Make) -> None:
    client = make(FakeTransport([Response(503)], otherwise=GOOD), Retry(adaptive=True))
    client.runtime.random = lambda: 0.0

    for _ in range(5):
        get(client.send_it())

    assert client.runtime.sleeps == [0]


@BOTH
def test_a_call_whose_turn_is_too_late_fails_at_once(make: Make) -> None:
    transport = FakeTransport([MANY], otherwise=GOOD)
    client = make(transport, Retry(max_attempts=1, adaptive=True), timeout=1)
    with pytest.raises(RateLimitedError):
        get(client.send_it())
    get(client.send_it())

    with pytest.raises(
        DeadlineExceededError, match=r"the service bears lets .* in 1\.43 s, .*nothing was sent"
    ) as caught:
        get(client.send_it())

    assert client.runtime.sleeps == []
    assert len(transport.requests) == 2
    assert caught.value.call is not None


@BOTH
def test_what_is_only_explained_takes_no_turn_and_no_time(make: Make) -> None:
    client = make(FakeTransport([MANY], otherwise=GOOD), Retry(max_attempts=1, adaptive=True), Without("errors"))
    get(client.send_it())
    get(client.send_it())

    for _ in range(3):
        get(client.send_it.explain())

    assert client.runtime.sleeps == []


@BOTH
def test_each_origin_has_a_pace_of_its_own(make: Make) -> None:
    client = make(FakeTransport([MANY], otherwise=GOOD), Retry(max_attempts=1, adaptive=True), Without("errors"))
    get(client.send_it())

    for _ in range(5):
        get(client.send_it("https://other"))

    assert client.runtime.sleeps == []


def test_the_paces_of_thousands_of_origins_are_forgotten_when_they_have_rested() -> None:
    retry, transport = Retry(max_attempts=1, adaptive=True), FakeTransport(otherwise=GOOD)
    client = sync_client(transport, retry)
    paces = retry._steps[1].run.__self__._paces  # type: ignore[attr-defined]  # a bound method

    for number in range(2000):
        client.runtime.elapsed += 1
        client.send_it(f"https://h{number}")

    assert len(paces) < 600


def test_a_pace_is_not_forgotten_while_it_counts() -> None:
    paced = Paced(slowed=True)

    assert not paced.pace.is_idle(61.0)
    assert paced.pace.is_idle(61.1)
    paced.runtime.elapsed = 61.0
    paced.turns(1)
    assert not paced.pace.is_idle(62.0)
    assert not paced.pace.is_idle(121.0)
    assert paced.pace.is_idle(121.1)


@BOTH
def test_the_steps_say_in_the_chain_where_they_stand(make: Make) -> None:
    standard, adaptive = make(FakeTransport(), Retry()), make(FakeTransport(), Retry(adaptive=True))

    assert "pace" not in str(standard.chain)
    assert str(adaptive.chain).index("RETRY    retry") < str(adaptive.chain).index("LIMIT    pace")


@BOTH
def test_a_server_with_a_limit_refuses_less_and_less(make: Make) -> None:
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
