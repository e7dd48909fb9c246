"""S01 to S08: where a service points, and what goes there. The servers are real, on the loopback."""

from __future__ import annotations

import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterable
from pathlib import Path
from ssl import SSLContext
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from jackfield import (
    Call,
    Headers,
    JackfieldError,
    Origin,
    Proceed,
    Pure,
    RedirectError,
    Redirects,
    Request,
    Response,
    Stage,
    Step,
    Url,
    UsageError,
    hookimpl,
)
from jackfield._reference import resolve
from jackfield.testing import FakeTransport
from jackfield_plugins.auth import ApiKey, Basic, Bearer, ClientSecretBasic, Digest, Grant, OAuth2
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
    from tests.security.conftest import Caller
    from tests.servers import ReceivedRequest, Script, ScriptedServer, Serve
    from tests.stalls import Stalls

Leaks = Callable[["ScriptedServer"], list[str]]
CANARY = "hunter2-canary"
CODES = [301, 302, 303, 307, 308]


# --- what is broken on purpose


class Follower:
    """What the broken ones share."""

    name = "redirect"

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.REDIRECT, self.run)]

    async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        response = await proceed(request, call)
        for _ in range(60):
            if "location" not in response.headers:
                break
            request = self.following(request, response, call)
            response = await proceed(request, call)
        return response

    def following(self, request: Request, response: Response, call: Call) -> Request:
        raise NotImplementedError


class Naive(Follower):
    """Goes wherever it is sent with all it has, and every origin is the service's: as if no plugin looked at it."""

    def following(self, request: Request, response: Response, call: Call) -> Request:
        following = resolve(request, response.headers["location"]).on(request)
        call.origin = following.url.origin
        return following


class Timid(Follower):
    """Takes every redirect for one to another origin."""

    def following(self, request: Request, response: Response, call: Call) -> Request:
        call.origin = Origin("https", "elsewhere.example.test", 443)
        return resolve(request, response.headers["location"]).on(request).replace(headers=())


class Lax(Follower):
    """Makes something of whatever it is given: opens files, and sends user info as credentials."""

    async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        response = await proceed(request, call)
        parts = urlsplit(response.headers["location"])
        if parts.scheme == "file":
            return Response(200, body=Path(parts.path).read_bytes())  # noqa: ASYNC240 - it is broken in other ways, too
        if parts.username and parts.hostname and parts.port:
            url = Url.parse(f"http://{parts.hostname}:{parts.port}/")
            pair = b64encode(f"{parts.username}:{parts.password}".encode()).decode()
            return await proceed(Request("GET", url, headers={"authorization": f"Basic {pair}"}), call)
        return Response(200)


class ToGet(Follower):
    """Makes a GET of everything, and says at last that all went well."""

    def following(self, request: Request, response: Response, call: Call) -> Request:
        return resolve(request, response.headers["location"]).on(request).replace(method="GET", body=b"")


class Unbound:
    """A credential that goes to every origin, as it says it wants to."""

    name = "auth"

    @hookimpl
    def jackfield_steps(self) -> list[Pure]:
        return [Pure(self.name, Stage.AUTH, request=self.add, any_origin=True)]

    def add(self, request: Request, call: Call) -> Request:
        return request.with_headers(request.headers.replacing("authorization", f"Bearer {CANARY}"))


# --- servers, and what a client may be given

GRANTED = b'{"access_token":"%s","token_type":"Bearer","expires_in":600}' % CANARY.encode()
CHALLENGES = (
    'WWW-Authenticate: Digest realm="r", qop="auth", algorithm=SHA-256, nonce="n"',
    'WWW-Authenticate: Basic realm="r"',
    'WWW-Authenticate: Bearer realm="r"',
)


def answer(status: int, *headers: str, body: bytes = b"") -> bytes:
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers))
    return head.encode("latin-1") + b"\r\n" + body


