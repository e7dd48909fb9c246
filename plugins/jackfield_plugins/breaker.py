"""CircuitBreaker: leaves a service alone that fails again and again, and tries it with one attempt now and then."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from math import inf

from jackfield import (
    BodyTooLargeError,
    ByOrigin,
    Call,
    ConfigurationError,
    ConnectError,
    NetworkError,
    Origin,
    PoolTimeoutError,
    Proceed,
    Request,
    Response,
    Stage,
    Step,
    check_seconds,
    fork_safe_lock,
    hookimpl,
)

_UNAVAILABLE = (502, 503, 504)
_NOT_ITS_FAULT = (PoolTimeoutError, BodyTooLargeError)
_MOST = 1_000_000  # failures, whose times are all kept

_guard = fork_safe_lock()


class CircuitOpenError(ConnectError):
    """The service failed again and again, and is left alone for a while. Nothing was sent."""

    permanent = True  # a retry that waited for the circuit would defeat it


class CircuitBreaker:
    """Stops sending to an origin that fails, until a single attempt, the probe, has been answered.

    Failures are network errors and the statuses 502, 503 and 504, attempt by attempt; any other answer is a success.
    One object may serve many clients, threads, tasks and event loops, which learn from each other. A probe is not cut
    short: when it has gone unanswered for a cooldown, another may try as well, and the first good answer of either
    closes the circuit.

    Args:
        failures: so many in a row open the circuit ...
        window: ... if they happened within so many seconds.
        cooldown: seconds until the probe, and from one that is not answered to the next.

    Raises:
        CircuitOpenError: from calls while the circuit is open, and from all but the probe after that.
    """

    name = "breaker"

    def __init__(self, failures: int = 5, *, window: float = 60.0, cooldown: float = 30.0) -> None:
        if isinstance(failures, bool) or not isinstance(failures, int) or not 1 <= failures <= _MOST:
            raise ConfigurationError(f"failures must be a whole number from 1 to {_MOST}, not {failures!r}")
        check_seconds("window", window)
        check_seconds("cooldown", cooldown)
        self._circuits = ByOrigin(lambda origin: _Circuit(origin, failures, window, cooldown))

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.LIMIT, self._run, before=("concurrency", "rate"))]

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        if call.dry:
            return await proceed(request, call)
        circuit = self._circuits.of(request.url.origin, call)
        phase, attempts = circuit.enter(call), call.attempts
        failure: str | None = None
        answered = False
        try:
            response = await proceed(request, call)
            if response.status in _UNAVAILABLE:
                failure = str(response.status)
            answered = True
            return response
        except NetworkError as error:
            if call.attempts > attempts and not isinstance(error, _NOT_ITS_FAULT):  # not while a token was fetched
                failure = type(error).__name__
            raise
        finally:
            if not answered and call.attempts > attempts and call.unanswered and call.remaining() <= 0:
                failure = "no answer in time"
            if failure is not None:
                circuit.failed(phase, failure, call)
            elif answered:
                circuit.answered(phase)
            else:
                circuit.unknown(phase)


class _Phase:
    """A time in which a circuit lets all attempts pass, or none. What attempts of an earlier phase learn is ignored.

    Attributes:
        until: None while the circuit is closed. Attempts are refused until then; who comes next is the probe, in a
            phase of its own.
        reason: the failure that opened it.
        probing: whether a probe is under way.
        failures: when the last of those in a row happened.
        last: when the last of all did.
    """

    __slots__ = ("failures", "last", "probing", "reason", "until")

    def __init__(self, failures: int, until: float | None = None, reason: str = "", *, probing: bool = False) -> None:
        self.failures: deque[float] = deque(maxlen=failures)
        self.last = -inf
        self.until = until
        self.reason = reason
        self.probing = probing


class _Circuit:
    """What is known of one origin."""

    def __init__(self, origin: Origin, failures: int, window: float, cooldown: float) -> None:
        self._origin = origin
        self._failures = failures
        self._window = window
        self._cooldown = cooldown
        self._phase = _Phase(failures)

    def enter(self, call: Call) -> _Phase:
        """The phase in which this attempt starts."""
        phase = self._phase
        if phase.until is None:
            return phase
        now = call.runtime.monotonic()
        with _guard:
            phase = self._phase
            if phase.until is None:
                return phase
            if now < phase.until:
                raise self._refusal(phase.reason, phase.until - now)
            until = min(call.deadline, now + self._cooldown)
            self._phase = phase = _Phase(self._failures, until, phase.reason, probing=True)
            return phase

    def _refusal(self, reason: str, seconds: float) -> CircuitOpenError:
        return CircuitOpenError(
            f"the circuit to {self._origin} is open, as it failed again and again, at last with {reason}: nothing was "
            f"sent; it may be tried in {seconds:.3g} s, or sooner if another call finds it well"
        )

    def answered(self, phase: _Phase) -> None:
        """The service is there."""
        if phase.until is None and not phase.failures:
            return
        with _guard:
            if phase.until is None:
                phase.failures.clear()
            elif self._phase.probing:  # this one, or one after it
                self._phase = _Phase(self._failures)

    def failed(self, phase: _Phase, reason: str, call: Call) -> None:
        """It is not, or is not well."""
        now = call.runtime.monotonic()
        with _guard:
            if phase is not self._phase:
                return
            phase.failures.append(now)
            phase.last = now
            in_a_row = len(phase.failures) == self._failures and now - phase.failures[0] <= self._window
            if phase.until is not None or in_a_row:
                self._phase = _Phase(self._failures, now + self._cooldown, reason)

    def unknown(self, phase: _Phase) -> None:
        """The attempt was given up, or did not come to the service: if it was the probe, the next one is."""
        if phase.until is not None:
            phase.until = -inf

    def is_idle(self, now: float) -> bool:
        """Whether all that is known is too old to count."""
        phase = self._phase
        return (phase.last if phase.until is None else phase.until) + self._window < now
