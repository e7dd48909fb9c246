"""Retry: sends a request again where that can do no harm, with backoff and full jitter, within the call's deadline."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite

from jackfield import (
    Call,
    ConfigurationError,
    NetworkError,
    Proceed,
    ProtocolError,
    Request,
    Response,
    RetryScheduled,
    Stage,
    Step,
    StreamBody,
    TLSError,
    TruncatedBodyError,
    UnavailableError,
    hookimpl,
)


class Retry:
    """Tries again after a connection that failed, and after 503.

    What was certainly not sent is tried again whatever it is; what may have been processed only if the request is
    idempotent. The wait before attempt n+1 is a random part of `base * 2**(n-1)`, at most `cap`. A wait that does not
    fit into the call's deadline is not begun: the last outcome is given at once.

    Args:
        max_attempts: attempts in all, the first among them.
        base: seconds, the longest wait before the second attempt.
        cap: seconds, the longest wait at all.
    """

    name = "retry"

    def __init__(self, *, max_attempts: int = 3, base: float = 0.5, cap: float = 20.0) -> None:
        if isinstance(max_attempts, bool) or not isinstance(max_attempts, int) or max_attempts < 1:
            raise ConfigurationError(f"max_attempts must be a whole number of 1 or more, not {max_attempts!r}")
        if not (0 < base <= cap and isfinite(cap)):
            raise ConfigurationError(f"0 < base <= cap must hold, not base={base}, cap={cap}")
        self._max_attempts = max_attempts
        self._base = base
        self._cap = cap

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.RETRY, self._run)]

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        attempt = 1
        while True:
            try:
                response = await proceed(request, call)
            except (NetworkError, UnavailableError) as error:  # the latter of a token service, say: nothing was sent
                if attempt >= self._max_attempts or not _may_repeat(request, error):
                    raise
                delay, reason = self._delay(attempt, call), type(error).__name__
                if delay >= call.remaining():
                    raise
            else:
                if response.status != 503 or attempt >= self._max_attempts or not _repeatable(request):
                    return response
                delay, reason = self._delay(attempt, call), "503"
                if delay >= call.remaining():
                    return response
                if not isinstance(response.body, bytes):
                    await response.body.close()
            attempt += 1
            if call.observers:
                call.emit(RetryScheduled(call.operation, attempt, delay, reason))
            await call.runtime.sleep(delay)

    def _delay(self, attempt: int, call: Call) -> float:
        return call.runtime.random() * min(self._cap, self._base * 2.0 ** min(attempt - 1, 64))


def _may_repeat(request: Request, error: NetworkError | UnavailableError) -> bool:
    if isinstance(error, UnavailableError):
        return True
    wrong_again = isinstance(error, ProtocolError) and not isinstance(error, TruncatedBodyError)
    if wrong_again or isinstance(error, TLSError):  # neither a certificate nor bad HTTP gets better by asking again
        return False
    return not error.sent or _repeatable(request)


def _repeatable(request: Request) -> bool:
    replayable = not isinstance(request.body, StreamBody) or request.body.replayable
    return request.is_idempotent and replayable


@hookimpl
def jackfield_steps() -> Iterable[Step]:
    """What `plugins=["retry"]` stands for."""
    return Retry().jackfield_steps()
