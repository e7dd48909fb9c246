"""Single flight, between the threads of a SyncRuntime and between the tasks of an AsyncioRuntime."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from gc import collect
from threading import Event
from typing import Any, TypeAlias
from weakref import ref

import pytest

from jackfield import (
    AsyncioRuntime,
    DeadlineExceededError,
    Flights,
    NotFoundError,
    Runtime,
    SyncRuntime,
    UsageError,
)

CALLERS = 16
Work: TypeAlias = Callable[[], Awaitable[Any]]
Caller: TypeAlias = Callable[[Runtime], Awaitable[Any]]


class Key:
    """Equal to every other of its name; knows how often it was looked up: who has looked it up waits, or leads."""

    def __init__(self, name: str = "token") -> None:
        self.name = name
        self.looked_up = 0
        self.first, self.second = Event(), Event()

    def __hash__(self) -> int:
        self.looked_up += 1
        (self.first if self.looked_up == 1 else self.second).set()
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and other.name == self.name


class Together:
    """Runs callers at the same time, and waits without losing time for what they do."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def outcomes(self, callers: Sequence[Caller]) -> list[Any]:
        """What each gives or raises, in order."""
        raise NotImplementedError

    async def until(self, event: Event) -> None:
        raise NotImplementedError


class Threads(Together):
    def outcomes(self, callers: Sequence[Caller]) -> list[Any]:
        runtime = self.runtime
        assert isinstance(runtime, SyncRuntime)

        def call(caller: Caller) -> Any:
            async def work() -> Any:
                return await caller(runtime)

            try:
                return runtime.run(work())
            except BaseException as error:
                return error

        with ThreadPoolExecutor(len(callers)) as pool:
            return list(pool.map(call, callers, timeout=20))

    async def until(self, event: Event) -> None:
        assert event.wait(20)


class Tasks(Together):
    def outcomes(self, callers: Sequence[Caller]) -> list[Any]:
        async def main() -> list[Any]:
            async with asyncio.timeout(20):
                return await asyncio.gather(*(caller(self.runtime) for caller in callers), return_exceptions=True)

        return asyncio.run(main())

    async def until(self, event: Event) -> None:
        while not event.is_set():  # noqa: ASYNC110 - the event is one of threads too
            await asyncio.sleep(0)


@pytest.fixture(params=["threads", "tasks"])
def together(request: pytest.FixtureRequest) -> Together:
    return Threads(SyncRuntime()) if request.param == "threads" else Tasks(AsyncioRuntime())


def flying(key: Key, work: Work) -> Caller:
    return lambda runtime: runtime.flight(key, work)


def test_of_sixteen_callers_one_works_and_all_get_its_value(together: Together) -> None:
    keys = [Key() for _ in range(CALLERS)]
    runs: list[int] = []

    async def work() -> object:
        runs.append(1)
        for key in keys:
            await together.until(key.first)
        return token

    token = object()
    outcomes = together.outcomes([flying(key, work) for key in keys])

    assert outcomes == [token] * CALLERS
    assert len(runs) == 1


def test_callers_of_different_keys_do_not_wait_for_each_other(together: Together) -> None:
    arrived = {name: Event() for name in ("a", "b", "c")}

    def work_of(name: str) -> Work:
        async def work() -> str:
            arrived[name].set()
            for other in arrived.values():
                await together.until(other)
            return name

        return work

    outcomes = together.outcomes([flying(Key(name), work_of(name)) for name in arrived])

    assert outcomes == ["a", "b", "c"]


def test_a_flight_that_has_landed_is_not_joined(together: Together) -> None:
    runs: list[int] = []

    async def work() -> int:
        runs.append(1)
        return len(runs)

    async def twice(runtime: Runtime) -> list[int]:
        return [await runtime.flight(Key(), work), await runtime.flight(Key(), work)]

    assert together.outcomes([twice]) == [[1, 2]]


