"""Bodies out of files: by path or open, whole and unchanged."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from threading import Lock
from typing import IO, Any, NamedTuple, Self

from jackfield import StreamBody, UsageError

PIECE = 256 * 1024


class _Mark(NamedTuple):
    """What tells a file from another, and from what it was before."""

    device: int
    inode: int
    size: int
    modified: int

    @classmethod
    def of(cls, found: os.stat_result) -> Self:
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

    def check(self, fileno: int) -> None:
        if self.of(os.fstat(fileno)) != self:
            raise UsageError("the file has changed since this body was made of it: make another")


def of_path(path: os.PathLike[str]) -> StreamBody:
    """The file of that path, opened anew each time; it must stay as it is now.

    Raises:
        UsageError: there is none, or it is no regular file.
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"the file cannot be read: {error}") from error
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{os.fspath(path)!r} is no regular file: give an open file, or what gives its pieces")
    mark = _Mark.of(found)

    def pieces() -> Iterator[bytes]:
        with open(path, "rb", buffering=0) as file:
            mark.check(file.fileno())
            while piece := file.read(PIECE):
                yield piece
            mark.check(file.fileno())

    return StreamBody(pieces, length=mark.size)


def of_file(file: IO[bytes], length: int | None) -> StreamBody:
    """What an open file has from where it stands to its end.

    Raises:
        UsageError: it is closed, or gives text; or its length is known, and was given none the less.
    """
    if isinstance(file, io.TextIOBase):
        raise UsageError('a file that gives text cannot be sent: open it in binary mode, "rb"')
    if getattr(file, "closed", False):
        raise UsageError("the file is closed")
    if not hasattr(file, "seekable") or not file.seekable():
        return StreamBody.once(_available(file), length=length)
    if length is not None:
        raise UsageError(f"leave out length={length}: that of a file that can seek is known")
    start = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(start)
    return StreamBody(_reader(file, start), length=max(end - start, 0))


def read_to_end(file: IO[bytes]) -> Iterator[bytes]:
    """What a file has, which is closed then."""
    with closing(file):
        yield from _available(file)


def _available(file: Any) -> Iterator[bytes]:
    read: Callable[[int], bytes] = getattr(file, "read1", file.read)  # what is there, without waiting for more
    return iter(lambda: read(PIECE), b"")


def _reader(file: IO[bytes], start: int) -> Callable[[], Iterator[bytes]]:
    guard = Lock()  # attempts that race each other have one file, and each a place of its own in it
    fileno = _fileno(file)
    mark = None if fileno is None else _Mark.of(os.fstat(fileno))

    def pieces() -> Iterator[bytes]:
        at = start
        if mark is not None:
            mark.check(file.fileno())
        while piece := read(at):
            at += len(piece)
            yield piece
        if mark is not None:
            mark.check(file.fileno())

    def read(at: int) -> bytes:
        with guard:
            file.seek(at)
            return file.read(PIECE)

    return pieces


def _fileno(file: IO[bytes]) -> int | None:
    try:
        return file.fileno()
    except (AttributeError, OSError):  # it is in memory
        return None
