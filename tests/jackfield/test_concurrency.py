"""Many callers of one client, and calls that end before their time: over real sockets, in both colours."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from random import Random
from types import FrameType
from typing import TYPE_CHECKING, TypedDict

import pytest

from jackfield import (
    AsyncClient,
    AsyncioRuntime,
    ByteStream,
    Client,
    ConnectionLostError,
    DeadlineExceededError,
    JackfieldError,
    NetworkError,
    PoolTimeoutError,
    Request,
    Response,
    Service,
    StreamBody,
    SyncRuntime,
    Urllib3Transport,
    UsageError,
    operation,
)

if TYPE_CHECKING:
    from tests.servers import Peer, ReceivedRequest, Script, Serve

    from jackfield._flight import Signal

pytestmark = pytest.mark.usefixtures("nothing_left")

GUARD = 5.0  # seconds; whoever waits that long waits in vain
ALL_AT_ONCE = 1_000_000  # numbers from here on are answered when all of them have come


class Limits(TypedDict, total=False):
    timeout: float
    connect_timeout: float


class Echo(Service):
    """Sends a number, and gets back what the server says it was."""

    def asking(self, number: int, body: bytes | StreamBody = b"") -> Request:
        return Request("PUT" if body else "GET", self.url("echo"), query={"number": str(number)}, body=body)

    @operation
    async def echo(self, number: int, body: bytes | StreamBody = b"") -> int:
        return int((await self.send(self.asking(number, body))).content)

    @operation
    async def streamed(self, number: int) -> int:
        stream = body_of(await self.send(self.asking(number), stream=True))
        pieces: list[bytes] = []
        while piece := await stream.read():
            pieces.append(piece)
        return int(b"".join(pieces))

    @operation
    async def opened(self) -> ByteStream:
        return body_of(await self.send(self.asking(0), stream=True))


class SyncEcho(Echo, Client):
    pass


class AsyncEcho(Echo, AsyncClient):
    pass


def body_of(response: Response) -> ByteStream:
    assert not isinstance(response.body, bytes)
    return response.body


@contextmanager
def sync_client(url: str, *, max_connections: int) -> Generator[SyncEcho]:
    transport = Urllib3Transport(max_connections=max_connections)
    with SyncEcho(url, transport=transport) as client:
        try:
            yield client
        finally:
            SyncRuntime().run(transport.close())


@asynccontextmanager
async def async_client(url: str, *, max_connections: int, workers: int = 32) -> AsyncGenerator[AsyncEcho]:
    transport, runtime = Urllib3Transport(max_connections=max_connections), AsyncioRuntime(workers=workers)
    async with AsyncEcho(url, transport=transport, runtime=runtime) as client:
        try:
            yield client
        finally:
            await transport.close()
            await runtime.close()


def number_of(request: ReceivedRequest) -> int:
    return int(request.target.partition("=")[2])


def answer(text: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


def echoing(at_once: int = 1) -> Script:
    """Echoes numbers; the very large ones when so many of them have come, each on a connection of its own."""
    gate = threading.Barrier(at_once)

    def script(peer: Peer) -> None:
        for request in peer.requests():
            if number_of(request) >= ALL_AT_ONCE:
                gate.wait(GUARD)
            peer.send(answer(str(number_of(request))))

    return script


# --- many at once


def test_threads_share_a_client_and_each_gets_its_own_answers(serve: Serve) -> None:
    server = serve(echoing())

    with sync_client(server.url, max_connections=8) as client, ThreadPoolExecutor(16) as threads:

        def fifty(thread: int) -> list[int]:
            return [client.echo(thread * 50 + n) for n in range(50)]

        found = list(threads.map(fifty, range(16)))

    assert [number for numbers in found for number in numbers] == list(range(800))
    assert 1 <= server.connections <= 8


def test_tasks_share_a_client_and_each_gets_its_own_answer(serve: Serve) -> None:
    server = serve(echoing())

    async def main() -> list[int]:
        async with async_client(server.url, max_connections=8, workers=16) as client:
            return await asyncio.gather(*(client.echo(n) for n in range(500)))

    found = asyncio.run(main())

    assert found == list(range(500))
    assert 1 <= server.connections <= 8


def test_no_more_calls_are_under_way_than_there_are_workers(
    serve: Serve, new_threads: Callable[[str], list[str]]
) -> None:
    counting = threading.Lock()
    under_way, most = 0, 0

    def script(peer: Peer) -> None:
        nonlocal under_way, most
        for request in peer.requests():
            with counting:
                under_way += 1
                most = max(most, under_way)
            text = answer(str(number_of(request)))
            with counting:
                under_way -= 1
            peer.send(text)

    server = serve(script)

    async def main() -> list[int]:
        async with async_client(server.url, max_connections=32, workers=3) as client:
            found = await asyncio.gather(*(client.echo(n) for n in range(100)))
            assert 1 <= len(new_threads("jackfield")) <= 3
            return found

    found = asyncio.run(main())

    assert found == list(range(100))
    assert 1 <= most <= 3


@pytest.mark.parametrize(("connections", "workers"), [(1, 1), (1, 2), (2, 2), (4, 2)])
def test_streams_and_the_calls_that_wait_for_their_connections_do_not_block_each_other(
    serve: Serve, connections: int, workers: int
) -> None:
    server = serve(echoing())

    async def main() -> list[int]:
        async with async_client(server.url, max_connections=connections, workers=workers) as client:
            patient = client.with_options(connect_timeout=3)
            return await asyncio.gather(*(patient.streamed(n) for n in range(40)))

    found = asyncio.run(main())

    assert found == list(range(40))
    assert server.connections <= connections


def test_all_connections_may_be_in_use_at_one_time(serve: Serve) -> None:
    server = serve(echoing(at_once=8))

    with sync_client(server.url, max_connections=8) as client, ThreadPoolExecutor(8) as threads:
        found = list(threads.map(client.echo, range(ALL_AT_ONCE, ALL_AT_ONCE + 8)))

    assert found == list(range(ALL_AT_ONCE, ALL_AT_ONCE + 8))
    assert server.connections == 8


@pytest.mark.parametrize("close", ["", "Connection: close\r\n"], ids=["kept", "closed-after-each"])
def test_one_connection_serves_many_threads_one_after_the_other(serve: Serve, close: str) -> None:
    busy = threading.Lock()

    def script(peer: Peer) -> None:
        for request in peer.requests():
            assert busy.acquire(blocking=False), "two requests at one time"
            text = str(number_of(request))
            busy.release()
            peer.send(f"HTTP/1.1 200 OK\r\n{close}Content-Length: {len(text)}\r\n\r\n{text}".encode())

    server = serve(script)

    with sync_client(server.url, max_connections=1) as client, ThreadPoolExecutor(8) as threads:
        found = list(threads.map(client.echo, range(80)))

    assert found == list(range(80))
    assert server.connections == (80 if close else 1)


def test_first_calls_at_the_same_moment_share_one_pool(serve: Serve) -> None:
    server = serve(echoing())
    rounds = 20

    for _ in range(rounds):
        start = threading.Barrier(8)

        with sync_client(server.url, max_connections=1) as client, ThreadPoolExecutor(8) as threads:

            def first(number: int, start: threading.Barrier = start, client: SyncEcho = client) -> int:
                start.wait(GUARD)
                return client.echo(number)

            assert list(threads.map(first, range(8))) == list(range(8))

    assert server.connections == rounds


def test_faults_among_many_calls_neither_mix_answers_nor_cost_a_slot(serve: Serve) -> None:
    echo = echoing(at_once=4)

    def script(peer: Peer) -> None:
        dice = Random(peer.number)
        if peer.number > 100:
            echo(peer)
        for request in peer.requests():
            whole = answer(str(number_of(request)))
            fault = dice.randrange(6)
            if fault == 0:
                peer.reset()
            elif fault == 1:
                peer.close()
            elif fault == 2:
                peer.send(whole[:-1])
                peer.close()
            elif fault == 3:
                peer.send(whole + answer("-1"))
            elif fault == 4:
                peer.send(b"garbage\r\n\r\n")
            else:
                peer.send(whole)
                continue
            return

    server = serve(script)

    with sync_client(server.url, max_connections=4) as client, ThreadPoolExecutor(12) as threads:

        def call(number: int) -> int | None:
            try:
                return client.echo(number)
            except NetworkError:
                return None

        found = list(threads.map(call, range(400)))
        after = list(threads.map(client.echo, range(ALL_AT_ONCE, ALL_AT_ONCE + 4)))

    assert all(number in (None, n) for n, number in enumerate(found))
    assert any(number is not None for number in found)
    assert after == list(range(ALL_AT_ONCE, ALL_AT_ONCE + 4))


# --- the pool is exhausted


def holding(told: threading.Event, *, part: bytes = b"") -> Script:
    """Leaves the first request half answered until it is told; later ones are echoed at once."""
    echo = echoing()

    def script(peer: Peer) -> None:
        if peer.number == 1:
            whole = answer(str(number_of(peer.request())))
            peer.send(part)
            peer.wait(told)
            peer.send(whole[len(part) :])
        echo(peer)

    return script


@pytest.mark.parametrize(
    ("limits", "kind"),
    [({"connect_timeout": 0.05}, PoolTimeoutError), ({"timeout": 0.5}, DeadlineExceededError)],
    ids=["connect-timeout", "deadline"],
)
def test_whoever_waits_too_long_for_a_connection_gets_a_typed_error(
    serve: Serve, limits: Limits, kind: type[JackfieldError]
) -> None:
    told = threading.Event()
    server = serve(holding(told))

    with sync_client(server.url, max_connections=1) as client, ThreadPoolExecutor(1) as threads:
        first = threads.submit(client.echo, 1)
        server.wait_for_requests(1)
        with pytest.raises(kind) as caught:
            client.with_options(**limits).echo(2)
        told.set()

        assert first.result(GUARD) == 1
        assert client.echo(3) == 3
    assert caught.value.call is not None
    assert (caught.value.call.operation, caught.value.call.method) == ("echo", "GET")
    assert caught.value.call.url == f"{server.url}/echo?number=***"
    assert server.connections == 1


@pytest.mark.parametrize(
    ("limits", "kind"),
    [({"connect_timeout": 0.05}, PoolTimeoutError), ({"timeout": 0.5}, DeadlineExceededError)],
    ids=["connect-timeout", "deadline"],
)
def test_whichever_task_waits_too_long_for_a_connection_gets_a_typed_error(
    serve: Serve, limits: Limits, kind: type[JackfieldError]
) -> None:
    told = threading.Event()
    server = serve(holding(told))

    async def main() -> JackfieldError:
        async with async_client(server.url, max_connections=1) as client:
            first = asyncio.create_task(client.echo(1))
            await asyncio.to_thread(server.wait_for_requests, 1)
            with pytest.raises(kind) as caught:
                await client.with_options(**limits).echo(2)
            told.set()
            assert await first == 1
            assert await client.echo(3) == 3
            return caught.value

    error = asyncio.run(main())

    assert error.call is not None
    assert (error.call.operation, error.call.url) == ("echo", f"{server.url}/echo?number=***")
    assert server.connections == 1


def test_a_call_inside_a_call_that_holds_the_only_connection_is_told_so(serve: Serve) -> None:
    server = serve(echoing())

    class Nested(Echo):
        @operation
        async def both(self) -> int:
            stream = body_of(await self.send(self.asking(1), stream=True))
            with pytest.raises(PoolTimeoutError):
                await self.echo(2)
            return int(await stream.read()) + len(await stream.read())

    class SyncNested(Nested, Client):
        pass

    transport = Urllib3Transport(max_connections=1)
    with SyncNested(server.url, transport=transport, connect_timeout=0.05) as client:
        assert client.both() == 1
        assert client.with_options(connect_timeout=5).echo(3) == 3
    SyncRuntime().run(transport.close())


def test_a_forgotten_stream_that_is_found_at_the_worst_moment_gives_its_slot_to_who_waits(serve: Serve) -> None:
    server = serve(beginning(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n100"), echoing())
    transport = Urllib3Transport(max_connections=1)
    found: list[int] = []

    class Circle:
        def __init__(self, stream: object) -> None:
            self.stream, self.itself = stream, self

    class Forgetful(Echo):
        @operation
        async def forget(self) -> None:
            Circle(body_of(await self.send(self.asking(1), stream=True)))

    class SyncForgetful(Forgetful, Client):
        pass

    class CollectingRuntime(SyncRuntime):
        def signal(self) -> Signal:
            gc.collect()
            return super().signal()

    client = SyncForgetful(server.url, transport=transport, runtime=CollectingRuntime(), connect_timeout=GUARD)
    gc.disable()
    try:
        client.forget()
        call = threading.Thread(target=lambda: found.append(client.echo(2)), daemon=True)  # it may never end
        call.start()
        call.join(GUARD)
    finally:
        gc.enable()

    assert found == [2]
    client.close()
    SyncRuntime().run(transport.close())


# --- a call that is cancelled


PARTS = {
    "before-the-answer": b"",
    "in-the-head": b"HTTP/1.1 200 OK\r\nContent-",
    "in-the-body": b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n100",
}


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_cancelled_call_drops_its_connection_and_its_late_answer(serve: Serve, part: bytes, streamed: bool) -> None:
    told = threading.Event()
    server = serve(holding(told, part=part))

    async def main() -> None:
        async with async_client(server.url, max_connections=1) as client:
            task = asyncio.create_task((client.streamed if streamed else client.echo)(1_000_007 - 7))
            await asyncio.to_thread(server.wait_for_requests, 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

            second = await client.echo(2)
            told.set()
            third = await client.echo(3)

            assert (second, third) == (2, 3)
            assert server.peer(1).ended.wait(GUARD)

    asyncio.run(main())

    assert server.connections == 2


def test_the_server_sees_a_cancelled_call_leave_at_once(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.hang()

    server = serve(script)

    async def main() -> None:
        async with async_client(server.url, max_connections=1) as client:
            task = asyncio.create_task(client.echo(1))
            await asyncio.to_thread(server.wait_for_requests, 1)
            task.cancel()
            await asyncio.wait([task])

            assert task.cancelled()
            assert server.peer(1).ended.wait(GUARD)

    asyncio.run(main())


def test_a_call_cancelled_while_it_waits_for_a_worker_is_never_sent(serve: Serve) -> None:
    told = threading.Event()
    server = serve(holding(told))

    async def main() -> None:
        async with async_client(server.url, max_connections=4, workers=1) as client:
            first = asyncio.create_task(client.echo(1))
            await asyncio.to_thread(server.wait_for_requests, 1)
            queued = [asyncio.create_task(client.echo(n)) for n in (2, 3)]
            for _ in range(10):
                await asyncio.sleep(0)
            queued[0].cancel()
            with pytest.raises(asyncio.CancelledError):
                await queued[0]
            told.set()

            assert (await first, await queued[1]) == (1, 3)

    asyncio.run(main())

    assert [number_of(request) for request in server.requests] == [1, 3]


def test_a_call_cancelled_while_it_waits_for_a_connection_is_never_sent(serve: Serve) -> None:
    told = threading.Event()
    server = serve(holding(told))

    async def main() -> None:
        async with async_client(server.url, max_connections=1, workers=4) as client:
            first = asyncio.create_task(client.echo(1))
            await asyncio.to_thread(server.wait_for_requests, 1)
            waiting = [asyncio.create_task(client.echo(n)) for n in (2, 3)]
            for _ in range(10):
                await asyncio.sleep(0)
            waiting[0].cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting[0]
            told.set()

            assert (await first, await waiting[1], await client.echo(4)) == (1, 3, 4)

    asyncio.run(main())

    assert [number_of(request) for request in server.requests] == [1, 3, 4]


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_a_timeout_of_the_caller_ends_a_call_like_a_cancellation(serve: Serve, part: bytes) -> None:
    told = threading.Event()
    server = serve(holding(told, part=part))

    async def end_soon(limit: asyncio.Timeout) -> None:
        await asyncio.to_thread(server.wait_for_requests, 1)
        limit.reschedule(asyncio.get_running_loop().time() + 0.05)  # for the part, where there is one

    async def main() -> None:
        async with async_client(server.url, max_connections=1) as client:
            limit = asyncio.timeout(None)
            ending = asyncio.create_task(end_soon(limit))
            with pytest.raises(TimeoutError):
                async with limit:
                    await client.echo(1)
            await ending

            assert await client.echo(2) == 2
            told.set()
            assert await client.echo(3) == 3

    asyncio.run(main())


def test_an_error_in_one_task_of_a_group_ends_the_calls_of_the_others(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        if number_of(peer.request()) == 0:
            server.wait_for_requests(4)
            peer.reset()
        else:
            peer.hang()

    server = serve(script)

    async def main() -> None:
        async with async_client(server.url, max_connections=4) as client:

            async def all_four() -> None:
                async with asyncio.TaskGroup() as group:
                    for n in range(4):
                        group.create_task(client.echo(n))

            with pytest.raises(ExceptionGroup) as caught:
                await all_four()

            assert [type(error) for error in caught.value.exceptions] == [ConnectionLostError]
            assert all(peer.ended.wait(GUARD) for peer in server.peers)

    asyncio.run(main())


def test_a_call_may_be_cancelled_at_any_moment(serve: Serve) -> None:
    server = serve(echoing())

    async def main() -> None:
        async with async_client(server.url, max_connections=1, workers=2) as client:
            patient = client.with_options(connect_timeout=5)
            for n in range(300):
                task = asyncio.create_task((client.echo, client.streamed)[n % 2](n))
                for _ in range(n // 2 % 10):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])

                assert task.cancelled() or task.result() == n
                assert await patient.echo(-n) == -n

    asyncio.run(main())


def test_a_call_whose_time_is_up_while_it_waits_for_a_worker_is_never_sent(serve: Serve) -> None:
    told = threading.Event()
    server = serve(holding(told))

    async def main() -> None:
        async with async_client(server.url, max_connections=4, workers=1) as client:
            first = asyncio.create_task(client.echo(1))
            await asyncio.to_thread(server.wait_for_requests, 1)
            with pytest.raises(DeadlineExceededError):
                await client.with_options(timeout=0.05).echo(2)
            told.set()

            assert (await first, await client.echo(3)) == (1, 3)

    asyncio.run(main())

    assert [number_of(request) for request in server.requests] == [1, 3]


def test_cancellations_among_many_calls_neither_mix_answers_nor_cost_a_slot(serve: Serve) -> None:
    server = serve(echoing(at_once=4))
    dice = Random(7)

    async def main() -> None:
        async with async_client(server.url, max_connections=4, workers=8) as client:
            tasks = [asyncio.create_task((client.echo, client.streamed)[n % 2](n)) for n in range(300)]
            for task in dice.sample(tasks, 100):
                for _ in range(dice.randrange(8)):
                    await asyncio.sleep(0)
                task.cancel()
            await asyncio.wait(tasks)
            after = await asyncio.gather(*(client.echo(ALL_AT_ONCE + n) for n in range(4)))

            assert all(task.cancelled() or task.result() == n for n, task in enumerate(tasks))
            assert sum(not task.cancelled() for task in tasks) >= 200
            assert after == list(range(ALL_AT_ONCE, ALL_AT_ONCE + 4))

    asyncio.run(main())


# --- a call that is interrupted


class Interrupted(BaseException):
    """As a KeyboardInterrupt, which pytest would take for its own."""


@pytest.fixture
def interrupt() -> Iterator[Callable[[], None]]:
    """Raises `Interrupted` in the main thread, wherever that is, and once only.

    Python overlooks a signal that comes just before a system call until that call returns: so call it until it shows.
    """
    raised: list[bool] = []

    def raise_it(number: int, frame: FrameType | None) -> None:
        if not raised:
            raised.append(True)
            raise Interrupted

    before = signal.signal(signal.SIGUSR1, raise_it)
    yield lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_an_interrupted_call_drops_its_connection(
    serve: Serve, interrupt: Callable[[], None], part: bytes, streamed: bool
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(part)
        peer.settle()
        interrupt()
        while not peer.client_leaves(within=0.05):
            interrupt()

    server = serve(script, echoing())

    with sync_client(server.url, max_connections=1) as client:
        with pytest.raises(Interrupted):
            (client.streamed if streamed else client.echo)(1)

        assert server.peer(1).ended.wait(GUARD)
        assert client.with_options(connect_timeout=5).echo(2) == 2
    assert server.connections == 2


def test_a_call_interrupted_while_it_waits_for_a_connection_costs_no_slot(
    serve: Serve, interrupt: Callable[[], None]
) -> None:
    told, over = threading.Event(), threading.Event()
    server = serve(holding(told))

    def is_waiting() -> bool:
        frame: FrameType | None = sys._current_frames()[threading.main_thread().ident or 0]
        names: list[str] = []
        while frame is not None:
            names.append(frame.f_code.co_name)
            frame = frame.f_back
        return names[0] == "wait" and "echo" in names

    def interrupt_when_waiting() -> None:
        while not is_waiting():
            if over.wait(0.001):
                return
        interrupt()
        while not over.wait(0.05):
            interrupt()

    with sync_client(server.url, max_connections=1) as client, ThreadPoolExecutor(2) as threads:
        first = threads.submit(client.echo, 1)
        server.wait_for_requests(1)
        interrupter = threads.submit(interrupt_when_waiting)
        with pytest.raises(Interrupted):
            client.echo(2)
        over.set()
        told.set()
        interrupter.result(GUARD)

        assert first.result(GUARD) == 1
        assert client.echo(3) == 3
    assert [number_of(request) for request in server.requests] == [1, 3]


def test_a_body_that_is_interrupted_while_it_is_sent_drops_the_connection(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.head()
        peer.hang()

    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise Interrupted

    server = serve(script, echoing())

    with sync_client(server.url, max_connections=1) as client:
        with pytest.raises(Interrupted):
            client.echo(1, StreamBody(pieces))

        assert server.peer(1).ended.wait(GUARD)
        assert client.with_options(connect_timeout=5).echo(2) == 2


# --- a client that is closed while calls are under way


UNDER_WAY = PARTS | {
    "in-a-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n100",
    "in-a-body-without-length": b"HTTP/1.1 200 OK\r\n\r\n100",
}


def beginning(part: bytes) -> Script:
    """Begins an answer, and never ends it."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(part)
        peer.settle()
        peer.hang()

    return script


