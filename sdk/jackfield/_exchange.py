"""One request and its answer on one connection. Blocking; may be aborted from another thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import NoReturn, TypeVar

from ._answer import Answer
from ._border import translated
from ._call import Call
from ._connection import Connection
from ._decoding import Readable, decoded
from ._errors import (
    BodyTooLargeError,
    ConnectionLostError,
    JackfieldError,
    NetworkError,
    ProtocolError,
    UsageError,
)
from ._messages import Request, Response
from ._pool import Pool
from ._sending import Sending
from ._stream import ResponseStream
from ._taps import Sink
from ._wire import asks_to_close

T = TypeVar("T", bound=bytes | memoryview)

_READ = 256 * 1024  # bytes of a piece at most: each costs an async client a change of threads
_POURED = 128 * 1024
_MOMENT = 0.2  # seconds
_MESSAGE = 64 * 1024  # bytes that are kept of the body of an error or a redirect: it is no more than a message
_GIVEN_UP = "the call was given up, or its client was closed, before the whole answer had come"


class Exchange:
    """Owns a connection from the first byte sent to the last byte read, and gives it back exactly once."""

    def __init__(self, pool: Pool, request: Request, call: Call, ended: Callable[[Exchange], None]) -> None:
        self._pool = pool
        self._ended = ended
        self._request = request
        self._call = call
        self._guard = threading.RLock()  # a forgotten stream is aborted wherever the garbage collector finds it
        self._connection: Connection | None = None
        self._socket: socket.socket | None = None
        self._answer: Answer | None = None
        self._body: Readable | None = None
        self._buffer: memoryview | None = None
        self._working = False
        self._aborted = False
        self._complete = False
        self._sent_all = False
        self._sending = Sending(request, call)

    def take(self, connection: Connection) -> None:
        """The pool has lent this connection; `run` or `abort` gives it back."""
        with self._guard:
            self._connection = connection
            given_up = self._aborted
        if given_up:
            self._end(reusable=False)

    def run(self) -> Response:
        """Sends the request, and reads the answer: whole, or only its head if the call streams."""
        try:
            self._connect(self._enter())
            answer = self._answer = self._ask()
            self._body = self._decoded(answer)
            body = ResponseStream(self, self._call) if self._call.stream else self._read_all()
        except BaseException as error:
            self._fail(error)
        self._leave()
        return Response(answer.head.status, answer.head.headers, body)

    def read(self) -> bytes:
        """The next piece of the body; empty at its end, when the connection has been given back."""
        return self._step(self._read_piece)

    def pour(self, sink: Sink, at_most: int) -> int:
        """Gives pieces to `sink`, until they are so many bytes or a moment has passed; how many bytes, 0 at the end."""
        clock = self._call.runtime.monotonic
        until, poured = clock() + _MOMENT, 0
        while poured < at_most and (piece := self._step(self._fill)):
            poured += len(piece)
            sink(piece)
            if clock() >= until:
                break
        return poured

    def check(self) -> None:
        """Raises ConnectionLostError if it was given up before its end."""
        if self._aborted and not self._complete:
            raise ConnectionLostError(_GIVEN_UP)

    def abort(self) -> None:
        """Gives the connection up: cuts it under the thread that works with it. Does nothing at the end of the body."""
        with self._guard:
            self._aborted = True
            working = self._working
            sock = self._connection.cuttable if self._connection is not None and working else None
            if sock is not None:
                try:
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)  # below TLS, which is not safe from here
                except OSError:
                    pass  # it was cut already
        try:
            self._sending.abort()
        finally:
            if not working:
                self._end(reusable=False)

    def _step(self, take: Callable[[], T]) -> T | bytes:
        """What `take` has of the body; empty after its end."""
        if self._complete:
            return b""
        try:
            self._enter()
            piece = take()
        except BaseException as error:
            self._fail(error)
        self._leave()
        return piece

    def _enter(self) -> Connection:
        with self._guard:
            if self._aborted or self._connection is None:
                raise ConnectionLostError(_GIVEN_UP)
            if self._working:
                raise _TwoReadersError("this answer is read by two at once: give it one reader")
            self._working = True
            return self._connection

    def _leave(self) -> None:
        with self._guard:
            self._working = False
            given_up = self._aborted
        if given_up:
            self._end(reusable=False)

    def _connect(self, connection: Connection) -> None:
        call = self._call
        if connection.is_closed:
            # Look-up, every address, the proxy and both handshakes share the time.
            until = call.runtime.monotonic() + call.options.connect_timeout

            def patience() -> float:
                self.check()
                return call.limit(until - call.runtime.monotonic())

            connection.connect_patience = patience
            connection.connect()
        self._socket = connection.sock
        self.check()  # an abort between two waits had nothing to cut

    def _ask(self) -> Answer:
        connection = self._connection
        assert connection is not None
        connection.patience = self._patience
        self._sent_all = self._sending.run(connection)
        return connection.next_answer(self._request.method)

    def _patience(self) -> float:
        return self._call.limit(self._call.options.read_timeout)

    def _decoded(self, answer: Answer) -> Readable:
        head = answer.head
        if answer.complete or "content-encoding" not in head.headers:
            return answer
        try:
            return decoded(answer, head.headers["content-encoding"], self._go_on, may_be_empty=head.chunked)
        except ProtocolError:
            if _is_message(head.status):
                return answer
            raise

    def _go_on(self) -> None:
        self.check()
        self._patience()

    def _read_all(self) -> bytes:
        answer, limit = self._answer, self._call.options.max_body_size
        if answer is not None and _is_message(answer.head.status):
            return self._read_message(min(limit, _MESSAGE))
        first = self._read_piece()
        if self._complete and len(first) <= limit:
            return first
        body = bytearray(first)  # not a list of pieces: of two bytes each they would take thirty times the room
        while len(body) <= limit and not self._complete:
            body += self._read_piece()
        if len(body) > limit:
            self._call.unanswered = True  # it has come, and is not told
            raise BodyTooLargeError(f"the body is longer than max_body_size, {limit} bytes")
        return bytes(body)

    def _read_message(self, limit: int) -> bytes:
        """What comes of the body of an error or a redirect, so much at most: its status must not be lost for it."""
        body = bytearray()
        try:
            while len(body) <= limit and not self._complete:
                body += self._read_piece()
        except (NetworkError, OSError):
            if self._aborted or self._call.remaining() <= 0:
                raise
        self._call.cut = not self._complete or len(body) > limit
        if not self._complete:
            self._call.unanswered = False
            self._end(reusable=False)
        return bytes(body[:limit])

    def _read_piece(self) -> bytes:
        if self._body is None:
            return b""
        piece = self._body.read1(_READ)
        self._arrived(len(piece))
        return piece

    def _fill(self) -> bytes | memoryview:
        """The next piece in a buffer that the one after it takes, too; as it comes where it is decoded."""
        answer = self._answer
        if answer is None or self._body is not answer:
            return self._read_piece()
        if self._buffer is None:
            self._buffer = memoryview(bytearray(_POURED))
        size = answer.readinto1(self._buffer)
        self._arrived(size)
        return self._buffer[:size]

    def _arrived(self, size: int) -> None:
        answer = self._answer
        if answer is None or self._aborted:  # what was read may be cut short
            raise ConnectionLostError(_GIVEN_UP)
        if not size or (answer.complete and self._body is answer):
            self._complete = True
            self._call.unanswered = False
            self._end(reusable=answer.reusable() and not asks_to_close(self._request.headers))

    def _fail(self, error: BaseException) -> NoReturn:
        """Gives the connection up, and raises what the error means; one that is no `Exception` stays as it is."""
        if isinstance(error, _TwoReadersError):
            raise error  # the other goes on
        connected, answered = self._socket is not None, self._answer is not None
        self._end(reusable=False)
        if not isinstance(error, Exception):
            raise error
        if self._aborted:
            raise ConnectionLostError(_GIVEN_UP) from None
        if isinstance(error, JackfieldError):
            raise error
        ours = translated(error, self._call, connected=connected, answered=answered)
        inner = next((part for part in error.args if isinstance(part, OSError)), error)  # where urllib3 wraps it
        # What is not the system's own error may quote what was sent.
        raise ours from (inner if isinstance(inner, OSError) or not connected else None)

    def _end(self, *, reusable: bool) -> None:
        with self._guard:
            connection, self._connection, self._socket = self._connection, None, None
            reusable = reusable and self._sent_all and not self._aborted
            self._working = False
        if connection is not None:
            self._answer = self._body = None
            self._pool.release(connection, reusable=reusable)
        self._ended(self)


class _TwoReadersError(UsageError):
    pass


def _is_message(status: int) -> bool:
    return status >= 400 or status in (301, 302, 303, 307, 308)
