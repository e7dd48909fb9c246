"""A Hub on one virtual clock: its auth service and a service that has records, as one function; and clients of it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections import Counter
from typing import Any

from msgspec.json import decode, encode
from tests.made import get as get

from jackfield import AsyncClient, Client, Request, Response, Service, StreamBody, operation
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime
from jackfield_plugins.retry import Retry

AUTH = "https://auth.hub.test"
CORE = "https://core.hub.test"

SILENT = {"statusCode": 400, "code": "BAD_REQUEST", "message": ""}
INVALID = {"statusCode": 400, "code": "invalid_token", "message": "The JWT is invalid."}
UNAUTHORIZED = {"statusCode": 401, "code": "UNAUTHORIZED", "message": ""}
INTERNAL = {"statusCode": 500, "code": "INTERNAL_SERVER_ERROR", "message": "An internal server error occurred."}


class Nodes(Service):
    @operation
    async def read(self) -> Any:
        return (await self.send(Request("GET", self.url("nodes")))).decode(Any)

    @operation
    async def stream(self) -> Any:
        """The same, piece by piece."""
        return (await (await self.send(Request("GET", self.url("nodes")), stream=True)).settled()).decode(Any)

    @operation
    async def create(self, body: bytes | StreamBody = b"{}") -> Any:
        return (await self.send(Request("POST", self.url("nodes"), body=body))).decode(Any)


class SyncNodes(Nodes, Client): ...


class AsyncNodes(Nodes, AsyncClient): ...


def said(told: dict[str, Any]) -> Response:
    """An error of the Hub's."""
    return Response(told["statusCode"], {"content-type": "application/json", "content-encoding": "utf-8"}, encode(told))


class World:
    """Keeps the Hub's books, and makes clients.

    Attributes:
        dead: what a token that has ended is answered with.
        answers: what the next token requests are answered with instead of a token.
        genuine: what a request for records is answered with, whoever asks.
        probed: what the auth service answers to questions about tokens; None: the truth.
        probed_dead: what it answers where the token has ended.
        asked: the bodies of the token requests.
        seen: methods and paths, in their order.
        made: how many records were created.
    """

    def __init__(self, base: type[Client] | type[AsyncClient]) -> None:
        self.base = base
        self.runtime: Any = VirtualSyncRuntime() if base is Client else VirtualAsyncioRuntime()
        self.transport = FakeTransport(otherwise=self.answer)
        self.dead: dict[str, Any] = UNAUTHORIZED
        self.answers: list[Response | Exception] = []
        self.genuine: list[dict[str, Any]] = []
        self.probed: Response | Exception | None = None
        self.probed_dead: Response | None = None
        self.realms = Response(200, body=b'{"data": []}')
        self.asked: list[dict[str, Any]] = []
        self.seen: list[str] = []
        self.made = 0
        self.life, self.said_life, self.refreshes = 3600, 3600, True
        self._ends: dict[str, float] = {}
        self._refresh_tokens: set[str] = set()
        self._number = 0

    @property
    def grants(self) -> Counter[str]:
        """How often each was asked for."""
        return Counter(fields["grant_type"] for fields in self.asked)

    def revoke(self) -> None:
        """All tokens are dead, refresh tokens apart."""
        self._ends.clear()

    def client(self, *plugins: object, base_url: str = CORE) -> Any:
        kind: Any = SyncNodes if self.base is Client else AsyncNodes
        return kind(base_url, plugins=plugins, transport=self.transport, runtime=self.runtime)

    def patient(self, *plugins: object) -> Any:
        """One that tries again."""
        return self.client(Retry(), *plugins)

    def answer(self, request: Request) -> Response:
        self.seen.append(f"{request.method} {request.url.path}")
        path = request.url.path.removeprefix("/auth")
        if path == "/token":
            return self._token(request)
        if path == "/realms":
            assert "authorization" not in request.headers
            return self.realms
        alive = self._ends.get(request.headers["authorization"].removeprefix("Bearer "), 0.0) > self.runtime.now()
        if path == "/token/introspect":
            return self._introspected(alive)
        if self.genuine:
            return said(self.genuine.pop(0))
        self.made += request.method == "POST" and alive
        return Response(200, body=encode({"data": request.headers["authorization"]})) if alive else said(self.dead)

    def _introspected(self, alive: bool) -> Response:
        if isinstance(self.probed, Exception):
            raise self.probed
        if self.probed or alive:
            return self.probed or Response(200, body=b'{"active": true}')
        return self.probed_dead or said(self.dead)

    def _token(self, request: Request) -> Response:
        assert request.headers["content-type"] == "application/json"
        assert isinstance(request.body, bytes)
        fields = decode(request.body)
        self.asked.append(fields)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        if fields["grant_type"] == "refresh_token":
            if fields["refresh_token"] not in self._refresh_tokens:
                return said({"statusCode": 400, "code": "inactive_token", "message": "The JWT is not active."})
            self._refresh_tokens.remove(fields["refresh_token"])
        return self._granted()

    def _granted(self) -> Response:
        self._number += 1
        claims = urlsafe_b64encode(encode({"exp": self.runtime.now() + self.life})).rstrip(b"=").decode()
        token, refresh = f"e30.{claims}.{self._number}", f"refresh-{self._number}"
        self._ends[token] = self.runtime.now() + self.life
        answer = {"access_token": token, "expires_in": self.said_life, "token_type": "Bearer", "scope": "global"}
        if self.refreshes:
            self._refresh_tokens.add(refresh)
            answer["refresh_token"] = refresh
        return Response(200, {"content-encoding": "utf-8"}, encode(answer))