@pytest.mark.parametrize("part", UNDER_WAY.values(), ids=UNDER_WAY)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_closing_a_client_ends_the_calls_of_other_threads(serve: Serve, part: bytes, streamed: bool) -> None:
    server = serve(beginning(part))
    client = SyncEcho(server.url)

    with ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(client.streamed if streamed else client.echo, n) for n in range(4)]
        server.wait_for_requests(4)
        client.close()

        errors = [call.exception(GUARD) for call in calls]

    assert [type(error) for error in errors] == [ConnectionLostError] * 4
    assert all(isinstance(error, JackfieldError) and error.call is not None for error in errors)
    assert all(peer.ended.wait(GUARD) for peer in server.peers)
    with pytest.raises(UsageError, match="closed"):
        client.echo(5)
    assert server.connections == 4


@pytest.mark.parametrize("part", UNDER_WAY.values(), ids=UNDER_WAY)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_closing_a_client_ends_the_calls_of_other_tasks(
    serve: Serve, part: bytes, streamed: bool, new_threads: Callable[[str], list[str]]
) -> None:
    server = serve(beginning(part))

    async def main() -> list[int | BaseException]:
        client = AsyncEcho(server.url)
        calls = [asyncio.create_task((client.streamed if streamed else client.echo)(n)) for n in range(4)]
        await asyncio.to_thread(server.wait_for_requests, 4)
        await client.aclose()

        assert new_threads("jackfield") == []
        with pytest.raises(UsageError, match="closed"):
            await client.echo(5)
        return await asyncio.gather(*calls, return_exceptions=True)

    errors = asyncio.run(main())

    assert [type(error) for error in errors] == [ConnectionLostError] * 4
    assert all(peer.ended.wait(GUARD) for peer in server.peers)


