"""S32: no credential shows anywhere: every scheme, both colours, over real sockets, whatever the service does."""

from __future__ import annotations

import asyncio
import logging
import pickle
import traceback
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from msgspec.json import encode
from tests.made import get

from jackfield import (
    AsyncClient,
    Call,
    Client,
    Event,
    JackfieldError,
    Request,
    Response,
    Secret,
    Service,
    StreamBody,
    Urllib3Transport,
    hookimpl,
    operation,
)
from jackfield_plugins.auth import (
    ApiKey,
    Basic,
    Bearer,
    ClientSecretBasic,
    ClientSecretPost,
    Digest,
    FileTokenStore,
    Grant,
    JwtAssertion,
    OAuth2,
    PrivateKeyJwt,
    Token,
)
from jackfield_plugins.signing import (
    STANDARD_WEBHOOKS,
    AwsCredentials,
    HmacKey,
    HmacSigning,
    MessageSigning,
    OAuth1,
    SigV4,
)

if TYPE_CHECKING:
    from tests.servers import Peer, Script, Serve

CANARY = "hunter2-canary"
TOKEN = "granted-canary"  # what the token endpoint gives
WEBHOOK_KEY = "whsec_" + b64encode(CANARY.encode()).decode()
HS_KEY = "never-sent-canary-of-thirty-two-bytes"


def _assertion() -> JwtAssertion:
    return JwtAssertion(HS_KEY, issuer="id", subject="id", audience="https://login.example.test", algorithm="HS256")


SCHEMES: dict[str, Callable[[str, Any], object]] = {
    "basic": lambda url, folder: Basic("ada", CANARY),
    "bearer": lambda url, folder: Bearer(CANARY),
    "api key in a header": lambda url, folder: ApiKey(CANARY, header="X-API-Key"),
    "api key in the query": lambda url, folder: ApiKey(CANARY, query="api_key"),
    "api key in a cookie": lambda url, folder: ApiKey(CANARY, cookie="session"),
    "digest": lambda url, folder: Digest("ada", CANARY),
    "client credentials": lambda url, folder: OAuth2(
        url, Grant.client_credentials(), client=ClientSecretBasic("id", CANARY)
    ),
    "password": lambda url, folder: OAuth2(
        url, Grant.password("ada", CANARY), client=ClientSecretPost("id", CANARY), store=FileTokenStore(folder)
    ),
    "refresh token": lambda url, folder: OAuth2(url, Grant.refresh_token(CANARY)),
    "a token to begin with": lambda url, folder: OAuth2(
        url, token=Token(Secret(CANARY), expires_at=1.0, refresh_token=Secret(CANARY))
    ),
    "authorization code": lambda url, folder: OAuth2(
        url, Grant.authorization_code(CANARY, "https://app.example.test/", CANARY)
    ),
    "jwt bearer": lambda url, folder: OAuth2(
        url, Grant.jwt_bearer(_assertion()), client=PrivateKeyJwt("id", _assertion())
    ),
    "a custom grant": lambda url, folder: OAuth2(
        url, Grant({"grant_type": "robot_credentials", "id": "r2", "secret": Secret(CANARY)}), as_json=True
    ),
    "hmac": lambda url, folder: HmacSigning(STANDARD_WEBHOOKS, WEBHOOK_KEY),
    "aws": lambda url, folder: SigV4(AwsCredentials("AKID", CANARY, CANARY), "us-east-1", "service"),
    "oauth 1": lambda url, folder: OAuth1("key", CANARY, "token", CANARY),
    "message signatures": lambda url, folder: MessageSigning(HmacKey(CANARY), key_id="mine"),
}


def shapes(secret: str) -> Iterator[str]:
    """The secret as it is, and as somebody may have written it."""
    for text in (secret, f"ada:{secret}", f"id:{secret}"):
        octets = text.encode()
        yield from (text, quote(text, safe=""), octets.hex(), b64encode(octets).decode())
        yield urlsafe_b64encode(octets).decode().rstrip("=")


SHAPES = {shape for secret in (CANARY, TOKEN, HS_KEY) for shape in shapes(secret)}


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers))
    return head.encode() + b"\r\n" + body


