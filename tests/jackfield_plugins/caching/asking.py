"""A client with a cache, in either colour and on virtual time, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.both import Both

from jackfield import Event, Observer, Request, Response, Service, hookimpl, operation, streamed
from jackfield.testing import Answer, CutBody, FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime
from jackfield_plugins.streaming import Download, Part

URL = "https://api.example"
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"  # the virtual runtimes' beginning


class Api(Service):
    @operation
    async def ask(self, /, path: str = "r", method: str = "GET", **parts: Any) -> Response:
        return await self.send(Request(method, self.url(path), **parts))

    @operation
    async def read(self, /, path: str = "r", at_most: int = 1 << 30, **parts: Any) -> bytes:
        """Streams, and closes when so many bytes were read."""
        body: Any = (await self.send(Request("GET", self.url(path), **parts), stream=True)).body
        read = b""
        while len(read) < at_most and (piece := await body.read()):
            read += piece
        await body.close()
        return read

    @operation
    async def begin(self) -> Response:
        """Streams, and closes before anything was read."""
        response = await self.send(Request("GET", self.url("r")), stream=True)
        body: Any = response.body
        await body.close()
        return response

    @operation
    async def open(self) -> Any:
        return (await self.send(Request("GET", self.url("r")), stream=True)).body

    @streamed(Download())
    async def download(self, part: Part) -> Response:
        return await self.send(part.of(Request("GET", self.url("r"))), stream=True)


class Watching:
    name = "watching"

    def __init__(self) -> None:
        self.events: list[Event] = []

    @hookimpl
    def jackfield_observer(self) -> Observer:
        return self.events.append

    def named(self, *kinds: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kinds)]


class Asking(Both):
    """`with Asking("sync", cache, [answer(…)]) as api: api("r")`; time passes by `api.wait(60)`."""

    def __init__(
        self,
        colour: str,
        cache: object,
        answers: Iterable[Answer] = (),
        *plugins: object,
        otherwise: Answer | None = None,
        piece: int = 64 * 1024,
        **options: Any,
    ) -> None:
        self.runtime = VirtualSyncRuntime() if colour == "sync" else VirtualAsyncioRuntime()
        self.fake = FakeTransport(answers, piece=piece, otherwise=otherwise)
        transport: Any = self.fake
        super().__init__(colour, Api, URL, transport, cache=cache, plugins=plugins, runtime=self.runtime, **options)

    def __call__(self, path: str = "r", method: str = "GET", **parts: Any) -> Response:
        response = self.get(self.client.ask(path, method, **parts))
        assert isinstance(response, Response)
        return response

    def read(self, path: str = "r", at_most: int = 1 << 30, **parts: Any) -> bytes:
        read = self.get(self.client.read(path, at_most, **parts))
        assert isinstance(read, bytes)
        return read

    def wait(self, seconds: float) -> None:
        self.runtime.elapsed += seconds

    @property
    def asked(self) -> int:
        """How many requests went to the service."""
        return len(self.fake.requests)


def answer(body: bytes | CutBody = b"one", control: str = "max-age=60", status: int = 200, **fields: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return Response(status, {"Cache-Control": control, **named}, body)


def did(response: Response) -> str:
    return response.headers["cache-status"]
