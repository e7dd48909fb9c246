"""The calls of Buffy's API, each as it is; what of it a server gets wrong is not used, and said at its place."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

from jackfield import Operation, Request, Service, Url
from jackfield import Response as HttpResponse

from ._asking import checked_request
from ._checks import check_bool, check_duration, check_tag, check_version, checked_configuration
from ._errors import BuffyServerError, BuffyUnknownError, BuffyValueError
from ._models import RequestIn, RequestOut, Response, Status
from ._strategies import RequestCacheConfiguration

P = ParamSpec("P")
T = TypeVar("T")


class _Timely(Operation[P, T]):
    """An operation that has `buffy_server_timeout_sec`, whoever calls it."""

    async def run(self, client: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        seconds = client.buffy_server_timeout_sec
        if seconds is None:
            raise BuffyValueError("buffy_server_timeout_sec is a number of seconds, not None")
        return await super().run(client.with_options(timeout=seconds), args, kwargs)


def timely(body: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]) -> Operation[P, T]:
    """Makes an operation of one call of the API."""
    return _Timely(body)


class BuffyApi(Service):
    """Buffy's API, version 1. What would end a server of 0.7.3 is refused here, whoever calls."""

    buffy_server_timeout_sec: float = 5

    @timely
    async def put_request(self, asked: RequestIn) -> RequestOut:
        """Makes a request known, or finds it: PUT /request/. The server fetches when its strategy says so."""
        return (await self._asked("PUT", self._requests(), checked_request(asked))).decode(RequestOut)

    @timely
    async def list_requests(self, group_name: str | None = None, skip: int = 0, limit: int = 100) -> list[RequestOut]:
        """The requests that the server knows, the oldest first: GET /request/. A limit of 0: all."""
        query = {"skip": str(skip), "limit": str(limit)}
        if group_name is not None:
            query["group_name"] = group_name
        return (await self._asked("GET", self._requests(), query=query)).decode(list[RequestOut])

    @timely
    async def is_registered(self, request_id: str, timestamp: float) -> bool:
        """Whether the server has looked at a request: GET /request/{id}/status/{timestamp}. A hint, no more."""
        url = self.url("request", request_id, "status", repr(timestamp))
        return (await self._asked("GET", url)).status == 200

    @timely
    async def get_cache_config(self, request_id: str) -> RequestCacheConfiguration:
        """How a request is cached: GET /request/{id}/cache-config."""
        url = self.url("request", request_id, "cache-config")
        return (await self._asked("GET", url)).decode(RequestCacheConfiguration)

    @timely
    async def put_cache_config(
        self, request_id: str, configuration: RequestCacheConfiguration
    ) -> RequestCacheConfiguration:
        """How it is to be cached: PUT /request/{id}/cache-config. Gives what holds: in 0.7.3 what did before."""
        url = self.url("request", request_id, "cache-config")
        return (await self._asked("PUT", url, checked_configuration(configuration))).decode(RequestCacheConfiguration)

    @timely
    async def list_responses(
        self, request_id: str, status: Status | None = None, tag: str | None = None, skip: int = 0, limit: int = 0
    ) -> list[Response]:
        """The versions of a request, the newest first: GET /request/{id}/response. A limit of 0: all."""
        query = {"skip": str(skip), "limit": str(limit)}
        query |= {name: value for name, value in (("status", status), ("tag", tag)) if value is not None}
        return (await self._asked("GET", self.url("request", request_id, "response"), query=query)).decode(
            list[Response]
        )

    @timely
    async def get_response(self, request_id: str, version: str) -> Response | None:
        """One version, or None where it is not kept: GET /request/{id}/response/v/{version}."""
        try:
            found = (await self._asked("GET", self.url(*_path(request_id, version)))).decode(Response)
        except BuffyUnknownError:
            return None
        return found if found.version == version else None  # another one is of no use to who asked for this

    @timely
    async def put_pin(self, request_id: str, version: str, value: bool, duration_sec: int | None = None) -> None:
        """Asks for a pin: PUT …/v/{version}/pin. What comes of it, only the version tells, some moments later."""
        check_bool("value", value)
        if duration_sec is not None:
            check_duration(duration_sec)
        claim = {"value": value, "duration_sec": duration_sec}
        await self._claim(self.url(*_path(request_id, version), "pin"), claim, repeatable=True)

    @timely
    async def put_tag(self, request_id: str, version: str, tag: str) -> None:
        """Asks for a tag: PUT …/v/{version}/tag."""
        check_tag(tag)
        claim = {"value": tag, "delete": False}
        await self._claim(self.url(*_path(request_id, version), "tag"), claim, repeatable=True)

    @timely
    async def _delete_tag(self, request_id: str, version: str, tag: str) -> None:
        """Asks for a tag to be taken off. One that is not there ends a server of 0.7.3: look first, and say it once."""
        claim = {"value": tag, "delete": True}
        await self._claim(self.url(*_path(request_id, version), "tag"), claim, repeatable=False)

    async def _claim(self, url: Url, claim: dict[str, Any], *, repeatable: bool) -> None:
        """A server on FastAPI from 0.80 on answers 500, and does it all the same."""
        request = Request.json("PUT", url, claim, idempotent=repeatable)
        response = await self.send(request)
        if response.status not in (200, 500):
            raise BuffyServerError.of(response)

    async def _asked(
        self, method: Literal["GET", "PUT"], url: Url, value: object = None, query: dict[str, str] | None = None
    ) -> HttpResponse:
        """Asks, from inside an operation; whatever is no 2xx, redirects too, is an error."""
        pairs = query or {}
        request = Request(method, url, query=pairs) if value is None else Request.json(method, url, value, query=pairs)
        response = await self.send(request)
        if not 200 <= response.status < 300:
            raise BuffyServerError.of(response)
        return response

    def _requests(self) -> Url:
        """With its slash, without which the server redirects to whatever `Host` says."""
        url = self.url("request")
        return url._replace(path=f"{url.path}/")


def _path(request_id: str, version: str) -> tuple[str, ...]:
    check_version(version)
    return "request", request_id, "response", "v", version
