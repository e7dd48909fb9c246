"""jackfield's own contestants: one service with one operation, over the loopback and over no transport at all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager

from benchmarks.origin import BODY, MACHINE_ID, Origin
from benchmarks.rounds import AsyncCall, Contestant, Group, SyncCall
from jackfield import (
    AsyncClient,
    Call,
    Client,
    Headers,
    Model,
    Request,
    Response,
    Service,
    Transport,
    Without,
    operation,
)
from jackfield_plugins.auth import Bearer
from jackfield_plugins.limits import ConcurrencyLimit, RateLimit
from jackfield_plugins.retry import Retry


class Machine(Model):
    """What the origin answers."""

    id: str
    name: str
    state: str
    tags: list[str]
    cpus: int
    memory: int
    zone: str
    address: str
    created: str


class Cloud(Service):
    """One definition for both colours."""

    @operation
    async def get_machine(self, id: str) -> Machine:
        response = await self.send(Request("GET", self.url("prod", "networks", id)))
        return response.decode(Machine)


class CloudClient(Cloud, Client):
    """Sync."""


class AsyncCloudClient(Cloud, AsyncClient):
    """Async."""


class NoTransport:
    """Gives the same answer at once: what is left is the pipeline."""

    def __init__(self) -> None:
        fields = {"Server": "none", "Content-Type": "application/json", "Content-Length": str(len(BODY))}
        self._answer = Response(200, Headers(fields), BODY.encode())

    async def send(self, request: Request, call: Call) -> Response:
        return self._answer

    async def close(self) -> None:
        """Nothing to close."""


def _usual() -> list[object]:
    return [Bearer("token-of-the-benchmark"), Retry()]


def _defaults_only() -> list[object]:
    return []


def _no_steps() -> list[object]:
    return [Without("headers"), Without("errors"), Without("deadline"), Without("redirect")]


def _resilient() -> list[object]:
    """Retry, redirects and both limits, and nothing else."""
    limits = (ConcurrencyLimit(32), RateLimit(1e6, burst=1_000_000))
    return [Without("headers"), Without("errors"), Without("deadline"), Retry(), *limits]


Plugins = Callable[[], list[object]]


def _sync(
    plugins: Plugins, transport: Callable[[], Transport | None] = lambda: None
) -> Callable[[Origin], AbstractContextManager[SyncCall]]:
    @contextmanager
    def opened(origin: Origin) -> Generator[SyncCall]:
        with CloudClient(origin.url, plugins=plugins(), transport=transport()) as client:
            yield lambda: client.get_machine(MACHINE_ID)

    return opened


def _async(
    plugins: Plugins, transport: Callable[[], Transport | None] = lambda: None
) -> Callable[[Origin], AbstractAsyncContextManager[AsyncCall]]:
    @asynccontextmanager
    async def opened(origin: Origin) -> AsyncGenerator[AsyncCall]:
        async with AsyncCloudClient(origin.url, plugins=plugins(), transport=transport()) as client:
            yield lambda: client.get_machine(MACHINE_ID)

    return opened


OURS = (
    Contestant(Group.SYNC, "jackfield Client: auth, retry, typed decode", sync=_sync(_usual)),
    Contestant(Group.ASYNC, "jackfield AsyncClient: auth, retry, typed decode", asynchronous=_async(_usual)),
    Contestant(Group.PIPELINE, "sync: auth, retry, typed decode", sync=_sync(_usual, NoTransport)),
    Contestant(Group.PIPELINE, "sync: defaults only, no auth, no retry", sync=_sync(_defaults_only, NoTransport)),
    Contestant(Group.PIPELINE, "sync: retry, redirects, limits", sync=_sync(_resilient, NoTransport)),
    Contestant(Group.PIPELINE, "sync: no step at all", sync=_sync(_no_steps, NoTransport)),
    Contestant(Group.PIPELINE, "async: auth, retry, typed decode", asynchronous=_async(_usual, NoTransport)),
    Contestant(
        Group.PIPELINE, "async: defaults only, no auth, no retry", asynchronous=_async(_defaults_only, NoTransport)
    ),
    Contestant(Group.PIPELINE, "async: retry, redirects, limits", asynchronous=_async(_resilient, NoTransport)),
    Contestant(Group.PIPELINE, "async: no step at all", asynchronous=_async(_no_steps, NoTransport)),
)
