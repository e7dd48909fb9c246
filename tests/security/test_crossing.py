"""S45: many callers of many identities on one client: each gets its own answer, with its own credential."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from tests.both import Both
from tests.clients import COLOURS, Anything
from tests.servers import GUARD

from jackfield import (
    Call,
    Proceed,
    ReadTimeoutError,
    Request,
    Response,
    Stage,
    Step,
    SyncRuntime,
    Transport,
    Url,
    Urllib3Transport,
    hookimpl,
)
from jackfield_plugins.auth import Bearer, ClientSecretBasic, Digest, Grant, OAuth2

if TYPE_CHECKING:
    from tests.servers import Peer, ReceivedRequest, Script, Serve

COLOUR = pytest.mark.parametrize("colour", COLOURS)
IDENTITIES = 20
THREADS, TASKS = 50, 500


def answer(body: bytes, status: int = 200, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body


def answering(respond: Callable[[ReceivedRequest], bytes]) -> Script:
    def script(peer: Peer) -> None:
        for request in peer.requests():
            peer.send(respond(request))

    return script


ECHO = answering(lambda request: answer(f"{request.target} {''.join(request.get_all('authorization'))}".encode()))


class Shared:
    """Broken on purpose: where the token is written down that is to be sent, all write."""

    name = "auth"
    current = ""

    def __init__(self, token: str) -> None:
        self._token = token

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.AUTH, self.run)]

    async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        Shared.current = self._token
        await call.runtime.sleep(0.000_1)  # as one that waits for a lock, or for a store
        sent = request.headers.replacing("authorization", f"Bearer {Shared.current}")
        return await proceed(request.with_headers(sent), call)


class Late(Urllib3Transport):
    """Broken on purpose: gives what was asked before."""

    last: Response | None = None

    async def send(self, request: Request, call: Call) -> Response:
        given, self.last = self.last, await super().send(request, call)
        return given or self.last


def asked(number: int, url: str) -> Request:
    return Request("GET", Url.parse(f"{url}/{number}"))


def token(number: int) -> str:
    return f"identity-{number % IDENTITIES}"


def answers(
    colour: str, url: str, auth: Callable[[str], Any], calls: int, transport: Transport | None = None
) -> list[tuple[int, str]]:
    """What came of so many calls by threads or tasks, on one client with a view for each identity."""

    def ask(number: int) -> Any:
        return views[number % IDENTITIES].ask(asked(number, url))

    def in_threads() -> list[tuple[int, str]]:
        with ThreadPoolExecutor(THREADS) as threads:
            found = threads.map(ask, range(calls))
            return [(number, answer.content.decode()) for number, answer in enumerate(found)]

    async def caller(first: int) -> list[tuple[int, str]]:
        numbers = range(first, calls, TASKS)
        return [(number, (await ask(number)).content.decode()) for number in numbers]

    async def in_tasks() -> list[tuple[int, str]]:
        found = await asyncio.gather(*(caller(first) for first in range(min(TASKS, calls))))
        return [one for some in found for one in some]

    with Both(colour, Anything, url, transport, plugins=[auth(token(0))]) as api:
        views = [api.client.with_options(auth=auth(token(number))) for number in range(IDENTITIES)]
        return in_threads() if colour == "sync" else api.get(in_tasks())


@pytest.mark.subjects(
    ours=(Bearer, Urllib3Transport, 10_000),
    shared=(Shared, Urllib3Transport, 2000),
    late=(Bearer, Late, 1000),
)
@COLOUR
def test_s45_callers_of_many_identities_do_not_get_into_each_others_way(
    subject: Any, colour: str, serve: Serve
) -> None:
    auth, transport, calls = subject
    server = serve(ECHO)

    found = answers(colour, server.url, auth, calls, transport(max_connections=16))

    assert len(found) == len(server.requests) == calls
    assert [got for number, got in found if got != f"/{number} Bearer {token(number)}"] == []


# --- what learns from the service, and so has something to mix up


def challenging(request: ReceivedRequest) -> bytes:
    given = "".join(request.get_all("authorization"))
    challenge = 'WWW-Authenticate: Digest realm="r", qop="auth", algorithm=SHA-256, nonce="n"'
    return answer(f"{request.target} {given}".encode()) if given else answer(b"", 401, challenge)


def digest(user: str) -> Digest:
    return Digest(user, "password")


@pytest.mark.subjects(ours=digest, shared=Shared)
@COLOUR
def test_s45_challenges_are_answered_by_whom_they_met(subject: Any, colour: str, serve: Serve) -> None:
    server = serve(answering(challenging))

    found = answers(colour, server.url, subject, 200)

    assert [got for number, got in found if f'/{number} Digest username="{token(number)}"' not in got] == []


def granting(request: ReceivedRequest) -> bytes:
    if request.target == "/token":
        return answer(b'{"access_token": "access", "token_type": "Bearer", "expires_in": 600}')
    return answer(f"{request.target} {''.join(request.get_all('authorization'))}".encode())


class Hasty:
    """Broken on purpose: each call asks for a token of its own."""

    name = "auth"

    def __init__(self, url: str) -> None:
        self._url = Url.parse(url)

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.AUTH, self.run)]

    async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        await call.fetch(Request("POST", self._url), "token")
        return await proceed(request, call)


def oauth2(url: str) -> OAuth2:
    return OAuth2(url, Grant.client_credentials(), client=ClientSecretBasic("id", "secret"))


@pytest.mark.subjects(ours=oauth2, hasty=Hasty)
@COLOUR
def test_s45_all_together_ask_for_one_token(subject: Any, colour: str, serve: Serve) -> None:
    server = serve(answering(granting))
    plugin = subject(f"{server.url}/token")

    assert len(answers(colour, server.url, lambda identity: plugin, 200)) == 200

    assert [request.target for request in server.requests].count("/token") == 1


# --- what is given up in the middle


class Persevering:
    """Broken on purpose: keeps its one connection, whatever became of the call that was on it."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._read = b""

    async def send(self, request: Request, call: Call) -> Response:
        if self._socket is None:
            self._socket = socket.create_connection(request.url.origin[1:])
        self._socket.setblocking(True)
        self._socket.sendall(f"GET {request.target} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        while b"\r\n\r\n" not in self._read:
            await self._receive(self._socket, call)
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        size = int(head.partition(b"Content-Length: ")[2].split()[0])
        while len(self._read) < size:
            await self._receive(self._socket, call)
        body, self._read = self._read[:size], self._read[size:]
        return Response(200, body=body)

    async def _receive(self, sock: socket.socket, call: Call) -> None:
        if isinstance(call.runtime, SyncRuntime):
            sock.settimeout(call.options.read_timeout)
            try:
                self._read += sock.recv(65536)
            except TimeoutError:
                raise ReadTimeoutError("silence") from None
        else:
            sock.setblocking(False)
            self._read += await asyncio.get_running_loop().sock_recv(sock, 65536)

    async def close(self) -> None:
        if self._socket is not None:
            self._socket.close()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
FIRST = HEAD + b"he" + answer(b"the answer to another call").ljust(98)  # which is what a body may look like


@pytest.mark.subjects(ours=Urllib3Transport, persevering=Persevering)
@COLOUR
@pytest.mark.parametrize("sent", [0, 10, len(HEAD), len(HEAD) + 2], ids=["nothing", "part of the head", "head", "part"])
def test_s45_what_comes_late_is_no_answer_to_the_next_call(subject: Any, sent: int, colour: str, serve: Serve) -> None:
    begun, given_up = threading.Event(), threading.Event()

    def late(peer: Peer) -> None:
        peer.request()
        peer.send(FIRST[:sent])
        peer.settle()
        begun.set()
        peer.wait(given_up)
        peer.send(FIRST[sent:])
        ECHO(peer)

    def wait_in_vain() -> None:
        with pytest.raises(ReadTimeoutError):
            api.client.with_options(read_timeout=0.05).ask(asked(1, server.url))

    async def cancel() -> None:
        first = asyncio.ensure_future(api.client.ask(asked(1, server.url)))
        await asyncio.to_thread(begun.wait, GUARD)
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first

    server = serve(late, ECHO)
    with Both(colour, Anything, server.url, subject()) as api:
        wait_in_vain() if colour == "sync" else api.get(cancel())
        given_up.set()
        got = [api.get(api.client.ask(asked(number, server.url))).content.decode().strip() for number in (2, 3)]

    assert got == ["/2", "/3"]
