"""What an upload of 200 MB costs, beside urllib3: `python benchmarks/uploads.py`.

Each contestant sends in a process of its own, on one CPU; the server is another process, and forgets what it reads. CPU
time is the client's alone, user and system. Memory is by how much the peak of the resident set grew over what an upload
of 1 MB by the same way had left it at. Files are compared with urllib3 sending the open file with its Content-Length,
iterators with urllib3 sending the same pieces of 64 kB.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a script, this folder is no package otherwise

from jackfield import AsyncClient, Client, Request, Service, StreamBody, operation
from jackfield_plugins.uploads import FilePart, MultipartForm, body_of

SMALL, BIG = 1024 * 1024, 200 * 1024 * 1024
_PIECE = 64 * 1024
_BLOCK = bytes(range(256)) * 4096
# What each is compared with comes first.
GROUPS = {
    "urllib3 file": ("sync file", "async file", "sync progress", "sync form", "async form"),
    "urllib3 iterator": ("sync iterator", "async iterator", "async async-iterator"),
}
CONTESTANTS = [name for first, others in GROUPS.items() for name in (first, *others)]


def main() -> None:
    """The whole run; about a minute."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="uploads by each contestant (default 7)")
    parser.add_argument("--contestant", choices=CONTESTANTS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contestant:
        print(*_measured(options.contestant, options.url))
        return
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in CONTESTANTS}
    with _serving() as url:
        for _ in range(options.rounds):
            for name, figures in found.items():
                figures.append(_in_a_process(name, url))
    print(f"{BIG // 2**20} MiB, median of {options.rounds} rounds\n{'':<22}{'CPU s':>8}{'ratio':>8}{'peak RSS MB':>14}")
    for first, others in GROUPS.items():
        base = median(cpu for cpu, _ in found[first])
        for name in (first, *others):
            cpu, memory = median(cpu for cpu, _ in found[name]), max(memory for _, memory in found[name])
            print(f"{name:<22}{cpu:>8.3f}{cpu / base:>8.2f}{memory:>+14.2f}")


def _in_a_process(name: str, url: str) -> tuple[float, float]:
    command = [sys.executable, __file__, "--contestant", name, "--url", url]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - this file
    cpu, memory = map(float, told.split())
    return cpu, memory


def _measured(name: str, url: str) -> tuple[float, float]:
    """CPU seconds of the big upload, and MB by which it raised the peak."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory(prefix="jackfield-bench-") as folder:
        small, big = Path(folder, "small"), Path(folder, "big")
        for path, size in ((small, SMALL), (big, BIG)):
            with path.open("wb") as file:
                for _ in range(size // len(_BLOCK)):
                    file.write(_BLOCK)
        library, kind = name.split(" ")
        send = _urllib3(url, kind) if library == "urllib3" else _jackfield(url, library, kind)
        send(small)
        before, began = _peak(), time.process_time()
        send(big)
        return time.process_time() - began, _peak() - before


def _peak() -> float:
    """MB; not of `getrusage`, where a child begins with the peak of its parent."""
    if sys.platform != "linux":
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            yield piece


async def _async_pieces(path: Path) -> AsyncIterator[bytes]:
    for piece in _pieces(path):
        yield piece


def _urllib3(url: str, kind: str) -> Callable[[Path], None]:
    from urllib3 import PoolManager

    pool = PoolManager()

    def send(path: Path) -> None:
        if kind == "iterator":
            _check(pool.request("PUT", url, body=_pieces(path)).status)
            return
        with path.open("rb") as file:
            headers = {"content-length": str(path.stat().st_size)}
            _check(pool.request("PUT", url, body=file, headers=headers).status)

    return send


class _Sink(Service):
    @operation
    async def put(self, request: Request) -> int:
        return (await self.send(request)).status


class _SinkClient(_Sink, Client): ...


class _AsyncSinkClient(_Sink, AsyncClient): ...


def _jackfield(url: str, library: str, kind: str) -> Callable[[Path], None]:
    if library == "sync":
        client = _SinkClient(url)
        return lambda path: _check(client.put(_request(client, kind, path)))
    runner = asyncio.Runner()
    other = _AsyncSinkClient(url)

    async def send(path: Path) -> None:
        _check(await other.put(_request(other, kind, path)))

    return lambda path: runner.run(send(path))


def _request(service: Service, kind: str, path: Path) -> Request:
    if kind == "form":
        form = MultipartForm({"title": "Tea", "file": FilePart(path)})
        return Request("PUT", service.url("things"), headers=form.headers, body=form.body)
    return Request("PUT", service.url("things"), body=_body(kind, path))


def _body(kind: str, path: Path) -> StreamBody:
    if kind == "iterator":
        return body_of(_pieces(path))
    if kind == "async-iterator":
        return body_of(_async_pieces(path))
    return body_of(path, progress=(lambda sent, total, rate: None) if kind == "progress" else None)


def _check(status: int) -> None:
    if status != 200:
        raise SystemExit(f"the answer was {status}")


@contextmanager
def _serving() -> Generator[str]:
    """A server in a process of its own; its URL."""
    code = "from benchmarks.uploads import serve; serve()"
    command = [sys.executable, "-c", code]
    folder = Path(__file__).resolve().parent.parent
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def serve() -> None:
    """Takes uploads until it is ended."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        threading.Thread(target=_converse, args=listener.accept()[:1], daemon=True).start()


def _converse(sock: socket.socket) -> None:
    buffer = bytearray(1024 * 1024)
    read = b""
    while True:
        while b"\r\n\r\n" not in read:
            piece = sock.recv(65536)
            if not piece:
                return
            read += piece
        head, _, read = read.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if length:
            left = int(length[1]) - len(read)
            while left:
                left -= sock.recv_into(buffer, min(left, len(buffer)))
        else:
            tail = read
            while not tail.endswith(b"\r\n0\r\n\r\n"):
                tail = tail[-7:] + buffer[: sock.recv_into(buffer)][-7:]
        read = b""
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


if __name__ == "__main__":
    main()
