"""What a download of 200 MB into a file costs, beside urllib3: `python benchmarks/streams.py`.

Each contestant hashes (SHA-256), writes and tells its progress; see `contest` for how it is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a script, this folder is no package otherwise

from benchmarks.contest import BIG, BLOCK, PIECE, SMALL, TIMEOUT, hold
from jackfield import AsyncClient, Client, Meter, Request, Response, Service, streamed
from jackfield_plugins.streaming import Download, Part

GROUPS = {"urllib3": ("sync .to", "async .to", "sync for", "async for")}


def main() -> None:
    """The whole run."""
    hold("benchmarks.streams", __doc__, GROUPS, _prepare)


def _prepare(name: str, url: str, folder: Path) -> Callable[[int], None]:
    fetch = _urllib3(url) if name == "urllib3" else _jackfield(url, *name.split(" "))

    def move(size: int) -> None:
        path = folder / str(size)
        fetch(size, path)
        if path.stat().st_size != size:
            raise SystemExit(f"{name} brought something else")

    return move


def _urllib3(url: str) -> Callable[[int, Path], None]:
    import urllib3

    pool = urllib3.PoolManager(timeout=TIMEOUT)

    def fetch(size: int, path: Path) -> None:
        digest, progress = hashlib.sha256(), _Progress()
        response = pool.request("GET", f"{url}/{size}", preload_content=False)
        with path.open("wb", buffering=0) as file:
            for piece in response.stream(PIECE):
                digest.update(piece)
                file.write(piece)
                progress(len(piece), size, 0.0)
        response.release_conn()

    return fetch


class _Progress:
    def __init__(self) -> None:
        self.told = 0

    def __call__(self, received: int, total: int | None, rate: float) -> None:
        self.told += 1


class Files(Service):
    """One definition for both colours."""

    @streamed(Download())
    async def file(self, part: Part, size: int) -> Response:
        return await self.send(part.of(Request("GET", self.url(str(size)))), stream=True)


class FilesClient(Files, Client):
    """Sync."""


class AsyncFilesClient(Files, AsyncClient):
    """Async."""


def _jackfield(url: str, colour: str, how: str) -> Callable[[int, Path], None]:
    digests = {size: _expected(size) for size in (SMALL, BIG)}

    def to(size: int, path: Path) -> None:
        FilesClient(url).file(size).to(path, sha256=digests[size], progress=_Progress())

    async def async_to(size: int, path: Path) -> None:
        async with AsyncFilesClient(url) as client:
            await client.file(size).to(path, sha256=digests[size], progress=_Progress())

    def iterate(size: int, path: Path) -> None:
        digest = hashlib.sha256()
        with path.open("wb", buffering=0) as file:
            for _ in FilesClient(url).file(size).tap(digest.update, file.write, Meter(_Progress(), size)):
                pass

    async def async_iterate(size: int, path: Path) -> None:
        digest = hashlib.sha256()
        async with AsyncFilesClient(url) as client:
            with path.open("wb", buffering=0) as file:
                async for _ in client.file(size).tap(digest.update, file.write, Meter(_Progress(), size)):
                    pass

    runner = asyncio.Runner()
    ways: dict[tuple[str, str], Callable[[int, Path], None]] = {
        ("sync", ".to"): to,
        ("sync", "for"): iterate,
        ("async", ".to"): lambda size, path: runner.run(async_to(size, path)),
        ("async", "for"): lambda size, path: runner.run(async_iterate(size, path)),
    }
    return ways[colour, how]


def _expected(size: int) -> str:
    digest = hashlib.sha256()
    for _ in range(size // len(BLOCK)):
        digest.update(BLOCK)
    return digest.hexdigest()


def serve() -> NoReturn:
    """`/N` is N bytes."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        threading.Thread(target=_answer, args=(listener.accept()[0],), daemon=True).start()


def _answer(peer: socket.socket) -> None:
    with peer, contextlib.suppress(OSError):
        while head := _head(peer):
            size = int(head.split(b" ", 2)[1].lstrip(b"/"))
            peer.sendall(b'HTTP/1.1 200 OK\r\nETag: "same"\r\nContent-Length: %d\r\n\r\n' % size)
            for _ in range(size // len(BLOCK)):
                peer.sendall(BLOCK)


def _head(peer: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and (piece := peer.recv(65536)):
        head += piece
    return head


if __name__ == "__main__":
    main()
