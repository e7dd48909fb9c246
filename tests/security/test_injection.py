"""S13-S15, S17: whatever text a caller or a server puts wherever it can: one request, and no header of theirs.

S16, multipart, is in test_forms.py.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from time import thread_time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.clients import COLOURS, Asker
from tests.servers import Peer

from jackfield import Headers, JackfieldError, Origin, Proxy, Request, Secret, Url, UsageError
from jackfield._reference import resolve
from jackfield.testing import FakeTransport
from jackfield_plugins.auth import ApiKey, Basic, Bearer

if TYPE_CHECKING:
    from tests.servers import Serve

pytestmark = pytest.mark.usefixtures("nothing_left")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
EVIL = "x\r\nx-evil: 1"
POISONS = {
    "crlf": EVIL,
    "lf": "x\nx-evil: 1",
    "cr": "x\rx-evil: 1",
    "nul": "x\0x-evil: 1",
    "vt": "x\vx-evil: 1",
    "request": "x HTTP/1.1\r\nx-evil: 1\r\n\r\nGET /second",
    "first": "\r\nx-evil: 1",
    "last": "x\r\n",
    "u010a": "x\u010ax-evil: 1",  # its low byte is a line feed
    "u560a": "x\u560d\u560ax-evil: 1",
    "nel": "x\x85x-evil: 1",
    "ls": "x\u2028x-evil: 1",
    "del": "x\x7fx-evil: 1",
    "surrogate": "x\udc0ax-evil: 1",
}
HARMLESS = ["nel", "ls"]  # no server takes them for the end of a line, but many a program does
Ask = Callable[[Asker, str], object]
BASE = "http://127.0.0.1"


def by_client(asked: Asker, poison: str) -> object:
    with Asker("sync", str(asked.base), headers={"x-a": poison}) as own:
        return own()


def with_plugin(make: Callable[[str], object]) -> Ask:
    """As a client would that has this plugin."""

    def ask(asked: Asker, poison: str) -> object:
        with Asker("sync", str(asked.base), plugins=[make(poison)]) as own:
            return own()

    return ask


PLACES: dict[str, Ask] = {
    "method": lambda asked, poison: asked("GET" + poison),
    "path": lambda asked, poison: asked(path=poison),
    "encoded-path": lambda asked, poison: asked.ask(Request("GET", Url(asked.base.origin, "/" + poison))),
    "host": lambda asked, poison: asked.ask(Request("GET", Url(Origin("http", poison, asked.base.origin.port), "/"))),
    "url": lambda asked, poison: asked.ask(Request("GET", Url.parse(f"{asked.base}{poison}"))),
    "query-name": lambda asked, poison: asked(query={poison: "v"}),
    "query-value": lambda asked, poison: asked(query={"n": poison}),
    "encoded-query": lambda asked, poison: asked(query=f"a={poison}"),
    "header-name": lambda asked, poison: asked(headers={poison: "v"}),
    "header-value": lambda asked, poison: asked(headers={"x-a": poison}),
    "header-over-another": lambda asked, poison: asked(headers=Headers({"x-a": "a"}).replacing("x-a", poison)),
    "header-name-over-another": lambda asked, poison: asked(headers=Headers().replacing(poison, "v")),
    "host-header": lambda asked, poison: asked(headers={"Host": poison}),
    "cookie": lambda asked, poison: asked(headers={"Cookie": f"a={poison}"}),
    "content-type": lambda asked, poison: asked("POST", headers={"Content-Type": poison}, body=b"b"),
    "user-agent": lambda asked, poison: asked(headers={"User-Agent": f"me/{poison}"}),
    "idempotency-key": lambda asked, poison: asked("POST", headers={"Idempotency-Key": poison}),
    "client-header": by_client,
    "bearer": with_plugin(Bearer),
    "basic-user": with_plugin(lambda poison: Basic(poison, "p")),
    "basic-password": with_plugin(lambda poison: Basic("u", poison)),
    "api-key-header": with_plugin(lambda poison: ApiKey(poison, header="x-key")),
    "api-key-header-name": with_plugin(lambda poison: ApiKey("key", header=poison)),
    "api-key-query": with_plugin(lambda poison: ApiKey(poison, query="key")),
    "api-key-cookie": with_plugin(lambda poison: ApiKey(poison, cookie="key")),
    "api-key-cookie-name": with_plugin(lambda poison: ApiKey("key", cookie=poison)),
    "reference": lambda asked, poison: asked.ask(
        (lambda target: Request("GET", target.url, query=target.query or ()))(
            resolve(Request("GET", asked.base), f"/next{poison}")
        )
    ),
}


def collecting(heard: list[bytes]) -> Callable[[Peer], None]:
    """Keeps every byte, and answers whatever ends like a request."""

    def script(peer: Peer) -> None:
        seen = b""
        while True:
            piece = peer.read(65536)
            heard.append(piece)
            seen += piece
            if b"\r\n\r\n" in seen:
                peer.send(OK)

    return script


def harm(raw: bytes) -> list[str]:
    """What is wrong with what reached the server: it must be one request at most, without the header."""
    head, _, rest = raw.partition(b"\r\n\r\n")
    lines = head.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\0", b"\n").replace(b"\v", b"\n").split(b"\n")
    found = [f"line {line!r}" for line in lines if line.lower().startswith(b"x-evil")]
    if b"GET /second" in lines or rest not in (b"", b"b"):
        found.append("a second request")
    if any(byte < 0x20 and byte not in b"\t\r\n" for byte in head) or b"\x7f" in head:
        found.append("control characters")
    if raw and not lines[0].endswith(b" HTTP/1.1"):
        found.append(f"request line {lines[0]!r}")
    return found


def careful(asked: Asker, place: str, poison: str) -> None:
    with suppress(JackfieldError):
        PLACES[place](asked, poison)


def careless(asked: Asker, place: str, poison: str) -> None:
    """Writes what it is given, and of each character the low byte. Broken on purpose."""
    with socket.create_connection((asked.base.origin.host, asked.base.origin.port), timeout=5) as sock:
        text = f"GET / HTTP/1.1\r\nHost: x\r\nx-a: {poison}\r\n\r\n"
        sock.sendall(bytes(ord(char) & 0xFF for char in text))
        sock.recv(100)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.subjects(ours=careful, careless=careless)
def test_s13_text_stays_in_its_place(serve: Serve, colour: str, place: str, subject: Any) -> None:
    heard: list[bytes] = []
    server = serve(collecting(heard))

    for name, poison in POISONS.items():
        heard.clear()
        if name not in HARMLESS:
            with Asker(colour, server.url, timeout=5) as asked:
                subject(asked, place, poison)
        assert (name, harm(b"".join(heard))) == (name, [])


@pytest.mark.parametrize("poison", HARMLESS)
@pytest.mark.parametrize("place", PLACES)
def test_what_only_looks_like_the_end_of_a_line_ends_none(serve: Serve, place: str, poison: str) -> None:
    heard: list[bytes] = []
    server = serve(collecting(heard))

    with Asker("sync", server.url, timeout=5) as asked:
        careful(asked, place, POISONS[poison])

    assert harm(b"".join(heard)) == []


@pytest.mark.parametrize("poison", POISONS)
@pytest.mark.parametrize("place", PLACES)
def test_the_values_check_themselves_so_that_no_transport_has_to(place: str, poison: str) -> None:
    taken = FakeTransport()
    asked = Asker.__new__(Asker)
    asked.base = Url.parse(BASE)

    def keep(request: Request) -> Any:
        taken.requests.append(request)

    asked.ask = keep  # type: ignore[method-assign]  # no client, no transport: the values alone
    with suppress(JackfieldError, AttributeError):
        PLACES[place](asked, POISONS[poison])

    for request in taken.requests:
        head = f"{request.method} {request.target} {request.url.origin} {request.headers.pairs()}"
        raw = "".join(f"{name}: {value}" for name, value in request.headers.pairs())
        assert head.isprintable()
        assert not any(char in raw + request.target + request.method for char in "\r\n\0\v\x7f")
        assert raw.encode("latin-1") is not None


@given(text=st.text(max_size=40))
@settings(deadline=None, max_examples=100)
def test_no_text_at_all_gets_a_control_character_into_a_head(text: str) -> None:
    makes: list[Callable[[], Request]] = [
        lambda: Request(text, Url.parse(BASE)),
        lambda: Request("GET", Url.parse(BASE).at(text)),
        lambda: Request("GET", Url(Url.parse(BASE).origin, text)),
        lambda: Request("GET", Url.parse(BASE), query={text: text}),
        lambda: Request("GET", Url.parse(BASE), query=text),
        lambda: Request("GET", Url.parse(BASE), headers={"x-a": text}),
        lambda: Request("GET", Url.parse(BASE), headers={text: "a"}),
        lambda: Request("GET", Url(Origin("http", text, 80), "/")),
    ]
    for make in makes:
        try:
            request = make()
        except UsageError:
            continue
        fields = "".join(f"{name}{value}" for name, value in request.headers.pairs())
        head = f"{request.method}{request.target}{request.url.origin}"
        assert head.isascii()
        assert not any(char <= " " or char == "\x7f" for char in head)
        assert not any(char in fields for char in "\r\n\0\v\f\x7f")
        fields.encode("latin-1")


@pytest.mark.parametrize("poison", POISONS)
def test_a_proxy_s_user_and_password_stay_in_their_header(serve: Serve, poison: str) -> None:
    from jackfield import Urllib3Transport

    heard: list[bytes] = []
    server = serve(collecting(heard))

    with suppress(JackfieldError):
        transport = Urllib3Transport(proxy=Proxy(server.url, auth=("u" + POISONS[poison].replace(":", ""), "p")))
        with Asker("sync", "http://service.test", transport, timeout=5) as asked:
            asked()
    with suppress(JackfieldError):
        transport = Urllib3Transport(proxy=Proxy(server.url, auth=("u", Secret(POISONS[poison]))))
        with Asker("sync", "http://service.test", transport, timeout=5) as asked:
            asked()

    assert b"x-evil" not in b"".join(heard).lower()


# --- S14: framing by the caller


def nothing(_: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Leaves out what the caller gave, so that there is nothing to refuse. Broken on purpose."""
    return []


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(
    "fields",
    [
        [("Content-Length", "0")],
        [("content-length", "5"), ("Content-Length", "6")],
        [("Transfer-Encoding", "chunked")],
        [("transfer-encoding", "identity"), ("Content-Length", "1")],
        [("Host", "a"), ("host", "b")],
    ],
    ids=["length", "two-lengths", "coding", "both", "two-hosts"],
)
@pytest.mark.subjects(ours=list[tuple[str, str]], silent=nothing)
def test_s14_the_caller_does_not_frame_the_message(
    serve: Serve, colour: str, fields: list[tuple[str, str]], subject: Any
) -> None:
    server = serve(collecting([]))

    with Asker(colour, server.url, timeout=5) as asked, pytest.raises(UsageError):
        asked("POST", headers=subject(fields), body=b"12345")

    assert server.connections == 0


