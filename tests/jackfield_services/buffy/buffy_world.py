"""Clients of either colour over a Buffy of a few lines, which keeps what it is asked, and does what it says at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.json import decode, encode
from tests.made import get as get

from jackfield import Request, Response
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime, json_response
from jackfield_services.buffy import AsyncBuffyClient, BuffyClient
from jackfield_services.buffy import Response as Version

BOTH = pytest.mark.parametrize("colour", ["sync", "async"])
ORIGIN = "http://origin.test/file.txt"
OLD, NEW = "20261120000000", "20261121000000"
CONTENT, MD5 = b"hello static\n", "cd9709d283210ddc0d45552cdafe3652"


def version(name: str = NEW, status: str = "ready", **more: Any) -> dict[str, Any]:
    """A version as a server tells it."""
    path = f"request/4e02eb858c03/response/v/{name}/content"
    told: dict[str, Any] = {"id": "e", "version": name, "status": status, "content_download_path": path, "tags": []}
    return told | {"pinned": False, "content_hash_hex": MD5} | more


class FakeBuffy:
    """Knows one request; its versions are what `versions` says."""

    def __init__(self, *versions: dict[str, Any]) -> None:
        self.versions = list(versions or [version()])
        self.transport = FakeTransport(otherwise=self._answer)
        self.asked: list[dict[str, Any]] = []
        self.told: dict[str, Any] = {"id": "4e02eb858c03", "request_timestamp": 1795218828.5}

    def _answer(self, request: Request) -> Response:
        path = request.url.path.partition("/v1/")[2]
        said: dict[str, Any] = {}
        if request.method == "PUT" and isinstance(request.body, bytes):
            said = decode(request.body)
        if request.url.origin.host == "origin.test":
            return Response(200, body=b"from its origin")
        if path == "request/":
            self.asked.append(said)
            return json_response(said | self.told, 201)
        if "/status/" in path:
            return json_response({"status": "registered"})
        if path.endswith("/cache-config"):
            return json_response(said)
        if path.endswith("/response"):
            wanted = dict(request.query)
            meant = [one for one in self.versions if wanted.get("status", one["status"]) == one["status"]]
            return json_response(meant[: int(wanted["limit"]) or None])
        name, _, what = path.partition("/v/")[2].partition("/")
        found = [one for one in self.versions if one["version"] == name]
        return self._of_version(found[0], what, said) if found else json_response({"detail": "not there"}, 404)

    def _of_version(self, one: dict[str, Any], what: str, said: dict[str, Any]) -> Response:
        if what == "content":
            return Response(200, body=CONTENT)
        if what == "pin":
            one["pinned"] = said["value"]
        if what == "tag":
            one["tags"] = [tag for tag in one["tags"] if tag != said["value"]] + [said["value"]] * (not said["delete"])
        return Response(200, body=encode(one if not what else None))

    def client(self, colour: str = "sync", **options: Any) -> Any:
        """One of its clients, on virtual time."""
        return client(colour, transport=self.transport, **options)

    def paths(self, method: str = "PUT") -> list[str]:
        """What was asked for by this method."""
        sent = self.transport.requests
        return [one.url.path.removeprefix("/v1/") for one in sent if one.method == method]


def client(colour: str = "sync", *args: Any, **options: Any) -> Any:
    """A client on virtual time."""
    if colour == "async":
        return AsyncBuffyClient(*args, **{"runtime": VirtualAsyncioRuntime()} | options)
    return BuffyClient(*args, **{"runtime": VirtualSyncRuntime()} | options)


def read(stream: Any) -> list[bytes]:
    """The pieces of a stream of either colour."""

    async def pieces() -> list[bytes]:
        return [piece async for piece in stream]

    return asyncio.run(pieces()) if hasattr(stream, "__aiter__") else list(stream)


def one(name: str = NEW, status: str = "ready", **more: Any) -> Version:
    """A version as a client has it."""
    return Version(version=name, status=status, **more)
