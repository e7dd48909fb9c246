"""Lines and turns: in order, with nothing left of who gave up, whatever the thread, task, loop or process."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count, pairwise, takewhile
from linecache import getline
from math import inf
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from jackfield import (
    ByOrigin,
    Call,
    Client,
    DeadlineExceededError,
    Line,
    Origin,
    Place,
    Request,
    Response,
    Runtime,
    Service,
    SyncRuntime,
    Turns,
    operation,
)
from jackfield.testing import Cancelled, SimulatedRuntime, VirtualAsyncioRuntime, VirtualSyncRuntime

GUARD = 10.0  # seconds; whoever waits that long waits in vain


class Hub(Service, Client):
    @operation
    async def get(self) -> None:
        await self.send(Request("GET", self.url()))


class Keeping:
    """A transport that remembers the call."""

    call: Call

    async def send(self, request: Request, call: Call) -> Response:
        self.call = call
        return Response(200)

    async def close(self) -> None: ...


def a_call(runtime: Runtime, timeout: float = 1e6) -> Call:
    """A call of that runtime, with so many seconds left, whatever its colour."""
    transport = Keeping()
    Hub("https://h", transport=transport, plugins=[], runtime=VirtualSyncRuntime()).get()
    call = transport.call
    call.runtime = runtime
    call.timeout, call.deadline = timeout, runtime.monotonic() + timeout
    return call


# --- a line


class LineMachine(RuleBasedStateMachine):
    """Against a list: who came, in order; the first three are in."""

    def __init__(self) -> None:
        super().__init__()
        self.line = Line(3)
        self.places: list[Place] = []

    @rule()
    def join(self) -> None:
        place = Place(self.line)
        assert place.take() == len(self.places)
        self.places.append(place)

    @precondition(lambda self: self.places)
    @rule(data=st.data(), again=st.booleans())
    def leave(self, data: st.DataObject, again: bool) -> None:
        place = self.places.pop(data.draw(st.integers(0, len(self.places) - 1)))
        for _ in range(1 + again):
            place.leave()

    @precondition(lambda self: self.places)
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        del self.places[data.draw(st.integers(0, len(self.places) - 1))]

    @invariant()
    def the_first_three_are_in(self) -> None:
        assert [place.is_in for place in self.places] == [n < 3 for n in range(len(self.places))]
        assert self.line.is_idle(0.0) == (not self.places)


LineMachine.TestCase.settings = settings(deadline=None, max_examples=100, stateful_step_count=40)
TestLine = LineMachine.TestCase


def test_a_place_that_was_never_taken_is_left_without_a_trace() -> None:
    line = Line(1)

    Place(line).leave()

    assert Place(line).take() == 0


def test_who_waits_is_called_when_its_turn_has_come_and_no_sooner() -> None:
    runtime, line, came = SimulatedRuntime(), Line(1), list[tuple[float, int]]()

    async def stand(number: int) -> None:
        place = Place(line)
        place.take()
        assert await place.wait(a_call(runtime), inf)
        came.append((runtime.elapsed, number))
        await runtime.sleep(1)
        place.leave()

    async def main() -> None:
        tasks: list[Any] = []
        for number in range(4):
            tasks.append(runtime.spawn(stand(number)))
            await runtime.sleep(0.001)
        for task in tasks:
            await task

    runtime.run(main())

    assert [(round(time, 1), number) for time, number in came] == [(0, 0), (1, 1), (2, 2), (3, 3)]


def test_who_has_waited_long_enough_is_told_so() -> None:
    runtime, line = SyncRuntime(), Line(1)
    first, second = Place(line), Place(line)
    first.take()
    second.take()

    assert not runtime.run(second.wait(a_call(runtime), 0.01))
    first.leave()
    assert runtime.run(second.wait(a_call(runtime), GUARD))
    assert runtime.run(second.wait(a_call(runtime), inf))


def test_a_thread_may_wait_for_ever_and_all_who_are_in_by_one_that_left_are_called() -> None:
    line, runtime, told = Line(3), SyncRuntime(), list[bool]()
    places = [Place(line) for _ in range(5)]
    for place in places:
        place.take()

    def wait(place: Place) -> None:
        told.append(runtime.run(place.wait(a_call(runtime), inf)))

    threads = [threading.Thread(target=wait, args=(place,), daemon=True) for place in places[3:]]
    for thread in threads:
        thread.start()
    for place in places[:2]:
        place.leave()
    for thread in threads:
        thread.join(GUARD)

    assert told == [True, True]


def test_threads_and_tasks_of_two_loops_stand_in_one_line_in_the_order_in_which_they_came() -> None:
    line, order, standing = Line(1), list[int](), threading.Semaphore(0)

    async def stand(number: int, runtime: Any) -> None:
        place = Place(line)
        try:
            place.take()
            standing.release()
            assert await place.wait(a_call(runtime), GUARD)
            order.append(number)
        finally:
            place.leave()

    def thread(number: int) -> None:
        if number % 3 == 0:
            runtime = SyncRuntime()
            runtime.run(stand(number, runtime))
        else:
            asyncio.run(stand(number, VirtualAsyncioRuntime()))

    first = Place(line)
    first.take()
    threads = [threading.Thread(target=thread, args=(number,)) for number in range(12)]
    for one in threads:
        one.start()
        assert standing.acquire(timeout=GUARD)
    first.leave()
    for one in threads:
        one.join(GUARD)

    assert order == list(range(12))


# --- turns


def test_turns_are_an_interval_apart_and_a_burst_is_tolerated() -> None:
    runtime = VirtualSyncRuntime()
    turns = Turns("it", lambda now: 2.0, tolerance=4.0)
    call = a_call(runtime)

    assert [runtime.run(turns.take(call)) for _ in range(5)] == [0, 0, 0, 2, 4]


def test_the_interval_may_change_and_is_asked_when_a_turn_is_taken() -> None:
    runtime = VirtualSyncRuntime()
    turns = Turns("it", lambda now: now + 1)
    call = a_call(runtime)

    assert [runtime.run(turns.take(call)) for _ in range(5)] == [0, 1, 3, 7, 15]


def test_a_turn_that_nobody_took_is_not_made_up_for() -> None:
    runtime = VirtualSyncRuntime()
    turns = Turns("it", lambda now: 1.0)
    call = a_call(runtime)
    runtime.run(turns.take(call))

    runtime.elapsed = 100.5

    assert [runtime.run(turns.take(call)) for _ in range(3)] == [100.5, 101.5, 102.5]


def test_turns_are_idle_when_nobody_waits_and_the_next_may_start_at_once() -> None:
    runtime = VirtualSyncRuntime()
    turns = Turns("it", lambda now: 2.0)
    assert turns.is_idle(0)

    runtime.run(turns.take(a_call(runtime)))

    assert not turns.is_idle(1.9)
    assert turns.is_idle(2)
    place = Place(turns._line)
    place.take()
    assert not turns.is_idle(2)


def test_who_wakes_too_early_sleeps_on() -> None:
    class Restless(VirtualSyncRuntime):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(min(seconds, 0.3))

    runtime, turns = Restless(), Turns("it", lambda now: 1.0)
    call = a_call(runtime)

    assert [runtime.run(turns.take(call)) for _ in range(3)] == pytest.approx([0, 1, 2])


def test_a_turn_after_the_deadline_is_refused_at_once_and_taken_from_nobody() -> None:
    runtime = VirtualSyncRuntime()
    turns = Turns("the moon", lambda now: 10.0)
    runtime.run(turns.take(a_call(runtime)))

    for timeout in (1.0, 10.0):
        with pytest.raises(
            DeadlineExceededError, match=rf"the moon lets .* in 10 s, .* has {timeout:g} s left: nothing"
        ):
            runtime.run(turns.take(a_call(runtime, timeout)))

    assert runtime.sleeps == []
    assert runtime.run(turns.take(a_call(runtime, 10.1))) == 10


def test_who_stands_too_far_behind_is_refused_at_once() -> None:
    runtime, turns = SimulatedRuntime(), Turns("it", lambda now: 1.0)
    refused: list[float] = []

    async def take(timeout: float) -> None:
        try:
            await turns.take(a_call(runtime, timeout))
        except DeadlineExceededError:
            refused.append(runtime.elapsed)

    async def main() -> None:
        tasks = [runtime.spawn(take(timeout)) for timeout in (9, 9, 9, 9)]
        await runtime.sleep(0.5)
        await take(3.4)  # three stand before it, and 0.5 s of the first's wait are over
        await take(3.6)
        for task in tasks:
            await task

    runtime.run(main())

    assert refused == [0.5]


def test_who_came_out_of_line_too_late_says_so() -> None:
    runtime, turns = SimulatedRuntime(), Turns("it", lambda now: 1.0)

    async def main() -> None:
        await turns.take(a_call(runtime))
        place = Place(turns._line)
        place.take()  # somebody who does not go on
        with pytest.raises(DeadlineExceededError, match="within 5 s"):
            await turns.take(a_call(runtime, 5))
        assert runtime.elapsed == 5
        place.leave()
        assert await turns.take(a_call(runtime, 5)) == 5

    runtime.run(main())


@pytest.mark.parametrize("seed", range(10))
def test_fifty_cancelled_tasks_do_not_delay_the_next(seed: int) -> None:
    runtime, turns = SimulatedRuntime(seed), Turns("it", lambda now: 1.0)

    async def take() -> float:
        return await turns.take(a_call(runtime))

    async def main() -> None:
        assert await take() == 0
        tasks = [runtime.spawn(take()) for _ in range(50)]
        await runtime.sleep(0.5)
        last = runtime.spawn(take())
        await runtime.sleep(0)
        for task in tasks:
            task.cancel()
        assert await last == 1
        assert turns.is_idle(2)

    runtime.run(main())


class Giving(VirtualSyncRuntime):
    """Everybody who waits in it is interrupted, as by Ctrl-C, when `up` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.up = threading.Event()
        self.waiting = threading.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        await self.wait()

    def signal(self) -> Any:
        return self

    def set(self) -> None: ...

    async def wait(self, seconds: float | None = None) -> None:
        self.waiting.release()
        assert self.up.wait(GUARD)
        raise KeyboardInterrupt