@pytest.mark.parametrize("colour", COLOURS)
def test_one_host_of_the_caller_s_takes_the_place_of_ours(serve: Serve, colour: str) -> None:
    heard: list[bytes] = []
    server = serve(collecting(heard))

    with Asker(colour, server.url, timeout=5) as asked:
        asked(headers={"Host": "virtual.test"})

    assert [line for line in heard[0].split(b"\r\n") if line.lower().startswith(b"host:")] == [b"Host: virtual.test"]


# --- S15: path parameters


def joined(url: Url, segment: str) -> Url:
    """Takes the text for a path. Broken on purpose."""
    return Url(url.origin, f"{url.path}/{segment}")


@pytest.mark.parametrize(
    ("segment", "target"),
    [
        ("../admin", "/v1/..%2Fadmin"),
        ("..%2f", "/v1/..%252f"),
        ("a/b", "/v1/a%2Fb"),
        ("a\\b", "/v1/a%5Cb"),
        ("?x=1", "/v1/%3Fx%3D1"),
        ("#f", "/v1/%23f"),
        (";x", "/v1/%3Bx"),
        ("%2e%2e", "/v1/%252e%252e"),
        ("//evil.test", "/v1/%2F%2Fevil.test"),
        ("@evil.test", "/v1/%40evil.test"),
        ("a b", "/v1/a%20b"),
        ("ä", "/v1/%C3%A4"),
    ],
)
@pytest.mark.subjects(ours=Url.at, joining=joined)
def test_s15_a_segment_stays_one_segment(segment: str, target: str, subject: Any) -> None:
    url = subject(Url.parse(f"{BASE}/v1"), segment)

    assert url.path == target
    assert Request("GET", url).target == target


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_a_segment_that_would_name_another_resource_is_refused(segment: str) -> None:
    with pytest.raises(UsageError, match="segment"):
        Url.parse(BASE).at("v1", segment)


