"""A store in an SQLite file: for the processes of one user on one machine, and from one run to the next."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from importlib.util import find_spec
from operator import itemgetter
from pathlib import Path
from typing import Any, NoReturn

from jackfield import ConfigurationError

from ._database import FAILURES, Database
from ._encoding import decoded, encoded
from ._forgotten import REMEMBERED
from ._kept import Kept, kept
from ._ledger import ledger_of
from ._recent import Key, Recent, Row, write_uses
from ._sqlite_file import EMPTY, SqliteFile
from ._store import VARIANTS, Found, StoreError, StoreStats, Suits, check_size
from ._stored import Stored

_NOW = "SELECT max(moment) FROM forgotten"
_GET = (  # the moment comes first; a long body only to who asks for it by `_BODY`
    "SELECT max(moment), NULL, NULL FROM forgotten"
    " UNION ALL SELECT id, head, CASE WHEN length(body) <= 32768 THEN body END"
    " FROM entries WHERE place = ? AND owner = ?"
)
_BODY = "SELECT body FROM entries WHERE id = ?"
_LATER = "SELECT 1 FROM forgotten WHERE moment > ? AND place = ?"
_NEWER = "SELECT 1 FROM entries WHERE place = ? AND owner = ? AND variant = ? AND asked_at > ?"
_REPLACE = "DELETE FROM entries WHERE place = ? AND owner = ? AND variant = ?"
_PUT = "INSERT INTO entries (place, owner, variant, asked_at, head, body) VALUES (?, ?, ?, ?, ?, ?)"
_FEW = (
    "DELETE FROM entries WHERE id IN"
    " (SELECT id FROM entries WHERE place = ? AND owner = ? ORDER BY id DESC LIMIT -1 OFFSET ?)"
)
_REMOVE = "DELETE FROM entries WHERE place = ?"
_FORGET = "INSERT INTO forgotten (place) VALUES (?)"
_LONG_AGO = f"DELETE FROM forgotten WHERE moment < ({_NOW}) - ?"  # noqa: S608 - all ours
_SIZE = (
    "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
)
_STATS = f"SELECT count(*), CASE count(*) WHEN 0 THEN 0 ELSE ({_SIZE}) END FROM uses"  # noqa: S608 - all ours
_OLDEST = "DELETE FROM entries WHERE id IN (SELECT id FROM uses WHERE id IS NOT ? ORDER BY used LIMIT ?)"


class SqliteStore:
    """Keeps answers in a file that only this user can read, and that any number of processes may use at a time.

    When the disk is full or read-only, or the file locked or damaged, a method raises a StoreError, and a cache goes on
    without it for as long as that lasts. A damaged file is begun anew. The file outlives `kill -9` at any moment.
    One that is there, but could not be read when the store was made, is not used until another store is made.

    Args:
        path: of the file; `~` is the user's home. Its folder is made, for this user alone, where it is missing.
        max_size: bytes that the file may take. What was used longest ago goes when there is no room. SQLite puts two
            more files beside it: a log of an eighth of that, 4 MiB at most, or what one entry needs; and an index of
            the log.

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
        self._told = False
        self._recent = Recent()
        self._database = Database(SqliteFile(self._path, self._max_size))
        try:
            self._database.open()
        except ConfigurationError:
            raise
        except FAILURES:
            pass  # which whoever asks for something is told

    @property
    def salt(self) -> bytes:
        """Made with the file."""
        return self._database.salt

    def get(self, place: bytes, owner: bytes, suits: Suits | None = None) -> Found:
        """Every variant there is, newest first, one that does not suit without its body if that is long.

        Nothing if one of them is damaged.
        """
        try:
            rows = self._database.read(_GET, (place, owner))
            if not rows:  # it is closed
                return Found((), 0)
            moment = rows.pop(0)[0]
            if moment is None:
                raise ValueError("it has no moment")
            return Found(self._entries((place, owner), rows, suits) if rows else (), moment)
        except (ValueError, TypeError, sqlite3.DataError) as error:  # damaged; no bytes; too large to be an entry
            if not isinstance(error, UnicodeError):
                return self._dropped(place, error)
            self._failed(error)
        except FAILURES as error:
            self._failed(error)

    def put(self, place: bytes, owner: bytes, entry: Stored, moment: int) -> bool:
        """Keeps it in place of the variant with the same `selecting`; whether it did.

        Not if the place was forgotten after that moment, if that variant was asked for later, or if it is larger than
        the store.
        """
        variant = blake2b(repr(entry.selecting).encode("utf-8", "replace"), digest_size=16).digest()
        try:
            head = encoded(entry._replace(body=_digest(entry.body)), self.salt + place + owner)
        except ValueError:  # it holds what is no text
            head = None
        row = place, owner, variant, entry.asked_at, head, entry.body
        return self._write(lambda connection: self._put(connection, row, moment)) is True

    def remove(self, place: bytes) -> None:
        """Forgets what is kept of a place, whoever its owner is."""

        def remove(connection: sqlite3.Connection) -> None:
            connection.execute(_REMOVE, (place,))
            connection.execute(_FORGET, (place,))
            connection.execute(_LONG_AGO, (REMEMBERED,))

        self._write(remove)

    def clear(self) -> None:
        """Forgets everything, and gives the room back to the disk."""

        def empty(connection: sqlite3.Connection) -> None:
            for statement in EMPTY:  # many entries go as fast as few
                connection.execute(statement)

        self._recent.clear()
        self._write(empty)
        self._database.tidy()

    def stats(self) -> StoreStats:
        """What is in it now; the size in whole pages of the file."""
        try:
            rows = self._database.read(_STATS)
            return StoreStats(*rows[0]) if rows else StoreStats(0, 0)
        except FAILURES as error:
            self._failed(error)

    def close(self) -> None:
        """Gives back the file, when what it should have forgotten is. After it, this keeps and gives nothing."""
        with suppress(StoreError):
            ledger_of(self).pay(self)
            if self._recent.used:
                self._write(lambda connection: None)
        self._database.close()
        self._recent.clear()

    def _entries(self, key: Key, rows: list[Row], suits: Suits | None) -> tuple[Kept, ...]:
        self._recent.use(key)
        known = self._recent.get(key, rows)
        if known is not None:
            return known
        newest_first = sorted(rows, key=itemgetter(0), reverse=True)
        found = [self._entry(key, row, suits) for row in newest_first]
        entries = tuple([entry for entry in found if entry is not None])
        self._recent.put(key, rows, entries)
        return entries

    def _entry(self, key: Key, row: Row, suits: Suits | None) -> Kept | None:
        """None if it has gone since the row was read."""
        number, head, body = row
        entry = kept(decoded(head, self._database.salt + key[0] + key[1]))
        if body is None:
            if suits is not None and not suits(entry.selecting):
                return entry._replace(body=b"")
            rows = self._database.read(_BODY, (number,))
            if not rows:
                return None
            body = rows[0][0]
        if _digest(body) != entry.body:
            raise ValueError("a damaged body")
        return entry._replace(body=body)

    def _dropped(self, place: bytes, error: Exception) -> Found:
        if not self._told:
            self._told = True
            text = "an entry of the cache %s is damaged, and was dropped: %s"
            logging.getLogger("jackfield").warning(text, self._path, error)
        self.remove(place)
        rows = self._database.read(_NOW)
        return Found((), rows[0][0] if rows else 0)

    def _write(self, work: Callable[[sqlite3.Connection], bool | None]) -> bool | None:
        """Does it, with what is to be written of uses: all of it, or nothing."""
        used: tuple[Key, ...] = ()
        done: bool | None = None

        def all_of_it(connection: sqlite3.Connection) -> None:
            nonlocal used, done
            used = self._recent.used
            if used:
                write_uses(connection, used)
            done = work(connection)

        try:
            self._database.write(all_of_it)
        except FAILURES as error:
            self._failed(error)
        self._recent.written(used)
        return done

    def _put(self, connection: sqlite3.Connection, row: tuple[Any, ...], moment: int) -> bool:
        *_, head, body = row
        if _is_older(connection, row, moment):
            return False
        connection.execute(_REPLACE, row[:3])
        if head is None or len(head) + len(body) > self._max_size:
            return False
        self._make_room(connection, len(head) + len(body), None)
        new = connection.execute(_PUT, row).lastrowid
        connection.execute(_FEW, (*row[:2], VARIANTS))
        if self._make_room(connection, 0, new):
            return True
        connection.execute("DELETE FROM entries WHERE id = ?", (new,))
        return False

    def _make_room(self, connection: sqlite3.Connection, needed: int, new: int | None) -> bool:
        """Whatever is needed, if it can; twice as many entries go each time, but not the new one."""
        many = 1
        while _size(connection) + needed > self._max_size:
            if not connection.execute(_OLDEST, (new, many)).rowcount:
                return False
            many *= 2
        return True

    def _failed(self, error: Exception) -> NoReturn:
        raise StoreError(f"{self._path}: {error}") from error


def _is_older(connection: sqlite3.Connection, row: tuple[Any, ...], moment: int) -> bool:
    """Than the last time that its place was forgotten, or than what it would replace; or nobody knows."""
    ((now,),) = connection.execute(_NOW)
    if now is None or not now - REMEMBERED <= moment <= now:
        return True
    return any(connection.execute(*asked).fetchone() for asked in ((_LATER, (moment, row[0])), (_NEWER, row[:4])))


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).digest()


def _size(connection: sqlite3.Connection) -> int:
    return int(connection.execute(_SIZE).fetchone()[0])


def _checked(path: str | os.PathLike[str]) -> Path:
    try:
        name = os.fspath(path)
        if not name or "\0" in name:  # which is a TypeError for bytes, that `Path` does not take either
            raise ValueError("it has no name, or a NUL in it")
        whole = Path(path).expanduser().absolute()
        if not whole.name:
            raise ValueError("it is a folder")
        return whole
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigurationError(f"{path!r} cannot be the file of a cache: {error}; name another") from error
