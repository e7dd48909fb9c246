"""The circuit breaker: opens when a service fails in a row, and closes by one probe."""

from __future__ import annotations

import asyncio
import pickle
from concurrent.futures import ThreadPoolExecutor
from math import inf, nan
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.made import Make, both, get, makers

from jackfield import (
    BodyTooLargeError,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    JackfieldError,
    PoolTimeoutError,
    ReadTimeoutError,
    Request,
    Response,
    Service,
    TLSError,
    Url,
    operation,
)
from jackfield.testing import Answer, FakeTransport, SimulatedRuntime, VirtualSyncRuntime
from jackfield_plugins.breaker import CircuitBreaker, CircuitOpenError, _Circuit
from jackfield_plugins.limits import ConcurrencyLimit, RateLimit
from jackfield_plugins.retry import Retry

GOOD, DOWN = Response(200), ConnectError("down")


class Hub(Service):
    @operation
    async def get(self, url: str = "https://h") -> int:
        return (await self.send(Request("GET", Url.parse(url)))).status


sync_client, async_client = makers(Hub)
BOTH = both(sync_client, async_client)


def outcome(client: Any, url: str = "https://h") -> str:
    """The status, or the error's name."""
    try:
        return str(get(client.get(url)))
    except JackfieldError as error:
        return type(error).__name__


def outcomes(client: Any, count: int) -> list[str]:
    return [outcome(client) for _ in range(count)]


@BOTH
@pytest.mark.parametrize(
    "failure",
    [DOWN, TLSError("who"), ConnectionLostError("cut"), ReadTimeoutError("late"), *map(Response, (502, 503, 504))],
    ids=str,
)
def test_failures_in_a_row_open_the_circuit_and_nothing_more_is_sent(make: Make, failure: Any) -> None:
    transport = FakeTransport(otherwise=failure)
    client = make(transport, CircuitBreaker())

    first, then = outcomes(client, 5), outcomes(client, 20)

    assert "CircuitOpenError" not in first
    assert then == ["CircuitOpenError"] * 20
    assert len(transport.requests) == 5


@BOTH
@pytest.mark.parametrize("status", [200, 304, 400, 401, 404, 429, 500, 501])
def test_an_answer_is_a_success_whatever_it_says(make: Make, status: int) -> None:
    answers: list[Answer] = [DOWN, DOWN, Response(status), DOWN, DOWN, DOWN]
    transport = FakeTransport(answers)
    client = make(transport, CircuitBreaker(3))

    outcomes(client, 6)

    assert outcome(client) == "CircuitOpenError"
    assert len(transport.requests) == 6


@BOTH
@pytest.mark.parametrize("error", [PoolTimeoutError("busy"), BodyTooLargeError("big"), DeadlineExceededError("late")])
def test_what_is_not_the_services_fault_is_not_held_against_it(make: Make, error: JackfieldError) -> None:
    transport = FakeTransport([DOWN, *[error] * 9, DOWN, GOOD])
    client = make(transport, CircuitBreaker(2))

    assert outcomes(client, 11)[-1] == "ConnectError"
    assert outcome(client) == "CircuitOpenError"


@pytest.mark.parametrize(("pause", "opens"), [(5.0, True), (5.1, False)])
def test_failures_further_apart_than_the_window_do_not_open_it(pause: float, opens: bool) -> None:
    runtime = VirtualSyncRuntime()
    client = sync_client(FakeTransport(otherwise=DOWN), CircuitBreaker(3, window=10), runtime=runtime)

    for _ in range(3):
        outcome(client)
        runtime.elapsed += pause

    assert outcome(client) == ("CircuitOpenError" if opens else "ConnectError")


@BOTH
def test_after_the_cooldown_one_probe_closes_it(make: Make) -> None:
    transport = FakeTransport([DOWN, DOWN], otherwise=GOOD)
    client = make(transport, CircuitBreaker(2, cooldown=30))
    outcomes(client, 2)

    client.runtime.elapsed += 29.9
    assert outcome(client) == "CircuitOpenError"
    client.runtime.elapsed += 0.1
    assert outcomes(client, 3) == ["200"] * 3


