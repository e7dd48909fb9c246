"""How long to wait before the next attempt: exponential backoff with full jitter, or what the service says."""

from __future__ import annotations

from typing import NamedTuple

from jackfield import ConfigurationError, check_seconds

from ._failure import Failure, Kind
from ._server_delay import hinted_delay, server_delay


class Backoff(NamedTuple):
    """The settings; all in seconds.

    Attributes:
        base: the longest wait before the second attempt; it doubles with each.
        throttle_base: the same after 429.
        cap: the longest wait that is our own choice.
        max_server_delay: the longest wait that the service may ask for.
    """

    base: float
    throttle_base: float
    cap: float
    max_server_delay: float

    def checked(self) -> Backoff:
        """These, if they make sense.

        Raises:
            ConfigurationError: they do not.
        """
        for name, seconds in zip(self._fields, self, strict=True):
            check_seconds(name, seconds)
        if self.base > self.cap:
            raise ConfigurationError(f"base <= cap must hold, not base={self.base}, cap={self.cap}")
        return self

    def window(self, kind: Kind, attempt: int) -> float:
        """The longest wait after that many attempts, if the service says nothing."""
        base = self.throttle_base if kind is Kind.THROTTLE else self.base
        return min(self.cap, base * 2.0 ** min(attempt - 1, 64))

    def delay(self, failure: Failure, attempt: int, chance: float, now: float, remaining: float) -> float | None:
        """Seconds to wait before the next attempt; None if there is to be none.

        Args:
            failure: what came of the last one.
            attempt: how many there were.
            chance: a random number from 0 to below 1.
            now: seconds since 1970.
            remaining: seconds until the call's deadline.
        """
        window = self.window(failure.kind, attempt)
        told = server_delay(failure.headers, now, throttled=failure.kind is Kind.THROTTLE)
        if told is None:
            delay = hinted_delay(failure.headers, chance * window)
            return delay if delay < remaining else None
        if told > self.max_server_delay or told >= remaining:
            return None
        # All who were told the same come back over half as long again, not at once; that never misses the deadline.
        return told + chance * min(window + told / 2, (remaining - told) / 2)
