"""Our clients in both colours, over a script or a Hub, and what comes of their calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Iterable, Mapping
from inspect import isawaitable
from typing import Any

import pytest

from jackfield import Response
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime, json_response
from jackfield_services import flame_hub

BOTH = pytest.mark.parametrize("colour", ["sync", "async"])
ID = "7227f7f3-e8e8-46e4-a6d4-16055aca8290"
SCHEMA: dict[str, Any] = {"name": "node", "fields": []}


def client(colour: str, transport: FakeTransport | None = None, *, of: str = "Core", **options: Any) -> Any:
    """A client of one of the services; on virtual time, where it has a script in place of a Hub."""
    kind: Any = getattr(flame_hub, f"{'Async' if colour == 'async' else ''}{of}Client")
    if transport is not None:
        runtime: Any = VirtualAsyncioRuntime() if colour == "async" else VirtualSyncRuntime()
        options = {"transport": transport, "runtime": runtime} | options
    return kind(**options)


def get(outcome: Any) -> Any:
    """The value of a call of either colour; of what goes through many, a list of them."""
    if isawaitable(outcome):
        return asyncio.run(_value(outcome))
    if hasattr(outcome, "__aiter__"):
        return asyncio.run(_values(outcome))
    return list(outcome) if type(outcome).__name__ in ("Items", "Pages") else outcome


async def _value(outcome: Any) -> Any:
    return await outcome


async def _values(outcome: AsyncIterable[Any]) -> list[Any]:
    return [each async for each in outcome]


def node(number: int = 1, **more: Any) -> dict[str, Any]:
    """A node as a new Hub tells it."""
    id = f"00000000-0000-4000-8000-{number:012}"
    return {"id": id, "name": f"node-{number}", "createdAt": "2026-11-20T12:00:00.000Z"} | more


def listed(records: Iterable[Any], **meta: Any) -> Response:
    """A page as a new Hub answers it."""
    return json_response({"data": list(records), "meta": {"schema": SCHEMA} | meta})


def one(record: Mapping[str, Any], status: int = 200) -> Response:
    """A record as a new Hub answers it."""
    return json_response({"data": record, "meta": {}}, status)


def asked_of(transport: FakeTransport, number: int = -1) -> dict[str, str]:
    """The query of a request that was sent, without the page."""
    query = dict(transport.requests[number].query)
    return {name: value for name, value in query.items() if not name.startswith("page")}


def page_of(transport: FakeTransport, number: int = -1) -> tuple[int, int]:
    """The limit and offset of a request that was sent."""
    query = dict(transport.requests[number].query)
    return int(query["page[limit]"]), int(query["page[offset]"])
