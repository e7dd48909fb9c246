"""S45: many callers of many identities on one client: each gets its own answer, with its own credential."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.both import Both
from tests.clients import AnythingClient, AsyncAnythingClient

from jackfield import Call, JackfieldError, Proceed, Request, Response, Stage, Step, Url, Urllib3Transport, hookimpl
from jackfield_plugins.auth import ApiKey, Basic, Bearer, ClientSecretBasic, Digest, Grant, OAuth2

if TYPE_CHECKING:
    from tests.servers import Peer, ReceivedRequest, Script, Serve

IDENTITIES = 20
THREADS, TASKS, CALLS = 50, 500, 2000


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


def mixed_up(answers: Iterable[tuple[int, Response]]) -> list[str]:
    """Answers that are not what was asked for."""
    found = ((f"/{number} Bearer {token(number)}", answer.content.decode()) for number, answer in answers)
    return [f"{got}, not {wanted}" for wanted, got in found if got != wanted]


SUBJECTS = pytest.mark.subjects(
    ours=(Bearer, Urllib3Transport), shared=(Shared, Urllib3Transport), late=(Bearer, Late)
)


@SUBJECTS
def test_s45_threads_of_many_identities_do_not_get_into_each_others_way(subject: Any, serve: Serve) -> None:
    auth, transport = subject
    server = serve(ECHO)

    with (
        AnythingClient(server.url, plugins=[auth("nobody")], transport=transport(max_connections=16)) as client,
        ThreadPoolExecutor(THREADS) as threads,
    ):
        views = [client.with_options(auth=auth(token(number))) for number in range(IDENTITIES)]
        ask = [view.ask for view in views]
        answers = threads.map(lambda n: (n, ask[n % IDENTITIES](asked(n, server.url))), range(CALLS))
        assert mixed_up(answers) == []
        asyncio.run(client._wiring.transport.close())

    assert len(server.requests) == CALLS


@SUBJECTS
def test_s45_tasks_of_many_identities_do_not_get_into_each_others_way(subject: Any, serve: Serve) -> None:
    auth, transport = subject
    server = serve(ECHO)

    async def main() -> list[tuple[int, Response]]:
        used = transport(max_connections=16)
        async with AsyncAnythingClient(server.url, plugins=[auth("nobody")], transport=used) as client:
            views = [client.with_options(auth=auth(token(number))) for number in range(IDENTITIES)]
            answers: list[tuple[int, Response]] = []

            async def caller(first: int) -> None:
                for n in range(first, CALLS, TASKS):
                    answers.append((n, await views[n % IDENTITIES].ask(asked(n, server.url))))

            await asyncio.gather(*(caller(first) for first in range(TASKS)))
            await used.close()
            return answers

    assert mixed_up(asyncio.run(main())) == []
    assert len(server.requests) == CALLS


# --- what learns from the service, and so has something to mix up


def challenging(request: ReceivedRequest) -> bytes:
    given = "".join(request.get_all("authorization"))
    challenge = 'WWW-Authenticate: Digest realm="r", qop="auth", algorithm=SHA-256, nonce="n"'
    return answer(f"{request.target} {given}".encode()) if given else answer(b"", 401, challenge)


@pytest.mark.subjects(ours=Digest, shared=lambda user, password: Shared(user))
@pytest.mark.parametrize("colour", ["sync", "async"])
def test_s45_challenges_are_answered_for_whom_they_met(subject: Any, colour: str, serve: Serve) -> None:
    server = serve(answering(challenging))

    with many(colour, server.url, lambda number: subject(token(number), "password")) as answers:
        wrong = [
            (number, content) for number, content in answers if f'username="{token(number)}"' not in content.decode()
        ]

    assert wrong == []


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
@pytest.mark.parametrize("colour", ["sync", "async"])
def test_s45_all_together_ask_for_one_token(subject: Any, colour: str, serve: Serve) -> None:
    server = serve(answering(granting))
    plugin = subject(f"{server.url}/token")

    with many(colour, server.url, lambda number: plugin) as answers:
        assert len(answers) == 200

    assert [request.target for request in server.requests].count("/token") == 1


@contextmanager
def many(colour: str, url: str, auth: Callable[[int], Any]) -> Iterator[list[tuple[int, bytes]]]:
    """The answers to 200 calls of so many identities at one time."""

    async def together(client: Any) -> list[Any]:
        views = [client.with_options(auth=auth(number)) for number in range(IDENTITIES)]
        return await asyncio.gather(*(views[n % IDENTITIES].ask(asked(n, url)) for n in range(200)))

    def in_threads(client: Any) -> list[Any]:
        views = [client.with_options(auth=auth(number)) for number in range(IDENTITIES)]
        with ThreadPoolExecutor(THREADS) as threads:
            return list(threads.map(lambda n: views[n % IDENTITIES].ask(asked(n, url)), range(200)))

    with Both(colour, AnythingClient.__mro__[1], url, plugins=[auth(0)]) as api:
        found = in_threads(api.client) if colour == "sync" else api.get(together(api.client))
        yield [(number, answer.content) for number, answer in enumerate(found)]