# --- S17: hosts


HOSTS = {
    "account-of": "\u2100.test",
    "fullwidth-slash": "a\uff0fb.test",
    "fullwidth-full-stop": "a\uff0etest",
    "ideographic-full-stop": "a\u3002test",
    "zero-width": "a\u200b.test",
    "mixed-script": "p\u0430ypal.test",
    "soft-hyphen": "a\u00ad.test",
    "overlong-label": "a" * 64 + ".test",
    "very-long-label": "a" * 10_000 + ".test",
    "backslash-userinfo": "127.0.0.1\\@evil.test",
    "fragment-userinfo": "evil.test#@127.0.0.1",
    "query-userinfo": "evil.test?@127.0.0.1",
    "bytes-after-a-bracket": "[::1]evil.test",
    "bytes-before-a-bracket": "evil[::1]",
    "zone": "[fe80::1%25eth0]",
    "future-address": "[v1.evil]",
    "hexadecimal-address": "0x7f000001",
    "hexadecimal-parts": "0x7f.0.0.1",
    "octal-address": "0177.0.0.1",
    "one-number": "2130706433",
    "three-numbers": "127.0.1",
    "five-numbers": "1.2.3.4.5",
    "number-too-large": "127.0.0.256",
    "number-at-the-end": "evil.127",
    "hexadecimal-at-the-end": "evil.0x1",
    "octal-digits-with-a-dot": "127.0.0.01",
    "empty-label": "a..test",
    "leading-dot": ".test",
    "leading-hyphen": "-a.test",
    "percent": "a%2etest",
    "blank": "a b.test",
    "empty": "",
    "userinfo": "user@evil.test",
}


