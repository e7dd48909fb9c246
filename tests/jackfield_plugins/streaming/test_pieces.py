"""Pieces of one size, however the answer comes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.both import Both
from tests.servers.ranges import Ranges

from jackfield import Request, Response, Service, streamed
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime
from jackfield_plugins.streaming import Download, Part, in_pieces

DATA = bytes(range(251)) * 4  # 1004 bytes


class Sliced(Service):
    """A file, in pieces."""

    @streamed(Download(base=0.001))
    async def get(self, part: Part, size: int) -> Response:
        answer = await self.send(part.of(Request("GET", self.url("a"))), stream=True)
        return in_pieces(answer, size, self.runtime)

    @streamed(Download())
    async def get_whole(self, part: Part, size: int) -> Response:
        return in_pieces(await self.send(part.of(Request("GET", self.url("a")))), size, self.runtime)


def sliced(colour: str, ranges: Ranges, piece: int = 10) -> Both:
    runtime = VirtualSyncRuntime() if colour == "sync" else VirtualAsyncioRuntime()
    return Both(
        colour, Sliced, "https://files.example", FakeTransport(otherwise=ranges.answer, piece=piece), runtime=runtime
    )


@pytest.mark.parametrize("operation", ["get", "get_whole"])
@pytest.mark.parametrize("piece", [1, 10, 7, 5000])
@pytest.mark.parametrize("size", [1, 10, 100, 251, 1003, 1004, 1005, 10**9])
def test_each_piece_but_the_last_has_the_size(colour: str, operation: str, size: int, piece: int) -> None:
    with sliced(colour, Ranges(DATA), piece) as api:
        pieces = api.all(getattr(api.client, operation)(size))

    assert b"".join(pieces) == DATA
    assert [len(one) for one in pieces] == [size] * (len(DATA) // size) + [len(DATA) % size] * bool(len(DATA) % size)


def test_nothing_is_no_piece(colour: str) -> None:
    with sliced(colour, Ranges(b"")) as api:
        assert api.all(api.client.get(10)) == []


def test_what_is_less_than_a_piece_comes_again_after_a_break(colour: str) -> None:
    ranges = Ranges(DATA, cuts=[250, 105])

    with sliced(colour, ranges) as api:
        pieces = api.all(api.client.get(100))

    assert b"".join(pieces) == DATA
    assert {len(one) for one in pieces[:-1]} == {100}
    assert ranges.starts == [0, 200, 300]


def test_a_file_takes_it_as_it_comes(colour: str, tmp_path: Path) -> None:
    ranges = Ranges(DATA, cuts=[250])

    with sliced(colour, ranges) as api:
        assert api.get(api.client.get(100).to(tmp_path / "a")).read_bytes() == DATA

    assert ranges.starts == [0, 250]