def test_failures_before_it_opened_are_forgotten_when_it_closes() -> None:
    client = sync_client(FakeTransport([DOWN, DOWN, GOOD, DOWN, GOOD]), CircuitBreaker(2))
    outcomes(client, 2)
    client.runtime.elapsed += 30

    assert outcomes(client, 3) == ["200", "ConnectError", "200"]


@BOTH
def test_a_probe_that_fails_opens_it_for_another_cooldown(make: Make) -> None:
    transport = FakeTransport([DOWN, DOWN, Response(503), GOOD])
    client = make(transport, CircuitBreaker(2, cooldown=30))
    outcomes(client, 2)

    client.runtime.elapsed += 30
    assert outcomes(client, 2) == ["UnavailableError", "CircuitOpenError"]
    client.runtime.elapsed += 29.9
    assert outcome(client) == "CircuitOpenError"
    client.runtime.elapsed += 0.1
    assert outcome(client) == "200"


def test_the_error_is_a_connect_error_that_says_why_and_when_and_that_nothing_was_sent() -> None:
    client = sync_client(FakeTransport([Response(503)]), CircuitBreaker(1, cooldown=30))
    outcome(client)
    client.runtime.elapsed += 10

    with pytest.raises(ConnectError, match=r"circuit to https://h is open.* with 503: .*in 20 s") as info:
        client.get()

    error = pickle.loads(pickle.dumps(info.value))
    assert isinstance(error, CircuitOpenError)
    assert not error.sent
    assert error.call is not None
    assert error.call.attempts == 0
    assert not error.call.may_have_been_processed


def test_each_attempt_of_a_retried_call_counts_and_no_retry_waits_for_the_circuit() -> None:
    transport, runtime = FakeTransport(otherwise=DOWN), VirtualSyncRuntime()
    client = sync_client(transport, CircuitBreaker(2), Retry(max_attempts=5), runtime=runtime)

    assert outcomes(client, 2) == ["CircuitOpenError"] * 2
    assert len(transport.requests) == 2
    assert len(runtime.sleeps) <= 2


@BOTH
def test_every_origin_has_a_circuit_of_its_own(make: Make) -> None:
    client = make(FakeTransport([DOWN], otherwise=GOOD), CircuitBreaker(1))
    outcome(client)

    assert [outcome(client, url) for url in ("https://h", "https://h:444", "http://h", "https://other")] == [
        "CircuitOpenError",
        *["200"] * 3,
    ]


@BOTH
def test_explaining_a_call_neither_asks_nor_tells_the_circuit(make: Make) -> None:
    client = make(FakeTransport([DOWN, GOOD]), CircuitBreaker(1, cooldown=30))
    explain = client.get.explain
    outcome(client)

    get(explain())
    client.runtime.elapsed += 30
    get(explain())
    assert outcome(client) == "200"


def test_it_stands_before_the_limits() -> None:
    client = sync_client(FakeTransport(), ConcurrencyLimit(1), RateLimit(1), CircuitBreaker())

    assert [part.step.name for part in client.chain.parts if part.step.stage.name == "LIMIT"] == [
        "breaker",
        "concurrency",
        "rate",
    ]


# --- many at once


class World:
    """A service that takes a second to answer, on virtual time, with what `answer` says when it has come."""

    def __init__(self, seed: int, breaker: CircuitBreaker, **options: Any) -> None:
        self.runtime = SimulatedRuntime(seed)
        self.answer: Any = DOWN
        self.transport = FakeTransport(otherwise=self.respond)
        self.client = async_client(self.transport, breaker, runtime=self.runtime, **options)

    async def respond(self, request: Request) -> Response:
        await self.runtime.sleep(1)
        if isinstance(self.answer, Exception):
            raise self.answer
        assert isinstance(self.answer, Response)
        return self.answer

    async def ask(self) -> str:
        try:
            return str(await self.client.get())
        except JackfieldError as error:
            return type(error).__name__

    async def ask_many(self, count: int) -> list[str]:
        return sorted(await self.runtime.gather(*(self.ask() for _ in range(count))))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("recovered", [False, True])
