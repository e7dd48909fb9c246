"""Limits: in order, within the deadline, and without a trace of who gave up, whatever the thread, task or loop."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count, takewhile
from math import inf, nan
from types import FrameType
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.made import Make, both, get, makers

from jackfield import (
    AsyncioRuntime,
    Call,
    ConfigurationError,
    ConnectionLostError,
    DeadlineExceededError,
    PoolTimeoutError,
    Request,
    Response,
    Service,
    SyncRuntime,
    Url,
    operation,
)
from jackfield.testing import Cancelled, FakeTransport, SimulatedRuntime, VirtualSyncRuntime
from jackfield_plugins.limits import ConcurrencyLimit, RateLimit

GUARD = 10.0  # seconds; whoever waits that long waits in vain
TRACED = ("limits/_concurrency.py", "limits/_rate.py", "jackfield/_line.py")
MOMENT = 1e-6  # virtual seconds, so that what came first is known


class Hub(Service):
    @operation
    async def get(self, url: str = "https://h") -> int:
        return (await self.send(Request("GET", Url.parse(url)))).status

    @operation
    async def stream(self) -> Any:
        return (await self.send(Request("GET", self.url()), stream=True)).body


Answer: TypeAlias = Callable[[Request, Call], Awaitable[Response]]


class Transport:
    """Answers by a function, and counts how many are under way."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.guard = threading.Lock()
        self.now = self.most = self.sent = 0

    async def send(self, request: Request, call: Call) -> Response:
        with self.guard:
            self.sent += 1
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            return await self.answer(request, call)
        finally:
            with self.guard:
                self.now -= 1

    async def close(self) -> None: ...