GRANTED = answer("200 OK", encode({"access_token": TOKEN, "refresh_token": TOKEN + "-refresh", "expires_in": 60}))
NOBODY = "nobody is there"
REPEATED = f"{CANARY} {TOKEN} {HS_KEY}"
REFUSED = b"with a description that repeats what was sent"
CHALLENGE = 'WWW-Authenticate: Digest realm="r", qop="auth", algorithm=SHA-256, nonce="n", Bearer'
# What the token endpoint answers, and what the API does; None cuts the connection, "" is silence.
WORLDS: dict[str, tuple[bytes | None, bytes | None]] = {
    "all is well": (GRANTED, answer("200 OK")),
    "credentials are refused": (GRANTED, answer("401 No", REPEATED.encode(), CHALLENGE)),
    "the service repeats them": (GRANTED, answer("500 No", REPEATED.encode(), f"X-Echo: {REPEATED}")),
    "the answer is garbage": (GRANTED, f"{REPEATED}\r\n\r\n".encode()),
    "the connection is cut": (GRANTED, None),
    "the service is silent": (GRANTED, b""),
    "the token endpoint is silent": (b"", answer("200 OK")),
    "the service is somewhere else": (GRANTED, answer("302 No", b"", f"Location: http://127.0.0.1:9/?token={CANARY}")),
    "the service is nowhere": (GRANTED, answer("302 No", b"", f"Location: http://ada:{CANARY}@127.0.0.1:9/{CANARY}")),
    "the service is of another scheme": (GRANTED, answer("307 No", b"", f"Location: ftp://127.0.0.1/{CANARY}")),
    NOBODY: (GRANTED, answer("200 OK")),
    "the token is refused": (REFUSED, answer("200 OK")),
    "the token endpoint fails": (answer("500 No", REPEATED.encode()), answer("200 OK")),
    "the token cannot be read": (answer("200 OK", REPEATED.encode()), answer("200 OK")),
    "the token endpoint is cut": (None, answer("200 OK")),
}


def script(token: bytes | None, api: bytes | None) -> Script:
    def serve(peer: Peer) -> None:
        for request in peer.requests():
            sent = token if request.target.startswith("/token") else api
            if sent == REFUSED:
                said = f"{request.get_all('authorization')} {request.body.decode()}"
                sent = answer("400 No", encode({"error": "invalid_grant", "error_description": said}))
            if sent is None:
                peer.reset()
                return
            if not sent:
                peer.drain()
            peer.send(sent)

    return serve


class Core(Service):
    @operation
    async def thing(self, name: str = "thing", body: bytes | StreamBody = b"body") -> int:
        return (await self.send(Request("POST", self.url(name), body=body))).status


class Api(Core, Client): ...


class AsyncApi(Core, AsyncClient): ...


class Watch:
    name = "watch"

    def __init__(self) -> None:
        self.events: list[Event] = []

    @hookimpl
    def jackfield_observer(self) -> Callable[[Event], None]:
        return self.events.append


def held(thing: object, seen: set[int]) -> Iterator[str]:
    """Every string that is reachable from a thing, other than through a Secret."""
    if id(thing) in seen or isinstance(thing, Secret | type) or callable(thing):
        return
    seen.add(id(thing))
    if isinstance(thing, str | bytes):
        yield thing if isinstance(thing, str) else thing.decode("latin-1")
    parts: list[Any] = [getattr(thing, name, None) for kind in type(thing).__mro__ for name in slots(kind)]
    parts += vars(thing).values() if hasattr(thing, "__dict__") else []
    if isinstance(thing, dict):
        parts += [*thing.keys(), *thing.values()]
    elif isinstance(thing, list | tuple | set | frozenset):
        parts += thing
    for part in parts:
        yield from held(part, seen)


def slots(kind: type) -> tuple[str, ...]:
    found: str | tuple[str, ...] = kind.__dict__.get("__slots__", ())
    return (found,) if isinstance(found, str) else tuple(found)


