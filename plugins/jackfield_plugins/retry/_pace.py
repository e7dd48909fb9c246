"""The pace of adaptive mode: how fast calls may be sent, once the service has said that it is too fast."""

from __future__ import annotations

import threading

from jackfield import Call, DeadlineExceededError, Proceed, Request, Response

_LEAST = 0.5  # calls a second
_CUT = 0.7
_SETTLING = 1.0  # seconds after a cut in which the service may still refuse for what went before
_RECOVERY = 10.0  # seconds until the rate is what it was before it was cut


def allowed_rate(peak: float, seconds: float) -> float:
    """Calls a second, so long after the rate was cut: 70 % of what it was, all of it after 10 s, and on at that slope.

    Args:
        peak: the rate that was too fast.
        seconds: since it was cut.
    """
    return max(peak * (_CUT + (1 - _CUT) * seconds / _RECOVERY), _LEAST)


class Pace:
    """Spaces calls evenly, first come first served. Until the first 429 it only counts.

    One for all calls of a `Retry`, whatever thread, task or client they are of.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._peak: float | None = None
        self._cut_at = 0.0
        self._free_at = 0.0
        self._counted_from = 0.0
        self._count = 0
        self._measured = 0.0

    async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        """The step: waits for this attempt's turn, and slows down by what comes of it.

        Raises:
            DeadlineExceededError: the turn would come after the call's deadline; that is said at once.
        """
        began = await self._turn(call)
        response = await proceed(request, call)
        if response.status == 429:
            self._slow_down(began, call.runtime.monotonic())
        return response

    async def _turn(self, call: Call) -> float:
        now = call.runtime.monotonic()
        wait = self._reserve(now, call.deadline - now)
        if wait > 0:
            await call.runtime.sleep(wait)
        return now + wait

    def _slow_down(self, began: float, now: float) -> None:
        """The service refused, as too many, a call whose turn was at `began`."""
        with self._guard:
            if self._peak is not None and began < self._cut_at + _SETTLING:  # it tells nothing of the new rate
                return
            measured = max(self._measured, self._count / max(now - self._counted_from, 1.0))
            self._peak = measured if self._peak is None else min(measured, self._rate(now))
            self._cut_at = now

    def _reserve(self, now: float, patience: float) -> float:
        with self._guard:
            wait = 0.0 if self._peak is None else max(self._free_at - now, 0.0)
            if wait > 0 and wait >= patience:
                raise DeadlineExceededError(
                    f"the service said that there are too many requests, and the next turn is in {wait:.1f} s, "
                    "after this call's deadline: nothing was sent"
                )
            if self._peak is not None:
                self._free_at = now + wait + 1 / self._rate(now)
            self._note(now)
            return wait

    def _rate(self, now: float) -> float:
        assert self._peak is not None
        return allowed_rate(self._peak, now - self._cut_at)

    def _note(self, now: float) -> None:
        if now - self._counted_from >= 1:
            self._measured = self._count / (now - self._counted_from)
            self._counted_from, self._count = now, 0
        self._count += 1