def test_of_many_who_come_after_the_cooldown_one_is_the_probe(seed: int, recovered: bool) -> None:
    world = World(seed, CircuitBreaker(3, cooldown=30))

    async def main() -> None:
        await world.ask_many(3)
        await world.runtime.sleep(30)
        world.answer = GOOD if recovered else DOWN
        sent = len(world.transport.requests)
        answers = await world.ask_many(500)
        assert answers.count("CircuitOpenError") == 499
        assert len(world.transport.requests) == sent + 1
        assert await world.ask_many(500) == (["200"] if recovered else ["CircuitOpenError"]) * 500

    world.runtime.run(main())


def test_when_the_probe_is_cancelled_the_next_caller_probes() -> None:
    world = World(0, CircuitBreaker(1, cooldown=30))

    async def main() -> None:
        await world.ask()
        await world.runtime.sleep(30)
        world.answer = GOOD
        probe = world.runtime.spawn(world.ask())
        await world.runtime.sleep(0.5)
        assert await world.ask() == "CircuitOpenError"
        probe.cancel()
        await probe.ended.wait()
        assert await world.ask() == "200"

    world.runtime.run(main())


def test_a_service_that_never_answers_opens_it_and_a_probe_that_is_not_answered_leaves_it_open() -> None:
    world = World(0, CircuitBreaker(2, cooldown=30))
    impatient = world.client.with_options(timeout=0.5)  # an answer takes longer

    async def main() -> None:
        world.answer = GOOD
        for _ in range(2):
            with pytest.raises(DeadlineExceededError):
                await impatient.get()
        assert await world.ask() == "CircuitOpenError"
        await world.runtime.sleep(30)
        with pytest.raises(DeadlineExceededError):
            await impatient.get()
        assert await world.ask() == "CircuitOpenError"
        await world.runtime.sleep(30)
        assert await world.ask() == "200"

    world.runtime.run(main())


@pytest.mark.parametrize("steps", range(25))
def test_a_probe_cancelled_after_any_number_of_steps_does_not_keep_the_circuit_open(steps: int) -> None:
    client = async_client(FakeTransport([DOWN], otherwise=GOOD), CircuitBreaker(1, cooldown=30))

    async def main() -> None:
        with pytest.raises(ConnectError):
            await client.get()
        client.runtime.elapsed += 30
        probe = asyncio.create_task(client.get())
        for _ in range(steps):
            await asyncio.sleep(0)
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
        assert await client.get() == 200

    asyncio.run(main())


@pytest.mark.parametrize(("timeout", "holds"), [(20, 20), (60, 30)])
def test_a_probe_that_never_reports_holds_the_place_for_a_cooldown_and_no_longer_than_its_call_may_last(
    timeout: float, holds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, breaker = VirtualSyncRuntime(), CircuitBreaker(1, cooldown=30)

    def silence(*_: object) -> None: ...

    def vanish(request: Request) -> Response:
        monkeypatch.setattr(_Circuit, "unknown", silence)  # as if interrupted before it could say
        raise KeyboardInterrupt

    client = sync_client(FakeTransport([DOWN, vanish, GOOD]), breaker, runtime=runtime, timeout=timeout)
    outcome(client)
    runtime.elapsed += 30
    with pytest.raises(KeyboardInterrupt):
        client.get()

    runtime.elapsed += holds - 1
    assert outcome(client) == "CircuitOpenError"
    runtime.elapsed += 1
    assert outcome(client) == "200"


class Slow(World):
    """A service whose n-th answer takes so many seconds."""

    def __init__(self, *seconds: float, cooldown: float = 30, **options: Any) -> None:
        super().__init__(0, CircuitBreaker(1, cooldown=cooldown), **({"timeout": 1000} | options))
        self.seconds = [*seconds]
        self.answers: list[Any] = []

    async def respond(self, request: Request) -> Response:
        answer = self.answers.pop(0)
        await self.runtime.sleep(self.seconds.pop(0))
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Response)
        return answer


