"""Streamed answers: kept as they pass, whole or not at all; and given again as streams."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.clients import COLOURS
from tests.jackfield_plugins.caching.asking import URL, Api, Asking, Watching, answer

from jackfield import (
    CacheHit,
    CacheNotStored,
    CacheStored,
    Call,
    Client,
    NotFoundError,
    Request,
    Response,
    SyncRuntime,
    TruncatedBodyError,
    pour,
)
from jackfield.testing import CutBody, VirtualSyncRuntime
from jackfield_plugins.caching import Cache
from jackfield_plugins.caching._tee import Tee, Whole, too_long

both = pytest.mark.parametrize("colour", COLOURS)
LONG = bytes(range(256)) * 4000  # about 1 MB


@both
def test_what_was_read_to_its_end_is_given_again(colour: str) -> None:
    with Asking(colour, Cache(), [answer(LONG)]) as api:
        assert api.read() == LONG
        assert api.read() == LONG
        assert api().body == LONG
    assert api.asked == 1


@both
def test_a_stream_is_given_what_was_kept_whole(colour: str) -> None:
    with Asking(colour, Cache(), [answer(LONG)]) as api:
        assert api().body == LONG
        assert api.read() == LONG
    assert api.asked == 1


@both
def test_it_is_kept_when_its_end_was_read_and_not_before(colour: str) -> None:
    watching = Watching()
    with Asking(colour, Cache(), otherwise=answer(LONG), piece=1000) as api:
        assert api.client.cache.stats().entries == 0
        api.read(at_most=len(LONG))  # to the last byte, but not to the end
        assert api.client.cache.stats().entries == 0
        api.read()
        assert api.client.cache.stats().entries == 1
    assert watching.named(CacheStored) == []


@both
def test_what_was_left_unread_is_not_kept(colour: str) -> None:
    with Asking(colour, Cache(), otherwise=answer(LONG)) as api:
        assert len(api.read(at_most=1)) == 65536
        assert api.client.cache.stats().entries == 0
        assert api.read() == LONG
    assert api.asked == 2


@both
def test_what_was_cut_is_not_kept(colour: str) -> None:
    cut: Any = answer(CutBody(LONG, after=500_000))
    with Asking(colour, Cache(), [cut, answer(LONG)]) as api:
        with pytest.raises(TruncatedBodyError):
            api.read()
        assert api.read() == LONG
    assert api.asked == 2


@both
def test_a_long_one_passes_and_is_not_held(colour: str) -> None:
    watching = Watching()
    with Asking(colour, Cache(max_entry=1000), [answer(LONG)] * 2, watching, piece=600) as api:
        assert api.read() == LONG
        assert api.read() == LONG
    assert api.asked == 2
    assert [event.reason for event in watching.named(CacheNotStored)] == ["its body is longer than 1000 bytes"] * 2


@both
def test_one_of_exactly_the_limit_is_kept(colour: str) -> None:
    with Asking(colour, Cache(max_entry=1000), [answer(LONG[:1000])], piece=600) as api:
        api.read()
        assert api.read() == LONG[:1000]
    assert api.asked == 1


@both
def test_events_tell_when_it_is_kept_and_given(colour: str) -> None:
    watching = Watching()
    with Asking(colour, Cache(), [answer(LONG)], watching) as api:
        api.read()
        api.read()

    [stored], [hit] = watching.named(CacheStored), watching.named(CacheHit)
    assert stored.size == len(LONG)
    assert hit.kind == "fresh"


@both
def test_a_stream_does_not_say_that_it_is_stored_before_it_is(colour: str) -> None:
    watching = Watching()
    with Asking(colour, Cache(), [answer(LONG)], watching, piece=1000) as api:
        assert api.get(api.client.begin()).headers["cache-status"] == "jackfield; fwd=uri-miss"

    assert watching.named(CacheStored) == []
    assert [event.reason for event in watching.named(CacheNotStored)] == ["its body was not read to its end"]


@both
def test_a_304_to_a_stream_gives_what_was_kept(colour: str) -> None:
    with Asking(colour, Cache(), [answer(LONG, etag='"1"'), answer(b"", status=304)]) as api:
        api.read()
        api.wait(100)

        assert api.read() == LONG
        assert api.read() == LONG
    assert api.asked == 2


class Raw:
    """Hands out these answers as they are."""

    identity = b""

    def __init__(self, *answers: Response) -> None:
        self._answers = list(answers)

    async def send(self, request: Request, call: Call) -> Response:
        return self._answers.pop(0)

    async def close(self) -> None: ...


@pytest.mark.parametrize(("status", "control"), [(304, "max-age=60"), (503, "max-age=60")])
def test_a_streams_answer_that_is_not_given_is_closed(status: int, control: str) -> None:
    class ApiClient(Api, Client): ...

    body, runtime = Pieces(b""), VirtualSyncRuntime()
    first = answer(LONG, "max-age=60, stale-if-error=999", etag='"1"')
    transport = Raw(first, Response(status, {"cache-control": control}, body))
    client = ApiClient(URL, cache=Cache(), transport=transport, runtime=runtime)
    client.ask()
    runtime.elapsed += 100

    assert client.read() == LONG
    assert body.closed


@both
def test_a_stale_stream_is_given_when_the_service_fails(colour: str) -> None:
    answers = [answer(LONG, "max-age=60, stale-if-error=99"), Response(503, body=b"no")]
    with Asking(colour, Cache(), answers) as api:
        api.read()
        api.wait(100)

        assert api.read() == LONG


@both
def test_an_error_to_a_stream_is_kept_when_it_may_be(colour: str) -> None:
    with Asking(colour, Cache(), [answer(b"gone", status=404)]) as api:
        for _ in range(2):
            with pytest.raises(NotFoundError) as caught:
                api.read()
            assert caught.value.response is not None
            assert caught.value.response.body == b"gone"
    assert api.asked == 1


@both
def test_what_became_invalid_while_it_was_read_is_not_kept(colour: str) -> None:
    with Asking(colour, Cache(), otherwise=answer(LONG)) as api:
        body = api.get(api.client.open())
        api.get(body.read())
        api("r", "POST")
        while api.get(body.read()):
            pass

        assert api.client.cache.stats().entries == 0


class Pieces:
    """A body of these pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)
        self.closed = False

    async def read(self) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""

    async def close(self) -> None:
        self.closed = True


