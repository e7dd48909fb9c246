"""A request body of whatever there is to send."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import IO, Any, TypeAlias

from jackfield import Meter, ProgressCallback, StreamBody, UsageError

from ._feed import Feed, Home
from ._file import PIECE, of_file, of_path, read_to_end

Source: TypeAlias = (
    StreamBody
    | bytes
    | bytearray
    | memoryview
    | os.PathLike[str]
    | IO[bytes]
    | Iterable[bytes]
    | AsyncIterable[bytes]
    | Callable[[], Iterable[bytes] | AsyncIterable[bytes] | IO[bytes]]
)
_KNOWN = (StreamBody, os.PathLike, bytes, bytearray, memoryview)


def body_of(source: Source, *, length: int | None = None, progress: ProgressCallback | None = None) -> StreamBody:
    """A body that is read while it is sent, and is never in memory as a whole.

    Args:
        source: a path, whose file is opened for each attempt; a file open for reading bytes, sent from where it stands;
            bytes; what can be iterated; or a function that gives such a thing, or a file, for each attempt. Async ones
            are pulled on the event loop on which this function was called, so call it there. Iterators, of either
            kind, and files that cannot seek are sent once: not retried after bytes were sent.
        length: bytes in all, of a source that does not know it; where nobody does, the body is sent chunked.
        progress: is called with the bytes sent, the bytes in all or None, and bytes per second: with 0 when an attempt
            begins, after each piece, and at the end. It runs in the thread that sends. What it raises ends the upload.

    Raises:
        UsageError: the source is nothing that can be sent, or cannot be read. While it is sent: it is not as long as
            announced; it is a file that has changed; there is no event loop to pull it on; `progress` failed.
    """
    body = (_of_known if isinstance(source, _KNOWN) else _of)(source, length)
    return body if progress is None else _told(body, progress)


def _of_known(source: Any, length: int | None) -> StreamBody:
    if length is not None:
        raise UsageError(f"leave out length={length}: that of a {type(source).__name__} is known")
    if isinstance(source, StreamBody):
        return source
    if hasattr(source, "__fspath__"):
        return of_path(source)
    whole = memoryview(source)
    if not whole.c_contiguous:
        raise UsageError("the bytes of this memoryview are not in one place: give bytes")
    whole = whole.cast("B")
    return StreamBody(lambda: _slices(whole), length=len(whole))


def _slices(whole: memoryview) -> Iterator[bytes]:
    return (bytes(whole[start : start + PIECE]) for start in range(0, len(whole), PIECE))


def _of(source: Any, length: int | None) -> StreamBody:
    kind: object = source
    home = Home.current()
    if isinstance(kind, AsyncIterable) and home is None:
        raise UsageError("an async iterator is pulled on the event loop on which its body is made: make it in a task")
    if hasattr(source, "read") and not isinstance(kind, AsyncIterable):
        return of_file(source, length)
    if isinstance(kind, Iterator | AsyncIterator):
        return StreamBody.once(_opened(source, home), length=length)
    if isinstance(kind, Iterable | AsyncIterable) and not isinstance(kind, str | Mapping):
        return StreamBody(lambda: _opened(source, home), length=length)
    if callable(source):
        return StreamBody(lambda: _opened(source(), home), length=length)
    raise UsageError(
        f"a body cannot be made of a {type(source).__name__}: give a Path, a file open for reading bytes, bytes, or "
        "what gives pieces of bytes"
    )


def _opened(source: Any, home: Home | None) -> Iterable[bytes]:
    kind: object = source
    if isinstance(kind, AsyncIterable):
        return Feed(source, home)
    return read_to_end(source) if hasattr(source, "read") else source


def _told(body: StreamBody, progress: ProgressCallback) -> StreamBody:
    def begin() -> Meter:
        meter = Meter(progress, body.length)
        meter.tell()
        return meter

    return body.tapped(begin)
