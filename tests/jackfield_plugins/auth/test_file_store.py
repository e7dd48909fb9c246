"""Tokens in files: this user's alone from the first byte, whole at every moment, renewed by one process at a time."""

from __future__ import annotations

import errno
import json
import os
import pickle
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.made import Make, both, get, makers

from jackfield import ConfigurationError, Request, Secret, Service, operation
from jackfield.testing import FakeTransport, json_response
from jackfield_plugins.auth import FileTokenStore, Grant, OAuth2, Token

CANARY = "hunter2-canary"
OLD = Token(Secret("old"), refresh_token=Secret("old-refresh"), expires_at=1.0)
NEW = Token(Secret("new"), refresh_token=Secret("new-refresh"), expires_at=2.0)
NOBODY = 65534
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SECRETS = st.builds(Secret, TEXT.filter(bool))
TIMES = st.floats(allow_nan=False, allow_infinity=False)
TOKENS = st.builds(
    Token, SECRETS, TEXT, TIMES, st.none() | TIMES, refresh_token=st.none() | SECRETS, scope=st.none() | TEXT
)


def named(key: str, ending: str = "") -> str:
    return sha256(key.encode()).hexdigest() + ending


def written(folder: Path, data: bytes, key: str = "key") -> Path:
    """What somebody else left where the token of this key is kept."""
    path = folder / named(key)
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def process(body: str, folder: Path, stdin: int | None = None, stdout: int | None = None) -> subprocess.Popen[bytes]:
    """Another process, with `store` at hand."""
    head = (
        "import os, sys\nfrom jackfield import *\nfrom jackfield_plugins.auth import *\n"
        f"store = FileTokenStore({str(folder)!r})\n"
    )
    return subprocess.Popen([sys.executable, "-c", head + body], stdin=stdin, stdout=stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.mkdir(0o700)
    return path


@pytest.fixture
def store(folder: Path) -> FileTokenStore:
    return FileTokenStore(folder)


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


# --- what is kept


def test_what_was_saved_is_there_for_another_store_of_the_folder(store: FileTokenStore, folder: Path) -> None:
    assert store.load("key") is None

    store.save("key", OLD)
    store.save("key", NEW)
    store.save("other", OLD)

    assert FileTokenStore(str(folder)).load("key") == NEW
    assert store.load("other") == OLD
    assert sorted(path.name for path in folder.iterdir()) == sorted([named("key"), named("other")])


@given(TOKENS)
@settings(deadline=None, max_examples=100)
def test_a_token_comes_back_as_it_was(token: Token) -> None:
    with TemporaryDirectory() as folder:
        store = FileTokenStore(folder)

        store.save("key", token)

        assert store.load("key") == token


@given(st.lists(TEXT, unique=True, max_size=5))
@settings(deadline=None, max_examples=50)
def test_any_string_is_a_key_of_its_own(keys: list[str]) -> None:
    with TemporaryDirectory() as folder:
        store = FileTokenStore(folder)

        for key in keys:
            store.save(key, Token(Secret(f"for {key}")))

        assert [store.load(key) for key in keys] == [Token(Secret(f"for {key}")) for key in keys]


@pytest.mark.parametrize("key", ["", "../../up", "/etc/passwd", "a\0b", "ü😀", "k" * 10_000, ".", "..", "a\nb"])
def test_a_key_is_no_path(key: str, store: FileTokenStore, folder: Path, tmp_path: Path) -> None:
    lock = store.lock(key)

    store.save(key, NEW)
    assert lock.acquire()
    lock.release()

    assert store.load(key) == NEW
    assert {path.name for path in folder.iterdir()} == {named(key), named(key, ".lock")}
    assert [path.name for path in tmp_path.iterdir()] == ["tokens"]


def test_a_key_or_token_that_is_no_unicode_is_never_found_and_shown_nowhere(store: FileTokenStore) -> None:
    store.save("\ud800", NEW)
    store.save("key", Token(Secret(f"{CANARY}\ud800")))

    assert store.load("\ud800") is None
    assert store.load("key") is None


def test_the_file_is_json_with_its_key(store: FileTokenStore, folder: Path) -> None:
    store.save("key", NEW)

    assert json.loads((folder / named("key")).read_bytes()) == {"key": "key", "token": NEW.dump()}


def test_a_file_of_another_key_is_no_token(store: FileTokenStore, folder: Path) -> None:
    store.save("key", NEW)

    (folder / named("key")).rename(folder / named("other"))

    assert store.load("other") is None


# --- what is in the file


STORED = json.dumps({"key": "key", "token": NEW.dump()}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"null",
        b"[]",
        b"{}",
        b'"key"',
        b'{"key": "key"}',
        b'{"key": "key", "token": null}',
        b'{"key": "key", "token": {}}',
        b'{"key": 1, "token": {}}',
        STORED[:-1],
        STORED + b"x",
        STORED.replace(b'"new"', b'""'),
        STORED.replace(b'"new"', b"7"),
        STORED.replace(b'"new"', b'"\\ud800"'),
        STORED.replace(b"2.0", b"NaN"),
        STORED.replace(b"2.0", b"1e999"),
        STORED.replace(b"2.0", b'"soon"'),
        STORED.replace(b'"new"', b'"\xff"'),
        STORED.decode().encode("utf-16"),
        b"[" * 500_000,
        b'{"key": "key", "token": {"a": ' + b"[" * 500_000,
        b'{"other": ' + b"[" * 500_000,
        b'{"key":' * 100_000,
        b"9" * 10_000,
        b"\xff" * 100,
        b"%PDF-1.7",
    ],
    ids=lambda data: repr(data[:24]),
)
def test_a_damaged_or_foreign_file_is_no_token_and_is_replaced(
    data: bytes, store: FileTokenStore, folder: Path
) -> None:
    written(folder, data)

    assert store.load("key") is None
    store.save("key", NEW)
    assert store.load("key") == NEW


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=100)
def test_whatever_bytes_are_in_the_file_loading_does_not_fail(data: bytes) -> None:
    with TemporaryDirectory() as name:
        store = FileTokenStore(name)
        written(Path(name), data)

        assert store.load("key") is None


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_a_file_with_one_byte_changed_is_a_token_or_none(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(STORED) - 1))
    with TemporaryDirectory() as name:
        store = FileTokenStore(name)
        written(Path(name), STORED[:at] + bytes([data.draw(st.integers(0, 255))]) + STORED[at + 1 :])

        found = store.load("key")

        assert found is None or isinstance(found, Token)