def answering(respond: Callable[[ReceivedRequest], bytes]) -> Script:
    def script(peer: Any) -> None:
        for request in peer.requests():
            peer.send(respond(request))

    return script


def pointing(location: str, code: int = 302, *, digest: bool = False) -> Script:
    """The service: from /r it points elsewhere, at /token it gives tokens, and where Digest is used it asks for it."""

    def respond(request: ReceivedRequest) -> bytes:
        if request.target.startswith("/token"):
            return answer(200, body=GRANTED)
        if digest and not request.get_all("authorization"):
            return answer(401, CHALLENGES[0])
        at_start = request.target.partition("?")[0] == "/r"
        return answer(code, f"Location: {location}") if at_start else answer(200)

    return answering(respond)


GREEDY = answering(lambda request: answer(401, *CHALLENGES))  # the other origin: it asks for every credential
CALM = answering(lambda request: answer(200))

PLUGINS: dict[str, Callable[[str], object]] = {
    "basic": lambda url: Basic(CANARY, CANARY),
    "bearer": lambda url: Bearer(CANARY),
    "digest": lambda url: Digest(CANARY, CANARY),
    "api key header": lambda url: ApiKey(CANARY, header="X-Api-Key"),
    "api key query": lambda url: ApiKey(CANARY, query="api_key"),
    "api key cookie": lambda url: ApiKey(CANARY, cookie="session"),
    "oauth 2": lambda url: OAuth2(f"{url}/token", Grant.client_credentials(), client=ClientSecretBasic(CANARY, CANARY)),
    "hmac": lambda url: HmacSigning(STANDARD_WEBHOOKS, "whsec_" + b64encode(CANARY.encode()).decode()),
    "sigv4": lambda url: SigV4(AwsCredentials(CANARY, CANARY, CANARY), "us-east-1", "service"),
    "oauth 1": lambda url: OAuth1(CANARY, CANARY, CANARY, CANARY),
    "message signing": lambda url: MessageSigning(HmacKey(CANARY), key_id=CANARY),
}
OWN: dict[str, tuple[dict[str, str], dict[str, str]]] = {  # what a caller sets: of the client, and of the request
    "authorization of the client": ({"authorization": f"Bearer {CANARY}"}, {}),
    "AuThOrIzAtIoN of the request": ({}, {"AuThOrIzAtIoN": f"Bearer {CANARY}"}),
    "cookie of the client": ({"Cookie": f"session={CANARY}"}, {}),
    "cookie of the request": ({}, {"cookie": f"session={CANARY}"}),
    "x-api-key of the client": ({"X-Api-Key": CANARY}, {}),
    "X-API-KEY of the request": ({}, {"X-API-KEY": CANARY}),
    "any header of the request": ({}, {"x-tenant": CANARY}),
}
KINDS = [*PLUGINS, *OWN]


def ask(caller: Caller, kind: str, url: str, *plugins: object, **parts: Any) -> Response:
    """One request with this kind of credential."""
    of_client, of_request = OWN.get(kind, ({}, {}))
    auth = [PLUGINS[kind](url)] if kind in PLUGINS else []
    return caller.ask(url, [*auth, *plugins], of_client.items(), headers=of_request, **parts)


# --- the rows


@pytest.mark.subjects(ours=Redirects(), naive=Naive())
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("target", ["another port", "another host", "another scheme"])
@pytest.mark.parametrize("kind", KINDS)
def test_s01_no_credential_of_any_kind_follows_to_another_origin(
    subject: Any, kind: str, target: str, code: int, serve: Serve, tls: SSLContext, caller: Caller, leaks: Leaks
) -> None:
    other = serve(GREEDY)
    place = f"http://{'localhost' if target == 'another host' else '127.0.0.1'}:{other.port}/x"
    service = serve(pointing(place, code, digest=kind == "digest"), tls=tls if target == "another scheme" else None)

    with pytest.raises(JackfieldError):
        ask(caller, kind, service.url, subject)

    assert leaks(service) != [] or "?" in service.requests[-1].target  # there was something to leak
    assert leaks(other) == []
    assert [request.target for request in other.requests] == ([] if target == "another scheme" else ["/x"])


