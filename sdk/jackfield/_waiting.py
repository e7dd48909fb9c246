"""Waiting for jobs, one or many: one loop, for both colours, that begins neither a thread nor a task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from heapq import heapify, heappop, heappush
from typing import Any, Generic, TypeAlias, TypeVar

from ._errors import (
    DeadlineExceededError,
    JackfieldError,
    JobFailedError,
    JobTimeoutError,
    NetworkError,
    ServiceError,
)
from ._events import JobPolled
from ._options import check_seconds
from ._progress import Done, Progress
from ._retry_after import parse_retry_after

T = TypeVar("T")
Tell: TypeAlias = Callable[[JobPolled], object]

_PASSING = frozenset({408, 425, 429, 502, 503, 504})  # statuses that may be others the next time
_LONGEST_FAULT = 60.0  # seconds between polls that fail, where the service asks for no more
_SHORTEST_ASKED = 1.0  # seconds that a service may not ask to go below, unless the style does
_SPREAD = 0.1  # of what a service asks for is added at random at most: others were told the same
_LAST_POLL = 10.0  # seconds that a last poll has at most when the time is up; all of them where that is 0
_LATE = 0.1  # of the time that is waited: what a last poll may take of more


class Waiter(Generic[T]):
    """One job, how long it is waited for, and what came of it."""

    __slots__ = ("end", "limit", "outcome", "progress", "until")

    def __init__(self, progress: Progress[T], timeout: float | None) -> None:
        limit = progress.style.timeout(progress.client) if timeout is None else timeout
        self.progress = progress
        self.limit = min(limit, progress.call.remaining())
        self.until = progress.call.runtime.monotonic() + self.limit
        self.end = self.until + (min(_LAST_POLL, _LATE * (1 + self.limit)) if self.limit else _LAST_POLL)
        self.outcome: Done[T] | JackfieldError | None = None

    def settle(self, error: JackfieldError | None, *, give_up: bool, is_late: bool) -> None:
        """Sees what a poll came to: the first of these that holds."""
        progress = self.progress
        if isinstance(progress.state, Done):
            self.outcome = progress.state
        elif error is not None and not _passes(error):
            self.outcome = error
        elif is_late:
            overdue = JobTimeoutError.of(progress.name, progress.event.state, self.limit, progress.polls, error)
            overdue.__cause__ = error
            self.outcome = progress.told(overdue, progress.call)
        elif give_up:
            self.outcome = error


class Round(Generic[T]):
    """Jobs that are asked for at one time: one, or those that one request asks for."""

    def __init__(self, waiters: list[Waiter[T]], number: int) -> None:
        progress = waiters[0].progress
        self.waiting = waiters
        self._number = number
        self._style = progress.style
        self._runtime = progress.call.runtime
        self._waits = progress.style.waits(progress.client)
        self._faults = 0
        self._own = 0.0
        self._schedule(None)

    def __lt__(self, other: Round[Any]) -> bool:
        return (self.due, self._number) < (other.due, other._number)

    async def ask(self, tell: Tell | None) -> list[Waiter[T]]:
        """Asks when the time has come; those of the jobs that are settled now."""
        try:
            await self._runtime.sleep(max(0.0, self.due - self._runtime.monotonic()))
        except JackfieldError as closed:  # the client was
            return self._ended(closed)
        errors = await self._poll()
        fault = next((error for error in errors if error is not None and _passes(error)), None)
        self._faults = 0 if fault is None else self._faults + 1
        give_up, now = self._faults > self._style.faults, max(self.due, self._runtime.monotonic())
        for waiter, error in zip(self.waiting, errors, strict=True):
            waiter.settle(error, give_up=give_up, is_late=now >= waiter.until)
            if tell is not None and error is None:
                tell(waiter.progress.event)
        settled = [waiter for waiter in self.waiting if waiter.outcome is not None]
        self.waiting = [waiter for waiter in self.waiting if waiter.outcome is None]
        if self.waiting:
            self._schedule(fault)
        return settled

    def _ended(self, error: JackfieldError) -> list[Waiter[T]]:
        ended, self.waiting = self.waiting, []
        for waiter in ended:
            waiter.outcome = waiter.progress.told(_copied(error), waiter.progress.call)
        return ended

    async def _poll(self) -> list[JackfieldError | None]:
        """For each job what its poll failed with."""
        end = min(waiter.end for waiter in self.waiting)
        left, jobs = end - self._runtime.monotonic(), [waiter.progress for waiter in self.waiting]
        if left <= 0:
            return [DeadlineExceededError("the time was up before it was asked for") for _ in jobs]
        if self._style.shares:
            return await _poll_all(jobs, left)
        try:
            await jobs[0].poll(left)
        except JackfieldError as error:
            return [error]
        return [None]

    def _schedule(self, fault: JackfieldError | None) -> None:
        """Says when to ask next: by the service's word, or ours."""
        own = self._own = next(self._waits, self._own)
        asked = [job.after for waiter in self.waiting if (job := waiter.progress.job).after is not None]
        pause = self._asked(max(asked), own) if asked else own
        if fault is not None:
            told = _asked_by(fault, self._runtime.now())
            backoff = min(2.0 ** min(self._faults - 1, 10), _LONGEST_FAULT)
            pause = max(own, backoff, 0.0 if told is None else self._asked(told, own))
        now = self._runtime.monotonic()
        self.due = min(now + max(0.0, pause), *(waiter.until for waiter in self.waiting))

    def _asked(self, seconds: float, own: float) -> float:
        return max(min(own, _SHORTEST_ASKED), seconds) * (1 + _SPREAD * self._runtime.random())