def test_closing_a_client_ends_the_calls_that_wait_for_a_worker_with_an_error_of_ours(
    serve: Serve, new_threads: Callable[[str], list[str]]
) -> None:
    server = serve(beginning(b""))

    async def main() -> list[int | BaseException]:
        client = AsyncEcho(server.url)
        calls = [asyncio.create_task(client.echo(n)) for n in range(100)]
        await asyncio.to_thread(server.wait_for_requests, 32)
        await client.aclose()

        assert new_threads("jackfield") == []
        return await asyncio.gather(*calls, return_exceptions=True)

    errors = asyncio.run(main())

    assert {type(error) for error in errors} <= {ConnectionLostError, UsageError}
    assert server.connections == 32


def test_closing_a_transport_ends_the_calls_that_wait_for_a_connection(serve: Serve) -> None:
    server = serve(beginning(b""))
    transport = Urllib3Transport(max_connections=1)
    client = SyncEcho(server.url, transport=transport)

    with ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(client.echo, n) for n in range(4)]
        server.wait_for_requests(1)
        SyncRuntime().run(transport.close())

        errors = [call.exception(GUARD) for call in calls]

    assert sorted({type(error).__name__ for error in errors}) in (
        ["ConnectionLostError", "UsageError"],
        ["ConnectionLostError"],
    )
    assert server.connections == 1


