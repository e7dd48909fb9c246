"""How the body of a scripted answer arrives: whole within the client's limits, or piece by piece, or not to its end."""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import TypeVar

from jackfield import (
    BodyTooLargeError,
    ByteStream,
    Call,
    ConfigurationError,
    ConnectionLostError,
    JackfieldError,
    Request,
    Response,
    Sink,
    TruncatedBodyError,
    UsageError,
)

E = TypeVar("E", bound=BaseException)
PIECE = 64 * 1024  # bytes
_MESSAGE = 64 * 1024  # bytes that a transport keeps of the body of an error or a redirect
_REDIRECTS = (301, 302, 303, 307, 308)
_BODILESS = (204, 304)  # RFC 9112 §6.3


class CutBody:
    """A body that breaks off: `Response(200, body=CutBody(data, after=1000))`. Each answer of it begins anew.

    Args:
        data: the whole of it.
        after: bytes of it that arrive.
        error: what comes in place of the rest.
    """

    def __init__(
        self,
        data: bytes,
        *,
        after: int,
        error: Exception = TruncatedBodyError("the connection ended before the body did"),  # noqa: B008 - is copied
    ) -> None:
        if not isinstance(data, bytes):
            raise ConfigurationError(f"data must be bytes, not {type(data).__name__}")
        if isinstance(after, bool) or not isinstance(after, int) or not 0 <= after <= len(data):
            raise ConfigurationError(f"after must be a number of bytes from 0 to the body's {len(data)}, not {after!r}")
        if not isinstance(error, Exception):
            raise ConfigurationError(f"error must be an exception, say ConnectionLostError('why'), not {error!r}")
        self._left = data[:after]
        self._error = error

    async def read(self) -> bytes:
        """What arrives, and then the error."""
        left, self._left = self._left, b""
        if not left:
            raise fresh(self._error)
        return left

    async def close(self) -> None:
        """Nothing to give back."""


class _Arriving:
    """A `ByteStream` that does as a transport's does."""

    def __init__(self, body: bytes | CutBody, call: Call, piece: int) -> None:
        self._source = copy(body) if isinstance(body, CutBody) else None
        self._held: bytes = body if isinstance(body, bytes) else b""
        self._at = 0
        self._call = call
        self._piece = piece
        self._buffer = memoryview(b"")
        self._complete = False
        self._given_up = False

    async def read(self) -> bytes:
        if self._complete:
            return b""
        try:
            return await self._next()
        except JackfieldError as error:
            self._given_up = True
            error.attach(self._call.summary())
            raise

    async def pour(self, sink: Sink, at_most: int) -> int:
        """The next piece, as of a slow peer: in a buffer that the one after it takes, too."""
        if piece := await self.read():
            if not self._buffer:
                self._buffer = memoryview(bytearray(self._piece))
            self._buffer[: len(piece)] = piece
            await self._call.runtime.offload(partial(sink, self._buffer[: len(piece)]))
        return len(piece)

    async def close(self) -> None:
        self._given_up = True

    async def _next(self) -> bytes:
        if self._given_up:
            raise ConnectionLostError("the call was given up before the whole answer had come")
        self._call.limit(1)
        if self._at == len(self._held) and self._source is not None:
            self._held, self._at = await self._source.read(), 0
        piece = self._held[self._at : self._at + self._piece]
        self._at += len(piece)
        if not piece:
            self._complete, self._call.unanswered = True, False
        return piece


def check_piece(piece: int) -> int:
    """The size of pieces.

    Raises:
        ConfigurationError: it is none.
    """
    if isinstance(piece, bool) or not isinstance(piece, int) or piece < 1:
        raise ConfigurationError(f"piece must be a whole number of bytes, 1 or more, not {piece!r}")
    return piece


async def arrive(response: Response, request: Request, call: Call, piece: int = PIECE) -> Response:
    """The response as a transport gives it back: its body a stream if the call streams, else bytes, within its limits.

    A body that is a stream already stays as it is.

    Raises:
        UsageError: the body is nothing that a body may be.
        BodyTooLargeError: the body is longer than `max_body_size`.
        NetworkError: it breaks off.
        DeadlineExceededError: the time is up.
    """
    scripted = b"" if request.method == "HEAD" or response.status in _BODILESS else response.body
    if not isinstance(scripted, bytes | CutBody):
        if not hasattr(scripted, "read"):
            raise UsageError(f"a body is bytes, a CutBody or a ByteStream, not {type(scripted).__name__}: encode it")
        call.limit(1)
        call.unanswered = False
        return response
    body = _Arriving(scripted, call, piece)
    if call.stream:
        return response.replace(body=body)
    limit = call.options.max_body_size
    if response.status >= 400 or response.status in _REDIRECTS:  # its status must not be lost for its body
        kept = min(limit, _MESSAGE)
        call.cut = isinstance(scripted, CutBody) or len(scripted) > kept
        arrived = await response.replace(body=body).settled(kept)
        call.limit(1)
    else:
        arrived = response.replace(body=await _whole(body, limit))
    call.unanswered = False
    return arrived


async def _whole(body: ByteStream, limit: int) -> bytes:
    whole = bytearray()
    while piece := await body.read():
        whole += piece
        if len(whole) > limit:
            raise BodyTooLargeError(f"the body is longer than max_body_size, {limit} bytes")
    return bytes(whole)


def fresh(error: E) -> E:
    """A copy, as the same one may be scripted twice; itself, if it is not made from its args alone."""
    try:
        return copy(error)
    except Exception:
        return error
