"""The calls of Buffy's API, each as it is; what of it a server gets wrong is not used, and said at its place."""

from __future__ import annotations

from typing import Any, Literal

from jackfield import Request, Service, Url, operation
from jackfield import Response as HttpResponse

from ._errors import BuffyServerError, BuffyUnknownError
from ._models import RequestIn, RequestOut, Response, Status
from ._strategies import RequestCacheConfiguration


class BuffyApi(Service):
    """Buffy's API, version 1."""

    @operation
    async def put_request(self, asked: RequestIn) -> RequestOut:
        """Makes a request known, or finds it: PUT /request/. The server fetches when its strategy says so."""
        return (await self._asked("PUT", self._requests(), asked)).decode(RequestOut)

    @operation
    async def list_requests(self, group_name: str | None = None, skip: int = 0, limit: int = 100) -> list[RequestOut]:
        """The requests that the server knows, the oldest first: GET /request/. A limit of 0: all."""
        query = {"skip": str(skip), "limit": str(limit)}
        if group_name is not None:
            query["group_name"] = group_name
        return (await self._asked("GET", self._requests(), query=query)).decode(list[RequestOut])

    @operation
    async def is_registered(self, request_id: str, timestamp: float) -> bool:
        """Whether the server has looked at a request: GET /request/{id}/status/{timestamp}. A hint, no more."""
        url = self.url("request", request_id, "status", repr(timestamp))
        return (await self._asked("GET", url)).status == 200

    @operation
    async def get_cache_config(self, request_id: str) -> RequestCacheConfiguration:
        """How a request is cached: GET /request/{id}/cache-config."""
        url = self.url("request", request_id, "cache-config")
        return (await self._asked("GET", url)).decode(RequestCacheConfiguration)

    @operation
    async def put_cache_config(
        self, request_id: str, configuration: RequestCacheConfiguration
    ) -> RequestCacheConfiguration:
        """How it is to be cached: PUT /request/{id}/cache-config. Gives what holds: in 0.7.3 what did before."""
        url = self.url("request", request_id, "cache-config")
        return (await self._asked("PUT", url, configuration)).decode(RequestCacheConfiguration)

    @operation
    async def list_responses(
        self, request_id: str, status: Status | None = None, tag: str | None = None, skip: int = 0, limit: int = 0
    ) -> list[Response]:
        """The versions of a request, the newest first: GET /request/{id}/response. A limit of 0: all."""
        query = {"skip": str(skip), "limit": str(limit)}
        query |= {name: value for name, value in (("status", status), ("tag", tag)) if value is not None}
        return (await self._asked("GET", self.url("request", request_id, "response"), query=query)).decode(
            list[Response]
        )

    @operation
    async def get_response(self, request_id: str, version: str) -> Response | None:
        """One version, or None where it is not kept: GET /request/{id}/response/v/{version}."""
        try:
            return (await self._asked("GET", self._version(request_id, version))).decode(Response)
        except BuffyUnknownError:
            return None

    @operation
    async def put_pin(self, request_id: str, version: str, value: bool, duration_sec: int | None = None) -> None:
        """Asks for a pin: PUT …/v/{version}/pin. What comes of it, only the version tells, some moments later."""
        claim = {"value": value, "duration_sec": duration_sec}
        await self._claim(self.url(*self._version_path(request_id, version), "pin"), claim, repeatable=True)

    @operation
    async def put_tag(self, request_id: str, version: str, tag: str, delete: bool = False) -> None:
        """Asks for a tag: PUT …/v/{version}/tag. Deleting one that is not there ends a server of 0.7.3."""
        claim = {"value": tag, "delete": delete}
        await self._claim(self.url(*self._version_path(request_id, version), "tag"), claim, repeatable=not delete)

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

    def _version(self, request_id: str, version: str) -> Url:
        return self.url(*self._version_path(request_id, version))

    def _version_path(self, request_id: str, version: str) -> tuple[str, ...]:
        return "request", request_id, "response", "v", version
