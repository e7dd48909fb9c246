"""What 1,000 clients do to a service that is down, and how they come back; the model is the one that docs show."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from jackfield import AsyncClient, Request, Response, Service, operation
from jackfield.testing import SimulatedNetwork, SimulatedRuntime
from jackfield_plugins.retry import Retry, RetryBudget

MODEL = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "resilience" / "outage.py"))
BUCKET = 500
CLIENTS, DOWN, UP, CAP, PAUSE = (MODEL[name] for name in ("CLIENTS", "DOWN", "UP", "CAP", "PAUSE"))


@pytest.fixture(scope="module")
def outage() -> Any:
    return MODEL["simulate"](RetryBudget())


def test_retries_add_a_tenth_to_the_load_at_most_and_what_the_bucket_holds(outage: Any) -> None:
    assert outage.calls > 10 * CLIENTS
    assert outage.failed > 5 * CLIENTS  # it was an outage
    assert len(outage.requests) <= 1.1 * outage.calls + BUCKET


def test_without_a_budget_the_load_would_grow() -> None:
    unbounded = MODEL["simulate"](RetryBudget(10**9), clients=100)

    assert len(unbounded.requests) > 1.5 * unbounded.calls


def test_every_client_is_back_within_twice_the_largest_backoff(outage: Any) -> None:
    assert len(outage.recovered) == CLIENTS
    assert min(outage.recovered) - UP < 1
    assert max(outage.recovered) - UP <= 2 * CAP


def test_no_second_of_the_outage_or_after_it_sees_a_burst(outage: Any) -> None:
    steady = CLIENTS / PAUSE

    assert max(outage.rate()) <= 2 * steady


def test_the_same_seed_is_the_same_outage() -> None:
    def digest(seed: int) -> str:
        return str(MODEL["simulate"](RetryBudget(), seed=seed, clients=20).digest)

    assert digest(1) == digest(1) != digest(2)


class Storm(Service):
    @operation
    async def get(self) -> int:
        return (await self.send(Request("GET", self.url("storm")))).status


class AsyncStorm(Storm, AsyncClient): ...


@pytest.mark.parametrize("headers", [{"retry-after": "10"}, {}])
def test_clients_that_were_refused_at_one_instant_do_not_come_back_at_one_instant(headers: dict[str, str]) -> None:
    clients, runtime, back = 500, SimulatedRuntime(7), list[float]()

    def service(request: Request) -> Response:
        if runtime.elapsed == 0:
            return Response(429, headers)
        back.append(runtime.elapsed)
        return Response(200)

    network = SimulatedNetwork(service, latency=(0, 0))
    retry = Retry(budget=RetryBudget(10**9), throttle_base=10.0)
    client = AsyncStorm("https://api.example.test", transport=network, runtime=runtime, plugins=[retry])

    runtime.run(runtime.gather(*(client.get() for _ in range(clients))))

    window = 10.0
    told = float(headers.get("retry-after", 0))
    assert len(back) == clients
    assert told <= min(back)
    assert max(back) - min(back) >= window / 2
    tenths = [sum(1 for time in back if at <= (time - told) * 10 < at + 1) for at in range(200)]
    assert max(tenths) <= clients * 0.05  # in no tenth of a second more than one in twenty
