"""Calls of a FLAME Hub beside flame_hub_client's: `python benchmarks/flame_hub.py --new PYTHON --old PYTHON`.

CPU time is the client's alone, user and system, each in a process of its own; the server is the emulator, in another
one. They take turns, round by round; figures are medians. The peers are at home in environments of their own, as the
two releases cannot be in one; without them only jackfield is measured:

    python -m venv hub-new && hub-new/bin/pip install flame-hub-client==1.1.0
    python -m venv hub-old && hub-old/bin/pip install flame-hub-client==0.1.1
    python benchmarks/flame_hub.py --new hub-new/bin/python --old hub-old/bin/python

A client waits for the server most of the time. A CPU that falls asleep meanwhile wakes with empty caches, and whatever
runs first takes twice as long, be it whose it may. So the clients' CPU is kept awake, as it is where there is more to
do than this: by a process that works for nothing, while nobody else wants that CPU. With `--drowsy` it is not.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Generator
from contextlib import ExitStack, contextmanager, nullcontext
from importlib import import_module
from random import Random
from statistics import median
from typing import Any, NamedTuple, TypeAlias

# What is at the top of this file has to be there for the peers' interpreters, too: no jackfield.

GENERATIONS = ("1.1.0", "0.1.1")
NODES, THREADS = 50, 8
OPERATIONS = ("find", "get", "create")
SAID = {"find": f"find_nodes, {NODES} nodes", "get": "get_node", "create": "create_node"}

Call: TypeAlias = Callable[[], object]
Hub: TypeAlias = "dict[str, str]"


class Contestant(NamedTuple):
    """A client on a Hub of a generation; `python` is the interpreter that it is installed in."""

    name: str
    kind: str
    generation: str
    python: str


# In the contestant's process


class Turns:
    """A client, and what it is asked to do; each turn gives CPU seconds a call."""

    def __init__(self, kind: str, hub: Hub) -> None:
        self._runner = asyncio.Runner() if kind == "async" else None
        self._core, realms = opened(kind, hub)
        self._realm: Any = self._value(realms.find_realms())[0].id
        self._node: Any = self._value(self._core.find_nodes())[0].id
        self._made: list[Any] = []

    def take(self, operation: str, calls: int) -> float:
        call = getattr(self, f"_{operation}")
        for _ in range(5):
            self._value(call())
        gc.collect()
        gc.disable()
        began = time.process_time()
        if self._runner is None:
            for _ in range(calls):
                call()
        else:
            self._runner.run(self._all(call, calls))
        spent = time.process_time() - began
        gc.enable()
        while self._made:
            self._value(self._core.delete_node(self._value(self._made.pop()).id))
        return spent / calls

    @staticmethod
    async def _all(call: Callable[[], Awaitable[object]], calls: int) -> None:
        for _ in range(calls):
            await call()

    def _find(self) -> Any:
        return self._core.find_nodes(page={"limit": NODES, "offset": 0})

    def _get(self) -> Any:
        return self._core.get_node(self._node)

    def _create(self) -> Any:
        made = self._core.create_node(name=f"made-{time.monotonic_ns()}", realm_id=self._realm)
        if self._runner is not None:
            return self._kept(made)
        self._made.append(made)
        return made

    async def _kept(self, made: Awaitable[Any]) -> Any:
        node = await made
        self._made.append(node)
        return node

    def _value(self, outcome: Any) -> Any:
        return self._runner.run(outcome) if asyncio.iscoroutine(outcome) and self._runner else outcome


def opened(kind: str, hub: Hub) -> tuple[Any, Any]:
    """The clients of the core and of the auth service, with one login; `kind` is sync, async or peer."""
    library = import_module("flame_hub" if kind == "peer" else "jackfield_services.flame_hub")
    login = library.auth.PasswordAuth(hub["username"], hub["password"], base_url=hub["auth"])
    prefix = "Async" if kind == "async" else ""
    core, auth = getattr(library, f"{prefix}CoreClient"), getattr(library, f"{prefix}AuthClient")
    return core(base_url=hub["core"], auth=login), auth(base_url=hub["auth"], auth=login)


def work(kind: str, hub: Hub) -> None:
    """Takes a turn for each line that comes: an operation, and how many calls."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    turns = Turns(kind, hub)
    for line in sys.stdin:
        operation, calls = line.split()
        print(turns.take(operation, int(calls)), flush=True)


