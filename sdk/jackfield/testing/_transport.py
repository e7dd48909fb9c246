"""A transport without a network: it answers from a script, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from inspect import isawaitable
from typing import Any, TypeAlias

from jackfield import (
    Call,
    ConfigurationError,
    DeadlineExceededError,
    Headers,
    NetworkError,
    Request,
    Response,
    UsageError,
)

from ._arriving import PIECE, arrive, check_piece, fresh

Answer: TypeAlias = Response | Exception | Callable[[Request], Response | Awaitable[Response]]


class FakeTransport:
    """Answers each request with the next of its answers, within the limits of the call: deadline, `max_body_size`.

    A body is bytes as they are without content coding, or a `CutBody`. To a call that streams it comes as a stream;
    `ByteStream`s of your own are handed out as they are.

    Args:
        answers: a response to give, an exception to raise, or a function from request to response; an `async def`
            may wait in its runtime before it answers, or for ever.
        otherwise: what answers when these are used up.
        piece: bytes at most of each piece of a body that is streamed.

    Raises:
        AssertionError: on a request for which there is no answer; nothing in jackfield tries that again.

    Attributes:
        requests: what it was asked to send, in order, as it would have gone out.
        closed: whether somebody closed it.
    """

    identity = b""  # it bears no credentials

    def __init__(self, answers: Iterable[Answer] = (), *, otherwise: Answer | None = None, piece: int = PIECE) -> None:
        if not isinstance(answers, Iterable):
            raise ConfigurationError(f"answers are several, in a list say, not {answers!r}: for one, [...] around it")
        listed = [_checked(answer) for answer in answers] if isinstance(answers, Sequence) else answers
        self._answers = iter(listed)
        self._otherwise = None if otherwise is None else _checked(otherwise)
        self._piece = check_piece(piece)
        self.requests: list[Request] = []
        self.closed = False

    async def send(self, request: Request, call: Call) -> Response:
        """One scripted attempt."""
        call.limit(1)
        self.requests.append(request)
        answer = self._next(request, call)
        before, call.unanswered = call.unanswered, True
        try:
            return await arrive(await self._respond(answer, request), request, call, self._piece)
        except Exception as error:
            sent = isinstance(error, DeadlineExceededError) or (isinstance(error, NetworkError) and error.sent)
            call.unanswered = before or sent
            raise

    def _next(self, request: Request, call: Call) -> Answer:
        for answer in self._answers:
            return _checked(answer)
        if self._otherwise is None:
            raise AssertionError(  # not an error of the network: nothing tries it again, or takes it for an outcome
                f"request {len(self.requests)} was not expected, attempt {call.attempts} of the call "
                f"{call.operation!r}: {request!r}; script one more answer, or say `otherwise=`"
            )
        return self._otherwise

    async def _respond(self, answer: Answer, request: Request) -> Response:
        if isinstance(answer, Exception):
            raise fresh(answer)
        if isinstance(answer, Response):
            return answer
        given = answer(request)
        response = await given if isawaitable(given) else given
        if not isinstance(response, Response):
            raise UsageError(f"a scripted function answers with a Response, or raises an error; not with {response!r}")
        return response

    async def close(self) -> None:
        """Remembers that it was closed."""
        self.closed = True


def _checked(answer: Answer) -> Answer:
    if isinstance(answer, type) or not (isinstance(answer, Response | Exception) or callable(answer)):
        raise ConfigurationError(
            "an answer is a Response, an exception (`ConnectError('why')`, not its class), or a function of requests, "
            f"not {answer!r}; for JSON there is `json_response(value)`"
        )
    return answer


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response whose body is the value as JSON."""
    from msgspec.json import encode

    return Response(status, Headers(headers or {}).over(Headers({"content-type": "application/json"})), encode(value))
