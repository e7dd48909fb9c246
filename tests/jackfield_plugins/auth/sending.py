"""What goes out of a request, with a plugin that adds something to it: for the schemes that need no answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from inspect import iscoroutine
from typing import Any, TypeAlias

import pytest

from jackfield import AsyncClient, Client, Request, Response, Service, Url, operation
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime


class Core(Service):
    @operation
    async def send_it(self, /, url: Url | None = None, **given: Any) -> bytes:
        return (await self.send(Request("GET", url or self.url("thing"), **given))).content


class CoreClient(Core, Client): ...


class AsyncCoreClient(Core, AsyncClient): ...


Make: TypeAlias = Callable[..., Any]


def sync_client(transport: FakeTransport, *plugins: object, **options: Any) -> Any:
    runtime = VirtualSyncRuntime()
    return CoreClient("https://h:8443", transport=transport, plugins=plugins, runtime=runtime, **options)


def async_client(transport: FakeTransport, *plugins: object, **options: Any) -> Any:
    runtime = VirtualAsyncioRuntime()
    return AsyncCoreClient("https://h:8443", transport=transport, plugins=plugins, runtime=runtime, **options)


BOTH = pytest.mark.parametrize("make", [sync_client, async_client], ids=["sync", "async"])


def get(outcome: Any) -> Any:
    return asyncio.run(outcome) if iscoroutine(outcome) else outcome


def sent(make: Make, plugin: object, url: Url | None = None, **given: Any) -> Request:
    """What goes out of a request like this."""
    transport = FakeTransport(otherwise=Response(200))
    get(make(transport, plugin).send_it(url, **given))
    return transport.requests[0]


OTHERS = ("https://h/thing", "http://h:8443/thing", "https://h.evil.test:8443/thing", "https://sub.h:8443/")

CANARY = "hunter2-canary"
