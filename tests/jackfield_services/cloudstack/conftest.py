"""Talks with the emulator, once for each colour of client, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeAlias

import pytest

from jackfield.testing import VirtualAsyncioRuntime, VirtualSyncRuntime
from jackfield_services.cloudstack import AsyncCloudStack, CloudStack
from jackfield_services.cloudstack.emulator import CloudStackEmulator

Talk: TypeAlias = Callable[[Any], Any]


class Converse(Protocol):
    """`converse(talk, **options)`: makes a client, gives it to `talk`, and awaits what that gives if need be."""

    def __call__(self, talk: Talk, *, end_point: str | None = None, **options: Any) -> Any: ...


@pytest.fixture
def cloud() -> Iterator[CloudStackEmulator]:
    with CloudStackEmulator(machines=3) as running:
        yield running


@pytest.fixture(params=["sync", "async"])
def converse(request: pytest.FixtureRequest, cloud: CloudStackEmulator) -> Converse:
    """`end_point` talks to another server; all other options are the client's."""

    def plain(talk: Talk, *, end_point: str | None = None, **options: Any) -> Any:
        options.setdefault("runtime", VirtualSyncRuntime())
        with CloudStack(end_point or cloud.end_point, cloud.api_key, cloud.api_secret, **options) as client:
            return talk(client)

    def awaited(talk: Talk, *, end_point: str | None = None, **options: Any) -> Any:
        options.setdefault("runtime", VirtualAsyncioRuntime())

        async def main() -> Any:
            keys = (end_point or cloud.end_point, cloud.api_key, cloud.api_secret)
            async with AsyncCloudStack(*keys, **options) as client:
                return await talk(client)

        return asyncio.run(main())

    return plain if request.param == "sync" else awaited
