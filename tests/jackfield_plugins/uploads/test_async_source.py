"""Async iterators as bodies: pulled on the loop of who made the body, a little ahead, and closed whatever happens."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any, TypeVar

import pytest
from tests.clients import AnythingClient, AsyncAnythingClient

from jackfield import (
    ConnectionLostError,
    DeadlineExceededError,
    Request,
    Response,
    ServiceError,
    StreamBody,
    UsageError,
)
from jackfield.testing import Cut, FaultServer, Peer, Reply, VirtualAsyncioRuntime
from jackfield_plugins.retry import Retry
from jackfield_plugins.signing import Body, HmacRecipe, HmacSigning, InHeader
from jackfield_plugins.uploads import FilePart, MultipartForm, body_of

T = TypeVar("T")
GUARD = 10.0


class Pieces:
    """An async source that notes what is done to it, and where.

    Attributes:
        closed: how often it came to its end, or was closed.
        given: how many pieces were asked for.
    """

    def __init__(self, count: int = 5, size: int = 10, *, hangs: bool = False, error: Exception | None = None) -> None:
        self._count, self._size = count, size
        self._hangs, self._error = hangs, error
        self.began, self.ended = asyncio.Event(), asyncio.Event()
        self.closed = 0
        self.given = 0
        self.threads: set[int] = set()

    async def __call__(self) -> AsyncIterator[bytes]:
        try:
            for _ in range(self._count):
                self.threads.add(threading.get_ident())
                self.given += 1
                yield b"x" * self._size
                await asyncio.sleep(0)
            self.began.set()
            if self._error is not None:
                raise self._error
            if self._hangs:
                await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # closing takes a while, too
            self.threads.add(threading.get_ident())
            self.closed += 1
            self.ended.set()

    @property
    def body(self) -> AsyncIterator[bytes]:
        """Once."""
        return aiter(self())


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """On an event loop, and not for ever."""

    async def guarded() -> T:
        async with asyncio.timeout(GUARD):
            return await work()

    return asyncio.run(guarded())


async def put(url: str, body: StreamBody, **options: Any) -> Response:
    async with AsyncAnythingClient(url, **options) as client:
        return await client.ask(Request("PUT", client.url("things"), body=body))


def unchunked(body: bytes) -> bytes:
    data = b""
    while True:
        size, _, body = body.partition(b"\r\n")
        if not int(size, 16):
            return data
        data += body[: int(size, 16)]
        body = body[int(size, 16) + 2 :]


@pytest.fixture(name="server")
def _serving() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


# --- what is sent


@pytest.mark.parametrize(("count", "size"), [(0, 1), (1, 1), (5, 10), (3, 0), (2000, 1000), (3, 1_000_000)])
def test_every_piece_is_sent_in_order(server: FaultServer, count: int, size: int) -> None:
    async def work() -> Pieces:
        source = Pieces(count, size)
        await put(server.url, body_of(source.body))
        return source

    source = run(work)

    assert len(unchunked(server.requests[0].body)) == count * size
    assert source.closed == 1
    assert source.threads == {threading.get_ident()}


def test_pieces_are_not_mixed_up(server: FaultServer) -> None:
    content = [bytes([number % 256]) * (number * 7 % 5000) for number in range(3000)]

    async def pieces() -> AsyncIterator[bytes]:
        for number, piece in enumerate(content):
            yield piece
            if number % 97 == 0:
                await asyncio.sleep(0)

    async def work() -> None:
        await put(server.url, body_of(pieces(), length=sum(map(len, content))))

    run(work)

    assert server.requests[0].body == b"".join(content)


def test_a_piece_is_sent_before_the_next_is_there() -> None:
    arrived = threading.Event()

    def script(peer: Peer) -> None:
        peer.head()
        while not peer.read(100).startswith(b"5\r\nfirst"):
            pass
        arrived.set()
        peer.send(Reply().wire())

    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.to_thread(arrived.wait, GUARD)
        yield b"second"

    async def work() -> None:
        await put(server.url, body_of(pieces()))

    with FaultServer(script) as server:
        run(work)


def test_a_source_is_not_pulled_far_ahead_of_a_slow_server() -> None:
    go_on = threading.Event()

    def script(peer: Peer) -> None:
        peer.head()
        peer.wait(go_on)
        peer.drain()

    async def work() -> int:
        source = Pieces(10**9, 10_000)
        task = asyncio.create_task(put(server.url, body_of(source.body)))
        before = -1
        while source.given != before or before < 1:  # until it stands still
            before = source.given
            await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.wait([task])
        go_on.set()
        return before

    with FaultServer(script) as server:
        pulled = run(work)

    assert pulled * 10_000 < 12_000_000  # the system's buffers, and ours


def test_tiny_pieces_are_not_pulled_far_ahead_either() -> None:
    async def work() -> int:
        source = Pieces(10**9, 1)
        reading = iter(body_of(source.body))
        await asyncio.to_thread(next, reading)
        before = -1
        while source.given != before:  # until it stands still
            before = source.given
            await asyncio.sleep(0.05)
        await asyncio.to_thread(reading.close)
        return before

    assert run(work) < 2000


@pytest.mark.parametrize(("size", "sent"), [(10, [1000]), (20_000, [20_000] * 100)])
def test_small_pieces_that_are_there_together_are_sent_together(size: int, sent: list[int]) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * size

    async def work() -> list[int]:
        body = body_of(pieces())
        return await asyncio.to_thread(lambda: [len(piece) for piece in body])

    assert run(work) == sent


def test_a_source_that_never_waits_lets_other_tasks_run(server: FaultServer) -> None:
    async def greedy() -> AsyncIterator[bytes]:
        for _ in range(2000):
            yield b"x" * 10_000

    async def work() -> int:
        turns = 0
        task = asyncio.create_task(put(server.url, body_of(greedy())))
        while not task.done():
            turns += 1
            await asyncio.sleep(0)
        await task
        return turns

    assert run(work) > 10


def test_the_source_runs_in_the_context_in_which_its_body_was_made(server: FaultServer) -> None:
    tenant: ContextVar[str] = ContextVar("tenant")
    seen: list[str] = []

    async def pieces() -> AsyncIterator[bytes]:
        seen.append(tenant.get())
        yield b"x"

    async def work() -> None:
        tenant.set("acme")
        await put(server.url, body_of(pieces()))

    run(work)

    assert seen == ["acme"]


def test_a_source_may_use_the_client_that_sends_it(server: FaultServer) -> None:
    async def work() -> None:
        async with AsyncAnythingClient(server.url) as client:

            async def pieces() -> AsyncIterator[bytes]:
                for _ in range(3):
                    answer = await client.ask(Request("GET", client.url("piece")))
                    yield str(answer.status).encode()

            await client.ask(Request("PUT", client.url("things"), body=body_of(pieces())))

    run(work)

    assert unchunked(server.requests[-1].body) == b"200200200"


def test_many_async_uploads_go_side_by_side(server: FaultServer) -> None:
    async def work() -> None:
        async with AsyncAnythingClient(server.url) as client:
            await asyncio.gather(
                *[client.ask(Request("PUT", client.url("x"), body=body_of(Pieces(50).body))) for _ in range(40)]
            )

    run(work)

    assert {len(unchunked(received.body)) for received in server.requests} == {500}


def test_an_async_part_of_a_form_is_sent(server: FaultServer) -> None:
    async def work() -> Pieces:
        source = Pieces()
        form = MultipartForm({"a": "x", "f": FilePart(source.body, filename="f", length=50)})
        async with AsyncAnythingClient(server.url) as client:
            await client.ask(Request("POST", client.url("x"), headers=form.headers, body=form.body))
        return source

    source = run(work)

    assert b"\r\n\r\n" + b"x" * 50 + b"\r\n--" in server.requests[0].body
    assert source.closed == 1


def test_progress_is_told_of_an_async_source(server: FaultServer) -> None:
    told: list[tuple[int, int | None]] = []

    async def work() -> None:
        body = body_of(
            Pieces(2, 20_000).body, length=40_000, progress=lambda done, total, rate: told.append((done, total))
        )
        await put(server.url, body)

    run(work)

    assert told == [(0, 40_000), (20_000, 40_000), (40_000, 40_000), (40_000, 40_000)]


# --- again


def test_a_function_that_gives_async_pieces_is_called_for_each_attempt() -> None:
    async def work() -> tuple[int, int]:
        source = Pieces()
        await put(server.url, body_of(source), plugins=[Retry()], runtime=VirtualAsyncioRuntime())
        return source.given, source.closed

    with FaultServer(Reply(503), Cut("reset", 0)) as server:
        assert run(work) == (15, 3)
        assert [len(unchunked(received.body)) for received in server.requests] == [50, 50, 50]


def test_what_can_be_iterated_again_is_sent_again() -> None:
    class Again:
        def __aiter__(self) -> AsyncIterator[bytes]:
            return Pieces().body

    async def work() -> None:
        body = body_of(Again())
        assert body.replayable
        await put(server.url, body, plugins=[Retry()], runtime=VirtualAsyncioRuntime())

    with FaultServer(Reply(503)) as server:
        run(work)

        assert [len(unchunked(received.body)) for received in server.requests] == [50, 50]


def test_an_async_iterator_is_sent_once() -> None:
    async def work() -> None:
        body = body_of(Pieces().body)
        assert not body.replayable
        with pytest.raises(ServiceError):
            await put(server.url, body, plugins=[Retry()], runtime=VirtualAsyncioRuntime())
        with pytest.raises(UsageError, match="replayed"):
            await put(server.url, body)

    with FaultServer(Reply(503)) as server:
        run(work)

        assert len(server.requests) == 1


def test_a_signer_digests_an_async_source_and_then_it_is_sent(server: FaultServer) -> None:
    signer = HmacSigning(HmacRecipe(content=(Body(),), place=InHeader("x-mac")), "secret")

    async def work() -> Pieces:
        source = Pieces()
        await put(server.url, body_of(source), plugins=[signer])
        return source

    assert run(work).closed == 2
    assert len(unchunked(server.requests[0].body)) == 50


# --- the end, whatever it is


def listening(peer: Peer) -> None:
    peer.drain()


def test_a_call_that_is_cancelled_while_its_source_is_silent_closes_it() -> None:
    async def work() -> Pieces:
        source = Pieces(hangs=True)
        async with AsyncAnythingClient(server.url) as client:
            task = asyncio.create_task(client.ask(Request("PUT", client.url("x"), body=body_of(source.body))))
            await source.began.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        return source  # the client has waited for its threads

    with FaultServer(listening) as server:
        assert run(work).closed == 1


def test_the_deadline_ends_a_call_whose_source_is_silent() -> None:
    async def work() -> Pieces:
        source = Pieces(hangs=True)
        with pytest.raises(DeadlineExceededError):
            await put(server.url, body_of(source.body), timeout=1)
        return source

    with FaultServer(listening) as server:
        assert run(work).closed == 1


def test_a_client_that_is_closed_ends_a_call_whose_source_is_silent() -> None:
    async def work() -> Pieces:
        source = Pieces(hangs=True)
        client = AsyncAnythingClient(server.url)
        task = asyncio.create_task(client.ask(Request("PUT", client.url("x"), body=body_of(source.body))))
        await source.began.wait()
        await client.aclose()
        with pytest.raises(ConnectionLostError):
            await task
        return source

    with FaultServer(listening) as server:
        assert run(work).closed == 1


def test_a_digest_that_is_cancelled_while_its_source_is_silent_closes_it(server: FaultServer) -> None:
    signer = HmacSigning(HmacRecipe(content=(Body(),), place=InHeader("x-mac")), "secret")

    async def work() -> Pieces:
        source = Pieces(hangs=True)
        async with AsyncAnythingClient(server.url, plugins=[signer]) as client:
            task = asyncio.create_task(client.ask(Request("PUT", client.url("x"), body=body_of(source))))
            await source.began.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        return source

    assert run(work).closed == 1
    assert server.requests == []


def test_an_async_part_of_a_form_is_closed_with_the_call() -> None:
    async def work() -> Pieces:
        source = Pieces(hangs=True)
        form = MultipartForm({"f": FilePart(source.body, filename="f")})
        with pytest.raises(DeadlineExceededError):
            await put(server.url, form.body, timeout=1)
        return source

    with FaultServer(listening) as server:
        assert run(work).closed == 1


def test_an_early_refusal_closes_the_source() -> None:
    def refusing(peer: Peer) -> None:
        peer.head()
        peer.send(Reply(413, b"too much").wire())
        peer.close()

    async def work() -> Pieces:
        source = Pieces(10**9, 10_000)
        with pytest.raises(ServiceError) as caught:
            await put(server.url, body_of(source.body))
        assert caught.value.status == 413
        assert source.closed == 1
        return source

    with FaultServer(refusing) as server:
        run(work)


def test_what_the_source_raises_is_the_callers_error_with_its_cause(server: FaultServer) -> None:
    async def work() -> Pieces:
        source = Pieces(error=ConnectionResetError("the source of the source"))
        with pytest.raises(UsageError, match="could not be produced") as caught:
            await put(server.url, body_of(source.body))
        assert isinstance(caught.value.__cause__, ConnectionResetError)
        return source

    assert run(work).closed == 1
    assert server.requests == []


def test_what_the_source_raises_when_it_is_closed_does_not_hide_the_outcome() -> None:
    def refusing(peer: Peer) -> None:
        peer.head()
        peer.send(Reply(413).wire())
        peer.close()

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 10_000
        finally:
            raise OSError("cannot be closed")

    async def work() -> None:
        with pytest.raises(ServiceError):
            await put(server.url, body_of(pieces()))

    with FaultServer(refusing) as server:
        run(work)


def test_a_source_that_cancels_itself_is_the_callers_error(server: FaultServer) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"x"
        raise asyncio.CancelledError

    async def work() -> None:
        with pytest.raises(UsageError, match="was cancelled"):
            await put(server.url, body_of(pieces()))

    run(work)


@pytest.mark.parametrize("piece", ["text", 5, None])
def test_a_piece_that_is_not_bytes_is_the_callers_error(server: FaultServer, piece: Any) -> None:
    async def pieces() -> AsyncIterator[Any]:
        yield b"x"
        yield piece

    async def work() -> None:
        with pytest.raises(UsageError, match="could not be produced"):
            await put(server.url, body_of(pieces()))

    run(work)


def test_a_source_that_is_no_generator_is_closed_too(server: FaultServer) -> None:
    class Stream:
        def __init__(self) -> None:
            self.left, self.closed = 3, 0

        def __aiter__(self) -> Stream:
            return self

        async def __anext__(self) -> bytes:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return b"x"

        async def aclose(self) -> None:
            self.closed += 1

    async def work() -> Stream:
        stream = Stream()
        await put(server.url, body_of(stream))
        return stream

    assert run(work).closed == 1


def test_a_source_without_aclose_will_do(server: FaultServer) -> None:
    class Bare:
        def __init__(self) -> None:
            self.left = 3

        def __aiter__(self) -> Bare:
            return self

        async def __anext__(self) -> bytes:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return b"x"

    async def work() -> None:
        await put(server.url, body_of(Bare()))

    run(work)

    assert unchunked(server.requests[0].body) == b"xxx"


# --- where it cannot be pulled


def test_a_sync_client_on_the_loop_refuses_it_before_anything_is_sent(server: FaultServer) -> None:
    async def work() -> Pieces:
        source = Pieces()
        with AnythingClient(server.url) as client:
            with pytest.raises(UsageError, match="sync client") as caught:
                client.ask(Request("POST", client.url("x"), body=body_of(source.body)))
            client.ask(Request("GET", client.url("y")))
        assert caught.value.call is not None
        assert not caught.value.call.may_have_been_processed
        return source

    source = run(work)

    assert source.given == 0
    assert [received.line for received in server.requests] == ["GET /y HTTP/1.1"]


def test_a_sync_client_without_the_loop_refuses_it_before_anything_is_sent(server: FaultServer) -> None:
    async def make() -> StreamBody:
        return body_of(Pieces())

    body = run(make)

    with AnythingClient(server.url) as client, pytest.raises(UsageError, match="that loop has ended"):
        client.ask(Request("PUT", client.url("x"), body=body))
    assert server.requests == []


def test_a_sync_client_in_another_thread_may_send_it_while_the_loop_runs(server: FaultServer) -> None:
    async def work() -> None:
        body = body_of(Pieces().body)
        with AnythingClient(server.url) as client:
            await asyncio.to_thread(client.ask, Request("PUT", client.url("x"), body=body))

    run(work)

    assert len(unchunked(server.requests[0].body)) == 50


def test_a_loop_that_ends_wakes_who_waits_for_its_pieces() -> None:
    with ThreadPoolExecutor() as threads:

        async def work() -> tuple[Pieces, Any]:
            source = Pieces(hangs=True)
            waiting = threads.submit(list, body_of(source.body))
            await source.began.wait()
            return source, waiting

        source, waiting = run(work)

        with pytest.raises(UsageError):
            waiting.result(GUARD)
    assert source.closed == 1


def test_a_loop_that_stands_still_is_not_waited_for() -> None:
    with ThreadPoolExecutor() as threads, asyncio.Runner() as runner:

        async def work() -> tuple[Pieces, Any]:
            source = Pieces(hangs=True)
            waiting = threads.submit(list, body_of(source.body))
            await source.began.wait()
            return source, waiting

        source, waiting = runner.run(work())

        with pytest.raises(UsageError, match="loop that pulls its pieces has ended"):
            waiting.result(GUARD)
        runner.run(source.ended.wait())


def test_a_reading_that_is_left_on_its_own_loop_does_not_wait_for_itself(server: FaultServer) -> None:
    async def work() -> Pieces:
        source = Pieces(10**9, 10_000)
        reading = await asyncio.to_thread(begun, body_of(source.body))
        reading.close()
        await source.ended.wait()
        return source

    def begun(body: StreamBody) -> Any:
        reading = iter(body)
        next(reading)
        return reading

    assert run(work).closed == 1


def test_the_closing_of_a_source_is_not_interrupted() -> None:
    class Stream:
        def __init__(self) -> None:
            self.closes, self.closed = asyncio.Event(), False

        def __aiter__(self) -> Stream:
            return self

        async def __anext__(self) -> bytes:
            raise StopAsyncIteration

        async def aclose(self) -> None:
            self.closes.set()
            await asyncio.sleep(0.05)
            self.closed = True

    async def work() -> bool:
        stream = Stream()
        reading = iter(body_of(stream))
        waiting = asyncio.ensure_future(asyncio.to_thread(list, reading))
        await stream.closes.wait()
        reading.abort()
        await asyncio.wait([waiting])
        assert isinstance(waiting.exception(), UsageError)
        return stream.closed

    assert run(work)


def test_who_closes_a_reading_waits_until_its_source_is_closed() -> None:
    closed: list[str] = []

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
                await asyncio.sleep(0)
        finally:
            await asyncio.sleep(0.1)
            closed.append("closed")

    async def work() -> list[str]:
        reading = iter(body_of(pieces()))
        await asyncio.to_thread(next, reading)
        await asyncio.to_thread(reading.close)
        return closed.copy()

    assert run(work) == ["closed"]


def test_a_source_that_nobody_wants_any_more_is_not_begun() -> None:
    async def work() -> Pieces:
        source = Pieces()
        reading = iter(body_of(source.body))
        reading.abort()
        with pytest.raises(UsageError, match="given up"):
            await asyncio.to_thread(next, reading)
        return source

    assert run(work).given == 0


def test_a_body_that_is_never_sent_pulls_nothing() -> None:
    async def work() -> Pieces:
        source = Pieces()
        body_of(source)
        await asyncio.sleep(0)
        return source

    assert run(work).given == 0


def test_nothing_is_left_behind_when_the_call_has_ended(server: FaultServer) -> None:
    async def work() -> tuple[int, int]:
        before = len(asyncio.all_tasks())
        await put(server.url, body_of(Pieces().body))
        await asyncio.sleep(0)
        return before, len(asyncio.all_tasks())

    before, after = run(work)

    assert before == after