class Pouring(Pieces):
    async def pour(self, sink: Any, at_most: int) -> int:
        poured = 0
        while self.pieces and poured < at_most:
            poured += len(self.pieces[0])
            sink(self.pieces.pop(0))
        return poured


@pytest.mark.parametrize("kind", [Pieces, Pouring])
@pytest.mark.parametrize(("limit", "kept"), [(9, b"abcdefghi"), (8, too_long(8)), (2, too_long(2))])
def test_what_is_poured_is_kept_as_well(kind: type[Pieces], limit: int, kept: bytes | str) -> None:
    runtime, found, written = SyncRuntime(), list[bytes | str](), bytearray()

    async def keep(body: bytes | str) -> None:
        found.append(body)

    async def main() -> None:
        tee = Tee(kind(b"abc", b"def", b"ghi"), limit, keep, runtime)
        while await pour(tee, written.extend, runtime, 4):
            pass
        assert await tee.read() == b""

    runtime.run(main())

    assert bytes(written) == b"abcdefghi"
    assert found == [kept]


@pytest.mark.parametrize("kind", [Pieces, Pouring])
def test_of_a_long_body_no_more_than_the_limit_and_a_piece_is_held(kind: type[Pieces]) -> None:
    runtime, found, held = SyncRuntime(), list[bytes | str](), list[int]()

    async def keep(body: bytes | str) -> None:
        found.append(body)

    async def main() -> None:
        tee = Tee(kind(*[b"0123456789"] * 20), 25, keep, runtime)
        while not found:
            await pour(tee, lambda _: held.append(len(tee._held)), runtime, 150)
        assert tee._held == b""
        assert await tee.read() == b"0123456789"  # the end was not waited for
        assert tee._held == b""

    runtime.run(main())

    assert found == [too_long(25)]
    assert max(held) <= 35


class Hiccuping(Pieces):
    """Fails once, and goes on as if nothing had been."""

    async def read(self) -> bytes:
        if self.pieces[:1] == [b"!"]:
            self.pieces.pop(0)
            raise OSError("hiccup")
        return await super().read()


@pytest.mark.parametrize("poured", [False, True])
def test_what_goes_on_after_an_error_is_not_kept(poured: bool) -> None:
    runtime, found = SyncRuntime(), list[bytes | str]()

    async def keep(body: bytes | str) -> None:
        found.append(body)

    async def main() -> None:
        tee = Tee(Hiccuping(b"abc", b"!", b"ghi"), 9, keep, runtime)
        for _ in range(5):
            with suppress(OSError):
                await (pour(tee, len, runtime, 4) if poured else tee.read())

    runtime.run(main())

    assert found == []


def test_nor_what_a_sink_did_not_take() -> None:
    runtime, found, taken = SyncRuntime(), list[bytes | str](), list[bytes]()

    async def keep(body: bytes | str) -> None:
        found.append(body)

    def sink(piece: bytes | memoryview) -> None:
        taken.append(bytes(piece))
        if len(taken) == 2:
            raise OSError("disk full")

    async def main() -> None:
        tee = Tee(Pouring(b"abc", b"def", b"ghi"), 9, keep, runtime)
        with pytest.raises(OSError, match="disk full"):
            await pour(tee, sink, runtime, 9)
        while await pour(tee, sink, runtime, 9):
            pass

    runtime.run(main())

    assert found == []
    assert taken == [b"abc", b"def", b"ghi"]


def test_a_tee_that_is_closed_closes_what_it_reads_and_keeps_nothing() -> None:
    runtime, body, found = SyncRuntime(), Pieces(b"abc"), list[bytes | str]()

    async def keep(body: bytes | str) -> None:
        found.append(body)

    async def main() -> None:
        tee = Tee(body, 9, keep, runtime)
        await tee.read()
        await tee.close()
        assert await tee.read() == b""
        await tee.close()

    runtime.run(main())

    assert body.closed
    assert found == ["its body was not read to its end"]


def test_a_kept_body_comes_in_pieces_and_ends_when_it_is_closed() -> None:
    runtime = SyncRuntime()

    async def main() -> tuple[bytes, bytes, bytes]:
        body = Whole(LONG)
        first, second = await body.read(), await body.read()
        await body.close()
        return first, second, await body.read()

    assert runtime.run(main()) == (LONG[:131072], LONG[131072:262144], b"")


@both
def test_a_download_comes_out_of_the_cache(colour: str, tmp_path: Path) -> None:
    with Asking(colour, Cache(), [answer(LONG)]) as api:
        for name in ("one", "two"):
            saved: Any = api.get(api.client.download().to(tmp_path / name))
            assert saved.read_bytes() == LONG
    assert api.asked == 1