class Body:
    """A streamed body of these pieces; an exception among them is raised."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = [*pieces]
        self.closed = 0

    async def read(self) -> bytes:
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece

    async def close(self) -> None:
        self.closed += 1


sync_client, async_client = makers(Hub)
BOTH = both(sync_client, async_client)


def answering(body: Any = b"") -> FakeTransport:
    return FakeTransport(otherwise=Response(200, body=body))


def free(limit: ConcurrencyLimit, places: int) -> bool:
    """Whether so many attempts, and no more, may be under way."""
    runtime = SimulatedRuntime()

    async def slow(request: Request, call: Call) -> Response:
        await runtime.sleep(1)
        return Response(200)

    transport = Transport(slow)
    client = async_client(transport, limit, runtime=runtime)

    async def call() -> None:
        with suppress(PoolTimeoutError):
            await client.get()

    async def main() -> None:
        await runtime.gather(*(call() for _ in range(2 * places + 1)))

    runtime.run(main())
    return transport.most == places


# --- concurrency


def test_no_more_attempts_are_under_way_than_allowed_and_they_start_in_order() -> None:
    runtime, started = SimulatedRuntime(7), list[str]()

    async def slow(request: Request, call: Call) -> Response:
        started.append(request.url.path)
        await runtime.sleep(1)
        return Response(200)

    transport = Transport(slow)
    client = async_client(transport, ConcurrencyLimit(3), runtime=runtime, timeout=1000)

    async def main() -> None:
        tasks: list[Any] = []
        for number in range(500):
            tasks.append(runtime.spawn(client.get(f"https://h/{number}")))
            await runtime.sleep(0.001)
        for task in tasks:
            await task

    runtime.run(main())

    assert transport.most == 3
    assert started == [f"/{number}" for number in range(500)]


@pytest.mark.parametrize("seed", range(5))
def test_tasks_that_come_at_once_all_get_their_turn(seed: int) -> None:
    runtime = SimulatedRuntime(seed)

    async def slow(request: Request, call: Call) -> Response:
        await runtime.sleep(runtime.random())
        return Response(200)

    transport = Transport(slow)
    client = async_client(transport, ConcurrencyLimit(4), runtime=runtime, timeout=10_000)

    async def main() -> list[int]:
        return await runtime.gather(*(client.get() for _ in range(500)))

    assert runtime.run(main()) == [200] * 500
    assert transport.most == 4


def test_threads_share_the_places() -> None:
    full = threading.Barrier(2)

    async def meet(request: Request, call: Call) -> Response:
        full.wait(GUARD)
        return Response(200)

    transport = Transport(meet)
    client = sync_client(transport, ConcurrencyLimit(2), runtime=SyncRuntime())
    with ThreadPoolExecutor(16) as threads:
        answers = [call.result() for call in [threads.submit(client.get) for _ in range(800)]]

    assert answers == [200] * 800
    assert transport.most == 2


def test_clients_of_both_colours_and_several_event_loops_share_the_places() -> None:
    limit, transport = ConcurrencyLimit(2), Transport(lambda request, call: pause(call))

    async def pause(call: Call) -> Response:
        await call.runtime.sleep(0)
        return Response(200)

    def calls(number: int) -> list[int]:
        if number % 2:
            client = sync_client(transport, limit, runtime=SyncRuntime())
            return [client.get() for _ in range(50)]

        async def main() -> list[int]:
            async with async_client(transport, limit, runtime=AsyncioRuntime()) as client:
                return [*await asyncio.gather(*(client.get() for _ in range(50)))]

        return asyncio.run(main())

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(calls, range(8)))

    assert answers == [[200] * 50] * 8
    assert transport.most <= 2
    assert free(limit, 2)


@BOTH
def test_every_origin_has_places_of_its_own(make: Make) -> None:
    client = make(answering(Body(b"x")), ConcurrencyLimit(1, patience=0.01))
    stream = get(client.stream())

    assert get(client.get("https://other")) == 200
    assert get(client.get("https://h:444")) == 200
    with pytest.raises(PoolTimeoutError, match="ConcurrencyLimit"):
        get(client.get("https://h"))
    assert not stream._body.closed


def test_who_has_waited_long_enough_is_told_so_and_leaves_no_trace() -> None:
    limit = ConcurrencyLimit(1, patience=2)
    runtime = SimulatedRuntime()

    async def slow(request: Request, call: Call) -> Response:
        await runtime.sleep(5)
        return Response(200)

    transport = Transport(slow)
    client = async_client(transport, limit, runtime=runtime)

    async def main() -> None:
        first = runtime.spawn(client.get())
        await runtime.sleep(1)
        with pytest.raises(PoolTimeoutError, match="for 2 s") as info:
            await client.get()
        assert runtime.elapsed == 3
        assert not info.value.sent
        assert await first == 200

    runtime.run(main())
    assert transport.sent == 1
    assert free(limit, 1)


@pytest.mark.parametrize("patience", [None, 2, 5])
def test_a_call_whose_time_is_up_while_it_waits_says_so(patience: float | None) -> None:
    limit = ConcurrencyLimit(1, patience=patience)
    runtime = SimulatedRuntime()

    async def slow(request: Request, call: Call) -> Response:
        await runtime.sleep(50)
        return Response(200)

    client = async_client(Transport(slow), limit, runtime=runtime)

    async def main() -> None:
        first = runtime.spawn(client.get())
        await runtime.sleep(0)
        with pytest.raises(DeadlineExceededError, match="within 2 s"):
            await client.with_options(timeout=2).get()
        assert runtime.elapsed == 2
        await first

    runtime.run(main())
    assert free(limit, 1)


def test_in_a_sync_client_too() -> None:
    limit = ConcurrencyLimit(1, patience=60)
    client = sync_client(answering(Body(b"x")), limit, runtime=SyncRuntime())
    stream = client.stream()

    with pytest.raises(DeadlineExceededError, match=r"within 0\.02 s"):
        client.with_options(timeout=0.02).get()

    SyncRuntime().run(stream.close())
    assert client.get() == 200


@BOTH
def test_a_stream_keeps_its_place_until_its_end(make: Make) -> None:
    client = make(answering(Body(b"a", b"b")), ConcurrencyLimit(1, patience=0.01))
    stream = get(client.stream())

    for piece in (b"a", b"b"):
        assert get(drive(stream.read())) == piece
        with pytest.raises(PoolTimeoutError):
            get(client.get())
    assert get(drive(stream.read())) == b""
    assert get(client.get()) == 200
    assert get(client.get()) == 200


def drive(work: Any) -> Any:
    return SyncRuntime().run(work)


def test_closing_a_stream_twice_gives_one_place_back() -> None:
    limit, bodies = ConcurrencyLimit(2, patience=0.01), [Body(b"a") for _ in range(4)]
    client = sync_client(FakeTransport([Response(200, body=body) for body in bodies]), limit)
    first, second = client.stream(), client.stream()

    for _ in range(3):
        drive(first.close())
    third = client.stream()
    with pytest.raises(PoolTimeoutError):
        client.stream()

    assert bodies[0].closed == 3  # it may be closed again, and knows it
    drive(second.close())
    drive(third.close())
    assert free(limit, 2)


def test_a_stream_that_fails_gives_its_place_back() -> None:
    limit = ConcurrencyLimit(1, patience=0.01)
    client = sync_client(answering(Body(ConnectionLostError("cut"), b"more")), limit)
    stream = client.stream()

    with pytest.raises(ConnectionLostError):
        drive(stream.read())

    assert free(limit, 1)


def test_a_stream_whose_close_fails_gives_its_place_back() -> None:
    class Broken(Body):
        async def close(self) -> None:
            raise OSError("broken")

    limit = ConcurrencyLimit(1, patience=0.01)
    stream = sync_client(answering(Broken(b"a")), limit).stream()

    with pytest.raises(OSError, match="broken"):
        drive(stream.close())

    assert free(limit, 1)


@pytest.mark.parametrize("in_a_circle", [False, True])
def test_a_forgotten_stream_gives_its_place_back(in_a_circle: bool) -> None:
    limit = ConcurrencyLimit(1, patience=0.01)
    stream = sync_client(answering(Body(b"a")), limit).stream()
    if in_a_circle:
        stream.itself = stream

    del stream
    if in_a_circle:
        gc.collect()

    assert free(limit, 1)


@pytest.mark.parametrize("error", [ConnectionLostError("cut"), ValueError("x"), KeyboardInterrupt(), GeneratorExit()])
@BOTH
def test_whatever_an_attempt_raises_its_place_is_free_again(make: Make, error: BaseException) -> None:
    async def fail(request: Request, call: Call) -> Response:
        raise error

    limit = ConcurrencyLimit(2)
    client = make(Transport(fail), limit)

    for _ in range(5):
        with pytest.raises(type(error)):
            get(client.get())

    assert free(limit, 2)


@BOTH
def test_what_is_only_explained_takes_no_place_and_no_time(make: Make) -> None:
    transport = answering(Body(b"x"))
    client = make(transport, ConcurrencyLimit(1, patience=0.01), RateLimit(0.001), timeout=1)
    stream = get(client.stream())

    get(client.get.explain())

    assert len(transport.requests) == 1
    assert not stream._body.closed


@pytest.mark.parametrize("steps", range(30))
def test_tasks_cancelled_after_any_number_of_steps_leave_no_trace(steps: int) -> None:
    limit = ConcurrencyLimit(2)

    async def slow(request: Request, call: Call) -> Response:
        for _ in range(5):
            await asyncio.sleep(0)
        return Response(200)

    client = async_client(Transport(slow), limit)

    async def main() -> None:
        tasks = [asyncio.create_task(client.get()) for _ in range(6)]
        for _ in range(steps):
            await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert done[1::2] == [200] * 3

    asyncio.run(main())
    assert free(limit, 2)


@pytest.mark.parametrize("seed", range(40))
def test_a_storm_of_cancellations_and_timeouts_loses_no_place(seed: int) -> None:
    runtime, limit = SimulatedRuntime(seed), ConcurrencyLimit(3, patience=4)

    async def slow(request: Request, call: Call) -> Response:
        await runtime.sleep(2 * runtime.random())
        if runtime.random() < 0.3:
            raise ConnectionLostError("cut")
        return Response(200, body=Body(b"x")) if call.stream else Response(200)

    transport = Transport(slow)
    client = async_client(transport, limit, runtime=runtime, timeout=5)

    async def call() -> None:
        stream = None
        try:
            stream = await client.stream() if runtime.random() < 0.5 else await client.get()
            await runtime.sleep(runtime.random())
            if isinstance(stream, int) or runtime.random() < 0.5:
                return  # the stream is forgotten
            await stream.close()
        finally:
            del stream  # or the traceback would keep it

    async def main() -> None:
        tasks = [runtime.spawn(call()) for _ in range(60)]
        for task in tasks:
            await runtime.sleep(0.2 * runtime.random())
            if runtime.random() < 0.5:
                task.cancel()
        for task in tasks:
            try:
                await task
            except (Cancelled, ConnectionLostError, PoolTimeoutError, DeadlineExceededError):
                pass

    runtime.run(main())
    gc.collect()
    assert transport.most <= 3
    assert free(limit, 3)


def interrupted(client: Any, line: int) -> bool:
    """Makes a call that is interrupted at so many lines of the plugin, in the order they run; whether it came to it."""
    left = line

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.endswith(TRACED) or in_del(frame):
            return None
        if event == "line":
            left -= 1
            if left == -1:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        client.get()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def in_del(frame: FrameType | None) -> bool:
    """Whether Python would swallow what is raised here."""
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None


def test_an_interrupt_at_any_line_costs_no_place() -> None:
    def survives(line: int) -> bool:
        limit = ConcurrencyLimit(1)
        client = sync_client(answering(), limit)
        client.get()
        came = interrupted(client, line)
        assert free(limit, 1), f"the {line}th line that ran"
        return came

    assert sum(takewhile(bool, map(survives, count()))) > 15


# --- rate


def starts(seed: int, limit: RateLimit, arrivals: list[float], **options: Any) -> tuple[list[float], list[int]]:
    """When attempts start of calls that arrive so many seconds after each other; and in which order."""
    runtime, times, order = SimulatedRuntime(seed), list[float](), list[int]()

    async def note(request: Request, call: Call) -> Response:
        times.append(runtime.elapsed)
        order.append(int(request.url.path[1:]))
        return Response(200)

    client = async_client(Transport(note), limit, runtime=runtime, **{"timeout": 1e6} | options)

    async def main() -> None:
        tasks: list[Any] = []
        for number, pause in enumerate(arrivals):
            await runtime.sleep(pause)
            tasks.append(runtime.spawn(client.get(f"https://h/{number}")))
            await runtime.sleep(MOMENT)
        for task in tasks:
            await task

    runtime.run(main())
    return times, order


@BOTH
def test_attempts_are_spaced_evenly(make: Make) -> None:
    client = make(answering(), RateLimit(10))

    for _ in range(4):
        get(client.get())

    assert client.runtime.sleeps == pytest.approx([0.1, 0.1, 0.1])


def test_after_a_pause_a_burst_may_start_at_once() -> None:
    times, _ = starts(0, RateLimit(2, per=4, burst=3), [0, 0, 0, 0, 0, 100, 0, 0, 0])

    assert times == pytest.approx([0, 0, 0, 2, 4, 100, 100, 100, 102], abs=0.001)


@given(
    arrivals=st.lists(st.floats(0, 3), min_size=1, max_size=30),
    burst=st.integers(1, 4),
    rate=st.sampled_from([0.5, 1, 3.0]),
    seed=st.integers(0, 3),
)
@settings(deadline=None, max_examples=60)
def test_the_starts_obey_the_rate_whatever_arrives_and_keep_the_order(
    arrivals: list[float], burst: int, rate: float, seed: int
) -> None:
    times, order = starts(seed, RateLimit(rate, burst=burst), arrivals)

    assert order == list(range(len(arrivals)))
    for first in range(len(times)):
        for last in range(first, len(times)):
            assert last - first + 1 <= burst + (times[last] - times[first]) * rate + 1e-6
    earliest = expected = -inf
    arrived = 0.0
    for pause, time in zip(arrivals, times, strict=True):  # and none starts later than it must
        arrived += pause + MOMENT
        earliest = max(arrived, earliest, expected - (burst - 1) / rate)
        assert time == pytest.approx(earliest, abs=0.001)
        expected = max(earliest, expected) + 1 / rate


@BOTH
def test_a_start_that_does_not_fit_the_deadline_fails_at_once_and_nothing_is_sent(make: Make) -> None:
    transport = answering()
    client = make(transport, RateLimit(1, per=10), timeout=5)
    get(client.get())

    for _ in range(3):
        with pytest.raises(DeadlineExceededError, match=r"start in 10 s, and the call has 5 s left: nothing was sent"):
            get(client.get())

    assert client.runtime.sleeps == []
    assert len(transport.requests) == 1
    client.runtime.elapsed += 6
    assert get(client.get()) == 200  # those that failed took no turn


def test_who_stands_too_far_behind_in_the_line_fails_at_once() -> None:
    runtime, limit = SimulatedRuntime(), RateLimit(1)
    client = async_client(answering(), limit, runtime=runtime, timeout=2.5)
    outcomes: list[tuple[float, str]] = []

    async def call() -> None:
        try:
            await client.get()
            outcomes.append((runtime.elapsed, "sent"))
        except DeadlineExceededError as error:
            outcomes.append((runtime.elapsed, str(error).split(",")[0]))

    async def main() -> None:
        await runtime.gather(*(call() for _ in range(6)))

    runtime.run(main())

    refused = "the rate limit lets this attempt start in 3 s"
    assert sorted(outcomes) == [(0, "sent"), (0, refused), (0, refused), (0, refused), (1, "sent"), (2, "sent")]


@pytest.mark.parametrize("seed", range(10))
def test_those_who_give_up_leave_no_gap(seed: int) -> None:
    runtime, times = SimulatedRuntime(seed), list[float]()

    async def note(request: Request, call: Call) -> Response:
        times.append(runtime.elapsed)
        return Response(200)

    client = async_client(Transport(note), RateLimit(1), runtime=runtime, timeout=1000)

    async def main() -> None:
        tasks: list[Any] = []
        for _ in range(20):
            tasks.append(runtime.spawn(client.get()))
            await runtime.sleep(MOMENT)
        await runtime.sleep(0.5)
        for task in tasks[1:15]:
            task.cancel()
        for task in (tasks[0], *tasks[15:]):
            await task

    runtime.run(main())

    assert times == pytest.approx([0, 1, 2, 3, 4, 5])


@pytest.mark.parametrize("steps", range(15))
def test_a_task_cancelled_after_any_number_of_steps_holds_up_nobody(steps: int) -> None:
    limit = RateLimit(1000)
    client = async_client(answering(), limit)

    async def main() -> None:
        tasks = [asyncio.create_task(client.get()) for _ in range(6)]
        for _ in range(steps):
            await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert done[1::2] == [200] * 3
        assert await client.get() == 200

    asyncio.run(asyncio.wait_for(main(), GUARD))


def test_threads_share_a_rate() -> None:
    limit, transport = RateLimit(20_000), answering()
    client = sync_client(transport, limit, runtime=SyncRuntime())
    start = SyncRuntime().monotonic()

    with ThreadPoolExecutor(16) as threads:
        answers = [call.result() for call in [threads.submit(client.get) for _ in range(400)]]

    assert answers == [200] * 400
    assert SyncRuntime().monotonic() - start >= 399 / 20_000


def test_the_rate_is_that_of_each_origin() -> None:
    runtime = VirtualSyncRuntime()
    client = sync_client(answering(), RateLimit(1), runtime=runtime)

    for origin in ("https://h", "https://h:444", "http://h"):
        client.get(origin)

    assert runtime.sleeps == []


def test_an_interrupt_at_any_line_holds_up_nobody() -> None:
    def survives(line: int) -> bool:
        client = sync_client(answering(), RateLimit(1), timeout=GUARD)
        client.get()
        came = interrupted(client, line)
        assert client.get() == 200
        return came

    assert sum(takewhile(bool, map(survives, count()))) > 15


# --- both


def test_a_rate_is_kept_by_attempts_that_have_a_place() -> None:
    client = sync_client(answering(), RateLimit(1), ConcurrencyLimit(1))

    names = [part.step.name for part in client.chain.parts if part.step.stage.name == "LIMIT"]

    assert names == ["concurrency", "rate"]


@pytest.mark.parametrize("number", [0, -1, True, 1.0, "1", None])
def test_a_number_of_attempts_that_makes_no_sense_is_refused(number: Any) -> None:
    with pytest.raises(ConfigurationError, match="limit must be a whole number of 1 or more"):
        ConcurrencyLimit(number)
    with pytest.raises(ConfigurationError, match="burst must be a whole number from 1"):
        RateLimit(1, burst=number)


@pytest.mark.parametrize("rate", [0, -1, nan, inf, 1e16, 10**400, True, "1", None])
def test_a_rate_that_makes_no_sense_is_refused(rate: Any) -> None:
    with pytest.raises(ConfigurationError, match="rate must be a number"):
        RateLimit(rate)


@pytest.mark.parametrize("seconds", [0, -1, nan, inf, True, "1"])
def test_a_time_that_makes_no_sense_is_refused(seconds: Any) -> None:
    with pytest.raises(ConfigurationError, match="patience"):
        ConcurrencyLimit(1, patience=seconds)
    with pytest.raises(ConfigurationError, match="per"):
        RateLimit(1, per=seconds)


@BOTH
def test_limits_as_large_as_numbers_go_limit_nothing(make: Make) -> None:
    client = make(answering(), ConcurrencyLimit(10**30), RateLimit(1e15, burst=10**15))

    assert [get(client.get()) for _ in range(5)] == [200] * 5
    assert client.runtime.sleeps == []


def test_more_than_a_float_can_count_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="burst must be a whole number from 1"):
        RateLimit(1, burst=10**16)


def test_the_lines_and_rates_of_thousands_of_origins_are_forgotten_when_they_have_rested() -> None:
    runtime, concurrency, rate = VirtualSyncRuntime(), ConcurrencyLimit(1), RateLimit(0.01)
    client = sync_client(answering(), concurrency, rate, runtime=runtime, timeout=1e6)

    for number in range(3000):
        runtime.elapsed += 1
        client.get(f"https://h{number}")
    client.get("https://h2999")

    assert len(concurrency._lines) < 600
    assert len(rate._turns) < 600
    assert runtime.sleeps == [100]  # what counts is remembered


def test_a_streams_place_is_remembered_however_many_origins_there_are() -> None:
    client = sync_client(answering(Body(b"x")), ConcurrencyLimit(1, patience=0.01))
    stream = client.stream()

    for number in range(1000):
        client.get(f"https://h{number}")

    with pytest.raises(PoolTimeoutError):
        client.get()
    drive(stream.close())
    assert client.get() == 200


def test_a_rate_of_one_in_a_century_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="per / rate"):
        RateLimit(1e-300, per=1e8)