def test_fifty_interrupted_threads_do_not_delay_the_next() -> None:
    turns, giving, patient = Turns("it", lambda now: 1.0), Giving(), VirtualSyncRuntime()
    patient.run(turns.take(a_call(patient)))
    told: list[float] = []

    def give_up() -> None:
        with suppress(KeyboardInterrupt):
            giving.run(turns.take(a_call(giving)))

    def last() -> None:
        told.append(patient.run(turns.take(a_call(patient))))

    threads = [threading.Thread(target=give_up) for _ in range(50)]
    for thread in threads:
        thread.start()
        assert giving.waiting.acquire(timeout=GUARD)
    threads.append(threading.Thread(target=last))
    threads[-1].start()
    giving.up.set()
    for thread in threads:
        thread.join(GUARD)

    assert told == [1]
    assert patient.sleeps == [1]
    assert turns.is_idle(2)


def test_a_task_whose_loop_has_ended_holds_up_nobody() -> None:
    turns, runtime = Turns("it", lambda now: 0.0), VirtualSyncRuntime()
    ahead = Place(turns._line)
    ahead.take()

    async def main() -> None:
        forgotten.append(asyncio.ensure_future(turns.take(a_call(VirtualAsyncioRuntime()))))
        await asyncio.sleep(0)

    forgotten: list[Any] = []
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    forgotten[0]._log_destroy_pending = False
    forgotten.clear()
    loop.close()
    gc.collect()
    ahead.leave()

    assert runtime.run(turns.take(a_call(runtime, 1))) == 0


