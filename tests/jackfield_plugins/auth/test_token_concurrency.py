"""The token manager under real threads and tasks: one request for all, whoever is first, whatever goes wrong."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import pytest
from tests.servers import GUARD
from tests.servers.authorization import API, TOKEN_URL, AuthorizationServer

from jackfield import (
    AsyncClient,
    AsyncioRuntime,
    Call,
    Client,
    ConnectionLostError,
    DeadlineExceededError,
    JackfieldError,
    Request,
    Response,
    Service,
    SyncRuntime,
    operation,
)
from jackfield.testing import FakeTransport
from jackfield_plugins.auth import (
    ClientSecretBasic,
    Grant,
    MemoryTokenStore,
    OAuth2,
    RenewalLock,
    Token,
    TokenError,
)

THREADS, TASKS = 16, 64


class Core(Service):
    @operation
    async def thing(self) -> str:
        return (await self.send(Request("GET", self.url("thing")))).decode(dict[str, str])["token"]


class Api(Core, Client): ...


class AsyncApi(Core, AsyncClient): ...


async def until(condition: Callable[[], bool]) -> None:
    """Lets others run, threads or tasks, until it holds."""
    given_up = monotonic() + GUARD
    while not condition():
        assert monotonic() < given_up, "it never came about"
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            os.sched_yield()
        else:
            await asyncio.sleep(0)


class Clock:
    """Seconds since 1970; moves when the test says so."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0


class ThreadTime(SyncRuntime):
    """Real threads, a clock of the test's, and a count of those who wait for somebody else's work."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.now = lambda: clock.now
        self.waiting = 0

    def signal(self) -> Any:
        self.waiting += 1
        return super().signal()


class TaskTime(AsyncioRuntime):
    """Real tasks, and the same."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.now = lambda: clock.now
        self.waiting = 0

    def signal(self) -> Any:
        self.waiting += 1
        return super().signal()


class Gate(FakeTransport):
    """Lets the n-th token request through only when its gate has been passed."""

    def __init__(self, server: AuthorizationServer, *gates: Callable[[], Awaitable[None]]) -> None:
        super().__init__(otherwise=server)
        self._gates = list(gates)

    async def send(self, request: Request, call: Call) -> Response:
        if str(request.url) == TOKEN_URL and self._gates:
            await self._gates.pop(0)()
        return await super().send(request, call)


class Crowd:
    """Callers of one colour, all at the same time."""

    def __init__(self, colour: str) -> None:
        self.clock = Clock()
        self.server = AuthorizationServer(lambda: self.clock.now)
        self.auth = OAuth2(TOKEN_URL, Grant.password("ada", "pw"), client=ClientSecretBasic("id", "s"))
        self.colour = colour
        self.size = THREADS if colour == "threads" else TASKS
        self.runtime: Any = ThreadTime(self.clock) if colour == "threads" else TaskTime(self.clock)

    async def all_but_one_wait(self) -> None:
        await until(lambda: self.runtime.waiting >= self.size - 1)

    def client(self, transport: FakeTransport) -> Any:
        kind: Any = Api if self.colour == "threads" else AsyncApi
        return kind(API, transport=transport, runtime=self.runtime, plugins=[self.auth])

    def outcomes(self, transport: FakeTransport, calls: int = 1) -> list[Any]:
        """What each caller's calls give, or the first error that one of them meets."""
        client = self.client(transport)
        if self.colour == "threads":

            def caller() -> Any:
                try:
                    return [client.thing() for _ in range(calls)]
                except JackfieldError as error:
                    return error

            with ThreadPoolExecutor(self.size) as pool:
                return [one.result(GUARD) for one in [pool.submit(caller) for _ in range(self.size)]]

        async def task() -> list[str]:
            return [await client.thing() for _ in range(calls)]

        async def main() -> list[Any]:
            async with asyncio.timeout(GUARD):
                return await asyncio.gather(*(task() for _ in range(self.size)), return_exceptions=True)

        return asyncio.run(main())


@pytest.fixture(params=["threads", "tasks"])
def crowd(request: pytest.FixtureRequest) -> Crowd:
    return Crowd(request.param)