def told(error: BaseException) -> str:
    """All that anybody may print of an error, its causes and contexts among it."""
    chain: list[BaseException | None] = [error]
    while (last := chain[-1]) is not None:
        chain.append(last.__cause__ or last.__context__)
    shown = [f"{one!s} {one!r} {getattr(one, '__notes__', '')}" for one in chain]
    return "\n".join([*shown, *traceback.format_exception(error)])


class Talkative(Urllib3Transport):
    """Broken on purpose: logs what it sends."""

    async def send(self, request: Request, call: Call) -> Response:
        logging.getLogger("talkative").debug("%s %s %s", request.target, request.headers.pairs(), request.body)
        return await super().send(request, call)


# What is never sent even that one cannot log.
SILENT = ("digest", "hmac", "message signatures", "oauth 1")


@pytest.mark.subjects(ours=Urllib3Transport, talkative=Talkative)
@pytest.mark.parametrize("kind", [Api, AsyncApi], ids=["sync", "async"])
@pytest.mark.parametrize("scheme", [scheme for scheme in SCHEMES if scheme not in SILENT])
def test_s32_no_credential_shows_whatever_the_service_does(
    subject: Any, scheme: str, kind: Any, serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    check_sight(subject, scheme, kind, serve, tmp_path, caplog)


@pytest.mark.parametrize("kind", [Api, AsyncApi], ids=["sync", "async"])
@pytest.mark.parametrize("scheme", SILENT)
def test_nor_does_a_key_that_is_not_sent(
    scheme: str, kind: Any, serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    check_sight(Urllib3Transport, scheme, kind, serve, tmp_path, caplog)


def check_sight(
    make: Any, scheme: str, kind: Any, serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for world, (token, api) in WORLDS.items():
        server, watch = serve(script(token, api)), Watch()
        auth = SCHEMES[scheme](f"{server.url}/token", tmp_path / "tokens")
        transport = make()
        url = "http://127.0.0.1:9" if world == NOBODY else server.url
        patience = 0.05 if b"" in (token, api) else 10.0
        client: Any = kind(url, plugins=[auth, watch], transport=transport, read_timeout=patience)

        shown = [repr(client), str(client.chain), repr(auth), str(auth)]
        try:
            get(client.thing())
        except JackfieldError as error:
            shown.append(told(error))
            if error.__class__.__name__ != "ServiceError" and not getattr(error, "response", None):
                shown.append(pickle.dumps(error).decode("latin-1"))
        explained = get(client.thing.explain())
        shown += [str(explained), repr(explained), repr(watch.events)]
        get((client.close if kind is Api else client.aclose)())
        asyncio.run(transport.close())

        found = {shape for shape in SHAPES for text in (*shown, caplog.text) if shape in text}
        assert not found, f"{world}: {found}"
        assert server.requests or world == NOBODY or patience < 1


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_credential_lies_open_in_an_object(scheme: str, tmp_path: Path) -> None:
    auth = SCHEMES[scheme]("https://login.example.test/token", tmp_path / "tokens")

    assert [text for text in held(auth, set()) if any(shape in text for shape in SHAPES)] == []
    with pytest.raises((TypeError, AttributeError)):  # of a Secret, or of a function that keeps one
        pickle.dumps(auth)


BROKEN = f"{CANARY}\r\nx-evil: 1"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Basic("ada", BROKEN),
        lambda: Bearer(BROKEN),
        lambda: ApiKey(BROKEN, header="X-API-Key"),
        lambda: ApiKey(BROKEN, cookie="session"),
        lambda: AwsCredentials("AKID", BROKEN, BROKEN),
        lambda: HmacSigning(STANDARD_WEBHOOKS, BROKEN),
        lambda: JwtAssertion(BROKEN, issuer="id", subject="id", audience="x", algorithm="RS256"),
        lambda: ClientSecretBasic(BROKEN, "s"),
        lambda: Grant({"grant_type": "x", "secret": [CANARY]}),  # type: ignore[dict-item]
    ],
)
def test_credentials_that_cannot_be_sent_are_refused_and_not_repeated(make: Callable[[], object]) -> None:
    with pytest.raises(JackfieldError) as caught:
        make()

    assert not [shape for shape in SHAPES if shape in told(caught.value).split("Traceback")[0]]
