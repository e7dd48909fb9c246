"""A request id on every request, the same on each attempt of a call: `plugins=["acme"]` or `[RequestId(...)]`."""

from __future__ import annotations

from collections.abc import Iterable

from jackfield import Call, Pure, Request, Stage, hookimpl


class RequestId:
    """Sends `header: <random hexadecimal number>` unless the request names the header itself."""

    name = "acme"

    def __init__(self, header: str = "x-request-id") -> None:
        self._header = header

    @hookimpl
    def jackfield_steps(self) -> Iterable[Pure]:
        return [Pure(self.name, Stage.PREPARE, request=self._add)]

    def _add(self, request: Request, call: Call) -> Request:
        if self._header in request.headers:
            return request
        number = f"{int(call.runtime.random() * 2**53):014x}"  # chance comes from the runtime: tests repeat it
        return request.with_headers(request.headers.replacing(self._header, number))


@hookimpl
def jackfield_steps() -> Iterable[Pure]:
    """What the name `acme` stands for."""
    return RequestId().jackfield_steps()