def test_a_crowd_without_a_token_asks_for_one(crowd: Crowd) -> None:
    outcomes = crowd.outcomes(Gate(crowd.server, crowd.all_but_one_wait))

    assert outcomes == [["access-1"]] * crowd.size
    assert crowd.server.asked == {"password": 1}


def test_a_crowd_with_a_token_that_ended_refreshes_it_once(crowd: Crowd) -> None:
    crowd.outcomes(FakeTransport(otherwise=crowd.server))
    crowd.clock.now += 3600
    crowd.runtime.waiting = 0
    crowd.server.asked.clear()

    outcomes = crowd.outcomes(Gate(crowd.server, crowd.all_but_one_wait))

    assert outcomes == [["access-3"]] * crowd.size
    assert crowd.server.asked == {"refresh_token": 1}
    assert crowd.server.reused == []


def test_ahead_of_the_end_one_refreshes_and_the_rest_go_on(crowd: Crowd) -> None:
    crowd.outcomes(FakeTransport(otherwise=crowd.server))
    crowd.clock.now += 3400
    crowd.runtime.waiting = 0
    served = crowd.server.served

    async def the_rest_is_served() -> None:
        await until(lambda: crowd.server.served >= served + crowd.size - 1)

    outcomes = crowd.outcomes(Gate(crowd.server, the_rest_is_served))

    assert sorted(outcomes) == [["access-1"]] * (crowd.size - 1) + [["access-3"]]
    assert crowd.runtime.waiting == 0
    assert crowd.server.asked == {"password": 1, "refresh_token": 1}


def test_when_asking_fails_everybody_is_told_and_the_next_ask_again(crowd: Crowd) -> None:
    crowd.server.answers = [Response(400, body=b'{"error": "invalid_grant"}')]

    outcomes = crowd.outcomes(Gate(crowd.server, crowd.all_but_one_wait))

    assert [type(outcome) for outcome in outcomes] == [TokenError] * crowd.size
    assert len({id(outcome) for outcome in outcomes}) == crowd.size
    assert {outcome.code for outcome in outcomes} == {"invalid_grant"}
    assert crowd.server.asked == {"password": 1}
    assert crowd.outcomes(FakeTransport(otherwise=crowd.server)) == [["access-1"]] * crowd.size


def test_a_refresh_whose_answer_is_lost_is_one_refresh_and_one_grant(crowd: Crowd) -> None:
    crowd.outcomes(FakeTransport(otherwise=crowd.server))
    crowd.clock.now += 3600
    crowd.runtime.waiting = 0
    crowd.server.answers = [ConnectionLostError("cut")]

    outcomes = crowd.outcomes(Gate(crowd.server, crowd.all_but_one_wait))

    assert outcomes == [["access-3"]] * crowd.size
    assert crowd.server.asked == {"password": 2, "refresh_token": 1}
    assert crowd.server.reused == []


def test_a_token_revoked_under_a_crowd_is_replaced_once(crowd: Crowd) -> None:
    crowd.outcomes(FakeTransport(otherwise=crowd.server))
    crowd.server.revoke()
    crowd.server.asked.clear()
    crowd.runtime.waiting = 0

    outcomes = crowd.outcomes(FakeTransport(otherwise=crowd.server), calls=4)

    assert outcomes == [["access-3"] * 4] * crowd.size
    assert crowd.server.asked == {"refresh_token": 1}
    assert crowd.server.reused == []


def test_tokens_that_end_all_the_time_are_asked_for_as_often_as_they_end(crowd: Crowd) -> None:
    crowd.server.lifetime = 100.0
    calls, step = 64, 0.25  # seconds of the clock for each answer of the API

    class Ticking(FakeTransport):
        async def send(self, request: Request, call: Call) -> Response:
            response = await super().send(request, call)
            with ticking:
                crowd.clock.now += step
            return response

    ticking = threading.Lock()
    outcomes = crowd.outcomes(Ticking(otherwise=crowd.server), calls)

    assert all(len(outcome) == calls for outcome in outcomes)
    assert crowd.server.reused == []
    assert crowd.server.asked["password"] == 1
    elapsed = crowd.clock.now - 1_700_000_000.0
    assert elapsed / 100.0 - 1 < crowd.server.asked["refresh_token"] <= elapsed / 75.0 + 1


