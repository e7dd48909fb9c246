"""What type checkers make of streamed operations and taps. Checked by `tox -e types`; never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true
# The ignores below are the test: mypy and pyright each complain where one is not needed.

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO, assert_type

from jackfield import (
    AsyncClient,
    AsyncStream,
    ByteStream,
    Checksum,
    Client,
    Meter,
    Request,
    Response,
    Service,
    Stream,
    operation,
    streamed,
    tapped,
)
from jackfield_plugins.streaming import Download, Part, safe_name


class Files(Service):
    @streamed(Download())
    async def export(self, part: Part, zone: str, *, deep: bool = False) -> Response:
        return await self.send(part.of(Request("GET", self.url(zone))), stream=True)

    @operation(bounded=False)
    async def size(self) -> int:
        """Inside a body every stream is awaitable, whichever client was called."""
        stream = self.export("z")
        assert_type(stream, AsyncStream)
        return sum([len(piece) async for piece in stream])


class FilesClient(Files, Client): ...


class AsyncFilesClient(Files, AsyncClient): ...


def told(received: int, total: int | None, rate: float) -> None: ...


def sync(client: FilesClient, file: IO[bytes]) -> None:
    assert_type(client.export("z", deep=True), Stream)
    assert_type(iter(client.export("z")), Stream)
    pieces: Iterator[bytes] = client.export("z")
    assert_type(next(pieces), bytes)
    assert_type(client.export("z").to("out", overwrite=True, sha256="0", max_bytes=1, progress=told), Path)
    assert_type(client.export("z").tap(file.write, hashlib.sha256().update, Meter(told), Checksum("md5", b"")), Stream)
    assert_type(client.export.request("z"), Request)
    with client.export("z") as entered:
        assert_type(entered, Stream)


async def awaited(client: AsyncFilesClient, body: ByteStream) -> None:
    assert_type(client.export("z"), AsyncStream)
    pieces: AsyncIterator[bytes] = client.export("z")
    assert_type(await anext(pieces), bytes)
    assert_type(await client.export("z").to(Path("out"), progress=told), Path)
    assert_type(await client.export.request("z"), Request)
    assert_type(tapped(body, Meter(told)), ByteStream)
    assert_type(safe_name("a"), str | None)
    async with client.export("z") as entered:
        assert_type(entered, AsyncStream)


def wrong(client: FilesClient, awaitable: AsyncFilesClient) -> None:
    client.export(Part(), "z")  # type: ignore[arg-type,call-arg]
    client.export(1)  # type: ignore[arg-type]
    client.export("z", depp=True)  # type: ignore[call-arg]
    client.export("z").to("out", progress=print, sha256=b"")  # type: ignore[arg-type]
    client.export.request(1)  # type: ignore[arg-type]
    list(awaitable.export("z"))  # type: ignore[call-overload]
