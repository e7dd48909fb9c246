"""Storage clients of either colour, against an emulator or scripted answers; what reaches a Hub of an upload."""

from __future__ import annotations

import io
from collections.abc import Callable
from time import time
from typing import Any

import pytest
from msgspec.json import encode
from tests.both import Both

from jackfield import Request, Response, StreamBody
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime
from jackfield_services.flame_hub._storage_client import StorageService
from jackfield_services.flame_hub.auth import PasswordAuth
from jackfield_services.flame_hub.emulator import FlameHubEmulator
from jackfield_services.flame_hub.emulator._multipart import Part, boundary_of, files

COLOURS = pytest.mark.parametrize("colour", ["sync", "async"])
CONTENT = bytes(range(256)) * 1000  # several pieces
FILE_ID = "a0c305c1-0a1d-4c6d-89db-94f744164ed0"
BUCKET_ID = "43636fd6-ec81-4a8f-b8d7-b8c7b885bf65"
TOLD = {"id": FILE_ID, "name": "a.txt", "size": 5, "created_at": "2026-11-21T00:24:14.000Z"}
RUNTIMES: dict[str, Callable[[], Any]] = {"sync": VirtualSyncRuntime, "async": VirtualAsyncioRuntime}


class OnlyRead:
    """Something to read from, and no more."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int = -1, /) -> bytes:
        return self._file.read(size)


def storage_of(hub: FlameHubEmulator, colour: str) -> Both:
    """A client of an emulator's storage; neither waits, and both tell the time that the emulator's `Date` tells."""
    auth, runtime = PasswordAuth(hub.username, hub.password, hub.auth_url), RUNTIMES[colour]()
    hub.now = runtime.now = time
    return Both(colour, StorageService, hub.storage_url, auth=auth, runtime=runtime)


def scripted(transport: FakeTransport, colour: str, **options: Any) -> Both:
    """A client that gets scripted answers, and never waits."""
    return Both(colour, StorageService, "https://storage.hub.test", transport, runtime=RUNTIMES[colour](), **options)


def parts_of(request: Request) -> list[Part]:
    """The files of an upload, as the emulator's reader of forms finds them."""
    boundary = boundary_of(request.headers["content-type"])
    assert boundary is not None
    assert isinstance(request.body, StreamBody)
    return list(files(io.BytesIO(b"".join(request.body)).read, boundary))


class Taking:
    """Takes every upload, and keeps its parts: what scripted transports answer with."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.transport = FakeTransport(otherwise=self._take)

    def _take(self, request: Request) -> Response:
        parts = parts_of(request)
        self.parts += parts
        return Response(201, body=encode({"data": [TOLD | {"size": len(part.content)} for part in parts]}))


class Told:
    """Remembers what progress is told."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.totals: set[int | None] = set()

    def __call__(self, sent: int, total: int | None, rate: float) -> None:
        self.sent.append(sent)
        self.totals.add(total)


def uploads(hub: FlameHubEmulator) -> list[int]:
    """How each upload was answered."""
    return [request.status for request in hub.requests if request.path.endswith("/upload")]


def streams(hub: FlameHubEmulator) -> list[int]:
    """How each stream was answered."""
    return [request.status for request in hub.requests if request.path.endswith("/stream")]
