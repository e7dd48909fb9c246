"""The step that owns RETRY: attempts, and waits between them, until an outcome is final."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from jackfield import (
    Call,
    ConfigurationError,
    Proceed,
    Request,
    Response,
    RetryScheduled,
    Stage,
    Step,
    hookimpl,
)

from ._backoff import Backoff
from ._budget import RetryBudget, budget_of
from ._failure import FAILURES, Failure, of_error, of_response
from ._pace import Paces

STATUSES = frozenset({408, 421, 425, 429, 502, 503, 504})
UNPROCESSED = frozenset({408, 421, 425, 429})
_POSSIBLE = (UNPROCESSED | frozenset(range(500, 600))) - {501, 505}  # the rest is the same again


class Retry:
    """Tries again where that can do no harm and may help, within the call's deadline and a budget.

    What was certainly not sent is tried again whatever it is; so is what the service certainly did not process; what it
    may have processed only if the request is idempotent. The wait after attempt n is a random part of
    `base * 2**(n-1)`, at most `cap`; or what the service asks for, and a random part of half of that besides. A wait
    that does not fit into the deadline, is longer than `max_server_delay`, or finds the budget used up, is not begun:
    the last outcome is given at once.

    Args:
        max_attempts: attempts in all, the first among them.
        base: seconds, the longest wait before the second attempt.
        throttle_base: seconds, the same after 429.
        cap: seconds, the longest wait of our own choice.
        max_server_delay: seconds, the longest wait that the service may ask for.
        statuses: answers that are tried again: of 408, 421, 425, 429 and 5xx, but not 501 and 505.
        unprocessed: which of them prove that the request was not processed.
        budget: the tokens that retries are paid from: None for this object's own, the name of one that all in this
            process share who name it, or a `RetryBudget`.
        adaptive: hold calls back, too, at the pace that the service bears; see `docs/resilience/retry.md`.

    Raises:
        ConfigurationError: one of these makes no sense.
    """

    name = "retry"

    def __init__(
        self,
        *,
        max_attempts: int = 3,
        base: float = 0.5,
        throttle_base: float = 1.0,
        cap: float = 20.0,
        max_server_delay: float = 60.0,
        statuses: Iterable[int] = STATUSES,
        unprocessed: Iterable[int] = UNPROCESSED,
        budget: RetryBudget | str | None = None,
        adaptive: bool = False,
    ) -> None:
        if isinstance(max_attempts, bool) or not isinstance(max_attempts, int) or max_attempts < 1:
            raise ConfigurationError(f"max_attempts must be a whole number of 1 or more, not {max_attempts!r}")
        self._max_attempts = max_attempts
        self._backoff = Backoff(base, throttle_base, cap, max_server_delay).checked()
        self._statuses = _checked("statuses", statuses)
        self._unprocessed = _checked("unprocessed", unprocessed)
        self._budget = budget_of(budget)
        self._steps = [Step(self.name, Stage.RETRY, self._run)]
        if adaptive:
            self._steps.append(Step("pace", Stage.LIMIT, Paces().run))

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return self._steps

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        attempt, paid = 1, 1
        while True:
            handed = call.attempts
            try:
                response = await proceed(request, call)
            except FAILURES as error:
                failure = of_error(error, self._unprocessed, handed_over=call.attempts > handed)
                if failure is None or (wait := self._next(failure, request, attempt, call)) is None:
                    raise
            else:
                if response.status not in self._statuses:
                    if response.status < 500:
                        self._budget.give(paid)
                    return response
                failure = of_response(response, self._unprocessed)
                if (wait := self._next(failure, request, attempt, call)) is None:
                    return response
                if not isinstance(response.body, bytes):
                    with suppress(Exception):  # nobody wants it any more
                        await response.body.close()
            attempt += 1
            delay, paid = wait
            if call.observers:
                call.emit(RetryScheduled(call.operation, attempt, delay, failure.reason))
            await call.runtime.sleep(delay)

    def _next(self, failure: Failure, request: Request, attempt: int, call: Call) -> tuple[float, int] | None:
        """The wait before the next attempt and what that costs; None if there is to be none."""
        if attempt >= self._max_attempts or not failure.may_repeat(request):
            return None
        runtime = call.runtime
        delay = self._backoff.delay(failure, attempt, runtime.random(), runtime.now(), call.remaining())
        if delay is None or not (paid := self._budget.take(failure.kind)):
            return None
        return delay, paid


def _checked(name: str, statuses: Iterable[int]) -> frozenset[int]:
    given = frozenset(statuses) if isinstance(statuses, Iterable) else frozenset({statuses})
    if wrong := given - _POSSIBLE:
        raise ConfigurationError(
            f"{name} is a set of statuses, and has {', '.join(sorted(map(repr, wrong)))}: only 408, 421, 425, 429 "
            "and 5xx may be other the next time, and of these not 501 and 505"
        )
    return given
