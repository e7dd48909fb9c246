"""Polling: how often and how long a job is asked for; what its states mean is the bundle's to say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from math import isfinite
from typing import Any, Generic, TypeAlias, TypeVar

from jackfield import ConfigurationError, JobState, Pending

T = TypeVar("T")
Setting: TypeAlias = float | Callable[[Any], float]


class Polling(Generic[T]):
    """Asks after `interval` seconds, then after `growth` times as long each time, up to `longest`.

    Args:
        poll: `async def poll(service, job)` that asks once: `Pending` or `Done(value)`; raises `JobFailedError`.
        interval: seconds before the first poll; a function of the service where that has a setting for it.
        timeout: the longest that a result is waited for, in seconds, where the caller does not say.
        growth: 1.0 keeps the interval.
        longest: seconds between polls at most.
    """

    def __init__(
        self,
        poll: Callable[[Any, Pending], Awaitable[JobState[T]]],
        *,
        interval: Setting = 2.0,
        timeout: Setting = 1800.0,
        growth: float = 1.0,
        longest: float = 60.0,
    ) -> None:
        if growth < 1.0 or not isfinite(growth):
            raise ConfigurationError(f"growth must be 1.0 or more, not {growth}")
        self._poll = poll
        self._interval = interval
        self._timeout = timeout
        self._growth = growth
        self._longest = longest

    def timeout(self, service: Any) -> float:
        return _value(self._timeout, service)

    def waits(self, service: Any) -> Iterator[float]:
        wait = _value(self._interval, service)
        while True:
            yield wait
            wait = max(wait, min(self._longest, wait * self._growth))

    async def poll(self, service: Any, job: Pending) -> JobState[T]:
        return await self._poll(service, job)


def _value(setting: Setting, service: Any) -> float:
    return setting(service) if callable(setting) else setting