def test_a_huge_file_is_no_token_and_little_of_it_is_read(store: FileTokenStore, folder: Path) -> None:
    path = written(folder, STORED)
    os.truncate(path, 1 << 40)  # with a hole in it

    assert store.load("key") is None


def test_a_file_is_read_as_far_as_a_million_bytes(store: FileTokenStore, folder: Path) -> None:
    written(folder, STORED.rjust(1_000_000))
    assert store.load("key") == NEW

    written(folder, STORED.rjust(1_000_001))
    assert store.load("key") is None


class Bomb:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_in_a_file_is_not_executed(protocol: int, store: FileTokenStore, folder: Path, tmp_path: Path) -> None:
    pickled = pickle.dumps(Bomb(str(tmp_path / "canary")), protocol)
    written(folder, pickled)
    assert store.load("key") is None
    written(folder, json.dumps({"key": "key", "token": pickled.decode("latin-1")}).encode())
    assert store.load("key") is None

    assert not (tmp_path / "canary").exists()


# --- whose it is


@pytest.mark.usefixtures("no_umask")
def test_what_is_made_is_this_users_alone_whatever_the_umask(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    store = FileTokenStore(folder)

    store.save("key", NEW)
    lock = store.lock("key")
    assert lock.acquire()

    assert {path.relative_to(tmp_path).as_posix(): oct(mode(path)) for path in tmp_path.rglob("*")} == {
        "a": "0o700",
        "a/b": "0o700",
        f"a/b/{named('key')}": "0o600",
        f"a/b/{named('key', '.lock')}": "0o600",
    }
    lock.release()


@pytest.mark.usefixtures("no_umask")
def test_files_are_made_0600_and_never_through_a_link(
    store: FileTokenStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = list[tuple[str, int, int]]()
    real = os.open

    def spy(path: Any, flags: int, permissions: int = 0o777, *, dir_fd: int | None = None) -> int:
        file = real(path, flags, permissions, dir_fd=dir_fd)
        opened.append((os.fsdecode(path), flags, stat.S_IMODE(os.fstat(file).st_mode)))
        return file

    monkeypatch.setattr(os, "open", spy)
    lock = store.lock("key")
    store.save("key", NEW)
    store.load("key")
    lock.acquire()
    lock.release()

    files = [each for each in opened if each[0] != str(folder)]
    temporary, loaded, locked = files
    assert {permissions for _, _, permissions in files} == {0o600}
    assert all(flags & os.O_NOFOLLOW for _, flags, _ in files)
    assert temporary[0].startswith(f"{named('key')}.")
    assert temporary[0].endswith(".tmp")
    assert temporary[1] & os.O_EXCL
    assert temporary[1] & os.O_CREAT
    assert (loaded[0], locked[0]) == (named("key"), named("key", ".lock"))
    assert not loaded[1] & os.O_CREAT


@pytest.mark.usefixtures("no_umask")
def test_no_other_user_can_read_any_file_at_any_moment(store: FileTokenStore, folder: Path) -> None:
    done, seen = threading.Event(), set[int]()

    def watch() -> None:
        while not done.is_set():
            for name in os.listdir(folder):
                try:
                    seen.add(mode(folder / name))
                except FileNotFoundError:
                    pass  # it was a temporary one

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(100):
        store.save("key", NEW)
    done.set()
    watcher.join()

    assert seen == {0o600}


@pytest.mark.parametrize("permissions", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666, 0o777])
def test_a_file_that_others_can_read_or_write_is_refused(permissions: int, store: FileTokenStore, folder: Path) -> None:
    store.save("key", Token(Secret(CANARY)))
    path = folder / named("key")
    path.chmod(permissions)

    with pytest.raises(ConfigurationError, match=f"chmod 600 {path}") as caught:
        store.load("key")

    assert CANARY not in f"{caught.value!r} {caught.value}"
    path.chmod(0o400)
    assert store.load("key") == Token(Secret(CANARY)), "this user may do with it what they like"


@pytest.mark.parametrize("permissions", [0o640, 0o606])
def test_a_lock_that_others_can_take_is_refused(permissions: int, store: FileTokenStore, folder: Path) -> None:
    path = folder / named("key", ".lock")
    path.touch()
    path.chmod(permissions)

    with pytest.raises(ConfigurationError, match="chmod 600"):
        store.lock("key").acquire()


def as_link(path: Path) -> None:
    elsewhere = path.parent.parent / "elsewhere"
    elsewhere.write_bytes(STORED)
    elsewhere.chmod(0o600)
    path.symlink_to(elsewhere)


def as_dangling_link(path: Path) -> None:
    path.symlink_to(path.parent.parent / "nowhere")


def as_fifo(path: Path) -> None:
    os.mkfifo(path, 0o600)


def as_folder(path: Path) -> None:
    path.mkdir(0o700)


def as_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        before = Path.cwd()
        os.chdir(path.parent)  # a socket's path is short
        try:
            listener.bind(path.name[:10])
            os.rename(path.name[:10], path.name)
        finally:
            os.chdir(before)
    path.chmod(0o600)


PLANTED = pytest.mark.parametrize("plant", [as_link, as_dangling_link, as_fifo, as_folder, as_socket])


@PLANTED
def test_what_is_no_regular_file_is_not_read(
    plant: Callable[[Path], None], store: FileTokenStore, folder: Path
) -> None:
    plant(folder / named("key"))

    with pytest.raises(ConfigurationError, match="regular file"):
        store.load("key")


@PLANTED
def test_what_is_no_regular_file_is_no_lock(
    plant: Callable[[Path], None], store: FileTokenStore, folder: Path, nothing_left: None
) -> None:
    plant(folder / named("key", ".lock"))

    with pytest.raises(ConfigurationError, match="regular file"):
        store.lock("key").acquire()

    assert not (folder.parent / "nowhere").exists()


@pytest.mark.parametrize("plant", [as_link, as_dangling_link, as_fifo, as_socket])
def test_saving_replaces_what_is_planted_and_follows_nothing(
    plant: Callable[[Path], None], store: FileTokenStore, folder: Path
) -> None:
    plant(folder / named("key"))

    store.save("key", OLD)

    assert store.load("key") == OLD
    elsewhere = folder.parent / "elsewhere"
    assert not elsewhere.exists() or elsewhere.read_bytes() == STORED
    assert not (folder.parent / "nowhere").exists()


def test_a_folder_in_the_place_of_the_file_is_an_error_of_the_disk(store: FileTokenStore, folder: Path) -> None:
    as_folder(folder / named("key"))

    with pytest.raises(OSError, match="directory"):
        store.save("key", NEW)

    assert [path.name for path in folder.iterdir()] == [named("key")]


@PLANTED
def test_a_temporary_name_that_is_taken_is_left_alone(
    plant: Callable[[Path], None], store: FileTokenStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save("key", OLD)
    path = folder / f"{named('key')}.{bytes(8).hex()}.tmp"
    plant(path)
    before = path.lstat()

    def known(size: int) -> bytes:
        return bytes(size)

    monkeypatch.setattr(os, "urandom", known)
    with pytest.raises(FileExistsError):
        store.save("key", NEW)

    assert path.lstat().st_ino == before.st_ino
    assert store.load("key") == OLD
    assert not (folder.parent / "nowhere").exists()


@AS_ROOT
@pytest.mark.parametrize("ending", ["", ".lock"])
def test_a_file_of_another_user_is_refused(ending: str, store: FileTokenStore, folder: Path) -> None:
    path = folder / named("key", ending)
    path.write_bytes(STORED)
    path.chmod(0o600)
    os.chown(path, NOBODY, NOBODY)

    with pytest.raises(ConfigurationError, match="regular file of the user who runs this"):
        _ = store.lock("key").acquire() if ending else store.load("key")


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that another user can reach; pytest's are root's alone."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def as_nobody(body: str) -> str:
    """What another process says that is not root's."""
    script = (
        "import os, msgspec.json\nfrom jackfield import *\nfrom jackfield_plugins.auth import *\n"
        f"os.setgid({NOBODY})\nos.setuid({NOBODY})\n{body}"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@AS_ROOT
def test_a_file_of_another_user_is_refused_where_it_cannot_even_be_opened(open_to_all: Path) -> None:
    folder = open_to_all / "tokens"
    folder.mkdir(0o700)
    written(folder, STORED)
    os.chown(folder, NOBODY, NOBODY)

    said = as_nobody(
        f"store = FileTokenStore({str(folder)!r})\n"
        "try: store.load('key')\nexcept ConfigurationError as error: print(error)"
    )

    assert f"chmod 600 {folder / named('key')}" in said


@AS_ROOT
def test_a_folder_that_cannot_be_opened_any_more_is_refused(open_to_all: Path) -> None:
    folder = open_to_all / "tokens"
    folder.mkdir(0o700)
    os.chown(folder, NOBODY, NOBODY)

    said = as_nobody(
        f"store = FileTokenStore({str(folder)!r})\nos.chmod({str(folder)!r}, 0)\n"
        "try: store.load('key')\nexcept ConfigurationError as error: print(error)"
    )

    assert f"chmod 700 {folder}" in said


@AS_ROOT
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "tokens"
    folder.mkdir(0o700)
    os.chown(folder, NOBODY, NOBODY)

    with pytest.raises(ConfigurationError, match="chown"):
        FileTokenStore(folder)


@pytest.mark.parametrize("permissions", [0o720, 0o702, 0o770, 0o777, 0o1777])
def test_a_folder_that_others_can_write_to_is_refused(permissions: int, folder: Path) -> None:
    folder.chmod(permissions)

    with pytest.raises(ConfigurationError, match=f"chmod 700 {folder}"):
        FileTokenStore(folder)


def test_a_folder_that_others_may_look_into_will_do(folder: Path) -> None:
    folder.chmod(0o755)
    store = FileTokenStore(folder)

    store.save("key", NEW)

    assert store.load("key") == NEW


def test_a_folder_that_is_opened_to_others_later_is_refused_by_every_method(
    store: FileTokenStore, folder: Path
) -> None:
    store.save("key", OLD)
    folder.chmod(0o777)
    attempts: list[Callable[[], object]] = [
        lambda: store.load("key"),
        lambda: store.save("key", NEW),
        store.lock("key").acquire,
    ]

    for attempt in attempts:
        with pytest.raises(ConfigurationError, match="chmod 700"):
            attempt()

    folder.chmod(0o700)
    assert store.load("key") == OLD


def test_a_folder_that_is_gone_is_made_again(store: FileTokenStore, folder: Path) -> None:
    folder.rmdir()
    assert store.load("key") is None

    store.save("key", NEW)

    assert store.load("key") == NEW
    assert mode(folder) == 0o700


def test_processes_may_make_the_folder_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.mkdir

    def late(path: Any, permissions: int = 0o777) -> None:
        real(path, permissions)  # another process
        real(path, permissions)  # this one

    monkeypatch.setattr(os, "mkdir", late)
    FileTokenStore(tmp_path / "a" / "b").save("key", NEW)

    assert (tmp_path / "a" / "b" / named("key")).exists()


def test_a_folder_that_is_put_in_place_of_the_other_meanwhile_gets_nothing(
    store: FileTokenStore, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def swap(file: int) -> None:
        real(file)
        if not (tmp_path / "moved").exists():
            folder.rename(tmp_path / "moved")
            folder.mkdir(0o777)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", swap)
        store.save("key", NEW)

    assert os.listdir(folder) == []
    assert FileTokenStore(tmp_path / "moved").load("key") == NEW


def test_the_folder_may_lie_in_the_home_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    FileTokenStore("~/.cache/tokens").save("key", NEW)

    assert (tmp_path / ".cache" / "tokens" / named("key")).exists()


def test_a_relative_folder_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = FileTokenStore("tokens")
    monkeypatch.chdir("/")

    store.save("key", NEW)

    assert (tmp_path / "tokens" / named("key")).exists()


def test_the_folder_may_be_reached_by_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)

    FileTokenStore(tmp_path / "link").save("key", NEW)

    assert FileTokenStore(folder).load("key") == NEW


@pytest.mark.parametrize(
    "given", ["", None, 7, b"tokens", "~nobody-of-this-name/tokens", "a\0b", "file", "file/tokens"]
)
def test_what_cannot_be_a_folder_is_refused(given: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()

    with pytest.raises(ConfigurationError, match="name another"):
        FileTokenStore(given)

    assert os.listdir() == ["file"]


def test_a_folder_that_cannot_be_made_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="name another"):
        FileTokenStore("/proc/tokens")


def test_a_system_without_fcntl_is_told_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)

    with pytest.raises(ConfigurationError, match=r"needs fcntl.*MemoryTokenStore"):
        FileTokenStore(folder)


def test_the_plugins_are_imported_without_fcntl() -> None:
    script = "import sys; sys.modules['fcntl'] = None; import jackfield_plugins.auth"

    assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == 0


def test_a_store_shows_no_token(store: FileTokenStore) -> None:
    store.save(CANARY, Token(Secret(CANARY), refresh_token=Secret(CANARY)))
    lock = store.lock(CANARY)

    assert CANARY not in f"{store!r} {vars(store)} {lock!r} {vars(lock)}"


# --- whole, or not at all


CALLS = ("open", "write", "fsync", "close", "replace", "fstat")


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("at", range(4))
def test_whichever_call_fails_the_old_or_the_new_token_is_there(
    name: str, at: int, store: FileTokenStore, folder: Path, monkeypatch: pytest.MonkeyPatch, nothing_left: None
) -> None:
    store.save("key", OLD)
    real: Callable[..., Any] = getattr(os, name)
    calls = 0

    def failing(*args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls - 1 != at:
            return real(*args, **named)
        if name == "close":
            real(*args)
        raise OSError(errno.ENOSPC, "No space left on device")

    failed = False
    with monkeypatch.context() as patch:
        patch.setattr(os, name, failing)
        try:
            store.save("key", NEW)
        except OSError as error:
            failed = error.errno == errno.ENOSPC

    assert failed == (calls > at)
    assert store.load("key") in ((OLD, NEW) if failed else (NEW,))
    left = [path.name for path in folder.iterdir() if path.name != named("key")]
    assert left == [], "a temporary file is removed"
    store.save("key", NEW)
    assert store.load("key") == NEW


def test_saving_calls_the_disk_as_often_as_the_test_above_expects(
    store: FileTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: dict[str, int] = dict.fromkeys(CALLS, 0)

    def counting(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            counted[name] += 1
            return real(*args, **named)

        return call

    with monkeypatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, counting(name, getattr(os, name)))
        store.save("key", NEW)

    assert max(counted.values()) <= 4
    assert min(counted.values()) >= 1
    assert counted["fsync"] == 2, "the file, and the folder"


def test_what_is_written_is_on_the_disk_before_it_has_its_name(
    store: FileTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = list[str]()

    def noting(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            order.append(name)
            return real(*args, **named)

        return call

    with monkeypatch.context() as patch:
        for name in ("write", "fsync", "replace"):
            patch.setattr(os, name, noting(name, getattr(os, name)))
        store.save("key", NEW)

    assert order == ["write", "fsync", "replace", "fsync"]


def test_a_disk_that_takes_little_at_a_time_is_given_the_rest(
    store: FileTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write

    def little(file: int, data: bytes) -> int:
        return real(file, data[:7])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", little)
        store.save("key", NEW)

    assert store.load("key") == NEW


def test_a_full_disk_is_an_error_of_the_disk_and_leaves_nothing(folder: Path) -> None:
    body = (
        "import resource\n"
        "store.save('key', Token(Secret('old')))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try: store.save('key', Token(Secret('n' * 5000)))\n"
        "except OSError as error: print(type(error).__name__, store.load('key').access_token.reveal(), end='')\n"
    )

    with process(body, folder, stdout=subprocess.PIPE) as other:
        said, _ = other.communicate(timeout=60)

    assert said == b"OSError old"
    assert [path.name for path in folder.iterdir()] == [named("key")]


def test_a_disk_that_gives_nothing_is_an_error_of_the_disk(
    store: FileTokenStore, monkeypatch: pytest.MonkeyPatch, nothing_left: None
) -> None:
    store.save("key", NEW)

    def failing(file: int, size: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "read", failing)
        with pytest.raises(OSError, match="Input/output"):
            store.load("key")


def test_two_processes_that_save_at_once_leave_a_whole_token_at_every_moment(
    store: FileTokenStore, folder: Path
) -> None:
    store.save("key", Token(Secret("first")))
    body = "for n in range(200): store.save('key', Token(Secret(f'{os.getpid()}-{n}' * (1 + n % 40))))"
    others = [process(body, folder) for _ in range(2)]

    found = 0
    while any(other.poll() is None for other in others):
        assert store.load("key") is not None
        found += 1

    assert [other.returncode for other in others] == [0, 0]
    last = store.load("key")
    assert last is not None
    assert last.access_token.reveal() in {f"{other.pid}-199" * 40 for other in others}
    assert found > 10
    assert [path.name for path in folder.iterdir()] == [named("key")]


def test_threads_that_save_at_once_leave_a_whole_token(store: FileTokenStore, folder: Path, nothing_left: None) -> None:
    def save(number: int) -> None:
        store.save("key", Token(Secret(f"{number}-" * (number + 1))))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(save, range(100)))

    found = store.load("key")
    assert found is not None
    number, _, _ = found.access_token.reveal().partition("-")
    assert found == Token(Secret(f"{number}-" * (int(number) + 1)))
    assert [path.name for path in folder.iterdir()] == [named("key")]


def test_a_process_killed_while_it_saves_leaves_a_whole_token(store: FileTokenStore, folder: Path) -> None:
    body = "n = 0\nwhile True:\n store.save('key', Token(Secret('x' * 20_000)))\n n += 1\n print(n, flush=True)"

    for saves in range(1, 6):
        with process(body, folder, stdout=subprocess.PIPE) as other:
            assert other.stdout is not None
            for _ in range(saves):
                other.stdout.readline()
            other.send_signal(signal.SIGKILL)  # wherever it is now
        assert store.load("key") == Token(Secret("x" * 20_000))

    store.save("key", NEW)
    assert store.load("key") == NEW


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_process_killed_at_any_call_leaves_the_old_token(call: str, store: FileTokenStore, folder: Path) -> None:
    store.save("key", OLD)
    body = f"os.{call} = lambda *args, **named: os.kill(os.getpid(), 9)\nstore.save('key', Token(Secret('new')))"

    with process(body, folder) as other:
        assert other.wait(60) == -signal.SIGKILL

    assert store.load("key") == OLD
    assert {mode(path) for path in folder.iterdir()} == {0o600}, "what is left is this user's alone"
    store.save("key", NEW)
    assert store.load("key") == NEW


# --- locks


def test_one_at_a_time_has_the_lock_of_a_key(store: FileTokenStore, folder: Path, nothing_left: None) -> None:
    mine, yours, other = store.lock("key"), FileTokenStore(folder).lock("key"), store.lock("other")

    assert mine.acquire()
    assert mine.acquire(), "it has it already"
    assert not yours.acquire()
    assert not yours.acquire()
    assert other.acquire(), "another key is another lock"

    mine.release()
    assert yours.acquire()
    yours.release()
    other.release()


def test_who_does_not_have_the_lock_cannot_give_it_back(store: FileTokenStore, nothing_left: None) -> None:
    mine, yours = store.lock("key"), store.lock("key")
    assert mine.acquire()

    assert not yours.acquire()
    yours.release()
    assert not store.lock("key").acquire()

    mine.release()
    mine.release()
    theirs = store.lock("key")
    assert theirs.acquire()
    mine.release()
    assert not store.lock("key").acquire()
    theirs.release()


def test_a_lock_that_was_given_back_takes_nothing_any_more(store: FileTokenStore, nothing_left: None) -> None:
    early, late = store.lock("key"), store.lock("key")
    early.release()
    assert late.acquire()
    late.release()

    assert not early.acquire()
    assert not late.acquire()
    free = store.lock("key")
    assert free.acquire()
    free.release()


def test_a_lock_given_back_while_a_thread_takes_it_is_free(
    store: FileTokenStore, monkeypatch: pytest.MonkeyPatch, nothing_left: None
) -> None:
    import fcntl

    lock, taking, released = store.lock("key"), threading.Event(), threading.Event()
    real = fcntl.flock

    def slow(file: int, how: int) -> None:
        if how & fcntl.LOCK_EX:
            taking.set()
            released.wait(0.05)  # either the other thread is done by then, or it waits for this one
        real(file, how)

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", slow)
        taker = threading.Thread(target=lock.acquire)
        taker.start()
        taking.wait()
        lock.release()
        released.set()
        taker.join()

    assert not lock.acquire()
    free = store.lock("key")
    assert free.acquire()
    free.release()


def test_of_many_threads_one_has_the_lock(store: FileTokenStore, nothing_left: None) -> None:
    locks = [store.lock("key") for _ in range(16)]
    start = threading.Barrier(16)

    def work(number: int) -> bool:
        start.wait()
        return locks[number].acquire()

    with ThreadPoolExecutor(16) as threads:
        taken = list(threads.map(work, range(16)))

    assert sorted(taken) == [False] * 15 + [True]
    for lock in locks:
        lock.release()


def test_threads_of_one_lock_leave_nothing_whatever_the_order(store: FileTokenStore, nothing_left: None) -> None:
    for _ in range(50):
        lock, start = store.lock("key"), threading.Barrier(4)
        with ThreadPoolExecutor(4) as threads:
            for work in (lock.acquire, lock.release, lock.acquire, lock.release):

                def together(work: Callable[[], object] = work, start: threading.Barrier = start) -> None:
                    start.wait()
                    work()

                threads.submit(together)
        assert not lock.acquire()

    free = store.lock("key")
    assert free.acquire()
    free.release()


HOLD = "lock = store.lock('key')\nprint(lock.acquire(), flush=True)\nsys.stdin.read()"


def test_a_lock_excludes_other_processes_until_they_die(
    store: FileTokenStore, folder: Path, nothing_left: None
) -> None:
    with process(HOLD, folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"True\n"
        mine = store.lock("key")
        assert not mine.acquire()

        other.send_signal(signal.SIGKILL)
        other.wait(60)

        assert mine.acquire()
        with process(HOLD, folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as third:
            said, _ = third.communicate(timeout=60)
        assert said == b"False\n"
        mine.release()


def test_processes_take_turns(store: FileTokenStore, folder: Path) -> None:
    """Each adds to a number in a token, ten times; without the lock some would be lost."""
    store.save("key", Token(Secret("0")))
    body = (
        "for _ in range(10):\n"
        "    lock = store.lock('key')\n"
        "    while not lock.acquire(): pass\n"
        "    n = int(store.load('key').access_token.reveal())\n"
        "    store.save('key', Token(Secret(str(n + 1))))\n"
        "    lock.release()\n"
    )

    others = [process(body, folder) for _ in range(3)]
    assert [other.wait(60) for other in others] == [0, 0, 0]

    assert store.load("key") == Token(Secret("30"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_forked_process_does_not_keep_a_lock_that_was_given_back(store: FileTokenStore, folder: Path) -> None:
    body = (
        "lock = store.lock('key')\n"
        "assert lock.acquire()\n"
        "reader, writer = os.pipe()\n"
        "if not os.fork():\n"
        "    os.read(reader, 1)\n"  # holds what it inherited
        "    os._exit(0)\n"
        "lock.release()\n"
        "print(store.lock('key').acquire())\n"
        "os.write(writer, b'.')\n"
        "os.wait()\n"
    )

    with process(body, folder, stdout=subprocess.PIPE) as other:
        said, _ = other.communicate(timeout=60)

    assert said == b"True\n"


def test_a_program_that_is_started_meanwhile_does_not_inherit_the_lock(store: FileTokenStore) -> None:
    lock = store.lock("key")
    assert lock.acquire()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False) as other:
        lock.release()
        free = store.lock("key")

        assert free.acquire()

        free.release()
        other.communicate(b"\n", timeout=60)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_disk_that_cannot_lock_says_so(
    number: int, store: FileTokenStore, monkeypatch: pytest.MonkeyPatch, nothing_left: None
) -> None:
    import fcntl

    def failing(file: int, how: int) -> None:
        raise OSError(number, "no locks here")

    monkeypatch.setattr(fcntl, "flock", failing)
    with pytest.raises(OSError, match="no locks here"):
        store.lock("key").acquire()


def test_loading_saving_and_locking_leave_no_file_open(store: FileTokenStore, nothing_left: None) -> None:
    for _ in range(20):
        lock = store.lock("key")
        assert lock.acquire()
        assert not store.lock("key").acquire()
        store.save("key", NEW)
        store.load("key")
        store.load("none")
        lock.release()


# --- in a client


class Core(Service):
    @operation
    async def ping(self) -> None:
        await self.send(Request("GET", self.url("ping")))


BOTH = both(*makers(Core))


def pinged(make: Make, auth: OAuth2) -> list[str]:
    """The paths that one ping asks for."""
    granted = {"access_token": CANARY, "token_type": "Bearer", "expires_in": 3600}
    transport = FakeTransport(otherwise=json_response(granted))
    get(make(transport, auth).ping())
    assert transport.requests[-1].headers["authorization"] == f"Bearer {CANARY}"
    return [request.url.path for request in transport.requests]


def oauth(store: FileTokenStore) -> OAuth2:
    return OAuth2("https://id/token", Grant.client_credentials(), store=store)


@BOTH
def test_a_token_is_asked_for_once_for_all_who_share_the_folder(make: Make, folder: Path) -> None:
    asked = [pinged(make, oauth(FileTokenStore(folder))) for _ in range(3)]

    assert asked == [["/token", "/ping"], ["/ping"], ["/ping"]]


@BOTH
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_full_or_read_only_disk_stops_no_call_and_is_warned_of_once(
    make: Make,
    number: int,
    store: FileTokenStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    real, auth = os.open, oauth(store)

    def failing(path: Any, flags: int, permissions: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & os.O_CREAT:
            raise OSError(number, "no")
        return real(path, flags, permissions, dir_fd=dir_fd)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", failing)
        asked = [pinged(make, auth), pinged(make, auth)]

    assert asked == [["/token", "/ping"], ["/ping"]]
    assert len(caplog.records) == 1
    assert CANARY not in caplog.text


@BOTH
def test_a_file_that_others_can_read_stops_the_call(make: Make, folder: Path) -> None:
    pinged(make, oauth(FileTokenStore(folder)))
    for path in folder.iterdir():
        path.chmod(0o644)

    with pytest.raises(ConfigurationError, match="chmod 600") as caught:
        pinged(make, oauth(FileTokenStore(folder)))

    assert CANARY not in f"{caught.value!r} {caught.value}"


def test_a_folder_that_takes_nothing_new_is_the_disks_trouble_and_nobody_is_told_to_chmod_what_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileTokenStore(tmp_path / "tokens")
    opened = os.open

    def refuse(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if flags & os.O_CREAT:
            raise PermissionError(13, "Permission denied")
        return opened(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)

    with pytest.raises(PermissionError):
        store.save("key", Token("a"))
    with pytest.raises(PermissionError):
        store.lock("key").acquire()
