"""HMAC recipes as data, and their verifier: what was signed is accepted, and nothing else, whatever comes in."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections.abc import Callable, Iterable
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    Client,
    ConfigurationError,
    Headers,
    Request,
    Response,
    Service,
    SignatureError,
    Url,
    UsageError,
    operation,
)
from jackfield.testing import FakeTransport, VirtualSyncRuntime
from jackfield_plugins import signing
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

VECTORS = Path(__file__).parents[2] / "vectors"
RFC: list[dict[str, Any]] = json.loads((VECTORS / "hmac_rfc4231_rfc2202.json").read_text())["cases"]
JWS: dict[str, Any] = json.loads((VECTORS / "webhook_hmac_jws.json").read_text())["cases"][1]

KEY = "hunter2-canary"
NOW = 1_700_000_000.0  # when virtual time starts
URL = Url.parse("https://h:8443/a%2Fb/c")

STRICT = HmacRecipe(
    content=(Method(), Authority(), Target(), Header("x-time"), Header("x-id"), Header("x-tag"), Body()),
    separator="\n",
    place=InHeader("x-mac"),
    stamps=(UnixTime(InHeader("x-time"), tolerance=9e8), UniqueId(InHeader("x-id"))),
)
LOOSE = HmacRecipe(
    content=(Method(), signing.Path(), Query(), Header("x-tag"), Body()),
    separator="\n",
    place=InQuery("sig"),
    encoding="hex",
    stamps=(Constant(InQuery("version"), "3"), Expiry(InQuery("expires"), 60)),
)
BODY = HmacRecipe(content=(Body(),), place=InHeader("x-mac"), encoding="hex", form="v1={}")


class Core(Service):
    @operation
    async def send_it(self, request: Request) -> Response:
        return await self.send(request)


class CoreClient(Core, Client): ...


def signed(recipe: HmacRecipe, request: Request, key: str = KEY) -> Request:
    transport = FakeTransport(otherwise=Response(200))
    runtime = VirtualSyncRuntime()
    CoreClient("https://h:8443", transport=transport, plugins=[HmacSigning(recipe, key)], runtime=runtime).send_it(
        request
    )
    return transport.requests[0]


def mac_of(text: bytes, key: bytes = KEY.encode(), digest: str = "sha256") -> bytes:
    return hmac.digest(key, text, digest)


# --- the primitive, by the RFCs

RFC_2202 = [  # RFC 2202 §3, cases 1 to 7 but 4 and 5: key, data, HMAC-SHA-1
    ("0b" * 20, b"Hi There".hex(), "b617318655057264e28bc0b6fb378c8ef146be00"),
    (b"Jefe".hex(), b"what do ya want for nothing?".hex(), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
    ("aa" * 20, "dd" * 50, "125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
    (
        "aa" * 80,
        b"Test Using Larger Than Block-Size Key - Hash Key First".hex(),
        "aa4ae5e15272d00e95705637ce8a3b55ed402112",
    ),
]
# RFC 4231 §4.3, case 2
CASE_2 = (b"Jefe".hex(), b"what do ya want for nothing?".hex())
FIGURES = [
    *((case["key_hex"], case["data_hex"], name, digest) for case in RFC for name, digest in case["digests"].items()),
    *((key, data, "sha1", digest) for key, data, digest in RFC_2202),
    (*CASE_2, "sha224", "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"),
    (*CASE_2, "sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
]


@pytest.mark.parametrize(("key", "data", "digest", "expected"), FIGURES)
def test_signer_and_verifier_agree_with_the_figures_of_the_rfcs(
    key: str, data: str, digest: str, expected: str
) -> None:
    recipe = replace(BODY, key=bytes.fromhex, form="{}", digest=digest)

    request = signed(recipe, Request("POST", URL, body=bytes.fromhex(data)), key)

    assert request.headers["x-mac"] == expected
    HmacVerifier(recipe, key).check({"X-Mac": expected}, bytes.fromhex(data))


def test_the_json_web_signature_of_rfc_7515_has_the_mac_that_a_recipe_makes() -> None:
    head_and_payload, _, signature = str(JWS["token"]).rpartition(".")
    recipe = HmacRecipe(content=(Body(),), place=InHeader("x-mac"), key=urlsafe_b64decode)
    standard = b64encode(urlsafe_b64decode(signature + "=")).decode()

    verifier = HmacVerifier(recipe, JWS["key_b64url"] + "==")

    assert verifier.verify({"x-mac": standard}, head_and_payload.encode())
    assert not verifier.verify({"x-mac": standard}, head_and_payload.encode() + b"x")


# --- what is signed


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Text("v0 ü"), "v0 ü".encode()),
        (Method(), b"PUT"),
        (Authority(), b"h:8443"),
        (signing.Path(), b"/a%2Fb/c"),
        (Target(), b"/a%2Fb/c?b=x%20y&a=1%262"),
        (Query(), b"a=1%262&b=x%20y"),
        (Header("X-Tag"), b"\xe9, two"),
        (Header("x-none"), b""),
        (Body(), b"the body"),
    ],
)
def test_each_part_is_as_it_stands_on_the_wire(part: Any, expected: bytes) -> None:
    request = Request(
        "PUT", URL, query=[("b", "x y"), ("a", "1&2")], headers=[("x-tag", "é"), ("X-TAG", "two")], body=b"the body"
    )
    recipe = HmacRecipe(content=(part,), place=InHeader("x-mac"))

    assert recipe.canonical(request, b"the body") == expected
    assert recipe.canonical(Message.of(request), b"the body") == expected


def test_a_host_header_is_the_authority() -> None:
    recipe = HmacRecipe(content=(Authority(),), place=InHeader("x-mac"))

    assert recipe.canonical(Request("GET", URL, headers={"Host": "other"})) == b"other"


def test_a_target_without_a_query_has_no_question_mark_and_one_with_an_empty_query_has() -> None:
    recipe = HmacRecipe(content=(Target(),), place=InHeader("x-mac"))

    assert recipe.canonical(Request("GET", URL)) == b"/a%2Fb/c"
    assert recipe.canonical(Message.received("GET", "https://h/a", Headers())) == b"/a"
    assert recipe.canonical(Message.received("GET", "https://h/a?", Headers())) == b"/a?"
    assert recipe.canonical(Message(path="/a", target="*")) == b"*"


def test_parts_are_joined_by_the_separator() -> None:
    recipe = HmacRecipe(content=(Text("v0"), Method(), Body()), separator=":", place=InHeader("x-mac"))

    assert recipe.canonical(Request("GET", URL), b"b") == b"v0:GET:b"
    assert replace(recipe, separator="").canonical(Request("GET", URL), b"b") == b"v0GETb"


def query_of(pairs: Iterable[tuple[str, str]], part: Query | None = None) -> str:
    recipe = HmacRecipe(content=(part or Query(),), place=InQuery("signature"))
    return recipe.canonical(Request("GET", URL, query=list(pairs))).decode()


def test_parameters_are_sorted_encoded_and_joined() -> None:
    query = [("b", "x y"), ("a&", "1&2=3"), ("C", "é~-._/+*")]

    assert query_of(query) == "C=%C3%A9~-._%2F%2B%2A&a%26=1%262%3D3&b=x%20y"


def test_a_recipe_may_order_encode_and_finish_otherwise() -> None:
    def by_lower_name(pair: tuple[str, str]) -> str:
        return pair[0].lower()

    def with_plus(value: str) -> str:
        return value.replace(" ", "+")

    part = Query(order=by_lower_name, name=str.title, value=with_plus, finish=str.lower)

    assert query_of([("b&", "X y"), ("C", "Z"), ("a", "1")], part) == "a=1&b&=x+y&c=z"
    assert query_of([("b&", "X y")], replace(part, finish=str)) == "B&=X+y"


def test_parameters_of_one_name_keep_their_order() -> None:
    assert query_of([("a", "2"), ("b", "x"), ("a", "1")]) == "a=2&a=1&b=x"


def test_the_signature_itself_is_never_signed() -> None:
    assert query_of([("signature", "old"), ("a", "1"), ("signature", "older"), ("Signature", "")]) == "Signature=&a=1"


@pytest.mark.parametrize("name", ["signature", "Signature", "SIGNATURE"])
def test_the_signature_is_not_signed_in_any_case_where_the_service_sees_none(name: str) -> None:
    recipe = HmacRecipe(content=(Query(),), place=InQuery("siGnature", any_case=True))
    request = Request("GET", URL, query=[(name, "old"), ("a", "1")])

    assert recipe.canonical(request) == recipe.canonical(Message.of(request)) == b"a=1"


def test_nothing_to_sign_is_signed_too() -> None:
    assert query_of([]) == ""
    assert signed(LOOSE, Request("GET", URL)).query[-1][0] == "sig"


# --- a recipe is checked when it is made


@pytest.mark.parametrize("digest", ["nope", "", "shake_128", "SHA 256", None])
def test_a_digest_that_cannot_sign_is_refused(digest: Any) -> None:
    with pytest.raises(ConfigurationError, match="is no digest that signs"):
        replace(BODY, digest=digest)


@pytest.mark.parametrize("form", ["", "v1=", "{}{}", "v1 {}", "{} ", "\n{}"])
def test_a_form_that_cannot_be_read_back_is_refused(form: str) -> None:
    with pytest.raises(ConfigurationError, match="form has one"):
        replace(BODY, form=form)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"content": ()}, "content is a tuple of parts"),
        ({"content": Body()}, "content is a tuple of parts"),
        ({"stamps": UnixTime(InHeader("x"))}, "stamps is a tuple"),
        ({"content": [Body()]}, "content is a tuple of parts, one at least, .* not list"),
        ({"content": (Method(), Body)}, r"a part of the content is Method\(\), .*, not the class Body"),
        ({"content": ("body",)}, "a part of the content is .*, not str"),
        ({"stamps": (UnixTime,)}, "a stamp is UnixTime.*, not the class UnixTime"),
        ({"stamps": (InHeader("x"),)}, "a stamp is UnixTime.*, not InHeader"),
        ({"stamps": (UnixTime(cast("Any", "x-t")),)}, "the field of a stamp, is InHeader.*, not str"),
        ({"place": "x-mac"}, r"place, .* is InHeader\(name\), InQuery\(name\) or InParameters\(name\), not str"),
        ({"place": InHeader}, "place, .*, not the class InHeader"),
        ({"separator": b"."}, "separator is text, not bytes"),
        ({"separator": None}, "separator is text, not NoneType"),
        ({"form": b"{}"}, "form is text with a {} for the signature, not bytes"),
        ({"key": KEY}, "key is a function that reads the secret's text"),
        ({"encoding": "base32"}, "encoding is 'base64' or 'hex', not 'base32'"),
        ({"content": (Header("X-Mac"), Body())}, "holds the signature, and cannot be signed"),
        (
            {"content": (Header("x-mac"), Body()), "place": InHeader("X-MAC")},
            "holds the signature, and cannot be signed",
        ),
        ({"content": (Target(),), "place": InQuery("s")}, "would hold the signature itself"),
        ({"stamps": (UnixTime(InHeader("x-t")),)}, "the header x-t would be stamped and not signed"),
        ({"stamps": (UnixTime(InQuery("t")),)}, "the parameter t would be stamped and not signed"),
        ({"content": (Header("t"),), "stamps": (UnixTime(InQuery("t")),)}, "the parameter t would be stamped"),
        ({"content": (Query(),), "stamps": (UnixTime(InHeader("t")),)}, "the header t would be stamped"),
    ],
)
def test_what_does_not_go_together_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        replace(BODY, **changes)


def test_a_stamp_is_covered_by_its_header_in_any_case_and_by_any_form_of_the_query() -> None:
    replace(BODY, content=(Header("X-T"), Body()), stamps=(UnixTime(InHeader("x-t")),))
    replace(BODY, content=(Query(),), stamps=(UnixTime(InQuery("t")),))
    replace(BODY, content=(Target(),), stamps=(UnixTime(InQuery("t")),))


@pytest.mark.parametrize("name", ["host", "Content-Length", "TRANSFER-ENCODING"])
def test_a_header_that_is_made_when_the_request_is_sent_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="is made when the request is sent"):
        Header(name)


@pytest.mark.parametrize("name", ["", "x y", "x\n", "ü", None])
def test_a_name_that_no_header_can_have_is_refused(name: Any) -> None:
    for kind in (Header, InHeader):
        with pytest.raises(UsageError):
            kind(name)


@pytest.mark.parametrize("wrong", [None, 3, b"x", str])
@pytest.mark.parametrize("make", [Text, InQuery, partial(Constant, InHeader("x")), partial(UniqueId, InHeader("x"))])
def test_text_that_is_none_is_refused(make: Callable[[Any], object], wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=" is text, not "):
        make(wrong)


@pytest.mark.parametrize("name", ["order", "name", "value", "finish"])
def test_a_query_takes_functions(name: str) -> None:
    with pytest.raises(ConfigurationError, match="of a Query are functions of text"):
        Query(**cast("Any", {name: "lower"}))


@pytest.mark.parametrize("wrong", [KEY, None, HmacRecipe, {"content": Body()}])
@pytest.mark.parametrize("make", [HmacSigning, HmacVerifier])
def test_signer_and_verifier_take_a_recipe(make: Callable[[Any, str], object], wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"recipe is an HmacRecipe\(\.\.\.\), not ") as caught:
        make(wrong, "k")

    assert KEY not in str(caught.value)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "60", True])
def test_a_time_that_makes_no_sense_is_refused(seconds: Any) -> None:
    for kind in (UnixTime, Expiry):
        with pytest.raises(ConfigurationError):
            kind(InHeader("x"), seconds)


def test_a_recipe_is_plain_data() -> None:
    assert replace(STRICT) == STRICT
    assert hash(replace(STRICT)) == hash(STRICT)
    assert len({Method(), Body(), Target()}) == 3
    with pytest.raises(FrozenInstanceError):
        STRICT.digest = "md5"  # type: ignore[misc]  # that is the test


# --- verify(sign(x))

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
values = st.from_regex(r"([!-~\xa1-\xff]([ -~\xa1-\xff]{0,5}[!-~\xa1-\xff])?)?", fullmatch=True)
segments = st.lists(texts.filter(lambda text: text not in ("", ".", "..")), max_size=3)
queries = st.lists(st.tuples(texts, texts), max_size=4)


@st.composite
def requests(draw: st.DrawFn) -> tuple[Request, bytes]:
    method = draw(st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "M-SEARCH"]))
    tags = [("x-tag", tag) for tag in draw(st.lists(values, max_size=3))]
    body = draw(st.binary(max_size=20))
    return Request(method, URL.at(*draw(segments)), query=draw(queries), headers=tags, body=body), body


@given(requests())
@settings(deadline=None, max_examples=100)
def test_whatever_is_signed_is_verified(request_and_body: tuple[Request, bytes]) -> None:
    request, body = request_and_body
    for recipe in (STRICT, LOOSE):
        message = Message.of(signed(recipe, request))

        HmacVerifier(recipe, KEY).check(message, body, NOW)
        assert not HmacVerifier(recipe, "another").verify(message, body, NOW)


@given(requests(), st.data())
@settings(deadline=None, max_examples=100)
def test_any_flipped_bit_of_any_request_fails(request_and_body: tuple[Request, bytes], data: st.DataObject) -> None:
    request, body = request_and_body
    sent = signed(STRICT, request)
    message = Message.of(sent)._replace(headers=sent.headers.without("user-agent"))

    wrong = data.draw(st.sampled_from(list(damaged(message, body))))

    assert not HmacVerifier(STRICT, KEY).verify(*wrong, NOW)


PARTS: list[tuple[str, Callable[[Message, str], Message]]] = [
    ("method", lambda message, text: message._replace(method=text)),
    ("authority", lambda message, text: message._replace(authority=text)),
    ("path", lambda message, text: message._replace(path=text)),
    ("query", lambda message, text: message._replace(query=text)),
]


def flipped(data: bytes) -> list[bytes]:
    """The data with each of its bits turned over."""
    return [
        data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
        for place in range(len(data))
        for bit in range(8)
    ]


def damaged(message: Message, body: bytes) -> Iterable[tuple[Message, bytes]]:
    """The message with each bit of each of its parts turned over."""
    for name, change in PARTS:
        for wrong in flipped((getattr(message, name) or "").encode("latin-1")):
            yield change(message, wrong.decode("latin-1")), body
    pairs = message.headers.pairs()
    for number, (name, value) in enumerate(pairs):
        for wrong in flipped(value.encode("latin-1")):
            changed = [*pairs[:number], (name, wrong.decode("latin-1")), *pairs[number + 1 :]]
            yield message._replace(headers=Headers.received(changed)), body
    for wrong in flipped(body):
        yield message, wrong


REQUEST = Request(
    "POST", URL, query=[("a b", "é/1"), ("c", "")], headers=[("x-tag", "one"), ("X-Tag", "t\xe9o")], body=b"\x00body"
)


def test_any_flipped_bit_in_what_is_covered_fails() -> None:
    sent = signed(STRICT, REQUEST)
    message = Message.of(sent)._replace(headers=sent.headers.without("user-agent"))
    verifier = HmacVerifier(STRICT, KEY)

    accepted = [wrong for wrong in damaged(message, b"\x00body") if verifier.verify(*wrong, NOW)]

    assert verifier.verify(message, b"\x00body", NOW)
    assert accepted == []


def test_any_flipped_bit_fails_in_a_query_that_is_signed_decoded_unless_it_means_the_same() -> None:
    sent = signed(LOOSE, REQUEST)
    message = Message.of(sent)._replace(headers=sent.headers.without("user-agent"), authority="")
    verifier = HmacVerifier(LOOSE, KEY)

    accepted = [wrong for wrong, body in damaged(message, b"\x00body") if verifier.verify(wrong, body, NOW)]

    assert verifier.verify(message, b"\x00body", NOW)
    meant = [parse_qsl(wrong.query or "", keep_blank_values=True) for wrong in accepted]
    assert len(accepted) == 6  # the letters of %C3%A9%2F, %3A, %3A and %2B: %c3 is %C3
    assert meant == [parse_qsl(message.query or "", keep_blank_values=True)] * 6
    assert {wrong._replace(query=message.query) for wrong in accepted} == {message}


@pytest.mark.parametrize("recipe", [STRICT, LOOSE], ids=["strict", "loose"])
def test_what_is_added_left_out_or_moved_fails(recipe: HmacRecipe) -> None:
    sent = signed(recipe, REQUEST)
    message = Message.of(sent)
    verifier = HmacVerifier(recipe, KEY)

    for wrong in (
        message._replace(query=f"{message.query}&x=1"),
        message._replace(query=f"x=1&{message.query}"),
        message._replace(query=None),
        message._replace(headers=message.headers.without("x-tag")),
        message._replace(headers=message.headers.replacing("x-tag", "one")),
        message._replace(headers=Headers([*message.headers.pairs(), ("x-tag", "")])),
        message._replace(headers=Headers(reversed(message.headers.pairs()))),
        message._replace(path="/"),
    ):
        assert not verifier.verify(wrong, b"\x00body", NOW)
    for body in (b"", b"\x00bod", b"\x00body\x00", b"\x00body\n"):
        assert not verifier.verify(message, body, NOW)


# --- the verifier

SIGNATURE = mac_of(b"body").hex()


def test_any_of_the_keys_will_do() -> None:
    verifier = HmacVerifier(BODY, "new", "older", KEY)

    verifier.check({"x-mac": f"v1={SIGNATURE}"}, b"body")
    verifier.check({"x-mac": f"v1={mac_of(b'body', b'new').hex()}"}, b"body")
    assert not verifier.verify({"x-mac": f"v1={mac_of(b'body', b'oldest').hex()}"}, b"body")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-MAC": f"v1={SIGNATURE}"},
        {"x-mac": f"v0=old v1={'0' * 64} v1={SIGNATURE} v2=new"},
        {"x-mac": f"  v1={SIGNATURE}\t"},
        [("x-mac", "v1=no"), ("x-other", ""), ("X-Mac", f"v1={SIGNATURE}")],
        Headers([("x-mac", "v1=no"), ("x-mac", f"v1={SIGNATURE}")]),
        Message(headers=Headers({"x-mac": f"v1={SIGNATURE}"})),
    ],
)
def test_a_signature_that_is_right_counts_wherever_it_stands_among_others(headers: Any) -> None:
    assert HmacVerifier(BODY, KEY).verify(headers, b"body")


@pytest.mark.parametrize(
    "given",
    [
        SIGNATURE,
        f"v1={SIGNATURE.upper()}",
        f"V1={SIGNATURE}",
        f"v2={SIGNATURE}",
        f"v1= {SIGNATURE}",
        f"v1={SIGNATURE[:-1]}",
        f"v1={SIGNATURE}0",
        f"v1={SIGNATURE},v1={SIGNATURE}",
        f"v1={SIGNATURE}\x00",
        f"v1={b64encode(bytes.fromhex(SIGNATURE)).decode()}",
        "v1=",
        "v1={}",
        "ü",
        "\ud800",
        "٣",
        "\x00",
        "v1=0 " * 20_000,
        "x" * 1_000_000,
    ],
)
def test_a_signature_in_another_form_is_none(given: str) -> None:
    with pytest.raises(SignatureError, match="the header x-mac holds no signature of this message"):
        HmacVerifier(BODY, KEY).check({"x-mac": given}, b"body")


@pytest.mark.parametrize("given", ["", " ", "\t", None, [], ["v1=x", "v1=y"], b"v1=x", 3])
def test_a_signature_that_is_missing_or_empty_is_an_error_that_says_so(given: Any) -> None:
    with pytest.raises(SignatureError, match="the header x-mac is missing or empty"):
        HmacVerifier(BODY, KEY).check({"x-mac": given}, b"body")


def test_headers_that_are_not_there_are_missing() -> None:
    assert not HmacVerifier(BODY, KEY).verify({}, b"body")
    assert not HmacVerifier(BODY, KEY).verify([], b"body")
    assert not HmacVerifier(LOOSE, KEY).verify(Message(), b"", NOW)


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=30)), st.text(max_size=30), st.binary(max_size=9))
@settings(deadline=None, max_examples=100)
def test_whatever_comes_in_it_is_accepted_or_not_and_nothing_else_happens(
    headers: dict[str, str], text: str, body: bytes
) -> None:
    for recipe in (STRICT, LOOSE, BODY):
        stamps = {"x-mac": text, "x-time": "1700000000", "x-id": text}
        fields = Headers.received([*headers.items(), *stamps.items()])
        query = f"{text}&sig={text}&version=3&expires=2023-11-14T22:14:20%2B0000"
        message = Message(method=text, authority=text, path=text, query=query, headers=fields)

        assert not HmacVerifier(recipe, KEY).verify(message, body, NOW)


@pytest.mark.parametrize("hostile", ["%FF", "a=%C3%28", "%ED%A0%80=1", "%C3"])
def test_a_query_that_is_not_utf_8_is_refused(hostile: str) -> None:
    with pytest.raises(SignatureError, match="the query cannot be read"):
        HmacVerifier(LOOSE, KEY).check(Message(query=hostile), b"", NOW)


def test_characters_that_no_header_carries_are_refused() -> None:
    recipe = HmacRecipe(content=(Header("x-tag"),), place=InHeader("x-mac"))

    with pytest.raises(SignatureError, match="characters that cannot have been sent"):
        HmacVerifier(recipe, KEY).check({"x-tag": "日", "x-mac": "x"}, b"")


@pytest.mark.parametrize(
    "wrong",
    [
        *(None, 5, "x-mac: v1=x", [("x", "y", "z")], [("x",)], [None], dict, Message),
        Message(headers=cast("Any", {"x-mac": "v1=x"})),
    ],
)
def test_headers_that_are_none_are_a_mistake_and_no_forgery(wrong: Any) -> None:
    for ask in (HmacVerifier(BODY, KEY).verify, BODY.canonical):
        with pytest.raises(UsageError, match=r"headers are a mapping, or pairs|give Message\.received"):
            ask(wrong, b"body")


@pytest.mark.parametrize("now", ["1700000000", b"1", datetime.now(UTC), float])
def test_a_time_that_is_no_number_is_a_mistake_and_no_forgery(now: Any) -> None:
    with pytest.raises(UsageError, match="now is seconds since 1970, or None, not"):
        HmacVerifier(BODY, KEY).verify({"x-mac": f"v1={SIGNATURE}"}, b"body", now)


@pytest.mark.parametrize("body", ["text", None, [b"body"], {"parsed": "json"}])
def test_a_body_that_is_no_bytes_is_a_mistake_and_no_forgery(body: Any) -> None:
    with pytest.raises(UsageError, match="the body is the raw bytes that came, not"):
        BODY.canonical({}, body)
    with pytest.raises(UsageError, match="the body is the raw bytes that came, not"):
        HmacVerifier(BODY, KEY).verify({"x-mac": f"v1={SIGNATURE}"}, body)


@pytest.mark.parametrize("body", [bytearray(b"body"), memoryview(b"body")])
def test_a_body_may_be_anything_like_bytes(body: Any) -> None:
    assert HmacVerifier(BODY, KEY).verify({"x-mac": f"v1={SIGNATURE}"}, body)


@pytest.mark.parametrize(
    "recipe", [STRICT, LOOSE, replace(BODY, place=InQuery("s")), replace(BODY, content=(Query(),))]
)
def test_headers_alone_are_not_enough_where_more_is_signed(recipe: HmacRecipe) -> None:
    with pytest.raises(UsageError, match=r"give Message\.received"):
        HmacVerifier(recipe, KEY).verify({"x-mac": "x"}, b"")


def test_a_verifier_without_a_good_key_is_not_made() -> None:
    for keys in (("",), (KEY, ""), (KEY, "\ud800")):
        with pytest.raises(UsageError):
            HmacVerifier(BODY, *keys)


def test_an_error_shows_neither_key_nor_signature() -> None:
    with pytest.raises(SignatureError) as caught:
        HmacVerifier(BODY, KEY).check({"x-mac": "v1=given"}, b"body")

    shown = f"{caught.value} {caught.value!r} {vars(caught.value)}"
    assert KEY not in shown
    assert SIGNATURE not in shown
    assert "given" not in shown
    assert caught.value.__context__ is None


# --- stamps, verified

TIMED = HmacRecipe(
    content=(Header("t"), Header("id"), Body()),
    separator=".",
    place=InHeader("s"),
    stamps=(UnixTime(InHeader("t")), UniqueId(InHeader("id"))),
)


def timed(time: str, identity: str = "1") -> dict[str, str]:
    return {"t": time, "id": identity, "s": b64encode(mac_of(f"{time}.{identity}.body".encode())).decode()}


@pytest.mark.parametrize("time", ["1699999700", "1700000000", "1700000300"])
def test_a_time_within_the_tolerance_is_good(time: str) -> None:
    HmacVerifier(TIMED, KEY).check(timed(time), b"body", NOW)


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        ("1699999699", "the timestamp is 301 s old, 300 are allowed: is a clock wrong, or is this a replay"),
        ("1700000301", "the timestamp is 301 s ahead, 300 are allowed"),
        ("0000000000", "1700000000 s old"),
        ("9999999999", "s ahead"),
        ("", "the header t is no time in seconds since 1970, of ten digits"),
        ("0", "no time"),
        ("170000000", "no time"),
        ("01700000000", "no time"),
        ("1700000000000", "no time"),
        ("-1", "no time"),
        ("+1700000000", "no time"),
        ("1700000000.0", "no time"),
        ("1_700_000_000", "no time"),
        (" 1700000000", "no time"),
        ("1700000000\n", "no time"),
        ("1e9", "no time"),
        ("nan", "no time"),
        ("\u0661700000000", "no time"),
        ("1700000000, 1700000000", "no time"),
        ("9" * 5000, "no time"),
    ],
)
def test_a_time_out_of_the_tolerance_or_no_time_is_refused_though_it_is_signed(time: str, reason: str) -> None:
    with pytest.raises(SignatureError, match=reason):
        HmacVerifier(TIMED, KEY).check(timed(time), b"body", NOW)


def test_the_clock_of_this_machine_is_used_if_no_other_is_given() -> None:
    with pytest.raises(SignatureError, match="s old"):
        HmacVerifier(TIMED, KEY).check(timed("1700000000"), b"body")


def test_a_clock_that_says_nothing_accepts_nothing() -> None:
    assert not HmacVerifier(TIMED, KEY).verify(timed("1700000000"), b"body", float("nan"))


@pytest.mark.parametrize(
    ("identity", "reason"),
    [("", "the header id is empty"), ("a.b", r"Header\(name='id'\) must not hold '\.', which ends a part")],
)
def test_an_id_that_could_stand_for_another_is_refused_though_it_is_signed(identity: str, reason: str) -> None:
    with pytest.raises(SignatureError, match=reason):
        HmacVerifier(TIMED, KEY).check(timed("1700000000", identity), b"body", NOW)


@pytest.mark.parametrize("name", ["t", "id"])
def test_a_stamp_that_is_missing_or_there_twice_is_refused(name: str) -> None:
    fields = timed("1700000000")

    with pytest.raises(SignatureError, match=f"the header {name} is missing"):
        HmacVerifier(TIMED, KEY).check({n: v for n, v in fields.items() if n != name}, b"body", NOW)
    with pytest.raises(SignatureError, match=f"the header {name} is there more than once"):
        HmacVerifier(TIMED, KEY).check([*fields.items(), (name.upper(), fields[name])], b"body", NOW)


# --- where each part ends


def accepted(recipe: HmacRecipe, headers: dict[str, str], body: bytes, text: bytes) -> bool:
    """Whether the signature of this text is one of this message."""
    return HmacVerifier(recipe, KEY).verify({**headers, "s": b64encode(mac_of(text)).decode()}, body, NOW)


USER = HmacRecipe(content=(Header("user"), Header("role"), Body()), separator=".", place=InHeader("s"))


def test_no_part_but_the_last_may_hold_the_separator() -> None:
    good, moved = {"user": "ann", "role": "guest"}, {"user": "ann.guest", "role": "admin"}

    assert accepted(USER, good, b"a.b", b"ann.guest.a.b")
    assert not accepted(USER, moved, b"", b"ann.guest.admin.")
    assert not accepted(USER, {"user": "ann", "role": "guest.admin"}, b"", b"ann.guest.admin.")
    with pytest.raises(SignatureError, match=r"Header\(name='role'\) must not hold '\.', which ends a part"):
        HmacVerifier(USER, KEY).check({"user": "ann", "role": "guest.admin", "s": "x"}, b"", NOW)


def test_a_path_that_holds_the_separator_is_neither_signed_nor_believed() -> None:
    recipe = HmacRecipe(content=(signing.Path(), Query(), Header("a")), separator=".", place=InHeader("s"))

    with pytest.raises(UsageError, match=r"Path\(\) must not hold '\.'"):
        signed(recipe, Request("GET", Url.parse("https://h:8443/a.b"), headers={"a": "c"}))
    with pytest.raises(UsageError, match=r"Query\(\) must not hold '\.'"):
        signed(recipe, Request("GET", URL, query={"a": "1.2"}))
    with pytest.raises(SignatureError, match=r"Path\(\) must not hold '\.'"):
        HmacVerifier(recipe, KEY).check(Message(path="/a.b", headers=Headers({"s": "x"})), b"")
    assert signed(recipe, Request("GET", URL, headers={"a": "b.c"})).headers["s"]  # the last one


@pytest.mark.parametrize("user", ["a::b", "::", "::a", "a::", "a:", ":"])
def test_a_part_that_ends_in_half_a_separator_is_refused_too(user: str) -> None:
    recipe = replace(USER, separator="::")

    # "a:" + "::" + "b" is signed as "a" + "::" + ":b" is
    assert not accepted(recipe, {"user": user, "role": "b"}, b"", f"{user}::b::".encode())
    assert accepted(recipe, {"user": ":a", "role": ":b"}, b"", b":a:::b::")


def test_a_text_may_hold_the_separator_as_it_is_the_same_in_every_message() -> None:
    recipe = HmacRecipe(content=(Text("v1.0"), Header("user"), Body()), separator=".", place=InHeader("s"))

    assert accepted(recipe, {"user": "ann"}, b"{}", b"v1.0.ann.{}")
    assert not accepted(recipe, {"user": "ann.x"}, b"{}", b"v1.0.ann.x.{}")


TIME, ID = UnixTime(InHeader("X-T")), UniqueId(InHeader("id"))
T, N = Header("x-t"), Header("id")


@pytest.mark.parametrize(
    ("content", "separator", "stamps"),
    [
        ((Method(), Target(), Body()), "", ()),
        ((Header("a"), Body()), "", ()),
        ((Header("a"), Header("a")), "", ()),
        ((Method(), signing.Path()), "", ()),
        ((Query(), Body()), "", (UnixTime(InQuery("x-t")),)),
        ((T, Body()), "", ()),
        ((T, Query()), "", (UnixTime(InQuery("x-t")),)),
        ((N, Body()), "", (ID,)),
        ((N, T, Body()), "", (ID, TIME)),
        ((Body(), Header("a")), ".", ()),
        ((Method(), Body(), T), "\n", (TIME,)),
        ((Body(), Body()), ".", ()),
    ],
)
def test_what_could_be_read_in_two_ways_is_signed_and_not_verified(content: Any, separator: str, stamps: Any) -> None:
    recipe = HmacRecipe(content=content, separator=separator, stamps=stamps, place=InHeader("s"))

    assert signed(recipe, Request("PUT", URL, headers={"a": "1"}, body=b"b")).headers["s"]
    with pytest.raises(ConfigurationError, match=r"bytes could move .* give it a separator .* put Body\(\) last"):
        HmacVerifier(recipe, KEY)


@pytest.mark.parametrize(
    ("content", "separator", "stamps"),
    [
        ((Query(),), "", (Expiry(InQuery("expires"), 60),)),
        ((Text("v1"), Target(), Text("v2")), "", ()),
        ((T, Body()), "", (TIME,)),
        ((Body(), T), "", (TIME,)),
        ((T, Body()), "", (Expiry(InHeader("x-t"), 60),)),
        ((T, T, N), "", (TIME, ID)),
        ((T, Header("v"), Body()), "", (TIME, Constant(InHeader("v"), "3"))),
        ((Text("v1"), Body(), T), ".", (TIME,)),
        ((Method(), Header("a"), Body()), ".", ()),
    ],
)
def test_what_can_be_read_in_one_way_only_is_verified(content: Any, separator: str, stamps: Any) -> None:
    recipe = HmacRecipe(content=content, separator=separator, stamps=stamps, place=InHeader("s"))
    request = signed(recipe, Request("PUT", URL, headers={"a": "1"}, body=b"body"))

    HmacVerifier(recipe, KEY).check(Message.of(request), b"body", NOW)
    assert not HmacVerifier(recipe, "another").verify(Message.of(request), b"body", NOW)


def ways_to_read(text: str, mark: str) -> Iterable[tuple[str, str, str]]:
    """All that give the text when they are joined by the mark."""
    for first in range(len(text)):
        for second in range(first + len(mark), len(text)):
            if text.startswith(mark, first) and text.startswith(mark, second):
                yield text[:first], text[first + len(mark) : second], text[second + len(mark) :]


@given(st.text("a.:", max_size=10), st.sampled_from([".", "::", ":.:"]))
@settings(deadline=None, max_examples=100)
def test_of_all_messages_that_are_signed_alike_one_is_accepted_at_most(text: str, mark: str) -> None:
    recipe = replace(USER, separator=mark)

    good = [
        (user, role, body)
        for user, role, body in ways_to_read(text, mark)
        if accepted(recipe, {"user": user, "role": role}, body.encode(), text.encode())
    ]

    assert good == ([tuple(text.split(mark, 2))] if text.count(mark) > 1 else [])


EXPIRING = HmacRecipe(
    content=(Query(),),
    place=InQuery("s"),
    encoding="hex",
    stamps=(Constant(InQuery("version"), "3"), Expiry(InQuery("expires"), 60)),
)


def expiring(expires: str, version: str = "3") -> Message:
    recipe = replace(EXPIRING, stamps=())
    return Message.of(signed(recipe, Request("GET", URL, query=[("expires", expires), ("version", version)])))


@pytest.mark.parametrize(
    "expires", ["2023-11-14T22:13:20+0000", "2023-11-14T23:13:20+0100", "9999-12-31T23:59:59+0000"]
)
def test_what_has_not_expired_is_good(expires: str) -> None:
    HmacVerifier(EXPIRING, KEY).check(expiring(expires), b"", NOW)


@pytest.mark.parametrize(
    ("expires", "reason"),
    [
        ("2023-11-14T22:13:19+0000", "the request expired 1 s ago: is a clock wrong, or is this a replay"),
        ("2023-11-14T22:13:20+0001", "the request expired 60 s ago"),
        ("0001-01-01T00:00:00+2359", "expired"),
        ("2023-11-14T22:13:20", "the parameter expires is no date like"),
        ("2023-11-14 22:13:20+0000", "no date"),
        ("10000-01-01T00:00:00+0000", "no date"),
        ("1700000000", "no date"),
        ("2023-11-14t22:13:20+0000", "no date"),
        ("2023-11-14T22:13:20Z", "no date"),
        ("2023-11-14T22:13:20+00:00", "no date"),
        ("2023-11-14T22:13:20.5+0000", "no date"),
        ("2023-W46-2T22:13:20+0000", "no date"),
        ("2023-13-14T22:13:20+0000", "no date"),
        ("2023-11-14T22:13:20+9999", "no date"),
        ("\u0662023-11-14T22:13:20+0000", "no date"),
        ("", "no date"),
        ("nan", "no date"),
    ],
)
def test_what_has_expired_or_never_does_is_refused_though_it_is_signed(expires: str, reason: str) -> None:
    with pytest.raises(SignatureError, match=reason):
        HmacVerifier(EXPIRING, KEY).check(expiring(expires), b"", NOW)


def test_another_constant_is_refused_though_it_is_signed() -> None:
    with pytest.raises(SignatureError, match="the parameter version is not '3'"):
        HmacVerifier(EXPIRING, KEY).check(expiring("2023-11-14T22:13:20+0000", "2"), b"", NOW)


def test_an_expiry_at_a_clock_that_says_nothing_is_refused() -> None:
    assert not HmacVerifier(EXPIRING, KEY).verify(expiring("2023-11-14T22:13:20+0000"), b"", float("nan"))


def test_signatures_are_in_base64_with_padding_or_in_hex() -> None:
    base64 = replace(BODY, encoding="base64", form="{}")

    assert b64decode(signed(base64, REQUEST).headers["x-mac"], validate=True) == mac_of(b"\x00body")
    assert bytes.fromhex(signed(BODY, REQUEST).headers["x-mac"].removeprefix("v1=")) == mac_of(b"\x00body")