async def wait_for(
    jobs: Sequence[Progress[T]], timeout: float | None, tell: Tell | None = None, *, collect: bool = False
) -> list[Done[T] | JackfieldError]:
    """What comes of the jobs, in their order.

    Args:
        jobs: what to wait for.
        timeout: seconds; None: each as long as its style says.
        tell: is told of each poll that was answered.
        collect: whether to wait for all of them, and give errors with the rest; or else raise the first there is.
    """
    seconds = None if timeout is None else check_seconds("timeout", timeout, zero=True)
    waiters = [Waiter(job, seconds) for job in jobs]
    for waiter in waiters:
        waiter.settle(waiter.progress.known_failure, give_up=False, is_late=False)
    _raise_first(waiters, collect)
    rounds = _rounds([waiter for waiter in waiters if waiter.outcome is None])
    while rounds:
        first = heappop(rounds)
        _raise_first(await first.ask(tell), collect)
        if first.waiting:
            heappush(rounds, first)
    return [waiter.outcome for waiter in waiters if waiter.outcome is not None]


async def result_of(job: Progress[T], timeout: float | None, tell: Tell | None = None) -> T:
    """Waits for one job's result."""
    (outcome,) = await wait_for([job], timeout, tell)
    assert isinstance(outcome, Done)
    value: T = outcome.value
    return value


def _raise_first(settled: list[Waiter[T]], collect: bool) -> None:
    for waiter in settled:
        if isinstance(waiter.outcome, JackfieldError) and not collect:
            raise waiter.outcome


def _rounds(waiters: list[Waiter[T]]) -> list[Round[T]]:
    """The jobs, each by itself, or with those that are of its style and client where one request asks for all."""
    together: list[list[Waiter[T]]] = []
    for waiter in waiters:
        job = waiter.progress
        for others in together if job.style.shares else ():
            other = others[0].progress
            if other.style is job.style and other.client._wiring is job.client._wiring:
                others.append(waiter)
                break
        else:
            together.append([waiter])
    rounds = [Round(waiters, number) for number, waiters in enumerate(together)]
    heapify(rounds)
    return rounds


async def _poll_all(jobs: list[Progress[T]], seconds: float) -> list[JackfieldError | None]:
    """Asks once for jobs of one style and client; for each what that failed with."""
    first = jobs[0]
    call = first.call.bounded(seconds)
    try:
        outcomes = await first.style.poll_all(first.client._within(call), [job.job for job in jobs])
    except JackfieldError as error:
        outcomes = [_copied(error) for _ in jobs]
    errors: list[JackfieldError | None] = []
    for job, outcome in zip(jobs, outcomes, strict=True):
        if isinstance(outcome, JackfieldError):
            errors.append(job.failed(outcome, call))
        else:
            job.take(outcome)
            errors.append(None)
    return errors


def _copied(error: JackfieldError) -> JackfieldError:
    """For each job its own: it is to say which one it is of."""
    own = copy(error)
    own.__cause__ = error
    return own


def _passes(error: JackfieldError) -> bool:
    """Whether a poll may succeed the next time."""
    if isinstance(error, NetworkError):
        return not error.permanent
    if isinstance(error, ServiceError):
        return error.status in _PASSING and not isinstance(error, JobFailedError)
    return isinstance(error, DeadlineExceededError)


def _asked_by(error: JackfieldError, now: float) -> float | None:
    """Seconds that the service wants polls to wait, where the error is its answer and says so."""
    response = error.response if isinstance(error, ServiceError) else None
    return None if response is None else parse_retry_after(response.headers, now)
