"""S30, S31: a proxy's credentials reach the proxy and nobody else, and the environment is heard only when asked."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.clients import COLOURS, Asker
from tests.servers import Peer, Script, ScriptedServer
from tests.servers.certificates import Authority, self_signed
from tests.servers.proxy import tunnelling

from jackfield import (
    Call,
    Headers,
    Proxy,
    ProxyError,
    Request,
    Response,
    Secret,
    ServiceError,
    Urllib3Transport,
    UsageError,
)
from jackfield_plugins.retry import Retry

if TYPE_CHECKING:
    from tests.servers import Serve

pytestmark = pytest.mark.usefixtures("nothing_left")

CANARY = "canary-30"
TOKEN = base64.b64encode(f"ada:{CANARY}".encode()).decode()
AUTH = ("ada", Secret(CANARY))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REFUSED = (
    b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n"
)
SCHEMES = ["http", "https"]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def tls(authority: Authority, tmp_path: Path) -> ssl.SSLContext:
    return authority.issue("127.0.0.1").server_context(tmp_path)


def answering(peer: Peer) -> None:
    for _ in peer.requests():
        peer.send(OK)


def saying(answer: bytes) -> Script:
    def script(peer: Peer) -> None:
        for _ in peer.requests():
            peer.send(answer)

    return script


def heard(server: ScriptedServer) -> bytes:
    """Every byte of every request."""
    return b"".join(request.head + request.body for request in server.requests)


def leaks(data: bytes) -> bool:
    return CANARY.encode() in data or TOKEN.encode() in data or b"proxy-authorization" in data.lower()


class Leaking(Urllib3Transport):
    """Lets the origin see a proxy's, or a netrc's, credentials. Broken on purpose."""

    async def send(self, request: Request, call: Call) -> Response:
        fields = [("Authorization", f"Basic {TOKEN}"), ("X-Proxy-Authorization", f"Basic {TOKEN}")]
        return await super().send(request.with_headers(request.headers.over(Headers(fields))), call)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.subjects(ours=Urllib3Transport, leaking=Leaking)
def test_s30_the_proxy_s_credentials_stop_at_the_proxy(
    serve: Serve, authority: Authority, tls: ssl.SSLContext, colour: str, scheme: str, subject: Any
) -> None:
    origin = serve(answering, tls=tls)
    proxy = serve(tunnelling(origin.port), tls=tls if scheme == "https" else None)
    through = Proxy(proxy.url, auth=AUTH, ssl_context=authority.client_context() if scheme == "https" else None)
    transport = subject(proxy=through, ssl_context=authority.client_context())

    with Asker(colour, origin.url, transport) as asked:
        first, second = asked("POST", headers={"x-key": "of-the-origin"}, body=b"b" * 100_000), asked()

    assert (first.content, second.content) == (b"ok", b"ok")
    assert len(origin.requests) == 2
    assert origin.requests[0].body == b"b" * 100_000
    assert origin.requests[0].get_all("host") == [f"127.0.0.1:{origin.port}"]
    assert not leaks(heard(origin))
    assert [request.line for request in proxy.requests] == [f"CONNECT 127.0.0.1:{origin.port} HTTP/1.1"]
    assert proxy.requests[0].get_all("proxy-authorization") == [f"Basic {TOKEN}"]
    assert b"of-the-origin" not in heard(proxy)


@pytest.mark.parametrize("colour", COLOURS)
def test_a_caller_cannot_hand_the_origin_a_proxy_s_credentials_by_mistake(serve: Serve, colour: str) -> None:
    origin = serve(answering)

    with Asker(colour, origin.url) as asked, pytest.raises(UsageError, match="proxy-authorization") as caught:
        asked(headers={"Proxy-Authorization": f"Basic {TOKEN}"})

    assert not leaks(str(caught.value).replace("proxy-authorization", "").encode())
    assert origin.requests == []


@pytest.mark.parametrize("colour", COLOURS)
def test_origins_of_http_and_https_have_connections_of_their_own_through_one_proxy(
    serve: Serve, authority: Authority, tls: ssl.SSLContext, colour: str
) -> None:
    """What a redirect from https to http would do: the tunnel's credentials and those in clear are asked for apart."""
    origin = serve(answering, tls=tls)
    proxy = serve(tunnelling(origin.port), answering)
    transport = Urllib3Transport(proxy=Proxy(proxy.url, auth=AUTH), ssl_context=authority.client_context())

    with Asker(colour, origin.url, transport) as secure, Asker(colour, "http://plain.test", transport) as plain:
        assert secure().content == b"ok"
        assert plain().content == b"ok"

    assert not leaks(heard(origin))
    assert proxy.requests[1].line == "GET http://plain.test/things HTTP/1.1"
    assert proxy.requests[1].get_all("host") == ["plain.test"]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_proxy_that_wants_other_credentials_is_asked_once(serve: Serve, colour: str, scheme: str) -> None:
    proxy = serve(saying(REFUSED))
    transport = Urllib3Transport(proxy=Proxy(proxy.url, auth=AUTH))

    with Asker(colour, f"{scheme}://service.test", transport, timeout=5) as asked, pytest.raises(ProxyError) as caught:
        asked("POST", body=b"x")

    assert "407" in caught.value.message
    assert caught.value.permanent
    assert not caught.value.sent
    assert caught.value.call is not None
    assert not caught.value.call.may_have_been_processed
    assert len(proxy.requests) == 1
    assert CANARY not in f"{caught.value!r} {caught.value} {transport!r} {vars(transport)}"
    assert TOKEN not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"


