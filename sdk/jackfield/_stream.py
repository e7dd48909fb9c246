"""The body of a streamed response, as its reader has it: each step of an exchange in a worker's hands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ._call import Call
from ._errors import UsageError
from ._taps import Sink

if TYPE_CHECKING:
    from ._exchange import Exchange

T = TypeVar("T")


class ResponseStream:
    """Left unread, it gives its connection up when it is collected."""

    def __init__(self, exchange: Exchange, call: Call) -> None:
        self._exchange = exchange
        self._call = call

    async def read(self) -> bytes:
        return await self._step(self._exchange.read)

    async def pour(self, sink: Sink, at_most: int) -> int:
        return await self._step(lambda: self._exchange.pour(sink, at_most))

    async def _step(self, work: Callable[[], T]) -> T:
        try:
            self._exchange.check()
            return await self._call.runtime.offload(work)
        except BaseException as error:
            if not isinstance(error, UsageError):  # it is its reader's, and another may be at it
                self._exchange.abort()
            self._call.blame(error)
            raise

    async def close(self) -> None:
        self._exchange.abort()

    def __del__(self) -> None:
        if (exchange := getattr(self, "_exchange", None)) is not None:
            exchange.abort()
