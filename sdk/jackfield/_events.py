"""What observers are told: frozen facts, without secrets. Times are seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

Shown: TypeAlias = tuple[tuple[str, str], ...]


class RequestSent(NamedTuple):
    """An attempt starts. `attempt` counts from 1; `url` and `headers` are redacted."""

    operation: str
    method: str
    url: str
    attempt: int
    headers: Shown = ()


class ResponseReceived(NamedTuple):
    """An attempt was answered, `elapsed` seconds after it started. `size` is the body's bytes, -1 for a stream."""

    operation: str
    status: int
    size: int
    elapsed: float
    headers: Shown = ()


class AttemptFailed(NamedTuple):
    """An attempt ended without an answer, `elapsed` seconds after it started. `error` is the name of its kind."""

    operation: str
    attempt: int
    error: str
    elapsed: float


class RetryScheduled(NamedTuple):
    """The next attempt starts in `delay` seconds."""

    operation: str
    attempt: int
    delay: float
    reason: str


class PageFetched(NamedTuple):
    """One page came. `total` is the number of all items where the service tells it."""

    operation: str
    items: int
    total: int | None


class JobPolled(NamedTuple):
    """A job was asked for its state, for the `polls`-th time.

    `state` is the service's own word for it, `progress` the part that is done, from 0 to 1, where the service tells.
    """

    operation: str
    job: str
    polls: int
    done: bool
    state: str = ""
    progress: float | None = None


class TokenRefreshed(NamedTuple):
    """A token was had by `grant`. `lifetime` is in seconds, None where the service does not tell."""

    operation: str
    grant: str
    lifetime: float | None


class CacheHit(NamedTuple):
    """An answer came out of the cache, `age` seconds old; it is fresh for `lifetime` seconds in all.

    `kind` is "fresh"; "stale", where it is given past its time; "validated", where the service said that it is still
    good; or "shared", where the same request of another caller brought it just now.
    """

    operation: str
    method: str
    url: str
    kind: str
    age: float
    lifetime: float


class CacheMiss(NamedTuple):
    """The cache had no answer that it might give; the service was asked."""

    operation: str
    method: str
    url: str
    reason: str


class CacheStored(NamedTuple):
    """An answer was kept: a body of `size` bytes, fresh for `lifetime` seconds in all."""

    operation: str
    url: str
    size: int
    lifetime: float


class CacheNotStored(NamedTuple):
    """An answer to a GET was not kept."""

    operation: str
    url: str
    reason: str


class CacheRefreshFailed(NamedTuple):
    """An answer that was given past its time could not be refreshed; nobody tries again for `delay` seconds.

    `error` is the name of its kind, or the answer's status.
    """

    operation: str
    method: str
    url: str
    error: str
    delay: float


Event: TypeAlias = (
    TokenRefreshed
    | RequestSent
    | ResponseReceived
    | AttemptFailed
    | RetryScheduled
    | PageFetched
    | JobPolled
    | CacheHit
    | CacheMiss
    | CacheStored
    | CacheNotStored
    | CacheRefreshFailed
)
Observer: TypeAlias = Callable[[Event], None]


def emit(observers: tuple[Observer, ...], event: Event) -> None:
    """Tells the observers. One that fails is logged under `jackfield`, and fails nobody's call."""
    for observer in observers:
        try:
            observer(event)
        except Exception:
            import logging

            logging.getLogger("jackfield").exception("an observer failed on %s", type(event).__name__)