@pytest.mark.subjects(ours=Redirects(), naive=Naive())
@pytest.mark.parametrize("kind", ["bearer", "api key query", "x-api-key of the client"])
def test_s02_the_way_back_restores_no_credential(
    subject: Any, kind: str, serve: Serve, caller: Caller, leaks: Leaks
) -> None:
    other = serve(answering(lambda request: answer(302, f"Location: {home.url}/back")))
    home: ScriptedServer = serve(pointing(f"{other.url}/x"))

    with pytest.raises(RedirectError, match="back to the service"):
        ask(caller, kind, home.url, subject)

    assert [request.target.partition("?")[0] for request in home.requests] == ["/r"]
    assert leaks(other) == []


@pytest.mark.subjects(ours=Redirects(), timid=Timid())
@pytest.mark.parametrize("place", ["{url}/x", "x", "/x", "//127.0.0.1:{port}/x", "HTTP://127.0.0.1:{port}/x", "?x=1"])
@pytest.mark.parametrize("kind", KINDS)
def test_s03_the_same_origin_gets_the_credentials_at_every_hop(
    subject: Any, kind: str, place: str, serve: Serve, caller: Caller, leaks: Leaks
) -> None:
    def respond(request: ReceivedRequest) -> bytes:
        if request.target.startswith("/token"):
            return answer(200, body=GRANTED)
        if kind == "digest" and not request.get_all("authorization"):
            return answer(401, CHALLENGES[0])
        hops.append(request.target)
        location = place.format(url=service.url, port=service.port)
        return answer(302, f"Location: {location}") if len(hops) == 1 else answer(200)

    hops: list[str] = []
    service: ScriptedServer = serve(answering(respond))

    try:
        status = ask(caller, kind, service.url, subject).status
    except JackfieldError as error:
        raise AssertionError("the hop was refused") from error

    assert status == 200
    last = service.requests[-1]
    assert {name for name, _ in last.headers} - {"host", "accept-encoding", "user-agent", "connection"} or (
        CANARY in last.target
    )


@pytest.mark.subjects(ours=Redirects(), timid=Timid())
@pytest.mark.parametrize(
    ("base", "place"),
    [
        ("https://api.example.test", "https://api.example.test:443/x"),
        ("https://api.example.test:443", "https://api.example.test/x"),
        ("https://api.example.test", "HTTPS://API.Example.Test/x#fragment"),
        ("http://api.example.test", "http://api.example.test:80/x"),
        ("http://api.example.test", "//api.example.test:80/x"),
    ],
)
def test_s03_an_origin_is_the_same_with_its_default_port_and_in_any_spelling(
    subject: Any, base: str, place: str, caller: Caller
) -> None:
    transport = FakeTransport([Response(302, {"location": place})], otherwise=Response(200))

    caller.ask(base, [Bearer(CANARY), subject], transport=transport)

    assert [request.target for request in transport.requests] == ["/r", "/x"]
    assert [request.headers.get("authorization") for request in transport.requests] == [f"Bearer {CANARY}"] * 2


BODY_HEADERS = {"Content-Type": "text/plain", "Content-Language": "en", "Digest": "x=1", "If-Match": '"e"'}


@pytest.mark.subjects(ours=Redirects(), naive=Naive())
@pytest.mark.parametrize(
    ("method", "code", "then"),
    [("POST", 301, "GET"), ("POST", 302, "GET"), ("POST", 303, "GET"), ("PUT", 303, "GET"), ("DELETE", 303, "GET")],
)
def test_s04_a_changed_method_leaves_body_and_content_headers_behind(
    subject: Any, method: str, code: int, then: str, serve: Serve, caller: Caller
) -> None:
    service = serve(pointing("/x", code))

    caller.ask(service.url, [subject], method=method, body=b"body", headers=BODY_HEADERS)

    last = service.requests[-1]
    assert (last.line.split()[0], last.target, last.body) == (then, "/x", b"")
    assert not {name for name, _ in last.headers} & {"content-length", *map(str.lower, BODY_HEADERS)}