@given(
    arrivals=st.lists(st.floats(0, 3), min_size=1, max_size=25),
    given_up=st.sets(st.integers(0, 24)),
    seed=st.integers(0, 3),
)
@settings(deadline=None, max_examples=60)
def test_whoever_gives_up_the_others_start_as_if_it_had_never_come(
    arrivals: list[float], given_up: set[int], seed: int
) -> None:
    def starts(leaving: set[int], coming: set[int]) -> list[float]:
        runtime, turns, times = SimulatedRuntime(seed), Turns("it", lambda now: 1.0), list[float]()

        async def take() -> None:
            times.append(await turns.take(a_call(runtime)))

        async def main() -> None:
            tasks: dict[int, Any] = {}
            for number, pause in enumerate(arrivals):
                await runtime.sleep(pause)
                if number in coming:
                    tasks[number] = runtime.spawn(take())
                await runtime.sleep(1e-6)
                if number in leaving and not tasks[number].done:
                    tasks[number].cancel()
            for task in tasks.values():
                with suppress(Cancelled):
                    await task

        runtime.run(main())
        return times

    # Those who give up at once and had not to wait have started, and count.
    everybody = set(range(len(arrivals)))
    alone = starts(set(), everybody - given_up)
    crowd = starts(given_up & everybody, everybody)

    assert all(later - earlier >= 1 - 1e-6 for earlier, later in pairwise(crowd))
    if len(crowd) == len(alone):
        assert crowd == pytest.approx(alone, abs=0.001)