def test_closing_a_client_at_any_moment_ends_the_calls_of_other_threads(serve: Serve) -> None:
    server = serve(beginning(b""))
    dice = Random(11)

    for _ in range(60):
        client, start = SyncEcho(server.url), threading.Barrier(4)

        def call(client: SyncEcho = client, start: threading.Barrier = start) -> BaseException | None:
            start.wait(GUARD)
            with pytest.raises(JackfieldError) as caught:
                client.echo(1)
            return caught.value

        with ThreadPoolExecutor(3) as threads:
            calls = [threads.submit(call) for _ in range(3)]
            start.wait(GUARD)
            sum(range(dice.randrange(30_000)))
            client.close()

            errors = [call.result(GUARD) for call in calls]

        assert {type(error) for error in errors} <= {ConnectionLostError, UsageError}


def test_closing_a_client_at_any_moment_ends_the_calls_of_other_tasks(serve: Serve) -> None:
    server = serve(beginning(b""))

    async def main(steps: int) -> list[int | BaseException]:
        client = AsyncEcho(server.url)
        calls = [asyncio.create_task((client.echo, client.streamed)[n % 2](n)) for n in range(4)]
        for _ in range(steps):
            await asyncio.sleep(0)
        await client.aclose()
        async with asyncio.timeout(GUARD):
            return await asyncio.gather(*calls, return_exceptions=True)

    for n in range(60):
        errors = asyncio.run(main(n % 15))

        assert {type(error) for error in errors} <= {ConnectionLostError, UsageError}


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_closing_a_client_ends_a_handshake_that_hangs(serve: Serve, colour: str) -> None:
    heard = threading.Event()

    def script(peer: Peer) -> None:
        peer.read(16)
        heard.set()
        peer.hang()

    server = serve(script)
    url = server.url.replace("http:", "https:")
    ended = threading.Event()

    def call_and_close() -> None:
        client = SyncEcho(url, connect_timeout=GUARD * 2)
        with ThreadPoolExecutor(1) as threads:
            call = threads.submit(client.echo, 1)
            assert heard.wait(GUARD)
            client.close()
            assert isinstance(call.exception(GUARD), JackfieldError)

    async def call_and_aclose() -> None:
        client = AsyncEcho(url, connect_timeout=GUARD * 2)
        call = asyncio.create_task(client.echo(1))
        assert await asyncio.to_thread(heard.wait, GUARD)
        await client.aclose()
        with pytest.raises(JackfieldError):
            await call

    def run() -> None:
        if colour == "sync":
            call_and_close()
        else:
            asyncio.run(call_and_aclose())
        ended.set()

    with ThreadPoolExecutor(1) as threads:
        result = threads.submit(run)
        in_time = ended.wait(5)
        server.peer(1).cut()  # so that it ends in any case
        result.result(GUARD)

    assert in_time


