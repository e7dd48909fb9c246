"""An outage, simulated: 1,000 clients that share a retry budget, and a service that is down for two minutes.

`python docs/resilience/outage.py` draws `outage.png`, and needs matplotlib for that, which nothing else here does. The
tests run `simulate` and hold its figures.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from jackfield import AsyncClient, JackfieldError, Request, Response, Service, operation
from jackfield.testing import SimulatedNetwork, SimulatedRuntime
from jackfield_plugins.retry import Retry, RetryBudget

CLIENTS = 1000
PAUSE = 20.0  # seconds between two calls of a client, on average
DOWN, UP, END = 60.0, 180.0, 260.0  # seconds since the start
CAP = 20.0  # seconds, the largest backoff


class Clock(Service):
    @operation
    async def time(self) -> int:
        return (await self.send(Request("GET", self.url("time")))).status


class AsyncClock(Clock, AsyncClient): ...


class Outage(NamedTuple):
    """What was seen.

    Attributes:
        calls: how many were made.
        failed: how many of them failed.
        requests: when each reached the service, seconds.
        recovered: when each client had its first success after the service came back.
        digest: of the whole run.
    """

    calls: int
    failed: int
    requests: list[float]
    recovered: list[float]
    digest: str

    def rate(self) -> list[int]:
        """Requests in each second."""
        seconds = Counter(int(time) for time in self.requests)
        return [seconds[second] for second in range(int(END))]


def simulate(budget: RetryBudget, seed: int = 0, clients: int = CLIENTS) -> Outage:
    """Runs it."""
    runtime = SimulatedRuntime(seed)
    requests: list[float] = []
    recovered: list[float] = []
    counts: Counter[str] = Counter()

    def service(request: Request) -> Response:
        requests.append(runtime.elapsed)
        return Response(503 if DOWN <= runtime.elapsed < UP else 200)

    async def user(client: AsyncClock) -> None:
        await runtime.sleep(runtime.random() * PAUSE)
        waits_for_recovery = True
        while runtime.elapsed < END:
            counts["calls"] += 1
            try:
                await client.time()
            except JackfieldError:
                counts["failed"] += 1
            else:
                if runtime.elapsed >= UP and waits_for_recovery:
                    waits_for_recovery = False
                    recovered.append(runtime.elapsed)
            await runtime.sleep(PAUSE * (0.5 + runtime.random()))

    network = SimulatedNetwork(service)
    retry = Retry(budget=budget, cap=CAP)
    users = [
        user(AsyncClock("https://clock.example", transport=network, runtime=runtime, plugins=[retry]))
        for _ in range(clients)
    ]
    runtime.run(runtime.gather(*users))
    return Outage(counts["calls"], counts["failed"], requests, recovered, runtime.digest())


def draw(file: Path) -> None:
    """Plots the load on the service, with the budget and without."""
    from matplotlib import pyplot

    bounded, unbounded = simulate(RetryBudget()), simulate(RetryBudget(10**9))
    figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
    axes.axvspan(DOWN, UP, color="0.92", label="the service is down")
    for run, label, colour in ((unbounded, "retries without a budget", "0.6"), (bounded, "the usual budget", "C0")):
        times = len(run.requests) / run.calls
        axes.plot(run.rate(), color=colour, linewidth=1.2, label=f"{label}: {times:.2f} requests a call")
    axes.set(xlabel="seconds", ylabel="requests per second", xlim=(0, END), ylim=(0, 260))
    axes.set_title(f"{CLIENTS:,} clients, a call every {PAUSE:g} s each, 3 attempts at most", fontsize=10)
    axes.legend(frameon=False, fontsize=9, loc="upper right")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(file, dpi=110)


if __name__ == "__main__":
    draw(Path(__file__).with_suffix(".png"))