def test_a_failure_reaches_each_caller_as_an_object_of_its_own(together: Together) -> None:
    keys = [Key() for _ in range(CALLERS)]
    runs: list[int] = []

    async def work() -> None:
        runs.append(1)
        for key in keys:
            await together.until(key.first)
        error = NotFoundError("gone", status=404, code="E7")
        error.add_note("by the leader")
        raise error

    outcomes = together.outcomes([flying(key, work) for key in keys])

    assert len(runs) == 1
    assert len({id(error) for error in outcomes}) == CALLERS
    for number, error in enumerate(outcomes):
        error.add_note(f"by caller {number}")
    for number, error in enumerate(outcomes):
        assert type(error) is NotFoundError
        assert (str(error), error.status, error.code) == ("gone", 404, "E7")
        assert error.__notes__ == ["by the leader", f"by caller {number}"]


def test_a_failed_flight_is_tried_again_by_who_comes_later(together: Together) -> None:
    async def fail() -> None:
        raise NotFoundError("gone")

    async def work() -> str:
        return "here"

    async def one_after_the_other(runtime: Runtime) -> str:
        with pytest.raises(NotFoundError):
            await runtime.flight(Key(), fail)
        return await runtime.flight(Key(), work)

    assert together.outcomes([one_after_the_other]) == ["here"]


