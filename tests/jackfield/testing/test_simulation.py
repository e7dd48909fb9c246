"""Many calls at once on virtual time: the same seed is the same run, and what cannot go on says why."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from typing import Any

import pytest

from jackfield import (
    AsyncClient,
    Client,
    ConfigurationError,
    DeadlineExceededError,
    NotFoundError,
    Request,
    Response,
    Service,
    SyncRuntime,
    UnavailableError,
    UsageError,
    operation,
)
from jackfield.testing import Cancelled, DeadlockError, FakeTransport, SimulatedRuntime, json_response
from jackfield_plugins.retry import Retry

SEEDS = pytest.mark.parametrize("seed", range(5))
DAY = 86_400.0


class Core(Service):
    @operation
    async def get(self, name: str) -> bytes:
        return (await self.send(Request("GET", self.url(name)))).content

    @operation
    async def wait(self, seconds: float) -> float:
        await self.runtime.sleep(seconds)
        return self.runtime.monotonic()


class Api(Core, AsyncClient): ...


class SyncApi(Core, Client): ...


def client(runtime: SimulatedRuntime, transport: Any, **options: Any) -> Api:
    return Api("https://api.example.test", runtime=runtime, transport=transport, **options)


# --- time and order


def test_sleeps_of_many_tasks_pass_side_by_side_and_at_once() -> None:
    runtime = SimulatedRuntime()

    async def sleeper(seconds: float) -> float:
        await runtime.sleep(seconds)
        return runtime.monotonic()

    async def main() -> list[float]:
        return await runtime.gather(sleeper(DAY), sleeper(3), sleeper(0), sleeper(2.5))

    assert runtime.run(main()) == [DAY, 3, 0, 2.5]
    assert runtime.elapsed == DAY


def test_now_and_monotonic_move_together_and_from_where_the_other_runtimes_start() -> None:
    runtime = SimulatedRuntime()
    began = runtime.now()

    runtime.run(runtime.sleep(7))

    assert (began, runtime.now() - began, runtime.monotonic()) == (1_700_000_000.0, 7, 7)


def test_negative_and_endless_sleeps_do_not_move_the_clock_astray() -> None:
    runtime = SimulatedRuntime()

    async def main() -> None:
        runtime.spawn(runtime.sleep(float("inf")))
        await runtime.sleep(5)
        await runtime.sleep(-3)

    runtime.run(main())

    assert runtime.elapsed == 5


def race(seed: int) -> SimulatedRuntime:
    runtime = SimulatedRuntime(seed)
    lock, order = runtime.lock(), list[int]()

    async def racer(number: int) -> None:
        for _ in range(3):
            await runtime.sleep(round(runtime.random(), 1))
            async with lock:
                order.append(number)
                await runtime.sleep(0)

    async def main() -> None:
        await runtime.gather(*(racer(number) for number in range(10)))

    runtime.run(main())
    runtime.note(repr(order))
    return runtime


@SEEDS
def test_the_same_seed_gives_the_same_run_to_the_last_event(seed: int) -> None:
    one, other = race(seed), race(seed)

    assert one.log == other.log
    assert one.digest() == other.digest()
    assert one.digest() != race(seed + 1).digest()


def test_the_same_seed_gives_the_same_run_in_another_process() -> None:
    script = (
        "from jackfield.testing import SimulatedRuntime\n"
        "r = SimulatedRuntime(5)\n"
        "async def one():\n"
        "    for _ in range(9): await r.sleep(r.random())\n"
        "    r.note(r.token_bytes(4).hex())\n"
        "async def main(): await r.gather(*(one() for _ in range(9)))\n"
        "r.run(main()); print(r.digest())"
    )

    def digest(hash_seed: str) -> str:
        environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(sys.path)}
        return subprocess.run(
            [sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True
        ).stdout

    assert digest("1") == digest("2") != ""


def test_tasks_of_one_instant_run_in_an_order_that_the_seed_decides() -> None:
    def order(seed: int) -> str:
        runtime, seen = SimulatedRuntime(seed), list[str]()

        async def one(name: str) -> None:
            await runtime.sleep(1)
            seen.append(name)

        async def main() -> None:
            await runtime.gather(*map(one, "abc"))

        runtime.run(main())
        return "".join(seen)

    assert {order(seed) for seed in range(60)} == {"abc", "acb", "bac", "bca", "cab", "cba"}


def test_jitter_and_tokens_are_those_of_the_seed() -> None:
    def drawn(seed: int) -> tuple[Any, ...]:
        runtime = SimulatedRuntime(seed)
        return runtime.token_bytes(16), runtime.random(), runtime.random()

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert 0 <= drawn(3)[1] < 1


def test_the_log_says_when_who_stopped_and_what_for() -> None:
    runtime = SimulatedRuntime()

    async def main() -> None:
        runtime.note("begun")
        await runtime.sleep(0.5)

    runtime.run(main())

    assert runtime.log == [(0, "main", "begun"), (0, "main", "0.5 s"), (0.5, "main", "ended")]


# --- tasks


def test_a_task_is_awaited_for_its_result_or_its_error_as_often_as_one_likes() -> None:
    runtime = SimulatedRuntime()

    async def good() -> int:
        await runtime.sleep(1)
        return 7

    async def bad() -> None:
        raise ValueError("no")

    async def main() -> None:
        task, failing = runtime.spawn(good(), "good"), runtime.spawn(bad())
        assert (await task, await task, task.result(), task.done, task.name) == (7, 7, 7, True, "good")
        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                await failing

    runtime.run(main())


def test_the_result_of_a_task_that_has_not_ended_is_a_mistake() -> None:
    runtime = SimulatedRuntime()

    async def main() -> None:
        task = runtime.spawn(runtime.sleep(1), "late")
        with pytest.raises(UsageError, match="late has not ended"):
            task.result()

    runtime.run(main())


def test_what_a_task_raises_that_nobody_awaits_comes_out_of_run() -> None:
    runtime = SimulatedRuntime()

    async def bad() -> None:
        raise ValueError("unseen")

    async def main() -> str:
        runtime.spawn(bad())
        await runtime.sleep(1)
        return "done"

    with pytest.raises(ValueError, match="unseen"):
        runtime.run(main())
    assert runtime.run(_value(5)) == 5  # told once


def test_what_main_raises_comes_out_of_run_first() -> None:
    runtime = SimulatedRuntime()

    async def bad(error: Exception) -> None:
        await runtime.sleep(0)
        raise error

    async def main() -> None:
        runtime.spawn(bad(ValueError("aside")))
        await runtime.sleep(1)
        raise LookupError("main")

    with pytest.raises(LookupError, match="main"):
        runtime.run(main())
    assert runtime.run(_value(5)) == 5


def test_tasks_that_are_left_are_cancelled_when_main_ends_and_may_clean_up() -> None:
    runtime, ended = SimulatedRuntime(), list[str]()

    async def forever() -> None:
        try:
            while True:
                await runtime.sleep(1)
        finally:
            await runtime.sleep(2)
            ended.append("cleaned up")

    async def main() -> None:
        runtime.spawn(forever())
        await runtime.sleep(10.5)

    runtime.run(main())

    assert ended == ["cleaned up"]
    assert runtime.elapsed == 12.5


@pytest.mark.parametrize("started", [False, True])
def test_a_cancelled_task_ends_where_it_waits_also_before_its_first_turn(started: bool) -> None:
    runtime, seen = SimulatedRuntime(), list[str]()

    async def worker() -> None:
        seen.append("started")
        try:
            await runtime.sleep(100)
        except Cancelled:
            seen.append("cancelled")
            raise

    async def main() -> None:
        task = runtime.spawn(worker())
        if started:
            await runtime.sleep(1)
        task.cancel()
        with pytest.raises(Cancelled):
            await task
        task.cancel()  # too late, and no matter

    runtime.run(main())

    assert seen == (["started", "cancelled"] if started else [])
    assert runtime.elapsed == (1 if started else 0)


def test_a_task_may_cancel_itself_which_it_learns_where_it_waits_next() -> None:
    runtime, seen = SimulatedRuntime(), list[str]()
    tasks: list[Any] = []

    async def worker() -> None:
        tasks[0].cancel()
        seen.append("still here")
        await runtime.sleep(100)

    async def main() -> None:
        tasks.append(runtime.spawn(worker()))
        with pytest.raises(Cancelled):
            await tasks[0]

    runtime.run(main())

    assert (seen, runtime.elapsed) == (["still here"], 0)


def test_the_first_of_those_gathered_to_fail_cancels_the_others() -> None:
    runtime, seen = SimulatedRuntime(), list[str]()

    async def slow() -> None:
        try:
            await runtime.sleep(100)
        finally:
            await runtime.sleep(1)
            seen.append("cleaned up")

    async def bad() -> None:
        await runtime.sleep(5)
        raise ValueError("first")

    async def main() -> None:
        with pytest.raises(ValueError, match="first"):
            await runtime.gather(slow(), bad(), slow())
        assert seen == ["cleaned up"] * 2

    runtime.run(main())

    assert runtime.elapsed == 6


def test_who_is_cancelled_while_it_gathers_cancels_those_it_gathers_and_waits_for_them() -> None:
    runtime, seen = SimulatedRuntime(), list[str]()

    async def slow() -> None:
        try:
            await runtime.sleep(100)
        finally:
            await runtime.sleep(1)
            seen.append("cleaned up")

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await runtime.within(5, runtime.gather(slow(), slow()))
        assert seen == ["cleaned up"] * 2

    runtime.run(main())


def test_nothing_gathered_is_an_empty_list() -> None:
    runtime = SimulatedRuntime()

    nothing: list[Coroutine[Any, Any, None]] = []

    assert runtime.run(runtime.gather(*nothing)) == []


def test_each_task_has_context_variables_of_its_own() -> None:
    runtime, seen = SimulatedRuntime(), list[str]()
    variable: ContextVar[str] = ContextVar("variable", default="unset")

    async def one(name: str) -> None:
        variable.set(name)
        await runtime.sleep(1)
        seen.append(f"{name} sees {variable.get()}")

    async def main() -> None:
        await runtime.gather(one("a"), one("b"))
        assert variable.get() == "unset"

    runtime.run(main())

    assert sorted(seen) == ["a sees a", "b sees b"]


# --- locks, signals, flights


@SEEDS
def test_a_lock_lets_one_in_at_a_time_and_in_the_order_they_asked(seed: int) -> None:
    runtime, inside, order = SimulatedRuntime(seed), list[int](), list[int]()
    lock = runtime.lock()

    async def one(number: int) -> None:
        await runtime.sleep(number * 8)
        async with lock:
            inside.append(number)
            await runtime.sleep(20)
            assert inside == [number]
            inside.clear()
            order.append(number)

    async def main() -> None:
        await runtime.gather(*(one(number) for number in range(8)))

    runtime.run(main())

    assert order == list(range(8))


@SEEDS
def test_who_is_cancelled_in_the_queue_of_a_lock_or_as_its_turn_comes_holds_up_nobody(seed: int) -> None:
    runtime, done = SimulatedRuntime(seed), list[str]()
    lock = runtime.lock()

    async def one(name: str) -> None:
        async with lock:
            await runtime.sleep(10)
            done.append(name)

    async def main() -> None:
        first = runtime.spawn(one("first"))
        await runtime.sleep(1)
        waiting = [runtime.spawn(one(name)) for name in ("early", "turning", "last")]
        await runtime.sleep(1)
        waiting[0].cancel()
        await first  # ends at 10, when "turning" is given the lock
        waiting[1].cancel()
        await waiting[2]

    runtime.run(main())

    assert done == ["first", "last"]
    assert runtime.elapsed == 20


def test_a_lock_is_given_back_when_what_it_guards_fails() -> None:
    runtime = SimulatedRuntime()
    lock = runtime.lock()

    async def main() -> None:
        for _ in range(2):
            with pytest.raises(ValueError, match="inside"):
                async with lock:
                    raise ValueError("inside")

    runtime.run(main())


def test_a_signal_wakes_all_who_wait_and_keeps_nobody_who_comes_later() -> None:
    runtime, woken = SimulatedRuntime(), list[float]()

    async def main() -> None:
        signal = runtime.signal()

        async def one(seconds: float | None) -> None:
            await signal.wait(seconds)
            woken.append(runtime.monotonic())

        tasks = [runtime.spawn(one(seconds)) for seconds in (None, 3, 100)]
        await runtime.sleep(5)
        signal.set()
        signal.set()
        for task in tasks:
            await task
        await signal.wait()

    runtime.run(main())

    assert woken == [3, 5, 5]
    assert runtime.elapsed == 5


def test_a_signal_that_is_set_again_changes_nothing() -> None:
    def digest(times: int) -> str:
        runtime = SimulatedRuntime()

        async def main() -> None:
            signal = runtime.signal()
            tasks = [runtime.spawn(signal.wait()) for _ in range(5)]
            await runtime.sleep(1)
            for _ in range(times):
                signal.set()
            for task in tasks:
                await task

        runtime.run(main())
        return runtime.digest()

    assert digest(1) == digest(2) == digest(3)


def test_a_signal_does_not_wake_who_gave_up_waiting_for_it() -> None:
    runtime = SimulatedRuntime()

    async def main() -> float:
        signal = runtime.signal()

        async def impatient() -> float:
            await signal.wait(1)
            await runtime.sleep(10)
            return runtime.monotonic()

        task = runtime.spawn(impatient())
        await runtime.sleep(2)
        signal.set()
        return await task

    assert runtime.run(main()) == 11


def test_callers_of_one_key_share_one_flight() -> None:
    runtime, worked = SimulatedRuntime(), list[str]()

    async def work() -> str:
        worked.append("once")
        await runtime.sleep(3)
        return "value"

    async def main() -> list[str]:
        return await runtime.gather(*(runtime.flight("key", work) for _ in range(20)))

    assert runtime.run(main()) == ["value"] * 20
    assert worked == ["once"]


@SEEDS
def test_a_follower_takes_over_when_the_leader_is_cancelled(seed: int) -> None:
    runtime, worked = SimulatedRuntime(seed), list[float]()

    async def work() -> str:
        worked.append(runtime.monotonic())
        await runtime.sleep(3)
        return "value"

    async def main() -> None:
        leader = runtime.spawn(runtime.flight("key", work))
        await runtime.sleep(1)
        followers = [runtime.spawn(runtime.flight("key", work)) for _ in range(5)]
        await runtime.sleep(1)
        leader.cancel()
        assert [await follower for follower in followers] == ["value"] * 5

    runtime.run(main())

    assert worked == [0, 2]


# --- within and offload


@pytest.mark.parametrize(("seconds", "elapsed"), [(2.5, 2.5), (0, 0), (-1, 0)])
def test_within_interrupts_the_work_in_virtual_time(seconds: float, elapsed: float) -> None:
    runtime = SimulatedRuntime()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await runtime.within(seconds, runtime.sleep(100))

    runtime.run(main())

    assert runtime.elapsed == elapsed


def test_within_leaves_work_that_is_quick_enough_alone_and_leaves_no_alarm_behind() -> None:
    runtime = SimulatedRuntime()

    async def main() -> None:
        assert await runtime.within(5, _value(7)) == 7
        await runtime.sleep(10)

    runtime.run(main())

    assert runtime.elapsed == 10


@pytest.mark.parametrize(("outer", "inner", "by"), [(1.0, 2.0, "outer"), (2.0, 1.0, "inner")])
def test_the_tighter_of_two_limits_ends_the_work_and_says_which_it_was(outer: float, inner: float, by: str) -> None:
    runtime, ended = SimulatedRuntime(), list[str]()

    async def inside() -> None:
        try:
            await runtime.within(inner, runtime.sleep(100))
        except TimeoutError:
            ended.append("inner")

    async def main() -> None:
        try:
            await runtime.within(outer, inside())
        except TimeoutError:
            ended.append("outer")

    runtime.run(main())

    assert ended == [by]
    assert runtime.elapsed == 1


@pytest.mark.parametrize("seed", range(20))
def test_of_two_limits_at_one_instant_the_outer_is_never_lost(seed: int) -> None:
    runtime = SimulatedRuntime(seed)

    async def inside() -> None:
        with pytest.raises(TimeoutError):
            await runtime.within(1, runtime.sleep(100))
        await runtime.sleep(100)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await runtime.within(1, inside())
        await runtime.sleep(10)

    runtime.run(main())

    assert runtime.elapsed == 11


@pytest.mark.parametrize("seed", range(20))
def test_a_limit_that_strikes_as_the_work_ends_is_not_felt_later(seed: int) -> None:
    runtime = SimulatedRuntime(seed)

    async def main() -> bool:
        try:
            await runtime.within(1, runtime.sleep(1))
            in_time = True
        except TimeoutError:
            in_time = False
        await runtime.sleep(10)
        return in_time

    assert runtime.run(main()) in (True, False)
    assert runtime.elapsed == 11


@pytest.mark.parametrize("seed", range(20))
def test_a_cancellation_and_a_limit_at_one_instant_both_count(seed: int) -> None:
    runtime = SimulatedRuntime(seed)

    async def worker() -> str:
        try:
            await runtime.within(1, runtime.sleep(100))
        except TimeoutError:
            await runtime.sleep(100)
        return "went on"

    async def main() -> None:
        task = runtime.spawn(worker())
        await runtime.sleep(1)
        task.cancel()
        with pytest.raises(Cancelled):
            await task

    runtime.run(main())

    assert runtime.elapsed == 1


def test_a_timeout_of_the_works_own_passes_through() -> None:
    runtime = SimulatedRuntime()

    async def work() -> None:
        raise TimeoutError("its own")

    async def main() -> None:
        with pytest.raises(TimeoutError, match="its own"):
            await runtime.within(5, work())

    runtime.run(main())


def test_what_is_offloaded_runs_inline_and_takes_the_time_it_is_said_to_take() -> None:
    runtime, ran = SimulatedRuntime(offload_seconds=2), list[float]()

    async def main() -> None:
        await runtime.offload(lambda: ran.append(runtime.monotonic()))

    runtime.run(main())

    assert (ran, runtime.elapsed) == ([0], 2)


def test_what_is_offloaded_lets_others_run_first() -> None:
    def order(seed: int) -> str:
        runtime, seen = SimulatedRuntime(seed), list[str]()

        async def one(name: str) -> None:
            seen.append(name.lower())
            await runtime.offload(lambda: seen.append(name))

        async def main() -> None:
            await runtime.gather(one("A"), one("B"))

        runtime.run(main())
        return "".join(seen)

    assert len({order(seed) for seed in range(30)}) > 2


def test_what_offloaded_work_raises_reaches_the_caller() -> None:
    runtime = SimulatedRuntime()

    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            await runtime.offload(lambda: 1 // 0)

    runtime.run(main())


# --- what goes wrong


def test_a_deadlock_says_who_waits_for_what() -> None:
    runtime = SimulatedRuntime()
    one, other = runtime.lock(), runtime.lock()

    async def first() -> None:
        async with one:
            await runtime.sleep(1)
            async with other:
                pass

    async def second() -> None:
        async with other:
            await runtime.sleep(1)
            async with one:
                pass

    async def main() -> None:
        tasks = [runtime.spawn(first(), "first"), runtime.spawn(second(), "second")]
        for task in tasks:
            await task

    with pytest.raises(DeadlockError) as caught:
        runtime.run(main())

    text = str(caught.value)
    assert "main waits for the end of first" in text
    assert "first waits for lock 2, held by second" in text
    assert "second waits for lock 1, held by first" in text


def test_after_a_deadlock_every_task_has_been_cleaned_up_and_the_runtime_can_be_used() -> None:
    runtime, cleaned = SimulatedRuntime(), list[str]()

    async def stuck() -> None:
        try:
            await runtime.signal().wait()
        finally:
            cleaned.append("up")

    with pytest.raises(DeadlockError, match=r"main waits for signal 1"):
        runtime.run(stuck())

    assert cleaned == ["up"]
    assert runtime.run(_value(3)) == 3


def test_a_task_that_will_not_end_when_it_is_cancelled_is_named() -> None:
    runtime = SimulatedRuntime()

    async def stubborn() -> None:
        try:
            await runtime.signal().wait()
        except Cancelled:
            await runtime.signal().wait()

    async def main() -> None:
        runtime.spawn(stubborn(), "stubborn")
        await runtime.sleep(1)

    with pytest.raises(DeadlockError, match="stubborn waits for signal 2"):
        runtime.run(main())
    assert runtime.run(_value(5)) == 5


@pytest.mark.parametrize("foreign", [lambda: asyncio.sleep(0), lambda: _Foreign()])
def test_awaiting_something_foreign_is_an_error_that_says_so(foreign: Callable[[], Awaitable[None]]) -> None:
    runtime = SimulatedRuntime()

    async def main() -> None:
        await foreign()

    with pytest.raises(UsageError, match="awaited something foreign"):
        runtime.run(main())


def test_a_runtime_that_runs_cannot_be_run_again_inside() -> None:
    runtime = SimulatedRuntime()

    async def main() -> None:
        with pytest.raises(UsageError, match="running already"):
            runtime.run(runtime.sleep(1))

    runtime.run(main())


def test_waiting_outside_of_run_is_an_error_that_says_so() -> None:
    runtime = SimulatedRuntime()
    runtime.run(_value(1))

    with pytest.raises(UsageError, match="inside its own `run"):
        SyncRuntime().run(runtime.signal().wait())


def test_an_interrupt_of_the_keyboard_ends_the_run_at_once() -> None:
    runtime, cleaned = SimulatedRuntime(), list[str]()

    async def aside() -> None:
        try:
            await runtime.sleep(100)
        finally:
            cleaned.append("up")

    async def main() -> None:
        runtime.spawn(aside())
        await runtime.sleep(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runtime.run(main())

    assert cleaned == ["up"]


def test_an_interrupt_of_the_keyboard_ends_the_run_from_whatever_task() -> None:
    runtime = SimulatedRuntime()

    async def interrupted() -> None:
        raise KeyboardInterrupt

    async def main() -> None:
        runtime.spawn(interrupted())
        await runtime.sleep(100)

    with pytest.raises(KeyboardInterrupt):
        runtime.run(main())
    assert runtime.elapsed == 0


def test_who_sleeps_for_ever_is_asleep_for_nothing() -> None:
    runtime = SimulatedRuntime()

    with pytest.raises(DeadlockError, match="main waits for inf s"):
        runtime.run(runtime.sleep(float("inf")))
    assert runtime.elapsed == 0


def test_a_latency_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="offload_seconds"):
        SimulatedRuntime(offload_seconds=-1)


# --- clients


def test_a_thousand_clients_call_at_once_in_no_time() -> None:
    runtime = SimulatedRuntime()

    async def slow(request: Request) -> Response:
        await runtime.sleep(3)
        return Response(200, body=request.url.path.encode())

    clients = [client(runtime, FakeTransport(otherwise=slow)) for _ in range(1000)]

    async def main() -> list[bytes]:
        return await runtime.gather(*(one.get(str(number)) for number, one in enumerate(clients)))

    assert runtime.run(main()) == [f"/{number}".encode() for number in range(1000)]
    assert runtime.elapsed == 3


def test_the_deadline_of_a_call_is_kept_to_the_instant() -> None:
    runtime = SimulatedRuntime()

    async def never(request: Request) -> Response:
        await runtime.signal().wait()
        raise AssertionError("unreachable")

    api = client(runtime, FakeTransport(otherwise=never), timeout=2.5)

    async def main() -> None:
        with pytest.raises(DeadlineExceededError) as caught:
            await api.get("a")
        assert caught.value.call is not None
        assert caught.value.call.elapsed == 2.5

    runtime.run(main())


def test_retries_wait_in_virtual_time() -> None:
    runtime = SimulatedRuntime()
    transport = FakeTransport([Response(503), Response(503)], otherwise=json_response({}))
    api = client(runtime, transport, plugins=[Retry(max_attempts=3, base=100, cap=100)], timeout=DAY)

    assert runtime.run(api.get("a")) == b"{}"

    assert len(transport.requests) == 3
    assert 0 < runtime.elapsed < 200


def test_errors_of_calls_are_those_of_any_runtime() -> None:
    runtime = SimulatedRuntime()
    api = client(runtime, FakeTransport([Response(404), Response(503)]))

    async def main() -> None:
        with pytest.raises(NotFoundError):
            await api.get("a")
        with pytest.raises(UnavailableError):
            await api.get("a")
        await api.aclose()

    runtime.run(main())


def test_operations_may_use_the_runtime_themselves() -> None:
    runtime = SimulatedRuntime()

    assert runtime.run(client(runtime, FakeTransport()).wait(5)) == 5


def test_a_sync_client_does_not_run_in_a_simulation() -> None:
    with pytest.raises(ConfigurationError, match="SyncRuntime"):
        SyncApi("https://api.example.test", runtime=SimulatedRuntime())


async def _value(value: int) -> int:
    return value


class _Foreign:
    def __await__(self) -> Any:
        yield "something"


# --- races


async def _racer(runtime: SimulatedRuntime, seconds: float, value: str, ended: list[str]) -> str:
    try:
        await runtime.sleep(seconds)
        if value == "bad":
            raise ValueError(f"bad after {seconds:g}")
        return value
    finally:
        ended.append(value)


@pytest.mark.parametrize(
    ("works", "winner", "elapsed", "ended"),
    [
        ([(10, "slow"), (1, "quick")], "quick", 4, ["quick", "slow"]),
        ([(2, "quick"), (1, "never")], "quick", 2, ["quick"]),
        ([(10, "slow"), (1, "bad"), (2, "quick")], "quick", 8, ["bad", "quick", "slow"]),
        ([(7, "first"), (9, "second")], "first", 7, ["first", "second"]),
        ([(3, "tie"), (9, "late")], "tie", 3, None),
    ],
)
def test_a_race_is_won_by_the_first_to_return_and_the_others_have_ended_then(
    works: list[tuple[float, str]], winner: str, elapsed: float, ended: list[str] | None
) -> None:
    runtime, seen = SimulatedRuntime(), list[str]()

    async def main() -> None:
        assert await runtime.race((_racer(runtime, *work, seen) for work in works), 3) == winner
        assert ended is None or seen == ended

    runtime.run(main())

    assert runtime.elapsed == elapsed


def test_a_race_that_all_lose_raises_what_the_first_raised() -> None:
    runtime = SimulatedRuntime()

    async def main() -> None:
        with pytest.raises(ValueError, match="bad after 9"):
            await runtime.race((_racer(runtime, seconds, "bad", []) for seconds in (9, 1, 2)), 3)

    runtime.run(main())

    assert runtime.elapsed == 9


def test_a_race_is_over_when_all_that_were_started_have_failed() -> None:
    runtime, seen = SimulatedRuntime(), list[str]()

    async def main() -> None:
        with pytest.raises(ValueError, match="bad after 1"):
            await runtime.race((_racer(runtime, 1, value, seen) for value in ("bad", "good")), 3)

    runtime.run(main())

    assert (seen, runtime.elapsed) == (["bad"], 1)


# --- garbage


class _Held:
    """In a circle with itself; says so when the garbage collector finds it."""

    def __init__(self, found: Callable[[], None]) -> None:
        self.itself = self
        self.found = found

    def __del__(self) -> None:
        self.found()


def test_who_waits_for_what_was_forgotten_is_woken_when_nobody_else_can_go_on() -> None:
    runtime = SimulatedRuntime()

    async def main() -> None:
        freed = runtime.signal()
        _Held(freed.set)
        await freed.wait()

    runtime.run(main())


def test_what_is_forgotten_is_found_at_the_same_step_each_time() -> None:
    def found(garbage: int) -> list[int]:
        runtime, steps = SimulatedRuntime(), list[int]()

        async def main() -> None:
            _Held(lambda: steps.append(len(runtime.log)))
            for _ in range(2500):
                [[] for _ in range(garbage)]
                await runtime.sleep(1)

        runtime.run(main())
        return steps

    assert found(0) == found(200) == [999]


def test_the_garbage_collector_is_left_as_it_was() -> None:
    SimulatedRuntime().run(_value(1))

    assert gc.isenabled()
    gc.disable()
    try:
        SimulatedRuntime().run(_value(1))
        assert not gc.isenabled()
    finally:
        gc.enable()


# --- the background


def test_what_runs_in_the_background_runs_beside_its_caller_and_ends_with_the_run() -> None:
    runtime, told = SimulatedRuntime(), list[str]()

    async def beside(name: str, seconds: float) -> None:
        try:
            await runtime.sleep(seconds)
            told.append(f"{name} done")
        finally:
            told.append(f"{name} ended")

    async def main() -> list[bool]:
        begun = [runtime.background(beside("short", 1)), runtime.background(beside("long", 100))]
        told.append("main goes on")
        await runtime.sleep(2)
        return begun

    assert runtime.run(main()) == [True, True]
    assert told == ["main goes on", "short done", "short ended", "long ended"]
    assert runtime.elapsed == 2


def test_an_error_in_the_background_stands_in_the_log_and_stops_nobody() -> None:
    runtime = SimulatedRuntime()

    async def fail() -> None:
        raise ValueError("nobody waits")

    async def main() -> str:
        runtime.background(fail())
        await runtime.sleep(1)
        return "well"

    assert runtime.run(main()) == "well"
    assert (0.0, "background", "ended by ValueError") in runtime.log


def test_a_task_sees_the_context_of_who_began_it() -> None:
    runtime, name = SimulatedRuntime(), ContextVar("name", default="nobody")

    async def read() -> str:
        return name.get()

    async def main() -> str:
        name.set("somebody")
        task = runtime.spawn(read())
        name.set("another")
        return await task

    assert runtime.run(main()) == "somebody"
    assert name.get() == "nobody"
