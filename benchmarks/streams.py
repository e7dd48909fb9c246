"""What a download of 200 MB into a file costs, beside urllib3: `python benchmarks/streams.py`.

Each contestant hashes (SHA-256), writes and tells its progress, in a process of its own, on one CPU; the server is
another process. CPU time is the client's alone, user and system. Memory is by how much the peak of the resident set
grew over what a download of 1 MB by the same way had left it at.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a script, this folder is no package otherwise

from jackfield import AsyncClient, Client, Meter, Request, Response, Service, streamed
from jackfield_plugins.streaming import Download, Part

SMALL, BIG = 1024 * 1024, 200 * 1024 * 1024
_BLOCK = bytes(range(256)) * 4096
CONTESTANTS = ("urllib3", "sync .to", "async .to", "sync for", "async for")
_PIECE = 64 * 1024


def main() -> None:
    """The whole run; about a minute."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="downloads by each contestant (default 7)")
    parser.add_argument("--contestant", choices=CONTESTANTS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contestant:
        print(*_measured(options.contestant, options.url))
        return
    with _serving() as url:
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in CONTESTANTS}
        for _ in range(options.rounds):
            for name, figures in found.items():
                figures.append(_in_a_process(name, url))
    print(f"{BIG // 2**20} MiB, {options.rounds} rounds: CPU seconds, beside urllib3's; the worst growth of peak RSS")
    print(f"{'':<12}{'median':>8}{'ratio':>8}{'lowest':>8}{'ratio':>8}{'MB':>8}")
    bases = [middle([cpu for cpu, _ in found["urllib3"]]) for middle in (median, min)]
    for name, figures in found.items():
        cpus = [middle([cpu for cpu, _ in figures]) for middle in (median, min)]
        columns = "".join(f"{cpu:>8.3f}{cpu / base:>8.2f}" for cpu, base in zip(cpus, bases, strict=True))
        print(f"{name:<12}{columns}{max(memory for _, memory in figures):>+8.2f}")


def _in_a_process(name: str, url: str) -> tuple[float, float]:
    command = [sys.executable, __file__, "--contestant", name, "--url", url]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - this file
    cpu, memory = map(float, told.split())
    return cpu, memory


def _measured(name: str, url: str) -> tuple[float, float]:
    """CPU seconds of the big download, and MB by which it raised the peak."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory(prefix="jackfield-bench-") as folder:
        fetch = _urllib3(url) if name == "urllib3" else _jackfield(url, *name.split(" "))
        fetch(SMALL, Path(folder, "small"))
        before, began = _peak(), time.process_time()
        fetch(BIG, Path(folder, "big"))
        cpu, after = time.process_time() - began, _peak()
        if Path(folder, "big").stat().st_size != BIG:
            raise SystemExit(f"{name} brought something else")
    return cpu, after - before


def _peak() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def _urllib3(url: str) -> Callable[[int, Path], None]:
    import urllib3

    pool = urllib3.PoolManager()

    def fetch(size: int, path: Path) -> None:
        digest, progress = hashlib.sha256(), _Progress()
        response = pool.request("GET", f"{url}/{size}", preload_content=False)
        with path.open("wb", buffering=0) as file:
            for piece in response.stream(_PIECE):
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
    for _ in range(size // len(_BLOCK)):
        digest.update(_BLOCK)
    return digest.hexdigest()


@contextmanager
def _serving() -> Generator[str]:
    """The server: `/N` is N bytes. It ends with this process."""
    listener = socket.create_server(("127.0.0.1", 0))
    child = os.fork()
    if not child:
        _serve(listener)
    port = listener.getsockname()[1]
    listener.close()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)


def _serve(listener: socket.socket) -> NoReturn:
    while True:
        threading.Thread(target=_answer, args=(listener.accept()[0],), daemon=True).start()


def _answer(peer: socket.socket) -> None:
    with peer, contextlib.suppress(OSError):
        while head := _head(peer):
            size = int(head.split(b" ", 2)[1].lstrip(b"/"))
            peer.sendall(b'HTTP/1.1 200 OK\r\nETag: "same"\r\nContent-Length: %d\r\n\r\n' % size)
            for _ in range(size // len(_BLOCK)):
                peer.sendall(_BLOCK)


def _head(peer: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and (piece := peer.recv(65536)):
        head += piece
    return head


if __name__ == "__main__":
    main()
