"""What every store of a cache does: ours in memory, and ours in an SQLite file."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.jackfield_plugins.caching.shelved import Shelved

from jackfield import ConfigurationError
from jackfield_plugins.caching import CacheStore, MemoryStore, SqliteStore, Stored, StoreStats

PLACE, OTHER = b"p" * 32, b"q" * 32
OWNER, STRANGER = b"o" * 32, b"s" * 32

Make = Callable[..., Shelved]


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """A new store each time."""
    made: list[CacheStore] = []

    def new(max_size: int = 1_000_000) -> Shelved:
        made.append(
            MemoryStore(max_size)
            if request.param == "memory"
            else SqliteStore(tmp_path / f"{len(made)}" / "cache.sqlite", max_size)
        )
        return Shelved(made[-1])

    yield new

    for store in made:
        store.close()


@pytest.fixture
def store(make: Make) -> Shelved:
    return make()


def entry(body: bytes = b"body", **selecting: str | None) -> Stored:
    return Stored(200, (("etag", '"1"'), ("x-é", "ÿ")), body, 1.25, 2.5, tuple(sorted(selecting.items())))


def bodies(entries: Sequence[Stored]) -> list[bytes]:
    return [entry.body for entry in entries]


def number(place: int) -> bytes:
    return place.to_bytes(32, "big")


# --- what is kept


def test_what_was_put_is_given_as_it_was(store: Shelved) -> None:
    kept = entry(bytes(range(256)), accept="text/html", cookie=None)

    store.put(PLACE, OWNER, kept)

    (found,) = store.get(PLACE, OWNER)
    assert tuple(found) == tuple(kept)
    assert store.stats().entries == 1


def test_nothing_is_given_of_what_nobody_put(store: Shelved) -> None:
    assert not store.get(PLACE, OWNER)
    assert store.stats() == StoreStats(0, 0)


def test_an_owner_sees_nothing_of_another(store: Shelved) -> None:
    store.put(PLACE, OWNER, entry(b"mine"))

    store.put(PLACE, STRANGER, entry(b"theirs"))

    assert bodies(store.get(PLACE, OWNER)) == [b"mine"]
    assert bodies(store.get(PLACE, STRANGER)) == [b"theirs"]
    assert not store.get(OTHER, OWNER)
    assert not store.get(OWNER, PLACE)


def test_where_a_place_ends_and_an_owner_begins_is_no_matter_of_opinion(store: Shelved) -> None:
    store.put(b"ab", b"c", entry())

    assert not store.get(b"a", b"bc")


def test_variants_are_given_newest_first(store: Shelved) -> None:
    for name in ("a", "b", "c"):
        store.put(PLACE, OWNER, entry(name.encode(), accept=name))

    assert bodies(store.get(PLACE, OWNER)) == [b"c", b"b", b"a"]


def test_a_variant_takes_the_place_of_the_one_with_the_same_selecting_fields(store: Shelved) -> None:
    store.put(PLACE, OWNER, entry(b"old", accept="a"))
    store.put(PLACE, OWNER, entry(b"other", accept="b"))

    store.put(PLACE, OWNER, entry(b"new", accept="a"))

    assert bodies(store.get(PLACE, OWNER)) == [b"new", b"other"]
    assert store.stats().entries == 2


def test_a_field_that_is_missing_is_not_one_that_is_empty_or_says_none(store: Shelved) -> None:
    for value in (None, "", "None"):
        store.put(PLACE, OWNER, entry(accept=value))
    store.put(PLACE, OWNER, entry())

    assert len(store.get(PLACE, OWNER)) == 4


def test_sixteen_variants_are_kept_of_a_place_for_each_owner(store: Shelved) -> None:
    store.put(PLACE, STRANGER, entry(b"theirs"))

    for n in range(20):
        store.put(PLACE, OWNER, entry(b"%d" % n, accept=str(n)))

    assert bodies(store.get(PLACE, OWNER)) == [b"%d" % n for n in range(19, 3, -1)]
    assert bodies(store.get(PLACE, STRANGER)) == [b"theirs"]
    assert store.stats().entries == 17


# --- what is forgotten


def test_a_place_is_forgotten_whoever_its_owner_is(store: Shelved) -> None:
    for owner in (OWNER, STRANGER):
        store.put(PLACE, owner, entry(accept="a"))
        store.put(PLACE, owner, entry(accept="b"))
    store.put(OTHER, OWNER, entry(b"other"))

    store.remove(PLACE)
    store.remove(PLACE)

    assert not store.get(PLACE, OWNER)
    assert not store.get(PLACE, STRANGER)
    assert bodies(store.get(OTHER, OWNER)) == [b"other"]
    assert store.stats().entries == 1


def test_a_cleared_store_holds_nothing_and_takes_new_entries(store: Shelved) -> None:
    salt = store.salt
    for n in range(100):
        store.put(number(n), OWNER, entry())

    store.clear()

    assert store.stats() == StoreStats(0, 0)
    assert not store.get(number(7), OWNER)
    store.put(number(7), OWNER, entry(b"new"))
    assert bodies(store.get(number(7), OWNER)) == [b"new"]
    assert store.salt == salt


def test_a_closed_store_keeps_and_gives_nothing(store: Shelved) -> None:
    store.put(PLACE, OWNER, entry())

    store.close()
    store.close()

    store.put(OTHER, OWNER, entry())
    assert not store.get(PLACE, OWNER)
    assert not store.get(OTHER, OWNER)
    assert store.stats() == StoreStats(0, 0)
    store.remove(PLACE)
    store.clear()


# --- the bound


def test_what_was_used_longest_ago_goes_when_there_is_no_room(make: Make) -> None:
    store = make(200_000)
    for n in range(8):
        store.put(number(n), OWNER, entry(bytes(20_000)))
    for n in (0, 1):
        store.get(number(n), OWNER)

    for n in range(8, 12):
        store.put(number(n), OWNER, entry(bytes(20_000)))

    kept = [n for n in range(12) if store.get(number(n), OWNER)]
    assert {0, 1, 9, 10, 11} <= set(kept)
    assert 2 not in kept
    assert 7 <= len(kept) <= 10


def test_a_store_never_takes_more_than_it_may(make: Make) -> None:
    store = make(200_000)

    for n in range(200):
        store.put(number(n % 50), OWNER, entry(bytes(n * 977 % 30_000), accept=str(n % 3)))

        assert store.stats().size <= 200_000
    assert store.stats().size > 150_000
    assert store.get(number(199 % 50), OWNER)


def test_one_entry_may_fill_the_store(make: Make) -> None:
    store = make(200_000)
    for n in range(100):
        store.put(number(n), OWNER, entry(bytes(1000)))

    store.put(PLACE, OWNER, entry(bytes(150_000)))

    assert store.get(PLACE, OWNER)
    assert store.stats().size <= 200_000


@pytest.mark.parametrize("size", [199_000, 200_000, 300_000])
def test_an_entry_larger_than_the_store_is_not_kept_nor_what_it_replaces(size: int, make: Make) -> None:
    store = make(200_000)
    store.put(OTHER, OWNER, entry(b"other"))
    store.put(PLACE, OWNER, entry(b"old"))

    store.put(PLACE, OWNER, entry(bytes(size)))

    assert b"old" not in bodies(store.get(PLACE, OWNER))
    assert store.stats().size <= 200_000
    if size > 200_000:
        assert not store.get(PLACE, OWNER)
        assert bodies(store.get(OTHER, OWNER)) == [b"other"]


def test_a_store_that_is_too_small_for_anything_keeps_nothing(make: Make) -> None:
    store = make(1)

    store.put(PLACE, OWNER, entry())

    assert store.stats() == StoreStats(0, 0)


@pytest.mark.parametrize("size", [0, -1, 1.5, True, "1", None])
def test_a_size_must_be_a_number_of_bytes(size: object, make: Make) -> None:
    with pytest.raises(ConfigurationError, match="max_size must be a number of bytes, 1 or more, not"):
        make(size)


# --- many at once


def test_threads_share_a_store(make: Make) -> None:
    store = make(300_000)
    start = threading.Barrier(8)

    def work(thread: int) -> None:
        start.wait()
        for n in range(60):
            place = number(n % 7)
            store.put(place, number(thread % 3), entry(place * 30, accept=str(n % 4)))
            for found in store.get(place, number(thread % 3)):
                assert found.body == place * 30
            if n % 20 == 0:
                store.remove(place)
            if n == 59 and thread == 0:
                store.clear()

    with ThreadPoolExecutor(8) as threads:
        assert not any(threads.map(work, range(8)))

    assert store.stats().size <= 300_000
    assert store.stats().entries == sum(len(store.get(number(n), number(o))) for n in range(7) for o in range(3))


def test_each_store_has_a_salt_of_its_own(make: Make) -> None:
    salts = {make().salt for _ in range(5)}

    assert len(salts) == 5
    assert {len(salt) for salt in salts} == {16}


# --- any sequence of calls, beside an obvious model

KEYS = st.binary(max_size=2)
CALLS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, KEYS, st.binary(max_size=100), st.sampled_from([None, "", "a", "b"])),
        st.tuples(st.just("remove"), KEYS),
        st.tuples(st.just("clear")),
    ),
    max_size=30,
)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@given(CALLS)
@settings(deadline=None, max_examples=40)
def test_a_store_holds_what_was_put_last_whatever_is_done(kind: str, calls: list[tuple[object, ...]]) -> None:
    model: OrderedDict[tuple[bytes, bytes, str | None], bytes] = OrderedDict()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cache"
        with closing(Shelved(MemoryStore() if kind == "memory" else SqliteStore(path))) as store:
            for call in calls:
                match call:
                    case "put", bytes(place), bytes(owner), bytes(body), value if value is None or isinstance(
                        value, str
                    ):
                        store.put(place, owner, entry(body, accept=value))
                        model.pop((place, owner, value), None)
                        model[place, owner, value] = body
                    case "remove", bytes(place):
                        store.remove(place)
                        for key in [key for key in model if key[0] == place]:
                            del model[key]
                    case _:
                        store.clear()
                        model.clear()

            for place, owner, _ in model:
                expected = [body for key, body in reversed(model.items()) if key[:2] == (place, owner)]
                assert bodies(store.get(place, owner)) == expected
            assert store.stats().entries == len(model)