@pytest.mark.subjects(ours=Redirects(), to_get=ToGet())
@pytest.mark.parametrize(
    ("method", "code"), [("POST", 307), ("POST", 308), ("PUT", 301), ("PUT", 302), ("PATCH", 307), ("DELETE", 308)]
)
def test_s04_a_method_that_stays_keeps_its_body(
    subject: Any, method: str, code: int, serve: Serve, caller: Caller
) -> None:
    service = serve(pointing("/x", code))

    caller.ask(service.url, [subject], method=method, body=b"body", headers=BODY_HEADERS)

    last = service.requests[-1]
    assert (last.line.split()[0], last.target, last.body) == (method, "/x", b"body")
    assert {"content-type", "if-match"} <= {name for name, _ in last.headers}


@pytest.mark.subjects(ours=Redirects(), naive=Naive(), to_get=ToGet())
@pytest.mark.parametrize(("method", "code"), [("POST", 307), ("POST", 308), ("PUT", 301), ("PATCH", 302)])
def test_s04_no_body_is_sent_to_another_origin(
    subject: Any, method: str, code: int, serve: Serve, caller: Caller
) -> None:
    other = serve(CALM)
    service = serve(pointing(f"{other.url}/x", code))

    with pytest.raises(RedirectError, match="body"):
        caller.ask(service.url, [subject], method=method, body=CANARY.encode())

    assert other.requests == []


HERE, USER = "127.0.0.1:{port}", "u:p@127.0.0.1:{port}"
HOSTILE = [
    *("file://{file}", "file:{file}", f"ftp://{HERE}/", "javascript:alert(1)", f"gopher://{HERE}/", "unix:{file}"),
    *("data:,x", "http://", "http:///x", "https:", "http:x", "//", f"http://{USER}/", f"//{USER}/", f"//u@{HERE}/"),
    *(
        "http://[fe80::1%25lo]:{port}/",
        "http://[::1]evil:{port}/",
        f"/\\{HERE}/",
        f"\\\\{HERE}\\x",
        f"http://{HERE}\\@h/",
    ),
    *("http://h@:{port}/", "http://127.0.0.1:99999/", f"http://{HERE}:1/", "http://%31%32%37.0.0.1:{port}/"),
    "/" + "a" * 20_000,
]


