"""What the tests of polling styles share: one test for both colours of client, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from inspect import iscoroutine
from typing import Any

import pytest

from jackfield import AsyncClient, Client, JobStyle, Request, Response, Service, job
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime


class Both:
    """Makes clients of one colour, and takes values out of whatever their operations give."""

    def __init__(self, is_sync: bool) -> None:
        self.base: Any = Client if is_sync else AsyncClient
        self.runtime: Any = VirtualSyncRuntime if is_sync else VirtualAsyncioRuntime

    def client(self, service: type[Service], answers: Iterable[Any] = (), **options: Any) -> Any:
        """A client of the service that meets these answers."""
        transport = FakeTransport(answers, otherwise=options.pop("otherwise", None))
        options.setdefault("runtime", self.runtime())
        kind = type("One", (service, self.base), {})
        return kind("https://h.test/v1", transport=transport, **options)

    def build(self, style: JobStyle[Any], *answers: Any, method: str = "POST", **options: Any) -> Any:
        """A client whose operation `build` starts a job by a request, and polls in this style."""

        class Forge(Service):
            @job(style)
            async def build(self) -> Any:
                return await style.start(self, Request(method, self.url("images", "one")), "the image")  # type: ignore[attr-defined]  # of StatusUrl

        return self.client(Forge, answers, **options)

    def get(self, outcome: Any) -> Any:
        """The value of a call."""
        return asyncio.run(outcome) if iscoroutine(outcome) else outcome

    def asked(self, client: Any) -> list[str]:
        """What a client's transport was asked for."""
        requests: list[Request] = client._wiring.transport.requests
        return [f"{request.method} {request.target}" for request in requests]


@pytest.fixture(scope="session", params=[True, False], ids=["sync", "async"])
def both(request: pytest.FixtureRequest) -> Both:
    return Both(request.param)


@pytest.fixture(scope="session")
def accepted() -> Response:
    """A 202 that says where the job's state is."""
    return Response(202, {"location": "/v1/operations/7"})