class TwoArguments(Exception):
    """Cannot be copied: its constructor wants more than `args`."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number


class FromTable(Exception):
    """Cannot be copied either, but not with a TypeError."""

    def __init__(self, code: str) -> None:
        super().__init__({"E7": "gone"}[code])


@pytest.mark.parametrize(
    "error", [TwoArguments("gone", 7), FromTable("E7"), UnicodeDecodeError("utf-8", b"x", 0, 1, "bad")]
)
def test_an_error_that_is_not_ours_reaches_every_caller_as_what_it_is(together: Together, error: Exception) -> None:
    keys = [Key() for _ in range(4)]

    async def work() -> None:
        for key in keys:
            await together.until(key.first)
        raise error

    outcomes = together.outcomes([flying(key, work) for key in keys])

    assert [type(outcome) for outcome in outcomes] == [type(error)] * 4
    assert [str(outcome) for outcome in outcomes] == [str(error)] * 4


def test_a_followers_error_says_what_caused_it(together: Together) -> None:
    keys = [Key() for _ in range(4)]

    async def work() -> None:
        for key in keys:
            await together.until(key.first)
        raise NotFoundError("gone") from OSError("the cause")

    outcomes = together.outcomes([flying(key, work) for key in keys])

    assert [repr(outcome.__cause__) for outcome in outcomes] == ["OSError('the cause')"] * 4


def test_when_the_leader_is_interrupted_one_follower_takes_over_and_the_others_follow_it(together: Together) -> None:
    keys = [Key() for _ in range(CALLERS)]
    runs: list[int] = []

    async def work() -> str:
        runs.append(1)
        if len(runs) == 1:
            for key in keys:
                await together.until(key.first)
            raise Interrupted
        for key in keys:  # the others look again, and join; who leads has looked twice from the start
            await together.until(key.second)
        return "here"

    outcomes = together.outcomes([flying(key, work) for key in keys])

    assert sorted(map(repr, outcomes)) == ["'here'"] * (CALLERS - 1) + ["Interrupted()"]
    assert len(runs) == 2


class Interrupted(BaseException):
    """As KeyboardInterrupt is in a thread: no outcome of the work, but the end of who did it."""


def test_a_cancelled_leader_leaves_its_work_to_a_follower() -> None:
    runtime = AsyncioRuntime()
    runs: list[str] = []

    async def stuck() -> str:
        runs.append("stuck")
        await asyncio.Event().wait()
        return "never"

    async def quick() -> str:
        runs.append("quick")
        return "here"

    async def main() -> list[Any]:
        leader = asyncio.ensure_future(runtime.flight("key", stuck))
        await asyncio.sleep(0)
        followers = [asyncio.ensure_future(runtime.flight("key", quick)) for _ in range(CALLERS)]
        await asyncio.sleep(0)
        leader.cancel()
        async with asyncio.timeout(20):
            return await asyncio.gather(leader, *followers, return_exceptions=True)

    outcomes = asyncio.run(main())

    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert outcomes[1:] == ["here"] * CALLERS
    assert runs[0] == "stuck"
    assert "quick" in runs


def test_a_cancelled_follower_harms_neither_the_leader_nor_the_others() -> None:
    runtime = AsyncioRuntime()
    runs: list[int] = []

    async def main() -> list[Any]:
        go = asyncio.Event()

        async def work() -> str:
            runs.append(1)
            await go.wait()
            return "here"

        callers = [asyncio.ensure_future(runtime.flight("key", work)) for _ in range(4)]
        await asyncio.sleep(0)
        callers[2].cancel()
        await asyncio.sleep(0)
        go.set()
        async with asyncio.timeout(20):
            return await asyncio.gather(*callers, return_exceptions=True)

    outcomes = asyncio.run(main())

    assert [outcomes[0], outcomes[1], outcomes[3]] == ["here"] * 3
    assert isinstance(outcomes[2], asyncio.CancelledError)
    assert len(runs) == 1


def test_threads_and_tasks_of_several_event_loops_share_one_flight() -> None:
    flights, runs = Flights(), list[int]()
    waiting = [Event() for _ in range(3)]

    async def work() -> str:
        runs.append(1)
        for event in waiting:
            assert event.wait(20)
        return "here"

    class Told(SyncRuntime):
        """Says when its caller is about to wait."""

        def signal(self) -> Any:
            waiting[0].set()
            return super().signal()

    class ToldLoop(AsyncioRuntime):
        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

        def signal(self) -> Any:
            waiting[self.number].set()
            return super().signal()

    def thread() -> str:
        runtime = Told()
        return runtime.run(flights.join(runtime, "key", work))

    def loop(number: int) -> str:
        return asyncio.run(flights.join(ToldLoop(number), "key", work))

    with ThreadPoolExecutor(4) as pool:
        leader = SyncRuntime()
        leading = pool.submit(leader.run, flights.join(leader, "key", work))
        while not runs:
            pass
        followers = [pool.submit(thread), pool.submit(loop, 1), pool.submit(loop, 2)]

        assert [one.result(timeout=30) for one in (leading, *followers)] == ["here"] * 4
    assert len(runs) == 1


@pytest.mark.parametrize("apart", [True, False])
def test_a_sync_caller_on_the_leaders_thread_does_not_wait_for_itself(apart: bool) -> None:
    flights, sync = Flights(), SyncRuntime()

    async def quick() -> str:
        return "mine"

    async def main() -> tuple[str, str]:
        runtime, begun, told = AsyncioRuntime(), asyncio.Event(), asyncio.Event()

        async def slow() -> str:
            begun.set()
            await told.wait()
            return "the leader's"

        leading = asyncio.create_task(flights.join(runtime, "key", slow))
        await begun.wait()
        try:
            mine = sync.run(flights.join(sync, "key", quick, apart=apart))
        except UsageError as error:
            mine = error.message
        told.set()
        return mine, await leading

    mine, theirs = asyncio.run(main())

    assert (mine == "mine") if apart else ("asyncio.to_thread" in mine)
    assert theirs == "the leader's"


def test_work_that_joins_its_own_flight_is_told_so(together: Together) -> None:
    keys = [Key("outer"), Key("inner")]

    def inner(runtime: Runtime) -> Coroutine[Any, Any, str]:
        async def innermost() -> str:
            return "never"

        async def other() -> str:
            return await runtime.flight(keys[0], innermost)

        async def work() -> str:
            return await runtime.flight(keys[1], other)

        return runtime.flight(keys[0], work)

    (outcome,) = together.outcomes([inner])

    assert isinstance(outcome, UsageError)
    assert "would wait for itself" in str(outcome)


def test_a_key_may_be_flown_again_after_it_was_joined_by_its_own_work(together: Together) -> None:
    def twice(runtime: Runtime) -> Coroutine[Any, Any, str]:
        async def itself() -> str:
            return await runtime.flight("key", itself)

        async def work() -> str:
            return "here"

        async def main() -> str:
            with pytest.raises(UsageError):
                await runtime.flight("key", itself)
            return await runtime.flight("key", work)

        return main()

    assert together.outcomes([twice]) == ["here"]


def test_who_gives_up_following_is_forgotten() -> None:
    flights, runtime, released = Flights(), AsyncioRuntime(), asyncio.Event()

    async def work() -> str:
        await released.wait()
        return "here"

    async def main() -> str:
        leading = asyncio.create_task(flights.join(runtime, "key", work))
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            await flights.join(runtime, "key", work, 0.001)
        assert [flight.followers for flight in flights._flying.values()] == [[]]
        released.set()
        return await leading

    assert asyncio.run(main()) == "here"


def test_nothing_is_remembered_of_a_flight_that_has_landed(together: Together) -> None:
    key = Key()
    kept = ref(key)

    async def work() -> str:
        return "here"

    together.outcomes([flying(key, work)])
    del key
    collect()

    assert kept() is None


def test_the_leaders_own_deadline_is_not_the_followers_outcome(together: Together) -> None:
    keys = [Key() for _ in range(4)]
    runs: list[int] = []

    async def work() -> str:
        runs.append(1)
        if len(runs) == 1:
            for key in keys:
                await together.until(key.first)
            raise DeadlineExceededError("the leader's")
        return "done"

    outcomes = together.outcomes([flying(key, work) for key in keys])

    assert sorted(str(outcome) for outcome in outcomes) == ["done", "done", "done", "the leader's"]


def test_a_follower_waits_no_longer_than_it_has() -> None:
    runtime = SyncRuntime()
    begun, told = Event(), Event()

    async def lead() -> str:
        begun.set()
        told.wait(10)
        return "led"

    with ThreadPoolExecutor(1) as threads:
        leader = threads.submit(runtime.run, runtime.flight("key", lead))
        assert begun.wait(10)
        with pytest.raises(TimeoutError):
            runtime.run(runtime.flight("key", lead, 0.01))
        told.set()

        assert leader.result(10) == "led"


FORKED = """
import os, sys, threading
from jackfield import Flights, SyncRuntime

