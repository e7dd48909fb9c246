"""Jobs: what the service finishes later, as handles and as operations."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, NamedTuple, ParamSpec, TypeVar, overload

from ._errors import JackfieldError, UsageError
from ._operations import AsyncOperation, Definition, Descriptor, SyncOperation, check_style
from ._progress import Done, JobState, JobStyle, Pending, Progress
from ._tokens import decode_token
from ._wiring import Wired

if TYPE_CHECKING:
    from ._waiting import Tell

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_LONGEST_TOKEN = 64 * 1024  # characters


class Handle(Generic[T_co]):
    """A job, of whatever colour. All that it tells is what it last heard: it asks nobody."""

    def __init__(self, progress: Progress[T_co], client: Any) -> None:
        self._progress = progress
        self._client = client

    @property
    def token(self) -> str:
        """JSON text; `operation.resume(token)` takes the job up again, in another process too."""
        return self._progress.token

    @property
    def done(self) -> bool:
        """Whether it is known to have succeeded."""
        return isinstance(self._progress.state, Done)

    @property
    def state(self) -> str:
        """The service's own word for how it stands, "" before it was told."""
        return self._progress.job.state

    @property
    def progress(self) -> float | None:
        """The part that is done, from 0 to 1, where the service tells."""
        return self._progress.job.progress

    def __repr__(self) -> str:
        state = "done" if self.done else "failed" if self._progress.failure else self.state or "pending"
        return f"<{type(self).__name__} {self._progress.call.operation} {self._progress.name}: {state!r}>"


class Job(Handle[T_co]):
    """A job of a sync client."""

    def poll(self) -> bool:
        """Asks the service once; whether the job is done. Raises `JobFailedError` where it failed."""
        done: bool = self._client._run(self._progress.poll())
        return done

    def result(self, timeout: float | None = None, *, progress: Tell | None = None) -> T_co:
        """Waits for the result.

        Args:
            timeout: seconds, and a tenth more for the last poll; None: as the service's style says. 0 asks once.
            progress: is called with a `JobPolled` after each poll.

        Raises:
            JobFailedError: the job failed, or was cancelled (`JobCancelledError`).
            JobTimeoutError: it still runs, and goes on; so the result may be waited for again.
        """
        from ._waiting import result_of  # here, so that importing jackfield stays cheap

        value: T_co = self._client._run(result_of(self._progress, timeout, progress))
        return value

    def cancel(self) -> None:
        """Asks the service to cancel the job; one that is over stays as it is.

        What comes of it, `result()` tells: `JobCancelledError`, or the result if that came first.

        Raises:
            UsageError: this service's jobs cannot be cancelled.
        """
        self._client._run(self._progress.cancel())


class AsyncJob(Handle[T_co]):
    """A job of an async client; `Job` describes what the methods do."""

    async def poll(self) -> bool:
        """Asks the service once; whether the job is done. Raises `JobFailedError` where it failed."""
        return await self._progress.poll()

    async def result(self, timeout: float | None = None, *, progress: Tell | None = None) -> T_co:
        """Waits `timeout` seconds for the result, and a tenth more for the last poll; then raises `JobTimeoutError`."""
        from ._waiting import result_of

        return await result_of(self._progress, timeout, progress)

    async def cancel(self) -> None:
        """Asks the service to cancel the job; `result()` tells what comes of it."""
        await self._progress.cancel()


