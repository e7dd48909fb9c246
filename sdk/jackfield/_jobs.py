"""Jobs: what the service finishes later, as handles and as operations."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from ._errors import UsageError
from ._operations import AsyncOperation, Definition, Descriptor, SyncOperation
from ._progress import Done, JobState, JobStyle, Pending, Progress
from ._tokens import decode_token
from ._wiring import Wired

P = ParamSpec("P")
T = TypeVar("T")


class Handle(Generic[T]):
    """A job, of whatever colour."""

    def __init__(self, progress: Progress[T], client: Any) -> None:
        self._progress = progress
        self._client = client

    @property
    def token(self) -> str:
        """JSON text; `operation.resume(token)` takes the job up again, in another process too."""
        return self._progress.token

    @property
    def done(self) -> bool:
        """Whether it is known to have succeeded; asks nobody."""
        return isinstance(self._progress.state, Done)


class Job(Handle[T]):
    """A job of a sync client."""

    def poll(self) -> bool:
        """Asks the service once; whether the job is done. Raises `JobFailedError` where it failed."""
        done: bool = self._client._run(self._progress.poll())
        return done

    def result(self, timeout: float | None = None) -> T:
        """Waits for the result, at most `timeout` seconds; raises `JobTimeoutError` after that."""
        value: T = self._client._run(self._progress.result(timeout))
        return value


class AsyncJob(Handle[T]):
    """A job of an async client."""

    async def poll(self) -> bool:
        """Asks the service once; whether the job is done. Raises `JobFailedError` where it failed."""
        return await self._progress.poll()

    async def result(self, timeout: float | None = None) -> T:
        """Waits for the result, at most `timeout` seconds; raises `JobTimeoutError` after that."""
        return await self._progress.result(timeout)


class JobDefinition(Definition[P, T], Descriptor["SyncJobOperation[P, T]", "AsyncJobOperation[P, T]"]):
    """What `@job(style)` makes of a body."""

    def __init__(self, body: Callable[..., Coroutine[Any, Any, JobState[T]]], style: JobStyle[T]) -> None:
        super().__init__(body)
        self._style = style

    async def run(self, client: Wired, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> T:
        return await (await self.start(client, args, kwargs)).result(None)

    async def start(self, client: Wired, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Progress[T]:
        """Starts the job, and does not wait."""
        return Progress(self._style, self.name, client, await self.invoke(client, args, kwargs))

    def resume(self, client: Wired, token: str) -> Progress[T]:
        """The job of a token. Nothing is sent."""
        operation, id, label = decode_token(token, tuple[str, str, str], "a job")
        if operation != self.name:
            raise UsageError(f"this token is of a job of {operation!r}: resume it there, not with {self.name!r}")
        if not id:
            raise UsageError("this job was done when its token was taken: there is nothing to resume")
        return Progress(self._style, self.name, client, Pending(id, label))


class SyncJobOperation(SyncOperation[P, T]):
    """An operation of a sync client that the service finishes later: calling it waits for the result."""

    def __init__(self, definition: JobDefinition[P, T], client: Any) -> None:
        super().__init__(definition, client)
        self._kind = definition

    def start(self, *args: P.args, **kwargs: P.kwargs) -> Job[T]:
        """Starts the job and gives a handle, without waiting."""
        return Job(self._client._run(self._kind.start(self._client, args, kwargs)), self._client)

    def resume(self, token: str) -> Job[T]:
        """The job whose `Job.token` this is."""
        return Job(self._kind.resume(self._client, token), self._client)


class AsyncJobOperation(AsyncOperation[P, T]):
    """An operation of an async client that the service finishes later: awaiting it waits for the result."""

    def __init__(self, definition: JobDefinition[P, T], client: Any) -> None:
        super().__init__(definition, client)
        self._kind = definition

    async def start(self, *args: P.args, **kwargs: P.kwargs) -> AsyncJob[T]:
        """Starts the job and gives a handle, without waiting."""
        return AsyncJob(await self._kind.start(self._client, args, kwargs), self._client)

    def resume(self, token: str) -> AsyncJob[T]:
        """The job whose `Job.token` this is."""
        return AsyncJob(self._kind.resume(self._client, token), self._client)


JobDefinition.sync = SyncJobOperation
JobDefinition.awaited = AsyncJobOperation


def job(
    style: JobStyle[T],
) -> Callable[[Callable[Concatenate[Any, P], Coroutine[Any, Any, JobState[T]]]], JobDefinition[P, T]]:
    """Makes a job of an `async def` method that starts it.

    The method gives `Pending(id)`, or `Done(value)` where there is nothing to wait for.

    Args:
        style: how the service's jobs are polled.
    """

    def define(body: Callable[Concatenate[Any, P], Coroutine[Any, Any, JobState[T]]]) -> JobDefinition[P, T]:
        return JobDefinition(body, style)

    return define
