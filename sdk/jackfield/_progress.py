"""What is known of a job while it runs, and how it is asked for and cancelled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from math import inf
from typing import Any, Generic, NamedTuple, Protocol, SupportsIndex, TypeAlias, TypeVar

from ._call import Call
from ._errors import (
    BadRequestError,
    ConflictError,
    JackfieldError,
    JobCancelledError,
    JobFailedError,
    NotFoundError,
    UsageError,
)
from ._events import JobPolled
from ._secrets import Secret
from ._tokens import encode_token
from ._wiring import Wired

T = TypeVar("T")

_SHOWN = 200  # characters


class Pending(NamedTuple):
    """The job runs.

    Attributes:
        id: what the service knows it by.
        label: names it for people.
        resource: where its result will be, if that is known from the start.
        state: the service's own word for how it stands.
        progress: the part that is done, from 0 to 1, where the service tells.
        after: seconds to wait before the next poll, where the service says.
    """

    id: str
    label: str = ""
    resource: str = ""
    state: str = ""
    progress: float | None = None
    after: float | None = None

    def __repr__(self) -> str:
        shown = self._replace(id=_unsigned(self.id), resource=_unsigned(self.resource))
        return f"Pending{tuple(shown)}"


class Done(NamedTuple, Generic[T]):
    """The job has succeeded with this value."""

    value: T


JobState: TypeAlias = Pending | Done[T]


class JobStyle(Protocol[T]):
    """How a service's jobs are polled. Derive from it: what has a body here is what holds unless a style differs.

    Attributes:
        faults: so many polls in a row may fail for a reason that passes, while a result is waited for.
        shares: whether `poll_all` asks for several jobs by one request.
    """

    faults: int = 5
    shares: bool = False

    def timeout(self, service: Any) -> float:
        """The longest that a result is waited for, in seconds, where the caller does not say."""
        ...

    def waits(self, service: Any) -> Iterator[float]:
        """Seconds to wait before each poll; endless."""
        ...

    async def poll(self, service: Any, job: Pending) -> JobState[T]:
        """Asks for the job's state, as one call of the service; raises `JobFailedError` where it failed."""
        ...

    async def poll_all(self, service: Any, jobs: Sequence[Pending]) -> Sequence[JobState[T] | JackfieldError]:
        """Asks for the states of several jobs, as one call: of each, in order, its state, or what `poll` raises."""
        raise UsageError("this style asks for one job at a time: `shares` is for those that have a `poll_all`")

    async def cancel(self, service: Any, job: Pending) -> None:
        """Asks the service to cancel the job."""
        raise UsageError("this service's jobs cannot be cancelled: the job goes on, whether it is waited for or not")


class Progress(Generic[T]):
    """One job as this process knows it. The one place that asks for it, for both colours."""

    def __init__(self, style: JobStyle[T], operation: str, client: Wired, state: JobState[T]) -> None:
        self.state = state
        self.failure: JobFailedError | None = None
        self.job = state if isinstance(state, Pending) else Pending("")
        self.style = style
        self.client = client
        self.call = Call(self.job.label or operation, client._wiring, bounded=False, within=client._call)
        self.polls = 0
        self._operation = operation
        self._cancelled = False

    @property
    def token(self) -> str:
        job = self.job
        return encode_token([self._operation, job.id, job.label, *([job.resource] if job.resource else [])])

    @property
    def name(self) -> str:
        """The job's id for people."""
        return _plain(_unsigned(self.job.id))

    @property
    def is_over(self) -> bool:
        """Whether it is known how it ended."""
        return self.failure is not None or isinstance(self.state, Done)

    @property
    def known_failure(self) -> JobFailedError | None:
        """How it failed, if it did: each time another copy, as whoever catches it may add to it."""
        return copy(self.failure)

    @property
    def event(self) -> JobPolled:
        done, job = isinstance(self.state, Done), self.job
        return JobPolled(self.call.operation, self.name, self.polls, done, _plain(job.state), job.progress)

    async def poll(self, seconds: float = inf) -> bool:
        """Asks once, for so long at most, unless it is known how it ended; whether it is done now."""
        if known := self.known_failure:
            raise known
        if isinstance(self.state, Pending):
            call = self.call.bounded(seconds)
            failure: JackfieldError | None = None
            try:
                self.take(await self.style.poll(self.client._within(call), self.job))
            except JackfieldError as error:
                failure = self.failed(error, call)
            if failure is not None:  # raised here: it may be another one, with a cause of its own
                raise failure
        return isinstance(self.state, Done)

    async def cancel(self) -> None:
        """Asks the service to cancel it, unless it is known how it ended."""
        if self.is_over:
            return
        self._cancelled = True
        call = self.call.bounded(inf)
        try:
            await self.style.cancel(self.client._within(call), self.job)
        except JackfieldError as error:
            self._cancelled = not isinstance(error, UsageError)
            if isinstance(error, ConflictError | NotFoundError | BadRequestError) and await self._has_ended():
                return  # it was done before
            self.told(error, call)
            raise

    def take(self, outcome: JobState[T]) -> None:
        """Goes on from what a poll gave."""
        self.polls += 1
        if isinstance(self.state, Pending):  # another thread or task may have seen its end meanwhile
            self.state = outcome
            job = self.job
            if isinstance(outcome, Pending):
                self.job = outcome._replace(label=outcome.label or job.label)
            else:  # what was told last was of a job that ran
                self.job = job._replace(state="", progress=None if job.progress is None else 1.0)
        if self.call.observers:
            self.call.emit(self.event)

    def told(self, error: JackfieldError, call: Call) -> JackfieldError:
        """The error, which now says of which job it is, and how to take that up again."""
        error._job_token = JobToken(self.token)
        elapsed = self.call.runtime.monotonic() - self.call.started
        summary = call.summary()
        error.attach(summary._replace(attempts=self.polls, elapsed=elapsed))
        return error

    def failed(self, error: JackfieldError, call: Call) -> JackfieldError:
        """Goes on from what a poll failed with: the error to raise."""
        self.polls += 1
        if self._cancelled and isinstance(error, NotFoundError):
            gone = JobCancelledError("the job was cancelled, and is there no more", status=error.status)
            gone.__cause__ = error
            error = gone
        if isinstance(error, JobFailedError):
            self.failure = error
        return self.told(error, call)

    async def _has_ended(self) -> bool:
        try:
            await self.poll()
        except JackfieldError:
            pass  # what counts is what is known now
        return self.is_over


class JobToken(Secret):
    """A job's token, which may hold a signed URL. Pickled, it is None."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return type(None), ()


def _unsigned(id: str) -> str:
    """Without a URL's query, which may hold a secret."""
    return id.partition("?")[0]


def _plain(text: str) -> str:
    """A service's text for people: no line breaks or control characters, and no flood."""
    return "".join(c if c.isprintable() else "?" for c in text[:_SHOWN])
