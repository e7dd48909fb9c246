"""Jobs whose states are told by a list: one request asks for many."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from copy import copy
from typing import Any, TypeAlias, TypeVar, Unpack

from jackfield import (
    ConfigurationError,
    DecodeError,
    FieldPath,
    JackfieldError,
    JobState,
    NotFoundError,
    Pending,
    Request,
    Response,
    field_path,
)

from ._fields import StateFields, find
from ._pace import Paced, PaceOptions
from ._reader import Reader, Told
from ._result import Result
from ._states import States

T = TypeVar("T")
Look: TypeAlias = Callable[[Any, Sequence[str]], Awaitable[Iterable[Any]]]

_MISSING = "404"


class StatusList(Paced[T]):
    """Asks a list for the states of all jobs that are waited for together.

    A job that is not in the list has the state `"404"`. Where `states` do not name that, it is a `NotFoundError`.

    Args:
        look: `async def look(service, ids)` that gives the list's items, as JSON has them. It may give more than the
            ids name.
        into: the type of results; `type(None)`: there are none.
        states: what the states mean.
        fields: where an item tells the state, and the rest.
        id: the place of the job's id in an item.
        result: where the result is; `field=""` is the whole item.
        at_once: so many ids are looked for at once, at most.
        pace: as `Paced` takes it.
    """

    shares = True

    def __init__(
        self,
        look: Look,
        into: type[T],
        states: States,
        fields: StateFields | None = None,
        *,
        id: FieldPath = "id",
        result: Result | None = None,
        at_once: int = 100,
        **pace: Unpack[PaceOptions],
    ) -> None:
        super().__init__(**pace)
        if isinstance(at_once, bool) or not isinstance(at_once, int) or at_once < 1:
            raise ConfigurationError(f"at_once must be a whole number of 1 or more, not {at_once!r}")
        if not field_path(id):
            raise ConfigurationError('id is where an item of the list has its job\'s id: "" is no such place')
        self._look = look
        self._reader = Reader(into, states, fields or StateFields(), result or Result())
        self._id = id
        self._at_once = at_once

    async def poll(self, service: Any, job: Pending) -> JobState[T]:
        (outcome,) = await self.poll_all(service, [job])
        if isinstance(outcome, JackfieldError):
            raise outcome
        return outcome

    async def poll_all(self, service: Any, jobs: Sequence[Pending]) -> list[JobState[T] | JackfieldError]:
        outcomes: list[JobState[T] | JackfieldError] = []
        for start in range(0, len(jobs), self._at_once):
            batch = jobs[start : start + self._at_once]
            try:
                items = await self._items(service, [job.id for job in batch])
            except JackfieldError as error:  # of these jobs, and no others
                outcomes += [_own(error) for _ in batch]
            else:
                outcomes += [await self._read(service, job, items.get(job.id)) for job in batch]
        return outcomes

    async def _items(self, service: Any, ids: Sequence[str]) -> dict[str, Any]:
        from msgspec import to_builtins

        found = to_builtins(list(await self._look(service, ids)))  # of models, too
        items = {str(id): item for item in found if (id := find(item, self._id)) is not None}
        if found and not items:
            raise DecodeError(f"no item of the service's list of jobs has {self._id!r}")
        return items

    async def _read(self, service: Any, job: Pending, item: Any) -> JobState[T] | JackfieldError:
        try:
            return await self._reader.read(service, job, Request("GET", service.url()), self._told(item))
        except JackfieldError as error:
            return error

    def _told(self, item: Any) -> Told:
        if item is not None:
            from msgspec.json import encode

            return Told(self._reader.fields.word(item, None), item, Response(200, body=encode(item)))
        if self._reader.states.of(_MISSING) is None:
            raise NotFoundError("the job is not in the service's list of jobs, or not any more")
        return Told(_MISSING, None, Response(404))


def _own(error: JackfieldError) -> JackfieldError:
    own = copy(error)
    own.__cause__ = error
    return own
