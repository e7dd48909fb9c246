"""What is known of a job while it runs, and how it is polled and waited for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from ._call import Call
from ._errors import JackfieldError, JobTimeoutError
from ._events import JobPolled
from ._options import check_seconds
from ._tokens import encode_token
from ._wiring import Wired

T = TypeVar("T")


class Pending(NamedTuple):
    """The job runs. `id` is what the service knows it by; `label` names it for people."""

    id: str
    label: str = ""


class Done(NamedTuple, Generic[T]):
    """The job has succeeded with this value."""

    value: T


JobState: TypeAlias = Pending | Done[T]


class JobStyle(Protocol[T]):
    """How a service's jobs are polled."""

    def timeout(self, service: Any) -> float:
        """The longest that a result is waited for, in seconds, where the caller does not say."""
        ...

    def waits(self, service: Any) -> Iterator[float]:
        """Seconds to wait before each poll; endless."""
        ...

    async def poll(self, service: Any, job: Pending) -> JobState[T]:
        """Asks for the job's state, through the service's own operations; raises `JobFailedError` where it failed."""
        ...


class Progress(Generic[T]):
    """One job as this process knows it. The one place that polls and waits, for both colours."""

    def __init__(self, style: JobStyle[T], operation: str, client: Wired, state: JobState[T]) -> None:
        self.state = state
        self._style = style
        self._client = client
        self._operation = operation
        self._job = state if isinstance(state, Pending) else Pending("")
        self._call = Call(self._job.label or operation, client._wiring, bounded=False, within=client._call)
        self._polls = 0

    @property
    def token(self) -> str:
        return encode_token([self._operation, *self._job])

    async def poll(self) -> bool:
        """Asks once, unless it is known to be done; whether it is done now."""
        if isinstance(self.state, Pending):
            self._polls += 1
            try:
                self.state = await self._style.poll(self._client._within(self._call), self._job)
            except JackfieldError as error:
                self._tell(error)
                raise
            done = isinstance(self.state, Done)
            if self._call.observers:
                self._call.emit(JobPolled(self._call.operation, self._job.id, self._polls, done))
        return isinstance(self.state, Done)

    async def result(self, timeout: float | None) -> T:
        """Polls until it is done, or the time is up."""
        runtime = self._call.runtime
        limit = self._style.timeout(self._client) if timeout is None else check_seconds("timeout", timeout, zero=True)
        limit = min(limit, self._call.remaining())
        until = runtime.monotonic() + limit
        for wait in self._style.waits(self._client):
            if isinstance(self.state, Done):
                break
            left = until - runtime.monotonic()
            if left <= 0 and self._polls:
                overdue = JobTimeoutError.of(self._job.id, limit, self._polls)
                self._tell(overdue)
                raise overdue
            await runtime.sleep(max(0.0, min(wait, left)))
            await self.poll()
        state: JobState[T] = self.state
        assert isinstance(state, Done)
        value: T = state.value
        return value

    def _tell(self, error: JackfieldError) -> None:
        error.job_token = self.token
        error.attach(self._call.summary()._replace(attempts=self._polls))
