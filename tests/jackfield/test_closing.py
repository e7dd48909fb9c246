"""What is under way when a client is closed, or a call cancelled, ends at once, whatever it waits for."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.clients import AnythingClient, AsyncAnythingClient
from tests.servers import GUARD

from jackfield import (
    AsyncioRuntime,
    Call,
    ConnectionLostError,
    JackfieldError,
    Request,
    Response,
    SyncRuntime,
    Url,
    Urllib3Transport,
    UsageError,
)
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
