"""The file that grows beside its target, and the record by which another process goes on with it. Blocking.

Their names are made from the target's: `.jackfield-….part` and `.jackfield-….json`. A process that holds the lock of
the first owns both. A record of another entity is only written while the file is empty, so at no moment do the bytes of
one entity stand beside the validator of another.
"""

from __future__ import annotations

import os
import stat
import threading
from functools import cache
from hashlib import sha256
from pathlib import Path

from msgspec import Struct
from msgspec.json import encode

from jackfield import Tap, UsageError, decoder_of

from ._part import Held
from ._target import Target, written

_RECALLED = 128 * 1024  # bytes that are read at a time
_LONGEST = 64 * 1024  # bytes of a record


class _Record(Struct):
    """What the bytes are of. If the machine was restarted since, only those before `synced` are believed."""

    source: str
    validator: str
    total: int | None
    synced: int
    boot: str


class PartFile:
    """Opened, it is this process's alone until it is finished or left.

    Attributes:
        held: what there is in it, as far as it is known of what.

    Raises:
        UsageError: from each method: the system does not do it, or somebody else is at it.
    """

    def __init__(self, target: Target) -> None:
        name = f".jackfield-{sha256(os.fsencode(target.path.name)).hexdigest()[:32]}"
        self._target = target
        self._path = target.folder / f"{name}.part"
        self._record = target.folder / f"{name}.json"
        self._guard = threading.Lock()  # a task that is cancelled leaves, and its thread may be writing still
        self._file: int | None = None
        self.held = Held()
        with written():
            self._file = _locked(self._path)
            try:
                self.held = self._found(self._file)
            except BaseException:
                self._close()
                raise

    def begin(self, held: Held) -> None:
        """Forgets what there is, for another entity."""
        with self._guard, written():
            os.ftruncate(self._open, 0)
            os.lseek(self._open, 0, os.SEEK_SET)
            os.fsync(self._open)
            self.held = held._replace(size=0)
            self._note(0)

    def write(self, piece: bytes | memoryview) -> None:
        """Adds to its end."""
        with self._guard, written():
            left = memoryview(piece)
            while left:
                left = left[os.write(self._open, left) :]

    def recall(self, start: int, size: int, tap: Tap) -> None:
        """Shows some of what there is to the tap."""
        with self._guard, written():
            for at in range(start, start + size, _RECALLED):
                if piece := os.pread(self._open, _RECALLED, at):
                    tap(piece)

    def finish(self) -> None:
        """Puts the file in its place."""
        with self._guard, written():
            os.fsync(self._open)
            if not _is_at(self._path, self._open):
                raise UsageError(f"{self._path} was taken away while it was written")
            if (mode := self._target.mode) is not None:  # who may read it was somebody's decision
                os.fchmod(self._open, mode)
            self._target.take(self._path)
            self._record.unlink(missing_ok=True)
            self._close()

    def leave(self, *, keep: bool) -> None:
        """Ends the work on it. What there is stays if it is to be kept, and of use. May be called again."""
        with self._guard:
            if self._file is None:
                return
            try:
                size = os.fstat(self._file).st_size
                if keep and size and self.held.validator is not None:
                    os.fsync(self._file)
                    self._note(size)
                elif _is_at(self._path, self._file):
                    self._path.unlink()
                    self._record.unlink(missing_ok=True)
            except OSError:
                pass  # what is not noted as synced is believed less, and what has no record is not believed
            finally:
                self._close()

    @property
    def _open(self) -> int:
        if self._file is None:
            raise UsageError("the download was given up")
        return self._file

    def _found(self, file: int) -> Held:
        size, record = os.fstat(file).st_size, self._read_record()
        if record is None:
            return Held()
        believed = size if record.boot and record.boot == _boot() else min(size, record.synced)
        os.ftruncate(file, believed)
        os.lseek(file, believed, os.SEEK_SET)
        return Held(believed, record.validator, record.total, record.source)

    def _read_record(self) -> _Record | None:
        try:
            file = _opened(self._record, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            record = decoder_of(_Record).decode(os.read(file, _LONGEST))
        except ValueError:  # it was not written to its end
            return None
        finally:
            os.close(file)
        makes_sense = _is_sendable(record.validator) and record.synced >= 0 and (record.total or 0) >= 0
        return record if makes_sense else None

    def _note(self, synced: int) -> None:
        """Writes the record, or removes one that is of no use."""
        held = self.held
        if held.validator is None:
            self._record.unlink(missing_ok=True)
            return
        file = _opened(self._record, os.O_WRONLY | os.O_CREAT)
        if os.fstat(file).st_nlink > 1:  # it has another name as well, and what is there is not ours to write to
            os.close(file)
            self._record.unlink()
            file = _opened(self._record, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            os.ftruncate(file, 0)
            os.write(file, encode(_Record(held.source, held.validator, held.total, synced, _boot())))
            os.fsync(file)
        finally:
            os.close(file)

    def _close(self) -> None:
        from fcntl import LOCK_UN, flock

        file, self._file = self._file, None
        if file is not None:
            try:
                flock(file, LOCK_UN)  # a process forked meanwhile has the file open still
            finally:
                os.close(file)


def _locked(path: Path) -> int:
    """The file of this path, which nobody else holds, made if it is not there."""
    from fcntl import LOCK_EX, LOCK_NB, flock

    while True:
        file = _opened(path, os.O_RDWR | os.O_CREAT)
        try:
            flock(file, LOCK_EX | LOCK_NB)
            links = os.fstat(file).st_nlink
            if links == 1 and _is_at(path, file):
                return file
            if links > 1:  # whoever put it in its place died before taking this name away: it must not be written to
                path.unlink()
        except BlockingIOError:
            os.close(file)
            raise UsageError(f"another download to the same file is under way: it has locked {path}") from None
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _opened(path: Path, flags: int) -> int:
    """The descriptor of a file of ours, as what is there must be. The process's umask says who may read a new one."""
    file = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    found = os.fstat(file)
    if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
        return file
    os.close(file)
    raise UsageError(f"{path} is no file of the user who runs this: remove it, or save to another folder")


def _is_at(path: Path, file: int) -> bool:
    """Whether the path still leads to this open file."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(file))
    except FileNotFoundError:
        return False


def _is_sendable(validator: str) -> bool:
    return 0 < len(validator) <= _LONGEST and validator.isascii() and validator.isprintable()


@cache
def _boot() -> str:
    """What changes when the machine is started again; empty where it does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