@pytest.mark.subjects(ours=Redirects(), lax=Lax())
@pytest.mark.parametrize("place", HOSTILE, ids=lambda place: repr(place)[:40])
def test_s05_hostile_targets_are_refused(
    subject: Any, place: str, serve: Serve, caller: Caller, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text(CANARY)
    other = serve(CALM)
    service = serve(pointing(place.format(port=other.port, file=file)))

    with pytest.raises(RedirectError) as refused:
        caller.ask(service.url, [subject])

    assert other.requests == []
    assert "u:p" not in str(refused.value)


@pytest.mark.subjects(ours=Redirects(), lax=Lax())
@pytest.mark.parametrize(
    "place", ["/a\r\nx-evil: 1", "/a\x00", "/a\rb", "/a\n", "/\x1b", "/" + "a" * 70_000], ids=range(6)
)
def test_s05_a_location_that_no_line_can_hold_is_refused_whatever_transport_lets_it_through(
    subject: Any, place: str, caller: Caller
) -> None:
    transport = FakeTransport([Response(302, Headers.received([("Location", place)]))], otherwise=Response(200))

    with pytest.raises(RedirectError):
        caller.ask("https://api.example.test", [subject], transport=transport)

    assert len(transport.requests) == 1


@pytest.mark.subjects(ours=Redirects(), naive=ToGet())
@pytest.mark.parametrize("headers", [(), ("Location: /a", "Location: /b"), ("Location:  ", "Location: /b")])
def test_s05_no_location_and_two_of_them_are_refused(
    subject: Any, headers: tuple[str, ...], serve: Serve, caller: Caller
) -> None:
    service = serve(answering(lambda request: answer(302, *headers) if request.target == "/r" else answer(200)))

    with pytest.raises(RedirectError, match="Location"):
        caller.ask(service.url, [subject])

    assert len(service.requests) == 1


@pytest.mark.subjects(ours=Redirects(), naive=Naive())
@pytest.mark.parametrize(
    "place", ["/r?token={canary}", "/r?%ff={canary}", "{url}/r?token={canary}&token={canary}#{canary}"]
)
def test_s06_a_loop_ends_and_its_error_tells_the_chain_without_a_secret(
    subject: Any, place: str, serve: Serve, caller: Caller, stalls: Stalls
) -> None:
    service: ScriptedServer = serve(
        answering(lambda request: answer(302, f"Location: {place.format(url=service.url, canary=CANARY)}"))
    )
    started = time.monotonic()

    with pytest.raises(RedirectError) as ended:
        ask(caller, "bearer", service.url, subject)

    assert time.monotonic() - started < 2 + stalls.seconds
    assert len(service.requests) == len(ended.value.chain) == 21
    assert all(url.startswith(f"{service.url}/r") for url in ended.value.chain)
    assert CANARY not in f"{ended.value} {ended.value!r} {ended.value.chain}"


@pytest.mark.subjects(ours=Redirects(), naive=Naive())
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_s07_https_is_not_left_for_http(
    subject: Any, host: str, code: int, serve: Serve, tls: SSLContext, caller: Caller
) -> None:
    other = serve(CALM)
    service = serve(pointing(f"http://{host}:{other.port}/x", code), tls=tls)

    with pytest.raises(RedirectError, match="from https to http"):
        caller.ask(service.url, [subject])

    assert other.requests == []


@pytest.mark.subjects(ours=Bearer(CANARY), unbound=Unbound())
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_s08_an_absolute_url_elsewhere_gets_nothing_of_the_client(
    subject: Any, host: str, serve: Serve, caller: Caller, leaks: Leaks
) -> None:
    service, other = serve(CALM), serve(CALM)
    headers = {"X-Api-Key": CANARY, "Cookie": CANARY}

    caller.ask(service.url, [subject], list(headers.items()), url=Url.parse(f"http://{host}:{other.port}/x"))

    assert leaks(other) == []
    assert len(other.requests) == 1


def as_browsers_do(base: str, text: str) -> Url:
    """Makes another origin of whatever looks like one."""
    return Url.parse(re.sub(r"^(?:https?:)?[./\\@]*", "http://", text))


def as_we_do(base: str, text: str) -> Url:
    """A path segment is one, whatever it holds; a URL is one, or refused."""
    try:
        return Url.parse(text)
    except UsageError:
        return Url.parse(base).at(text)


@pytest.mark.subjects(ours=as_we_do, browsers=as_browsers_do)
@pytest.mark.parametrize(
    "trick", ["//{}/x", "\\\\{}/x", "/\\{}", "http:/{}", "http:{}", "@{}/x", "..//{}", "///{}", "/@{}"]
)
def test_s08_what_only_looks_like_another_origin_stays_with_the_service(
    subject: Callable[[str, str], Url], trick: str, serve: Serve, caller: Caller
) -> None:
    service, other = serve(CALM), serve(CALM)

    caller.ask(service.url, [Unbound()], url=subject(service.url, trick.format(f"127.0.0.1:{other.port}")))

    assert other.requests == []
    assert len(service.requests) == 1
