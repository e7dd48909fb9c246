"""A store in an SQLite file, among processes: killed ones, forked ones, many at once, full and read-only disks."""

from __future__ import annotations

import os
import select
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import mkdtemp

import pytest
from tests.jackfield_plugins.caching.shelved import Shelved

from jackfield_plugins.caching import SqliteStore, Stored

NOBODY = 65534
GUARD = 60  # seconds after which a process hangs
OWNER = b"o" * 32

# What every process of these tests has at hand.
HEAD = """
import fcntl, logging, os, resource, sys  # at once: another user may not reach the libraries
from jackfield_plugins.caching import SqliteStore as Bare, Stored
from tests.jackfield_plugins.caching.shelved import Shelved
logging.basicConfig(format="%(levelname)s %(message)s", stream=sys.stderr)
OWNER = b"o" * 32
def SqliteStore(*args): return Shelved(Bare(*args))
def number(n): return n.to_bytes(32, "big")
def entry(n, size=2000, salt=0):
    return Stored(200, (("x-number", str(n)),), (number(n * 31 + salt) * (size // 32 + 1)), 1.0, 2.0)
def whole(n, found):
    body = found.body
    return found.headers == (("x-number", str(n)),) and len(body) % 32 == 0 and body == body[:32] * (len(body) // 32)
"""


def number(n: int) -> bytes:
    return n.to_bytes(32, "big")