flights, runtime = Flights(), SyncRuntime()
under_way, ended = threading.Event(), threading.Event()

async def slow():
    under_way.set()
    ended.wait(20)
    return "parent"

async def quick():
    return "child"

leader = threading.Thread(target=lambda: runtime.run(flights.join(runtime, "key", slow)))
leader.start()
under_way.wait(20)
child = os.fork()
if not child:
    print(runtime.run(flights.join(runtime, "key", quick, 5)), flush=True)
    os._exit(0)
os.waitpid(child, 0)
ended.set()
leader.join(20)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_forked_child_does_not_wait_for_its_parents_flights() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED], capture_output=True, text=True, timeout=30, check=False
    )

    assert (done.stdout.strip(), done.stderr) == ("child", "")


def test_misuse_by_the_leader_is_not_the_followers_outcome(together: Together) -> None:
    keys = [Key() for _ in range(4)]
    runs: list[int] = []

    async def work() -> str:
        runs.append(1)
        if len(runs) > 1:
            return "here"
        for key in keys:
            await together.until(key.first)
        raise UsageError("this client is closed")

    outcomes = together.outcomes([flying(key, work) for key in keys])

    assert sorted(str(outcome) for outcome in outcomes) == ["here"] * 3 + ["this client is closed"]


def test_a_leader_that_is_found_by_the_garbage_collector_while_another_joins_stops_nobody() -> None:
    flights, runtime = Flights(), SyncRuntime()

    class Collecting(Key):
        """Ends the coroutine that was given up, in the middle of whatever looks this up."""

        def __hash__(self) -> int:
            if abandoned:
                abandoned.pop().close()
            return hash(self.name)

    class Never:
        def __await__(self) -> Any:
            yield

    async def hang() -> str:
        await Never()
        return "never"

    async def work() -> str:
        return "here"

    leader = flights.join(runtime, Key(), hang)
    leader.send(None)
    abandoned: list[Any] = []
    key = Collecting()
    abandoned.append(leader)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(runtime.run, flights.join(runtime, key, work)).result(20) == "here"
