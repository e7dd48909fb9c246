"""The file of an SQLite store: who makes, opens or removes it is alone with it, among all processes."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from jackfield import ConfigurationError, PrivateFolder

OURS = 0x6A666361  # application_id: "jfca"
VERSION = 2  # of the tables
_BESIDE = ("-wal", "-shm", "-journal")  # what SQLite puts beside the file, with its mode
_TURN = 0.01  # seconds between two looks whether others have done
_TURNS = 100
_SMALLEST, _LARGEST = 1_000_000, 1_000_000_000  # bytes of one value
_LOG, _PAGE = 4 * 1024 * 1024, 4096  # bytes of the log beside the file, and of a page

# `uses` stands apart, as an update writes its row again, body and all. The newest row of `forgotten` is the moment; its
# first is a number that no other file began with, so that a moment says nothing in another one.
EMPTY = (
    "DROP TABLE IF EXISTS entries",
    "DROP TABLE IF EXISTS uses",
    "DROP TABLE IF EXISTS forgotten",
    "CREATE TABLE forgotten (moment INTEGER PRIMARY KEY, place BLOB)",
    "INSERT INTO forgotten SELECT abs(random() / 8), NULL",
    "CREATE TABLE entries"
    " (id INTEGER PRIMARY KEY, place BLOB, owner BLOB, variant BLOB, asked_at REAL, head BLOB, body BLOB)",
    "CREATE INDEX place ON entries (place, owner)",
    "CREATE TABLE uses (id INTEGER PRIMARY KEY, used INTEGER)",
    "CREATE INDEX used ON uses (used)",
    "CREATE TRIGGER come AFTER INSERT ON entries BEGIN"
    " INSERT OR REPLACE INTO uses SELECT new.id, coalesce(max(used), 0) + 1 FROM uses; END",
    "CREATE TRIGGER gone AFTER DELETE ON entries BEGIN DELETE FROM uses WHERE id = old.id; END",
)
_NEW = (
    "BEGIN IMMEDIATE",
    f"PRAGMA application_id = {OURS}",
    f"PRAGMA user_version = {VERSION}",
    "CREATE TABLE salt (salt BLOB)",
    *EMPTY,
)


class UnfitError(Exception):
    """The file is not a store's, or not this version's, or not that of the same store any more."""


class SqliteFile:
    """Opens it, and removes it when it is damaged.

    Args:
        path: absolute.
        limit: bytes of the file, and so of an entry; what claims to be larger is not even read. The log beside it
            takes an eighth of that, 4 MiB at most, and what is written at one time.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self.path = path
        self._limit = min(max(limit, _SMALLEST), _LARGEST)
        self._log = min(limit // 8, _LOG)
        self._ours: tuple[int, int] | None = None  # device and inode of what was opened last, and known for a store's

    def is_there(self) -> bool:
        """Whether the file that was opened last has its name still."""
        try:
            return self._identity() == self._ours
        except OSError:
            return False

    def open(self, salt: bytes) -> tuple[sqlite3.Connection, bytes]:
        """A connection to the file, and the file's salt. One that is missing is made, with this salt.

        Raises:
            ConfigurationError: the file is not this user's alone.
            UnfitError: it is not a store's of this version.
            sqlite3.Error: SQLite cannot read or make it.
            OSError: nor can the system.
        """
        folder = self._folder()
        with self._alone():
            if not folder.check(self.path.name):
                self._unlink(_BESIDE)  # of a file that somebody removed
                os.close(folder.open(self.path.name, os.O_RDWR | os.O_CREAT | os.O_EXCL))
            for ending in _BESIDE:
                folder.check(self.path.name + ending)
            connection = self._connection()
            try:
                return connection, self._known(connection, salt)
            except BaseException:
                connection.close()
                raise

    def remove(self) -> None:
        """Removes the damaged file that was opened last, unless it has gone: others may have made a new one.

        Raises:
            OSError: it cannot.
        """
        with self._alone():
            if self.is_there():
                self._unlink(("", *_BESIDE))

    def _folder(self) -> PrivateFolder:
        try:
            return PrivateFolder(self.path.parent)
        except ConfigurationError as error:
            if self.path.parent.exists():
                raise
            raise UnfitError(f"its folder cannot be made: {error.__cause__}") from error

    def _connection(self) -> sqlite3.Connection:
        """It makes no file, waits for nobody, and may be used by any thread, if by one at a time."""
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode=rw", uri=True, timeout=0, isolation_level=None, check_same_thread=False
        )
        connection.text_factory = bytes  # a damaged file holds text where it should not, and that is no UTF-8
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, self._limit)
        return connection

    def _known(self, connection: sqlite3.Connection, salt: bytes) -> bytes:
        """The salt of a file that is a store's, or becomes one."""
        self._ours = None
        kind = (_number(connection, "PRAGMA application_id"), _number(connection, "PRAGMA user_version"))
        if kind == (0, 0) and not _number(connection, "SELECT count(*) FROM sqlite_master"):
            _found(connection, salt)
        elif kind != (OURS, VERSION):
            raise UnfitError("it is not the file of a cache, or of another version: remove it, or name another one")
        self._ours = self._identity()
        connection.execute("PRAGMA synchronous = NORMAL")  # whole after a power cut too, if without what came last
        connection.execute(f"PRAGMA journal_size_limit = {self._log}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {max(self._log // _PAGE, 1)}")
        for (found,) in connection.execute("SELECT salt FROM salt"):
            if isinstance(found, bytes) and len(found) == len(salt):
                return found
        raise UnfitError("there is no salt in it")

    def _identity(self) -> tuple[int, int]:
        found = os.stat(self.path)
        return found.st_dev, found.st_ino

    def _unlink(self, endings: Iterable[str]) -> None:
        for ending in endings:
            self._beside(ending).unlink(missing_ok=True)

    def _beside(self, ending: str) -> Path:
        return self.path.with_name(self.path.name + ending)

    @contextmanager
    def _alone(self) -> Generator[None, None, None]:
        from fcntl import LOCK_EX, LOCK_NB, flock

        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for left in reversed(range(_TURNS)):
                try:
                    flock(folder, LOCK_EX | LOCK_NB)
                    break
                except BlockingIOError:
                    if not left:
                        raise
                    time.sleep(_TURN)
            yield
        finally:
            os.close(folder)  # and the lock with it


def _found(connection: sqlite3.Connection, salt: bytes) -> None:
    """Makes the tables: all of them, or, whatever happens, none."""
    connection.execute("PRAGMA journal_mode = WAL")
    for statement in _NEW:
        connection.execute(statement)
    connection.execute("INSERT INTO salt VALUES (?)", (salt,))
    connection.execute("COMMIT")


def _number(connection: sqlite3.Connection, question: str) -> int:
    return int(connection.execute(question).fetchone()[0])
