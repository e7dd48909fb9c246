"""A store in an SQLite file: this user's alone, whole or begun anew, shared by processes, and never in the way."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from tracemalloc import get_traced_memory, start, stop

import pytest
from tests.jackfield_plugins.caching.shelved import Shelved
from tests.stalls import Stalls

from jackfield import ConfigurationError
from jackfield_plugins.caching import SqliteStore, Stored, StoreError

NOBODY = 65534
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
PLACE, OTHER, OWNER = b"p" * 32, b"q" * 32, b"o" * 32
BESIDE = ("", "-wal", "-shm")

Open = Callable[..., Shelved]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir(0o700)
    return folder / "answers.sqlite"


@pytest.fixture
def opened(path: Path) -> Iterator[Open]:
    """Another store of the same file, as another process has it."""
    with ExitStack() as stores:

        def another(max_size: int = 10_000_000) -> Shelved:
            return stores.enter_context(closing(Shelved(SqliteStore(path, max_size))))

        yield another


@pytest.fixture
def store(opened: Open) -> Shelved:
    return opened()


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def entry(body: bytes = b"body", accept: str = "a") -> Stored:
    return Stored(200, (("etag", '"1"'),), body, 1.25, 2.5, (("accept", accept),))


def number(place: int) -> bytes:
    return place.to_bytes(32, "big")


def body(store: Shelved, place: bytes = PLACE) -> bytes | None:
    found = store.get(place, OWNER)
    return found[0].body if found else None


def meddle(path: Path, *statements: str) -> None:
    """What somebody else does to the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    assert all(record.name == "jackfield" for record in caplog.records)
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


# --- the file


def test_what_was_put_is_there_for_another_store_of_the_file(store: Shelved, opened: Open) -> None:
    store.put(PLACE, OWNER, entry())

    other = opened()

    assert other.salt == store.salt
    assert list(other.get(PLACE, OWNER)) == [entry()]
    other.remove(PLACE)
    assert not store.get(PLACE, OWNER)


def test_what_was_put_outlives_the_store(path: Path, opened: Open) -> None:
    with closing(Shelved(SqliteStore(str(path)))) as store:
        store.put(PLACE, OWNER, entry())

    again = opened()

    assert again.salt == store.salt
    assert list(again.get(PLACE, OWNER)) == [entry()]


@pytest.mark.usefixtures("no_umask")
def test_the_files_are_this_users_alone_and_so_are_the_folders_that_are_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "newer" / "answers.sqlite"

    with closing(Shelved(SqliteStore(path))) as store:
        store.put(PLACE, OWNER, entry())

        assert {stat.S_IMODE(path.with_name(path.name + ending).stat().st_mode) for ending in BESIDE} == {0o600}
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)} == {0o700}


def test_home_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    SqliteStore("~/made/answers.sqlite").close()

    assert (tmp_path / "made" / "answers.sqlite").is_file()


@pytest.mark.parametrize("ending", BESIDE)
def test_a_link_in_the_place_of_a_file_is_refused_and_not_followed(ending: str, path: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"")
    SqliteStore(path).close()
    link = path.with_name(path.name + ending)
    link.unlink(missing_ok=True)
    link.symlink_to(target)

    with pytest.raises(ConfigurationError, match="regular file of the user who runs this"):
        SqliteStore(path)

    assert target.read_bytes() == b""


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o666])
def test_a_file_that_others_can_read_or_write_is_refused(mode: int, path: Path) -> None:
    SqliteStore(path).close()
    path.chmod(mode)

    with pytest.raises(ConfigurationError, match="chmod 600"):
        SqliteStore(path)


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_can_write_to_is_refused(mode: int, path: Path) -> None:
    path.parent.chmod(mode)

    with pytest.raises(ConfigurationError, match="chmod 700"):
        SqliteStore(path)


@AS_ROOT
def test_a_file_of_another_user_is_refused(path: Path) -> None:
    SqliteStore(path).close()
    os.chown(path, NOBODY, NOBODY)

    with pytest.raises(ConfigurationError, match="regular file of the user who runs this"):
        SqliteStore(path)


