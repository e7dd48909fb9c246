"""The HMAC signer: signs the bytes that go out, afresh for each attempt, and for nobody but the service."""

from __future__ import annotations

import hashlib
import hmac
import pickle
import random
from base64 import b64encode
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.both import Both
from tests.made import Make, both, get, makers

from jackfield import (
    Call,
    ConfigurationError,
    Headers,
    NotFoundError,
    Proceed,
    Request,
    Response,
    Secret,
    Service,
    Stage,
    Step,
    StreamBody,
    Url,
    UsageError,
    hookimpl,
    operation,
)
from jackfield.testing import FakeTransport
from jackfield_plugins.retry import Retry
from jackfield_plugins.signing import (
    Authority,
    Body,
    Constant,
    Expiry,
    Header,
    HmacRecipe,
    HmacSigning,
    HmacVerifier,
    InHeader,
    InQuery,
    Message,
    Method,
    Query,
    Target,
    Text,
    UniqueId,
    UnixTime,
)

if TYPE_CHECKING:
    from tests.servers import Peer, ReceivedRequest, ScriptedServer, Serve

CANARY = "hunter2-canary"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)

QUERY = HmacRecipe(content=(Query(),), place=InQuery("signature"))
BODY = HmacRecipe(content=(Body(),), place=InHeader("x-mac"), encoding="hex")
WHOLE = HmacRecipe(
    content=(Text("v1"), Method(), Authority(), Target(), Header("x-time"), Header("x-id"), Header("x-tag"), Body()),
    separator="\n",
    place=InHeader("x-mac"),
    encoding="hex",
    form="v1={}",
    stamps=(UnixTime(InHeader("x-time")), UniqueId(InHeader("x-id"))),
)


class Core(Service):
    @operation
    async def send_it(self, query: Iterable[tuple[str, str]] = (), url: Url | None = None) -> bytes:
        request = Request(
            "POST", url or self.url("thing"), query=query, headers={"x": "y"}, body=b"body", idempotent=True
        )
        return (await self.send(request)).content

    @operation
    async def send_this(self, request: Request) -> bytes:
        return (await self.send(request)).content


sync_client, async_client = makers(Core, base="https://h:8443")
BOTH = both(sync_client, async_client)


def sent(make: Make, query: Iterable[tuple[str, str]], recipe: HmacRecipe = QUERY, key: Any = CANARY) -> Request:
    """What goes out when this is signed."""
    transport = FakeTransport(otherwise=Response(200))
    get(make(transport, HmacSigning(recipe, key)).send_it(list(query)))
    return transport.requests[0]


def mac(text: str, key: str = CANARY, digest: str = "sha256") -> str:
    return b64encode(hmac.digest(key.encode(), text.encode(), digest)).decode()


# --- what goes out


@BOTH
def test_the_signature_is_added_to_the_query_and_nothing_else_changes(make: Make) -> None:
    request = sent(make, [("b", "2"), ("a", "ü")])

    assert request.query == (("b", "2"), ("a", "ü"), ("signature", mac("a=%C3%BC&b=2")))
    assert (request.method, request.url, request.body) == ("POST", Url.parse("https://h:8443/thing"), b"body")
    assert request.headers["x"] == "y"
    assert request.is_idempotent


@BOTH
def test_the_signature_is_put_into_a_header_and_nothing_else_changes(make: Make) -> None:
    recipe = HmacRecipe(content=(Method(), Header("x"), Body()), separator="|", place=InHeader("X-Mac"), form="a={}")

    request = sent(make, [("a", "1")], recipe)

    assert request.headers.get_all("x-mac") == [f"a={mac('POST|y|body')}"]
    assert (request.query, request.body, request.headers["x"]) == ((("a", "1"),), b"body", "y")


@BOTH
def test_a_recipe_names_the_parameter_and_the_digest(make: Make) -> None:
    request = sent(make, [("a", "1")], HmacRecipe(content=(Query(),), place=InQuery("sig"), digest="sha512"))

    assert request.query[-1] == ("sig", mac("a=1", digest="sha512"))


@BOTH
def test_a_signature_that_is_there_already_is_replaced(make: Make) -> None:
    request = sent(make, [("signature", "forged"), ("a", "1"), ("signature", "forged too")])

    assert request.query == (("a", "1"), ("signature", mac("a=1")))