def herd(kind: str, hub: Hub) -> None:
    """The first call of each of several threads, at once, of one client that has no token so far."""
    core, _ = opened(kind, hub)
    together = threading.Barrier(THREADS)

    def first() -> None:
        together.wait()
        core.find_nodes()

    threads = [threading.Thread(target=first) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def imported(kind: str, hub: Hub) -> None:
    """CPU milliseconds that it takes to import the library, and to make the first client, in a new process."""
    began = time.process_time()
    import_module("flame_hub" if kind == "peer" else "jackfield_services.flame_hub")
    at_home = time.process_time()
    opened(kind, hub)
    print((at_home - began) * 1e3, (time.process_time() - at_home) * 1e3)


# In the process that compares


class Racer:
    """A contestant's process."""

    def __init__(self, contestant: Contestant, hub: Hub) -> None:
        command = command_of(contestant, "work", hub)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this file
        self.figures: dict[str, list[float]] = {operation: [] for operation in OPERATIONS}

    def take(self, operation: str, calls: int) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{operation} {calls}\n")
        self._process.stdin.flush()
        self.figures[operation].append(float(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.communicate()


def command_of(contestant: Contestant, part: str, hub: Hub) -> list[str]:
    options = ["--part", part, "--kind", contestant.kind, "--hub", json.dumps(hub)]
    return [contestant.python, "-P", "-W", "ignore", __file__, *options]  # -P: this file is not the peer's flame_hub


def race(contestants: list[Contestant], hubs: dict[str, Hub], rounds: int, calls: int) -> list[Racer]:
    """All of them, by turns, in an order that is shuffled anew for each round."""
    with ExitStack() as stack:
        racers = [Racer(one, hubs[one.generation]) for one in contestants]
        for racer in racers:
            stack.callback(racer.close)
            racer.take("find", 100)
            racer.figures["find"].clear()
        order, chance = list(racers), Random(20261121)
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
            chance.shuffle(order)
            for operation in OPERATIONS:
                for racer in order:
                    racer.take(operation, calls)
        return racers


def token_requests(contestant: Contestant) -> int:
    """How many there are when several threads make their first calls."""
    from jackfield_services.flame_hub.emulator import FlameHubEmulator

    generation: Any = contestant.generation
    with FlameHubEmulator(generation) as emulator:
        subprocess.run(command_of(contestant, "herd", told(emulator)), check=True)  # noqa: S603 - this file
        return sum(request.path == "/token" for request in emulator.requests)


def import_times(contestant: Contestant, hub: Hub, runs: int) -> tuple[float, float]:
    """CPU milliseconds to import it, and to make a client; the first run, which writes bytecode, does not count."""
    command = command_of(contestant, "imported", hub)
    lines = [subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout for _ in range(runs + 1)]  # noqa: S603 - this file
    columns = list(zip(*(map(float, line.split()) for line in lines[1:]), strict=True))
    return median(columns[0]), median(columns[1])


def told(emulator: Any) -> Hub:
    """What a client has to know."""
    return {
        "auth": emulator.auth_url,
        "core": emulator.core_url,
        "username": emulator.username,
        "password": emulator.password,
    }


@contextmanager
def serving(generation: str) -> Generator[Hub]:
    """The emulator in a process of its own, on another CPU than the clients'; it ends with this one."""
    mine, its = os.pipe()
    parent, child = os.getpid(), os.fork()
    if not child:
        try:
            from jackfield_services.flame_hub.emulator import FlameHubEmulator

            if sys.platform == "linux":
                os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
            known: Any = generation
            os.write(its, json.dumps(told(FlameHubEmulator(known, nodes=NODES).start())).encode())
            while os.getppid() == parent:
                time.sleep(1)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(its)
    try:
        yield json.loads(os.read(mine, 4000))
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@contextmanager
def keeping_awake() -> Generator[None]:
    """The clients' CPU, by a process that gives way to every other."""
    parent, child = os.getpid(), os.fork()
    if not child:
        try:
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
            while os.getppid() == parent:
                pass
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)  # whatever happens, this process leaves none of the other's `with` blocks
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def report(contestants: list[Contestant], racers: list[Racer], hubs: dict[str, Hub], runs: int) -> None:
    """A table for each generation; ratios are to jackfield's."""
    for generation in GENERATIONS:
        there = [(one, racer) for one, racer in zip(contestants, racers, strict=True) if one.generation == generation]
        print(f"\nA Hub of generation {generation}: CPU µs a call")
        print(f"{'':<26}" + "".join(f"{SAID[operation]:>24}{'ratio':>7}" for operation in OPERATIONS))
        base = {operation: median(there[0][1].figures[operation]) for operation in OPERATIONS}
        for one, racer in there:
            middle = {operation: median(racer.figures[operation]) for operation in OPERATIONS}
            columns = (f"{middle[o] * 1e6:>24.0f}{middle[o] / base[o]:>7.2f}" for o in OPERATIONS)
            print(f"{one.name:<26}" + "".join(columns))
        print(f"\n{'':<26}{f'token requests, {THREADS} threads':>28}{'import, CPU ms':>20}{'client, CPU ms':>20}")
        for one, _ in there:
            if one.kind != "async":
                to_import, to_open = import_times(one, hubs[generation], runs)
                print(f"{one.name:<26}{token_requests(one):>28}{to_import:>20.0f}{to_open:>20.1f}")


def main() -> None:
    """The whole run; a minute or two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--new", help="the interpreter that has flame-hub-client 1.1.0")
    parser.add_argument("--old", help="the interpreter that has flame-hub-client 0.1.1")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each contestant (default 15)")
    parser.add_argument("--calls", type=int, default=100, help="calls in a turn (default 100)")
    parser.add_argument("--drowsy", action="store_true", help="let the CPU fall asleep between two calls")
    parser.add_argument("--part", choices=("work", "herd", "imported"), help=argparse.SUPPRESS)
    parser.add_argument("--kind", help=argparse.SUPPRESS)
    parser.add_argument("--hub", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        {"work": work, "herd": herd, "imported": imported}[options.part](options.kind, options.hub)
        return
    contestants: list[Contestant] = []
    for generation, python in zip(GENERATIONS, (options.new, options.old), strict=True):
        contestants.append(Contestant("jackfield", "sync", generation, sys.executable))
        contestants.append(Contestant("jackfield async", "async", generation, sys.executable))
        if python:
            contestants.append(Contestant(f"flame_hub_client {generation}", "peer", generation, python))
    with serving("1.1.0") as new, serving("0.1.1") as old:
        hubs = {"1.1.0": new, "0.1.1": old}
        with nullcontext() if options.drowsy or sys.platform != "linux" else keeping_awake():
            racers = race(contestants, hubs, options.rounds, options.calls)
        report(contestants, racers, hubs, 9)


if __name__ == "__main__":
    main()
