"""How calls are measured: contestants take turns, round by round, and each turn gives CPU time per call."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack, ExitStack
from enum import Enum
from random import Random
from statistics import median
from typing import NamedTuple, TypeAlias

from benchmarks.origin import MACHINE_ID, Origin

SyncCall: TypeAlias = Callable[[], object]
AsyncCall: TypeAlias = Callable[[], Awaitable[object]]

_WARM = 100  # calls before the first round
_AGAIN = 5  # calls before each turn, for those who dropped their connection meanwhile
_SEED = 20260314


class Group(Enum):
    """The table's sections. The first contestant of SYNC is the reference of all, that of ASYNC one more for ASYNC."""

    SYNC = "sync, over loopback"
    ASYNC = "async, over loopback"
    PIPELINE = "jackfield's pipeline without I/O"


class Contestant(NamedTuple):
    """One line of the table: `sync` or `asynchronous` opens a client, and gives what makes one call with it."""

    group: Group
    name: str
    sync: Callable[[Origin], AbstractContextManager[SyncCall]] | None = None
    asynchronous: Callable[[Origin], AbstractAsyncContextManager[AsyncCall]] | None = None


class Result(NamedTuple):
    """CPU µs per call of this process with all its threads, a figure per round; none for what is not installed."""

    group: Group
    name: str
    turns: tuple[float, ...]

    @property
    def microseconds(self) -> float:
        return median(self.turns)


def measure(
    contestants: Sequence[Contestant], origin: Origin, *, rounds: int, calls: int, tell: Callable[[str], None]
) -> list[Result]:
    """Every contestant, `rounds` times `calls` calls, in an order that is shuffled anew for each round."""
    turns: dict[Contestant, list[float]] = {contestant: [] for contestant in contestants}
    with ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner())
        opened = AsyncExitStack()
        stack.callback(lambda: runner.run(opened.aclose()))
        ready = {c: turn for c in contestants if (turn := _opened(c, origin, stack, opened, runner))}
        for turn in ready.values():
            turn(_WARM)
        order = list(ready)
        chance = Random(_SEED)
        for number in range(rounds):
            tell(f"round {number + 1} of {rounds}")
            chance.shuffle(order)
            for contestant in order:
                turns[contestant].append(_timed(ready[contestant], calls))
    return [Result(c.group, c.name, tuple(found)) for c, found in turns.items()]


def _timed(turn: Callable[[int], object], calls: int) -> float:
    turn(_AGAIN)
    gc.collect()
    gc.disable()
    try:
        started = time.process_time()
        turn(calls)
        return (time.process_time() - started) / calls * 1e6
    finally:
        gc.enable()


def _opened(
    contestant: Contestant, origin: Origin, stack: ExitStack, opened: AsyncExitStack, runner: asyncio.Runner
) -> Callable[[int], None] | None:
    """What makes so many calls; None if the library is not installed. The first answer is checked."""
    try:
        if contestant.sync:
            call = stack.enter_context(contestant.sync(origin))
            answer = call()
            turn = _repeated(call)
        else:
            assert contestant.asynchronous
            waiting = runner.run(opened.enter_async_context(contestant.asynchronous(origin)))
            answer = runner.run(_awaited(waiting))
            turn = _repeated_async(waiting, runner)
    except ModuleNotFoundError:
        return None
    if MACHINE_ID not in repr(answer):
        raise SystemExit(f"{contestant.name} did not get the machine, but {answer!r}")
    return turn


def _repeated(call: SyncCall) -> Callable[[int], None]:
    def turn(calls: int) -> None:
        for _ in range(calls):
            call()

    return turn


def _repeated_async(call: AsyncCall, runner: asyncio.Runner) -> Callable[[int], None]:
    async def turn(calls: int) -> None:
        for _ in range(calls):
            await call()

    return lambda calls: runner.run(turn(calls))


async def _awaited(call: AsyncCall) -> object:
    return await call()