# --- interrupts


def interrupted(work: Callable[[], object], line: int) -> bool:
    """Does it, and interrupts it at so many lines of what is tested, in the order they run; whether it came to it."""
    left = line

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.endswith(("jackfield/_line.py", "jackfield/_origins.py")) or in_del(frame):
            return None
        if event == "line" and not is_with(frame):
            left -= 1
            if left == -1:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def is_with(frame: FrameType) -> bool:
    """Whether a lock is taken or released: no signal comes between a block and its release, only a tracer could."""
    return getline(frame.f_code.co_filename, frame.f_lineno).strip().startswith("with ")


def in_del(frame: FrameType | None) -> bool:
    """Whether Python would swallow what is raised here."""
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None


def test_an_interrupt_at_any_line_leaves_nobody_in_the_line() -> None:
    def survives(line: int) -> bool:
        runtime, turns = VirtualSyncRuntime(), Turns("it", lambda now: 1.0)
        call = a_call(runtime)
        runtime.run(turns.take(call))
        came = interrupted(lambda: runtime.run(turns.take(call)), line)
        assert turns._line.is_idle(0), f"the {line}th line that ran"
        return came

    assert sum(takewhile(bool, map(survives, count()))) > 20


def test_an_interrupt_at_any_line_leaves_states_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jackfield._origins._ROOM", 4)
    call = a_call(VirtualSyncRuntime())

    def survives(line: int) -> bool:
        states = ByOrigin(lambda origin: Known())
        held = [states.of(origin, call) for origin in origins(4)]
        for known in held:
            known.idle = known is not held[0]
        one = origins(5)[-1]
        came = interrupted(lambda: states.of(one, call), line)
        assert states.of(one, call) is states.of(one, call)
        assert states.of(origins(1)[0], call) is held[0]
        return came

    assert sum(takewhile(bool, map(survives, count()))) > 10


# --- forks


def forked(code: str) -> str:
    """What a script prints that has the names of this module."""
    script = f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r})\nfrom test_line import *\n{code}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")


@FORKS
def test_a_forked_child_waits_for_none_of_its_parents_callers() -> None:
    told = forked("""
line, turns = Line(1), Turns("it", lambda now: 0.0)
mine = Place(line); mine.take()
other = Place(turns._line); other.take()
child = os.fork()
if not child:
    runtime = SyncRuntime()
    runtime.run(turns.take(a_call(runtime, 1)))
    print(Place(line).take(), mine.is_in, flush=True)
    mine.leave()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print(Place(line).take(), flush=True)
""")

    assert told.split() == ["0", "True", "1"]