def is_whole(n: int, found: Stored) -> bool:
    return found.headers == (("x-number", str(n)),) and found.body == found.body[:32] * (len(found.body) // 32)


def process(body: str, path: Path, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    script = f"{HEAD}\nPATH = {str(path)!r}\n{body}"
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def outcome(running: subprocess.Popen[str]) -> tuple[str, list[str]]:
    """What a process printed, and what it was warned of."""
    printed, errors = running.communicate(timeout=GUARD)
    assert running.returncode == 0, errors
    return printed, errors.splitlines()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "answers.sqlite"


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that another user can reach; pytest's are root's alone."""
    folder = Path(mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


# --- killed

WRITER = """
store = SqliteStore(PATH, 2_000_000)
n = int(sys.argv[1]) if len(sys.argv) > 1 else 0
while True:
    store.put(number(n % 40), OWNER, entry(n % 40, 100 + n * 977 % 20_000, n))
    if n % 40 == 39:
        store.remove(number(n // 40 % 40))
    os.write(1, b"%d\\n" % n)
    n += 1
"""


@pytest.mark.parametrize("seed", range(12))
def test_what_was_kept_outlives_a_writer_that_is_killed_at_any_moment(
    seed: int, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chance = Random(seed)
    for _ in range(3):
        with process(WRITER, path) as running:
            assert running.stdout is not None
            done = -1
            for _ in range(chance.randrange(1, 150)):
                done = int(running.stdout.readline())
            _ = select.select([], [], [], chance.random() * 0.003)  # any moment between two lines, or within a write
            running.kill()
            assert running.stderr is not None
            lines = running.stdout.read().splitlines(keepends=True)  # not `communicate`, which passes the buffer by
            assert running.stderr.read() == ""
        done = max([done, *(int(line) for line in lines if line.endswith("\n"))])

        with closing(Shelved(SqliteStore(path, 2_000_000))) as store:
            for n in range(40):
                assert all(is_whole(n, found) for found in store.get(number(n), OWNER))
            (last,) = store.get(number(done % 40), OWNER)
            # What it said is kept is kept: that, or what it was about to write next in this place.
            assert last.body[:32] in (number(done % 40 * 31 + done), number(done % 40 * 31 + done + 40))
            assert store.inside._database.read("PRAGMA integrity_check") == [(b"ok",)]
    assert caplog.records == []


def test_a_maker_that_is_killed_leaves_a_file_that_the_next_one_can_use(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    body = "os.write(1, b'!'); SqliteStore(PATH).put(number(1), OWNER, entry(1)); os.write(1, b'.')"
    chance = Random(7)
    for _ in range(25):
        with process(body, path) as running:
            assert running.stdout is not None
            assert running.stdout.read(1) == "!"
            _ = select.select([], [], [], chance.random() * 0.012)
            running.kill()

        with closing(Shelved(SqliteStore(path))) as store:
            store.put(number(2), OWNER, Stored(200, (("x-number", "2"),), b"", 1.0, 2.0))
            assert len(store.get(number(2), OWNER)) == 1
            assert store.get(number(1), OWNER) == () or is_whole(1, store.get(number(1), OWNER)[0])
        shutil.rmtree(path.parent)
    assert caplog.records == []


# --- several


def test_processes_write_and_read_one_file(path: Path) -> None:
    body = """
store = SqliteStore(PATH, 50_000_000)
me = int(store.salt and {me})
for n in range(150):
    store.put(number(n), number(me), entry(n, 3000, me))
    for other in range(4):
        for found in store.get(number(n), number(other)):
            assert whole(n, found) and found.body[:32] == number(n * 31 + other)
print(store.salt.hex(), sum(len(store.get(number(n), number(me))) for n in range(150)))
store.close()
"""
    running = [process(body.replace("{me}", str(me)), path) for me in range(4)]

    outcomes = [outcome(each) for each in running]

    assert [errors for _, errors in outcomes] == [[]] * 4
    assert len({printed.split()[0] for printed, _ in outcomes}) == 1  # one salt
    assert [printed.split()[1] for printed, _ in outcomes] == ["150"] * 4
    with closing(Shelved(SqliteStore(path))) as store:
        assert store.stats().entries == 600
        for n in range(150):
            assert all(is_whole(n, store.get(number(n), number(me))[0]) for me in range(4))


def test_what_one_process_forgot_no_other_gives(path: Path) -> None:
    body = """
store = SqliteStore(PATH)
for line in sys.stdin:
    store.remove(number(1))
    print("removed", flush=True)
"""
    script = f"{HEAD}\nPATH = {str(path)!r}\n{body}"
    with (
        subprocess.Popen(
            [sys.executable, "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as other,
        closing(Shelved(SqliteStore(path))) as store,
    ):
        assert other.stdin is not None
        assert other.stdout is not None
        for n in range(50):
            store.put(number(1), OWNER, Stored(200, (), b"%d" % n, 1.0, 2.0))
            assert store.get(number(1), OWNER)[0].body == b"%d" % n
            other.stdin.write("\n")
            other.stdin.flush()
            assert other.stdout.readline() == "removed\n"
            assert not store.get(number(1), OWNER)


TWO = """
from jackfield import Client, Request, Response, Service, operation
from jackfield.testing import FakeTransport
from jackfield_plugins.caching import Cache
class Api(Service):
    @operation
    async def ask(self, method="GET"):
        return await self.send(Request(method, self.url("r")))
class ApiClient(Api, Client): ...
def client(respond):
    return ApiClient("https://api.example", transport=FakeTransport(otherwise=respond), cache=Cache(Bare(PATH)))
def answer(body): return Response(200, {"cache-control": "max-age=60"}, body)
"""


def test_what_one_process_posts_is_seen_by_all_though_another_was_asking_meanwhile(path: Path) -> None:
    reader = """
def respond(request):
    print("asking", flush=True)
    return answer(sys.stdin.readline().strip().encode())
with client(respond) as api:
    for _ in range(10):
        sys.stdin.readline()
        print(api.ask().body.decode(), flush=True)
        print(api.ask().body.decode(), flush=True)
"""
    writer = """
with client(lambda request: answer(b"posted")) as api:
    for _ in sys.stdin:
        api.ask("POST")
        print("posted", flush=True)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    scripts = [f"{HEAD}\nPATH = {str(path)!r}\n{TWO}\n{body}" for body in (reader, writer)]
    one, other = [
        subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        for script in scripts
    ]

    def tell(process: subprocess.Popen[str], line: str) -> None:
        assert process.stdin is not None
        process.stdin.write(f"{line}\n")
        process.stdin.flush()

    def heard(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        return process.stdout.readline().strip()

    with one, other:
        for n in range(10):
            tell(one, "go on")
            assert heard(one) == "asking"
            tell(other, "post")
            assert heard(other) == "posted"
            tell(one, f"old {n}")
            assert heard(one) == f"old {n}"
            assert heard(one) == "asking"  # again: what came late was not kept
            tell(one, f"new {n}")
            assert heard(one) == f"new {n}"
            tell(other, "post")
            assert heard(other) == "posted"
        assert one.stdin is not None
        assert other.stdin is not None
        one.stdin.close()
        other.stdin.close()

    assert (one.returncode, other.returncode) == (0, 0)


FORGETTER = """
store = Bare(PATH)
n = 0
while True:
    moment = store.get(number(1), OWNER).moment
    os.write(1, b"read %d\\n" % n)
    store.remove(number(1))
    os.write(1, b"removed %d\\n" % n)
    assert not store.put(number(1), OWNER, entry(1), moment)
    assert store.put(number(1), OWNER, entry(1, salt=n), store.get(number(1), OWNER).moment)
    n += 1
"""


@pytest.mark.parametrize("seed", range(6))
def test_what_was_forgotten_stays_so_if_the_process_is_killed(seed: int, path: Path) -> None:
    chance = Random(seed)
    with closing(SqliteStore(path)) as store:
        for _ in range(3):
            moment = store.get(number(1), OWNER).moment
            with process(FORGETTER, path) as running:
                assert running.stdout is not None
                for _ in range(chance.randrange(2, 80)):
                    running.stdout.readline()
                _ = select.select([], [], [], chance.random() * 0.003)
                running.kill()
                assert running.stderr is not None
                running.stdout.read()
                assert running.stderr.read() == ""

            assert not store.put(number(1), OWNER, Stored(200, (), b"old", 9.0, 9.0), moment)
            assert store.get(number(1), OWNER).moment > moment


def test_stores_of_one_file_in_one_process_close_without_harm_to_each_other(path: Path) -> None:
    """Closing a file drops every POSIX lock that the process has on it."""
    with closing(Shelved(SqliteStore(path))) as store:
        store.put(number(1), OWNER, Stored(200, (), b"kept", 1.0, 2.0))
        for _ in range(5):
            SqliteStore(path).close()
        assert outcome(process("SqliteStore(PATH).close()", path)) == ("", [])

        store.put(number(2), OWNER, Stored(200, (), b"kept", 1.0, 2.0))

    with closing(Shelved(SqliteStore(path))) as again:
        assert again.stats().entries == 2


# --- forks


def forked(work: str, path: Path) -> tuple[str, list[str]]:
    return outcome(process(work, path))


def test_parent_and_child_go_on_after_a_fork(path: Path) -> None:
    body = """
store = SqliteStore(PATH)
store.put(number(1), OWNER, entry(1))
child = os.fork()
mine, other = (3, 2) if child else (2, 3)
for n in range(100):
    store.put(number(mine), OWNER, entry(mine, 3000, n))
    assert child or store.get(number(1), OWNER)  # which the child will remove
    assert all(whole(other, found) for found in store.get(number(other), OWNER))
if not child:
    store.remove(number(1))
    store.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert not store.get(number(1), OWNER) and store.get(number(2), OWNER) and store.get(number(3), OWNER)
print("good")
"""
    assert forked(body, path) == ("good\n", [])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_fork_comes_between_no_call_of_another_thread(path: Path) -> None:
    body = """
import threading, warnings
warnings.simplefilter("ignore")  # that there are threads: they are the point
from jackfield_plugins.caching import MemoryStore
stores = [SqliteStore(PATH), Shelved(MemoryStore(100_000))]
stop = threading.Event()
def work(me):
    n = 0
    while not stop.is_set():
        n += 1
        for store in stores:
            store.put(number(n % 9), number(me), entry(n % 9))
            assert all(whole(n % 9, found) for found in store.get(number(n % 9), number(me)))
threads = [threading.Thread(target=work, args=(me,)) for me in range(3)]
for thread in threads: thread.start()
for _ in range(40):
    child = os.fork()
    if not child:
        import signal
        signal.alarm(20)
        for store in stores:
            store.put(number(50), OWNER, entry(50))
            assert whole(50, store.get(number(50), OWNER)[0])
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
for thread in threads: thread.join()
print("good")
"""
    assert forked(body, path) == ("good\n", [])


def test_threads_that_fork_at_the_same_time_do_not_wait_for_each_other_for_ever(path: Path) -> None:
    body = """
import signal, threading, warnings
warnings.simplefilter("ignore")
stores = [SqliteStore(PATH), SqliteStore(PATH + "2")]
def work(me):
    for n in range(15):
        child = os.fork()
        for store in stores:
            store.put(number(me), OWNER, entry(me))
        if not child:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        SqliteStore(PATH + str(me + 3)).close()
signal.alarm(50)
threads = [threading.Thread(target=work, args=(me,)) for me in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert all(store.get(number(me), OWNER) for me in range(3) for store in stores)
print("good")
"""
    assert forked(body, path) == ("good\n", [])


def test_a_forked_child_that_ends_harms_nothing(path: Path) -> None:
    body = """
store = SqliteStore(PATH)
store.put(number(1), OWNER, entry(1))
for _ in range(5):
    child = os.fork()
    if not child:
        sys.exit(0)  # with all that an interpreter does at its end
    assert os.waitpid(child, 0)[1] == 0
    store.put(number(2), OWNER, entry(2))
    assert store.get(number(1), OWNER) and store.get(number(2), OWNER)
print("good")
"""
    assert forked(body, path) == ("good\n", [])


# --- full disks

FULL = """
old = [n for n in range(100) if store.get(number(n), OWNER)]
for n in range(400):
    store.put(number(n), OWNER, entry(n, 5000, 1))
    found = store.get(number(n), OWNER)
    assert not found or whole(n, found[0]) and found[0].body[:32] == number(n * 31 + 1), n
for n in range(50):
    store.remove(number(n))
    assert not store.get(number(n), OWNER)
"""


def test_a_full_disk_makes_no_call_fail_and_no_answer_wrong(path: Path) -> None:
    body = f"""
store = SqliteStore(PATH)
for n in range(100):
    store.put(number(n), OWNER, entry(n))
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
{FULL}
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
for _ in range(100):
    store.put(number(300), OWNER, entry(300))
assert store.get(number(300), OWNER)
for n in range(50):
    assert not store.get(number(n), OWNER)
print(len(old))
store.close()
"""
    printed, warned = outcome(process(body, path))

    assert printed == "100\n"
    assert len(warned) == 1
    assert "calls go on without it" in warned[0]
    with closing(Shelved(SqliteStore(path))) as store:
        assert not any(store.get(number(n), OWNER) for n in range(50))
        assert is_whole(300, store.get(number(300), OWNER)[0])
        assert store.inside._database.read("PRAGMA integrity_check") == [(b"ok",)]


@pytest.mark.parametrize("size", [0, 1000, 5000, 30_000, 40_000, 70_000])
def test_a_store_that_is_opened_on_a_full_disk_makes_no_call_fail(size: int, path: Path) -> None:
    body = f"""
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, resource.RLIM_INFINITY))
store = SqliteStore(PATH)
{FULL}
store.clear()
assert not any(store.get(number(n), OWNER) for n in range(400))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
for _ in range(200):
    store.put(number(300), OWNER, entry(300))
assert store.get(number(300), OWNER)
store.close()
"""
    _, warned = outcome(process(body, path))

    assert len(warned) == 1
    assert "calls go on without it" in warned[0]


def test_a_small_disk_makes_no_call_fail(tmp_path: Path) -> None:
    """On a file system of its own, where the shared memory beside the file has no room either."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare")
    mount = f'mount -t tmpfs -o size=400k,mode=700 none {disk} && exec "$@"'
    prefix = ("unshare", "-Urm", "sh", "-c", mount, "sh")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may mount nothing, even in a namespace of its own")
    body = f"""
for filled in (0, 400_000, 395_000, 390_000, 380_000, 330_000, 300_000):
    folder = os.path.dirname(PATH)
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        os.unlink(os.path.join(folder, name))
    try:
        with open(os.path.join(folder, "..", "filler"), "wb") as file:
            file.write(bytes(filled))
    except OSError: pass
    store = SqliteStore(PATH)
    {FULL.replace(chr(10), chr(10) + "    ")}
    store.close()
print("good")
"""
    printed, warned = outcome(process(body, disk / "cache" / "answers.sqlite", prefix))

    assert printed == "good\n"
    assert len(warned) == 7
    assert all("calls go on without it" in warning for warning in warned)


# --- read-only disks


def as_anybody(body: str, path: Path) -> tuple[str, list[str]]:
    """By somebody whom permissions stop; who runs the tests, unless that is root."""
    if os.geteuid() == 0:
        for each in (path.parent, *path.parent.iterdir()):
            os.chown(each, NOBODY, NOBODY)
        body = f"os.setgid({NOBODY}); os.setuid({NOBODY})\n{body}"
    return outcome(process(body, path))


@pytest.mark.parametrize("file", [0o400, 0o600, 0o000])
@pytest.mark.parametrize("folder", [0o500, 0o700])
def test_a_read_only_file_or_folder_makes_no_call_fail(file: int, folder: int, open_to_all: Path) -> None:
    path = open_to_all / "cache" / "answers.sqlite"
    with closing(Shelved(SqliteStore(path))) as store:
        for n in range(100):
            store.put(number(n), OWNER, Stored(200, (("x-number", str(n)),), number(n), 1.0, 2.0))
    body = f"""
os.chmod(PATH, {file}); os.chmod(os.path.dirname(PATH), {folder})
store = SqliteStore(PATH)
{FULL}
store.clear()
assert not store.get(number(99), OWNER)
store.close()
os.chmod(os.path.dirname(PATH), 0o700); os.chmod(PATH, 0o600)
"""
    _, warned = as_anybody(body, path)

    assert len(warned) == (0 if (file, folder) == (0o600, 0o700) else 1)
    assert all("calls go on without it" in warning for warning in warned)


def test_a_folder_that_cannot_be_made_makes_no_call_fail(open_to_all: Path) -> None:
    above = open_to_all / "above"
    above.mkdir(0o700)
    path = above / "cache" / "answers.sqlite"
    body = f"""
os.chmod({str(above)!r}, 0o500)
store = SqliteStore(PATH)
{FULL}
"""
    if os.geteuid() == 0:
        os.chown(above, NOBODY, NOBODY)
        body = f"os.setgid({NOBODY}); os.setuid({NOBODY})\n{body}"

    _, warned = outcome(process(body, path))

    assert len(warned) == 1
    assert "cannot be made" in warned[0]


def test_a_store_that_becomes_read_only_makes_no_call_fail(open_to_all: Path) -> None:
    path = open_to_all / "cache" / "answers.sqlite"
    SqliteStore(path).close()
    body = f"""
store = SqliteStore(PATH)
for n in range(100):
    store.put(number(n), OWNER, entry(n))
store.inside._database.hold(); store.inside._database.let_go()
os.chmod(PATH, 0o400); os.chmod(os.path.dirname(PATH), 0o500)
{FULL}
os.chmod(os.path.dirname(PATH), 0o700); os.chmod(PATH, 0o600)
for _ in range(200):
    store.put(number(300), OWNER, entry(300))
assert store.get(number(300), OWNER) and not store.get(number(7), OWNER)
"""
    _, warned = as_anybody(body, path)

    assert len(warned) == 1
