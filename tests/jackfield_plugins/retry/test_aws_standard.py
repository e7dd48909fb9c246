"""AWS's test cases for the "standard" retry mode, of both editions, through a client."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jackfield import Client, Request, Response, Service, Without, operation
from jackfield.testing import FakeTransport, VirtualSyncRuntime
from jackfield_plugins.retry import Retry, RetryBudget

VECTOR = json.loads((Path(__file__).parents[2] / "vectors" / "retry_aws_standard_sep.json").read_text())
RETRIED = {500, 502, 503, 504}


class Hub(Service):
    @operation
    async def ask(self) -> int:
        return (await self.send(Request("GET", self.url()))).status


class HubClient(Hub, Client): ...


def policy(case: dict[str, Any]) -> tuple[Retry, RetryBudget]:
    given, constants = case["given"], VECTOR["constants"]
    tokens = given["initial_retry_tokens"]
    if case["edition"].startswith("2026"):
        cost, throttle = constants["v2026_retry_cost"], constants["v2026_throttle_cost"]
        budget = RetryBudget(tokens, transient=cost, timeout=cost, throttle=throttle)
        base, throttle_base = constants["v2026_base_delay_transient_s"], constants["v2026_base_delay_throttle_s"]
    else:
        cost = constants["retry_cost"]
        budget = RetryBudget(tokens, transient=cost, timeout=constants["timeout_retry_cost"], throttle=cost)
        base = throttle_base = 1.0
    cap = float(given.get("max_backoff_time", 20))
    retry = Retry(
        max_attempts=given["max_attempts"],
        base=base,
        throttle_base=throttle_base,
        cap=cap,
        statuses=RETRIED,
        budget=budget,
    )
    return retry, budget


@pytest.mark.parametrize("case", VECTOR["cases"], ids=lambda case: f"{case['edition'][:4]}: {case['name']}")
def test_the_case_goes_as_told(case: dict[str, Any]) -> None:
    retry, budget = policy(case)
    runtime = VirtualSyncRuntime()
    runtime.random = lambda: 1.0
    quotas: list[int] = []

    def serve(request: Request) -> Response:
        quotas.append(budget.tokens)
        return Response(steps[len(quotas) - 1]["response"]["status_code"])

    steps = case["responses"]
    client = HubClient(
        "https://h", plugins=[retry, Without("errors")], transport=FakeTransport(otherwise=serve), runtime=runtime
    )
    final: list[int] = []
    while len(quotas) < len(steps):
        client.ask()
        final.append(len(quotas))
        assert budget.tokens == steps[len(quotas) - 1]["expected"]["retry_quota"]

    ends = [number for number, step in enumerate(steps, 1) if step["expected"]["outcome"] != "retry_request"]
    assert final == ends
    assert runtime.sleeps == pytest.approx([step["expected"]["delay"] for step in steps if "delay" in step["expected"]])
    for number, step in enumerate(steps[:-1]):
        assert quotas[number + 1] == step["expected"]["retry_quota"]