def test_a_probe_that_hangs_keeps_its_time_and_lets_another_try_after_a_cooldown() -> None:
    world = Slow(0, 400, 1)

    async def main() -> None:
        world.answers = [DOWN, GOOD, GOOD]
        await world.ask()
        await world.runtime.sleep(30)
        hanging = world.runtime.spawn(world.ask())
        await world.runtime.sleep(29.9)
        assert await world.ask() == "CircuitOpenError"
        await world.runtime.sleep(0.1)
        assert await world.ask() == "200"
        world.seconds, world.answers = [1.0], [GOOD]
        assert await world.ask() == "200"
        assert await hanging == "200"  # nothing cut it short

    world.runtime.run(main())


def test_a_service_that_needs_longer_than_the_cooldown_is_found_well_all_the_same() -> None:
    world = Slow(0, 35, 35, 0)

    async def main() -> None:
        world.answers = [DOWN, GOOD, GOOD, GOOD]
        await world.ask()
        await world.runtime.sleep(30)
        first = world.runtime.spawn(world.ask())
        await world.runtime.sleep(30)
        second = world.runtime.spawn(world.ask())
        assert await first == "200"
        assert await world.ask() == "200"  # closed by the first probe, though there is a second
        assert await second == "200"

    world.runtime.run(main())


@pytest.mark.parametrize("later", [GOOD, DOWN])
def test_what_becomes_of_a_probe_that_hangs_does_not_speak_for_one_that_began_later(later: Any) -> None:
    world = Slow(0, 40, 20, 0)

    async def main() -> None:
        world.answers = [DOWN, DOWN, later, GOOD]
        await world.ask()
        await world.runtime.sleep(30)
        first = world.runtime.spawn(world.ask())  # fails after 40 s
        await world.runtime.sleep(30)
        second = world.runtime.spawn(world.ask())  # is answered 10 s after that
        assert await first == "ConnectError"
        assert await world.ask() == "CircuitOpenError"
        await second
        assert await world.ask() == ("200" if later is GOOD else "CircuitOpenError")

    world.runtime.run(main())


def test_a_good_answer_to_an_old_probe_does_not_outweigh_a_later_failure() -> None:
    world = Slow(0, 40, 0)

    async def main() -> None:
        world.answers = [DOWN, GOOD, DOWN]
        await world.ask()
        await world.runtime.sleep(30)
        first = world.runtime.spawn(world.ask())
        await world.runtime.sleep(30)
        assert await world.ask() == "ConnectError"
        assert await first == "200"
        assert await world.ask() == "CircuitOpenError"

    world.runtime.run(main())


def test_what_is_known_of_thousands_of_origins_is_forgotten_when_it_is_too_old_to_count() -> None:
    runtime, breaker = VirtualSyncRuntime(), CircuitBreaker(1, cooldown=30, window=60)
    client = sync_client(FakeTransport(otherwise=DOWN), breaker, runtime=runtime)

    for number in range(3000):
        runtime.elapsed += 1
        outcome(client, f"https://h{number}")

    assert len(breaker._circuits) < 800
    assert outcome(client, "https://h2999") == "CircuitOpenError"


@pytest.mark.parametrize("failures", [1, 2])
def test_what_still_counts_is_not_forgotten(failures: int) -> None:
    runtime, breaker = VirtualSyncRuntime(), CircuitBreaker(failures, cooldown=30, window=60)
    client = sync_client(FakeTransport([DOWN, DOWN], otherwise=GOOD), breaker, runtime=runtime)
    for _ in range(failures - 1):
        outcome(client)
    runtime.elapsed = 59.0
    outcome(client)

    for number in range(2000):
        outcome(client, f"https://h{number}")

    assert outcome(client) == "CircuitOpenError"
    runtime.elapsed = 59 + 30 + 60
    assert not breaker._circuits.of(Url.parse("https://h").origin, transport_call(client)).is_idle(runtime.elapsed)
    assert breaker._circuits.of(Url.parse("https://h").origin, transport_call(client)).is_idle(runtime.elapsed + 0.1)


def test_a_failure_that_may_be_the_first_in_a_row_is_remembered_however_many_origins_there_are() -> None:
    client = sync_client(FakeTransport([DOWN, *[GOOD] * 2000, DOWN]), CircuitBreaker(2))
    client.runtime.elapsed = 1000.0
    outcome(client)

    for number in range(2000):
        outcome(client, f"https://h{number}")

    assert [outcome(client), outcome(client)] == ["ConnectError", "CircuitOpenError"]


