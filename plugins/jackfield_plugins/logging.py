"""Logging: what a client does, as records of the standard library's `logging`. No record shows a secret."""

from __future__ import annotations

import logging
from typing import TypeAlias, cast

from jackfield import (
    AttemptFailed,
    CacheHit,
    CacheMiss,
    CacheNotStored,
    CacheRefreshFailed,
    CacheStored,
    Event,
    JobPolled,
    Observer,
    PageFetched,
    RequestSent,
    ResponseReceived,
    RetryScheduled,
    TokenRefreshed,
    hookimpl,
)

Shown: TypeAlias = tuple[tuple[str, str], ...]

_KINDS: dict[type[Event], tuple[str, int]] = {
    RequestSent: ("request", logging.DEBUG),
    ResponseReceived: ("response", logging.DEBUG),
    AttemptFailed: ("failure", logging.INFO),
    RetryScheduled: ("retry", logging.WARNING),
    TokenRefreshed: ("token", logging.INFO),
    PageFetched: ("page", logging.DEBUG),
    JobPolled: ("job", logging.DEBUG),
    CacheHit: ("cache", logging.DEBUG),
    CacheMiss: ("cache", logging.DEBUG),
    CacheStored: ("cache", logging.DEBUG),
    CacheNotStored: ("cache", logging.DEBUG),
    CacheRefreshFailed: ("cache", logging.WARNING),
}


class Logging:
    """Logs every event of a client.

    Requests and responses are logged by `jackfield.request` and `jackfield.response`, pages by `jackfield.page`, job
    polls by `jackfield.job` and what a cache does by `jackfield.cache` at DEBUG, attempts without an answer by
    `jackfield.failure` and tokens by `jackfield.token` at INFO, retries by `jackfield.retry` and what a cache could not
    refresh by `jackfield.cache` at WARNING. The message is `name=value …`; the record's attribute `event` is the same
    as a dictionary, for structured handlers. Of URLs and headers it shows what is known to be harmless; the client's
    `visible_query` adds names of parameters.

    Args:
        logger: the name that the loggers' names begin with.
    """

    name = "logging"

    def __init__(self, logger: str = "jackfield") -> None:
        self._loggers = {kind: (logging.getLogger(f"{logger}.{name}"), level) for kind, (name, level) in _KINDS.items()}

    @hookimpl
    def jackfield_observer(self) -> Observer:
        return self._log

    def _log(self, event: Event) -> None:
        logger, level = self._loggers[type(event)]
        if logger.isEnabledFor(level):
            fields = event._asdict()
            logger.log(
                level, " ".join(f"{name}={_text(value)}" for name, value in fields.items()), extra={"event": fields}
            )


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return repr("; ".join(f"{name}: {text}" for name, text in cast("Shown", value)))
    return f"{value:.3f}" if isinstance(value, float) else str(value)


@hookimpl
def jackfield_observer() -> Observer:
    """What `plugins=["logging"]` stands for."""
    return Logging().jackfield_observer()
