"""The settings of a client that a call may change."""

from __future__ import annotations

from typing import NamedTuple, Self

from ._errors import ConfigurationError
from ._headers import Headers

_FOREVER = 1e9  # seconds, some 30 years: clocks can still add to it


class Options(NamedTuple):
    """Settings; every time is in seconds, and finite.

    Attributes:
        timeout: total for one call, with every attempt, wait and redirect.
        connect_timeout: for one attempt to connect, TLS included.
        read_timeout: the longest silence while an answer is awaited or read.
        max_body_size: bytes of an answer that is read as a whole, after decompression.
        headers: fields sent with every request that does not name them itself.
        visible_query: names of query parameters whose values may stand in errors and events.
    """

    timeout: float = 60.0
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    max_body_size: int = 64 * 1024 * 1024
    headers: Headers = Headers()
    visible_query: frozenset[str] = frozenset()

    def checked(self) -> Self:
        """These, if they make sense.

        Raises:
            ConfigurationError: a limit is not a positive, finite number.
        """
        for name in ("timeout", "connect_timeout", "read_timeout"):
            check_seconds(name, getattr(self, name))
        if isinstance(self.max_body_size, bool) or not isinstance(self.max_body_size, int) or self.max_body_size < 1:
            raise ConfigurationError(f"max_body_size must be a number of bytes, 1 or more, not {self.max_body_size!r}")
        return self


def check_seconds(name: str, given: object, *, zero: bool = False) -> float:
    """The number of seconds that was given for a setting.

    Raises:
        ConfigurationError: it is no finite number above 0, or, with `zero`, of 0 or more.
    """
    if (
        isinstance(given, int | float)
        and not isinstance(given, bool)
        and (0 < given < _FOREVER or (zero and given == 0))
    ):
        return float(given)
    least = "0 or more" if zero else "more than 0"
    raise ConfigurationError(f"{name} must be a finite number of seconds, {least}, not {given!r}")
