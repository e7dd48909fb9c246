"""Hedging: asks a second time when an answer is late, takes the first good one, and gives the other up."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Iterator
from contextlib import suppress
from typing import Any

from jackfield import (
    Call,
    ConfigurationError,
    Proceed,
    Request,
    Response,
    Stage,
    Step,
    StreamBody,
    check_seconds,
    fork_safe_lock,
    hookimpl,
)

_SAVED = 10.0  # hedges at most that may be saved up

_guard = fork_safe_lock()


class Hedging:
    """Starts another attempt when one has gone unanswered for `delay` seconds; for async clients.

    Only for requests that are idempotent and whose body can be sent again. The first good answer, neither 429 nor 500
    and above, wins; the other attempts are cancelled, and their connections dropped. Each goes through limits,
    authentication and signing by itself. One object may serve many clients, tasks and event loops; they share its
    budget.

    Args:
        delay: seconds; about what 95 of 100 answers need at most is a good choice.
        max_hedges: further attempts at most, one per delay.
        budget: hedges at most per request in the long run: 0.05 is one in twenty.

    Raises:
        ConfigurationError: from the calls of a sync client, which cannot have two attempts under way.
    """

    name = "hedging"

    def __init__(self, delay: float, *, max_hedges: int = 1, budget: float = 0.05) -> None:
        if isinstance(max_hedges, bool) or not isinstance(max_hedges, int) or max_hedges < 1:
            raise ConfigurationError(f"max_hedges must be a whole number of 1 or more, not {max_hedges!r}")
        if isinstance(budget, bool) or not isinstance(budget, int | float) or not 0 < budget <= min(max_hedges, _SAVED):
            raise ConfigurationError(
                f"budget must be more than 0 and at most max_hedges and {_SAVED:g}, not {budget!r}"
            )
        self._delay = check_seconds("delay", delay)
        self._max_hedges = max_hedges
        self._budget = _Budget(budget)

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.LIMIT, self._run, before=("breaker", "concurrency", "rate"))]

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        if call.dry or not _repeatable(request):
            return await proceed(request, call)
        answers: list[Response] = []
        winner: Response | None = None
        try:
            winner = await call.runtime.race(self._attempts(request, call, proceed, answers), self._delay)
            return winner
        except _BadError as bad:
            winner = bad.response
            return winner
        finally:
            for answer in answers:
                if answer is not winner and not isinstance(answer.body, bytes):
                    with suppress(Exception):  # which is no reason to lose the winner
                        await answer.body.close()

    def _attempts(
        self, request: Request, call: Call, proceed: Proceed, answers: list[Response]
    ) -> Iterator[Coroutine[Any, Any, Response]]:
        async def attempt() -> Response:
            response = await proceed(request, call)
            answers.append(response)
            if response.status == 429 or response.status >= 500:
                raise _BadError(response)
            return response

        self._budget.save()
        yield attempt()
        for _ in range(self._max_hedges):
            if not self._budget.spend():
                return
            yield attempt()


class _Budget:
    """What hedges are paid from: each request saves a part of one."""

    def __init__(self, part: float) -> None:
        self._part = part
        self._saved = 1.0

    def save(self) -> None:
        with _guard:
            self._saved = min(self._saved + self._part, _SAVED)

    def spend(self) -> bool:
        with _guard:
            enough = self._saved >= 1
            if enough:
                self._saved -= 1
        return enough


class _BadError(Exception):
    def __init__(self, response: Response) -> None:
        self.response = response


def _repeatable(request: Request) -> bool:
    replayable = not isinstance(request.body, StreamBody) or request.body.replayable
    return request.is_idempotent and replayable
