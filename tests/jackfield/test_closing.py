"""What is under way when a client is closed, or a call cancelled, ends at once, whatever it waits for."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.clients import COLOURS, AnythingClient, Asker, AsyncAnythingClient
from tests.servers import GUARD

from jackfield import (
    AsyncioRuntime,
    Call,
    ConnectionLostError,
    ConnectTimeoutError,
    JackfieldError,
    Request,
    Response,
    SyncRuntime,
    Url,
    Urllib3Transport,
    UsageError,
    _look_up,
)
from jackfield._alarm import Alarm
from jackfield._reach import reach as before
from jackfield.testing import FakeTransport
from jackfield_plugins.limits import ConcurrencyLimit
from jackfield_plugins.retry import Retry

if TYPE_CHECKING:
    from tests.servers import Serve

PATIENT: Any = {"timeout": 2 * GUARD, "connect_timeout": 2 * GUARD, "read_timeout": 2 * GUARD}
BUSY = Response(503, {"retry-after": str(2 * GUARD)})


@contextmanager
def hanging_port() -> Generator[int]:
    """Where connections neither come about nor fail: beyond its backlog the kernel answers nobody."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield full.getsockname()[1]


@pytest.fixture
def reaching(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when a connection begins to be made."""
    begun = threading.Event()

    def reach(*parts: Any, **more: Any) -> socket.socket:
        begun.set()
        return before(*parts, **more)

    monkeypatch.setattr("jackfield._connection.reach", reach)
    return begun


@contextmanager
def hanging_name(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """No name is found, nor missed, before this ends."""
    told = threading.Event()

    def look_up(*parts: object, flags: int = 0, **more: object) -> object:
        if not flags:
            told.wait(GUARD)
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield
    told.set()
    for thread in threading.enumerate():
        if thread.name == "jackfield-look-up":
            thread.join(GUARD)


def asked(url: str) -> Request:
    return Request("GET", Url.parse(url))


def ended_by(close: Callable[[], object], call: Callable[[], object], begun: threading.Event) -> JackfieldError:
    """What the call raises in its thread when `close` comes after it has begun."""
    raised: list[JackfieldError] = []

    def work() -> None:
        try:
            call()
        except JackfieldError as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(GUARD)
    close()
    thread.join(GUARD)
    assert not thread.is_alive()
    assert len(raised) == 1
    return raised[0]


async def ended_with(
    client: AsyncAnythingClient, request: Request, begun: threading.Event, *, cancelled: bool
) -> BaseException:
    """What the call raises when its client is closed, or its task cancelled, after it has begun."""
    task = asyncio.ensure_future(client.ask(request))
    assert await asyncio.to_thread(begun.wait, GUARD)
    if cancelled:
        task.cancel()
    await asyncio.wait_for(client.aclose(), GUARD)  # which waits for its threads
    (outcome,) = await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), GUARD)
    assert isinstance(outcome, BaseException)
    return outcome


# --- while it connects


def test_a_sync_client_that_is_closed_connects_no_longer(reaching: threading.Event) -> None:
    with hanging_port() as port:
        url = f"http://127.0.0.1:{port}"
        client = AnythingClient(url, **PATIENT)

        error = ended_by(client.close, lambda: client.ask(asked(url)), reaching)

    assert isinstance(error, ConnectionLostError)


@pytest.mark.parametrize("cancelled", [False, True])
def test_an_async_client_that_is_closed_connects_no_longer(reaching: threading.Event, cancelled: bool) -> None:
    with hanging_port() as port:
        url = f"http://127.0.0.1:{port}"

        async def main() -> BaseException:
            return await ended_with(AsyncAnythingClient(url, **PATIENT), asked(url), reaching, cancelled=cancelled)

        error = asyncio.run(main())

    assert isinstance(error, asyncio.CancelledError if cancelled else ConnectionLostError)


def test_a_sync_client_that_is_closed_looks_no_name_up_any_more(
    reaching: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "http://hangs.test"
    client = AnythingClient(url, **PATIENT)

    with hanging_name(monkeypatch):
        error = ended_by(client.close, lambda: client.ask(asked(url)), reaching)

    assert isinstance(error, ConnectionLostError)


@pytest.mark.parametrize("cancelled", [False, True])
def test_an_async_client_that_is_closed_looks_no_name_up_any_more(
    reaching: threading.Event, monkeypatch: pytest.MonkeyPatch, cancelled: bool
) -> None:
    url = "http://hangs.test"

    async def main() -> BaseException:
        return await ended_with(AsyncAnythingClient(url, **PATIENT), asked(url), reaching, cancelled=cancelled)

    with hanging_name(monkeypatch):
        error = asyncio.run(main())

    assert isinstance(error, asyncio.CancelledError if cancelled else ConnectionLostError)


def test_who_waits_for_a_name_shares_its_look_up_and_fails_with_an_error_of_his_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked_for: list[str] = []
    told, waiting = threading.Event(), threading.Semaphore(0)

    def look_up(host: str, *parts: object, flags: int = 0, **more: object) -> object:
        if flags:
            waiting.release()
            raise socket.gaierror(socket.EAI_NONAME, "it is a name")
        asked_for.append(host)
        told.wait(GUARD)
        raise socket.gaierror(socket.EAI_AGAIN, "not now")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    errors: list[JackfieldError] = []

    def work() -> None:
        with pytest.raises(JackfieldError) as caught:
            client.ask(asked("http://one.test"))
        errors.append(caught.value)

    with AnythingClient("http://one.test", **PATIENT) as client:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert waiting.acquire(timeout=GUARD)
        told.set()
        for thread in threads:
            thread.join(GUARD)

    assert len(asked_for) < 8  # one, but for those who came after it had failed
    assert len({id(error.__cause__) for error in errors}) == 8


def test_nobody_who_waits_for_a_name_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(host: str, *parts: object, flags: int = 0, **more: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME if flags else socket.EAI_AGAIN, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    look_ups = _look_up.LookUps()
    found: list[str] = []

    def wait_again_and_again() -> None:
        until = time.monotonic() + GUARD
        for _ in range(200):
            with Alarm() as alarm:
                try:
                    look_ups.addresses("one.test", 80, lambda: max(until - time.monotonic(), 0.001), alarm)
                except socket.gaierror:
                    found.append("nothing")
                if time.monotonic() > until:
                    break

    threads = [threading.Thread(target=wait_again_and_again, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(GUARD)

    assert len(found) == 8 * 200


@pytest.mark.parametrize("colour", COLOURS)
def test_a_client_that_is_closed_between_two_waits_sends_nothing(
    colour: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reach(*parts: Any, **more: Any) -> socket.socket:
        sock = before(*parts, **more)
        SyncRuntime().run(ask.transport.close())
        return sock

    monkeypatch.setattr("jackfield._connection.reach", reach)
    server = serve(lambda peer: peer.drain())
    with Asker(colour, server.url) as ask, pytest.raises(ConnectionLostError):
        ask()

    assert server.requests == []


# --- while it sleeps, or waits for others


class Noticing(FakeTransport):
    """Says when it was asked."""

    def __init__(self) -> None:
        super().__init__(otherwise=BUSY)
        self.begun = threading.Event()

    async def send(self, request: Request, call: Call) -> Response:
        self.begun.set()
        return await super().send(request, call)


def test_a_sync_client_that_is_closed_waits_for_no_retry() -> None:
    transport = Noticing()
    client = AnythingClient("http://a.test", transport=transport, plugins=[Retry()], timeout=3 * GUARD)

    error = ended_by(client.close, lambda: client.ask(asked("http://a.test")), transport.begun)

    assert isinstance(error, UsageError)
    assert "closed" in error.message
    assert len(transport.requests) == 1


def test_an_async_client_that_is_closed_waits_for_no_retry() -> None:
    async def main() -> BaseException:
        transport = Noticing()
        client = AsyncAnythingClient("http://a.test", transport=transport, plugins=[Retry()], timeout=3 * GUARD)
        return await ended_with(client, asked("http://a.test"), transport.begun, cancelled=False)

    assert isinstance(asyncio.run(main()), UsageError)


def test_a_client_that_is_closed_waits_for_no_turn(serve: Serve) -> None:
    def silent(peer: Any) -> None:
        peer.request()
        peer.drain()

    class Waiting(SyncRuntime):
        def signal(self) -> Any:
            begun.set()
            return super().signal()

    server, begun = serve(silent), threading.Event()
    limit = ConcurrencyLimit(1)
    holder = AnythingClient(server.url, plugins=[limit], **PATIENT)

    def hold() -> None:
        with pytest.raises(JackfieldError):
            holder.ask(asked(server.url))

    busy = threading.Thread(target=hold)
    busy.start()
    server.wait_for_requests(1)
    runtime = Waiting()
    other = AnythingClient(server.url, plugins=[limit], runtime=runtime, **PATIENT)

    def close() -> None:
        other.close()
        runtime.run(runtime.close())  # which was handed in, and is not the client's to close

    error = ended_by(close, lambda: other.ask(asked(server.url)), begun)
    holder.close()
    busy.join(GUARD)

    assert isinstance(error, UsageError)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="this system has no signals to threads")
def test_a_handler_may_set_a_signal_in_the_very_thread_that_waits_for_it() -> None:
    runtime = SyncRuntime()
    told, handled = runtime.signal(), list[int]()

    def handle(number: int, frame: object) -> None:
        handled.append(number)
        told.set()
        told.set()

    def interrupt() -> None:
        while not runtime._waiting:
            pass
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    async def waiting() -> None:
        await told.wait(None)
        await told.wait(None)  # it stays set

    before = signal.signal(signal.SIGUSR1, handle)
    interrupter = threading.Thread(target=interrupt)
    try:
        interrupter.start()
        runtime.run(waiting())
        interrupter.join(GUARD)
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert handled == [signal.SIGUSR1]


def test_all_who_wait_for_a_signal_are_told() -> None:
    runtime = SyncRuntime()
    told, heard = runtime.signal(), threading.Semaphore(0)

    def wait() -> None:
        runtime.run(hear())

    async def hear() -> None:
        await told.wait(GUARD)
        heard.release()

    threads = [threading.Thread(target=wait) for _ in range(8)]
    for thread in threads:
        thread.start()
    told.set()
    for thread in threads:
        thread.join(GUARD)

    assert all(heard.acquire(blocking=False) for _ in threads)


def test_a_closed_runtime_waits_for_nothing_any_more() -> None:
    runtime = SyncRuntime()
    runtime.run(runtime.close())

    with pytest.raises(UsageError, match="closed"):
        runtime.run(runtime.sleep(2 * GUARD))
    with pytest.raises(UsageError, match="closed"):
        runtime.run(wait(runtime, 2 * GUARD))


def test_a_closed_asyncio_runtime_waits_for_nothing_any_more() -> None:
    async def main() -> None:
        runtime = AsyncioRuntime()
        await runtime.close()
        with pytest.raises(UsageError, match="closed"):
            await asyncio.wait_for(runtime.sleep(2 * GUARD), GUARD)
        with pytest.raises(UsageError, match="closed"):
            await asyncio.wait_for(wait(runtime, 2 * GUARD), GUARD)

    asyncio.run(main())


async def wait(runtime: SyncRuntime | AsyncioRuntime, seconds: float) -> None:
    await runtime.signal().wait(seconds)


# --- closing itself


def test_closing_that_was_cancelled_is_taken_up_by_the_next() -> None:
    async def main() -> bool:
        working, told = threading.Event(), threading.Event()
        client = AsyncAnythingClient("http://a.test", transport=Urllib3Transport())

        def work() -> None:
            working.set()
            told.wait(GUARD)

        offloaded = asyncio.ensure_future(client.runtime.offload(work))
        assert await asyncio.to_thread(working.wait, GUARD)
        closing = asyncio.ensure_future(client.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        again = asyncio.ensure_future(client.aclose())
        for _ in range(20):
            await asyncio.sleep(0)
        waited = not again.done()
        told.set()
        await asyncio.gather(offloaded, again)
        return waited

    assert asyncio.run(main())


def test_closing_does_not_wait_for_ever_for_what_nobody_can_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jackfield._runtime._FAREWELL", 0.01)
    told = threading.Event()

    async def main() -> None:
        runtime = AsyncioRuntime()
        stuck = asyncio.ensure_future(runtime.offload(lambda: told.wait(GUARD)))
        await asyncio.sleep(0)
        await asyncio.wait_for(runtime.close(), GUARD / 2)
        assert not stuck.done()
        told.set()
        await stuck

    asyncio.run(main())


def test_names_that_nobody_waits_for_any_more_are_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_look_up, "_look_ups", look_ups := _look_up.LookUps(1))
    with hanging_name(monkeypatch):
        for number in range(20):
            patience = 0.01 if number else 0.5  # in which the first has begun
            with (
                AnythingClient(f"http://n{number}.test", connect_timeout=patience) as client,
                pytest.raises(ConnectTimeoutError),
            ):
                client.ask(asked(f"http://n{number}.test"))

        assert len(look_ups._under_way) == 1
        assert not look_ups._due


def test_work_in_the_background_may_close_its_own_client() -> None:
    async def main() -> None:
        runtime, ended = AsyncioRuntime(), asyncio.Event()

        async def close() -> None:
            await runtime.close()
            ended.set()

        assert runtime.background(close())
        await asyncio.wait_for(ended.wait(), GUARD)
        assert not runtime.background(close())

    asyncio.run(main())


def test_background_work_that_finds_no_thread_is_not_begun_and_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        done.set()

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    done, runtime = threading.Event(), SyncRuntime()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert not any(runtime.background(work()) for _ in range(20))

    assert runtime.background(work())
    assert done.wait(GUARD)
    runtime.run(runtime.close())


def test_background_work_is_awaited_and_no_more_than_so_many_at_once(
    new_threads: Callable[[str], list[str]],
) -> None:
    async def work() -> None:
        begun.release()
        told.wait(GUARD)

    begun, told, runtime = threading.Semaphore(0), threading.Event(), SyncRuntime()
    started = [runtime.background(work()) for _ in range(9)]
    for _ in range(8):
        assert begun.acquire(timeout=GUARD)
    told.set()
    runtime.run(runtime.close())

    assert started == [True] * 8 + [False]
    assert new_threads("jackfield-background") == []


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_what_goes_wrong_in_the_background_is_logged(colour: str, caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        raise ConnectionLostError("cut")

    async def main() -> None:
        runtime = AsyncioRuntime()
        assert runtime.background(work())
        for _ in range(5):
            await asyncio.sleep(0)
        await runtime.close()

    if colour == "async":
        asyncio.run(main())
    else:
        runtime = SyncRuntime()
        assert runtime.background(work())
        runtime.run(runtime.close())

    assert "work in the background failed: ConnectionLostError: cut" in caplog.text
