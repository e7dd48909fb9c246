"""Polling by a function of the bundle's own: for services whose jobs are like no other's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, Unpack

from jackfield import JobState, Pending

from ._pace import Paced, PaceOptions

T = TypeVar("T")


class Polling(Paced[T]):
    """Asks by a function, for a job's id and a query command say.

    Args:
        poll: `async def poll(service, job)` that asks once: `Done(value)`, or the job, with what was told of it:
            `job._replace(state=…, progress=…, after=…)`. It raises `JobFailedError`.
        pace: as `Paced` takes it.
    """

    def __init__(self, poll: Callable[[Any, Pending], Awaitable[JobState[T]]], **pace: Unpack[PaceOptions]) -> None:
        super().__init__(**pace)
        self._poll = poll

    async def poll(self, service: Any, job: Pending) -> JobState[T]:
        return await self._poll(service, job)
