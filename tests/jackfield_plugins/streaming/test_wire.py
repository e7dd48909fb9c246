"""Downloads over real sockets, cut anywhere, by processes that are killed at any moment."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from tests.jackfield_plugins.streaming.service import AsyncFilesClient, FilesClient
from tests.servers import Peer, Serve
from tests.servers.ranges import Ranges

from jackfield import ReadTimeoutError, UsageError

if TYPE_CHECKING:
    from tests.jackfield_plugins.streaming.conftest import Serving

ROOT = Path(__file__).parents[3]
_SAVE = """
import sys
from tests.jackfield_plugins.streaming.service import FilesClient
with FilesClient(sys.argv[1]) as client:
    client.get().to(sys.argv[2], overwrite=True)
"""


def cuts(chance: Random, size: int, count: int = 50) -> list[int]:
    """So many that the entity lasts for all of them."""
    return [chance.randrange(2 * size // count) // 2 for _ in range(count)]


@pytest.mark.parametrize("seed", range(2))
def test_fifty_cuts_in_a_row_leave_no_trace_in_a_file(
    nothing_left: None, serving: Serving, serve: Serve, tmp_path: Path, seed: int
) -> None:
    chance = Random(seed)
    data = chance.randbytes(1_000_000)
    ranges = Ranges(data, cuts=cuts(chance, len(data)))
    api = serving(serve(ranges).url)

    saved = api.get(api.client.get().to(tmp_path, sha256=hashlib.sha256(data).hexdigest()))

    assert saved.read_bytes() == data
    assert len(ranges.starts) == 51


@pytest.mark.parametrize("seed", range(2))
def test_nor_in_what_is_iterated_over(nothing_left: None, serving: Serving, serve: Serve, seed: int) -> None:
    chance = Random(seed)
    data = chance.randbytes(1_000_000)
    ranges = Ranges(data, cuts=cuts(chance, len(data)))
    api = serving(serve(ranges).url)

    assert b"".join(api.all(api.client.get())) == data
    assert len(ranges.starts) == 51


def test_silence_is_a_break_like_others(serving: Serving, serve: Serve, tmp_path: Path) -> None:
    data = bytes(1000)
    whole = Ranges(data)

    def fall_silent(peer: Peer) -> None:
        peer.request()
        peer.send(b'HTTP/1.1 200 OK\r\netag: "v1"\r\ncontent-length: 1000\r\n\r\n', data[:300])
        peer.hang()

    api = serving(serve(fall_silent, whole).url, read_timeout=0.5)

    assert api.get(api.client.get().to(tmp_path)).read_bytes() == data
    assert whole.starts == [300]


def test_silence_that_lasts_is_an_error(serving: Serving, serve: Serve, tmp_path: Path) -> None:
    def fall_silent(peer: Peer) -> None:
        peer.request()
        peer.send(b'HTTP/1.1 200 OK\r\netag: "v1"\r\ncontent-length: 1000\r\n\r\n')
        peer.hang()

    api = serving(serve(fall_silent).url, read_timeout=0.05)

    with pytest.raises(ReadTimeoutError):
        api.get(api.client.get().to(tmp_path))


@contextmanager
def watched(path: Path, allowed: set[bytes]) -> Generator[list[bytes]]:
    """Reads a file again and again, and notes what it should not hold."""
    wrong: list[bytes] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            found = path.read_bytes()
            if found not in allowed:
                wrong.append(found)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield wrong
    finally:
        over.set()
        thread.join()


def test_who_reads_the_file_meanwhile_sees_the_old_one_or_the_new_one(
    serving: Serving, serve: Serve, tmp_path: Path
) -> None:
    chance = Random(3)
    old, data, path = b"old" * 1000, chance.randbytes(3_000_000), tmp_path / "out"
    path.write_bytes(old)
    api = serving(serve(Ranges(data, cuts=cuts(chance, len(data)))).url)

    with watched(path, {old, data}) as wrong:
        api.get(api.client.get().to(path, overwrite=True))

    assert wrong == []
    assert path.read_bytes() == data


def test_a_process_that_is_killed_at_any_moment_leaves_the_old_file_or_the_new_one(
    serve: Serve, tmp_path: Path
) -> None:
    chance = Random(4)
    old, data, path = b"old", chance.randbytes(3_000_000), tmp_path / "out"
    path.write_bytes(old)
    pieces = Pieces(data, [chance.randrange(len(data)) for _ in range(6)])
    server = serve(pieces)

    for at in range(len(pieces.stops)):
        process = subprocess.Popen([sys.executable, "-c", _SAVE, server.url, str(path)], cwd=ROOT)
        pieces.reached[at].wait(10)
        process.kill()
        process.wait()
        assert path.read_bytes() == old
    with FilesClient(server.url) as client:
        client.get().to(path, overwrite=True, sha256=hashlib.sha256(data).hexdigest())

    assert path.read_bytes() == data
    assert pieces.starts[0] == 0
    assert pieces.starts == sorted(pieces.starts)
    assert pieces.starts[-1] > 0
    assert [found.name for found in tmp_path.iterdir()] == ["out"]


class Pieces(Ranges):
    """Falls silent at some bytes of the entity, one after the other, and says so.

    Attributes:
        stops: where, in order.
        reached: whether it is there.
    """

    def __init__(self, data: bytes, stops: list[int]) -> None:
        super().__init__(data)
        self.stops = sorted(stops)
        self.reached = [threading.Event() for _ in stops]
        self._next = 0

    def __call__(self, peer: Peer) -> None:
        request = dict(peer.request().headers)
        answer = self._answer(request)
        lines = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
        peer.send(f"HTTP/1.1 {answer.status} \r\n{lines}\r\n".encode())
        at = self._next
        self._next += 1
        if at == len(self.stops):
            peer.send(answer.body)
            return
        peer.send(answer.body[: max(0, self.stops[at] - self.starts[-1])])
        peer.settle()
        self.reached[at].set()
        peer.drain()


def test_a_client_that_is_closed_meanwhile_ends_its_downloads(serve: Serve, tmp_path: Path) -> None:
    data = bytes(1_000_000)
    pieces = Pieces(data, [500_000])
    client = FilesClient(serve(pieces).url)

    def close() -> None:
        pieces.reached[0].wait(10)
        client.close()

    thread = threading.Thread(target=close)
    thread.start()
    with pytest.raises(UsageError, match="closed"):
        client.get().to(tmp_path / "out")
    thread.join()

    assert not (tmp_path / "out").exists()


def test_a_task_that_is_cancelled_while_bytes_come_leaves_nothing_open(
    nothing_left: None, serve: Serve, tmp_path: Path
) -> None:
    data = bytes(1_000_000)
    pieces = Pieces(data, [500_000])
    url = serve(pieces).url

    async def work() -> None:
        async with AsyncFilesClient(url) as client:
            task = asyncio.create_task(client.get().to(tmp_path / "out"))
            await asyncio.to_thread(pieces.reached[0].wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(work())

    assert not (tmp_path / "out").exists()
    with FilesClient(url) as client:
        assert client.get().to(tmp_path / "out").read_bytes() == data


def test_a_callback_that_raises_gives_the_connection_up(
    nothing_left: None, serving: Serving, serve: Serve, tmp_path: Path
) -> None:
    server = serve(Pieces(bytes(5_000_000), [4_000_000]))
    api = serving(server.url)

    def stop(received: int, total: int | None, rate: float) -> None:
        raise KeyError(received)

    with pytest.raises(KeyError) as caught:
        api.get(api.client.get().to(tmp_path / "out", progress=stop))

    assert server.peer(1).ended.wait(10)
    assert caught.value.args[0] > 0


def test_a_stream_that_is_left_gives_its_connection_up(
    nothing_left: None, serving: Serving, serve: Serve, colour: str
) -> None:
    pieces = Pieces(bytes(1_000_000), [500_000, 500_000])
    server = serve(pieces)
    api = serving(server.url)

    async def first() -> None:
        async for _ in api.client.get():
            break

    if colour == "sync":
        for _ in api.client.get():
            break
    else:
        api.get(first())

    assert server.peer(1).ended.wait(10)