def test_when_the_leader_is_cancelled_another_leads() -> None:
    crowd = Crowd("tasks")
    leading = asyncio.Event()

    async def hang() -> None:
        leading.set()
        await asyncio.Event().wait()

    async def main() -> list[Any]:
        client = crowd.client(Gate(crowd.server, hang))
        leader = asyncio.create_task(client.thing())
        await leading.wait()
        rest = [asyncio.create_task(client.thing()) for _ in range(TASKS - 1)]
        await crowd.all_but_one_wait()
        leader.cancel()
        async with asyncio.timeout(GUARD):
            return await asyncio.gather(leader, *rest, return_exceptions=True)

    first, *others = asyncio.run(main())

    assert isinstance(first, asyncio.CancelledError)
    assert others == ["access-1"] * (TASKS - 1)
    assert crowd.server.asked == {"password": 1}


@pytest.mark.parametrize("steps", range(1, 12))
def test_cancelled_at_whatever_step_nothing_is_sent_twice_and_the_next_call_succeeds(steps: int) -> None:
    crowd = Crowd("tasks")

    async def slow() -> None:
        for _ in range(4):
            await asyncio.sleep(0)

    async def main() -> str:
        client = crowd.client(Gate(crowd.server, slow, slow, slow))
        await client.thing()
        crowd.clock.now += 3600
        refreshing = asyncio.create_task(client.thing())
        for _ in range(steps):
            await asyncio.sleep(0)
        refreshing.cancel()
        await asyncio.gather(refreshing, return_exceptions=True)
        token: str = await client.thing()
        return token

    assert asyncio.run(main()).startswith("access-")
    assert crowd.server.reused == []
    assert crowd.server.refused == 0


def test_who_waits_for_others_does_so_until_the_deadline() -> None:
    crowd = Crowd("threads")
    waited = threading.Event()

    async def hold() -> None:
        assert waited.wait(GUARD)

    client = crowd.client(Gate(crowd.server, hold))
    with ThreadPoolExecutor(1) as pool:
        leading = pool.submit(client.thing)
        while not crowd.auth._manager._flights._flying:
            os.sched_yield()
        with pytest.raises(DeadlineExceededError, match=r"within 0.01 s"):
            client.with_options(timeout=0.01).thing()
        waited.set()

        assert leading.result(GUARD) == "access-1"


def test_threads_and_tasks_that_share_an_object_share_one_request() -> None:
    threads, tasks = Crowd("threads"), Crowd("tasks")
    tasks.server, tasks.auth, tasks.clock = threads.server, threads.auth, threads.clock

    async def everybody_waits() -> None:
        await until(lambda: threads.runtime.waiting + tasks.runtime.waiting >= THREADS + TASKS - 1)

    transport = Gate(threads.server, everybody_waits)
    with ThreadPoolExecutor(2) as pool:
        outcomes = [pool.submit(crowd.outcomes, transport) for crowd in (threads, tasks)]
        tokens = [token for one in outcomes for (token,) in one.result(GUARD)]

    assert tokens == ["access-1"] * (THREADS + TASKS)
    assert threads.server.asked == {"password": 1}


def test_the_lock_on_a_token_is_kept_until_a_cancelled_save_has_ended() -> None:
    crowd = Crowd("tasks")
    saving, order = threading.Event(), list[str]()

    class Lock:
        released = threading.Event()

        def acquire(self) -> bool:
            return True

        def release(self) -> None:
            order.append("released")
            self.released.set()

    class Slow(MemoryTokenStore):
        blocks = True  # so that it runs in a thread

        def save(self, key: str, token: Token) -> None:
            saving.set()
            Lock.released.wait(0.1)  # which it must not be before this has ended
            order.append("saved")

        def lock(self, key: str) -> RenewalLock:
            return Lock()

    crowd.auth = OAuth2(TOKEN_URL, Grant.client_credentials(), store=Slow())

    async def main() -> None:
        client = crowd.client(FakeTransport(otherwise=crowd.server))
        call = asyncio.create_task(client.thing())
        await until(saving.is_set)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await client.aclose()
        await crowd.runtime.close()

    asyncio.run(main())

    assert order == ["saved", "released"]
