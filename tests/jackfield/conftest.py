"""What the core's tests share: one test for both colours of client, and plugins made of what a test hands over."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from inspect import iscoroutine
from typing import Any

import pytest

from jackfield import AsyncClient, Client, Event, Pure, Response, Service, Step, Transport, hookimpl
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime


class Colour:
    """Makes clients of one colour, on virtual time, and takes values out of whatever their operations give."""

    def __init__(self, base: type[Client] | type[AsyncClient], runtime: Callable[[], Any]) -> None:
        self.base = base
        self.runtime = runtime

    def client(
        self, service: type[Service], transport: Transport | Callable[[], Transport] | None = None, **options: Any
    ) -> Any:
        """A client of the service; everything is answered with an empty 200 where no transport is given."""
        kind = type(f"{service.__name__}{self.base.__name__}", (service, self.base), {})
        options.setdefault("runtime", self.runtime())
        return kind(
            "https://api.example.test/v1", transport=transport or FakeTransport(otherwise=Response(200)), **options
        )

    def get(self, outcome: Any) -> Any:
        """The value of a call."""
        return asyncio.run(outcome) if iscoroutine(outcome) else outcome

    def take(self, items: Iterable[Any] | AsyncIterator[Any], into: list[Any] | None = None) -> list[Any]:
        """Every item of an iterator; those before an error are found in `into`."""
        taken: list[Any] = [] if into is None else into

        async def collect(source: AsyncIterator[Any]) -> None:
            async for item in source:
                taken.append(item)  # noqa: PERF401 - what came before an error must stay

        if isinstance(items, AsyncIterator):
            asyncio.run(collect(items))
        else:
            for item in items:
                taken.append(item)  # noqa: PERF402 - what came before an error must stay
        return taken

    def close(self, client: Any) -> None:
        """Closes a client."""
        self.get(client.close() if self.base is Client else client.aclose())


class Steps:
    """A plugin that contributes these steps, and counts how often it is asked for them."""

    def __init__(self, name: str, *steps: Step | Pure) -> None:
        self.name = name
        self.steps = steps
        self.asked = 0

    @hookimpl
    def jackfield_steps(self) -> Sequence[Step | Pure]:
        self.asked += 1
        return self.steps


class Watch:
    """An observer that remembers what it is told."""

    def __init__(self, name: str = "watch") -> None:
        self.name = name
        self.events: list[Event] = []

    @hookimpl
    def jackfield_observer(self) -> Callable[[Event], None]:
        return self.events.append


@pytest.fixture(scope="session", params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> Colour:
    if request.param == "sync":
        return Colour(Client, VirtualSyncRuntime)
    return Colour(AsyncClient, VirtualAsyncioRuntime)


@pytest.fixture
def new_threads() -> Callable[[str], list[str]]:
    """`new_threads("jackfield")`: the names of threads, so begun, that the test has started; others may be left."""
    before = set(threading.enumerate())

    def started(beginning: str) -> list[str]:
        return [each.name for each in threading.enumerate() if each not in before and each.name.startswith(beginning)]

    return started


@pytest.fixture(scope="session")
def plugin() -> type[Steps]:
    """`plugin("mine", Step(...), Pure(...))`."""
    return Steps


@pytest.fixture(scope="session")
def watch() -> type[Watch]:
    """`watch()` is an observer's plugin, its `events` are what it was told."""
    return Watch
