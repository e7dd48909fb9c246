"""Hedging: a second attempt when the first is late, the first good answer, and nothing left of the others."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from math import inf, nan
from typing import TYPE_CHECKING, Any

import pytest
from tests import skipping
from tests.skipping import SkippingRuntime

from jackfield import (
    AsyncClient,
    Call,
    Client,
    ConfigurationError,
    ConnectionLostError,
    DeadlineExceededError,
    Proceed,
    Request,
    Response,
    Service,
    ServiceError,
    Stage,
    Step,
    StreamBody,
    hookimpl,
    operation,
)
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime
from jackfield_plugins.breaker import CircuitBreaker
from jackfield_plugins.hedging import Hedging
from jackfield_plugins.limits import ConcurrencyLimit, RateLimit
from jackfield_plugins.retry import Retry

if TYPE_CHECKING:
    from tests.servers import Peer, Serve

GUARD = 10.0


class Hub(Service):
    @operation
    async def get(self, method: str = "GET", body: Any = b"") -> int:
        return (await self.send(Request(method, self.url(), body=body))).status

    @operation
    async def stream(self) -> Any:
        return (await self.send(Request("GET", self.url()), stream=True)).body


class HubClient(Hub, Client): ...


class AsyncHubClient(Hub, AsyncClient): ...


class Body:
    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = 0

    async def read(self) -> bytes:
        return b""

    async def close(self) -> None:
        self.closed += 1


class Transport:
    """The n-th attempt takes so many turns of the event loop, None: for ever; and then has this outcome."""

    def __init__(self, *attempts: tuple[int | None, Response | Exception]) -> None:
        self.attempts = list(attempts)
        self.sent = 0
        self.cancelled = 0
        self.requests: list[Request] = []

    async def send(self, request: Request, call: Call) -> Response:
        turns, outcome = self.attempts[self.sent % len(self.attempts)]
        self.sent += 1
        self.requests.append(request)
        try:
            if turns is None:
                await asyncio.Event().wait()
            for _ in range(turns or 0):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def close(self) -> None: ...


def make(transport: Any, *plugins: object, **options: Any) -> AsyncHubClient:
    options.setdefault("runtime", VirtualAsyncioRuntime())
    return AsyncHubClient("https://h", transport=transport, plugins=plugins, **options)


def run(call: Awaitable[Any]) -> Any:
    async def main() -> Any:
        value = await asyncio.wait_for(call, GUARD)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return value

    return asyncio.run(main())


GOOD, BUSY, CUT = Response(200), Response(503), ConnectionLostError("cut")


def test_a_prompt_answer_is_asked_for_once() -> None:
    transport = Transport((0, GOOD))
    client = make(transport, Hedging(3))

    assert run(client.get()) == 200
    assert transport.sent == 1
    assert isinstance(client.runtime, VirtualAsyncioRuntime)
    assert client.runtime.sleeps == []


def test_a_late_answer_is_asked_for_again_after_the_delay_and_the_loser_is_cancelled() -> None:
    transport = Transport((None, GOOD), (0, Response(204)))
    client = make(transport, Hedging(3))

    assert run(client.get()) == 204
    assert (transport.sent, transport.cancelled) == (2, 1)
    assert isinstance(client.runtime, VirtualAsyncioRuntime)
    assert client.runtime.sleeps == [3]


def test_the_first_attempt_may_win_after_all() -> None:
    transport = Transport((8, GOOD), (None, GOOD))

    assert run(make(transport, Hedging(3)).get()) == 200
    assert (transport.sent, transport.cancelled) == (2, 1)


@pytest.mark.parametrize("bad", [Response(429), Response(500), BUSY, CUT], ids=str)
def test_a_bad_outcome_waits_for_a_good_one(bad: Response | Exception) -> None:
    transport = Transport((8, bad), (16, GOOD))

    assert run(make(transport, Hedging(3)).get()) == 200
    assert transport.cancelled == 0


@pytest.mark.parametrize("status", [204, 400, 404])
def test_an_answer_that_another_attempt_would_not_change_wins(status: int) -> None:
    transport = Transport((8, Response(status)), (None, GOOD))
    client = make(transport, Hedging(3))

    if status < 400:
        assert run(client.get()) == status
    else:
        with pytest.raises(ServiceError, match=str(status)):
            run(client.get())


def test_when_all_outcomes_are_bad_that_of_the_first_attempt_counts() -> None:
    with pytest.raises(ServiceError, match="503"):
        run(make(Transport((8, BUSY), (8, CUT)), Hedging(3)).get())
    with pytest.raises(ConnectionLostError):
        run(make(Transport((8, CUT), (8, BUSY)), Hedging(3)).get())


def test_a_bad_outcome_before_the_delay_is_left_to_retry() -> None:
    transport = Transport((0, BUSY), (0, GOOD))

    assert run(make(transport, Hedging(3), Retry()).get()) == 200
    assert transport.sent == 2


def test_there_are_so_many_hedges_and_no_more() -> None:
    transport = Transport((None, GOOD), (None, GOOD), (40, GOOD), (0, GOOD))

    assert run(make(transport, Hedging(3, max_hedges=2, budget=2)).get()) == 200
    assert (transport.sent, transport.cancelled) == (3, 2)


def test_a_hedge_that_the_budget_does_not_pay_for_is_not_sent() -> None:
    transport = Transport((None, GOOD), (40, GOOD), (0, GOOD))

    assert run(make(transport, Hedging(3, max_hedges=2)).get()) == 200
    assert (transport.sent, transport.cancelled) == (2, 1)


@pytest.mark.parametrize(
    ("method", "body", "hedged"),
    [
        ("GET", b"", True),
        ("PUT", b"x", True),
        ("PUT", StreamBody(lambda: [b"x"]), True),
        ("POST", b"x", False),
        ("PATCH", b"x", False),
        ("PUT", StreamBody.once([b"x"]), False),
    ],
)
def test_only_what_may_be_sent_twice_is(method: str, body: Any, hedged: bool) -> None:
    transport = Transport((20, GOOD), (None, GOOD))

    run(make(transport, Hedging(3)).get(method, body))

    assert transport.sent == 1 + hedged


def test_hedges_are_one_in_twenty_in_the_long_run() -> None:
    transport = Transport((20, GOOD))
    client = make(transport, Hedging(0.001))

    async def main() -> None:
        for _ in range(1000):
            await client.get()

    run(main())

    assert 1045 <= transport.sent <= 1000 * 1.05 + 1


def test_a_quiet_time_saves_ten_hedges_and_no_more() -> None:
    quick, slow = Transport((0, GOOD)), Transport((20, GOOD))
    hedging = Hedging(0.001, budget=0.05)

    async def main() -> None:
        for _ in range(1000):
            await make(quick, hedging).get()
        for _ in range(100):
            await make(slow, hedging).get()

    run(main())

    assert 110 <= slow.sent <= 115


def test_threads_share_a_budget() -> None:
    hedging, guard, sent = Hedging(0.001), threading.Lock(), [0]

    def calls(_: int) -> None:
        transport = Transport((20, GOOD))
        client = make(transport, hedging)

        async def main() -> None:
            await asyncio.gather(*(client.get() for _ in range(100)))

        run(main())
        with guard:
            sent[0] += transport.sent

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(calls, range(8)))

    assert 800 < sent[0] <= 800 * 1.05 + 1


def test_the_streams_of_losers_are_closed_and_the_winners_is_not() -> None:
    bodies = [Body("a"), Body("b")]
    transport = Transport((8, Response(503, body=bodies[0])), (16, Response(200, body=bodies[1])))

    assert run(make(transport, Hedging(3)).stream()) is bodies[1]
    assert [body.closed for body in bodies] == [1, 0]


def test_a_losers_stream_that_cannot_be_closed_costs_nobody_the_winner() -> None:
    class Broken(Body):
        async def close(self) -> None:
            raise OSError("broken")

    winner = Body("b")
    transport = Transport((8, Response(503, body=Broken("a"))), (16, Response(200, body=winner)))

    assert run(make(transport, Hedging(3)).stream()) is winner


def test_each_attempt_passes_the_steps_below_by_itself() -> None:
    class Numbered:
        name = "auth"
        count = 0

        @hookimpl
        def jackfield_steps(self) -> list[Step]:
            return [Step(self.name, Stage.AUTH, self.run)]

        async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
            self.count += 1
            return await proceed(request.with_headers(request.headers.replacing("n", str(self.count))), call)

    transport = Transport((None, GOOD), (0, GOOD))

    run(make(transport, Hedging(3), Numbered()).get())

    assert [request.headers["n"] for request in transport.requests] == ["1", "2"]


def test_a_hedge_needs_a_place_of_its_own_and_the_loser_gives_its_back() -> None:
    limit = ConcurrencyLimit(2)
    client = make(Transport((None, GOOD), (0, GOOD)), Hedging(3, budget=1), limit)

    async def main() -> list[int]:
        return [await client.get() for _ in range(10)]

    assert run(main()) == [200] * 10


def test_it_stands_before_the_breaker_and_the_limits() -> None:
    client = make(FakeTransport(), RateLimit(1), ConcurrencyLimit(1), CircuitBreaker(), Hedging(1))

    names = [part.step.name for part in client.chain.parts if part.step.stage is Stage.LIMIT]

    assert names == ["hedging", "breaker", "concurrency", "rate"]


def test_the_deadline_ends_all_attempts() -> None:
    transport = Transport((None, GOOD))

    with pytest.raises(DeadlineExceededError) as caught:
        skipping.run(make(transport, Hedging(3), timeout=60, runtime=SkippingRuntime()).get())

    assert caught.value.call is not None
    assert caught.value.call.elapsed == 60
    assert (transport.sent, transport.cancelled) == (2, 2)


@pytest.mark.parametrize("steps", range(20))
def test_a_call_cancelled_at_any_step_leaves_no_attempt(steps: int) -> None:
    transport = Transport((None, GOOD))

    async def main() -> None:
        task = asyncio.create_task(make(transport, Hedging(3)).get())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    gc.collect()
    assert transport.sent == transport.cancelled


def test_explaining_a_call_costs_no_budget_and_sends_nothing() -> None:
    transport = Transport((0, GOOD))
    client = make(transport, Hedging(3))

    run(client.get.explain())

    assert transport.sent == 0


def test_a_sync_client_says_at_once_that_it_cannot() -> None:
    client = HubClient("https://h", transport=FakeTransport(), plugins=[Hedging(1)])

    with pytest.raises(ConfigurationError, match="async client"):
        client.get()


@pytest.mark.usefixtures("nothing_left")
def test_the_connection_of_the_loser_is_dropped(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        if peer.number == 1:
            peer.hang()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    server = serve(script)

    async def main() -> int:
        async with AsyncHubClient(server.url, plugins=[Hedging(0.02)]) as client:
            status = await client.get()
            assert await asyncio.to_thread(server.peer(1).ended.wait, GUARD)
            return status

    assert asyncio.run(main()) == 200


@pytest.mark.parametrize("number", [0, -1, True, 1.5, "1", None])
def test_a_number_of_hedges_that_makes_no_sense_is_refused(number: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_hedges"):
        Hedging(1, max_hedges=number)


@pytest.mark.parametrize("seconds", [0, -1, inf, nan, "1", True])
def test_a_delay_that_makes_no_sense_is_refused(seconds: Any) -> None:
    with pytest.raises(ConfigurationError, match="delay"):
        Hedging(seconds)


@pytest.mark.parametrize("budget", [0, -1, inf, nan, "1", True, 1.1])
def test_a_budget_that_makes_no_sense_is_refused(budget: Any) -> None:
    with pytest.raises(ConfigurationError, match="budget"):
        Hedging(1, budget=budget)


@pytest.mark.parametrize("budget", [10.1, 10**400])
def test_more_hedges_per_request_than_can_be_saved_up_make_no_sense(budget: Any) -> None:
    with pytest.raises(ConfigurationError, match="at most max_hedges and 10"):
        Hedging(1, max_hedges=10**401, budget=budget)
