"""The settings of a client that a call may change."""

from __future__ import annotations

from math import isfinite
from typing import NamedTuple, Self

from ._errors import ConfigurationError
from ._headers import Headers


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
        for name in ("timeout", "connect_timeout", "read_timeout", "max_body_size"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value <= 0:
                raise ConfigurationError(f"{name} must be a positive, finite number, not {value!r}")
        return self
