"""A client of some service over a BuffyTransport: an emulator of Buffy, and a scripted transport for the service."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.clients import Asker

from jackfield import ConnectError, Response
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime
from jackfield_services.buffy import AsyncBuffyClient, BuffyClient, BuffyTransport
from jackfield_services.buffy.emulator import BuffyEmulator

BOTH = pytest.mark.parametrize("colour", ["sync", "async"])
BASE = "https://shelf.test"
THINGS = f"{BASE}/things"
OLD, NEW, DIRECT = b"the old things", b"the new things", b"from the service itself"
DOWN = ConnectError("the service is down")


def direct(answer: Any = None) -> FakeTransport:
    """What the service itself answers."""
    return FakeTransport(otherwise=answer or Response(200, body=DIRECT))


def runtime(colour: str) -> Any:
    """Virtual time."""
    return VirtualAsyncioRuntime() if colour == "async" else VirtualSyncRuntime()


def buffy_client(colour: str, url: str, time: Any, **options: Any) -> Any:
    """A client of Buffy's, on this time."""
    return (AsyncBuffyClient if colour == "async" else BuffyClient)(url, runtime=time, **options)


@contextmanager
def over(
    colour: str, buffy: BuffyEmulator, fallback: FakeTransport | None = None, **settings: Any
) -> Generator[BuffyTransport[Any]]:
    """The transport, over a client of Buffy's that is closed in the end."""
    its = buffy_client(colour, buffy.url, runtime(colour))
    try:
        yield BuffyTransport(its, direct() if fallback is None else fallback, **settings)
    finally:
        if colour == "async":
            asyncio.run(its.aclose())
        else:
            its.close()


@contextmanager
def shelf(
    colour: str,
    buffy: BuffyEmulator,
    fallback: FakeTransport | None = None,
    *,
    base: str = BASE,
    client: dict[str, Any] | None = None,
    **settings: Any,
) -> Generator[Asker]:
    """Asks a service for what Buffy keeps of it; `client` are the client's own options."""
    with over(colour, buffy, fallback, **settings) as transport:
        options = {"runtime": transport._buffy.runtime} | (client or {})
        with Asker(colour, base, transport, **options) as ask:
            yield ask


@pytest.fixture
def buffy() -> Iterator[BuffyEmulator]:
    clock = iter(range(1_795_000_000, 1_796_000_000))  # each look at it is another second
    with BuffyEmulator(polls=0, now=lambda: float(next(clock))) as emulator:
        emulator.origin(THINGS, OLD, headers={"content-type": "application/octet-stream", "etag": '"v1"'})
        yield emulator
