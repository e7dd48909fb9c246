"""Measures what an answer out of the cache costs, beside hishel and requests-cache: `python benchmarks/caching.py`."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from jackfield import AsyncClient, Client, Model, Request, Service, operation
from jackfield_plugins.caching import Cache, CacheStore, MemoryStore, SqliteStore

CALLS = 2000
ROUNDS = 9
BODY = json.dumps({"id": "6f9619ff", "name": "web-0042", "notes": "x" * 950}).encode()

Call: TypeAlias = Callable[[], object]


class Machine(Model):
    """What the origin answers, 1 kB."""

    id: str
    name: str
    notes: str


class Cloud(Service):
    """One definition for both colours."""

    @operation
    async def machine(self, id: str) -> Machine:
        return (await self.send(Request("GET", self.url("machines", id)))).decode(Machine)


class CloudClient(Cloud, Client):
    """Sync."""


class AsyncCloudClient(Cloud, AsyncClient):
    """Async."""


class Elsewhere(MemoryStore):
    """Asked in a thread, as a file is: what it costs above memory is one thread hop."""

    blocks = True


class Origin(BaseHTTPRequestHandler):
    """Answers what may be kept for a day."""

    asked = 0

    def do_GET(self) -> None:
        """The one thing it has."""
        type(self).asked += 1
        self.send_response(200)
        for name, value in (
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(BODY))),
            ("Cache-Control", "public, max-age=86400"),
            ("ETag", '"33a64df551425fcc55e4d42a148795d9"'),
            ("Vary", "Accept-Encoding"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def ours(url: str, store: CacheStore | None) -> Call:
    client = CloudClient(url, cache=None if store is None else Cache(store))
    return lambda: client.machine("one")


def one_of_16(url: str, store: CacheStore) -> Call:
    """With 15 other variants, each of a client that accepts something else."""
    client = CloudClient(url, cache=Cache(store))
    for number in range(1, 16):
        client.with_options(headers={"Accept-Encoding": f"identity;q=0.{number:02}"}).machine("one")
    return lambda: client.machine("one")


def ours_async(url: str, store: CacheStore, runner: asyncio.Runner) -> Callable[[int], None]:
    async def made() -> AsyncCloudClient:
        return AsyncCloudClient(url, cache=Cache(store))

    client = runner.run(made())

    async def turn(calls: int) -> None:
        for _ in range(calls):
            await client.machine("one")

    return lambda calls: runner.run(turn(calls))


def hishel_sync(url: str, folder: Path) -> Call:
    storage = import_module("hishel").SqliteStorage(database_path=str(folder / "hishel.db"))
    client: Any = import_module("hishel.httpx").CacheClient(storage=storage)
    return lambda: client.get(f"{url}/machines/one").json()


def hishel_async(url: str, folder: Path, runner: asyncio.Runner) -> Callable[[int], None]:
    storage = import_module("hishel").AsyncSqliteStorage(database_path=str(folder / "hishel-async.db"))
    client: Any = import_module("hishel.httpx").AsyncCacheClient(storage=storage)

    async def turn(calls: int) -> None:
        for _ in range(calls):
            (await client.get(f"{url}/machines/one")).json()

    return lambda calls: runner.run(turn(calls))


def requests_cache(url: str, folder: Path, backend: str) -> Call:
    session: Any = import_module("requests_cache").CachedSession(
        str(folder / "requests"), backend=backend, cache_control=True
    )
    return lambda: session.get(f"{url}/machines/one").json()


def repeated(call: Call) -> Callable[[int], None]:
    def turn(calls: int) -> None:
        for _ in range(calls):
            call()

    return turn


def contestants(url: str, folder: Path, runner: asyncio.Runner) -> dict[str, Callable[[], Callable[[int], None]]]:
    """What opens each; a library that is not installed is left out."""

    def file(name: str) -> SqliteStore:
        return SqliteStore(folder / name / "cache.db")

    return {
        "jackfield, memory": lambda: repeated(ours(url, MemoryStore())),
        "jackfield, SQLite": lambda: repeated(ours(url, file("sync"))),
        "jackfield, memory, 16 variants": lambda: repeated(one_of_16(url, MemoryStore())),
        "jackfield, SQLite, 16 variants": lambda: repeated(one_of_16(url, file("variants"))),
        "jackfield async, memory": lambda: ours_async(url, MemoryStore(), runner),
        "jackfield async, memory and one thread hop": lambda: ours_async(url, Elsewhere(), runner),
        "jackfield async, SQLite": lambda: ours_async(url, file("async"), runner),
        "httpx and hishel, SQLite": lambda: repeated(hishel_sync(url, folder)),
        "httpx and hishel async, SQLite": lambda: hishel_async(url, folder, runner),
        "requests-cache, memory": lambda: repeated(requests_cache(url, folder, "memory")),
        "requests-cache, SQLite": lambda: repeated(requests_cache(url, folder, "sqlite")),
    }


def timed(turn: Callable[[int], None], calls: int) -> float:
    """CPU µs of this process for each call."""
    turn(10)
    gc.collect()
    gc.disable()
    try:
        started = time.process_time()
        turn(calls)
        return (time.process_time() - started) / calls * 1e6
    finally:
        gc.enable()


def main() -> None:
    """The whole run; about a minute."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="jackfield-bench-")))
        runner = stack.enter_context(asyncio.Runner())
        server = ThreadingHTTPServer(("127.0.0.1", 0), Origin)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.shutdown)
        url = f"http://127.0.0.1:{server.server_port}"
        figures = measure(contestants(url, folder, runner))
    best = figures["jackfield, memory"]
    print(f"Python {sys.version.split()[0]}, {len(BODY)} B of JSON out of the cache, CPU, median of {ROUNDS} rounds")
    for name, figure in figures.items():
        print(f"{name:<46}{figure:7.1f} µs{figure / best:7.2f} x")


def measure(opening: dict[str, Callable[[], Callable[[int], None]]]) -> dict[str, float]:
    """The median of each, in turns; each has asked the origin once."""
    turns: dict[str, Callable[[int], None]] = {}
    for name, opens in opening.items():
        try:
            turn = opens()
        except ImportError:
            continue
        asked = Origin.asked
        turn(20)
        if Origin.asked != asked + 1:
            raise SystemExit(f"{name} asked {Origin.asked - asked} times")
        turns[name] = turn
    taken: dict[str, list[float]] = {name: [] for name in turns}
    for number in range(ROUNDS):
        print(f"round {number + 1} of {ROUNDS}", file=sys.stderr, flush=True)
        for name, turn in turns.items():
            taken[name].append(timed(turn, CALLS if "requests" not in name and "httpx" not in name else CALLS // 4))
    return {name: median(found) for name, found in taken.items()}


if __name__ == "__main__":
    main()
