"""Jobs whose state has a URL: of its own, told by the answer that starts the job, or that of the resource itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, Unpack

from jackfield import (
    ContractError,
    DecodeError,
    Done,
    FieldPath,
    JobState,
    Pending,
    Request,
    Response,
    Service,
    ServiceError,
    Url,
    field_path,
    follow,
    parse_retry_after,
)

from ._fields import StateFields, content, find
from ._pace import Paced, PaceOptions
from ._reader import Reader, Told
from ._result import SEE_OTHER, Result, absolute, one
from ._states import BY_STATUS, States

T = TypeVar("T")

_BY_STATUS = StateFields(state="")
# RFC 9110 §15.3.2, §8.7: of any answer but a 202 these name what was made, and no state.
_OF_A_RESOURCE = frozenset({"location", "content-location"})


class StatusUrl(Paced[T]):
    """Asks the URL of a job's state, by GET. The job's id is that URL.

    It must be of the service's origin, wherever it came from. A 202 that names another is followed.

    Args:
        into: the type of the result, as `Response.decode` takes it; `type(None)`: there is none.
        states: what the states mean; None: 202 means that the job runs, another 2xx that it is done.
        fields: where an answer tells the state, and the rest.
        result: where the result is.
        headers: the headers that may hold the state's URL; the first that is there.
        link: the place of that URL in the body, where no header holds it; "": it is never there.
        pace: as `Paced` takes it.
    """

    def __init__(
        self,
        into: type[T],
        states: States | None = None,
        fields: StateFields | None = None,
        *,
        result: Result | None = None,
        headers: Sequence[str] = ("operation-location", "azure-asyncoperation", "location", "content-location"),
        link: FieldPath = "",
        **pace: Unpack[PaceOptions],
    ) -> None:
        super().__init__(**pace)
        if fields is None:
            fields = _BY_STATUS if states is None else StateFields()
        self._reader = Reader(into, states or BY_STATUS, fields, result or Result())
        self._states = states
        self._redirects = self._reader.result.redirect
        self._headers = (headers,) if isinstance(headers, str) else tuple(headers)
        self._link = field_path(link)

    async def start(self, service: Service, request: Request, label: str = "") -> JobState[T]:
        """Sends the request that starts a job, and reads where its state is; it may be done at once.

        Args:
            service: the body's `self`.
            request: what starts the job.
            label: names the job for people.

        Raises:
            ContractError: the service accepts the job, and does not say where its state is, or says another origin.
        """
        response = await service.send(request)
        place = self._place(request, response)
        if place is not None:
            after = parse_retry_after(response.headers, service.runtime.now())
            return Pending(place, label, self._reader.result.known(request, response), after=after)
        if response.status == 202:
            raise ContractError("the service accepted the job (202), and does not say where its state is")
        known, there = self._reader.result.known(request, response), Request("GET", request.url)
        told = Told("", content(response), response)
        word = self._word(told)
        if self._states is None or not word:
            return Done(await self._reader.value(service, there, told, known))
        made = one(response, "location") or one(response, "content-location") or request.target
        job = Pending(absolute(follow(there, made)), label, known)
        return await self._reader.read(service, job, there, told._replace(word=word))

    def at(self, url: Url, label: str = "") -> Pending:
        """A job whose state is at this URL: that of the resource itself, say."""
        return Pending(str(url), label)

    async def poll(self, service: Any, job: Pending) -> JobState[T]:
        asked = follow(Request("GET", service.url()), job.id)
        try:
            response: Response = await service.send(asked)
        except ServiceError as error:
            if self._is_of_the_result(error.response):
                raise
            return await self._reader.read(service, job, asked, self._told_by(error))
        told = Told("", content(response), response)
        if self._is_of_the_result(response):
            return Done(self._reader.decoded(response))
        if self._redirects and response.status in SEE_OTHER:
            return Done(await self._reader.value(service, asked, told, job.resource))
        if response.status == 202 and (place := self._place(asked, response)) is not None:
            job = job._replace(id=place)
        word = self._reader.fields.word(told.content, response.status)
        return await self._reader.read(service, job, asked, told._replace(word=word))

    def _is_of_the_result(self, response: Response | None) -> bool:
        """Whether the state redirected to it, and the redirect was followed."""
        return self._redirects and response is not None and any(status in SEE_OTHER for status in response.redirects)

    def _word(self, told: Told) -> str:
        """The state, if the first answer tells one."""
        try:
            return self._reader.fields.word(told.content, told.response.status)
        except DecodeError:
            return ""

    def _place(self, request: Request, response: Response) -> str | None:
        """The URL of the state, where the answer tells it."""
        names = [name for name in self._headers if response.status == 202 or name.lower() not in _OF_A_RESOURCE]
        reference = next((found for name in names if (found := one(response, name)) is not None), None)
        if reference is None and self._link:
            reference = find(content(response), self._link)
        return None if reference is None else absolute(follow(Request("GET", request.url), reference))

    def _told_by(self, error: ServiceError) -> Told:
        """What an answer tells that is an error; raises it again if it means no state."""
        if error.status is None or self._reader.states.of(str(error.status)) is None:
            raise error
        response = error.response or Response(error.status)
        return Told(str(error.status), content(response), response)
