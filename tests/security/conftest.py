"""What the security tests share: clients of both colours, canaries and their forms, and the proof that a test can fail.

A check that cannot fail is a defect. So a test that is named after a row of the contract, `test_s01_…`, says what it
checks, and what is broken on purpose:

    @pytest.mark.subjects(ours=Redirects(), naive=Naive())
    def test_s01_…(subject: Any, …) -> None: ...

It runs once for each `subject`. With `ours` it must pass; with any other it must fail, by an assertion or by
a `pytest.raises` that nothing satisfies, and if it does not, the suite fails. A test of a row without a broken subject
is an error when tests are collected.
"""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Generator, Iterable, Iterator
from ssl import PROTOCOL_TLS_SERVER, SSLContext, create_default_context
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import trustme

from jackfield import AsyncClient, Client, Request, Response, Service, Transport, Urllib3Transport, operation

if TYPE_CHECKING:
    from tests.servers import ScriptedServer

CANARY = "hunter2-canary"
HARMLESS = {"accept-encoding", "connection", "content-length", "host", "user-agent"}  # what the transport sends anyway
_is_row = re.compile(r"test_s\d\d_").match


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "subjects(ours=…, broken=…): what a security test checks, and must fail on")
    config.addinivalue_line("markers", "broken: this subject must make the test fail")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marked = metafunc.definition.get_closest_marker("subjects")
    subjects: dict[str, Any] = dict(marked.kwargs) if marked else {}
    if subjects:
        broken = [name for name in subjects if name != "ours"]
        cases = [pytest.param(subjects[name], id=f"broken-{name}", marks=pytest.mark.broken) for name in broken]
        metafunc.parametrize("subject", [pytest.param(subjects["ours"], id="ours"), *cases])
    if _is_row(metafunc.function.__name__) and len(subjects) < 2:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: show that it can fail, with @pytest.mark.subjects")


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    if pyfuncitem.get_closest_marker("broken") is None:
        return (yield)
    try:
        yield
    except (AssertionError, pytest.fail.Exception):
        return True
    raise AssertionError("this test does not see that its subject is broken")


class Core(Service):
    @operation
    async def ask(self, /, **parts: Any) -> Response:
        """The answer to one request; `path` is a segment of the service's URL, `url` another one."""
        path = parts.pop("path", "r")
        return await self.send(Request(parts.pop("method", "GET"), parts.pop("url", None) or self.url(path), **parts))


class Caller:
    """Makes a client for one request, and closes it."""

    def __init__(self, base: type[Client] | type[AsyncClient], trusting: SSLContext) -> None:
        self._kind: Any = type("Api", (Core, base), {})
        self._is_sync = base is Client
        self._trusting = trusting

    def ask(
        self,
        base_url: str,
        plugins: Iterable[object] = (),
        usual: Iterable[tuple[str, str]] = (),
        transport: Transport | None = None,
        **parts: Any,
    ) -> Response:
        """The answer; `usual` are the client's headers, `parts` are the request's."""
        used = transport or Urllib3Transport(ssl_context=self._trusting)
        client: Any = self._kind(base_url, plugins=plugins, headers=usual, transport=used, timeout=10)
        try:
            answered = _plainly(client, parts) if self._is_sync else asyncio.run(_asked(client, parts))
        finally:
            asyncio.run(used.close())
        return answered


def _plainly(client: Any, parts: dict[str, Any]) -> Response:
    with client:
        answer: Response = client.ask(**parts)
    return answer


async def _asked(client: Any, parts: dict[str, Any]) -> Response:
    async with client:
        answer: Response = await client.ask(**parts)
    return answer


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def tls(authority: trustme.CA) -> SSLContext:
    """What a loopback server over TLS shows."""
    context = SSLContext(PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)  # pyright: ignore[reportUnknownMemberType] - pyOpenSSL, not here
    return context


@pytest.fixture(scope="session", params=[Client, AsyncClient], ids=["sync", "async"])
def caller(request: pytest.FixtureRequest, authority: trustme.CA) -> Caller:
    """`caller.ask(base_url, plugins, headers, path="r", …)` makes a client for one request; it trusts the authority."""
    trusting = create_default_context()
    authority.configure_trust(trusting)  # pyright: ignore[reportUnknownMemberType] - pyOpenSSL, not here
    return Caller(request.param, trusting)


def shapes(secret: str) -> Iterator[str]:
    """The secret as it is, and as somebody may have written it."""
    for text in (secret, f"{secret}:{secret}", f"{secret}:", f":{secret}"):
        octets = text.encode()
        yield from (text, quote(text, safe=""), octets.hex(), b64encode(octets).decode().rstrip("="))
        yield urlsafe_b64encode(octets).decode().rstrip("=")


def _leaks(server: ScriptedServer) -> list[str]:
    """What a server received that it must not: a canary in any form, or a header that may be a credential."""
    octets = b"".join(request.head + request.body for request in server.requests).decode("latin-1")
    names = {name for request in server.requests for name, _ in request.headers}
    return sorted({shape for shape in shapes(CANARY) if shape in octets} | (names - HARMLESS))


@pytest.fixture(scope="session")
def leaks() -> Callable[[ScriptedServer], list[str]]:
    """`leaks(server)`: what came there that must stay with the service; empty where all is well."""
    return _leaks


@pytest.fixture(scope="session")
def canary() -> str:
    """A credential that is seen wherever it goes."""
    return CANARY
