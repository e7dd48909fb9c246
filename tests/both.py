"""A client of any service in either colour, worked from plain code: one event loop for all its calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractContextManager
from inspect import iscoroutine
from types import TracebackType
from typing import Any, Self

from jackfield import AsyncClient, Client, Service, Transport, Urllib3Transport


class Both(AbstractContextManager["Both"]):
    """`with Both("async", Shelf, url) as api: api.get(api.client.size())`; closes the client, and the transport."""

    def __init__(
        self, colour: str, service: type[Service], url: str, transport: Transport | None = None, **options: Any
    ) -> None:
        base = Client if colour == "sync" else AsyncClient
        self.transport = transport or Urllib3Transport()
        self.client: Any = type("Api", (service, base), {})(url, transport=self.transport, **options)
        self._runner = asyncio.Runner()

    def get(self, outcome: Any) -> Any:
        """The value of a call."""
        return self._runner.run(outcome) if iscoroutine(outcome) else outcome

    def all(self, items: Iterable[Any] | AsyncIterator[Any]) -> list[Any]:
        """Every item of an iterator."""

        async def collect(source: AsyncIterator[Any]) -> list[Any]:
            return [item async for item in source]

        return self._runner.run(collect(items)) if isinstance(items, AsyncIterator) else list(items)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        client = self.client
        self.get(client.aclose() if hasattr(client, "aclose") else client.close())
        self._runner.run(self.transport.close())
        self._runner.close()
