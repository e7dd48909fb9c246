"""A store in memory: it gives the very objects again, is bounded by what they take, and outlives forks."""

from __future__ import annotations

import os
import subprocess
import sys
from types import FrameType
from typing import Any

import pytest

from jackfield_plugins.caching import MemoryStore, Stored
from jackfield_plugins.caching._kept import Kept

PLACE, OWNER = b"p" * 32, b"o" * 32
FIELDS = tuple((f"x-field-{n}", f"value {n}") for n in range(12))


def number(n: int) -> bytes:
    return n.to_bytes(32, "big")


def script(body: str, *arguments: str) -> str:
    """What another process prints that does this and complains of nothing."""
    done = subprocess.run([sys.executable, "-c", body, *arguments], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_very_object_is_given_again_with_what_was_read_of_it() -> None:
    store, entry = MemoryStore(), Kept(200, (("etag", '"1"'),), b"body", 1.0, 2.0)
    fields = entry.fields

    store.put(PLACE, OWNER, entry, 0)

    (found,) = store.get(PLACE, OWNER).entries
    assert found is entry
    assert isinstance(found, Kept)
    assert found.fields is fields


FULL = """
import gc, sys
from tracemalloc import get_traced_memory, start
from jackfield_plugins.caching import MemoryStore
from jackfield_plugins.caching._kept import Kept

def number(n):
    return n.to_bytes(32, "big")

gc.collect()
start()
before, _ = get_traced_memory()
store = MemoryStore(1_000_000)
for n in range(3000):
    fields = tuple((f"x-field-{field}-{n}", f"value {n}") for field in range(n % 20))
    entry = Kept(200, fields, bytes(int(sys.argv[1])), 1.0, 2.0, ((f"a{n}", f"b{n}"),))
    store.put(number(n), number(n + 1), entry, 0)
    assert len(entry.fields) == n % 20
gc.collect()
after, _ = get_traced_memory()
print(after - before, store.stats().size)
"""


@pytest.mark.parametrize("body", [0, 100, 5000])
def test_a_full_store_takes_no_more_memory_than_it_may(body: int) -> None:
    taken, size = map(int, script(FULL, str(body)).split())  # a process of its own: every thread's memory is traced

    assert 600_000 < taken < 1_000_000
    assert size > 980_000 - body


def test_a_store_that_was_emptied_holds_nothing_at_all() -> None:
    store = MemoryStore(50_000)
    for n in range(500):
        store.put(number(n), OWNER, Stored(200, FIELDS, b"body", 1.0, 2.0), 0)
    for n in range(500):
        store.remove(number(n))

    assert store.stats() == (0, 0)
    assert not store._kept
    assert not store._owners


def test_the_oldest_variant_of_a_place_goes_first() -> None:
    store = MemoryStore(100_000)
    for n in range(4):
        store.put(PLACE, OWNER, Stored(200, (), bytes(20_000), 1.0, 2.0, (("accept", str(n)),)), 0)
    store.put(number(1), OWNER, Stored(200, (), bytes(30_000), 1.0, 2.0), 0)

    assert [entry.selecting[0][1] for entry in store.get(PLACE, OWNER).entries] == ["3", "2", "1"]


def test_a_place_that_loses_a_variant_is_still_the_one_that_was_used_longest_ago() -> None:
    store = MemoryStore(100_000)
    for n in range(3):
        store.put(PLACE, OWNER, Stored(200, (), bytes(20_000), 1.0, 2.0, (("accept", str(n)),)), 0)
    store.put(number(1), OWNER, Stored(200, (), bytes(30_000), 1.0, 2.0), 0)

    store.put(number(2), OWNER, Stored(200, (), bytes(20_000), 1.0, 2.0), 0)
    store.put(number(3), OWNER, Stored(200, (), bytes(20_000), 1.0, 2.0), 0)

    assert [entry.selecting[0][1] for entry in store.get(PLACE, OWNER).entries] == ["2"]
    assert store.get(number(1), OWNER).entries


class Compared(bytes):
    """Counts how often one of them is held against another."""

    times = 0

    def __eq__(self, other: object) -> bool:
        Compared.times += 1
        return bytes(self) == other

    __hash__ = bytes.__hash__


def steps_of_a_hit(store: MemoryStore) -> tuple[int, int]:
    """How many lines of the store run, each time that they do, and how many keys it compares."""
    lines = 0

    def count(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return count if frame.f_code.co_filename == MemoryStore.get.__code__.co_filename else None

    Compared.times, before = 0, sys.gettrace()
    sys.settrace(count)
    try:
        assert store.get(Compared(number(1000)), OWNER).entries
    finally:
        sys.settrace(before)
    return lines, Compared.times


def test_a_hit_costs_the_same_however_much_is_kept() -> None:
    little, much = MemoryStore(), MemoryStore()
    for store, kept in (little, [1000]), (much, range(2000)):
        for n in kept:
            store.put(Compared(number(n)), OWNER, Stored(200, (), b"", 1.0, 2.0), 0)

    steps = steps_of_a_hit(little)

    assert min(steps) > 0
    assert steps_of_a_hit(much) == steps


FORKING = """
import os
from jackfield_plugins.caching import MemoryStore, Stored

ours, new, owner = b"p" * 32, b"n" * 32, b"o" * 32
store = MemoryStore()
store.put(ours, owner, Stored(200, (), b"before", 1.0, 2.0), 0)
child = os.fork()
if not child:
    store.put(new, owner, Stored(200, (), b"after", 1.0, 2.0), 0)
    os._exit(0 if len(store.get(ours, owner).entries) == len(store.get(new, owner).entries) == 1 else 1)
print(os.waitpid(child, 0)[1], len(store.get(ours, owner).entries), len(store.get(new, owner).entries))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_has_what_was_kept_and_keeps_its_own() -> None:
    assert script(FORKING) == "0 1 0\n"
