"""What is known of an attempt that failed: of what kind it is, and whether the service may have processed it."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from jackfield import (
    ConnectTimeoutError,
    Headers,
    NetworkError,
    PoolTimeoutError,
    RateLimitedError,
    ReadTimeoutError,
    Request,
    Response,
    StreamBody,
    UnavailableError,
)

FAILURES = (NetworkError, UnavailableError, RateLimitedError)
_TIMEOUTS = (ConnectTimeoutError, PoolTimeoutError, ReadTimeoutError)
_NO_HEADERS = Headers()


class Kind(Enum):
    """What a failure is counted as."""

    TRANSIENT = "transient"
    TIMEOUT = "timeout"
    THROTTLE = "throttle"


class Known(Enum):
    """What is known of the request."""

    UNSENT = "nothing of it was sent"
    REFUSED = "the answer proves that it was not processed"
    UNSURE = "it may have been processed"


class Failure(NamedTuple):
    """An attempt that another one may mend.

    Attributes:
        reason: a word for people: the status, or the error's name.
        kind: what it is counted as.
        known: what is known of the request.
        headers: of the answer, which may say when to come back.
    """

    reason: str
    kind: Kind
    known: Known
    headers: Headers = _NO_HEADERS

    def may_repeat(self, request: Request) -> bool:
        """Whether sending the request again can do no harm, and is possible."""
        if self.known is Known.UNSENT:
            return True
        if self.known is Known.UNSURE and not request.is_idempotent:
            return False
        return not isinstance(request.body, StreamBody) or request.body.replayable


def of_response(response: Response, unprocessed: frozenset[int]) -> Failure:
    """What an answer with a status that is tried again tells.

    Args:
        response: the answer.
        unprocessed: statuses that prove that the request was not processed.
    """
    status = response.status
    kind = Kind.THROTTLE if status == 429 else Kind.TRANSIENT
    return Failure(str(status), kind, _of_status(status, unprocessed), response.headers)


def of_error(
    error: NetworkError | UnavailableError | RateLimitedError, unprocessed: frozenset[int], *, handed_over: bool
) -> Failure | None:
    """What an error tells; None if it would be the same again.

    Args:
        error: what was raised below: by the transport, or by a step that asked another service, for a token say.
        unprocessed: statuses that prove that the request was not processed.
        handed_over: whether the request itself had reached the transport.
    """
    if isinstance(error, NetworkError):
        return _of_network_error(error, handed_over)
    kind = Kind.THROTTLE if isinstance(error, RateLimitedError) else Kind.TRANSIENT
    known = _of_status(error.status, unprocessed) if handed_over else Known.UNSENT
    headers = error.response.headers if error.response is not None else _NO_HEADERS
    return Failure(type(error).__name__, kind, known, headers)


def _of_network_error(error: NetworkError, handed_over: bool) -> Failure | None:
    if error.permanent:  # neither a certificate nor bad HTTP gets better by asking again
        return None
    aside = error.call is not None and not handed_over  # `call.fetch` says which request it was
    kind = Kind.TIMEOUT if isinstance(error, _TIMEOUTS) else Kind.TRANSIENT
    return Failure(type(error).__name__, kind, Known.UNSENT if aside or not error.sent else Known.UNSURE)


def _of_status(status: int | None, unprocessed: frozenset[int]) -> Known:
    return Known.REFUSED if status in unprocessed else Known.UNSURE
