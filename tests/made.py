"""Clients of any service on virtual time, for tests that make them in both colours: `make(transport, *plugins)`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from inspect import isawaitable
from typing import Any, TypeAlias

import pytest
from tests.clients import COLOURS

from jackfield import AsyncClient, Client, Service
from jackfield.testing import VirtualAsyncioRuntime, VirtualSyncRuntime

Make: TypeAlias = Callable[..., Any]


def made(
    colour: str,
    service: type[Service],
    transport: Any,
    *plugins: object,
    base: str = "https://h",
    seed: int = 0,
    **options: Any,
) -> Any:
    """A client of the service, on virtual time where the options give no other runtime."""
    kind = Client if colour == "sync" else AsyncClient
    runtime = VirtualSyncRuntime if colour == "sync" else VirtualAsyncioRuntime
    client: Any = type("Made", (service, kind), {})
    return client(base, transport=transport, plugins=plugins, **{"runtime": runtime(seed)} | options)


def makers(*service: type[Service], **options: Any) -> tuple[Make, Make]:
    """What makes clients of the service, sync and async; with no service here, `make(service, transport, *plugins)`."""
    sync, other = (partial(made, colour, *service, **options) for colour in COLOURS)
    return sync, other


def both(sync: Make, other: Make) -> pytest.MarkDecorator:
    """Runs a test once for each maker, as `make`."""
    return pytest.mark.parametrize("make", [sync, other], ids=COLOURS)


def get(outcome: Any) -> Any:
    """The value of a call of either colour."""

    async def value() -> Any:
        return await outcome

    return asyncio.run(value()) if isawaitable(outcome) else outcome