@FORKS
def test_a_forked_child_finds_a_lock_free_that_another_thread_held_and_what_it_guards_whole() -> None:
    told = forked("""
from jackfield import fork_safe_lock
lock, held, whole = fork_safe_lock(), threading.Event(), False
def work():
    global whole
    with lock:
        held.set()
        for _ in range(10**6): pass
        whole = True
thread = threading.Thread(target=work); thread.start(); held.wait()
child = os.fork()
got = lock.acquire(timeout=5)
if not child:
    print(got, whole, flush=True)
    os._exit(0)
assert got and os.waitpid(child, 0)[1] == 0
lock.release()
other = threading.Thread(target=lambda: print(lock.acquire(timeout=5)))
other.start(); other.join()
""")

    assert told.split() == ["True"] * 3


# --- states by origin


class Known:
    """A state that is idle or not."""

    def __init__(self) -> None:
        self.idle = True
        self.asked: list[float] = []

    def is_idle(self, now: float) -> bool:
        self.asked.append(now)
        return self.idle


def origins(number: int) -> list[Origin]:
    return [Origin("https", f"h{n}", 443) for n in range(number)]


def test_each_origin_has_a_state_of_its_own_and_keeps_it() -> None:
    call, states = a_call(VirtualSyncRuntime()), ByOrigin(lambda origin: Known())

    first, second = (states.of(origin, call) for origin in origins(2))

    assert first is not second
    assert [states.of(origin, call) for origin in origins(2)] == [first, second]


def test_idle_states_of_thousands_of_origins_are_forgotten_and_those_that_know_something_stay() -> None:
    call, states = a_call(VirtualSyncRuntime()), ByOrigin(lambda origin: Known())
    for number, origin in enumerate(origins(10_000)):
        states.of(origin, call).idle = number % 100 > 0

    assert len(states) < 600
    kept = [states.of(origin, call) for origin in origins(10_000)[::100]]
    assert not any(known.idle for known in kept)


def test_looking_for_idle_states_costs_each_new_one_little() -> None:
    call, states = a_call(VirtualSyncRuntime()), ByOrigin(lambda origin: Known())
    all_of_them: list[Known] = []
    for origin in origins(5_000):
        known = states.of(origin, call)
        known.idle = False
        all_of_them.append(known)

    assert len(states) == 5_000
    assert sum(len(known.asked) for known in all_of_them) < 2 * 5_000


def test_whether_a_state_is_idle_is_asked_by_the_callers_clock() -> None:
    runtime, states = VirtualSyncRuntime(), ByOrigin(lambda origin: Known())
    first = states.of(origins(1)[0], a_call(runtime))
    runtime.elapsed = 77.0

    for origin in origins(300):
        states.of(origin, a_call(runtime))

    assert set(first.asked) == {77.0}


def test_an_idle_state_that_somebody_holds_stays_the_one_that_all_get() -> None:
    call, states = a_call(VirtualSyncRuntime()), ByOrigin(lambda origin: Known())
    one = Origin("https", "one", 443)
    held = states.of(one, call)

    for origin in origins(1_000):
        states.of(origin, call)

    assert states.of(one, call) is held


def test_threads_that_come_at_once_get_the_same_state() -> None:
    call, together = a_call(VirtualSyncRuntime()), threading.Barrier(8)
    states = ByOrigin(lambda origin: Known())
    got: list[list[Known]] = [[] for _ in range(8)]

    def ask(mine: list[Known]) -> None:
        together.wait(GUARD)
        mine.extend(states.of(origin, call) for origin in origins(200))

    threads = [threading.Thread(target=ask, args=(mine,)) for mine in got]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(GUARD)

    assert all(mine == got[0] for mine in got)
