"""Pace: how often and how long a job is asked for, and how it is cancelled; what its states mean is not said here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from math import inf
from typing import Any, TypeAlias, TypedDict, TypeVar

from jackfield import ConfigurationError, JobStyle, Pending, check_seconds

T = TypeVar("T")
Setting: TypeAlias = float | Callable[[Any], float]
Cancel: TypeAlias = Callable[[Any, Pending], Awaitable[object]]


class PaceOptions(TypedDict, total=False):
    """What every style takes, as `Paced` says."""

    interval: Setting
    growth: float
    longest: float
    jitter: float
    timeout: Setting
    faults: int
    cancel: Cancel | None


class Paced(JobStyle[T]):
    """Asks after `interval` seconds, then after `growth` times as long each time, up to `longest`.

    The service's own word, by `Pending.after`, goes before that.

    Args:
        interval: seconds before the first poll; a function of the service where that has a setting for it.
        growth: 1.0 keeps the interval.
        longest: seconds between polls at most.
        jitter: the part of a wait, from 0 to 1, that chance may take away.
        timeout: the longest that a result is waited for, in seconds, where the caller does not say.
        faults: so many polls in a row may fail for a reason that passes.
        cancel: `async def cancel(service, job)`, or a `CancelRequest`; None: jobs cannot be cancelled.

    Raises:
        ConfigurationError: one of these makes no sense; a function's value is looked at when it is used.
    """

    def __init__(
        self,
        *,
        interval: Setting = 2.0,
        growth: float = 1.0,
        longest: float = 60.0,
        jitter: float = 0.1,
        timeout: Setting = 1800.0,
        faults: int = 5,
        cancel: Cancel | None = None,
    ) -> None:
        if not 1.0 <= growth < inf:
            raise ConfigurationError(f"growth must be 1.0 or more, and finite, not {growth}")
        if not 0.0 <= jitter <= 1.0:
            raise ConfigurationError(f"jitter is a part, from 0 to 1, not {jitter}")
        if isinstance(faults, bool) or not isinstance(faults, int) or faults < 0:
            raise ConfigurationError(f"faults must be a whole number of 0 or more, not {faults!r}")
        for name, setting in (("interval", interval), ("timeout", timeout)):
            if not callable(setting):
                check_seconds(name, setting, zero=True)
        self.faults = faults
        self._interval = interval
        self._growth = growth
        self._longest = check_seconds("longest", longest)
        self._jitter = jitter
        self._timeout = timeout
        self._cancel = cancel

    def timeout(self, service: Any) -> float:
        return _seconds("timeout", self._timeout, service)

    def waits(self, service: Any) -> Iterator[float]:
        wait = _seconds("interval", self._interval, service)
        while True:
            yield wait * (1 - self._jitter * service.runtime.random())
            wait = max(wait, min(self._longest, wait * self._growth))

    async def cancel(self, service: Any, job: Pending) -> None:
        if self._cancel is None:
            await super().cancel(service, job)
        else:
            await self._cancel(service, job)


def _seconds(name: str, setting: Setting, service: Any) -> float:
    return check_seconds(name, setting(service) if callable(setting) else setting, zero=True)
