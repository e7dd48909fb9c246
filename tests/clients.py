"""A client with one operation, in both colours, for tests that are about what happens below it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

from jackfield import AsyncClient, Client, Request, Response, Service, Transport, Url, Urllib3Transport, operation

COLOURS = ["sync", "async"]


class Anything(Service):
    @operation
    async def ask(self, request: Request) -> Response:
        return await self.send(request)


class AnythingClient(Anything, Client): ...


class AsyncAnythingClient(Anything, AsyncClient): ...


class Asker(AbstractContextManager["Asker"]):
    """Asks by a client of the colour, and closes it, and the transport, in the end."""

    def __init__(self, colour: str, url: str, transport: Transport | None = None, **options: Any) -> None:
        self.base = Url.parse(url)
        self.transport = Urllib3Transport() if transport is None else transport
        kind = AnythingClient if colour == "sync" else AsyncAnythingClient
        self.client: Any = kind(url, transport=self.transport, **options)
        self._runner = asyncio.Runner()

    def __call__(self, method: str = "GET", path: str = "things", **parts: Any) -> Response:
        return self.ask(Request(method, self.base.at(path), **parts))

    def ask(self, request: Request) -> Response:
        answer: Any = self._settled(lambda: self.client.ask(request))
        assert isinstance(answer, Response)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._settled(self.client.close if isinstance(self.client, Client) else self.client.aclose)
        self._runner.run(self.transport.close())
        self._runner.close()

    def _settled(self, work: Callable[[], Any]) -> Any:
        if isinstance(self.client, Client):
            return work()
        return self._runner.run(work())
