"""How often a transfer that breaks is taken up again, and how long is waited before."""

from __future__ import annotations

from typing import NamedTuple

from jackfield import Call, ConfigurationError, NetworkError, RetryScheduled, check_seconds

MOST = 10_000  # parts of one entity: whatever a service sends, it ends


class Resumption(NamedTuple):
    """The settings.

    Attributes:
        fruitless: how many breaks in a row may bring no byte further.
        base: seconds, the longest wait after a break that brought some; it doubles with each that brings none.
        cap: seconds, the longest wait.
    """

    fruitless: int
    base: float
    cap: float


class Pace:
    """Counts the breaks of one transfer."""

    def __init__(self, settings: Resumption, call: Call) -> None:
        self._settings = settings
        self._call = call
        self._furthest = 0
        self._fruitless = 0
        self._parts = 1

    async def rest(self, error: NetworkError, size: int) -> None:
        """Waits before the next part.

        Args:
            error: what broke the last one; it is raised if there were too many.
            size: the bytes that are held.
        """
        self._fruitless = 0 if size > self._furthest else self._fruitless + 1
        self._furthest = max(self._furthest, size)
        self._parts += 1
        if self._fruitless > self._settings.fruitless or self._parts > MOST:
            raise error
        call = self._call
        window = min(self._settings.cap, self._settings.base * 2.0 ** min(self._fruitless, 64))
        delay = call.limit(call.runtime.random() * window)
        if call.observers:
            call.emit(RetryScheduled(call.operation, self._parts, delay, type(error).__name__))
        await call.runtime.sleep(delay)


def checked(settings: Resumption) -> Resumption:
    """These, if they make sense; raises ConfigurationError."""
    fruitless = settings.fruitless
    if isinstance(fruitless, bool) or not isinstance(fruitless, int) or fruitless < 0:
        raise ConfigurationError(f"fruitless must be a whole number of 0 or more, not {fruitless!r}")
    check_seconds("base", settings.base)
    check_seconds("cap", settings.cap)
    return settings
