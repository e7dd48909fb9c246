"""A store in an SQLite file: for the processes of one user on one machine, and from one run to the next."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path

from jackfield import ConfigurationError

from ._checks import check_size
from ._database import FAILURES, Database
from ._encoding import decoded, encoded
from ._kept import kept
from ._notes import REMOVE, Notes, empty
from ._recent import Recent, Rows
from ._sqlite_file import SqliteFile
from ._store import VARIANTS, StoreStats
from ._stored import Stored

_GET = "SELECT data FROM entries WHERE place = ? AND owner = ? ORDER BY id DESC"
_REPLACE = "DELETE FROM entries WHERE place = ? AND owner = ? AND variant = ?"
_PUT = "INSERT INTO entries (place, owner, variant, data) VALUES (?, ?, ?, ?)"
_FEW = (
    "DELETE FROM entries WHERE id IN"
    " (SELECT id FROM entries WHERE place = ? AND owner = ? ORDER BY id DESC LIMIT -1 OFFSET ?)"
)
_SIZE = (
    "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
)
_STATS = f"SELECT count(*), CASE count(*) WHEN 0 THEN 0 ELSE ({_SIZE}) END FROM uses"  # noqa: S608 - all ours
_OLDEST = "DELETE FROM entries WHERE id IN (SELECT id FROM uses WHERE id != ? ORDER BY used LIMIT ?)"


class SqliteStore:
    """Keeps answers in a file that only this user can read, and that any number of processes may use at a time.

    No call fails: when the disk is full or read-only, or the file locked or damaged, a warning is logged once, and the
    cache is passed by for as long as it lasts. A damaged file is begun anew. The file outlives `kill -9` at any moment.
    One that is there, but could not be read when the store was made, is passed by until another store is made.

    Args:
        path: of the file; `~` is the user's home. Its folder is made, for this user alone, where it is missing. SQLite
            puts two more files beside it.
        max_size: bytes that the file may take. What was used longest ago goes when there is no room.

    Raises:
        ConfigurationError: others can read or write the file, or write to its folder; `path` is no path, or `max_size`
            no number of bytes; or this system has no `fcntl` (Windows).
    """

    blocks = True

    def __init__(self, path: str | os.PathLike[str], max_size: int = 256 * 1024 * 1024) -> None:
        if find_spec("fcntl") is None:
            raise ConfigurationError("SqliteStore needs fcntl, which this system lacks: use MemoryStore")
        self._max_size = check_size("max_size", max_size)
        self._path = _checked(path)
        self._warned: set[str] = set()
        self._notes = Notes()
        self._recent = Recent()
        self._database = Database(SqliteFile(self._path, self._max_size))
        try:
            self._database.open()
        except ConfigurationError:
            raise
        except FAILURES as error:
            self._failed(error)

    @property
    def salt(self) -> bytes:
        """Made with the file."""
        return self._database.salt

    def get(self, place: bytes, owner: bytes) -> Sequence[Stored]:
        """Every variant there is, newest first; nothing if one of them is damaged."""
        if self._notes.hides(place):
            return ()
        try:
            rows = self._database.read(_GET, (place, owner))
        except sqlite3.DataError as error:  # too large to be an entry
            return self._drop(place, error)
        except FAILURES as error:
            self._failed(error)
            return ()
        return self._read(place, owner, rows) if rows else ()

    def put(self, place: bytes, owner: bytes, entry: Stored) -> None:
        """Keeps it in place of the variant with the same `selecting`; not at all if it is larger than the store."""
        try:
            data = encoded(entry, self.salt + place + owner)
        except ValueError:  # it holds what is no text
            data = b""
        if data and len(data) <= self._max_size:
            row = place, owner, blake2b(repr(entry.selecting).encode(), digest_size=16).digest(), data
            self._write(lambda connection: self._put(connection, row), place)
        else:
            self.remove(place)

    def remove(self, place: bytes) -> None:
        """Forgets what is kept of a place, whoever its owner is."""
        self._write(lambda connection: connection.execute(REMOVE, (place,)), place)

    def clear(self) -> None:
        """Forgets everything, and gives the room back to the disk."""
        self._recent.clear()
        self._write(empty, None)
        self._database.tidy()

    def stats(self) -> StoreStats:
        """What is in it now; the size in whole pages of the file."""
        try:
            rows = self._database.read(_STATS)
            return StoreStats(*rows[0]) if rows else StoreStats(0, 0)
        except FAILURES as error:
            self._failed(error)
            return StoreStats(0, 0)

    def close(self) -> None:
        """Gives back the file. After it, this keeps and gives nothing."""
        if self._notes:
            self._write(lambda connection: None, None)
        self._database.close()
        self._recent.clear()

    def _read(self, place: bytes, owner: bytes, rows: Rows) -> Sequence[Stored]:
        self._notes.use(place, owner)
        known = self._recent.get((place, owner), rows)
        if known is not None:
            return known
        key = self._database.salt + place + owner
        try:
            entries = tuple(kept(decoded(data, key)) for (data,) in rows)
        except (ValueError, TypeError) as error:  # damaged; no bytes
            return self._drop(place, error)
        self._recent.put((place, owner), rows, entries)
        return entries

    def _drop(self, place: bytes, error: Exception) -> Sequence[Stored]:
        self._warn("an entry of the cache %s is damaged, and was dropped: %s", error)
        self.remove(place)
        return ()

    def _write(self, work: Callable[[sqlite3.Connection], object], place: bytes | None) -> None:
        """Does it with what is owed. What cannot be done is owed, and not given until then."""

        def all_of_it(connection: sqlite3.Connection) -> None:
            written.append(self._notes.write(connection))
            work(connection)

        written: list[Callable[[], None]] = []
        try:
            self._database.write(all_of_it)
        except BaseException as error:
            self._notes.owe(place)
            if not isinstance(error, FAILURES):
                raise
            self._failed(error)
        else:
            for forget in written[-1:]:  # of the last try; none when this is closed
                forget()

    def _put(self, connection: sqlite3.Connection, row: tuple[bytes, bytes, bytes, bytes]) -> None:
        connection.execute(_REPLACE, row[:3])
        new = connection.execute(_PUT, row).lastrowid
        connection.execute(_FEW, (*row[:2], VARIANTS))
        self._make_room(connection, new)

    def _make_room(self, connection: sqlite3.Connection, new: int | None) -> None:
        """Whatever the new entry needs; twice as many go each time."""
        many = 1
        while _size(connection) > self._max_size:
            if not connection.execute(_OLDEST, (new, many)).rowcount:
                connection.execute("DELETE FROM entries WHERE id = ?", (new,))
                break
            many *= 2

    def _failed(self, error: BaseException) -> None:
        self._warn("the cache %s is passed by: %s", error)

    def _warn(self, text: str, error: BaseException) -> None:
        if text not in self._warned:
            self._warned.add(text)
            logging.getLogger("jackfield").warning(text, self._path, error)


def _size(connection: sqlite3.Connection) -> int:
    return int(connection.execute(_SIZE).fetchone()[0])


def _checked(path: str | os.PathLike[str]) -> Path:
    try:
        name = os.fspath(path)
        if not name or "\0" in name:  # which is a TypeError for bytes, that `Path` does not take either
            raise ValueError("it has no name, or a NUL in it")
        return Path(path).expanduser().absolute()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigurationError(f"{path!r} cannot be the file of a cache: {error}; name another") from error
