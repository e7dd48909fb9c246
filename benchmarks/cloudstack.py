"""100,000 machines listed, and 1,000 jobs at once, beside cs and CloudStackAIO: `python benchmarks/cloudstack.py`.

Each contestant works in a process of its own, on one CPU; the server is the emulator, in another process. CPU time is
the client's alone, user and system; wall time is of the whole, server and all; memory is by how much the peak of the
resident set grew over what a small run of the same had left it at.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any, Literal, NamedTuple, TypeAlias

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a script, this folder is no package otherwise

from jackfield import async_wait_all, wait_all
from jackfield_services.cloudstack import AsyncCloudStack, CloudStack
from jackfield_services.cloudstack.emulator import CloudStackEmulator

MACHINES, PAGE, JOBS = 100_000, 500, 1_000
LATENCY = 0.5  # seconds between two polls of a job
POLLS = 2  # answers that a job is pending
_PEERS = {"cs": "cs==5.2.0", "CloudStackAIO": "CloudStackAIO==0.0.8"}
_KEYS = ("emulator-api-key", "emulator-api-secret")

Run: TypeAlias = Callable[[str, int], None]
Count: TypeAlias = Literal["total", "page"]


class Figures(NamedTuple):
    """What one run took: seconds, seconds, MB."""

    cpu: float
    wall: float
    memory: float


class Contestant(NamedTuple):
    """One way to do it; `counts` is what the server it needs counts in its lists."""

    name: str
    run: Run
    small: int
    counts: Count = "total"
    peer: str = ""


def _counted(machines: Iterable[dict[str, Any]], wanted: int) -> None:
    _as_many({machine["id"] for machine in machines}, wanted)


def _as_many(ids: set[str], wanted: int) -> None:
    if len(ids) != wanted:
        raise SystemExit(f"{len(ids)} machines came instead of {wanted}")


# Inventories


def iterated(url: str, machines: int) -> None:
    with CloudStack(url, *_KEYS) as cloud:
        _counted(cloud.listing.prefetch(4).all("listVirtualMachines", **_part(machines)), machines)


def iterated_async(url: str, machines: int) -> None:
    async def main() -> None:
        async with AsyncCloudStack(url, *_KEYS) as cloud:
            found = cloud.listing.prefetch(4).all("listVirtualMachines", **_part(machines))
            _as_many({machine["id"] async for machine in found}, machines)

    asyncio.run(main())


def whole(url: str, machines: int) -> None:
    with CloudStack(url, *_KEYS) as cloud:
        _counted(cloud.listVirtualMachines(**_part(machines))["virtualmachine"], machines)


def whole_async(url: str, machines: int) -> None:
    async def main() -> None:
        async with AsyncCloudStack(url, *_KEYS) as cloud:
            _counted((await cloud.listVirtualMachines(**_part(machines)))["virtualmachine"], machines)

    asyncio.run(main())


def whole_cs(url: str, machines: int) -> None:
    cloud: Any = import_module("cs").CloudStack(url, *_KEYS)
    _counted(cloud.listVirtualMachines(fetch_list=True, **_part(machines)), machines)


def whole_cs_async(url: str, machines: int) -> None:
    async def main() -> None:
        async with import_module("cs").AIOCloudStack(url, *_KEYS) as cloud:
            _counted(await cloud.listVirtualMachines(fetch_list=True, **_part(machines)), machines)

    asyncio.run(main())


def whole_aio(url: str, machines: int) -> None:
    async def work(cloud: Any) -> None:
        _counted((await cloud.listVirtualMachines(**_part(machines)))["virtualmachine"], machines)

    _with_aio(url, work)


def _part(machines: int) -> dict[str, str]:
    """All of them, or the nine whose names end so: for the small run."""
    return (
        {}
        if machines == MACHINES
        else {"ids": ",".join(CloudStackEmulator.machine_id(number) for number in range(1, machines + 1))}
    )


# Jobs


def jobs(url: str, number: int) -> None:
    with CloudStack(url, *_KEYS, async_poll_latency=LATENCY) as cloud:
        _done(wait_all([cloud.job.start("startVirtualMachine", id=id_) for id_ in _ids(number)]))


def jobs_async(url: str, number: int) -> None:
    async def main() -> None:
        async with AsyncCloudStack(url, *_KEYS, async_poll_latency=LATENCY) as cloud:
            started = (cloud.job.start("startVirtualMachine", id=id_) for id_ in _ids(number))
            _done(await async_wait_all(await asyncio.gather(*started)))

    asyncio.run(main())


def gathered(url: str, number: int) -> None:
    async def main() -> None:
        async with AsyncCloudStack(url, *_KEYS, async_poll_latency=LATENCY) as cloud:
            _done(await asyncio.gather(*(cloud.startVirtualMachine(id=id_) for id_ in _ids(number))))

    asyncio.run(main())


def jobs_cs(url: str, number: int) -> None:
    cloud: Any = import_module("cs").CloudStack(url, *_KEYS, poll_interval=LATENCY, fetch_result=True)
    with ThreadPoolExecutor(number) as threads:
        started = [threads.submit(cloud.startVirtualMachine, id=id_) for id_ in _ids(number)]
        _done([future.result() for future in started])


def jobs_cs_async(url: str, number: int) -> None:
    async def main() -> None:
        options = {"poll_interval": LATENCY, "fetch_result": True}
        async with import_module("cs").AIOCloudStack(url, *_KEYS, **options) as cloud:
            _done(await asyncio.gather(*(cloud.startVirtualMachine(id=id_) for id_ in _ids(number))))

    asyncio.run(main())


def jobs_aio(url: str, number: int) -> None:
    async def work(cloud: Any) -> None:
        _done(await asyncio.gather(*(cloud.startVirtualMachine(id=id_) for id_ in _ids(number))))

    _with_aio(url, work)


def _ids(number: int) -> list[str]:
    return [CloudStackEmulator.machine_id(one) for one in range(1, number + 1)]


def _done(results: list[dict[str, Any]]) -> None:
    wrong = [found for found in results if found["virtualmachine"]["state"] != "Running"]
    if wrong:
        raise SystemExit(f"{len(wrong)} jobs came to something else")


def _with_aio(url: str, work: Callable[[Any], Any]) -> None:
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        asyncio.set_event_loop(loop)  # it asks for one when it is deleted
        cloud: Any = import_module("CloudStackAIO.CloudStack").CloudStack(url, *_KEYS, loop, LATENCY)
        runner.run(work(cloud))
        del cloud  # closes its connections, with a wait of 0.25 s


INVENTORY = "An inventory of 100,000 machines, in pages of 500"
AT_ONCE = f"1,000 jobs at once, each pending {POLLS} polls, {LATENCY} s apart"
RACES: dict[str, tuple[Contestant, ...]] = {
    INVENTORY: (
        Contestant("jackfield, prefetch(4)", iterated, 9),
        Contestant("jackfield async, prefetch(4)", iterated_async, 9),
        Contestant("jackfield, one list", whole, 9),
        Contestant("jackfield async, one list", whole_async, 9),
        Contestant("cs, one list", whole_cs, 9, peer="cs"),
        Contestant("cs AIOCloudStack, one list", whole_cs_async, 9, peer="cs"),
        Contestant("jackfield async, one list (page)", whole_async, 9, "page"),
        Contestant("CloudStackAIO, one list (page)", whole_aio, 9, "page", "CloudStackAIO"),
    ),
    AT_ONCE: (
        Contestant("jackfield, wait_all", jobs, 10),
        Contestant("jackfield async, async_wait_all", jobs_async, 10),
        Contestant("jackfield async, gather", gathered, 10),
        Contestant("cs, 1,000 threads", jobs_cs, 10, peer="cs"),
        Contestant("cs AIOCloudStack, gather", jobs_cs_async, 10, peer="cs"),
        Contestant("CloudStackAIO, gather", jobs_aio, 10, peer="CloudStackAIO"),
    ),
}
_SIZES = {INVENTORY: MACHINES, AT_ONCE: JOBS}


def main() -> None:
    """The whole run; some minutes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each contestant (default 3)")
    parser.add_argument("--contestant", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contestant:
        print(*_measured(options.contestant, options.url))
        return
    missing = [needed for name, needed in _PEERS.items() if not _installed(name)]
    if missing:
        print(f"not measured, as they are not installed: pip install {' '.join(missing)}")
    for race, contestants in RACES.items():
        _report(race, _run(contestants, options.rounds), options.rounds)
    print("\n(page): on a server whose `count` is that of the page. CloudStackAIO never ends on one whose count is the")
    print("total, as soon as that is as many as fit on a page; cs takes the first page for all where it is the page's.")


def _run(contestants: tuple[Contestant, ...], rounds: int) -> dict[str, list[Figures]]:
    found: dict[str, list[Figures]] = {one.name: [] for one in contestants if _installed(one.peer)}
    with _serving("total") as total, _serving("page") as page:
        for number in range(rounds):
            for one in contestants:
                if one.name in found:
                    print(f"round {number + 1} of {rounds}: {one.name}", file=sys.stderr, flush=True)
                    found[one.name].append(_in_a_process(one.name, total if one.counts == "total" else page))
    return found


def _report(race: str, found: dict[str, list[Figures]], rounds: int) -> None:
    print(f"\n{race}; medians of {rounds} rounds, and the worst growth of peak RSS")
    print(f"{'':<34}{'CPU s':>8}{'ratio':>7}{'wall s':>8}{'ratio':>7}{'MB':>8}")
    base = None
    for name, figures in found.items():
        cpu, wall = median(one.cpu for one in figures), median(one.wall for one in figures)
        base = base or (cpu, wall)
        memory = max(one.memory for one in figures)
        print(f"{name:<34}{cpu:>8.2f}{cpu / base[0]:>7.2f}{wall:>8.2f}{wall / base[1]:>7.2f}{memory:>+8.1f}")


def _installed(peer: str) -> bool:
    try:
        import_module(peer or "jackfield")
    except ImportError:
        return False
    return True


def _in_a_process(name: str, url: str) -> Figures:
    command = [sys.executable, "-W", "ignore", __file__, "--contestant", name, "--url", url]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout  # noqa: S603 - this file
    return Figures(*map(float, told.split()))


def _measured(name: str, url: str) -> Figures:
    if sys.platform == "linux":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    race, one = next((race, one) for race, several in RACES.items() for one in several if one.name == name)
    one.run(url, one.small)
    before, cpu, wall = _peak(), time.process_time(), time.perf_counter()
    one.run(url, _SIZES[race])
    return Figures(time.process_time() - cpu, time.perf_counter() - wall, _peak() - before)


def _peak() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


@contextmanager
def _serving(count: Count) -> Generator[str]:
    """The emulator in a process of its own, on another CPU than the clients'; it ends with this one."""
    mine, its = os.pipe()
    child = os.fork()
    if not child:
        if sys.platform == "linux":
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        cloud = CloudStackEmulator(machines=MACHINES, count=count, job_polls=POLLS).start()
        os.write(its, cloud.end_point.encode())
        signal.pause()
    try:
        yield os.read(mine, 200).decode()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
