"""Measures what the stores of a cache cost, an entry of 1 kB: `python benchmarks/stores.py`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time

from jackfield_plugins.caching import CacheStore, MemoryStore, SqliteStore, Stored

ENTRIES = 5000
ROUNDS = 9
OWNER = b"o" * 32
FIELDS = (
    ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("content-type", "application/json"),
    ("content-length", "1024"),
    ("etag", '"33a64df551425fcc55e4d42a148795d9f25f89d4"'),
    ("cache-control", "max-age=3600"),
)


def main() -> None:
    """A few seconds; CPU of this process, the median of some rounds."""
    with TemporaryDirectory() as folder:
        for store in (MemoryStore(), SqliteStore(Path(folder) / "cache.sqlite")):
            figures = _figures(store)
            line = "   ".join(f"{name} {figure:6.2f} µs" for name, figure in figures.items())
            print(f"{type(store).__name__:12}", line, "  ", store.stats())
            store.close()


def _figures(store: CacheStore) -> dict[str, float]:
    entries = [(number.to_bytes(32, "big"), _entry()) for number in range(ENTRIES)]
    few = entries[:100] * (ENTRIES // 100)

    moment = store.get(entries[0][0], OWNER, _suits).moment

    def put() -> None:
        for place, entry in entries:
            store.put(place, OWNER, entry, moment)

    def remove() -> None:
        for place, _ in entries:
            store.remove(place)

    return {
        "put": _measured(put, 1),
        "hit": _measured(lambda: [store.get(place, OWNER, _suits) for place, _ in entries]),
        "hit among 100": _measured(lambda: [store.get(place, OWNER, _suits) for place, _ in few]),
        "miss": _measured(lambda: [store.get(place, b"", _suits) for place, _ in entries]),
        "put again": _measured(put, 1),
        "remove": _measured(remove, 1),
    }


def _suits(_selecting: object) -> bool:
    return True


def _entry() -> Stored:
    return Stored(200, FIELDS, os.urandom(1024), 1.0, 2.0, (("accept-encoding", "gzip"),))


def _measured(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    taken: list[float] = []
    for _ in range(rounds):
        before = process_time()
        work()
        taken.append((process_time() - before) / ENTRIES * 1e6)
    return median(taken)


if __name__ == "__main__":
    main()
