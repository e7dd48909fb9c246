"""A transport without a network: it answers from a script, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from copy import copy
from typing import Any, TypeAlias

from jackfield import Call, Headers, NetworkError, Request, Response

Answer: TypeAlias = Response | Exception | Callable[[Request], Response | Awaitable[Response]]


class FakeTransport:
    """Answers each request with the next of its answers.

    Args:
        answers: a response to give, an exception to raise, or a function from request to response; an `async def`
            may wait in its runtime before it answers, or for ever.
        otherwise: what answers when these are used up.

    Attributes:
        requests: what it was asked to send, in order, as it would have gone out.
        closed: whether somebody closed it.
    """

    def __init__(self, answers: Iterable[Answer] = (), *, otherwise: Answer | None = None) -> None:
        self._answers = iter(answers)
        self._otherwise = otherwise
        self.requests: list[Request] = []
        self.closed = False

    async def send(self, request: Request, call: Call) -> Response:
        """One scripted attempt."""
        self.requests.append(request)
        answer = next(self._answers, self._otherwise)
        if answer is None:
            raise AssertionError(f"request {len(self.requests)} was not expected: {request!r}")
        before, call.unanswered = call.unanswered, True
        try:
            response = await self._respond(answer, request)
        except Exception as error:
            call.unanswered = before or (isinstance(error, NetworkError) and error.sent)
            raise
        call.unanswered = False
        return response

    async def _respond(self, answer: Answer, request: Request) -> Response:
        if isinstance(answer, Exception):
            raise _fresh(answer)  # the same one may be scripted twice
        if isinstance(answer, Response):
            return answer
        response = answer(request)
        return response if isinstance(response, Response) else await response

    async def close(self) -> None:
        """Remembers that it was closed."""
        self.closed = True


def _fresh(error: Exception) -> Exception:
    try:
        return copy(error)
    except Exception:  # one that is not made from its args alone
        return error


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response whose body is the value as JSON."""
    from msgspec.json import encode

    return Response(status, Headers(headers or {}).over(Headers({"content-type": "application/json"})), encode(value))
