"""A network between a client and a service that is a function: latency and seeded faults, on whatever runtime."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from enum import Enum

from jackfield import (
    Call,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    ReadTimeoutError,
    Request,
    Response,
    UsageError,
    check_seconds,
)

from ._arriving import PIECE, CutBody, arrive, check_piece


class Trouble(Enum):
    """What may become of a request."""

    REFUSED = "no connection; nothing was sent"
    LOST_REQUEST = "a reset while it was sent; the service has not processed it"
    LOST_ANSWER = "a reset while it was answered; the service has processed it"
    TRUNCATED = "an answer that ends too early; the service has processed it"
    SILENCE = "no answer at all; the service has processed it"
    BUSY = "503 of a proxy; the service has not processed it"


class SimulatedNetwork:
    """A transport that carries requests to a function, takes time for it, and fails as networks do.

    Chance is the runtime's: with a `SimulatedRuntime` the same seed gives the same troubles.

    Args:
        service: what a request that arrives is processed with.
        trouble: the part of the requests that meet it, from 0 to 1.
        kinds: what they meet, each as often as the others.
        latency: seconds, the least and the most that one way takes.
        piece: bytes at most of each piece of a body that is streamed.

    Attributes:
        requests: how many set out.
        met: how often each trouble was met.
    """

    identity = b""  # it bears no credentials

    def __init__(
        self,
        service: Callable[[Request], Response],
        *,
        trouble: float = 0.0,
        kinds: Sequence[Trouble] = tuple(Trouble),
        latency: tuple[float, float] = (0.01, 0.05),
        piece: int = PIECE,
    ) -> None:
        if not isinstance(trouble, int | float) or not 0 <= trouble <= 1:
            raise ConfigurationError(f"trouble is the part of the requests that meet it, from 0 to 1, not {trouble!r}")
        if isinstance(kinds, Trouble) or not kinds or not all(isinstance(kind, Trouble) for kind in kinds):
            raise ConfigurationError(f"kinds are some of Trouble, in a list say, not {kinds!r}")
        if not callable(service):
            raise ConfigurationError(f"the service is a function from Request to Response, not {service!r}")
        self._least, self._most = _range(latency)
        self._service = service
        self._kinds = tuple(kinds)
        self._piece = check_piece(piece)
        self.trouble = trouble
        self.requests = 0
        self.met: Counter[Trouble] = Counter()

    async def send(self, request: Request, call: Call) -> Response:
        """One request there, and its answer back, if chance will have it."""
        self.requests += 1
        met = self._draw(call)
        if met is Trouble.REFUSED:
            await self._travel(call)
            raise ConnectError("the connection was refused")
        call.unanswered = True
        await self._travel(call)
        if met is Trouble.LOST_REQUEST:
            raise ConnectionLostError("the connection was reset before the request had arrived")
        answer = Response(503) if met is Trouble.BUSY else self._serve(request)
        if met is Trouble.SILENCE:
            await call.runtime.sleep(call.limit(call.options.read_timeout))
            call.limit(1)  # the deadline, if it is that which has passed
            raise ReadTimeoutError("nothing arrived")
        await self._travel(call)
        if met is Trouble.LOST_ANSWER:
            raise ConnectionLostError("the connection was reset before the answer had arrived")
        if met is Trouble.TRUNCATED:
            answer = _truncated(answer, call.runtime.random() if call.stream else 0.0)
        return await arrive(answer, request, call, self._piece)

    async def close(self) -> None:
        """Nothing to give back."""

    def _serve(self, request: Request) -> Response:
        answer = self._service(request)
        if not isinstance(answer, Response):
            if isinstance(answer, Coroutine):
                answer.close()
            raise UsageError(f"the service of a SimulatedNetwork returns a Response, and takes no time; not {answer!r}")
        return answer

    def _draw(self, call: Call) -> Trouble | None:
        if call.runtime.random() >= self.trouble:
            return None
        met = self._kinds[int(call.runtime.random() * len(self._kinds))]
        self.met[met] += 1
        return met

    async def _travel(self, call: Call) -> None:
        await call.runtime.sleep(self._least + call.runtime.random() * (self._most - self._least))


def _range(latency: tuple[float, float]) -> tuple[float, float]:
    if not isinstance(latency, tuple) or len(latency) != 2:
        raise ConfigurationError(f"latency is the least and the most, (0.01, 0.05) say, not {latency!r}")
    least, most = (check_seconds("latency", seconds, zero=True) for seconds in latency)
    if least > most:
        raise ConfigurationError(f"latency is the least and the most, in that order, not {latency!r}")
    return least, most


def _truncated(answer: Response, part: float) -> Response:
    whole = answer.body if isinstance(answer.body, bytes) else b""
    return answer.replace(body=CutBody(whole, after=int(part * len(whole))))
