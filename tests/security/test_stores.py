"""S33, and S34 for what is read: what is kept on disk is its user's alone, whole, and never run.

The details of the files are in tests/jackfield_plugins/auth/test_file_store.py.
"""

from __future__ import annotations

import json
import os
import pickle
import stat
import subprocess
import sys
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.both import Both
from tests.clients import COLOURS
from tests.loose_store import LooseTokenStore

from jackfield import (
    ConfigurationError,
    DecodeError,
    JobState,
    Page,
    Pending,
    Secret,
    Service,
    UsageError,
    job,
    paged,
)
from jackfield.testing import FakeTransport
from jackfield_plugins.auth import FileTokenStore, Token
from jackfield_plugins.pagination import PageAt, PageNumber
from jackfield_plugins.polling import Polling

Make = Callable[[Path], Any]
NOBODY = 65534
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
STORES = pytest.mark.subjects(ours=FileTokenStore, loose=LooseTokenStore)
NAME = sha256(b"key").hexdigest()
OLD, NEW = Token(Secret("old")), Token(Secret("new"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.mkdir(0o700)
    return path


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


# --- S33: files


@STORES
@pytest.mark.usefixtures("no_umask")
def test_s33_what_is_made_is_for_its_user_only(subject: Make, tmp_path: Path) -> None:
    subject(tmp_path / "tokens").save("key", NEW)

    assert mode(tmp_path / "tokens") == 0o700
    assert mode(tmp_path / "tokens" / NAME) == 0o600


@STORES
@pytest.mark.usefixtures("no_umask")
def test_s33_no_file_is_open_to_others_for_a_moment(subject: Make, folder: Path) -> None:
    done, seen = threading.Event(), set[int]()

    def watch() -> None:
        while not done.is_set():
            for path in folder.iterdir():
                with suppress(FileNotFoundError):  # it was a temporary one
                    seen.add(mode(path))

    store, watcher = subject(folder), threading.Thread(target=watch)
    watcher.start()
    for _ in range(50):
        store.save("key", NEW)
    done.set()
    watcher.join()

    assert seen <= {0o600}


@STORES
def test_s33_a_file_is_replaced_and_not_written_over(subject: Make, folder: Path) -> None:
    store = subject(folder)
    store.save("key", OLD)

    with (folder / NAME).open() as before:
        store.save("key", NEW)
        still = json.loads(before.read())

    assert still["token"]["access_token"] == "old"
    assert store.load("key") == NEW
    assert [path.name for path in folder.iterdir()] == [NAME]


@STORES
def test_s33_a_link_is_neither_read_nor_written_through(subject: Make, folder: Path, tmp_path: Path) -> None:
    store, victim = subject(folder), tmp_path / "victim"
    store.save("key", OLD)
    (folder / NAME).rename(victim)
    (folder / NAME).symlink_to(victim)
    kept = victim.read_bytes()

    with pytest.raises(ConfigurationError):
        store.load("key")
    store.save("key", NEW)

    assert victim.read_bytes() == kept


@STORES
@pytest.mark.parametrize("permissions", [0o644, 0o660, 0o602])
def test_s33_a_file_that_others_had_access_to_is_not_believed(subject: Make, permissions: int, folder: Path) -> None:
    store = subject(folder)
    store.save("key", OLD)
    (folder / NAME).chmod(permissions)

    with pytest.raises(ConfigurationError):
        store.load("key")


@STORES
@pytest.mark.parametrize("permissions", [0o777, 0o770, 0o702])
def test_s33_a_folder_that_others_may_write_to_is_refused(subject: Make, permissions: int, folder: Path) -> None:
    folder.chmod(permissions)

    with pytest.raises(ConfigurationError):
        subject(folder)


@AS_ROOT
@STORES
@pytest.mark.parametrize("what", ["folder", "file"])
def test_s33_what_belongs_to_another_user_is_refused(subject: Make, what: str, folder: Path) -> None:
    store = subject(folder)
    store.save("key", OLD)
    os.chown(folder if what == "folder" else folder / NAME, NOBODY, NOBODY)

    with pytest.raises(ConfigurationError):
        store.load("key")


WRITER = """
import sys
from jackfield_plugins.auth import FileTokenStore, Token
from tests.loose_store import LooseTokenStore
store = {kind.__name__: kind for kind in (FileTokenStore, LooseTokenStore)}[sys.argv[1]](sys.argv[2])
token = Token(sys.argv[3] * 300_000)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(60):
    store.save("key", token)
"""


@STORES
def test_s33_two_processes_that_write_at_once_leave_one_whole_file(subject: type[Any], folder: Path) -> None:
    paths = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, subject.__name__, str(folder), letter],
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for letter in "ab"
    ]
    wholes = {f'"{letter * 300_000}"' for letter in "ab"}
    torn = 0
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.close()
    while any(writer.poll() is None for writer in writers):
        with suppress(FileNotFoundError):
            text = (folder / NAME).read_text()
            torn += not any(whole in text for whole in wholes)
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.close()

    assert [writer.returncode for writer in writers] == [0, 0]
    assert torn == 0
    assert [path.name for path in folder.iterdir()] == [NAME]
    assert subject(folder).load("key").access_token.reveal()[:9] in ("a" * 9, "b" * 9)


