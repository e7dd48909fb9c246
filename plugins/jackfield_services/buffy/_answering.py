"""What a Buffy server keeps, as a transport gives it; each wait ends with the call that waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from math import inf

from jackfield import AsyncStream, Call, ConnectionLostError, Done, Headers, UsageError, operation

from ._models import Response as Version
from ._order import Order
from ._service import BuffyService

_FIRST, _LONGEST = 0.1, 1.0  # seconds between two looks


@operation
async def served(buffy: BuffyService, order: Order) -> Version:
    """The version to serve, when it is ready. It ends with the first failure: who asks has another way."""
    await buffy.place(order)
    pause = _FIRST
    while not isinstance(state := await buffy.look(order), Done):
        await buffy.runtime.sleep(min(pause, buffy.call.limit(inf)))
        pause = min(pause * 1.5, _LONGEST)
    version: Version = state.value
    return version


@operation
async def kept(buffy: BuffyService, order: Order) -> Version | None:
    """A version that is ready by now, though a newer one is on its way."""
    order.change(prefer_cached=True)
    state = await buffy.look(order)
    return state.value if isinstance(state, Done) else None


@operation
async def whole(buffy: BuffyService, order: Order, most: int) -> bytes | None:
    """All of the content; None where it is longer than so many bytes."""
    content = bytearray()
    async with buffy.content(order) as stream:
        async for piece in stream:
            content += piece
            if len(content) > most:
                return None
    return bytes(content)


@operation(bounded=False)
async def opened(buffy: BuffyService, order: Order) -> AsyncStream:
    """The content, piece by piece, to be awaited whatever the client's colour. Nothing is sent yet."""
    return buffy.content(order)


class Body:
    """A stream as the body of an answer.

    Args:
        stream: what is read.
        call: whose answer it is.
        is_closed: whether the transport is.
    """

    def __init__(self, stream: AsyncStream, call: Call, is_closed: Callable[[], bool]) -> None:
        self._stream = stream
        self._call = call
        self._is_closed = is_closed
        self._begun: list[bytes] = []

    async def begin(self) -> None:
        """Has what comes first, and of something short all: whether it is good should be known before it is given."""
        self._begun.append(await self._next())
        if self._begun[0]:
            self._begun.append(await self._next())

    async def read(self) -> bytes:
        if self._is_closed():
            await self.close()
            raise ConnectionLostError("the transport was closed before the whole answer had come")
        return self._begun.pop(0) if self._begun else await self._next()

    async def _next(self) -> bytes:
        seconds = self._call.limit(inf)
        try:
            piece = await self._call.runtime.within(seconds, anext(self._stream, b""))
        except TimeoutError as error:
            if self._call.remaining() > 0:
                raise
            raise self._call.overdue() from error
        if not piece:
            self._call.unanswered = False
        return piece

    async def close(self) -> None:
        await self._stream.aclose()


def headers_of(version: Version) -> Headers:
    """What the origin said, in so far as Buffy remembers, and which version this is."""
    told = version.content_attributes
    etag = told.etag if told else None
    fields = {
        "content-type": told.media_type if told else None,
        "content-disposition": told.content_disposition if told else None,
        # Weak: what Buffy gives may be other bytes than those that the origin tagged, out of their coding say; parts of
        # the two must not be put together.
        "etag": f"W/{etag}" if etag and etag.startswith('"') else etag,
        "last-modified": _date(told.last_modified_datetime_utc if told else None),
        "date": _date(version.cached_datetime_utc),
        "cache-control": "no-store",  # Buffy keeps it, and says how long it is good for
        "buffy-version": version.version,
    }
    return Headers([(name, value) for name, value in fields.items() if value and _is_sound(name, value)])


def _date(moment: datetime | None) -> str | None:
    try:
        return None if moment is None else format_datetime(moment.astimezone(UTC), usegmt=True)
    except OverflowError:  # a date of the year 1, say, in another zone
        return None


def _is_sound(name: str, value: str) -> bool:
    try:
        return bool(Headers([(name, value)]))
    except UsageError:  # a line break, say, which no origin sends
        return False
