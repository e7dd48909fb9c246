"""The core's own plugins: they come through the same door as any other, and go with `Without(name)`."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from ._call import Call
from ._errors import ServiceError
from ._hooks import hookimpl
from ._messages import Request, Response
from ._redirect import Redirects
from ._steps import Proceed, Pure, Stage, Step


class DefaultHeaders:
    """Adds the client's `headers` to requests that do not name them; to another origin than the service's, none."""

    name = "headers"

    @hookimpl
    def jackfield_steps(self) -> Iterable[Pure]:
        return [Pure(self.name, Stage.PREPARE, request=self._add)]

    def _add(self, request: Request, call: Call) -> Request:
        if request.url.origin != call.origin:  # a header may be a credential, whatever its name
            return request
        return request.with_headers(request.headers.over(call.options.headers))


_REFUSED = (501, 505)  # of 5xx, those that say that nothing was done


class StatusErrors:
    """Turns an answer of 400 and above into the error that says what it means; 5xx leaves doubt what was done."""

    name = "errors"

    @hookimpl
    def jackfield_steps(self) -> Iterable[Pure]:
        return [Pure(self.name, Stage.PREPARE, response=self._judge)]

    def _judge(self, response: Response, call: Call) -> Response:
        if response.status >= 400:
            call.unanswered = response.status >= 500 and response.status not in _REFUSED
            raise ServiceError.from_response(response)
        return response


class Deadline:
    """Ends the call when its time is up, whatever it waits for, where the runtime can interrupt it."""

    name = "deadline"

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.DEADLINE, self._bound)]

    async def _bound(self, request: Request, call: Call, proceed: Proceed) -> Response:
        seconds = call.limit(inf)
        try:
            return await call.runtime.within(seconds, proceed(request, call))
        except TimeoutError as error:
            if call.remaining() > 0:
                raise
            raise call.overdue() from error


DEFAULTS = (DefaultHeaders(), StatusErrors(), Deadline(), Redirects())