@pytest.mark.parametrize("colour", COLOURS)
def test_a_407_of_who_is_no_proxy_is_an_answer_and_gets_no_credentials(serve: Serve, colour: str) -> None:
    origin = serve(saying(REFUSED))
    transport = Urllib3Transport(proxy=Proxy("http://127.0.0.1:9", auth=AUTH, no_proxy=["127.0.0.1"]))

    with Asker(colour, origin.url, transport) as asked, pytest.raises(ServiceError) as caught:
        asked()

    assert caught.value.status == 407
    assert len(origin.requests) == 1
    assert not leaks(heard(origin))


def blind(url: str, *, auth: Any, ssl_context: ssl.SSLContext) -> Proxy:
    """Believes whoever answers. Broken on purpose."""
    proxy = Proxy(url, auth=auth, ssl_context=ssl_context)
    ssl_context.check_hostname = False
    ssl_context.verify_mode = ssl.CERT_NONE
    return proxy


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.subjects(ours=Proxy, blind=blind)
def test_s30_a_proxy_that_cannot_prove_who_it_is_hears_nothing(
    serve: Serve, tmp_path: Path, authority: Authority, colour: str, scheme: str, subject: Any
) -> None:
    proxy = serve(saying(REFUSED), tls=self_signed("127.0.0.1").server_context(tmp_path))
    transport = Urllib3Transport(
        proxy=subject(proxy.url, auth=AUTH, ssl_context=authority.client_context()),
        ssl_context=authority.client_context(),
    )

    with (
        Asker(colour, f"{scheme}://service.test", transport, plugins=[Retry(base=1e-6, cap=1e-6)]) as asked,
        pytest.raises(ProxyError, match="certificate verify failed") as caught,
    ):
        asked()

    assert caught.value.permanent
    assert proxy.requests == []


def test_neither_a_proxy_nor_its_credentials_show(caplog: pytest.LogCaptureFixture) -> None:
    proxy = Proxy("http://proxy.test:3128", auth=AUTH)

    assert repr(proxy) == "<Proxy http://proxy.test:3128>"
    assert CANARY not in str(vars(proxy))
    assert TOKEN not in str(vars(proxy))
    assert caplog.text == ""


# --- S31


EVERYTHING = {
    "HTTP_PROXY": "http://ada:canary-30@127.0.0.1:9",
    "HTTPS_PROXY": "http://ada:canary-30@127.0.0.1:9",
    "ALL_PROXY": "socks5://127.0.0.1:9",
    "REQUESTS_CA_BUNDLE": "/nowhere/ca.pem",
    "CURL_CA_BUNDLE": "/nowhere/ca.pem",
    "NETRC": "{home}/.netrc",
    "HOME": "{home}",
    "USERPROFILE": "{home}",
}


@pytest.fixture
def surprises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that other clients would do all sorts of things for."""
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login ada password {CANARY}\ndefault login ada password {CANARY}\n")
    netrc.chmod(0o600)
    for name, value in EVERYTHING.items():
        monkeypatch.setenv(name, value.format(home=tmp_path))
        if name.endswith("_PROXY"):
            monkeypatch.setenv(name.lower(), value)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.usefixtures("surprises")
@pytest.mark.subjects(ours=Urllib3Transport, leaking=Leaking)
def test_s31_the_environment_does_nothing_unasked(
    serve: Serve, authority: Authority, tls: ssl.SSLContext, colour: str, scheme: str, subject: Any
) -> None:
    origin = serve(answering, tls=tls if scheme == "https" else None)

    with Asker(colour, origin.url, subject(ssl_context=authority.client_context())) as asked:
        assert asked().content == b"ok"
        assert asked(headers={"Authorization": "Bearer mine"}).content == b"ok"

    assert not leaks(heard(origin))
    assert [request.get_all("authorization") for request in origin.requests] == [[], ["Bearer mine"]]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("spelling", [str.upper, str.lower], ids=["upper", "lower"])
def test_the_environment_is_heard_when_it_is_asked_and_never_by_a_cgi_program_s_client(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, colour: str, spelling: Any
) -> None:
    proxy, origin = serve(answering), serve(answering)
    for name in EVERYTHING:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv(spelling("http_proxy"), proxy.url)

    for asks_for_more in ({}, {"REQUEST_METHOD": "GET"}):
        for name, value in asks_for_more.items():
            monkeypatch.setenv(name, value)
        with Asker(colour, origin.url, Urllib3Transport(proxy=Proxy.from_environment())) as asked:
            assert asked().content == b"ok"

    assert [request.target for request in proxy.requests] == [f"{origin.url}/things"]
    assert [request.target for request in origin.requests] == ["/things"]
