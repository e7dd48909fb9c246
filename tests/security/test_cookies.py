"""S36: there is no cookie jar. What a service sets is not kept, and goes nowhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest
from tests.both import Both
from tests.clients import COLOURS, Anything

from jackfield import Call, JackfieldError, Proceed, Request, Response, Stage, Step, Url, hookimpl
from jackfield_plugins.auth import Digest
from jackfield_plugins.retry import Retry

if TYPE_CHECKING:
    from tests.servers import Script, Serve

CHALLENGE = 'WWW-Authenticate: Digest realm="r", qop="auth", algorithm=SHA-256, nonce="n"'
COOKIES = [
    "session=hunter2-canary",
    "session=hunter2-canary; Path=/; HttpOnly; SameSite=Lax",
    "session=hunter2-canary; Domain=127.0.0.1; Max-Age=99999999999999999999",
    "session=hunter2-canary; Domain=com",
    "session=hunter2-canary; Secure",
    "__Host-session=hunter2-canary; Path=/; Secure",
    "session=hunter2-canary; Path=/other",
    "session=hunter2-canary; Expires=Fri, 31 Dec 9999 23:59:59 GMT",
]


class Jar:
    """Broken on purpose: keeps what it is given, and gives it to everybody."""

    name = "jar"

    def __init__(self) -> None:
        self._kept: list[str] = []

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.LIMIT, self.run)]

    async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        if self._kept:
            request = request.with_headers(request.headers.replacing("cookie", "; ".join(self._kept)))
        response = await proceed(request, call)
        self._kept += [field.partition(";")[0] for field in response.headers.get_all("set-cookie")]
        return response


def nothing() -> list[object]:
    return []


def a_jar() -> list[object]:
    return [Jar()]


def answering(*heads: tuple[int, str]) -> Script:
    """Answers with these statuses and fields, one after the other, and each time with every cookie."""

    def script(peer: Any) -> None:
        for number, _ in enumerate(peer.requests()):
            status, field = heads[min(number, len(heads) - 1)]
            lines = [f"HTTP/1.1 {status} X", "Content-Length: 0", field, *(f"Set-Cookie: {text}" for text in COOKIES)]
            peer.send("".join(f"{line}\r\n" for line in lines if line).encode() + b"\r\n")

    return script


def get(url: str, **parts: Any) -> Request:
    return Request("GET", Url.parse(f"{url}/x"), **parts)


@pytest.mark.subjects(ours=nothing, jar=a_jar)
@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(
    "heads",
    [
        [(200, "")],
        [(302, "Location: /y"), (200, "")],
        [(401, CHALLENGE), (200, "")],
        [(503, "Retry-After: 0"), (200, "")],
        [(404, "")],
        [(500, "")],
    ],
    ids=["a success", "a redirect", "a challenge", "another attempt", "a refusal", "a failure"],
)
def test_s36_what_a_service_sets_is_not_sent_again(
    subject: Any, heads: list[tuple[int, str]], colour: str, serve: Serve
) -> None:
    server, other = serve(answering(*heads)), serve(answering((200, "")))
    plugins = [*subject(), Digest("user", "password"), Retry(base=0.001)]

    with Both(colour, Anything, server.url, plugins=plugins) as api:
        for url in (server.url, server.url, other.url):
            try:
                api.get(api.client.ask(get(url)))
            except JackfieldError:
                assert heads[-1][0] >= 400

    received = [*server.requests, *other.requests]
    assert len(received) == 3 + (len(heads) - 1)
    assert [request.get_all("cookie") for request in received] == [[] for _ in received]


@pytest.mark.subjects(ours=nothing, jar=a_jar)
@pytest.mark.parametrize("colour", COLOURS)
def test_s36_a_cookie_of_the_callers_own_is_sent_once_and_as_it_is(subject: Any, colour: str, serve: Serve) -> None:
    server = serve(answering((200, "")))

    with Both(colour, Anything, server.url, plugins=subject()) as api:
        for headers in ({}, {"Cookie": "mine=1; also=2"}, {}):
            api.get(api.client.ask(get(server.url, headers=headers)))

    assert [request.get_all("cookie") for request in server.requests] == [[], ["mine=1; also=2"], []]
