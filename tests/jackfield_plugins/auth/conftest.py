"""A service behind an authorization server, for both colours, on virtual time."""

from __future__ import annotations

import asyncio
from inspect import iscoroutine
from typing import Any

import pytest
from tests.servers.authorization import API, AuthorizationServer

from jackfield import AsyncClient, Client, Request, Service, StreamBody, Url, operation
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime


class Core(Service):
    @operation
    async def thing(self, method: str = "GET", body: bytes | StreamBody = b"", url: Url | None = None) -> str:
        """The token that the service saw."""
        response = await self.send(Request(method, url or self.url("thing"), body=body))
        return response.decode(dict[str, str])["token"]


class World:
    """One virtual machine: a clock, an authorization server that has the same, and clients of one colour."""

    def __init__(self, base: type[Client] | type[AsyncClient]) -> None:
        self.base = base
        self.runtime: Any = VirtualSyncRuntime() if base is Client else VirtualAsyncioRuntime()
        self.server = AuthorizationServer(self.runtime.now)
        self.transport = FakeTransport(otherwise=self.answer)

    def answer(self, request: Request) -> Any:
        return self.server(request)

    def client(self, *plugins: object, **options: Any) -> Any:
        kind = type("Api", (Core, self.base), {})
        options = {"transport": self.transport, "runtime": self.runtime} | options
        return kind(API, plugins=plugins, **options)

    def get(self, outcome: Any) -> Any:
        """The value of a call."""
        return asyncio.run(outcome) if iscoroutine(outcome) else outcome


@pytest.fixture(params=[Client, AsyncClient], ids=["sync", "async"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)