def trusting(text: str) -> Url:
    """Takes any host. Broken on purpose."""
    return Url(Origin("http", text, 80), "/")


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.subjects(ours=Url.parse, trusting=trusting)
def test_s17_a_host_that_others_may_read_in_another_way_is_refused_at_once(host: str, subject: Any) -> None:
    began = thread_time()

    with pytest.raises(UsageError):
        subject(f"http://{HOSTS[host]}/")
    with pytest.raises(UsageError):
        Request("GET", Url(Origin("http", HOSTS[host], 80), "/"))

    assert thread_time() - began < 0.5


@pytest.mark.parametrize("host", HOSTS)
def test_no_reference_leads_to_such_a_host(host: str) -> None:
    for reference in (f"http://{HOSTS[host]}/x", f"//{HOSTS[host]}/x"):
        with suppress(UsageError):
            target = resolve(Request("GET", Url.parse("http://home.test/")), reference)
            assert target.url.origin.host in ("home.test", "evil.test"), reference


@pytest.mark.parametrize(
    ("host", "kept"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("a.b-c.test", "a.b-c.test"),
        ("xn--mnchen-3ya.test", "xn--mnchen-3ya.test"),
        ("a_b.test", "a_b.test"),
        ("1password.test", "1password.test"),
        ("3com", "3com"),
        ("a1", "a1"),
        ("EXAMPLE.test", "example.test"),
        ("a" * 63 + ".test", "a" * 63 + ".test"),
    ],
)
def test_an_honest_host_is_taken(host: str, kept: str) -> None:
    assert Url.parse(f"http://{host}/").origin.host == kept
