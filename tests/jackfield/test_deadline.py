"""The one total deadline of a call, on virtual time; also where asyncio can interrupt what hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from tests import skipping
from tests.skipping import SkippingRuntime

from jackfield import (
    AsyncClient,
    Call,
    Client,
    DeadlineExceededError,
    Proceed,
    Request,
    Response,
    Runtime,
    Service,
    Stage,
    Step,
    SyncRuntime,
    Without,
    operation,
)
from jackfield.testing import FakeTransport

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour, Steps


class Core(Service):
    @operation
    async def get(self) -> bytes:
        return (await self.send(Request("GET", self.url()))).content

    @operation
    async def get_after(self, seconds: float) -> bytes:
        """Waits between two requests."""
        await self.send(Request("GET", self.url("first")))
        await self.runtime.sleep(seconds)
        return (await self.send(Request("GET", self.url("second")))).content

    @operation
    async def outer(self, seconds: float) -> bytes:
        await self.runtime.sleep(seconds)
        return await self.get()

    @operation
    async def outer_with_more_time(self, seconds: float) -> bytes:
        await self.runtime.sleep(seconds)
        return await self.with_options(timeout=1000).get()

    @operation
    async def limits(self, *seconds: float) -> list[float]:
        await self.send(Request("GET", self.url()))
        return [self.call.limit(one) for one in seconds]

    @operation(bounded=False)
    async def unhurried(self) -> bytes:
        await self.get_after(50)
        await self.runtime.sleep(10_000)
        await self.send(Request("GET", self.url("third")))
        await self.runtime.sleep(10_000)
        return await self.get_after(50)


class CoreClient(Core, Client): ...


class AsyncCoreClient(Core, AsyncClient): ...


def waiting(seconds: float, stage: Stage = Stage.LIMIT) -> Step:
    """A step that waits before it proceeds."""

    async def wait(request: Request, call: Call, proceed: Proceed) -> Response:
        await call.runtime.sleep(seconds)
        call.limit(1)  # as every transport does
        return await proceed(request, call)

    return Step("waiting", stage, wait)


class Hanging:
    """A transport that never answers, and knows whether it was interrupted."""

    def __init__(self) -> None:
        self.interrupted = False

    async def send(self, request: Request, call: Call) -> Response:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.interrupted = True
            raise
        raise AssertionError("never")

    async def close(self) -> None:
        pass


# --- on virtual time


def test_a_call_whose_time_is_up_sends_nothing_more(colour: Colour) -> None:
    transport = FakeTransport(otherwise=Response(200))
    client = colour.client(Core, transport, timeout=60)

    with pytest.raises(DeadlineExceededError, match="within 60 s") as caught:
        colour.get(client.get_after(60))

    assert [request.url.path for request in transport.requests] == ["/v1/first"]
    assert caught.value.call is not None
    assert caught.value.call.elapsed == 60


def test_a_call_that_is_just_in_time_goes_through(colour: Colour) -> None:
    transport = FakeTransport(otherwise=Response(200))

    colour.get(colour.client(Core, transport, timeout=60).get_after(59.9))

    assert len(transport.requests) == 2


def test_the_time_of_a_call_begins_with_the_call(colour: Colour) -> None:
    client = colour.client(Core, timeout=60)

    for _ in range(3):
        colour.get(client.get_after(50))

    assert client.runtime.elapsed == 150


def test_a_step_that_waits_too_long_ends_the_call(colour: Colour, plugin: type[Steps]) -> None:
    transport = FakeTransport()
    client = colour.client(Core, transport, timeout=5, plugins=[plugin("waiting", waiting(6))])

    with pytest.raises(DeadlineExceededError, match="within 5 s"):
        colour.get(client.get())
    assert transport.requests == []


def test_what_an_operation_awaits_ends_with_it(colour: Colour) -> None:
    transport = FakeTransport(otherwise=Response(200))
    client = colour.client(Core, transport, timeout=60)

    colour.get(client.outer(59))
    with pytest.raises(DeadlineExceededError):
        colour.get(client.outer(61))

    assert len(transport.requests) == 1


def test_an_inner_view_with_more_time_gets_no_more_than_the_outer_call_has(colour: Colour) -> None:
    transport = FakeTransport(otherwise=Response(200))

    with pytest.raises(DeadlineExceededError, match="within 60 s"):
        colour.get(colour.client(Core, transport, timeout=60).outer_with_more_time(61))

    assert transport.requests == []


def test_an_operation_without_a_total_gives_each_of_its_requests_one(colour: Colour) -> None:
    transport = FakeTransport(otherwise=Response(200))
    client = colour.client(Core, transport, timeout=60)

    colour.get(client.unhurried())

    assert len(transport.requests) == 5
    assert client.runtime.elapsed == 20_100


def test_an_operation_without_a_total_still_ends_when_one_of_its_requests_is_late(
    colour: Colour, plugin: type[Steps]
) -> None:
    client = colour.client(Core, timeout=5, plugins=[plugin("waiting", waiting(6))])

    with pytest.raises(DeadlineExceededError):
        colour.get(client.unhurried())


def test_a_limit_is_the_time_given_or_what_is_left_if_that_is_less(colour: Colour) -> None:
    client = colour.client(Core, timeout=60)

    assert colour.get(client.limits(10, 60, 100, float("inf"), 0.5)) == [10, 60, 60, 60, 0.5]


def test_a_view_may_have_another_total(colour: Colour) -> None:
    client = colour.client(Core, timeout=60)

    with pytest.raises(DeadlineExceededError, match="within 5 s"):
        colour.get(client.with_options(timeout=5).get_after(6))
    colour.get(client.get_after(6))


def test_a_total_is_60_seconds_where_nobody_says(colour: Colour) -> None:
    with pytest.raises(DeadlineExceededError, match="within 60 s"):
        colour.get(colour.client(Core).get_after(61))


def test_a_timeout_error_of_a_step_is_not_taken_for_the_deadline(colour: Colour, plugin: type[Steps]) -> None:
    async def fail(request: Request, call: Call, proceed: Proceed) -> Response:
        raise TimeoutError("of its own")

    client = colour.client(Core, plugins=[plugin("fail", Step("fail", Stage.LIMIT, fail))])

    with pytest.raises(TimeoutError, match="of its own"):
        colour.get(client.get())


def test_without_its_plugin_the_deadline_is_still_the_transports_limit(colour: Colour, plugin: type[Steps]) -> None:
    client = colour.client(Core, timeout=5, plugins=[plugin("waiting", waiting(6)), Without("deadline")])

    with pytest.raises(DeadlineExceededError):
        colour.get(client.get())


# --- what hangs


def test_a_transport_that_hangs_is_interrupted_and_the_error_says_why() -> None:
    transport = Hanging()

    async def main() -> None:
        async with AsyncCoreClient("https://h", transport=transport, timeout=60, runtime=SkippingRuntime()) as client:
            await client.get()

    with pytest.raises(DeadlineExceededError, match="within 60 s") as caught:
        skipping.run(main())

    assert transport.interrupted
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert caught.value.call is not None
    assert (caught.value.call.attempts, caught.value.call.elapsed) == (1, 60)


def test_a_call_that_is_cancelled_from_outside_stays_cancelled() -> None:
    transport = Hanging()

    async def main() -> None:
        async with AsyncCoreClient("https://h", transport=transport) as client:
            task = asyncio.ensure_future(client.get())
            while not task.done():
                await asyncio.sleep(0)
                task.cancel()
            assert task.cancelled()

    asyncio.run(main())

    assert transport.interrupted


def test_a_timeout_of_the_caller_stays_the_callers() -> None:
    transport = Hanging()

    async def main() -> None:
        async with AsyncCoreClient("https://h", transport=transport) as client, asyncio.timeout(5):
            await client.get()

    with pytest.raises(TimeoutError):
        skipping.run(main())

    assert transport.interrupted


def run(runtime: Runtime, work: Callable[[], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        return await work()

    return runtime.run(main()) if isinstance(runtime, SyncRuntime) else skipping.run(main())


@pytest.mark.parametrize("runtime", [SyncRuntime(), SkippingRuntime()], ids=["sync", "asyncio"])
def test_within_gives_what_the_work_gives_and_raises_what_it_raises(runtime: Runtime) -> None:
    async def value() -> str:
        return "here"

    async def error() -> None:
        raise KeyError("x")

    assert run(runtime, lambda: runtime.within(5, value())) == "here"
    with pytest.raises(KeyError):
        run(runtime, lambda: runtime.within(5, error()))


def test_within_interrupts_what_takes_too_long_and_lets_it_clean_up() -> None:
    runtime = SkippingRuntime()
    cleaned: list[str] = []

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append("up")

    async def limited() -> float:
        with pytest.raises(TimeoutError):
            await runtime.within(5, hang())
        return runtime.monotonic()

    assert run(runtime, limited) == 5
    assert cleaned == ["up"]


def test_of_two_nested_limits_the_inner_one_is_told_apart() -> None:
    runtime = SkippingRuntime()

    async def outer() -> str:
        try:
            await runtime.within(5, asyncio.Event().wait())
        except TimeoutError:
            return f"the inner one, after {runtime.monotonic()} s"
        return "none"

    assert run(runtime, lambda: runtime.within(60, outer())) == "the inner one, after 5.0 s"