@BOTH
def test_where_the_service_sees_no_case_a_signature_in_any_case_is_replaced(make: Make) -> None:
    recipe = HmacRecipe(content=(Query(),), place=InQuery("Signature", any_case=True))
    query = [("signature", "forged"), ("a", "1"), ("SIGNATURE", "forged too")]

    assert sent(make, query, recipe).query == (("a", "1"), ("Signature", mac("a=1")))
    assert sent(make, query).query[-1][1] == mac("SIGNATURE=forged%20too&a=1")


@BOTH
def test_a_key_may_be_text_or_a_secret(make: Make) -> None:
    assert sent(make, [("a", "1")], key=Secret("k")) == sent(make, [("a", "1")], key="k")


@BOTH
def test_a_request_to_another_origin_is_not_signed(make: Make) -> None:
    transport = FakeTransport(otherwise=Response(200))
    client = make(transport, HmacSigning(QUERY, CANARY))

    for other in ("https://h/thing", "http://h:8443/thing", "https://h.evil.test:8443/thing", "https://sub.h:8443/"):
        get(client.send_it([("a", "1")], Url.parse(other)))
    get(client.send_it([("a", "1")], Url.parse("https://H:8443/elsewhere")))

    assert [request.query[1:] for request in transport.requests[:4]] == [()] * 4
    assert transport.requests[4].query[1:] == (("signature", mac("a=1")),)


@BOTH
def test_a_request_to_another_origin_gets_no_stamps_either(make: Make) -> None:
    transport = FakeTransport(otherwise=Response(200))

    get(make(transport, HmacSigning(WHOLE, CANARY)).send_it((), Url.parse("https://elsewhere.test/")))

    assert not {"x-time", "x-id", "x-mac"} & {name.lower() for name in transport.requests[0].headers}


@BOTH
def test_each_attempt_is_signed_afresh_after_all_other_steps(make: Make) -> None:
    class Nonce:
        name = "nonce"

        @hookimpl
        def jackfield_steps(self) -> Iterable[Step]:
            return [Step("nonce", Stage.AUTH, self.run)]

        async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
            return await proceed(request.replace(query=(*request.query, ("nonce", str(call.attempts)))), call)

    transport = FakeTransport([Response(503), Response(503), Response(200)])

    get(make(transport, HmacSigning(QUERY, CANARY), Nonce(), Retry()).send_it([("a", "1")]))

    assert [request.query for request in transport.requests] == [
        (("a", "1"), ("nonce", nonce), ("signature", mac(f"a=1&nonce={nonce}"))) for nonce in "012"
    ]


# --- stamps


@BOTH
def test_each_attempt_has_a_time_an_id_and_an_expiry_of_its_own(make: Make) -> None:
    recipe = HmacRecipe(
        content=(Query(), Header("x-time"), Header("x-id")),
        separator="\n",
        place=InQuery("sig"),
        stamps=(
            Constant(InQuery("version"), "3"),
            Expiry(InQuery("expires", any_case=True), 60),
            UnixTime(InHeader("x-time")),
            UniqueId(InHeader("x-id"), "id-"),
        ),
    )
    transport = FakeTransport([Response(503), Response(200)])
    client = make(transport, HmacSigning(recipe, CANARY), Retry(base=20.0))

    get(client.send_it([("Expires", "never"), ("a", "1")]))

    first, second = transport.requests
    assert first.query[:3] == (("a", "1"), ("version", "3"), ("expires", "2023-11-14T22:14:20+0000"))
    assert first.headers["x-time"] == "1700000000"
    assert int(second.headers["x-time"]) == int(1_700_000_000 + client.runtime.elapsed) > 1_700_000_000
    assert [len(request.headers["x-id"]) for request in transport.requests] == [35, 35]
    assert first.headers["x-id"][:3] == second.headers["x-id"][:3] == "id-"
    assert first.headers["x-id"] != second.headers["x-id"]
    assert first.query[2] != second.query[2]
    assert [name for name, _ in second.query] == ["a", "version", "expires", "sig"]
    for request in transport.requests:
        HmacVerifier(recipe, CANARY).check(Message.of(request), b"body", client.runtime.now())


@BOTH
def test_an_id_that_the_request_has_already_is_kept_on_every_attempt(make: Make) -> None:
    transport = FakeTransport([Response(503), Response(200)])
    request = Request("PUT", Url.parse("https://h:8443/"), headers={"X-Id": "mine", "x-time": "1"})

    get(make(transport, HmacSigning(WHOLE, CANARY), Retry()).send_this(request))

    assert [request.headers.get_all("x-id") for request in transport.requests] == [["mine"], ["mine"]]
    assert [len(request.headers.get_all("x-time")[0]) for request in transport.requests] == [10, 10]


