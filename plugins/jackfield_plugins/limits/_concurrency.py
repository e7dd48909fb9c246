"""ConcurrencyLimit: so many attempts to one origin are under way at one time; the others wait, in order."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from jackfield import (
    ByOrigin,
    ByteStream,
    Call,
    ConfigurationError,
    Line,
    Place,
    PoolTimeoutError,
    Proceed,
    Request,
    Response,
    Runtime,
    Sink,
    Stage,
    Step,
    check_seconds,
    hookimpl,
    pour,
)


class ConcurrencyLimit:
    """Lets so many attempts to one origin be under way at one time; first come, first served.

    One object may serve many clients, threads, tasks and event loops, and limits them together. Who waits holds no
    thread but its own. A streamed answer counts until its body was read to the end, closed, or forgotten.

    Args:
        limit: attempts at one time, for each origin.
        patience: seconds that an attempt waits at most; None: as long as the call has time.

    Raises:
        PoolTimeoutError: from a call that waited for `patience` seconds. Nothing was sent.
        DeadlineExceededError: from a call whose time was up before. Nothing was sent.
    """

    name = "concurrency"

    def __init__(self, limit: int, *, patience: float | None = None) -> None:
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise ConfigurationError(f"limit must be a whole number of 1 or more, not {limit!r}")
        self._limit = limit
        self._patience = inf if patience is None else check_seconds("patience", patience)
        self._lines = ByOrigin(lambda origin: Line(limit))

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.LIMIT, self._run)]

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        if call.dry:
            return await proceed(request, call)
        place = Place(self._lines.of(request.url.origin, call))
        held: ByteStream | None = None
        try:
            if place.take() >= self._limit:
                await self._wait(place, call)
            response = await proceed(request, call)
            if not isinstance(response.body, bytes):
                held = _Held(response.body, place, call.runtime)
                return response.replace(body=held)
            return response
        finally:
            if held is None:
                place.leave()

    async def _wait(self, place: Place, call: Call) -> None:
        remaining = call.limit(inf)
        if await place.wait(call, min(remaining, self._patience)):
            return
        if remaining <= self._patience:
            raise call.overdue()
        raise PoolTimeoutError(
            f"{self._limit} attempts to the origin, as many as ConcurrencyLimit allows, were under way for "
            f"{self._patience:g} s: close streams that are read no more, or raise the limit or its patience"
        )


class _Held:
    """A body that keeps its place until it ends."""

    def __init__(self, body: ByteStream, place: Place, runtime: Runtime) -> None:
        self._body = body
        self._place = place
        self._runtime = runtime

    async def read(self) -> bytes:
        piece = b""
        try:
            piece = await self._body.read()
        finally:
            if not piece:  # the end, or an error, which is one too
                self._place.leave()
        return piece

    async def pour(self, sink: Sink, at_most: int) -> int:
        poured = 0
        try:
            poured = await pour(self._body, sink, self._runtime, at_most)
        finally:
            if not poured:
                self._place.leave()
        return poured

    async def close(self) -> None:
        try:
            await self._body.close()
        finally:
            self._place.leave()
