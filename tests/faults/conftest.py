"""What the rows of the matrix ask with: a client of one colour and one transport; and what holds after any fault."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeVar

import pytest

from jackfield import (
    AsyncClient,
    AsyncioRuntime,
    Client,
    JackfieldError,
    Request,
    Response,
    Service,
    SyncRuntime,
    Urllib3Transport,
    operation,
)
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime
from jackfield_plugins.retry import IdempotencyKey, Retry

CANARY = "canary-3f9a"
WELL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell"
TRANSPORTS: dict[str, Callable[..., Urllib3Transport]] = {"urllib3": Urllib3Transport}
E = TypeVar("E", bound=JackfieldError)


class Anything(Service):
    """Operations that ask for one thing, whose URL has a secret in it."""

    @operation
    async def whole(self, method: str, path: str, parts: dict[str, Any]) -> Response:
        return await self.send(self._request(method, path, parts))

    @operation
    async def streamed(self, method: str, path: str, parts: dict[str, Any]) -> Response:
        response = await self.send(self._request(method, path, parts), stream=True)
        if isinstance(response.body, bytes):  # of a transport that has no streams
            return response
        pieces: list[bytes] = []
        while piece := await response.body.read():
            pieces.append(piece)
        return response.replace(body=b"".join(pieces))

    @operation
    async def begun(self, then: Callable[[], object]) -> None:
        """Reads the first piece of an answer, does something else, and reads no further."""
        response = await self.send(self._request("GET", "things", {}), stream=True)
        assert not isinstance(response.body, bytes)
        try:
            await response.body.read()
            then()
        finally:
            await response.body.close()

    def _request(self, method: str, path: str, parts: dict[str, Any]) -> Request:
        return Request(method, self.url(path), query={"token": CANARY}, **parts)


class AnythingClient(Anything, Client): ...


class AsyncAnythingClient(Anything, AsyncClient): ...


class _Jumping:
    """Virtual time with a wall clock that jumps.

    Attributes:
        jump: by how many seconds it is wrong now.
        jumps_by: how many more with every wait.
    """

    jump = 0.0
    jumps_by = 0.0

    def now(self) -> float:
        return super().now() + self.jump  # type: ignore[misc,no-any-return]  # of what it is mixed into

    async def sleep(self, seconds: float) -> None:
        self.jump += self.jumps_by
        await super().sleep(seconds)  # type: ignore[misc]  # of what it is mixed into


class _JumpingSync(_Jumping, VirtualSyncRuntime): ...


class _JumpingAsyncio(_Jumping, VirtualAsyncioRuntime): ...


ATTEMPTS = 3


class Kind(NamedTuple):
    """What is asked, and whether it may be asked again when nobody knows what became of it: a column of the matrix.

    Attributes:
        name: for people.
        method: of the request.
        keyed: whether it has an idempotency key.
        repeated: whether it is tried again.
    """

    name: str
    method: str
    keyed: bool = False
    repeated: bool = True

    def __str__(self) -> str:
        return self.name

    @property
    def plugins(self) -> list[object]:
        """What its client has: it tries again at once, and as often as it may."""
        return [Retry(max_attempts=ATTEMPTS, base=1e-6, cap=1e-6), *self.keys]

    @property
    def keys(self) -> list[object]:
        """What gives it its key."""
        return [IdempotencyKey()] if self.keyed else []

    @property
    def attempts(self) -> int:
        """How often it is sent, in vain, where it may have been processed."""
        return ATTEMPTS if self.repeated else 1


KINDS = [Kind("GET", "GET"), Kind("POST-with-a-key", "POST", keyed=True), Kind("POST", "POST", repeated=False)]


class Colour(NamedTuple):
    """Of what kind a client is: its transport's name, sync or async, and whether it reads answers piece by piece."""

    transport: str
    name: str
    streams: bool

    def __str__(self) -> str:
        return f"{self.transport}-{self.name}{'-streamed' if self.streams else ''}"

    @property
    def runtime(self) -> Any:
        return SyncRuntime() if self.name == "sync" else AsyncioRuntime()

    @property
    def virtual_runtime(self) -> Any:
        return _JumpingSync() if self.name == "sync" else _JumpingAsyncio()


