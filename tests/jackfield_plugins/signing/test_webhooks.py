"""Signed webhooks: Standard Webhooks and GitHub, as their documents say, sent by one side and verified by the other."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import replace
from email.message import Message as EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.made import Make, both, get, makers

from jackfield import (
    ConfigurationError,
    Headers,
    Request,
    Response,
    Secret,
    Service,
    SignatureError,
    UsageError,
    operation,
)
from jackfield.testing import FakeTransport
from jackfield_plugins.retry import Retry
from jackfield_plugins.signing import (
    GITHUB_WEBHOOKS,
    STANDARD_WEBHOOKS,
    HmacRecipe,
    HmacSigning,
    HmacVerifier,
    standard_webhooks,
)

VECTORS = Path(__file__).parents[2] / "vectors"
CASE: dict[str, Any] = json.loads((VECTORS / "webhook_hmac_jws.json").read_text())["cases"][0]

NOW = 1_700_000_000.0  # when virtual time starts
SECRET = "whsec_" + b64encode(b"hunter2-canary, and some more bytes").decode()

GITHUB_SECRET = "It's a Secret to Everybody"
GITHUB_BODY = b"Hello, World!"
GITHUB_MAC = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


class Sender(Service):
    @operation
    async def deliver(self, body: bytes, identity: str | None = None) -> Response:
        headers = {"content-type": "application/json"} | ({"webhook-id": identity} if identity else {})
        return await self.send(Request("POST", self.url("hook"), headers=headers, body=body, idempotent=True))


sync_sender, async_sender = makers(Sender, base="https://shop.test")
BOTH = both(sync_sender, async_sender)


def delivered(recipe: HmacRecipe, secret: str, body: bytes, make: Make = sync_sender) -> Request:
    transport = FakeTransport(otherwise=Response(200))
    get(make(transport, HmacSigning(recipe, secret)).deliver(body))
    return transport.requests[0]


def standard(body: bytes, identity: str = "msg_1", time: float = NOW, secret: str = SECRET) -> dict[str, str]:
    """Headers as the specification says, made by its words alone."""
    key = b64decode(secret.removeprefix("whsec_"))
    mac = hmac.digest(key, f"{identity}.{int(time)}.".encode() + body, "sha256")
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(int(time)),
        "webhook-signature": f"v1,{b64encode(mac).decode()}",
    }


# --- Standard Webhooks


def published() -> dict[str, str]:
    return {
        "webhook-id": CASE["id"],
        "webhook-timestamp": str(CASE["timestamp"]),
        "webhook-signature": CASE["signature"],
    }


def test_the_published_example_is_accepted() -> None:
    verifier = HmacVerifier(STANDARD_WEBHOOKS, CASE["secret"])

    verifier.check(published(), CASE["payload"].encode(), now=CASE["timestamp"])


@pytest.mark.parametrize("late", [-300, 0, 300])
def test_five_minutes_either_way_are_accepted(late: float) -> None:
    assert HmacVerifier(STANDARD_WEBHOOKS, CASE["secret"]).verify(
        published(), CASE["payload"].encode(), CASE["timestamp"] + late
    )


@pytest.mark.parametrize(("late", "reason"), [(-301, "301 s ahead"), (301, "301 s old")])
def test_more_than_five_minutes_are_refused(late: float, reason: str) -> None:
    with pytest.raises(SignatureError, match=reason):
        HmacVerifier(STANDARD_WEBHOOKS, CASE["secret"]).check(
            published(), CASE["payload"].encode(), CASE["timestamp"] + late
        )


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_header_that_is_missing_is_named(name: str) -> None:
    headers = standard(b"{}")
    del headers[name]

    with pytest.raises(SignatureError, match=f"the header {name} is missing"):
        HmacVerifier(STANDARD_WEBHOOKS, SECRET).check(headers, b"{}", NOW)


def test_one_of_several_signatures_is_enough() -> None:
    headers = standard(b"{}")
    right = headers["webhook-signature"]
    wrong = standard(b"other")["webhook-signature"]

    verifier = HmacVerifier(STANDARD_WEBHOOKS, SECRET)
    for given_ in (f"{wrong} {right}", f"{right} {wrong}", f"v1a,AAAA v2,{right[3:]} {right}"):
        assert verifier.verify({**headers, "webhook-signature": given_}, b"{}", NOW)
    for given_ in (wrong, f"v2,{right[3:]}", f"v1a,{right[3:]}", right[3:], f"v1 {right[3:]}", right.rstrip("=")):
        assert not verifier.verify({**headers, "webhook-signature": given_}, b"{}", NOW)


def test_the_prefix_of_a_secret_may_be_left_out() -> None:
    assert HmacVerifier(STANDARD_WEBHOOKS, SECRET.removeprefix("whsec_")).verify(standard(b"{}"), b"{}", NOW)


def test_while_secrets_change_both_are_accepted() -> None:
    newer = "whsec_" + b64encode(b"another").decode()
    verifier = HmacVerifier(STANDARD_WEBHOOKS, Secret(newer), Secret(SECRET))

    assert verifier.verify(standard(b"{}"), b"{}", NOW)
    assert verifier.verify(standard(b"{}", secret=newer), b"{}", NOW)
    assert not HmacVerifier(STANDARD_WEBHOOKS, newer).verify(standard(b"{}"), b"{}", NOW)


@pytest.mark.parametrize(
    "secret", ["whsec_", "whsec_canary!", "whsec_canar", "whpk_Y2FuYXJ5", "canary canary", "whsec_ü"]
)
def test_a_secret_that_is_no_base64_is_refused_and_not_shown(secret: str) -> None:
    for kind in (HmacSigning, HmacVerifier):
        with pytest.raises(ConfigurationError) as caught:
            kind(STANDARD_WEBHOOKS, secret)

        assert "canar" not in f"{caught.value!r} {caught.value.__context__!r}"


def test_an_empty_secret_is_refused() -> None:
    with pytest.raises(UsageError):
        HmacVerifier(STANDARD_WEBHOOKS, "")


@BOTH
def test_a_sender_signs_as_the_specification_says(make: Make) -> None:
    request = delivered(STANDARD_WEBHOOKS, SECRET, b'{"a": 1}', make)

    identity = request.headers["webhook-id"]
    assert identity.startswith("msg_")
    assert "." not in identity
    sent = {name: value for name, value in request.headers.items() if name.startswith("webhook-")}
    assert sent == standard(b'{"a": 1}', identity)


@BOTH
def test_the_id_that_a_message_has_is_kept_and_its_time_is_not(make: Make) -> None:
    transport = FakeTransport([Response(503), Response(200)])
    client = make(transport, HmacSigning(STANDARD_WEBHOOKS, SECRET), Retry(base=20))

    get(client.deliver(b"{}", "evt_7"))

    first, second = transport.requests
    verifier = HmacVerifier(STANDARD_WEBHOOKS, SECRET)
    assert [first.headers["webhook-id"], second.headers["webhook-id"]] == ["evt_7", "evt_7"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert verifier.verify(first.headers, b"{}", NOW)
    assert verifier.verify(second.headers, b"{}", client.runtime.now())


@BOTH
def test_a_message_without_an_id_gets_another_on_each_attempt(make: Make) -> None:
    transport = FakeTransport([Response(503), Response(200)])

    get(make(transport, HmacSigning(STANDARD_WEBHOOKS, SECRET), Retry()).deliver(b"{}"))

    assert len({request.headers["webhook-id"] for request in transport.requests}) == 2


def test_svix_names_its_headers_otherwise() -> None:
    svix = standard_webhooks("svix")

    request = delivered(svix, SECRET, b"{}")
    headers = {name.replace("webhook", "svix"): value for name, value in standard(b"{}").items()}

    assert {"svix-id", "svix-timestamp", "svix-signature"} <= {name.lower() for name in request.headers}
    assert HmacVerifier(svix, SECRET).verify(request.headers, b"{}", NOW)
    assert HmacVerifier(svix, SECRET).verify(headers, b"{}", NOW)
    assert not HmacVerifier(STANDARD_WEBHOOKS, SECRET).verify(headers, b"{}", NOW)


@given(st.binary(max_size=30), st.from_regex(r"[A-Za-z0-9_\-]{1,20}", fullmatch=True), st.integers(0, 10**9))
@settings(deadline=None, max_examples=100)
def test_what_the_specification_signs_is_accepted_and_no_flipped_bit_is(body: bytes, identity: str, place: int) -> None:
    headers = standard(body, identity)
    verifier = HmacVerifier(STANDARD_WEBHOOKS, SECRET)
    fields = [(name, position, bit) for name, v in headers.items() for position in range(len(v)) for bit in range(8)]

    name, position, bit = fields[place % len(fields)]
    value = headers[name]
    wrong = value[:position] + chr(ord(value[position]) ^ 1 << bit) + value[position + 1 :]

    assert verifier.verify(headers, body, NOW)
    assert not verifier.verify({**headers, name: wrong}, body, NOW)
    assert not verifier.verify(headers, body + b" ", NOW)


def test_an_id_with_a_full_stop_cannot_take_a_part_of_the_time_or_the_body() -> None:
    headers = standard(b"1.x", "a", 1_700_000_000)  # is signed as the id "a.1700000000" and the time 1 would be
    moved = {**headers, "webhook-id": "a.1700000000", "webhook-timestamp": "1"}

    assert HmacVerifier(STANDARD_WEBHOOKS, SECRET).verify(headers, b"1.x", NOW)
    with pytest.raises(SignatureError, match="the header webhook-timestamp is no time"):
        HmacVerifier(STANDARD_WEBHOOKS, SECRET).check(moved, b"x", 1)


# --- GitHub


def test_the_example_of_githubs_documentation_is_accepted() -> None:
    HmacVerifier(GITHUB_WEBHOOKS, GITHUB_SECRET).check({"X-Hub-Signature-256": f"sha256={GITHUB_MAC}"}, GITHUB_BODY)


@BOTH
def test_a_sender_signs_as_github_does(make: Make) -> None:
    request = delivered(GITHUB_WEBHOOKS, GITHUB_SECRET, GITHUB_BODY, make)

    assert request.headers["x-hub-signature-256"] == f"sha256={GITHUB_MAC}"


def test_githubs_older_header_is_no_signature() -> None:
    older = hmac.digest(GITHUB_SECRET.encode(), GITHUB_BODY, "sha1").hex()

    with pytest.raises(SignatureError, match="the header X-Hub-Signature-256 is missing"):
        HmacVerifier(GITHUB_WEBHOOKS, GITHUB_SECRET).check({"X-Hub-Signature": f"sha1={older}"}, GITHUB_BODY)
    assert not HmacVerifier(GITHUB_WEBHOOKS, GITHUB_SECRET).verify(
        {"X-Hub-Signature-256": f"sha1={older}"}, GITHUB_BODY
    )


@pytest.mark.parametrize("prefix", ["", "sha1=", "SHA256=", "sha256", "sha256= ", "sha512="])
def test_the_prefix_of_githubs_signature_is_part_of_it(prefix: str) -> None:
    headers = {"X-Hub-Signature-256": prefix + GITHUB_MAC}

    assert not HmacVerifier(GITHUB_WEBHOOKS, GITHUB_SECRET).verify(headers, GITHUB_BODY)


def test_any_flipped_bit_of_body_or_signature_fails() -> None:
    verifier = HmacVerifier(GITHUB_WEBHOOKS, GITHUB_SECRET)
    whole = f"sha256={GITHUB_MAC}"

    for position in range(len(GITHUB_BODY) * 8):
        number = int.from_bytes(GITHUB_BODY, "big") ^ 1 << position
        assert not verifier.verify({"X-Hub-Signature-256": whole}, number.to_bytes(len(GITHUB_BODY), "big"))
    for position in range(len(whole) * 8):
        number = int.from_bytes(whole.encode(), "big") ^ 1 << position
        given_ = number.to_bytes(len(whole), "big").decode("latin-1")
        assert not verifier.verify({"X-Hub-Signature-256": given_}, GITHUB_BODY)


# --- headers as web frameworks have them


class Multi:
    """As Werkzeug's and aiohttp's: `items` gives every field, one by one."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs

    def __iter__(self) -> Iterator[Any]:
        raise AssertionError("frameworks differ in what this gives")

    def items(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)


def as_email(pairs: list[tuple[str, str]]) -> EmailMessage:
    message = EmailMessage()  # what `http.server` has
    for name, value in pairs:
        message[name] = value
    return message


@pytest.mark.parametrize("kind", [dict, list, tuple, iter, Headers, Multi, as_email])
def test_headers_may_come_as_any_web_framework_has_them(kind: Any) -> None:
    pairs = [("Host", "h"), ("X-HUB-signature-256", f"sha256={GITHUB_MAC}")]

    HmacVerifier(GITHUB_WEBHOOKS, GITHUB_SECRET).check(kind(pairs), GITHUB_BODY)


# --- a provider of one's own


def test_a_recipe_for_another_provider_is_a_few_words() -> None:
    recipe = replace(GITHUB_WEBHOOKS, digest="sha512", form="{}", encoding="base64")

    request = delivered(recipe, "secret", b"{}")

    mac = hmac.digest(b"secret", b"{}", "sha512")
    assert b64decode(request.headers["X-Hub-Signature-256"], validate=True) == mac
