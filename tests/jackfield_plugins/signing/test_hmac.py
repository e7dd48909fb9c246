"""HMAC signing by recipe: right by the RFC's figures, afresh for each attempt, and for nobody but the service."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from inspect import iscoroutine
from typing import Any, TypeAlias
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    AsyncClient,
    Call,
    Client,
    ConfigurationError,
    NotFoundError,
    Proceed,
    Request,
    Response,
    Secret,
    Service,
    Stage,
    Step,
    Url,
    UsageError,
    hookimpl,
    operation,
)
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime
from jackfield_plugins.retry import Retry
from jackfield_plugins.signing import HmacRecipe, HmacSigning

CANARY = "hunter2-canary"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


class Core(Service):
    @operation
    async def send_it(self, query: Iterable[tuple[str, str]] = (), url: Url | None = None) -> bytes:
        request = Request(
            "POST", url or self.url("thing"), query=query, headers={"x": "y"}, body=b"body", idempotent=True
        )
        return (await self.send(request)).content


class CoreClient(Core, Client): ...


class AsyncCoreClient(Core, AsyncClient): ...


Make: TypeAlias = Callable[..., Any]


def sync_client(transport: FakeTransport, *plugins: object) -> Any:
    return CoreClient("https://h:8443", transport=transport, plugins=plugins, runtime=VirtualSyncRuntime())


def async_client(transport: FakeTransport, *plugins: object) -> Any:
    return AsyncCoreClient("https://h:8443", transport=transport, plugins=plugins, runtime=VirtualAsyncioRuntime())


BOTH = pytest.mark.parametrize("make", [sync_client, async_client], ids=["sync", "async"])


def get(outcome: Any) -> Any:
    return asyncio.run(outcome) if iscoroutine(outcome) else outcome


def sent(make: Make, query: Iterable[tuple[str, str]], recipe: HmacRecipe | None = None, key: Any = CANARY) -> Request:
    """What goes out when this is signed."""
    transport = FakeTransport(otherwise=Response(200))
    get(make(transport, HmacSigning(recipe or HmacRecipe(), key)).send_it(list(query)))
    return transport.requests[0]


def mac(text: str, key: str = CANARY, digest: str = "sha256") -> str:
    return b64encode(hmac.digest(key.encode(), text.encode(), digest)).decode()


# --- the recipe


@pytest.mark.parametrize(
    ("digest", "expected"),
    [  # RFC 4231 §4.3, test case 2; RFC 2202 §3, test case 2 for SHA-1
        ("sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        ("sha224", "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"),
        ("sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
    ],
)
def test_the_signature_is_the_hmac_of_the_rfc_in_base64(digest: str, expected: str) -> None:
    def say(text: str) -> str:
        return "what do ya want for nothing?"

    recipe = HmacRecipe(digest=digest, finish=say)

    signature = recipe.signature([("a", "1")], Secret("Jefe"))

    assert b64decode(signature, validate=True).hex() == expected


def test_parameters_are_sorted_encoded_and_joined() -> None:
    query = [("b", "x y"), ("a", "1&2=3"), ("C", "é~-._/+*")]

    assert HmacRecipe().canonical(query) == "C=%C3%A9~-._%2F%2B%2A&a=1%262%3D3&b=x%20y"


def test_a_recipe_may_order_encode_and_finish_otherwise() -> None:
    def by_lower_name(pair: tuple[str, str]) -> bytes:
        return pair[0].lower().encode()

    def with_plus(value: str) -> str:
        return value.replace(" ", "+")

    recipe = HmacRecipe(order=by_lower_name, encode=with_plus, finish=str.lower)

    assert recipe.canonical([("b", "X y"), ("C", "Z"), ("a", "1")]) == "a=1&b=x+y&c=z"


def test_parameters_of_one_name_keep_their_order() -> None:
    assert HmacRecipe().canonical([("a", "2"), ("b", "x"), ("a", "1")]) == "a=2&a=1&b=x"


@pytest.mark.parametrize("name", ["signature", "Signature", "SIGNATURE"])
def test_the_signature_itself_is_never_signed(name: str) -> None:
    assert HmacRecipe().canonical([(name, "old"), ("a", "1")]) == "a=1"


def test_nothing_to_sign_is_signed_too() -> None:
    assert HmacRecipe().signature([], Secret("k")) == mac("", "k")


@given(st.lists(st.tuples(TEXT, TEXT), max_size=6, unique_by=lambda pair: pair[0]))
@settings(deadline=None, max_examples=100)
def test_whatever_the_order_of_the_parameters_the_signature_is_one(query: list[tuple[str, str]]) -> None:
    recipe = HmacRecipe()

    assert recipe.signature(reversed(query), Secret("k")) == recipe.signature(query, Secret("k"))


# --- the plugin


@BOTH
def test_the_signature_is_added_to_the_query_and_nothing_else_changes(make: Make) -> None:
    request = sent(make, [("b", "2"), ("a", "ü")])

    assert request.query == (("b", "2"), ("a", "ü"), ("signature", mac("a=%C3%BC&b=2")))
    assert (request.method, request.url, request.body) == ("POST", Url.parse("https://h:8443/thing"), b"body")
    assert request.headers["x"] == "y"
    assert request.is_idempotent


@BOTH
def test_a_recipe_names_the_parameter_and_the_digest(make: Make) -> None:
    request = sent(make, [("a", "1")], HmacRecipe(parameter="sig", digest="sha512"))

    assert request.query[-1] == ("sig", mac("a=1", digest="sha512"))


@BOTH
def test_a_signature_that_is_there_already_is_replaced_whatever_its_case(make: Make) -> None:
    request = sent(make, [("Signature", "forged"), ("a", "1"), ("signature", "forged too")])

    assert request.query == (("a", "1"), ("signature", mac("a=1")))


@BOTH
def test_a_key_may_be_text_or_a_secret(make: Make) -> None:
    assert sent(make, [("a", "1")], key=Secret("k")) == sent(make, [("a", "1")], key="k")


@BOTH
def test_a_request_to_another_origin_is_not_signed(make: Make) -> None:
    transport = FakeTransport(otherwise=Response(200))
    client = make(transport, HmacSigning(HmacRecipe(), CANARY))

    for other in ("https://h/thing", "http://h:8443/thing", "https://h.evil.test:8443/thing", "https://sub.h:8443/"):
        get(client.send_it([("a", "1")], Url.parse(other)))
    get(client.send_it([("a", "1")], Url.parse("https://H:8443/elsewhere")))

    assert [request.query[1:] for request in transport.requests[:4]] == [()] * 4
    assert transport.requests[4].query[1:] == (("signature", mac("a=1")),)


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

    get(make(transport, HmacSigning(HmacRecipe(), CANARY), Nonce(), Retry()).send_it([("a", "1")]))

    assert [request.query for request in transport.requests] == [
        (("a", "1"), ("nonce", nonce), ("signature", mac(f"a=1&nonce={nonce}"))) for nonce in "012"
    ]


@given(st.lists(st.tuples(TEXT, TEXT), max_size=6))
@settings(deadline=None, max_examples=100)
def test_whatever_is_sent_a_server_that_reads_the_query_finds_the_same_signature(query: list[tuple[str, str]]) -> None:
    request = sent(sync_client, query)

    *received, (name, signature) = request.query
    pairs = sorted(((n, v) for n, v in received), key=lambda pair: pair[0].encode())
    assert name == "signature"
    assert signature == mac("&".join(f"{n}={quote(v, safe='')}" for n, v in pairs))
    assert received == [pair for pair in query if pair[0].lower() != "signature"]


@BOTH
def test_the_key_and_the_signature_are_shown_nowhere(make: Make) -> None:
    transport = FakeTransport([Response(404)])
    signing = HmacSigning(HmacRecipe(), CANARY)
    client = make(transport, signing)

    with pytest.raises(NotFoundError) as caught:
        get(client.send_it([("a", "1")]))

    explained = get(client.send_it.explain([("a", "1")]))
    shown = f"{signing!r} {vars(signing)} {caught.value!r} {caught.value!s} {explained!s} {explained!r} {client.chain}"
    assert CANARY not in shown
    assert mac("a=1") not in shown
    assert quote(mac("a=1"), safe="") not in shown
    assert "signature=***" in shown


@BOTH
def test_a_request_to_look_at_is_signed_as_the_one_that_is_sent(make: Make) -> None:
    transport = FakeTransport([Response(200)])
    client = make(transport, HmacSigning(HmacRecipe(), CANARY))

    shown = get(client.send_it.request([("a", "1")]))
    get(client.send_it([("a", "1")]))

    assert transport.requests == [shown]


@BOTH
def test_two_signers_are_refused(make: Make) -> None:
    class Other(HmacSigning):
        name = "other"

    with pytest.raises(ConfigurationError, match="SIGN has two owners"):
        make(FakeTransport(), HmacSigning(HmacRecipe(), "k"), Other(HmacRecipe(), "k"))


@pytest.mark.parametrize("digest", ["nope", "", "shake_128", "SHA 256"])
def test_a_digest_that_cannot_sign_is_refused_when_the_plugin_is_made(digest: str) -> None:
    with pytest.raises(ConfigurationError):
        HmacSigning(HmacRecipe(digest=digest), "k")


@pytest.mark.parametrize("digest", sorted(hashlib.algorithms_guaranteed - {"shake_128", "shake_256"}))
def test_every_digest_that_python_guarantees_signs(digest: str) -> None:
    assert sent(sync_client, [("a", "1")], HmacRecipe(digest=digest)).query[-1][1] == mac("a=1", digest=digest)


@pytest.mark.parametrize("key", ["", None, b"bytes"])
def test_a_key_that_is_none_is_refused_when_the_plugin_is_made(key: Any) -> None:
    with pytest.raises(UsageError):
        HmacSigning(HmacRecipe(), key)