def transport_call(client: Any) -> Any:
    """Anything with the client's clock."""
    return SimpleNamespace(runtime=client.runtime)


def test_what_attempts_learn_that_started_before_it_opened_changes_nothing() -> None:
    world = World(0, CircuitBreaker(2, cooldown=30))

    async def main() -> None:
        late_failure = world.runtime.spawn(world.ask_many(6))  # two of them open it; four come later, and are ignored
        await world.runtime.sleep(0.9)
        late_success = world.runtime.spawn(world.ask())
        await late_failure
        world.answer = GOOD
        assert await late_success == "200"
        assert await world.ask() == "CircuitOpenError"
        await world.runtime.sleep(29)
        assert await world.ask() == "CircuitOpenError"
        await world.runtime.sleep(0.2)
        assert await world.ask() == "200"

    world.runtime.run(main())


def test_an_old_failure_does_not_speak_for_a_probe() -> None:
    world = World(0, CircuitBreaker(1, cooldown=0.5))

    async def main() -> None:
        first = world.runtime.spawn(world.ask())
        await world.runtime.sleep(0.7)
        old = world.runtime.spawn(world.ask())  # ends at 1.7, while the probe is under way
        await first
        await world.runtime.sleep(0.6)
        probe = world.runtime.spawn(world.ask())
        await old
        world.answer = GOOD
        assert await probe == "200"
        assert await world.ask() == "200"

    world.runtime.run(main())


def test_threads_open_it_together_and_send_one_probe() -> None:
    runtime, start = VirtualSyncRuntime(), Barrier(16)
    transport = FakeTransport(otherwise=DOWN)
    breaker = CircuitBreaker(5, cooldown=30)
    clients = [sync_client(transport, breaker, runtime=runtime) for _ in range(16)]

    def burst(client: Any) -> list[str]:
        start.wait(10)
        return outcomes(client, 20)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(burst, clients))
        assert 5 <= len(transport.requests) <= 5 + 15  # those under way when it opened
        sent = len(transport.requests)
        runtime.elapsed += 30
        answers = [name for names in threads.map(burst, clients) for name in names]

    assert len(transport.requests) == sent + 1
    assert answers.count("CircuitOpenError") == 319


@given(st.lists(st.tuples(st.sampled_from([GOOD, DOWN, Response(503)]), st.floats(0, 20)), max_size=60))
@settings(deadline=None, max_examples=100)
def test_it_behaves_as_a_model_does(script: list[tuple[Any, float]]) -> None:
    runtime = VirtualSyncRuntime()
    client = sync_client(
        FakeTransport(otherwise=lambda request: answer()), CircuitBreaker(3, window=15, cooldown=30), runtime=runtime
    )
    now: Any = None

    def answer() -> Response:
        if isinstance(now, Exception):
            raise now
        assert isinstance(now, Response)
        return now

    failed: list[float] = []
    open_until = -inf
    probing = False
    for now, pause in script:
        got = outcome(client)
        if runtime.elapsed < open_until:
            assert got == "CircuitOpenError"
        else:
            probing = open_until > -inf
            assert got == {id(GOOD): "200", id(DOWN): "ConnectError"}.get(id(now), "UnavailableError")
            failed = [] if now is GOOD else [*failed, runtime.elapsed][-3:]
            in_a_row = len(failed) == 3 and failed[-1] - failed[0] <= 15
            if now is GOOD:
                open_until = -inf
            elif probing or in_a_row:
                open_until, failed = runtime.elapsed + 30, []
        runtime.elapsed += pause


@pytest.mark.parametrize("number", [0, -1, True, 1.5, 10**30, "1", None])
def test_a_number_of_failures_that_makes_no_sense_is_refused(number: Any) -> None:
    with pytest.raises(ConfigurationError, match="failures"):
        CircuitBreaker(number)


@pytest.mark.parametrize("seconds", [0, -1, inf, nan, "1", True])
@pytest.mark.parametrize("name", ["window", "cooldown"])
def test_a_time_that_makes_no_sense_is_refused(name: str, seconds: Any) -> None:
    with pytest.raises(ConfigurationError, match=name):
        CircuitBreaker(**{name: seconds})
