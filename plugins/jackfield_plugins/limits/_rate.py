"""RateLimit: attempts to one origin start at a steady rate, by the generic cell rate algorithm (ITU-T I.371)."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from jackfield import (
    Call,
    ConfigurationError,
    DeadlineExceededError,
    Origin,
    Proceed,
    Request,
    Response,
    Stage,
    Step,
    check_seconds,
    hookimpl,
)

from ._line import Line, Place


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
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < inf:
            raise ConfigurationError(f"rate must be a finite number of attempts, more than 0, not {rate!r}")
        if isinstance(burst, bool) or not isinstance(burst, int) or burst < 1:
            raise ConfigurationError(f"burst must be a whole number of 1 or more, not {burst!r}")
        self._interval = check_seconds("per / rate", check_seconds("per", per) / rate)
        self._tolerance = (burst - 1) * self._interval
        self._paces: dict[Origin, _Pace] = {}

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.LIMIT, self._run, after=("concurrency",))]

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        if not call.dry:
            origin = request.url.origin
            pace = self._paces.get(origin) or self._paces.setdefault(origin, _Pace(self._interval, self._tolerance))
            await pace.start(call)
        return await proceed(request, call)


class _Pace:
    """When attempts to one origin may start. Who is first in the line, and nobody else, decides."""

    def __init__(self, interval: float, tolerance: float) -> None:
        self._interval = interval
        self._tolerance = tolerance
        self._expected = -inf  # the theoretical arrival time of the next attempt
        self._line = Line(1)

    async def start(self, call: Call) -> None:
        """Returns when the attempt may start."""
        place = Place(self._line)
        try:
            if ahead := place.take():
                await self._turn(place, ahead, call)
            now = call.runtime.monotonic()
            while (start := self._expected - self._tolerance) > now:
                _check(start, now, call)
                await call.runtime.sleep(start - now)
                now = call.runtime.monotonic()
            self._expected = max(now, self._expected) + self._interval
        finally:
            place.leave()

    async def _turn(self, place: Place, ahead: int, call: Call) -> None:
        now = call.runtime.monotonic()
        _check(max(now, self._expected) + ahead * self._interval - self._tolerance, now, call)
        if not await place.wait(call, call.limit(inf)):
            raise call.overdue()


def _check(start: float, now: float, call: Call) -> None:
    if start >= call.deadline:
        raise DeadlineExceededError(
            f"the rate limit lets this attempt start in {start - now:.3g} s, and the call has "
            f"{max(call.deadline - now, 0):.3g} s left: nothing was sent"
        )
