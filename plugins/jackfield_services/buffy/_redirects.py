"""Redirects of origins are followed, those of the API are not: it has none that mean well."""

from __future__ import annotations

from collections.abc import Iterable

from jackfield import Call, Proceed, Redirects, Request, Response, Stage, Step, hookimpl


class OriginRedirects:
    """In place of the core's: what the API answers is left as it is."""

    name = "redirect"

    def __init__(self) -> None:
        (self._follow,) = Redirects().jackfield_steps()

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.REDIRECT, self._run)]

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        if request.url.origin == call.origin:
            return await proceed(request, call)
        return await self._follow.run(request, call, proceed)