@BOTH
def test_an_id_that_could_be_read_in_two_ways_is_refused(make: Make) -> None:
    recipe = HmacRecipe(
        content=(Header("x-id"), Body()), separator=".", place=InHeader("s"), stamps=(UniqueId(InHeader("x-id")),)
    )
    transport = FakeTransport()
    request = Request("PUT", Url.parse("https://h:8443/"), headers={"x-id": "a.b"})

    with pytest.raises(UsageError, match=r"Header\(name='x-id'\) must not hold '\.'"):
        get(make(transport, HmacSigning(recipe, CANARY)).send_this(request))


# --- bodies


@BOTH
def test_a_streamed_body_is_signed_and_then_sent_whole(make: Make) -> None:
    opened: list[int] = []

    def pieces() -> Iterable[bytes]:
        opened.append(1)
        return [b"bo", b"", b"dy"]

    transport = FakeTransport([Response(503), Response(200)])
    request = Request("PUT", Url.parse("https://h:8443/"), body=StreamBody(pieces))

    get(make(transport, HmacSigning(BODY, CANARY), Retry()).send_this(request))

    expected = hmac.digest(CANARY.encode(), b"body", "sha256").hex()
    assert [request.headers["x-mac"] for request in transport.requests] == [expected, expected]
    assert [b"".join(request.body) for request in transport.requests if isinstance(request.body, StreamBody)] == [
        b"body",
        b"body",
    ]
    assert len(opened) == 4


@BOTH
def test_a_body_that_can_be_read_once_only_is_refused_before_anything_is_sent(make: Make) -> None:
    transport = FakeTransport()
    body = StreamBody.once([b"body"])

    with pytest.raises(UsageError, match="can be read once only"):
        get(
            make(transport, HmacSigning(BODY, CANARY)).send_this(
                Request("PUT", Url.parse("https://h:8443/"), body=body)
            )
        )

    assert transport.requests == []
    assert b"".join(body) == b"body"


@BOTH
def test_a_body_that_is_not_signed_may_be_readable_once_only(make: Make) -> None:
    transport = FakeTransport([Response(200)])
    body = StreamBody.once([b"body"])

    get(make(transport, HmacSigning(QUERY, CANARY)).send_this(Request("PUT", Url.parse("https://h:8443/"), body=body)))

    assert b"".join(body) == b"body"


# --- the wire


