"""What an upload of 200 MB costs, beside its peers: `python benchmarks/uploads.py`.

Files are compared with urllib3 sending the open file with its Content-Length, iterators with urllib3 sending the same
pieces of 64 kB, async iterators with aiohttp, as urllib3 has none. The server forgets what it reads. See `contest` for
how it is measured.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a script, this folder is no package otherwise

from benchmarks.contest import BIG, BLOCK, PIECE, SMALL, TIMEOUT, hold
from jackfield import AsyncClient, Client, Request, Service, StreamBody, operation
from jackfield_plugins.uploads import FilePart, MultipartForm, body_of

GROUPS = {
    "urllib3 file": ("sync file", "async file", "sync progress", "sync form", "async form"),
    "urllib3 iterator": ("sync iterator", "async iterator"),
    "aiohttp async-iterator": ("async async-iterator",),
}


def main() -> None:
    """The whole run."""
    hold("benchmarks.uploads", __doc__, GROUPS, _prepare)


def _prepare(name: str, url: str, folder: Path) -> Callable[[int], None]:
    for size in (SMALL, BIG):
        with (folder / str(size)).open("wb") as file:
            for _ in range(size // len(BLOCK)):
                file.write(BLOCK)
    library, kind = name.split(" ")
    peers = {"urllib3": _urllib3, "aiohttp": _aiohttp}
    send = peers[library](url, kind) if library in peers else _jackfield(url, library, kind)
    return lambda size: send(folder / str(size))


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as file:
        while piece := file.read(PIECE):
            yield piece


async def _async_pieces(path: Path) -> AsyncIterator[bytes]:
    for piece in _pieces(path):
        yield piece


def _urllib3(url: str, kind: str) -> Callable[[Path], None]:
    from urllib3 import PoolManager

    pool = PoolManager(timeout=TIMEOUT)

    def send(path: Path) -> None:
        if kind == "iterator":
            _check(pool.request("PUT", url, body=_pieces(path)).status)
            return
        with path.open("rb") as file:
            headers = {"content-length": str(path.stat().st_size)}
            _check(pool.request("PUT", url, body=file, headers=headers).status)

    return send


def _aiohttp(url: str, kind: str) -> Callable[[Path], None]:
    aiohttp: Any = import_module("aiohttp")
    runner = asyncio.Runner()

    async def send(path: Path) -> None:
        session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(sock_read=TIMEOUT))
        async with session, session.put(url, data=_async_pieces(path)) as answer:
            _check(answer.status)

    return lambda path: runner.run(send(path))


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
