"""Measures what an item of a paged list costs above its decoding: `python benchmarks/paging.py`."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a script, this folder is no package otherwise

from msgspec import Struct
from msgspec.json import Decoder, encode

from jackfield import AsyncClient, Client, Model, Page, Request, Response, Service, paged
from jackfield.testing import FakeTransport
from jackfield_plugins.pagination import PageAt, PageNumber

ITEMS = 1_000_000
SIZE = 500
ROUNDS = 7
NODES = PageNumber(SIZE, items="data.items", total="meta.total")


class Node(Model):
    id: int
    name: str
    zone: str
    online: bool


class Hub(Service):
    @paged(NODES)
    async def nodes(self, at: PageAt) -> Page[Node]:
        """Every node."""
        return await NODES.fetch(self, at, Request("GET", self.url("nodes")), Node)


class HubClient(Hub, Client): ...


class AsyncHubClient(Hub, AsyncClient): ...


class Items(Struct):
    items: list[Node]


class Total(Struct):
    total: int


class Answer(Struct):
    data: Items
    meta: Total


def bodies() -> tuple[bytes, bytes]:
    """Two answers to take turns: one twice in a row would be refused."""
    turns = [
        [{"id": start + n, "name": f"node-{n}", "zone": "eu-1", "online": True} for n in range(SIZE)]
        for start in (0, SIZE)
    ]
    one, other = [encode({"data": {"items": items}, "meta": {"total": ITEMS}}) for items in turns]
    return one, other


def transport() -> FakeTransport:
    """A service of so many nodes, which remembers only the last request."""
    turns = [Response(200, body=body) for body in bodies()]

    def answer(request: Request) -> Response:
        fake.requests.clear()
        return turns[int(dict(request.query)["page"]) % 2]

    fake = FakeTransport(otherwise=answer)
    return fake


def decoded() -> int:
    """The decoding alone, and a loop over the items."""
    decoder, turns, count = Decoder(Answer), bodies(), 0
    for page in range(ITEMS // SIZE):
        for _ in decoder.decode(turns[page % 2]).data.items:
            count += 1
    return count


def sync_items(ahead: int = 0) -> int:
    with HubClient("https://hub.example", transport=transport()) as client:
        nodes = client.nodes.prefetch(ahead) if ahead else client.nodes
        count = 0
        for _ in nodes.all():
            count += 1
        return count


def async_items(ahead: int = 0) -> int:
    async def main() -> int:
        async with AsyncHubClient("https://hub.example", transport=transport()) as client:
            nodes = client.nodes.prefetch(ahead) if ahead else client.nodes
            count = 0
            async for _ in nodes.all():
                count += 1
            return count

    return asyncio.run(main())


RUNS: dict[str, Callable[[], int]] = {
    "decoding alone": decoded,
    "sync": sync_items,
    "async": async_items,
    "sync, prefetch(4)": lambda: sync_items(4),
    "async, prefetch(4)": lambda: async_items(4),
}


def seconds(run: Callable[[], int]) -> float:
    """CPU seconds of this process."""
    gc.collect()
    started = time.process_time()
    if run() != ITEMS:
        raise SystemExit("items are missing")
    return time.process_time() - started


def peak(run: Callable[[], int]) -> int:
    """Bytes that Python had allocated at most."""
    gc.collect()
    tracemalloc.start()
    run()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def main() -> None:
    """The whole run; about a minute."""
    taken: dict[str, list[float]] = {name: [] for name in RUNS}
    for _ in range(ROUNDS):
        for name, run in RUNS.items():
            taken[name].append(seconds(run))
    best = {name: min(turns) / ITEMS * 1e6 for name, turns in taken.items()}
    print(f"Python {sys.version.split()[0]}, {ITEMS:,} items in pages of {SIZE}, CPU time, best of {ROUNDS}")
    for name, run in RUNS.items():
        each, above = best[name], best[name] - best["decoding alone"]
        print(f"{name:<20}{each:6.3f} µs per item{above:7.3f} above{peak(run) / 1e6:6.1f} MB at most")


if __name__ == "__main__":
    main()