# --- S34: what runs when it is read


class Planted(NamedTuple):
    """Makes a folder of this name when somebody unpickles it."""

    path: str

    def __reduce__(self) -> Any:
        return os.mkdir, (self.path,)


def obvious(path: str) -> Iterator[str]:
    """What must not be run, in the forms that somebody may have given it."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        pickled = pickle.dumps(Planted(path), protocol)
        yield pickled.decode("latin-1")
        yield b64encode(pickled).decode()
    yield f"__import__('os').mkdir({path!r})"
    yield f"!!python/object/apply:os.mkdir [{path!r}]"


class Shelf(Service):
    @paged(PageNumber(5))
    async def things(self, at: PageAt) -> Page[int]:
        return Page[int]()

    @job(Polling[int](lambda service, job: service.things(), interval=0))
    async def build(self) -> JobState[int]:
        return Pending("1")


def of_file(text: str, folder: Path, colour: str) -> None:
    (folder / NAME).write_bytes(text.encode("latin-1"))
    (folder / NAME).chmod(0o600)
    assert FileTokenStore(folder).load("key") is None


def of_token(text: str, folder: Path, colour: str) -> None:
    with pytest.raises(DecodeError):
        Token.load(text)
    with pytest.raises(DecodeError):
        Token.load({"access_token": {"py/reduce": text}})


def of_page(text: str, folder: Path, colour: str) -> None:
    with Both(colour, Shelf, "http://h", FakeTransport()) as api, pytest.raises(UsageError):
        api.get(api.client.things.at(text)())


def of_job(text: str, folder: Path, colour: str) -> None:
    with Both(colour, Shelf, "http://h", FakeTransport()) as api, pytest.raises(UsageError):
        api.client.build.resume(text)


def by_whatever_reads_it(text: str, folder: Path, colour: str) -> None:
    """Broken on purpose."""
    with suppress(Exception):
        pickle.loads(text.encode("latin-1"))
    with suppress(Exception):
        pickle.loads(b64decode(text))
    with suppress(Exception):
        eval(text)


READERS = {"a token's file": of_file, "a token": of_token, "a page's token": of_page, "a job's token": of_job}


@pytest.mark.subjects(ours=READERS, broken=dict.fromkeys(READERS, by_whatever_reads_it))
@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("place", READERS)
def test_s34_nothing_that_is_read_is_run(
    subject: dict[str, Callable[[str, Path, str], None]], place: str, colour: str, folder: Path, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"

    for text in obvious(str(canary)):
        for planted in (text, json.dumps(text), json.dumps([text]), json.dumps({"key": "key", "token": text})):
            subject[place](planted, folder, colour)

    assert not canary.exists()