def test_a_stream_that_is_open_when_its_client_closes_ends_with_an_error_and_no_thread(
    serve: Serve, new_threads: Callable[[str], list[str]]
) -> None:
    server = serve(beginning(b"HTTP/1.1 200 OK\r\n\r\n100"))

    async def main() -> None:
        client = AsyncEcho(server.url)
        stream = await client.opened()
        first = await stream.read()
        await client.aclose()

        with pytest.raises(JackfieldError):
            await stream.read()
        assert first == b"100"
        assert new_threads("jackfield") == []
        await stream.close()

    asyncio.run(main())

    assert server.peer(1).ended.wait(GUARD)


def test_a_stream_that_is_forgotten_gives_its_connection_up(serve: Serve) -> None:
    server = serve(beginning(b"HTTP/1.1 200 OK\r\n\r\n100"), echoing())

    async def main() -> None:
        async with async_client(server.url, max_connections=1) as client:
            stream = await client.opened()
            del stream
            await asyncio.sleep(0)  # the event loop forgets a step's result when the next one begins
            gc.collect()

            assert server.peer(1).ended.wait(GUARD)
            assert await client.with_options(connect_timeout=5).echo(2) == 2

    asyncio.run(main())


def test_a_closed_client_leaves_neither_thread_nor_connection(
    serve: Serve, new_threads: Callable[[str], list[str]]
) -> None:
    server = serve(echoing(at_once=8))

    async def main() -> None:
        async with AsyncEcho(server.url) as client:
            await asyncio.gather(*(client.echo(ALL_AT_ONCE + n) for n in range(8)))
            assert new_threads("jackfield") != []
        assert new_threads("jackfield") == []

    asyncio.run(main())
    gc.collect()  # a connection that is left would tell by a ResourceWarning

    assert server.connections == 8
    assert all(peer.ended.wait(GUARD) for peer in server.peers)


