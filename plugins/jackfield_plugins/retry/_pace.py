"""The pace of adaptive mode: how fast calls may be sent, once the service has said that it is too fast."""

from __future__ import annotations

from jackfield import ByOrigin, Call, Proceed, Request, Response, Turns, fork_safe_lock

_LEAST = 0.5  # calls a second
_CUT = 0.7
_SETTLING = 1.0  # seconds after a cut in which the service may still refuse for what went before
_RECOVERY = 10.0  # seconds until the rate is what it was before it was cut
_MEMORY = 60.0  # seconds after which a pace that nobody kept is forgotten

_guard = fork_safe_lock()


def allowed_rate(peak: float, seconds: float) -> float:
    """Calls a second, so long after the rate was cut: 70 % of what it was, all of it after 10 s, and on at that slope.

    Args:
        peak: the rate that was too fast.
        seconds: since it was cut.
    """
    return max(peak * (_CUT + (1 - _CUT) * seconds / _RECOVERY), _LEAST)


class Paces:
    """One for each origin, and for all calls of a `Retry` to it, whatever thread, task or client they are of."""

    def __init__(self) -> None:
        self._paces = ByOrigin(lambda origin: Pace())

    async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        """The step: waits for this attempt's turn, and slows down by what comes of it.

        Raises:
            DeadlineExceededError: the turn would come after the call's deadline; that is said at once.
        """
        if call.dry:
            return await proceed(request, call)
        pace = self._paces.of(request.url.origin, call)
        began = await pace.turn(call)
        response = await proceed(request, call)
        if response.status == 429:
            pace.slow_down(began, call.runtime.monotonic())
        return response


class Pace:
    """Spaces calls evenly, first come first served. Until the first 429 it only counts."""

    def __init__(self) -> None:
        self._turns = Turns("the pace that the service bears", lambda now: 1 / self._rate(now))
        self._peak: float | None = None
        self._cut_at = 0.0
        self._counted_from = 0.0
        self._count = 0
        self._measured = 0.0

    async def turn(self, call: Call) -> float:
        """Returns when the call may be sent: the moment, by the runtime's monotonic clock."""
        began = call.runtime.monotonic() if self._peak is None else await self._turns.take(call)
        with _guard:
            self._note(began)
        return began

    def slow_down(self, began: float, now: float) -> None:
        """The service refused, as too many, a call whose turn was at `began`."""
        with _guard:
            if self._peak is not None and began < self._cut_at + _SETTLING:  # it tells nothing of the new rate
                return
            measured = max(self._measured, self._count / max(now - self._counted_from, 1.0))
            self._peak = measured if self._peak is None else min(measured, self._rate(now))
            self._cut_at = now

    def is_idle(self, now: float) -> bool:
        """Whether it knows nothing that still counts."""
        return now - max(self._counted_from, self._cut_at) > _MEMORY

    def _rate(self, now: float) -> float:
        assert self._peak is not None
        return allowed_rate(self._peak, now - self._cut_at)

    def _note(self, now: float) -> None:
        if now - self._counted_from >= 1:
            self._measured = self._count / (now - self._counted_from)
            self._counted_from, self._count = now, 0
        self._count += 1
