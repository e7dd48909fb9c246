"""Retry, tokens, limits and cancellation at once: programs that hypothesis thinks up, run under the simulator.

Whatever is called, cancelled, revoked or cut, and whenever: each call ends in time with its own answer or with an error
that is ours; no refresh token is sent twice; the limit is kept; and when the troubles are over, everything works again.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.servers.authorization import API, TOKEN_URL, AuthorizationServer

from jackfield import AsyncClient, Call, JackfieldError, Request, Response, Service, operation
from jackfield.testing import Cancelled, SimulatedNetwork, SimulatedRuntime
from jackfield_plugins.auth import ClientSecretBasic, Grant, OAuth2
from jackfield_plugins.limits import ConcurrencyLimit, RateLimit
from jackfield_plugins.retry import Retry, RetryBudget

LIMIT, CLIENTS, LIFETIME = 3, 2, 40.0
CALM = 200.0  # seconds after which nothing new happens


class Core(Service):
    @operation
    async def get(self, name: str, method: str = "GET") -> str:
        return (await self.send(Request(method, self.url(name)))).headers["x-path"]


class Api(Core, AsyncClient): ...


class Act(NamedTuple):
    """One thing that happens: a call, a call that is cancelled, the end of all tokens, or trouble on all ways."""

    kind: Literal["call", "cancel", "revoke", "trouble"]
    at: float
    seconds: float
    method: Literal["GET", "POST"]


seconds = st.floats(0.01, 60, allow_nan=False)
acts = st.builds(
    Act,
    kind=st.sampled_from(["call", "call", "call", "cancel", "cancel", "revoke", "trouble"]),
    at=st.floats(0, 100) | st.sampled_from([0.0, 1.0, LIFETIME - 10, LIFETIME]),
    seconds=seconds,
    method=st.sampled_from(["GET", "POST"]),
)


class World:
    """Clients that share tokens, budget and limits, and the services that they talk to."""

    def __init__(self, seed: int, trouble: float) -> None:
        self.runtime = SimulatedRuntime(seed, offload_seconds=0.01)
        self.server = AuthorizationServer(self.runtime.now, lifetime=LIFETIME)
        self.network = SimulatedNetwork(self.serve, trouble=trouble, latency=(0.0, 2.0))
        self.trouble = trouble
        self.inside = self.most = 0
        shared = [
            OAuth2(TOKEN_URL, Grant.client_credentials(), client=ClientSecretBasic("program", "secret")),
            Retry(budget=RetryBudget()),
            ConcurrencyLimit(LIMIT),
            RateLimit(20),
        ]
        self.clients = [
            Api(API, transport=self, runtime=self.runtime, plugins=shared, read_timeout=5.0) for _ in range(CLIENTS)
        ]

    def serve(self, request: Request) -> Response:
        response = self.server(request)
        return response.replace(headers=response.headers.replacing("x-path", request.url.path))

    async def send(self, request: Request, call: Call) -> Response:
        """The network, watched."""
        if str(request.url) == TOKEN_URL:
            return await self.network.send(request, call)
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            return await self.network.send(request, call)
        finally:
            self.inside -= 1

    async def close(self) -> None: ...

    async def call(self, number: int, act: Act) -> None:
        """A call in time: its own answer, or an error of ours."""
        runtime, began = self.runtime, self.runtime.elapsed
        client = self.clients[number % CLIENTS].with_options(timeout=act.seconds)
        try:
            outcome = await client.get(str(number), act.method)
            assert outcome == f"/{number}"
        except JackfieldError as error:
            outcome = type(error).__name__
            assert error.call is not None  # noqa: PT017 - which error it is, is not the question
        assert runtime.elapsed - began <= act.seconds + 1e-6
        runtime.note(outcome)

    async def perform(self, number: int, act: Act) -> None:
        await self.runtime.sleep(act.at)
        if act.kind == "call":
            await self.call(number, act)
        elif act.kind == "cancel":
            task = self.runtime.spawn(self.call(number, act._replace(seconds=60.0)))
            await self.runtime.sleep(act.seconds)
            task.cancel()
            try:
                await task
            except Cancelled:
                pass
        elif act.kind == "revoke":
            self.server.revoke()
        else:
            self.network.trouble = 1.0
            await self.runtime.sleep(act.seconds)
            self.network.trouble = self.trouble

    async def live(self, program: list[Act]) -> None:
        await self.runtime.gather(*(self.perform(number, act) for number, act in enumerate(program)))
        self.network.trouble = 0.0
        await self.runtime.sleep(CALM - self.runtime.elapsed)
        assert self.inside == 0
        for number, client in enumerate(self.clients):
            assert await client.with_options(timeout=60.0).get(f"after-{number}") == f"/after-{number}"

    def run(self, program: list[Act]) -> str:
        self.runtime.run(self.live(program))
        assert self.server.reused == []
        assert self.most <= LIMIT
        return self.runtime.digest()


@given(st.lists(acts, min_size=1, max_size=10), st.integers(0, 10**6), st.sampled_from([0.0, 0.1, 0.4]))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_whatever_happens_calls_end_as_promised_and_the_world_recovers(
    program: list[Act], seed: int, trouble: float
) -> None:
    World(seed, trouble).run(program)


BUSY = [
    *(Act("call", at, 20.0, method) for at in (0.0, 1.0, 10.0, 30.0, 39.0, 41.0) for method in ("GET", "POST", "GET")),
    *(Act("cancel", at, 1.5, method) for at in (0.0, 10.0, 30.0, 39.0) for method in ("GET", "POST")),
    Act("revoke", 10.5, 0.0, "GET"),
    Act("trouble", 40.0, 3.0, "GET"),
]


@pytest.mark.parametrize("seed", range(10))
def test_the_same_seed_is_the_same_story(seed: int) -> None:
    story = World(seed, 0.3).run(BUSY)

    assert story == World(seed, 0.3).run(BUSY)
    assert story != World(seed + 1, 0.3).run(BUSY)


def test_the_busy_story_has_it_all() -> None:
    world = World(1, 0.3)
    world.run(BUSY)

    assert world.most == LIMIT
    assert world.server.asked["client_credentials"] > 1
    assert world.server.asked["refresh_token"] > 1
    assert world.server.refused > 0
    assert len(world.network.met) > 3
    assert {"ended by Cancelled"} <= {text for _, _, text in world.runtime.log}
