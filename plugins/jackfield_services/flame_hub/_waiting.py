"""Waiting for what the Hub's workers do, and its people: builds, runs, approvals. Each wait is a job."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from copy import copy
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from msgspec import UNSET

from jackfield import AsyncItems, Done, JobDefinition, JobState, Pending, Request, UsageError, check_seconds
from jackfield_plugins.polling import Paced

from ._analysis_models import AnalysisNode
from ._job_errors import HubJobCancelledError, HubJobError
from ._model import OLD, Record
from ._project_models import ProjectNode
from ._reading import read_one
from ._service import HubService

A = TypeVar("A", ProjectNode, AnalysisNode)
P = ParamSpec("P")
R = TypeVar("R", bound=Record)
T = TypeVar("T")

_ANY = 10**9  # polls in a row that may fail: a Hub that is restarted is away for minutes, and a wait has an end
_TAKEN = """

    Besides what is waited for, or its id, it takes `timeout`, seconds that it waits, 1800 where none is given, and 0 to
    look once; and `auth`, who asks, for this call alone.

    Raises:
        HubJobError: it has failed, was stopped, or a node has rejected it: `code` says which.
        JobTimeoutError: the time is up; the text says what is known.
    """  # of every wait
_DONE = frozenset({"executed", "finished"})  # of 1.1.0, and of 0.1.1


class Wait(Paced[T]):
    """Looks at once, as it may have happened before; then as `Paced` does, whatever fails and passes."""

    _limit: float | None = None

    def waits(self, service: Any) -> Iterator[float]:
        yield 0.0
        yield from super().waits(service)

    def timeout(self, service: Any) -> float:
        return super().timeout(service) if self._limit is None else self._limit

    def lasting(self, seconds: float) -> Self:
        """The same, for so many seconds at most."""
        other = copy(self)
        other._limit = check_seconds("timeout", seconds, zero=True)
        return other


class Process(Wait[R]):
    """Reads a record until the process is over that its `build_status`, say, tells of.

    Args:
        path: of the records' list.
        model: the records.
        kind: what the names of the process's fields begin with.
        old: the same in Hubs of 0.1.1; None: they do not tell.
    """

    def __init__(self, path: str, model: type[R], kind: str, *, old: str | None) -> None:
        super().__init__(growth=1.2, longest=15.0, faults=_ANY)
        self._path = path
        self._model = model
        self._kind = kind
        self._old = old

    async def poll(self, service: HubService, job: Pending) -> JobState[R]:
        response = await service.send(Request("GET", service.url(self._path, job.id)))
        record = read_one(response, self._model, service._speech)
        kind = self._old if service.generation == OLD else self._kind
        if kind is None:
            raise UsageError(f"a Hub of generation {OLD} does not tell how the {self._kind} goes")
        status: str | None = getattr(record, f"{kind}_status")
        percent: int | None = getattr(record, f"{kind}_progress", None)
        if status in _DONE:
            return Done(record)
        if status in ("failed", "stopped"):
            error = HubJobError if status == "failed" else HubJobCancelledError
            raise error(f"the {kind} of {self._path}/{job.id} has {status}", status, record)
        return job._replace(
            state=status or "not begun", progress=None if percent is None else min(max(percent / 100, 0.0), 1.0)
        )


class Approval(Wait[list[A]]):
    """Reads the parts that nodes have in something, until all of them are approved.

    Args:
        path: of what they have a part in.
        find: finds the parts of one, by its id, without the records that belong to them.
    """

    def __init__(self, path: str, find: Callable[[Any, str], AsyncItems[A]]) -> None:
        super().__init__(interval=5.0, growth=1.5, faults=_ANY)
        self._path = path
        self._find: Callable[[Any, str], AsyncItems[A]] = find

    async def poll(self, service: HubService, job: Pending) -> JobState[list[A]]:
        parts: list[A] = [part async for part in self._find(service, job.id)]
        if not parts:  # either nobody was asked so far, or there is nothing any more that they could approve
            await service.send(Request("GET", service.url(self._path, job.id)))
        rejected = [part for part in parts if part.approval_status == "rejected"]
        if rejected:
            who = "; ".join(f"node {part.node_id} has rejected it{_why(part.comment)}" for part in rejected)
            raise HubJobError(f"{self._path}/{job.id}: {who}", "rejected", rejected[0])
        approved = sum(part.approval_status == "approved" for part in parts)
        if parts and approved == len(parts):
            return Done(parts)
        return job._replace(state=f"{approved} of {len(parts)} approved", progress=approved / max(len(parts), 1))


def _why(comment: str | None) -> str:
    return f" ({comment})" if comment else ""


class Waiting(JobDefinition[P, T]):
    """A job that somebody else began: to start it sends nothing."""

    async def start(self, client: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        given = dict(kwargs)
        timeout, hub = given.pop("timeout", None), client._asked_by(given.pop("auth", UNSET))
        progress: Any = await super().start(hub, args, given)
        if timeout is not None:
            progress.style = progress.style.lasting(timeout)
        return progress


def until(
    style: Wait[T],
) -> Callable[[Callable[Concatenate[Any, P], Coroutine[Any, Any, JobState[T]]]], Waiting[P, T]]:
    """Makes an operation that waits, of a method that says for which record."""

    def define(body: Callable[Concatenate[Any, P], Coroutine[Any, Any, JobState[T]]]) -> Waiting[P, T]:
        if body.__doc__:  # not so with python -OO
            body.__doc__ += _TAKEN
        return Waiting(body, style)

    return define
