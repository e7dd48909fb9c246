"""Polling: how often and how long a job is asked for; what its states mean is the bundle's to say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from math import inf
from typing import Any, Generic, TypeAlias, TypeVar

from jackfield import ConfigurationError, JobState, Pending, check_seconds

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
        if not 1.0 <= growth < inf:
            raise ConfigurationError(f"growth must be 1.0 or more, and finite, not {growth}")
        for name, setting in (("interval", interval), ("timeout", timeout)):
            if not callable(setting):
                check_seconds(name, setting, zero=True)
        self._poll = poll
        self._interval = interval
        self._timeout = timeout
        self._growth = growth
        self._longest = check_seconds("longest", longest)

    def timeout(self, service: Any) -> float:
        return _seconds("timeout", self._timeout, service)

    def waits(self, service: Any) -> Iterator[float]:
        wait = _seconds("interval", self._interval, service)
        while True:
            yield wait
            wait = max(wait, min(self._longest, wait * self._growth))

    async def poll(self, service: Any, job: Pending) -> JobState[T]:
        return await self._poll(service, job)


def _seconds(name: str, setting: Setting, service: Any) -> float:
    return check_seconds(name, setting(service) if callable(setting) else setting, zero=True)