@overload
def wait_all(
    jobs: Iterable[Job[T]],
    *,
    timeout: float | None = None,
    return_errors: Literal[False] = False,
    progress: Tell | None = None,
) -> list[T]: ...
@overload
def wait_all(
    jobs: Iterable[Job[T]],
    *,
    timeout: float | None = None,
    return_errors: Literal[True],
    progress: Tell | None = None,
) -> list[T | JackfieldError]: ...
def wait_all(
    jobs: Iterable[Job[Any]],
    *,
    timeout: float | None = None,
    return_errors: bool = False,
    progress: Tell | None = None,
) -> list[Any]:
    """Waits for several jobs in this thread; of one client or of many, of one operation or of many.

    Args:
        jobs: what to wait for.
        timeout: seconds for all of them, and a tenth more for last polls; None: each as long as its style says.
        return_errors: give the errors among the results, when all jobs are over, and do not raise the first at once.
        progress: is called with a `JobPolled` after each poll.

    Returns:
        The results, in the order of the jobs.

    Raises:
        JackfieldError: the first that came; `job_token` tells of which job. The others go on.
    """
    handles = _checked(jobs, Job, "wait_all")
    return handles[0]._client._run(_gathered(handles, timeout, return_errors, progress)) if handles else []


@overload
async def async_wait_all(
    jobs: Iterable[AsyncJob[T]],
    *,
    timeout: float | None = None,
    return_errors: Literal[False] = False,
    progress: Tell | None = None,
) -> list[T]: ...
@overload
async def async_wait_all(
    jobs: Iterable[AsyncJob[T]],
    *,
    timeout: float | None = None,
    return_errors: Literal[True],
    progress: Tell | None = None,
) -> list[T | JackfieldError]: ...
async def async_wait_all(
    jobs: Iterable[AsyncJob[Any]],
    *,
    timeout: float | None = None,
    return_errors: bool = False,
    progress: Tell | None = None,
) -> list[Any]:
    """`wait_all` for jobs of async clients, and inside operations' bodies. It starts no task."""
    return await _gathered(_checked(jobs, AsyncJob, "async_wait_all"), timeout, return_errors, progress)


def _checked(jobs: Iterable[Any], kind: type[Any], name: str) -> list[Any]:
    handles = list(jobs)
    if wrong := next((type(handle).__name__ for handle in handles if not isinstance(handle, kind)), None):
        raise UsageError(f"{name} waits for what is a {kind.__name__}, not for a {wrong}")
    return handles


async def _gathered(handles: list[Any], timeout: float | None, return_errors: bool, progress: Tell | None) -> list[Any]:
    jobs: list[Progress[Any]] = [handle._progress for handle in handles]
    from ._waiting import wait_for

    outcomes = await wait_for(jobs, timeout, progress, collect=return_errors)
    return [outcome.value if isinstance(outcome, Done) else outcome for outcome in outcomes]


class _Token(NamedTuple):
    operation: str
    id: str
    label: str
    resource: str = ""


class JobDefinition(Definition[P, T], Descriptor["SyncJobOperation[P, T]", "AsyncJobOperation[P, T]"]):
    """What `@job(style)` makes of a body."""

    def __init__(self, body: Callable[..., Coroutine[Any, Any, JobState[T]]], style: JobStyle[T]) -> None:
        super().__init__(body)
        self._style = style

    async def run(self, client: Wired, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> T:
        from ._waiting import result_of

        return await result_of(await self.start(client, args, kwargs), None)

    async def start(self, client: Wired, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Progress[T]:
        """Starts the job, and does not wait."""
        return Progress(self._style, self.name, client, await self.invoke(client, args, kwargs))

    def resume(self, client: Wired, token: str) -> Progress[T]:
        """The job of a token. Nothing is sent."""
        if isinstance(token, str) and len(token) > _LONGEST_TOKEN:
            raise UsageError(f"this is not the token of a job: it is longer than {_LONGEST_TOKEN} characters")
        operation, id, label, resource = decode_token(token, _Token, "a job")
        if operation != self.name:
            raise UsageError(f"this token is of a job of {operation!r}: resume it there, not with {self.name!r}")
        if not id:
            raise UsageError("this job was done when its token was taken: there is nothing to resume")
        return Progress(self._style, self.name, client, Pending(id, label, resource))


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

    check_style("job", style, "poll", "Polling(...)")

    def define(body: Callable[Concatenate[Any, P], Coroutine[Any, Any, JobState[T]]]) -> JobDefinition[P, T]:
        return JobDefinition(body, style)

    return define
