"""The runtimes of the two colours: what may be awaited, what blocks whom, and what to do about what may not."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from jackfield import (
    AsyncioRuntime,
    Call,
    Client,
    ConfigurationError,
    Proceed,
    Request,
    Response,
    Runtime,
    Service,
    Stage,
    Step,
    SyncRuntime,
    UsageError,
    operation,
)
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime

if TYPE_CHECKING:
    from tests.jackfield.conftest import Steps


def run(runtime: Runtime, work: Callable[[Runtime], Awaitable[Any]]) -> Any:
    """What the work gives, on whichever runtime."""

    async def main() -> Any:
        return await work(runtime)

    return runtime.run(main()) if isinstance(runtime, SyncRuntime) else asyncio.run(main())


RUNTIMES = pytest.mark.parametrize("make", [SyncRuntime, AsyncioRuntime, VirtualSyncRuntime, VirtualAsyncioRuntime])


class Foreign(Service):
    @operation
    async def touch(self, await_it: Callable[[], Awaitable[Any]]) -> str:
        """Awaits what it is given, and then sends a request."""
        await await_it()
        await self.send(Request("GET", self.url()))
        return "done"


class ForeignClient(Foreign, Client): ...


class Echo(Service):
    @operation
    async def echo(self, word: str) -> bytes:
        return (await self.send(Request("GET", self.url(word)))).content


class EchoClient(Echo, Client): ...


async def a_future() -> None:
    loop = asyncio.new_event_loop()
    try:
        await loop.create_future()
    finally:
        loop.close()


async def a_timeout() -> None:
    async with asyncio.timeout(1):
        await asyncio.sleep(0)


@asynccontextmanager
async def a_session() -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await asyncio.sleep(0)


async def a_session_with_a_call() -> None:
    async with a_session():
        await asyncio.sleep(0)


async def a_session_inside_a_session() -> None:
    async with a_session(), a_session():
        await asyncio.sleep(0)


async def a_clean_up() -> None:
    try:
        await asyncio.sleep(0)
    finally:
        await asyncio.sleep(0)
        await asyncio.sleep(0)


FOREIGN = pytest.mark.parametrize(
    "foreign",
    [
        lambda: asyncio.sleep(0),
        lambda: asyncio.sleep(1),
        a_future,
        a_timeout,
        lambda: asyncio.to_thread(len, ""),
        a_session_with_a_call,
        a_session_inside_a_session,
        a_clean_up,
    ],
    ids=["sleep-0", "sleep-1", "future", "timeout", "to-thread", "async-with", "async-with-twice", "finally"],
)


@FOREIGN
def test_a_sync_client_refuses_what_only_an_event_loop_can_wait_for_and_says_what_to_do(
    foreign: Callable[[], Awaitable[Any]],
) -> None:
    transport = FakeTransport(otherwise=Response(200))
    client = ForeignClient("https://h", transport=transport)

    with pytest.raises(UsageError, match=r"sync client.*may await only the runtime.*sleep.*never asyncio"):
        client.touch(foreign)

    assert transport.requests == []


@FOREIGN
def test_it_is_refused_inside_a_running_event_loop_too(foreign: Callable[[], Awaitable[Any]]) -> None:
    async def a_notebook_cell() -> None:
        async def work() -> None:
            await foreign()

        with pytest.raises(UsageError, match="never asyncio"):
            SyncRuntime().run(work())

    if foreign is a_future:
        return  # it makes a loop of its own, which nobody may do here
    asyncio.run(a_notebook_cell())


def test_a_step_that_awaits_asyncio_is_refused_as_an_operation_is(plugin: type[Steps]) -> None:
    async def impatient(request: Request, call: Call, proceed: Proceed) -> Response:
        await asyncio.sleep(0)
        return await proceed(request, call)

    steps = plugin("impatient", Step("impatient", Stage.LIMIT, impatient))
    client = ForeignClient("https://h", transport=FakeTransport(), plugins=[steps])

    async def nothing() -> None: ...

    with pytest.raises(UsageError, match="never asyncio"):
        client.touch(nothing)


def test_the_refused_coroutine_is_ended_so_that_its_clean_up_runs() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            ended.append("clean-up")

    with pytest.raises(UsageError):
        SyncRuntime().run(work())

    assert ended == ["clean-up"]


def test_an_error_of_the_work_itself_is_not_mistaken_for_a_foreign_await() -> None:
    async def work(runtime: Runtime) -> None:
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        run(SyncRuntime(), work)


@RUNTIMES
def test_a_runtime_gives_values_errors_and_a_clock(make: Callable[[], Runtime]) -> None:
    runtime = make()

    async def value(runtime: Runtime) -> str:
        await runtime.sleep(0)
        return "here"

    async def error(runtime: Runtime) -> None:
        raise KeyError("x")

    assert run(runtime, value) == "here"
    with pytest.raises(KeyError):
        run(runtime, error)
    before = runtime.monotonic()
    assert runtime.monotonic() >= before
    assert runtime.now() > 1_600_000_000
    drawn = [runtime.random() for _ in range(100)]
    assert all(0 <= number < 1 for number in drawn)
    assert len(set(drawn)) > 90
    nonces = {runtime.token_bytes(8) for _ in range(100)}
    assert {len(nonce) for nonce in nonces} == {8}
    assert len(nonces) == 100


@RUNTIMES
def test_what_is_offloaded_gives_its_value_or_its_error(make: Callable[[], Runtime]) -> None:
    runtime = make()

    def fails() -> None:
        raise KeyError("x")

    async def work(runtime: Runtime) -> str:
        with pytest.raises(KeyError, match="x"):
            await runtime.offload(fails)
        value = await runtime.offload(lambda: "here")
        await runtime.close()
        return value

    assert run(runtime, work) == "here"


@pytest.mark.parametrize(("make", "elsewhere"), [(SyncRuntime, False), (AsyncioRuntime, True)])
def test_sync_work_stays_in_the_thread_and_async_work_leaves_the_event_loop(
    make: Callable[[], Runtime], elsewhere: bool
) -> None:
    async def work(runtime: Runtime) -> int:
        ident = await runtime.offload(threading.get_ident)
        await runtime.close()
        return ident

    assert (run(make(), work) != threading.get_ident()) is elsewhere


def test_at_most_so_many_pieces_of_work_run_at_one_time() -> None:
    runtime = AsyncioRuntime(workers=3)
    guard, running, most = threading.Lock(), 0, 0
    three = threading.Barrier(3, timeout=20)

    def work() -> None:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        three.wait()
        with guard:
            running -= 1

    async def main() -> None:
        await asyncio.gather(*(runtime.offload(work) for _ in range(9)))
        await runtime.close()

    asyncio.run(main())

    assert most == 3


@pytest.mark.parametrize("workers", [0, -1])
def test_a_runtime_without_workers_is_refused(workers: int) -> None:
    with pytest.raises(ConfigurationError, match="1 or more"):
        AsyncioRuntime(workers=workers)


def test_offloaded_work_that_is_cancelled_while_it_waits_for_a_thread_never_starts() -> None:
    runtime = AsyncioRuntime(workers=1)
    go, begun = threading.Event(), threading.Event()
    done: list[str] = []

    def first() -> None:
        begun.set()
        assert go.wait(20)
        done.append("first")

    async def main() -> None:
        leading = asyncio.ensure_future(runtime.offload(first))
        while not begun.is_set():  # noqa: ASYNC110 - it is set in a thread
            await asyncio.sleep(0)
        second = asyncio.ensure_future(runtime.offload(lambda: done.append("second")))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.sleep(0)
        go.set()
        await leading
        await runtime.offload(lambda: done.append("third"))
        await runtime.close()

    asyncio.run(main())

    assert done == ["first", "third"]


def test_a_closed_runtime_has_given_back_its_threads_and_may_be_closed_again(
    new_threads: Callable[[str], list[str]],
) -> None:
    runtime = AsyncioRuntime()

    async def main() -> None:
        await asyncio.gather(*(runtime.offload(threading.get_ident) for _ in range(4)))
        assert new_threads("jackfield") != []
        await runtime.close()
        await runtime.close()

    asyncio.run(main())

    assert new_threads("jackfield") == []


def test_closing_a_runtime_waits_for_the_work_under_way() -> None:
    runtime = AsyncioRuntime()
    begun, go = threading.Event(), threading.Event()
    done: list[str] = []

    def work() -> None:
        begun.set()
        assert go.wait(20)
        done.append("work")

    async def main() -> None:
        working = asyncio.ensure_future(runtime.offload(work))
        while not begun.is_set():  # noqa: ASYNC110 - it is set in a thread
            await asyncio.sleep(0)
        closing = asyncio.ensure_future(runtime.close())
        for _ in range(10):
            await asyncio.sleep(0)
        assert not closing.done()
        go.set()
        await closing
        assert done == ["work"]
        await working

    asyncio.run(main())


def test_a_lock_lets_one_thread_in_at_a_time() -> None:
    runtime = SyncRuntime()
    lock = runtime.lock()
    inside, arriving, entered = threading.Event(), threading.Event(), threading.Event()
    order: list[str] = []

    async def first() -> None:
        async with lock:
            inside.set()
            assert arriving.wait(20)
            assert not entered.wait(0.05)  # the other would be in at once, were there no lock
            order.append("first")

    async def second() -> None:
        assert inside.wait(20)
        arriving.set()
        async with lock:
            entered.set()
            order.append("second")

    threads = [threading.Thread(target=runtime.run, args=(work(),)) for work in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert order == ["first", "second"]


def test_a_lock_lets_one_task_in_at_a_time() -> None:
    runtime = AsyncioRuntime()
    inside = 0

    async def main() -> None:
        lock = runtime.lock()

        async def enter() -> None:
            nonlocal inside
            async with lock:
                inside += 1
                await asyncio.sleep(0)
                assert inside == 1
                inside -= 1

        await asyncio.gather(*(enter() for _ in range(10)))

    asyncio.run(main())

    assert inside == 0


@RUNTIMES
def test_a_lock_is_free_again_after_an_error_inside_it(make: Callable[[], Runtime]) -> None:
    async def work(runtime: Runtime) -> str:
        lock = runtime.lock()
        with pytest.raises(KeyError):
            async with lock:
                raise KeyError
        async with lock:
            return "here"

    assert run(make(), work) == "here"


def test_two_locks_do_not_know_each_other() -> None:
    async def work(runtime: Runtime) -> str:
        async with runtime.lock(), runtime.lock():
            return "here"

    assert run(SyncRuntime(), work) == "here"
    assert run(AsyncioRuntime(), work) == "here"


@RUNTIMES
def test_a_signal_that_was_given_holds_nobody_up(make: Callable[[], Runtime]) -> None:
    async def work(runtime: Runtime) -> str:
        signal = runtime.signal()
        signal.set()
        signal.set()
        for _ in range(2):
            await signal.wait()
        return "through"

    assert run(make(), work) == "through"


@RUNTIMES
def test_a_signal_reaches_who_waits_from_another_thread(make: Callable[[], Runtime]) -> None:
    async def work(runtime: Runtime) -> str:
        signal = runtime.signal()
        thread = threading.Thread(target=signal.set)
        thread.start()
        await signal.wait(20)
        thread.join()
        return "through"

    assert run(make(), work) == "through"


@RUNTIMES
def test_who_waits_for_a_signal_that_never_comes_goes_on_after_the_time_given(make: Callable[[], Runtime]) -> None:
    async def work(runtime: Runtime) -> str:
        await runtime.signal().wait(0.001)
        return "through"

    assert run(make(), work) == "through"


def test_a_signal_wakes_an_event_loop_that_has_nothing_else_to_do() -> None:
    runtime = AsyncioRuntime()
    waiting = threading.Event()

    async def main() -> None:
        signal = runtime.signal()

        def later() -> None:
            assert waiting.wait(20)
            signal.set()

        thread = threading.Thread(target=later)
        thread.start()
        asyncio.get_running_loop().call_soon(waiting.set)
        await signal.wait(0.5)
        thread.join()

    asyncio.run(main(), debug=True)  # where what another thread must not do to a loop is an error


def test_a_signal_to_an_event_loop_that_has_ended_is_no_error() -> None:
    runtime = AsyncioRuntime()

    async def work(runtime: Runtime) -> Any:
        return runtime.signal()

    run(runtime, work).set()


def test_threads_may_share_a_sync_client() -> None:
    transport = FakeTransport(otherwise=lambda request: Response(200, body=request.url.path.encode()))
    with EchoClient("https://h", transport=transport) as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(client.echo, map(str, range(200)), timeout=20))

    assert answers == [f"/{number}".encode() for number in range(200)]


FORKED = """
import os
from jackfield import AsyncioRuntime, SyncRuntime
runtime = {kind}()
told, tell = os.pipe()
if (child := os.fork()) == 0:
    os.write(tell, repr(runtime.random()).encode())
    os._exit(0)
os.waitpid(child, 0)
print(os.read(told, 100).decode() == repr(runtime.random()))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
@pytest.mark.parametrize("kind", ["SyncRuntime", "AsyncioRuntime"])
def test_a_forked_child_has_chances_of_its_own(kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED.replace("{kind}", kind)], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "False\n"
