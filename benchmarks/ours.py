"""jackfield's own contestants: one service with one operation, over the loopback and over no transport at all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager

from benchmarks.origin import BODY, MACHINE_ID, Origin
from benchmarks.rounds import AsyncCall, Contestant, Group, SyncCall
from jackfield import (
    AsyncClient,
    Call,
    Client,
    Headers,
    Model,
    Pure,
    Request,
    Response,
    Secret,
    Service,
    Stage,
    Transport,
    Without,
    hookimpl,
    operation,
)
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


class Bearer:
    """Authorizes requests to the service's origin, and to no other."""

    name = "bearer"

    def __init__(self, token: str) -> None:
        self._token = Secret(token)

    @hookimpl
    def jackfield_steps(self) -> Iterable[Pure]:
        return [Pure(self.name, Stage.AUTH, request=self._authorize)]

    def _authorize(self, request: Request, call: Call) -> Request:
        if request.url.origin != call.origin:
            return request
        return request.with_headers(request.headers.replacing("authorization", f"Bearer {self._token.reveal()}"))


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
    return [Without("headers"), Without("errors"), Without("deadline")]


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
    Contestant(Group.PIPELINE, "sync: no step at all", sync=_sync(_no_steps, NoTransport)),
    Contestant(Group.PIPELINE, "async: auth, retry, typed decode", asynchronous=_async(_usual, NoTransport)),
    Contestant(
        Group.PIPELINE, "async: defaults only, no auth, no retry", asynchronous=_async(_defaults_only, NoTransport)
    ),
    Contestant(Group.PIPELINE, "async: no step at all", asynchronous=_async(_no_steps, NoTransport)),
)
