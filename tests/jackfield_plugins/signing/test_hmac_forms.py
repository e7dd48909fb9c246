"""Recipes over parameters wherever these stand: one recipe for a query and for a form, signer and verifier."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.both import Both
from tests.made import Make, both, get, makers

from jackfield import (
    ConfigurationError,
    Headers,
    Request,
    Response,
    Service,
    SignatureError,
    StreamBody,
    Url,
    UsageError,
    operation,
)
from jackfield.testing import FakeTransport
from jackfield_plugins.retry import Retry
from jackfield_plugins.signing import (
    Constant,
    Expiry,
    HmacRecipe,
    HmacSigning,
    HmacVerifier,
    InHeader,
    InParameters,
    InQuery,
    Message,
    Method,
    Parameters,
    Query,
    Target,
    UniqueId,
)

if TYPE_CHECKING:
    from tests.servers import Peer, Serve

KEY = "hunter2-canary"
URL = Url.parse("https://h/thing")
FORM = "application/x-www-form-urlencoded"
NOW = 1_700_000_000.0  # when virtual time starts

PLAIN = HmacRecipe(content=(Parameters(),), place=InParameters("signature", any_case=True))
STAMPED = HmacRecipe(
    content=(Method(), Parameters()),
    separator="\n",
    place=InParameters("sig"),
    stamps=(Constant(InParameters("v"), "3"), Expiry(InParameters("expires"), 60), UniqueId(InParameters("id"))),
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PAIRS = st.lists(st.tuples(TEXT.filter(lambda name: name not in ("sig", "v", "expires", "id")), TEXT), max_size=5)


class Core(Service):
    @operation
    async def send_this(self, request: Request) -> bytes:
        return (await self.send(request)).content


sync_client, async_client = makers(Core)
BOTH = both(sync_client, async_client)


def form(pairs: Iterable[tuple[str, str]] | bytes, kind: str = FORM, **more: Any) -> Request:
    body = pairs if isinstance(pairs, bytes) else urlencode(list(pairs)).encode()
    return Request("POST", URL, headers={"content-type": kind}, body=body, **more)


def sent(request: Request, recipe: HmacRecipe = PLAIN, make: Make = sync_client) -> Request:
    """What goes out when this is signed."""
    transport = FakeTransport(otherwise=Response(200))
    get(make(transport, HmacSigning(recipe, KEY)).send_this(request))
    return transport.requests[0]


def fields(request: Request) -> list[tuple[str, str]]:
    return parse_qsl(bytes_of(request).decode(), keep_blank_values=True)


def bytes_of(request: Request) -> bytes:
    assert isinstance(request.body, bytes)
    return request.body


def mac(text: str) -> str:
    return b64encode(hmac.digest(KEY.encode(), text.encode(), "sha256")).decode()


def check(request: Request, recipe: HmacRecipe = PLAIN) -> None:
    HmacVerifier(recipe, KEY).check(Message.of(request), bytes_of(request), NOW)


# --- what goes out


@BOTH
def test_the_signature_joins_the_parameters_in_the_form(make: Make) -> None:
    request = sent(form(b"b=2&a=%C3%BC+x"), make=make)

    assert fields(request) == [("b", "2"), ("a", "ü x"), ("signature", mac("a=%C3%BC%20x&b=2"))]
    assert bytes_of(request).startswith(b"b=2&a=%C3%BC+x&signature=")  # the rest stays as it was written
    assert (request.method, request.url, request.query) == ("POST", URL, ())
    check(request)


@BOTH
def test_the_signature_joins_the_parameters_in_the_query(make: Make) -> None:
    request = sent(Request("GET", URL, query=[("b", "2"), ("a", "ü x")]), make=make)

    assert request.query == (("b", "2"), ("a", "ü x"), ("signature", mac("a=%C3%BC%20x&b=2")))
    assert request.body == b""
    check(request)


def test_both_places_sign_the_same_text() -> None:
    pairs = [("a", "1 ~*"), ("A", "ü+&=")]

    text = PLAIN.canonical(Request("GET", URL, query=pairs))
    posted = form([*pairs, ("Signature", "x")])
    assert PLAIN.canonical(form(pairs)) == PLAIN.canonical(posted) == text
    assert PLAIN.canonical(Message.of(posted), bytes_of(posted)) == text


def test_stamps_stand_with_the_signature_and_are_checked_there() -> None:
    request = sent(form([("a", "1")]), STAMPED)

    assert [name for name, _ in fields(request)] == ["a", "v", "expires", "id", "sig"]
    assert request.query == ()
    check(request, STAMPED)
    late = b"v=3&expires=2023-11-14T22:13:19%2B0000&id=x&sig=" + b"x"
    with pytest.raises(SignatureError, match="expired 1 s ago"):
        check(form(late), STAMPED)
    with pytest.raises(SignatureError, match="the parameter v is missing"):
        check(form(b"a=1&sig=x"), STAMPED)


@BOTH
def test_each_attempt_is_signed_afresh(make: Make) -> None:
    transport = FakeTransport([Response(503), Response(503), Response(200)])
    client = make(transport, HmacSigning(STAMPED, KEY), Retry(base=10))

    get(client.send_this(form([("a", "1")], idempotent=True)))

    found = [dict(fields(request)) for request in transport.requests]
    assert [len(one) for one in found] == [5, 5, 5]
    assert len({one["sig"] for one in found}) == len({one["id"] for one in found}) == 3


@pytest.mark.parametrize(
    "request_",
    [form(b"a=1&Signature=old&SIGNATURE=older&a=2"), Request("GET", URL, query=b"a=1&Signature=old&a=2".decode())],
)
def test_an_old_signature_is_replaced(request_: Request) -> None:
    request = sent(request_)

    pairs = fields(request) if request.body else list(request.query)
    assert pairs == [("a", "1"), ("a", "2"), ("signature", mac("a=1&a=2"))]


@pytest.mark.parametrize("name", [b"signature", b"SIGNATURE", b"sig%6Eature", b"Signatur%45"])
def test_a_signature_is_known_however_its_name_is_written(name: bytes) -> None:
    body = sent(form(b"&a=1&" + name + b"=old&&b=2")).body

    assert body == b"a=1&b=2&signature=" + quote(mac("a=1&b=2"), safe="").encode()


def test_a_blank_in_a_name_is_written_either_way() -> None:
    recipe = HmacRecipe(content=(Parameters(),), place=InParameters("my sig"))

    request = sent(form(b"my+sig=old&my%20sig=older&a=1"), recipe)

    assert fields(request) == [("a", "1"), ("my sig", mac("a=1"))]


def test_an_empty_form_is_signed_as_one() -> None:
    request = sent(form(b""))

    assert fields(request) == [("signature", mac(""))]
    check(request)


@pytest.mark.parametrize("kind", [FORM, FORM.upper(), f"{FORM}; charset=UTF-8", f'{FORM};charset="utf-8"', f" {FORM}"])
def test_a_form_is_told_by_its_content_type(kind: str) -> None:
    request = form(b"a=1").replace(headers=Headers.received([("Content-Type", kind)]))

    assert PLAIN.canonical(request) == b"a=1"


@pytest.mark.parametrize("kind", ["application/json", f"{FORM}; charset=latin-1", f"{FORM}x", f"{FORM}; x", ""])
def test_a_body_that_is_no_form_is_neither_signed_nor_accepted(kind: str) -> None:
    request = form(b"a=1", kind)

    with pytest.raises(UsageError, match="this body is neither"):
        sent(request)
    with pytest.raises(SignatureError, match="this body is neither"):
        check(request)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_where_a_body_means_nothing_there_is_no_form(method: str) -> None:
    headers = {"content-type": FORM}

    request = sent(Request(method, URL, query=[("a", "1")], headers=headers))

    assert dict(request.query) == {"a": "1", "signature": mac("a=1")}
    with pytest.raises(UsageError, match="this body is neither"):
        sent(Request(method, URL, headers=headers, body=b"a=1"))


def test_parameters_in_both_places_are_neither_signed_nor_accepted() -> None:
    signed = sent(form(b"a=1"))

    with pytest.raises(UsageError, match="into one of them"):
        sent(form(b"a=1", query=[("b", "2")]))
    with pytest.raises(SignatureError, match="into one of them"):
        check(signed.replace(query=[("b", "2")]))


def test_a_form_that_is_a_stream_is_refused() -> None:
    request = Request("POST", URL, headers={"content-type": FORM}, body=StreamBody(lambda: [b"a=1"]))

    with pytest.raises(UsageError, match="give its body as bytes"):
        sent(request)


def test_a_form_that_is_not_utf_8_is_neither_signed_nor_accepted() -> None:
    for body in (b"a=%ff", b"\xff=1"):
        with pytest.raises(UsageError, match="not UTF-8"):
            sent(form(body))
        with pytest.raises(SignatureError, match="not UTF-8"):
            check(form(body))


# --- what goes together


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ((Query(),), InParameters("s")),
        ((Method(),), InParameters("s")),
        ((Parameters(),), InQuery("s")),
    ],
)
def test_a_signature_stands_where_what_it_signs_does(content: Any, place: Any) -> None:
    with pytest.raises(ConfigurationError, match="InParameters goes with Parameters"):
        HmacRecipe(content=content, place=place)


def test_a_target_would_hold_the_signature() -> None:
    with pytest.raises(ConfigurationError, match="would hold the signature itself"):
        HmacRecipe(content=(Target(), Parameters()), place=InParameters("s"))


@pytest.mark.parametrize(
    ("content", "field"),
    [((Query(),), InParameters("t")), ((Target(),), InParameters("t")), ((Parameters(),), InQuery("t"))],
)
def test_a_stamp_stands_where_it_is_signed(content: Any, field: Any) -> None:
    with pytest.raises(ConfigurationError, match="t would be stamped and not signed"):
        HmacRecipe(content=content, place=InHeader("x"), stamps=(Constant(field, "1"),))


def test_the_signature_of_a_form_may_stand_in_a_header() -> None:
    recipe = HmacRecipe(content=(Parameters(),), place=InHeader("x-mac"), encoding="hex")

    request = sent(form(b"b=2&a=1"), recipe)

    assert request.headers["x-mac"] == hmac.digest(KEY.encode(), b"a=1&b=2", "sha256").hex()
    assert request.body == b"b=2&a=1"
    check(request, recipe)


# --- whatever is sent


@given(PAIRS, st.booleans())
@settings(deadline=None, max_examples=100)
def test_whatever_is_signed_is_verified(pairs: list[tuple[str, str]], as_form: bool) -> None:
    request = form(pairs) if as_form else Request("GET", URL, query=pairs)

    signed = sent(request, STAMPED)

    check(signed, STAMPED)
    assert (fields(signed) if as_form else list(signed.query))[: len(pairs)] == pairs


@given(PAIRS, st.integers(0, 10_000))
@settings(deadline=None, max_examples=100)
def test_any_flipped_bit_fails_unless_the_form_means_the_same(pairs: list[tuple[str, str]], at: int) -> None:
    body = bytes_of(sent(form(pairs), STAMPED))
    flipped = bytearray(body)
    flipped[at // 8 % len(body)] ^= 1 << at % 8
    touched = form(bytes(flipped))

    try:
        same = set(fields(touched)) == set(fields(form(body)))
    except UnicodeDecodeError:
        same = False

    assert HmacVerifier(STAMPED, KEY).verify(Message.of(touched), bytes(flipped), NOW) == same


@given(st.binary(max_size=60), st.sampled_from([FORM, "", "text/plain"]), st.sampled_from(["GET", "POST", ""]))
@settings(deadline=None, max_examples=100)
def test_whatever_comes_in_it_is_refused_and_nothing_else_happens(body: bytes, kind: str, method: str) -> None:
    message = Message.received(method, "https://h/thing", Headers.received([("content-type", kind)]))

    assert not HmacVerifier(PLAIN, KEY).verify(message, body, NOW)


def test_what_was_signed_in_a_form_arrives_over_a_socket(serve: Serve) -> None:
    def answering(peer: Peer) -> None:
        for _ in peer.requests():
            peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    server = serve(answering)
    url = Url.parse(f"{server.url}/thing")
    with Both("sync", Core, server.url, plugins=[HmacSigning(PLAIN, KEY)]) as api:
        api.client.send_this(form([("a", "ü ~*[]+%&=\n")]).replace(url=url))

    (received,) = server.requests
    message = Message.received("POST", str(url), Headers.received(received.headers))
    HmacVerifier(PLAIN, KEY).check(message, received.body)
    assert parse_qsl(received.body.decode())[0] == ("a", "ü ~*[]+%&=\n")
