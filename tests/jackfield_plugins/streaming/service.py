"""A service with files."""

from __future__ import annotations

from jackfield import AsyncClient, Client, Request, Response, Service, operation, streamed
from jackfield_plugins.streaming import Download, Part


class Files(Service):
    @streamed(Download())
    async def get(self, part: Part, name: str = "a.bin", query: str = "") -> Response:
        return await self.send(part.of(Request("GET", self.url("files", name), query=query or ())), stream=True)

    @streamed(Download())
    async def post(self, part: Part, *, idempotent: bool = False) -> Response:
        request = Request("POST", self.url("files", "a.bin"), body=b"all", idempotent=idempotent)
        return await self.send(part.of(request), stream=True)

    @streamed(Download())
    async def careless(self, part: Part) -> Response:
        """A bundle's mistake."""
        return await self.send(Request("GET", self.url("files")), stream=True)

    @streamed(Download(fruitless=0))
    async def hasty(self, part: Part) -> Response:
        return await self.send(part.of(Request("GET", self.url("files", "a.bin"))), stream=True)

    @streamed(Download(fruitless=30, base=1, cap=3))
    async def patient(self, part: Part) -> Response:
        return await self.send(part.of(Request("GET", self.url("files", "a.bin"))), stream=True)

    @operation
    async def nested(self) -> int:
        """A download inside a bounded body."""
        return sum([len(piece) async for piece in self.get()])


class FilesClient(Files, Client): ...


class AsyncFilesClient(Files, AsyncClient): ...
