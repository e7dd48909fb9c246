"""What is uploaded to a bucket, as callers describe it: checked, and held against what the Hub has of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterable, Mapping, Sequence
from inspect import iscoroutinefunction
from typing import Any, cast
from uuid import UUID

from jackfield import ContractError, Runtime, StreamBody, UsageError
from jackfield_plugins.uploads import FilePart, Source

from ._storage_models import BucketFile

_KEYS = {"file_name", "content", "content_type"}
_OCTETS = "application/octet-stream"
_STRIDE = 64 * 1024  # bytes, for which there is the whole of the timeout, as there is in a download
_LONGEST = 7 * 86_400.0  # seconds
_MOST = 10  # files that an error names


def parts_of(files: Sequence[object], runtime: Runtime) -> list[tuple[str, FilePart]]:
    """A part of a form for each file, under a random name.

    Args:
        files: an `UploadFile` each; they are read, and never changed.
        runtime: by whose chance the parts are named.

    Raises:
        UsageError: one of them is none, or cannot be read; or there is none at all.
    """
    if not files:
        raise UsageError("there is nothing to upload: give {'file_name': …, 'content': …}, one for each file")
    return [(_part_name(runtime), _part(file)) for file in files]


def taken(records: list[BucketFile], parts: Sequence[FilePart]) -> list[BucketFile]:
    """What the Hub has of the files, if that is all of them, as long as they were; where it tells, and that is known.

    Raises:
        ContractError: it is not.
    """
    if len(records) != len(parts):
        raise ContractError(f"the Hub tells of {len(records)} files, and {len(parts)} were sent: see find_bucket_files")
    sizes = Counter(record.size for record in records if record.size is not None)
    lost = Counter(part.body.length for part in parts if part.body.length is not None) - sizes
    if lost and sizes.total() == len(records):
        wrong = ", ".join(f"{record.path}: {record.size}" for record in records[:_MOST])
        raise ContractError(f"what was sent has {', '.join(map(str, lost))} bytes; what the Hub has of it: {wrong}")
    return records


def time_for(body: StreamBody, timeout: float) -> float:
    """Seconds that sending it may take: for each 64 KiB as much as for a call. What stalls ends much earlier."""
    return _LONGEST if body.length is None else min(timeout * (1 + body.length // _STRIDE), max(timeout, _LONGEST))


def _part_name(runtime: Runtime) -> str:
    return str(UUID(bytes=runtime.token_bytes(16), version=4))


def _part(file: object) -> FilePart:
    if not isinstance(file, Mapping):
        raise UsageError(f"a file to upload is a dictionary with file_name and content, not a {type(file).__name__}")
    given = cast("Mapping[str, Any]", file)
    name = _file_name(given.get("file_name"))
    if unknown := [key for key in given if key not in _KEYS]:
        raise UsageError(f"{name!r}: an upload has file_name, content and content_type, and no {unknown[0]!r}")
    if "content" not in given:
        raise UsageError(f"{name!r}: there is no content")
    try:
        source = _source(given["content"])
        # A backslash begins an escape in a quoted string (RFC 9110 §5.6.4): two of them are one.
        escaped = name.replace("\\", "\\\\")
        return FilePart(source, filename=escaped, content_type=given.get("content_type", _OCTETS))
    except UsageError as error:
        raise UsageError(f"{name!r}: {error}") from error


def _file_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise UsageError(f"file_name is the file's name, which may hold folders, not {name!r}")
    if "\r" in name or "\n" in name:
        raise UsageError(f"file_name {name!r} holds the end of a line")
    return name


def _source(content: Any) -> Source:
    """What the form reads. A str is text, and a path a Path."""
    if isinstance(content, str):
        try:
            return content.encode()
        except UnicodeEncodeError:
            pass  # it holds the text
        raise UsageError("the text holds half of a surrogate pair: give its bytes")
    read = getattr(content, "read", None)
    if read is not None and isinstance(getattr(content, "encoding", None), str):  # a wrapper around a text file, too
        raise UsageError('this file gives text: open it in binary mode, "rb"')
    if iscoroutinefunction(read) and not isinstance(content, AsyncIterable):
        raise UsageError("its read() has to be awaited: give the file behind it, its bytes, or an async iterator")
    return cast("Source", content)
