"""S41 and S42: every attempt is signed afresh, over the bytes that are sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.made import get

from jackfield import (
    AsyncClient,
    Call,
    Client,
    ForbiddenError,
    Headers,
    Proceed,
    Request,
    Response,
    Service,
    Stage,
    Step,
    StreamBody,
    UsageError,
    hookimpl,
    operation,
)
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime
from jackfield_plugins.retry import Retry
from jackfield_plugins.signing import (
    STANDARD_WEBHOOKS,
    AwsCredentials,
    HmacKey,
    HmacSigning,
    HmacVerifier,
    Message,
    MessageSigning,
    MessageVerifier,
    OAuth1,
    SigV4,
)

if TYPE_CHECKING:
    from tests.servers import Peer, Serve

KEY = "whsec_aHVudGVyMi1jYW5hcnk="
SIGNERS: dict[str, Callable[[], Any]] = {
    "hmac": lambda: HmacSigning(STANDARD_WEBHOOKS, KEY),
    "aws": lambda: SigV4(AwsCredentials("AKID", "secret"), "us-east-1", "service"),
    "oauth 1": lambda: OAuth1("key", "secret", "token", "secret"),
    "message signatures": lambda: MessageSigning(HmacKey("secret"), key_id="mine", nonce=True),
}
SIGNATURES = ("authorization", "webhook-signature", "signature")


class Core(Service):
    @operation
    async def put(self, segment: str, query: Any = (), headers: Any = (), body: bytes | StreamBody = b"body") -> int:
        request = Request("PUT", self.url(segment), query=query, headers=headers, body=body)
        return (await self.send(request)).status


class Api(Core, Client): ...


class AsyncApi(Core, AsyncClient): ...


class Lazy:
    """Broken on purpose: signs the first attempt, and sends that signature with every other."""

    name = "signing"

    def __init__(self, signer: Any) -> None:
        (self._step,) = signer.jackfield_steps()
        self._headers: Headers | None = None

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.SIGN, self.run)]

    async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        async def once(signed: Request, call: Call) -> Response:
            self._headers = self._headers or signed.headers
            return await proceed(signed.with_headers(self._headers), call)

        response: Response = await self._step.run(request, call, once)
        return response


def itself(signer: Any) -> Any:
    return signer


@pytest.mark.subjects(ours=itself, lazy=Lazy)
@pytest.mark.parametrize("kind", [Api, AsyncApi], ids=["sync", "async"])
@pytest.mark.parametrize("scheme", SIGNERS)
def test_s41_every_attempt_is_signed_afresh_and_sends_the_whole_body(subject: Any, scheme: str, kind: Any) -> None:
    def answer(request: Request) -> Response:
        sent.append(b"".join(request.body) if isinstance(request.body, StreamBody) else request.body)
        runtime.elapsed += 2
        return Response(503 if len(sent) < 3 else 200)

    sent: list[bytes] = []
    runtime: Any = VirtualSyncRuntime() if kind is Api else VirtualAsyncioRuntime()
    transport = FakeTransport(otherwise=answer)
    client = kind("https://h", transport=transport, runtime=runtime, plugins=[subject(SIGNERS[scheme]()), Retry()])

    assert get(client.put("thing", body=StreamBody(lambda: [b"bo", b"dy"]))) == 200

    signatures = [[r.headers[name] for name in SIGNATURES if name in r.headers] for r in transport.requests]
    assert len(set(map(tuple, signatures))) == 3
    assert all(len(request.headers.get_all("authorization")) <= 1 for request in transport.requests)
    assert sent == [b"body"] * 3
    for request in transport.requests:
        verify(scheme, request, b"body", runtime.now())


def verify(scheme: str, request: Request, body: bytes, now: float) -> None:
    """What the service does, where we have its side; SigV4 and OAuth 1 have tests of their own."""
    message = Message.of(request)
    if scheme == "hmac":
        HmacVerifier(STANDARD_WEBHOOKS, KEY).check(message, body, now)
    elif scheme == "message signatures":
        MessageVerifier({"mine": HmacKey("secret")}).check(message, body, now)


@pytest.mark.parametrize("kind", [Api, AsyncApi], ids=["sync", "async"])
@pytest.mark.parametrize("scheme", ["hmac", "aws", "message signatures"])
def test_a_body_that_can_be_read_once_is_refused_before_anything_is_sent(scheme: str, kind: Any) -> None:
    transport = FakeTransport()
    client = kind("https://h", transport=transport, plugins=[SIGNERS[scheme]()])

    with pytest.raises(UsageError, match="read once only"):
        get(client.put("thing", body=StreamBody.once([b"body"])))
    assert transport.requests == []


SKEW = 3600.0


@pytest.mark.subjects(ours=itself, lazy=Lazy)
@pytest.mark.parametrize("kind", [Api, AsyncApi], ids=["sync", "async"])
@pytest.mark.parametrize("forgives", [True, False], ids=["it was the clock", "it was not"])
def test_s41_a_clock_that_is_wrong_is_corrected_once(subject: Any, forgives: bool, kind: Any) -> None:
    def answer(request: Request) -> Response:
        dates.append(request.headers["x-amz-date"])
        if forgives and len(dates) > 1:
            return Response(200)
        return Response(403, {"date": formatdate(runtime.now() + SKEW, usegmt=True)})

    dates: list[str] = []
    runtime: Any = VirtualSyncRuntime() if kind is Api else VirtualAsyncioRuntime()
    plugins = [subject(SIGNERS["aws"]()), Retry()]
    client = kind("https://h", transport=FakeTransport(otherwise=answer), runtime=runtime, plugins=plugins)

    try:
        assert get(client.put("thing")) == 200
    except ForbiddenError:
        assert not forgives

    told = [datetime.strptime(date, "%Y%m%dT%H%M%S%z").timestamp() for date in dates]
    assert len(told) == 2
    assert told[1] - told[0] == pytest.approx(SKEW, abs=1)


def predictable(runtime: Any) -> Any:
    """Broken on purpose: what nobody should foretell, is always the same."""
    runtime.token_bytes = bytes
    return runtime


@pytest.mark.subjects(ours=itself, predictable=predictable)
@pytest.mark.parametrize("kind", [Api, AsyncApi], ids=["sync", "async"])
@pytest.mark.parametrize("scheme", ["hmac", "oauth 1", "message signatures"])  # SigV4 has no nonce
def test_s42_equal_calls_at_one_instant_have_nonces_of_their_own(subject: Any, scheme: str, kind: Any) -> None:
    transport = FakeTransport(otherwise=Response(200))
    runtime = subject(VirtualSyncRuntime() if kind is Api else VirtualAsyncioRuntime())
    client = kind("https://h", transport=transport, runtime=runtime, plugins=[SIGNERS[scheme]()])

    for _ in range(100):
        get(client.put("thing"))

    assert runtime.elapsed == 0
    signed = [tuple(r.headers[name] for name in SIGNATURES if name in r.headers) for r in transport.requests]
    assert len(set(signed)) == 100


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUE = st.from_regex(r"[!-~]([ -~]{0,8}[!-~])?", fullmatch=True)
REQUESTS = st.tuples(
    TEXT.filter(lambda text: text not in ("", ".", "..")),
    st.lists(st.tuples(TEXT, TEXT), max_size=3),
    st.lists(st.tuples(st.sampled_from(["x-a", "x-b", "X-A"]), VALUE), max_size=3),
    st.binary(max_size=40),
)


def as_received(line: str, headers: list[tuple[str, str]], origin: str) -> Message:
    method, target, _ = line.split(" ")
    return Message.received(method, origin + target, Headers.received(headers))


def as_a_proxy_rewrites(line: str, headers: list[tuple[str, str]], origin: str) -> Message:
    """Broken on purpose: what a transport would have sent that normalises paths."""
    method, target, _ = line.split(" ")
    return Message.received(method, origin + target.lower() + "/", Headers.received(headers))


@pytest.mark.subjects(ours=as_received, rewriting=as_a_proxy_rewrites)
@pytest.mark.parametrize("kind", [Api, AsyncApi], ids=["sync", "async"])
def test_s42_what_a_server_reads_off_the_wire_is_what_was_signed(subject: Any, kind: Any, serve: Serve) -> None:
    def script(peer: Peer) -> None:
        for _ in peer.requests():
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    server = serve(script)
    covered = ("@method", "@target-uri", "@authority", "@path", "@query", "host")
    signing = MessageSigning(
        HmacKey("secret"), key_id="mine", components=covered, if_present=("x-a", "x-b"), nonce=True
    )
    verifier = MessageVerifier({"mine": HmacKey("secret")}, required=covered)

    @given(st.lists(REQUESTS, min_size=10, max_size=10))  # 500 in all
    @settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.generate])
    def check(requests: list[Any]) -> None:
        seen = len(server.requests)
        if kind is Api:
            with Api(server.url, plugins=[signing]) as client:
                for request in requests:
                    client.put(*request)
        else:
            asyncio.run(send(requests))
        assert len(server.requests) == seen + len(requests)
        for received, request in zip(server.requests[seen:], requests, strict=True):
            verifier.check(subject(received.line, received.headers, server.url), request[3])

    async def send(requests: list[Any]) -> None:
        async with AsyncApi(server.url, plugins=[signing]) as client:
            for request in requests:
                await client.put(*request)

    try:
        check()
    except Exception as error:
        raise AssertionError("what was received does not verify") from error
