"""RateLimit: attempts to one origin start at a steady rate, by the generic cell rate algorithm (ITU-T I.371)."""

from __future__ import annotations

from collections.abc import Iterable

from jackfield import (
    ByOrigin,
    Call,
    ConfigurationError,
    Proceed,
    Request,
    Response,
    Stage,
    Step,
    Turns,
    check_seconds,
    hookimpl,
)

_MOST = 1e15  # attempts; a float still knows each of them


class RateLimit:
    """Starts at most `rate` attempts in `per` seconds to one origin, evenly spaced; the others wait, in order.

    One object may serve many clients, threads, tasks and event loops, and limits them together. Who gives up while it
    waits leaves no gap.

    Args:
        rate: attempts, may be a fraction.
        per: seconds in which so many start.
        burst: attempts that may start at once after a pause.

    Raises:
        DeadlineExceededError: from a call, at once, if its time would be up before it could start. Nothing was sent.
    """

    name = "rate"

    def __init__(self, rate: float, per: float = 1.0, burst: int = 1) -> None:
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= _MOST:
            raise ConfigurationError(f"rate must be a number of attempts, more than 0 and at most 1e15, not {rate!r}")
        if isinstance(burst, bool) or not isinstance(burst, int) or not 1 <= burst <= _MOST:
            raise ConfigurationError(f"burst must be a whole number from 1 to 1e15, not {burst!r}")
        interval = check_seconds("per / rate", check_seconds("per", per) / rate)
        tolerance = (burst - 1) * interval
        self._turns = ByOrigin(lambda origin: Turns("the rate limit", lambda now: interval, tolerance))

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.LIMIT, self._run, after=("concurrency",))]

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        if not call.dry:
            turns = self._turns.of(request.url.origin, call)
            await turns.take(call)
        return await proceed(request, call)
