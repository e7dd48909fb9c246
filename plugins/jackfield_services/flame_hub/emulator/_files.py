"""Files in buckets: taken in, and streamed out, one at a time or a bucket as a tarball."""

import hashlib
from calendar import timegm
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import PurePosixPath
from tarfile import BLOCKSIZE, GNU_FORMAT, RECORDSIZE, TarInfo

from ._fields import Actor
from ._multipart import Part
from ._store import Store
from ._wire import Answer, Record

_PIECE = 65536  # bytes


def take(store: Store, bucket: Record, parts: Sequence[Part], actor: Actor) -> list[Record]:
    """A file for each part; one that has a path which is taken replaces it."""
    return [_take(store, bucket, part, actor) for part in parts]


def _take(store: Store, bucket: Record, part: Part, actor: Actor) -> Record:
    for old in list(store.where("bucket_files", bucket_id=bucket["id"], path=part.file_name)):
        store.remove("bucket_files", old)
    path = PurePosixPath(part.file_name)
    values = {
        "name": path.name,
        "path": part.file_name,
        "hash": hashlib.sha256(part.file_name.encode()).hexdigest(),  # of the path, not of what is in it
        "size": len(part.content),
        "directory": str(path.parent),
        "bucket_id": bucket["id"],
    }
    file = store.add("bucket_files", values, actor)
    store.contents[file["id"]] = part.content
    return file


def stream(store: Store, file: Record) -> Answer:
    """A file, in chunks; its type is always this one."""
    return Answer(status=200, body=_pieces(store.contents[file["id"]]), headers=(("content-type", "application/gzip"),))


def tarball(store: Store, bucket: Record) -> Answer:
    """All files of a bucket as a tar, in chunks."""
    contents = [(file, store.contents[file["id"]]) for file in store.where("bucket_files", bucket_id=bucket["id"])]
    return Answer(status=200, body=_tar(contents), headers=(("content-type", "application/x-tar"),))


def _pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), _PIECE):
        yield content[start : start + _PIECE]


def _tar(contents: Sequence[tuple[Record, bytes]]) -> Iterator[bytes]:
    length = 0
    for file, content in contents:
        info = TarInfo(file["path"])
        info.size = len(content)
        info.mtime = timegm(datetime.fromisoformat(file["created_at"]).utctimetuple())
        head, padding = info.tobuf(GNU_FORMAT), bytes(-len(content) % BLOCKSIZE)
        length += len(head) + len(content) + len(padding)
        yield head
        yield from _pieces(content)
        yield padding
    end = 2 * BLOCKSIZE
    yield bytes(end + -(length + end) % RECORDSIZE)
