"""OAuth 1.0a: right by the RFC's figures, afresh for each attempt, and what is sent is what was signed."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from base64 import b64encode
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.made import Make, both, get, makers

from jackfield import (
    AsyncClient,
    Client,
    ConfigurationError,
    Headers,
    NotFoundError,
    Request,
    Response,
    Secret,
    Service,
    StreamBody,
    Url,
    UsageError,
    operation,
)
from jackfield.testing import FakeTransport
from jackfield_plugins.retry import Retry
from jackfield_plugins.signing import Message, OAuth1
from jackfield_plugins.signing._oauth1_signature import authorization, base_string, base_uri, signature, signing_key

if TYPE_CHECKING:
    from tests.servers import Peer, ReceivedRequest, Serve

VECTORS = Path(__file__).parents[2] / "vectors" / "rfc5849_oauth1.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text())["cases"]
FORM = "application/x-www-form-urlencoded"
KEYS = ("dpf43f3p2l4k3l03", "canary-consumer")
TOKENS = ("canary-nnch734d00sl2jdk", "canary-token & é")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


class Core(Service):
    @operation
    async def send_it(self, request: Request) -> bytes:
        return (await self.send(request)).content


class CoreClient(Core, Client): ...


class AsyncCoreClient(Core, AsyncClient): ...


sync_client, async_client = makers(Core, base="https://h:8443")
BOTH = both(sync_client, async_client)


def request(path: str = "/thing", **parts: Any) -> Request:
    return Request(parts.pop("method", "GET"), Url.parse(f"https://h:8443{path}"), **parts)


def form(body: bytes, kind: str = FORM, **parts: Any) -> Request:
    return request(method="POST", headers={"Content-Type": kind}, body=body, **parts)


def sent(make: Make, plugin: OAuth1, one: Request) -> Request:
    """What goes out for it."""
    transport = FakeTransport(otherwise=Response(200))
    get(make(transport, plugin).send_it(one))
    return transport.requests[0]


def message(url: str, method: str = "GET") -> Message:
    return Message.received(method, url, Headers())


# --- the RFC's figures


@pytest.mark.parametrize("case", [case for case in CASES if "oauth_params" in case], ids=lambda case: case["name"])
def test_the_examples_of_the_rfc(case: dict[str, Any]) -> None:
    key = signing_key(Secret(case["consumer_secret"]), Secret(case["token_secret"]) if case["token_secret"] else None)

    base = base_string(
        message(case["url"], case["method"]), case["oauth_params"], urlencode(case["form_params"]).encode()
    )

    assert base == case["base_string_computed"]
    assert signature(base, key, "HMAC-SHA1") == case["signature_computed"]


@pytest.mark.parametrize("case", [case for case in CASES if "base_string_uri" in case], ids=lambda case: case["name"])
def test_the_base_uris_of_the_rfc(case: dict[str, Any]) -> None:
    path, mark, query = case["request_target"].partition("?")

    assert (
        base_uri(Message("GET", case["scheme"], case["host"], path, query if mark else None))
        == (case["base_string_uri"])
    )


@pytest.mark.parametrize(
    ("scheme", "authority", "path", "expected"),
    [
        ("https", "www.example.net:8080", "/", "https://www.example.net:8080/"),  # RFC 5849 §3.4.1.2
        ("HTTPS", "Example.COM:443", "/A", "https://example.com/A"),
        ("http", "example.com:443", "/", "http://example.com:443/"),
        ("https", "example.com:80", "/", "https://example.com:80/"),
        ("http", "example.com:8080", "/", "http://example.com:8080/"),
        ("http", "[::1]:80", "/", "http://[::1]/"),
        ("http", "[::80]", "/%7ea/%2F//.", "http://[::80]/%7ea/%2F//."),
    ],
)
def test_a_base_uri_has_no_default_port_and_a_host_in_lower_case(
    scheme: str, authority: str, path: str, expected: str
) -> None:
    assert base_uri(Message("GET", scheme, authority, path, "q=1")) == expected


PROTOCOL = {
    "oauth_consumer_key": "9djdj82h48djs9d2",
    "oauth_token": "kkk9d7dh3k39sjv7",
    "oauth_signature_method": "HMAC-SHA1",
    "oauth_timestamp": "137131201",
    "oauth_nonce": "7d8f3e4a",
    "oauth_signature": "bYT5CMsGcbgUdFHObYMEfcx6bsw=",
}


def test_the_base_string_of_the_rfc() -> None:
    found = base_string(
        message("http://EXAMPLE.COM/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", "post"), PROTOCOL, b"c2&a3=2+q"
    )

    assert found == (  # RFC 5849 §3.4.1.1
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D"
        "%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-"
        "SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    )


@pytest.mark.parametrize(
    ("query", "body", "expected"),
    [
        ("", b"", ""),
        ("a", b"", "a="),
        ("a=&a", b"", "a=&a="),
        ("=b", b"", "=b"),
        ("a&&b", b"&&", "a=&b="),
        ("b=1&a=2", b"a=1&B=0", "B=0&a=1&a=2&b=1"),
        ("a-=1&a=2", b"", "a=2&a-=1"),
        ("a=%2F&a=-&a=A", b"", "a=%2F&a=-&a=A"),
        ("a=1+2", b"a=1+2&a=1%2B2", "a=1%202&a=1%202&a=1%2B2"),
        ("a=b=c", b"", "a=b%3Dc"),
        ("%c3%a9=%7E", b"%C3%A9=\xc3\xa9", "%C3%A9=%C3%A9&%C3%A9=~"),
        ("a=%FF", b"a=\xfe", "a=%FE&a=%FF"),
        ("a=%zz", b"", "a=%25zz"),
        ("oauth_signature=x&a=1", b"oauth%5Fsignature=y", "a=1"),
        ("realm=x&oauth_callback=oob", b"", "oauth_callback=oob&realm=x"),
    ],
)
def test_parameters_are_decoded_encoded_and_sorted(query: str, body: bytes, expected: str) -> None:
    found = base_string(Message("GET", "https", "h", "/", query), {}, body)

    assert found == f"GET&https%3A%2F%2Fh%2F&{quote(expected, safe='')}"


def test_a_custom_method_is_encoded_and_in_upper_case() -> None:
    assert base_string(Message("m-search!", "https", "h"), {}).startswith("M-SEARCH%21&")


def test_protocol_parameters_are_encoded_as_they_are_meant() -> None:
    assert base_string(Message("GET", "https", "h"), {"oauth_token": "a+b %2B"}).endswith(
        "&" + quote("oauth_token=a%2Bb%20%252B", safe="")
    )


@pytest.mark.parametrize(
    ("token_secret", "expected"), [(None, "djr9rjt0jd78jf88&"), ("jjd99$tj88", "djr9rjt0jd78jf88&jjd99%24tj88")]
)
def test_the_key_is_both_secrets_encoded(token_secret: str | None, expected: str) -> None:
    key = signing_key(Secret("djr9rjt0jd78jf88"), Secret(token_secret) if token_secret else None)

    assert key.reveal() == expected
    assert signature("anything", key, "PLAINTEXT") == expected  # RFC 5849 §3.4.4


def test_the_signatures_are_those_of_the_methods() -> None:
    key = Secret("a&b")

    assert signature("x", key, "HMAC-SHA1") == b64encode(hmac.digest(b"a&b", b"x", "sha1")).decode()
    assert signature("x", key, "HMAC-SHA256") == b64encode(hmac.digest(b"a&b", b"x", "sha256")).decode()


def test_the_header_encodes_the_parameters_and_quotes_the_realm() -> None:
    assert authorization({"oauth_a": 'b=+/" é'}, "My Photos") == (
        'OAuth realm="My Photos", oauth_a="b%3D%2B%2F%22%20%C3%A9"'
    )
    assert authorization({"oauth_a": "b"}) == 'OAuth oauth_a="b"'


# --- a service's view: knows the secrets, and what came over the wire


class Arrived(NamedTuple):
    method: str
    target: str
    host: str
    authorization: tuple[str, ...]
    kind: str
    body: bytes

    @classmethod
    def of(cls, one: Request) -> Arrived:
        assert isinstance(one.body, bytes)
        host = str(one.url.origin).partition("://")[2]
        given = tuple(one.headers.get_all("authorization"))
        return cls(one.method, one.target, host, given, one.headers.get("content-type", ""), one.body)

    @classmethod
    def on_the_wire(cls, one: ReceivedRequest) -> Arrived:
        (host,), kind = one.get_all("host"), "".join(one.get_all("content-type"))
        given = tuple(one.get_all("authorization"))
        return cls(one.line.split(" ")[0], one.target, host, given, kind, one.body)

    @property
    def parameters(self) -> dict[str, str]:
        (value,) = self.authorization
        assert re.fullmatch(r'OAuth [a-z_]+="[^"]*"(, [a-z_]+="[^"]*")*', value)
        return {name: unquote(text) for name, text in re.findall(r'([a-z_]+)="([^"]*)"', value)}


DIGESTS = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256}


def verified(one: Arrived, scheme: str = "https", secrets: tuple[str, str] = (KEYS[1], TOKENS[1])) -> bool:
    """Whether a service would accept it, but for its nonce and its age."""
    given = one.parameters
    key = "&".join(quote(secret, safe="") for secret in secrets)
    path, _, query = one.target.partition("?")
    pairs = [(n, v) for n, v in given.items() if n not in ("oauth_signature", "realm")]
    pairs += parse_qsl(query, keep_blank_values=True)
    pairs += parse_qsl(one.body.decode(), keep_blank_values=True) if one.kind.startswith(FORM) else []
    encoded = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in pairs)
    listed = "&".join("=".join(pair) for pair in encoded)
    base = "&".join(quote(part, safe="") for part in (one.method, f"{scheme}://{one.host}{path}", listed))
    mac = hmac.new(key.encode(), base.encode(), DIGESTS[given["oauth_signature_method"]])
    return hmac.compare_digest(b64encode(mac.digest()), given["oauth_signature"].encode())


# --- the plugin


@BOTH
@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256"])
def test_a_request_is_signed_and_nothing_else_of_it_changes(make: Make, method: Any) -> None:
    one = form(b"a=1+2&c", query=[("b", "2"), ("a", "ü +/")])

    signed = sent(make, OAuth1(*KEYS, *TOKENS, method=method), one)

    assert verified(Arrived.of(signed))
    assert (signed.method, signed.url, signed.query, signed.body) == ("POST", one.url, one.query, one.body)
    found = Arrived.of(signed).parameters
    assert list(found) == [
        "oauth_consumer_key",
        "oauth_token",
        "oauth_signature_method",
        "oauth_timestamp",
        "oauth_nonce",
        "oauth_signature",
    ]
    assert (found["oauth_consumer_key"], found["oauth_token"]) == (KEYS[0], TOKENS[0])
    assert (found["oauth_signature_method"], found["oauth_timestamp"]) == (method, "1700000000")
    assert re.fullmatch("[0-9a-f]{32}", found["oauth_nonce"])


@BOTH
def test_hmac_sha1_is_what_is_used_where_nothing_is_said(make: Make) -> None:
    assert Arrived.of(sent(make, OAuth1(*KEYS), request())).parameters["oauth_signature_method"] == "HMAC-SHA1"


@BOTH
def test_without_a_token_none_is_sent(make: Make) -> None:
    arrived = Arrived.of(sent(make, OAuth1(*KEYS), request()))

    assert "oauth_token" not in arrived.parameters
    assert verified(arrived, secrets=(KEYS[1], ""))


@BOTH
def test_a_token_may_have_no_secret(make: Make) -> None:
    arrived = Arrived.of(sent(make, OAuth1(*KEYS, "token"), request()))

    assert arrived.parameters["oauth_token"] == "token"
    assert verified(arrived, secrets=(KEYS[1], ""))


@BOTH
def test_a_realm_is_sent_and_not_signed(make: Make) -> None:
    arrived = Arrived.of(sent(make, OAuth1(*KEYS, *TOKENS, realm="My Photos"), request()))

    assert arrived.authorization[0].startswith('OAuth realm="My Photos", oauth_consumer_key="')
    assert verified(arrived)


@BOTH
def test_plaintext_sends_the_secrets_encoded_twice(make: Make) -> None:
    signed = sent(make, OAuth1("key", "a&b", "token", "c d", method="PLAINTEXT"), request())

    assert Arrived.of(signed).parameters["oauth_signature"] == "a%26b&c%20d"
    assert signed.headers["authorization"].endswith('oauth_signature="a%2526b%26c%2520d"')


@BOTH
def test_plaintext_is_refused_over_http(make: Make) -> None:
    transport = FakeTransport()
    client = make(transport, OAuth1(*KEYS, method="PLAINTEXT"), base="http://h")

    with pytest.raises(UsageError, match="use https"):
        get(client.send_it(Request("GET", Url.parse("http://h/"))))

    assert transport.requests == []


@BOTH
@pytest.mark.parametrize("kind", [FORM, f"{FORM}; charset=utf-8", "Application/X-WWW-Form-Urlencoded ;x=y"])
def test_a_form_is_signed(make: Make, kind: str) -> None:
    plugin = OAuth1(*KEYS, *TOKENS)

    one, other = (Arrived.of(sent(make, plugin, form(body, kind))) for body in (b"a=1", b"a=2"))

    assert verified(one._replace(kind=FORM))
    assert one.parameters["oauth_nonce"] == other.parameters["oauth_nonce"]
    assert one.parameters["oauth_signature"] != other.parameters["oauth_signature"]


@BOTH
@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", f"{FORM}x", f"text/{FORM}"])
def test_another_body_is_not_signed(make: Make, kind: str) -> None:
    plugin = OAuth1(*KEYS, *TOKENS)

    one, other = (Arrived.of(sent(make, plugin, form(body, kind))) for body in (b"a=1", b"a=2"))

    assert one.parameters == other.parameters
    assert one.parameters == Arrived.of(sent(make, plugin, request(method="POST", body=b"a=3"))).parameters


@BOTH
def test_a_form_that_is_a_stream_is_refused(make: Make) -> None:
    transport = FakeTransport()
    one = request(method="POST", headers={"content-type": FORM}, body=StreamBody(lambda: [b"a=1"]))

    with pytest.raises(UsageError, match="as bytes"):
        get(make(transport, OAuth1(*KEYS)).send_it(one))

    assert transport.requests == []


@BOTH
def test_another_stream_is_sent(make: Make) -> None:
    body = StreamBody.once([b"x"])

    signed = sent(make, OAuth1(*KEYS, *TOKENS), request(method="PUT", body=body))

    assert signed.body is body
    assert verified(Arrived.of(signed.replace(body=b"")))


@BOTH
def test_a_request_to_another_origin_is_not_signed(make: Make) -> None:
    transport = FakeTransport(otherwise=Response(200))
    client = make(transport, OAuth1(*KEYS, *TOKENS))

    for other in ("https://h/thing", "http://h:8443/thing", "https://h.evil.test:8443/", "https://sub.h:8443/"):
        get(client.send_it(Request("GET", Url.parse(other))))
    get(client.send_it(Request("GET", Url.parse("https://H:8443/elsewhere"))))

    assert ["authorization" in one.headers for one in transport.requests] == [False] * 4 + [True]


@BOTH
def test_each_attempt_has_a_time_a_nonce_and_a_signature_of_its_own(make: Make) -> None:
    transport = FakeTransport([Response(503), Response(503), Response(200)])
    client = make(transport, OAuth1(*KEYS, *TOKENS), Retry(base=20, cap=20))

    get(client.send_it(request(headers={"Authorization": "Basic old"})))

    arrived = [Arrived.of(one) for one in transport.requests]
    assert all(map(verified, arrived))
    for name in ("oauth_timestamp", "oauth_nonce", "oauth_signature"):
        assert len({one.parameters[name] for one in arrived}) == 3


@BOTH
def test_calls_of_one_second_have_nonces_of_their_own(make: Make) -> None:
    transport = FakeTransport(otherwise=Response(200))
    client = make(transport, OAuth1(*KEYS, *TOKENS))

    for _ in range(50):
        get(client.send_it(request()))

    assert len({Arrived.of(one).parameters["oauth_nonce"] for one in transport.requests}) == 50


# --- signed bytes are sent bytes


@st.composite
def random_requests(draw: st.DrawFn) -> Request:
    segments = draw(st.lists(TEXT.filter(lambda text: text not in ("", ".", "..")), max_size=3))
    pairs = st.lists(st.tuples(TEXT, TEXT), max_size=4)
    return Request(
        draw(st.sampled_from(["GET", "POST", "PUT", "DELETE"])),
        Url.parse("https://h:8443").at(*segments),
        query=draw(pairs),
        headers=draw(st.sampled_from([{}, {"content-type": FORM}, {"content-type": "text/plain"}])),
        body=urlencode(draw(pairs)).encode(),
    )


@given(one=random_requests(), seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=100)
def test_what_was_signed_verifies_and_with_any_change_does_not(one: Request, seed: int) -> None:
    arrived, chance = Arrived.of(sent(sync_client, OAuth1(*KEYS, *TOKENS), one)), Random(seed)

    assert verified(arrived)
    assert not verified(arrived, "http")
    assert not verified(arrived, secrets=(KEYS[1], "other"))
    assert not verified(arrived, secrets=("other", TOKENS[1]))
    for _ in range(10):
        assert not verified(changed(arrived, chance))


def changed(one: Arrived, chance: Random) -> Arrived:
    """With one character more or another; not any bit, as `%3a` and `%3A` are the same."""
    match chance.choice(["method", "target", "host", "authorization", *(["body"] if one.kind == FORM else [])]):
        case "method":
            return one._replace(method=one.method + "X")
        case "target":
            return one._replace(target=one.target + "x")
        case "host":
            return one._replace(host="x" + one.host)
        case "body":
            return one._replace(body=b"x" + one.body)
        case _:
            name = chance.choice(["consumer_key", "token", "timestamp", "nonce", "signature"])
            head, mark, tail = one.authorization[0].partition(f'oauth_{name}="')
            return one._replace(authorization=(head + mark + other(tail[0]) + tail[1:],))


def other(letter: str) -> str:
    return "b" if letter == "a" else "a"


def accepting(peer: Peer) -> None:
    for _ in peer.requests():
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("colour", [CoreClient, AsyncCoreClient])
def test_a_service_finds_the_signature_in_the_bytes_that_arrive(colour: Any, serve: Serve) -> None:
    server, chance, plugin = serve(accepting), Random(7), OAuth1(*KEYS, *TOKENS, method="HMAC-SHA256")
    letters = "aZ09-._~ /?#[]@!$&'()*+,;=:%é日\U0001f600\"<>\\^`{|}"

    def text(least: int = 0) -> str:
        return "".join(chance.choices(letters, k=chance.randint(least, 6))) + "x" * least

    def one(base: Url) -> Request:
        return Request(
            chance.choice(["GET", "POST", "PUT", "DELETE", "PATCH"]),
            base.at(*(text(1) for _ in range(chance.randint(0, 3)))),
            query=[(text(), text()) for _ in range(chance.randint(0, 4))],
            headers={"content-type": chance.choice([FORM, "application/json"])},
            body=urlencode([(text(), text()) for _ in range(chance.randint(0, 3))]).encode(),
        )

    async def in_async() -> None:
        async with colour(server.url, plugins=[plugin]) as client:
            for _ in range(250):
                await client.send_it(one(client.url()))

    if colour is AsyncCoreClient:
        asyncio.run(in_async())
    else:
        with colour(server.url, plugins=[plugin]) as client:
            for _ in range(250):
                client.send_it(one(client.url()))

    arrived = [Arrived.on_the_wire(received) for received in server.requests]
    assert len(arrived) == len({found.parameters["oauth_nonce"] for found in arrived}) == 250
    assert all(verified(found, "http") for found in arrived)
    assert not any(verified(changed(found, chance), "http") for found in arrived)


# --- what is refused, and what is never shown


@pytest.mark.parametrize("method", ["RSA-SHA1", "hmac-sha1", "", None, 1])
def test_a_method_that_is_none_is_refused(method: Any) -> None:
    with pytest.raises(ConfigurationError, match="HMAC-SHA1, HMAC-SHA256, PLAINTEXT"):
        OAuth1(*KEYS, method=method)


@pytest.mark.parametrize("realm", ['a"b', "a\\b", "a\nb", "é", 7])
def test_a_realm_that_cannot_be_quoted_is_refused(realm: Any) -> None:
    with pytest.raises(ConfigurationError, match="realm"):
        OAuth1(*KEYS, realm=realm)


@pytest.mark.parametrize("text", ["", 7, b"x"])
def test_a_secret_that_is_no_text_is_refused(text: Any) -> None:
    for arguments in ((text, "s"), ("k", text), ("k", "s", text), ("k", "s", "t", text)):
        with pytest.raises(UsageError):
            OAuth1(*arguments)


def test_text_that_cannot_be_sent_is_refused_and_not_shown() -> None:
    for place, what in enumerate(["consumer_key", "consumer_secret", "token", "token_secret"]):
        arguments: list[Any] = ["k", "s", "t", "ts"]
        arguments[place] = "canary\ud800"
        with pytest.raises(ConfigurationError, match=what) as caught:
            OAuth1(*arguments)
        assert "canary" not in str(caught.value)
        assert caught.value.__context__ is None  # it would hold the text


def test_a_token_secret_without_a_token_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="give both"):
        OAuth1(*KEYS, None, "secret")


@BOTH
@pytest.mark.parametrize("method", ["HMAC-SHA1", "PLAINTEXT"])
def test_the_secrets_are_shown_nowhere(make: Make, method: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    transport = FakeTransport([Response(404)])
    plugin = OAuth1(*KEYS, *TOKENS, method=method)
    client = make(transport, plugin)

    with pytest.raises(NotFoundError) as caught:
        get(client.send_it(request()))

    explained = get(client.send_it.explain(request()))
    (one,) = transport.requests
    shown = (
        f"{plugin!r} {vars(plugin)} {caught.value!r} {caught.value!s} {explained!s} {explained!r} {client.chain} "
        f"{client!r} {one!r} {one.headers!r} {caplog.text}"
    )
    assert "canary" not in shown
    assert Arrived.of(one).parameters["oauth_signature"] not in shown


@BOTH
def test_two_signers_are_refused(make: Make) -> None:
    class Other(OAuth1):
        name = "other"

    with pytest.raises(ConfigurationError, match="SIGN has two owners"):
        make(FakeTransport(), OAuth1(*KEYS), Other(*KEYS))