@given(st.lists(st.tuples(TEXT, TEXT), max_size=6))
@settings(deadline=None, max_examples=100)
def test_whatever_is_sent_a_server_that_reads_the_query_finds_the_same_signature(query: list[tuple[str, str]]) -> None:
    request = sent(sync_client, query)

    *received, (name, signature) = request.query
    pairs = sorted(((n, v) for n, v in received), key=lambda pair: pair[0].encode())
    assert name == "signature"
    assert signature == mac("&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in pairs))
    assert received == [pair for pair in query if pair[0] != "signature"]


def wire_body(received: ReceivedRequest) -> bytes:
    if not received.get_all("transfer-encoding"):
        return received.body
    body, rest = b"", received.body
    while size := int(rest.partition(b"\r\n")[0], 16):
        start = rest.index(b"\r\n") + 2
        body, rest = body + rest[start : start + size], rest[start + size + 2 :]
    return body


def wire_mac(received: ReceivedRequest) -> str:
    """What WHOLE says, of nothing but the bytes that came."""
    (host,), (time,), (identity,) = (received.get_all(name) for name in ("host", "x-time", "x-id"))
    tags = ", ".join(received.get_all("x-tag"))
    head = "\n".join(["v1", received.line.split(" ")[0], host, received.target, time, identity, tags, ""])
    return hmac.digest(CANARY.encode(), head.encode("latin-1") + wire_body(received), "sha256").hex()


def any_request(server: ScriptedServer, chance: random.Random) -> Request:
    def text(alphabet: str = "aZ0 ~*+/%&=?#é日🦆\n'\"") -> str:
        return "".join(chance.choices(alphabet, k=chance.randrange(5)))

    url = Url.parse(server.url).at(*[text() + "s" for _ in range(chance.randrange(4))])
    whole = chance.randbytes(chance.choice([0, 1, 300, 70_000]))
    stream = StreamBody(lambda: [whole], length=chance.choice([None, len(whole)]))
    body = stream if chance.random() < 0.3 else whole
    headers = [("x-tag", text("aZ0é~,;") or "-") for _ in range(chance.randrange(4))]
    query = [(text(), text()) for _ in range(chance.randrange(4))]
    return Request(chance.choice(["POST", "PUT", "PATCH"]), url, query=query, headers=headers, body=body)


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_what_is_signed_is_what_is_sent(serve: Serve, colour: str) -> None:
    def answer(peer: Peer) -> None:
        for _ in peer.requests():
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    server = serve(answer)
    chance = random.Random(42)
    requests = [any_request(server, chance) for _ in range(300)]

    with Both(colour, Core, server.url, plugins=[HmacSigning(WHOLE, CANARY)]) as api:
        for request in requests:
            api.get(api.client.send_this(request))

    assert len(server.requests) == 300
    assert [r.get_all("x-mac") for r in server.requests] == [[f"v1={wire_mac(r)}"] for r in server.requests]
    assert len({r.get_all("x-id")[0] for r in server.requests}) == 300
    verifier = HmacVerifier(WHOLE, CANARY)
    for received in server.requests:
        method, headers = received.line.split(" ")[0], Headers.received(received.headers)
        verifier.check(Message.received(method, server.url + received.target, headers), wire_body(received))


# --- secrets


@BOTH
@pytest.mark.parametrize("recipe", [QUERY, BODY, WHOLE], ids=["query", "body", "whole"])
def test_the_key_and_the_signature_are_shown_nowhere(make: Make, recipe: HmacRecipe) -> None:
    transport = FakeTransport([Response(404)])
    signing = HmacSigning(recipe, CANARY)
    client = make(transport, signing)

    with pytest.raises(NotFoundError) as caught:
        get(client.send_it([("a", "1")]))

    request = transport.requests[0]
    signature = dict(request.query).get("signature") or request.headers["x-mac"]
    explained = get(client.send_it.explain([("a", "1")]))
    verifier = HmacVerifier(recipe, CANARY, CANARY * 2)
    shown = f"{signing!r} {vars(signing)} {verifier!r} {vars(verifier)} {request!r} {request.headers!r} {client.chain}"
    shown += f"{caught.value!r} {caught.value!s} {vars(caught.value)} {explained!s} {explained!r}"
    shown += f"{recipe.canonical(request, b'body')!r}"
    assert CANARY not in shown
    assert signature not in shown
    assert quote(signature, safe="") not in shown


def test_an_error_shows_the_parameter_and_not_the_signature() -> None:
    with pytest.raises(NotFoundError, match=r"signature=\*\*\*"):
        sync_client(FakeTransport([Response(404)]), HmacSigning(QUERY, CANARY)).send_it()


@pytest.mark.parametrize("copied", [pickle.dumps, deepcopy])
def test_a_signer_is_neither_pickled_nor_copied_with_its_key(copied: Callable[[object], object]) -> None:
    with pytest.raises(TypeError):
        copied(HmacSigning(QUERY, CANARY))


@BOTH
def test_a_request_to_look_at_is_signed_as_the_one_that_is_sent(make: Make) -> None:
    transport = FakeTransport([Response(200)])
    client = make(transport, HmacSigning(QUERY, CANARY))

    shown = get(client.send_it.request([("a", "1")]))
    get(client.send_it([("a", "1")]))

    assert transport.requests == [shown]


# --- the making of it


@BOTH
def test_two_signers_are_refused(make: Make) -> None:
    class Other(HmacSigning):
        name = "other"

    with pytest.raises(ConfigurationError, match="SIGN has two owners"):
        make(FakeTransport(), HmacSigning(QUERY, "k"), Other(QUERY, "k"))


@pytest.mark.parametrize("digest", sorted(hashlib.algorithms_guaranteed - {"shake_128", "shake_256"}))
def test_every_digest_that_python_guarantees_signs(digest: str) -> None:
    recipe = HmacRecipe(content=(Query(),), place=InQuery("s"), digest=digest)

    assert sent(sync_client, [("a", "1")], recipe).query[-1][1] == mac("a=1", digest=digest)


@pytest.mark.parametrize("key", ["", None, b"bytes"])
def test_a_key_that_is_none_is_refused_when_the_plugin_is_made(key: Any) -> None:
    with pytest.raises(UsageError):
        HmacSigning(QUERY, key)


def test_a_key_that_cannot_be_read_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigurationError, match="the key is empty, or not written as") as caught:
        HmacSigning(QUERY, f"{CANARY}\ud800")

    assert caught.value.__context__ is None
    assert "canary" not in repr(caught.value)