def test_a_transport_that_was_given_outlives_its_clients(serve: Serve) -> None:
    server = serve(echoing())
    transport = Urllib3Transport(max_connections=1)

    with SyncEcho(server.url, transport=transport) as first:
        one = first.echo(1)
    with SyncEcho(server.url, transport=transport) as second:
        two = second.echo(2)
    SyncRuntime().run(transport.close())

    assert (one, two) == (1, 2)
    assert server.connections == 1
    assert server.peer(1).ended.wait(GUARD)


# --- event loops come and go


def test_an_async_client_outlives_the_event_loop(serve: Serve) -> None:
    server = serve(echoing())
    client = AsyncEcho(server.url)

    async def call_and_close() -> int:
        async with client:
            return await client.echo(2)

    first = asyncio.run(client.echo(1))
    second = asyncio.run(call_and_close())

    assert (first, second) == (1, 2)
    assert server.connections == 1


def test_two_event_loops_share_a_client_and_its_only_connection(serve: Serve) -> None:
    server = serve(echoing())
    transport = Urllib3Transport(max_connections=1)
    client = AsyncEcho(server.url, transport=transport)

    async def twenty(loop: int) -> list[int]:
        return await asyncio.gather(*(client.echo(loop * 20 + n) for n in range(20)))

    async def close() -> None:
        await client.aclose()
        await transport.close()

    def run(loop: int) -> list[int]:
        return asyncio.run(twenty(loop))

    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(run, range(2)))
    asyncio.run(close())

    assert [number for numbers in found for number in numbers] == list(range(40))
    assert server.connections == 1


def test_a_call_that_ends_with_its_event_loop_leaves_the_client_well(serve: Serve) -> None:
    told = threading.Event()
    server = serve(holding(told))
    client = AsyncEcho(server.url)

    async def begin_and_leave() -> asyncio.Task[int]:
        task = asyncio.create_task(client.echo(1))
        await asyncio.to_thread(server.wait_for_requests, 1)
        return task

    async def call_and_close() -> int:
        async with client:
            return await client.echo(2)

    left = asyncio.run(begin_and_leave())
    second = asyncio.run(call_and_close())

    told.set()

    assert left.cancelled()
    assert second == 2
    assert server.peer(1).ended.wait(GUARD)


def test_a_sync_client_works_inside_an_event_loop(serve: Serve) -> None:
    server = serve(echoing())

    async def main() -> tuple[int, int]:
        with SyncEcho(server.url) as client:
            return client.echo(1), client.streamed(2)

    found = asyncio.run(main())

    assert found == (1, 2)
    assert server.connections == 1