class Caller:
    """One client, and what every row of the matrix says of it."""

    def __init__(self, client: Any, url: str, colour: Colour, run: Callable[[Any], Any], runtime: Any) -> None:
        self.client = client
        self.url = url
        self.runtime = runtime
        self.streams = colour.streams
        self._colour = colour
        self._run = run

    def ask(self, method: str = "GET", path: str = "things", **parts: Any) -> Response:
        """One call."""
        answer = self.settled(lambda: self.call(method, path, **parts))
        assert isinstance(answer, Response)
        return answer

    def call(self, method: str = "GET", path: str = "things", **parts: Any) -> Any:
        """The same, to be awaited if the client is of that colour."""
        return (self.client.streamed if self.streams else self.client.whole)(method, path, parts)

    def settled(self, work: Callable[[], Any]) -> Any:
        """What a call of the client's comes to, whatever its colour."""
        return work() if isinstance(self.client, Client) else self._run(work())

    def many(
        self, paths: Sequence[str], method: str = "GET", *, failed: Callable[[], object] = lambda: None
    ) -> list[Response | JackfieldError]:
        """A call for each path, all at once; what each comes to. `failed` is told of every one that fails."""

        async def one(path: str) -> Response | JackfieldError:
            try:
                answer: Response = await self.call(method, path)
            except JackfieldError as error:
                failed()
                return error
            return answer

        async def at_once() -> list[Response | JackfieldError]:
            return await asyncio.gather(*map(one, paths))

        def alone(path: str) -> Response | JackfieldError:
            try:
                return self.ask(method, path)
            except JackfieldError as error:
                failed()
                return error

        if not isinstance(self.client, Client):
            outcomes: list[Response | JackfieldError] = self._run(at_once())
            return outcomes
        with ThreadPoolExecutor(len(paths)) as threads:
            return list(threads.map(alone, paths))

    def view(self, **options: Any) -> Caller:
        """This with other options."""
        return Caller(self.client.with_options(**options), self.url, self._colour, self._run, self.runtime)

    def fails(
        self,
        kind: type[E] | tuple[type[E], ...],
        method: str = "GET",
        *,
        attempts: int | None = 1,
        last: str = "",
        **parts: Any,
    ) -> E:
        """A call that fails, with an error that tells all of the call but what is secret.

        Args:
            attempts: how many it must have made; None if that depends.
            last: the method of its last request, if it is another.
        """
        began, slept = self.runtime.monotonic(), len(getattr(self.runtime, "sleeps", []))
        with pytest.raises(kind) as caught:
            self.ask(method, **parts)
        error, call = caught.value, caught.value.call
        assert call is not None
        attempts = call.attempts if attempts is None else attempts
        assert (call.method, call.url, call.attempts) == (last or method, f"{self.url}/things?token=***", attempts)
        assert 0 <= call.elapsed <= self.runtime.monotonic() - began
        if hasattr(self.runtime, "sleeps"):
            assert call.elapsed == pytest.approx(sum(self.runtime.sleeps[slept:]))
        assert CANARY not in f"{error!s} {error!r} {error.__cause__!r}"
        assert f"{attempts} attempt" in str(error)
        return error

    def is_well(self) -> None:
        """A good call succeeds on the same client."""
        assert self.ask("GET", "good").content == b"well"


class Connect(Protocol):
    """Makes a caller.

    Args:
        url: of the service.
        plugins: of the client.
        virtual: whether time moves only by waiting.
        connections: how many there may be at one time.
        fake: a transport in place of the real one.
        transport: what the real one is made with besides.
        options: of the client.
    """

    def __call__(
        self,
        url: str,
        *plugins: object,
        virtual: bool = ...,
        connections: int = ...,
        fake: FakeTransport | None = ...,
        transport: Mapping[str, Any] = ...,
        **options: Any,
    ) -> Caller: ...


def _colours(*how: str, names: Sequence[str] = ("sync", "async")) -> list[Colour]:
    return [Colour(transport, name, each == "streamed") for transport in TRANSPORTS for name in names for each in how]


def _connections(colour: Colour) -> Iterator[Connect]:
    with ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner())

        def connect(
            url: str,
            *plugins: object,
            virtual: bool = True,
            connections: int = 1,
            fake: FakeTransport | None = None,
            transport: Mapping[str, Any] = MappingProxyType({}),
            **options: Any,
        ) -> Caller:
            runtime = colour.virtual_runtime if virtual else colour.runtime
            used = fake or TRANSPORTS[colour.transport](max_connections=connections, **transport)
            kind: Any = AnythingClient if colour.name == "sync" else AsyncAnythingClient
            options = {"connect_timeout": 5} | options
            client = kind(url, transport=used, runtime=runtime, plugins=plugins, **options)
            stack.callback(lambda: runner.run(runtime.close()))
            stack.callback(lambda: runner.run(used.close()))
            return Caller(client, url, colour, runner.run, runtime)

        yield connect


@pytest.fixture(params=_colours("whole", "streamed"), ids=str)
def connect_any(request: pytest.FixtureRequest, nothing_left: None) -> Iterator[Connect]:
    """In both colours, whole and streamed."""
    yield from _connections(request.param)


@pytest.fixture(params=_colours("whole"), ids=str)
def connect_whole(request: pytest.FixtureRequest, nothing_left: None) -> Iterator[Connect]:
    """In both colours, for rows in which it makes no difference how the answer is read."""
    yield from _connections(request.param)


@pytest.fixture(params=_colours("whole", "streamed", names=["async"]), ids=str)
def connect_async(request: pytest.FixtureRequest, nothing_left: None) -> Iterator[Connect]:
    """For rows about tasks and event loops."""
    yield from _connections(request.param)


@pytest.fixture(params=KINDS, ids=str)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Both columns of the matrix: what may be asked twice, by its method or by its key, and what may not."""
    found = request.param
    assert isinstance(found, Kind)
    return found