def test_a_folder_is_no_file(path: Path) -> None:
    path.mkdir(0o700)

    with pytest.raises(ConfigurationError, match="regular file"):
        SqliteStore(path)


def test_a_file_is_no_folder(path: Path) -> None:
    path.write_bytes(b"")

    with pytest.raises(ConfigurationError, match="cannot be a folder"):
        SqliteStore(path / "answers.sqlite")


@pytest.mark.parametrize("given", ["", "nul\0nul", b"bytes", None, 7, "/"])
def test_a_path_must_be_one(given: object) -> None:
    with pytest.raises(ConfigurationError, match="cannot be the file of a cache"):
        SqliteStore(given)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - for those without a checker


def test_a_file_that_became_open_to_others_is_passed_by(
    store: Shelved, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.put(PLACE, OWNER, entry())
    path.unlink()
    path.touch()
    path.chmod(0o644)

    for _ in range(3):
        store.put(PLACE, OWNER, entry())
        assert not store.get(PLACE, OWNER)

    assert len(said(caplog)) == 1
    assert "chmod 600" in said(caplog)[0]
    assert path.read_bytes() == b""


# --- what a hit costs


def test_a_hit_is_one_select_and_writes_nothing(store: Shelved, path: Path) -> None:
    store.put(PLACE, OWNER, entry())
    asked: list[str] = []
    assert store.inside._database._connection is not None
    store.inside._database._connection.set_trace_callback(asked.append)
    with closing(sqlite3.connect(path)) as other:
        before = other.execute("PRAGMA data_version").fetchone()

        for _ in range(500):
            assert body(store) == b"body"

        assert other.execute("PRAGMA data_version").fetchone() == before
    assert len(asked) == 500
    assert all(question.startswith("SELECT max(moment), NULL, NULL FROM forgotten UNION") for question in asked)


def test_what_another_process_uses_is_not_what_goes_first(opened: Open) -> None:
    with closing(opened(300_000)) as reader, closing(opened(300_000)) as writer:
        for n in range(10):
            writer.put(number(n), OWNER, entry(bytes(20_000)))
        for n in (1, 0):
            assert reader.get(number(n), OWNER)
        reader.put(number(10), OWNER, entry())  # uses are written with what is written anyhow

        for n in range(11, 17):
            writer.put(number(n), OWNER, entry(bytes(20_000)))

        assert body(writer, number(0))
        assert body(writer, number(1))
        assert not body(writer, number(2))


def test_uses_are_written_when_a_store_is_closed(opened: Open) -> None:
    store = opened(300_000)
    for n in range(10):
        store.put(number(n), OWNER, entry(bytes(20_000)))
    with closing(opened()) as reader:
        assert reader.get(number(0), OWNER)

    for n in range(10, 16):
        store.put(number(n), OWNER, entry(bytes(20_000)))

    assert body(store, number(0))
    assert not body(store, number(1))


def test_what_is_used_often_is_not_written_each_time(opened: Open) -> None:
    store = opened()
    for n in range(40):
        store.put(number(n), OWNER, entry())
    written: list[str] = []
    for n in range(20):
        store.get(number(39), OWNER)
        store.get(number(0), OWNER)
        store.put(number(100 + n), OWNER, entry())
    with closing(opened()) as other:
        (row,) = other.inside._database.read("SELECT max(used) FROM uses")
        written.append(row)

    assert row[0] < 40 + 20 + 10  # 40 uses, of which a few were written


def test_what_was_parsed_of_an_entry_stays_parsed_as_long_as_its_row_is_the_same(store: Shelved, opened: Open) -> None:
    store.put(PLACE, OWNER, entry())
    (found,) = store.get(PLACE, OWNER)

    assert store.get(PLACE, OWNER)[0] is found

    opened().put(PLACE, OWNER, entry(b"BODY"))
    assert body(store) == b"BODY"


def test_large_entries_are_not_held_in_memory(store: Shelved) -> None:
    for n in range(200):
        store.put(number(n), OWNER, entry(bytes(30_000)))
        assert body(store, number(n))
    store.put(PLACE, OWNER, entry(bytes(40_000)))
    assert body(store)

    held = store.inside._recent._read

    assert len(held) == 128
    assert (number(199), OWNER) in held
    assert (PLACE, OWNER) not in held


def test_of_long_bodies_only_the_one_that_suits_is_read(path: Path) -> None:
    long = os.urandom(40_000)
    with closing(SqliteStore(path)) as store:
        moment = store.get(PLACE, OWNER).moment
        for accept in ("a", "b", "c"):
            store.put(PLACE, OWNER, entry(accept.encode() + long, accept), moment)
        store.put(PLACE, OWNER, entry(b"short", "d"), moment)
        asked: list[str] = []
        assert store._database._connection is not None
        store._database._connection.set_trace_callback(asked.append)

        found = store.get(PLACE, OWNER, lambda selecting: selecting == (("accept", "b"),)).entries

        assert [each.body for each in found] == [b"short", b"", b"b" + long, b""]
        assert [each.selecting[0][1] for each in found] == ["d", "c", "b", "a"]
        assert len(asked) == 2
        assert [each.body[:1] for each in store.get(PLACE, OWNER).entries] == [b"s", b"c", b"b", b"a"]


def test_a_long_body_that_goes_while_it_is_asked_for_is_not_there(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        moment = store.get(PLACE, OWNER).moment
        for accept in ("a", "b"):
            store.put(PLACE, OWNER, entry(os.urandom(40_000), accept), moment)

        def suits(selecting: object) -> bool:
            meddle(path, "DELETE FROM entries")
            return True

        assert store.get(PLACE, OWNER, suits).entries == ()
        assert store.get(PLACE, OWNER).entries == ()


def test_a_file_without_a_moment_gets_one(store: Shelved, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store.put(PLACE, OWNER, entry())
    meddle(path, "DELETE FROM forgotten")

    assert not store.inside.put(PLACE, OWNER, entry(), 0)
    assert not store.get(PLACE, OWNER)
    store.put(PLACE, OWNER, entry())
    assert body(store) == b"body"
    assert len(said(caplog)) == 1


# --- the bound


def test_the_files_stay_within_the_bound_and_a_log(opened: Open, path: Path) -> None:
    store = opened(2_000_000)

    for n in range(3000):
        store.put(number(n), OWNER, entry(os.urandom(n % 5000)))

    assert path.stat().st_size <= 2_100_000
    assert path.with_name(path.name + "-wal").stat().st_size <= 5_000_000
    assert store.stats().entries > 400


def test_large_entries_find_their_room_before_they_are_written(opened: Open, path: Path) -> None:
    store = opened(2_000_000)

    for n in range(6):
        store.put(number(n), OWNER, entry(os.urandom(1_900_000)))

        assert body(store, number(n))
        assert path.stat().st_size <= 2_050_000
        assert path.with_name(path.name + "-wal").stat().st_size <= 2_050_000
    for n in range(200):
        store.put(number(n), OWNER, entry(os.urandom(2000)))
    assert path.with_name(path.name + "-wal").stat().st_size <= 500_000  # it shrinks again


def test_the_log_is_an_eighth_of_what_the_file_may_take(opened: Open, path: Path) -> None:
    store = opened(800_000)

    for n in range(500):
        store.put(number(n), OWNER, entry(os.urandom(2000)))

    assert path.stat().st_size <= 850_000
    assert path.with_name(path.name + "-wal").stat().st_size <= 200_000


def test_of_what_was_forgotten_no_more_is_written_down_than_is_needed(store: Shelved) -> None:
    for n in range(1100):
        store.inside.remove(number(n))

    assert store.inside._database.read("SELECT count(*) FROM forgotten") == [(1001,)]


def test_a_store_that_may_take_less_than_it_holds_shrinks(opened: Open) -> None:
    store = opened()
    for n in range(500):
        store.put(number(n), OWNER, entry(bytes(2000)))

    smaller = opened(200_000)
    smaller.put(PLACE, OWNER, entry())

    assert body(smaller) == b"body"
    assert smaller.stats().size <= 200_000


def test_a_cleared_store_gives_its_room_back_and_nothing_of_it_can_be_read(store: Shelved, path: Path) -> None:
    for n in range(300):
        store.put(number(n), OWNER, entry(b"hunter2-canary" * 500))

    store.clear()

    files = [path.with_name(path.name + ending) for ending in BESIDE]
    assert path.stat().st_size < 100_000
    assert not any(b"hunter2-canary" in file.read_bytes() for file in files)


# --- damaged entries


@pytest.mark.parametrize(
    "damage",
    [
        *(
            damage.replace("data", column)
            for column in ("head", "body")
            for damage in (
                "UPDATE entries SET data = x''",
                "UPDATE entries SET data = NULL",
                "UPDATE entries SET data = 7",
                "UPDATE entries SET data = 'text'",
                "UPDATE entries SET data = CAST(x'fffe' AS TEXT)",
                "UPDATE entries SET data = data || x'00'",
                "UPDATE entries SET data = substr(data, 1, length(data) - 1)",
                "UPDATE entries SET data = x'02' || substr(data, 2)",
                "UPDATE entries SET data = zeroblob(20000000)",
            )
        ),
        "UPDATE entries SET head = substr(head, 1, 40) || x'ff' || substr(head, 42)",
        "UPDATE entries SET body = substr(body, 1, 2) || x'ff' || substr(body, 4)",
        "UPDATE entries SET owner = x'01', place = (SELECT place FROM entries WHERE owner = x'02')",
    ],
)
def test_a_damaged_entry_is_a_miss_is_dropped_and_told_once(
    damage: str, store: Shelved, opened: Open, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for place in (PLACE, OTHER):
        store.put(place, b"\1", entry())
    store.put(PLACE, OWNER, entry())
    if "owner" in damage:
        store.put(OTHER, b"\2", entry(b"another's"))
    meddle(path, f"{damage} WHERE owner = x'01'")

    for place in (PLACE, OTHER, PLACE, OTHER):
        assert not store.get(place, b"\1")

    assert len(said(caplog)) == 1
    assert "damaged" in said(caplog)[0]
    with closing(opened()) as other:
        assert other.inside._database.read("SELECT count(*) FROM entries WHERE owner = x'01'") == [(0,)]
    store.put(PLACE, b"\1", entry(b"new"))
    assert [found.body for found in store.get(PLACE, b"\1")] == [b"new"]


def test_an_entry_that_says_it_is_giant_is_not_even_read(store: Shelved, path: Path) -> None:
    store.put(PLACE, OWNER, entry())
    meddle(path, "UPDATE entries SET body = zeroblob(20000000)")
    start()

    assert not store.get(PLACE, OWNER)

    _, peak = get_traced_memory()
    stop()
    assert peak < 1_000_000


def test_an_entry_that_is_no_text_is_not_kept_nor_what_it_replaces(
    store: Shelved, caplog: pytest.LogCaptureFixture
) -> None:
    store.put(PLACE, OWNER, entry())

    store.put(PLACE, OWNER, entry()._replace(headers=(("x", "\ud800"),)))

    assert not store.get(PLACE, OWNER)
    assert said(caplog) == []


# --- files that are none of ours


def _text(path: Path) -> None:
    path.write_bytes(b"[section]\nkey = value\n" * 100)


def _somebodys(path: Path) -> None:
    meddle(path, "CREATE TABLE precious (value)", "INSERT INTO precious VALUES (7)")


def _some_applications(path: Path) -> None:
    meddle(path, "PRAGMA application_id = 7")


def _look_alike(path: Path) -> None:
    SqliteStore(path).close()
    meddle(path, "PRAGMA application_id = 7")


def _later_versions(path: Path) -> None:
    SqliteStore(path).close()
    meddle(path, "PRAGMA user_version = 3")


def _without_salt(path: Path) -> None:
    SqliteStore(path).close()
    meddle(path, "DELETE FROM salt")


def _without_tables(path: Path) -> None:
    SqliteStore(path).close()
    meddle(path, "DROP TABLE entries")


@pytest.mark.parametrize(
    "make", [_text, _somebodys, _some_applications, _look_alike, _later_versions, _without_salt, _without_tables]
)
def test_a_file_that_is_no_store_of_this_version_is_passed_by_and_left_alone(
    make: Callable[[Path], None], path: Path, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    make(path)
    path.chmod(0o600)
    before = path.read_bytes()

    store = opened()
    for _ in range(3):
        store.put(PLACE, OWNER, entry())
        assert not store.get(PLACE, OWNER)
        store.remove(PLACE)
    store.clear()
    assert store.stats() == (0, 0)

    assert len(said(caplog)) == 1
    assert str(path) in said(caplog)[0]
    store.close()
    if make is not _without_tables:
        assert path.read_bytes() == before


def test_a_file_that_cannot_be_used_is_tried_less_and_less_often(path: Path, opened: Open) -> None:
    def tries(store: Shelved) -> int:
        for n in range(100):
            store.put(PLACE, OWNER, entry())
            if body(store):
                return n
        return 100

    def replace() -> None:
        for ending in BESIDE:
            path.with_name(path.name + ending).unlink(missing_ok=True)
        _text(path)
        path.chmod(0o600)

    replace()
    store = opened()
    for _ in range(500):
        store.put(PLACE, OWNER, entry())
    path.unlink()
    late = tries(store)
    replace()
    assert not body(store)
    path.unlink()

    assert 2 < late < 70
    assert tries(store) < 3


def test_a_file_of_no_bytes_is_a_new_one(path: Path, opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    path.touch(0o600)

    store = opened()
    store.put(PLACE, OWNER, entry())

    assert body(store) == b"body"
    assert said(caplog) == []


def test_a_file_that_was_removed_is_made_again_with_the_same_salt(
    store: Shelved, opened: Open, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.put(PLACE, OWNER, entry())
    path.unlink()  # and its log stays behind

    assert not store.get(PLACE, OWNER)

    store.put(OTHER, OWNER, entry())
    assert body(opened(), OTHER) == b"body"
    assert opened().salt == store.salt
    assert said(caplog) == []


def test_a_file_that_is_made_again_shares_nothing_with_the_one_that_was_removed(
    store: Shelved, opened: Open, path: Path
) -> None:
    store.put(PLACE, OWNER, entry())
    beside = [path.with_name(path.name + ending) for ending in BESIDE[1:]]
    before = [file.stat().st_ino for file in beside]
    path.unlink()  # another process has it open still

    opened().put(OTHER, OWNER, entry())

    assert not {file.stat().st_ino for file in beside} & set(before)


def test_those_who_make_a_file_at_the_same_time_make_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    together = threading.Barrier(6)

    def make(n: int) -> bytes:
        together.wait()
        with closing(Shelved(SqliteStore(tmp_path / str(n) / "answers.sqlite"))) as store:
            return store.salt

    with ThreadPoolExecutor(6) as threads:
        for n in range(15):
            assert len(set(threads.map(make, [n] * 6))) == 1

    assert said(caplog) == []


def test_a_file_that_another_cache_put_there_is_passed_by(
    store: Shelved, path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.put(PLACE, OWNER, entry())
    with closing(Shelved(SqliteStore(tmp_path / "other" / "answers.sqlite"))) as other:
        other.put(OTHER, OWNER, entry())
    for ending in BESIDE[1:]:
        path.with_name(path.name + ending).unlink()
    os.replace(tmp_path / "other" / "answers.sqlite", path)

    for _ in range(5):
        store.put(PLACE, OWNER, entry())
        assert not store.get(PLACE, OWNER)

    assert len(said(caplog)) == 1
    assert "another cache" in said(caplog)[0]


# --- damaged files


@pytest.fixture
def whole(path: Path) -> bytes:
    """A file with entries, after its last store was closed."""
    with closing(Shelved(SqliteStore(path))) as store:
        for n in range(60):
            store.put(number(n), OWNER, entry(number(n) * 40))
    return path.read_bytes()


def test_a_damaged_file_is_begun_anew(whole: bytes, path: Path, opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    page = 4096
    path.write_bytes(whole[:page] + b"\xff" * (len(whole) - page))

    store = opened()
    for _ in range(300):
        store.put(PLACE, OWNER, entry())

    assert body(store) == b"body"
    assert len(said(caplog)) == 1
    assert body(opened()) == b"body"


def test_a_file_that_is_damaged_while_it_is_used_is_begun_anew(
    whole: bytes, path: Path, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    store, other = opened(), opened()
    with path.open("r+b") as file:
        file.write(b"\xff" * len(whole))

    for _ in range(300):
        for each in (store, other):
            each.put(PLACE, OWNER, entry())
            each.get(PLACE, OWNER)

    assert body(store) == body(other) == b"body"
    assert len(said(caplog)) == 1  # the other one finds a new file
    store.remove(PLACE)
    assert not other.get(PLACE, OWNER)  # they share the new one


def test_a_file_whose_head_is_damaged_while_it_is_used_is_begun_anew(
    store: Shelved, opened: Open, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = opened()
    other.put(OTHER, OWNER, entry())
    other.inside._database.tidy()  # nothing is in the log any more
    with path.open("r+b") as file:
        file.write(b"\xff" * 100)

    for _ in range(100):
        store.put(PLACE, OWNER, entry())

    assert body(store) == b"body"
    assert body(opened()) == b"body"
    assert len(said(caplog)) == 1
    assert "not a database" in said(caplog)[0]


def test_a_file_whose_damage_is_no_text_is_begun_anew(whole: bytes, path: Path, opened: Open) -> None:
    name = b"CREATE TRIGGER come AFTER INSERT"
    assert whole.count(name) == 1
    path.write_bytes(whole.replace(name, b"CREATE \xf4\xf4\xf4\xf4\xf4\xf4\xf4 come AFTER INSERT"))

    store = opened()
    for _ in range(3):
        store.put(PLACE, OWNER, entry())

    assert body(store) == b"body"


@pytest.mark.parametrize("part", range(8))
def test_no_damage_makes_a_call_fail_or_an_answer_wrong(part: int, whole: bytes, path: Path) -> None:
    for at in range(part * 131, len(whole), 8 * 131):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << part)]) + whole[at + 1 :])
        with closing(Shelved(SqliteStore(path))) as store:
            for n in range(0, 60, 7):
                assert body(store, number(n)) in (number(n) * 40, None), at
            store.put(number(1), OWNER, entry(b"new"))
            assert body(store, number(1)) in (b"new", None), at
            store.remove(number(2))
            assert not store.get(number(2), OWNER), at
        for ending in BESIDE:
            path.with_name(path.name + ending).unlink(missing_ok=True)
        path.touch(0o600)


def test_a_file_that_was_cut_makes_no_call_fail(whole: bytes, path: Path) -> None:
    for size in range(0, len(whole), 4096 - 512):
        path.write_bytes(whole[:size])
        with closing(Shelved(SqliteStore(path))) as store:
            for n in range(60):
                assert body(store, number(n)) in (number(n) * 40, None), size
            store.put(number(1), OWNER, entry(b"new"))
            assert body(store, number(1)) in (b"new", None), size
        for ending in BESIDE:
            path.with_name(path.name + ending).unlink(missing_ok=True)
        path.touch(0o600)


# --- what cannot be written


def test_a_locked_file_is_read_and_what_could_not_be_written_is_not_given(
    store: Shelved, opened: Open, path: Path, caplog: pytest.LogCaptureFixture, stalls: Stalls
) -> None:
    for place in (PLACE, OTHER, number(1), number(2)):
        store.put(place, OWNER, entry())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        began = time.monotonic()
        for _ in range(10):
            store.put(PLACE, OWNER, entry(b"new"))
        store.remove(OTHER)
        assert time.monotonic() - began < 5 + stalls.seconds  # it is waited for once

        assert not store.get(PLACE, OWNER)
        assert not store.get(OTHER, OWNER)
        assert body(store, number(1)) == b"body"
        other.execute("ROLLBACK")

    store.put(number(2), OWNER, entry(b"newer"))

    assert len(said(caplog)) == 1
    assert "locked" in said(caplog)[0]
    for each in (store, opened()):
        assert not each.get(OTHER, OWNER)
        assert not each.get(PLACE, OWNER)
        assert body(each, number(2)) == b"newer"


def test_what_a_locked_file_owes_is_written_when_the_store_is_closed(store: Shelved, opened: Open, path: Path) -> None:
    store.put(PLACE, OWNER, entry())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.remove(PLACE)
        other.execute("ROLLBACK")

    store.close()

    assert not opened().get(PLACE, OWNER)


def test_a_clearing_that_cannot_be_written_is_made_up_for(store: Shelved, opened: Open, path: Path) -> None:
    store.put(PLACE, OWNER, entry())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.clear()
        assert not store.get(PLACE, OWNER)
        other.execute("ROLLBACK")

    store.put(OTHER, OWNER, entry())

    for each in (store, opened()):
        assert not each.get(PLACE, OWNER)
        assert body(each, OTHER) == b"body"


def test_who_owes_too_much_owes_everything(store: Shelved, opened: Open, path: Path) -> None:
    store.put(PLACE, OWNER, entry())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for n in range(1001):
            store.remove(number(n))
        assert not store.get(PLACE, OWNER)
        other.execute("ROLLBACK")

    store.put(OTHER, OWNER, entry())

    for each in (store, opened()):
        assert not each.get(PLACE, OWNER)
        assert body(each, OTHER) == b"body"


def test_a_writer_waits_for_another_process(store: Shelved, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        done = threading.Timer(0.1, lambda: other.execute("ROLLBACK"))
        done.start()

        store.put(PLACE, OWNER, entry())

        done.join()
    assert body(store) == b"body"
    assert said(caplog) == []


def test_who_waited_in_vain_waits_again_once_it_was_let_in(store: Shelved, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.put(PLACE, OWNER, entry(b"lost"))
        other.execute("ROLLBACK")
        store.put(PLACE, OWNER, entry())
        other.execute("BEGIN IMMEDIATE")
        done = threading.Timer(0.1, lambda: other.execute("ROLLBACK"))
        done.start()

        store.put(OTHER, OWNER, entry(b"waited"))

        done.join()
    assert body(store, OTHER) == b"waited"


def test_who_opens_a_file_waits_for_another_process(
    store: Shelved, opened: Open, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.put(PLACE, OWNER, entry())
    salt = store.salt
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        done = threading.Timer(0.1, other.close)
        done.start()

        again = opened()

        done.join()
    assert again.salt == salt
    assert body(again) == b"body"
    assert said(caplog) == []


def test_a_file_that_nobody_else_may_open_is_passed_by(
    path: Path, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    SqliteStore(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")

        store = opened()
        for _ in range(100):
            store.put(PLACE, OWNER, entry())
            assert not store.get(PLACE, OWNER)

    assert len(said(caplog)) == 1
    assert "locked" in said(caplog)[0]


def test_a_file_that_takes_no_more_pages_makes_no_call_fail(store: Shelved, caplog: pytest.LogCaptureFixture) -> None:
    store.put(PLACE, OWNER, entry(b"old"))
    store.put(OTHER, OWNER, entry(b"other"))
    assert store.inside._database._connection is not None
    connection = store.inside._database._connection
    connection.execute("PRAGMA max_page_count = 10")

    store.put(PLACE, OWNER, entry(bytes(100_000)))

    assert store.inside._database._connection is connection  # which is good
    assert not store.get(PLACE, OWNER)
    assert body(store, OTHER) == b"other"
    connection.execute("PRAGMA max_page_count = 10000")
    store.put(PLACE, OWNER, entry(bytes(100_000)))
    assert body(store) == bytes(100_000)
    assert len(said(caplog)) == 1
    assert "full" in said(caplog)[0]


def test_an_interrupt_leaves_the_file_as_it_was(store: Shelved, opened: Open) -> None:
    store.put(PLACE, OWNER, entry())

    def interrupted(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM entries")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.inside._write(interrupted)

    assert body(store) == b"body"
    assert body(opened()) == b"body"


def test_a_call_within_a_call_of_the_same_thread_harms_neither(store: Shelved, opened: Open) -> None:
    """A coroutine that was given up ends wherever the garbage collector finds it."""
    store.put(OTHER, OWNER, entry())

    def work(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM entries WHERE place = ?", (OTHER,))
        store.put(PLACE, OWNER, entry(b"within"))

    store.shelf.forget([OTHER])
    with pytest.raises(StoreError):
        store.inside._write(work)
    store.put(number(1), OWNER, entry())

    for each in (store, opened()):
        assert not each.get(PLACE, OWNER)
        assert not each.get(OTHER, OWNER)
        assert body(each, number(1)) == b"body"
