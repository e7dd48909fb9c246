"""Reads what a service tells of a job: it runs, it is done and this is the result, or it failed."""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, TypeVar

from jackfield import (
    Done,
    JobCancelledError,
    JobFailedError,
    JobState,
    Pending,
    Request,
    Response,
    follow,
    parse_retry_after,
)

from ._fields import StateFields, find
from ._result import Result
from ._states import Meaning, States

T = TypeVar("T")
_SHOWN = 200  # characters


class Told(NamedTuple):
    """What was told of a job: its state's word, the JSON it stands in, and the answer that this came with."""

    word: str
    content: Any
    response: Response


class Reader(Generic[T]):
    """Reads by data.

    Args:
        into: the type of results; `type(None)`: they are not read.
        states: what words mean.
        fields: where they stand.
        result: where results are.
    """

    def __init__(self, into: type[T], states: States, fields: StateFields, result: Result) -> None:
        self.states = states
        self.fields = fields.checked()
        self.result = result.checked()
        self._into = into

    async def read(self, service: Any, job: Pending, asked: Request, told: Told) -> JobState[T]:
        """How the job stands; raises `JobFailedError` where it failed.

        Args:
            service: fetches a result that is elsewhere.
            job: what was known of it.
            asked: the request that was answered; links are relative to it.
            told: what the answer tells.
        """
        meaning = self.states.of(told.word)
        if meaning is Meaning.FAILED or (meaning is Meaning.DONE and self._is_failure(told.content)):
            raise self._failure(JobFailedError, told)
        if meaning is Meaning.CANCELLED:
            raise self._failure(JobCancelledError, told)
        if meaning is Meaning.DONE:
            return Done(await self.value(service, asked, told, job.resource))
        after = parse_retry_after(told.response.headers, service.runtime.now())
        return job._replace(state=told.word, progress=self.fields.fraction(told.content), after=after)

    async def value(self, service: Any, asked: Request, told: Told, known: str) -> T:
        """The result, fetched if it is elsewhere."""
        reference = self.result.reference(told.response, told.content, known)
        if reference is not None:
            return self.decoded(await service.send(follow(asked, reference)))
        if not self.result.field:
            return self.decoded(told.response)
        from msgspec.json import encode

        return self.decoded(Response(told.response.status, body=encode(find(told.content, self.result.field))))

    def decoded(self, response: Response) -> T:
        """The answer's body as a result."""
        value: Any = None if self._into is type(None) else response.decode(self._into)
        found: T = value
        return found

    def _is_failure(self, content: Any) -> bool:
        return bool(self.fields.sign and find(content, self.fields.sign))

    def _failure(self, kind: type[JobFailedError], told: Told) -> JobFailedError:
        code, text = self.fields.error_code(told.content), self.fields.error_text(told.content)
        message = f"the job has ended as {told.word[:_SHOWN]!r}" + (f": {text[:_SHOWN]!r}" if text else "")
        return kind(message, status=told.response.status, code=code, text=text, response=told.response)
