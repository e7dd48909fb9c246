"""One connection to the file of an SQLite store, for all threads of a process, and never across a fork."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar
from weakref import WeakSet

from jackfield import ConfigurationError, fork_safe_lock

from ._sqlite_file import SqliteFile, UnfitError
from ._store import SALT_SIZE

T = TypeVar("T")

# A UnicodeError is a message of SQLite's about a damaged file, with parts of it.
FAILURES = (sqlite3.Error, UnicodeError, OSError, ConfigurationError, UnfitError)

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PASSING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_TOOBIG)  # the connection is good nevertheless
_PATIENCE = 1.0  # seconds that a writer waits for other processes
_TURN = 0.001  # seconds
_SKIPS = 64  # calls that go by between two tries to open the file, at most


class Database:
    """Reads, and writes in transactions. Opens the file again when it is another one, or has failed.

    Attributes:
        salt: of the file, or for the file when it can be made.
    """

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self._lock = threading.RLock()  # again by the same thread: the garbage collector may end a coroutine anywhere
        self._connection: sqlite3.Connection | None = None
        self._closed = self._settled = False
        self._skip = self._skips = 0
        self._why = ""
        self._patience = _PATIENCE
        self.salt = os.urandom(SALT_SIZE)
        with _GUARD:
            _ALL.add(self)

    def open(self) -> None:
        """Opens the file for the first time, which settles the salt: that of a file that is there, if it can be read.

        Raises:
            FAILURES: it cannot.
        """
        try:
            self._patiently(lambda connection: None)
        finally:
            self._settled = True

    def read(self, question: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """The rows that answer it; none once this is closed.

        Raises:
            FAILURES: there is no telling.
        """
        return self._patiently(lambda connection: connection.execute(question, values).fetchall()) or []

    def write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Does the work in a transaction: all of it, or nothing. It may be begun several times.

        Who was kept waiting in vain by another process does not wait any more until it has been let in again.

        Raises:
            FAILURES: nothing was done.
        """
        self._patiently(lambda connection: _transact(connection, work))
        self._patience = _PATIENCE

    def tidy(self) -> None:
        """Gives unused room back to the disk, if nobody is in the way."""
        with self._lock, suppress(*FAILURES):
            if not self._closed:
                self._connected().execute("VACUUM")
                self._connected().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Gives the file back, for good."""
        with self._lock:
            self._closed = True
            self._disconnect()

    def _patiently(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        until = time.monotonic() + self._patience
        while True:
            try:
                return self._at_once(work)
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY:
                    raise
                if time.monotonic() >= until:
                    self._patience = 0.0
                    raise
            time.sleep(_TURN)  # without the lock: others read, or fork

    def _at_once(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        with self._lock:
            if self._closed:
                return None
            connection = self._connected()
            try:
                return work(connection)
            except (sqlite3.Error, UnicodeError) as error:
                self._failed(error)
                raise

    def _connected(self) -> sqlite3.Connection:
        if self._connection is not None and self._file.is_there():
            return self._connection
        self._disconnect()
        if self._skip:
            self._skip -= 1
            raise UnfitError(self._why)
        try:
            self._connection = self._opened()
        except FAILURES as error:
            if _code(error) != sqlite3.SQLITE_BUSY:  # which is waited for
                self._skip = self._skips = min(2 * self._skips + 1, _SKIPS)
                self._why = str(error)
            self._failed(error)
            raise
        self._skips = 0
        return self._connection

    def _opened(self) -> sqlite3.Connection:
        connection, salt = self._file.open(self.salt)
        if self._settled and salt != self.salt:
            connection.close()
            raise UnfitError("it is that of another cache, whose keys are other ones")
        self.salt = salt
        return connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _failed(self, error: Exception) -> None:
        code = _code(error)
        if code not in _PASSING:
            self._disconnect()
        if code in _DAMAGED:
            with suppress(OSError):
                self._file.remove()

    def hold(self) -> None:
        """Before a fork. SQLite forbids to carry a connection, or a lock of its own, into the child."""
        self._lock.acquire()
        self._disconnect()

    def let_go(self) -> None:
        """After a fork, in both."""
        self._lock.release()


def _transact(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], object]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise


def _code(error: Exception) -> int:
    if isinstance(error, UnicodeError):
        return sqlite3.SQLITE_CORRUPT
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


_GUARD = fork_safe_lock()  # from before a fork until after it: no database is made meanwhile, and no other fork begins
_ALL: WeakSet[Database] = WeakSet()
_HELD: list[Database] = []


def _hold_all() -> None:
    _GUARD.acquire()
    _HELD.extend(_ALL)
    for database in _HELD:
        database.hold()


def _let_all_go() -> None:
    while _HELD:
        _HELD.pop().let_go()
    _GUARD.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold_all, after_in_parent=_let_all_go, after_in_child=_let_all_go)
