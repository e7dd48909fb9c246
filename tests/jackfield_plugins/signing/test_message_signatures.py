"""HTTP Message Signatures: the RFC's cases, what is sent verifies, and nothing that was touched does."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from base64 import b64decode
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from subprocess import run
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.made import Make, both, get, makers

from jackfield import (
    AsyncClient,
    Call,
    Client,
    ConfigurationError,
    Headers,
    NotFoundError,
    Proceed,
    Request,
    Response,
    Service,
    SignatureError,
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
    Component,
    EcdsaP256Key,
    Ed25519Key,
    HmacKey,
    Message,
    MessageSigning,
    MessageVerifier,
    RsaPssKey,
    Verified,
    VerifyingKey,
    check_digest_field,
    digest_field,
    signature_base,
)

if TYPE_CHECKING:
    from tests.servers import Peer, Serve

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "rfc9421_message_signatures.json").read_text())
PEMS: dict[str, dict[str, str]] = VECTORS["keys"]
NOW = 1_700_000_000
CANARY = "hunter2-canary"
BASICS = ("@method", "@authority", "@path", "@query")
KEY = HmacKey(CANARY)
KINDS: dict[str, Any] = {
    "test-key-rsa-pss": RsaPssKey,
    "test-key-ecc-p256": EcdsaP256Key,
    "test-key-ed25519": Ed25519Key,
}


@cache
def private_key(name: str) -> Any:
    if name == "test-shared-secret":
        return HmacKey(b64decode(PEMS[name]["secret_b64"]))
    return KINDS[name](PEMS[name]["private_pem"])


@cache
def public_key(name: str) -> Any:
    return private_key(name) if name == "test-shared-secret" else KINDS[name](PEMS[name]["public_pem"])


EVERY_KEY = pytest.mark.parametrize("key_id", [*KINDS, "test-shared-secret"])


# --- the RFC's cases

# RFC 9421 appendix B.2, the cases that the file leaves out: message, Signature-Input, Signature
MORE = [
    (
        "test-request",
        "test-key-rsa-pss",
        'sig-b22=("@authority" "content-digest" "@query-param";name="Pet");created=1618884473'
        ';keyid="test-key-rsa-pss";tag="header-example"',
        "sig-b22=:LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSo"
        "wOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh6"
        "2s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQ"
        "l3/XaVe4bXTugEjHSw==:",
    ),
    (
        "test-response",
        "test-key-ecc-p256",
        'sig-b24=("@status" "content-type" "content-digest" "content-length");created=1618884473'
        ';keyid="test-key-ecc-p256"',
        "sig-b24=:wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==:",
    ),
    (
        "test-request",
        "test-key-ed25519",
        'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473'
        ';keyid="test-key-ed25519"',
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
    ),
]


def vector(name: str, signature_input: str, signature: str) -> tuple[Message, bytes]:
    """A message of the file with this signature, and its body."""
    given = VECTORS["messages"][name]
    fields = [*map(tuple, given["headers"]), ("Signature-Input", signature_input), ("Signature", signature)]
    first, second, _ = given["start_line"].split(" ", 2)
    if name == "test-response":
        return Message(status=int(second), headers=Headers(fields)), given["body"].encode()
    return Message.received(first, f"https://example.com{second}", Headers(fields)), given["body"].encode()


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: str(case["name"]))
def test_the_signatures_of_the_rfc_verify(case: dict[str, Any]) -> None:
    message, body = vector(case["message"], case["signature_input"], case["signature"])
    verifier = MessageVerifier({case["key"]: public_key(case["key"])}, required=(), unsigned_body=True)

    verified = verifier.check(message, body, 1618884473)

    parameters: dict[str, Any] = {"created": verified.created, "keyid": verified.key_id}
    parameters |= {"nonce": verified.nonce} if verified.nonce else {}
    base = signature_base(message, verified.components, parameters)
    assert f"sig-b{case['name'].replace('.', '').lower()[1:]}" == verified.label
    assert base.decode() == case["signature_base"]
    value = b64decode(case["signature"].partition(":")[2].rstrip(":"))
    assert (private_key(case["key"]).sign(base) == value) == case["deterministic"]


@pytest.mark.parametrize(("name", "key_id", "signature_input", "signature"), MORE, ids=["B.2.2", "B.2.4", "B.2.6"])
def test_the_signatures_that_the_file_leaves_out_verify(
    name: str, key_id: str, signature_input: str, signature: str
) -> None:
    message, body = vector(name, signature_input, signature)
    verifier = MessageVerifier({key_id: public_key(key_id)}, required=(), unsigned_body=True)

    assert verifier.check(message, body, 1618884473).label == signature_input.partition("=")[0]
    assert not verifier.verify(message._replace(headers=message.headers.replacing("date", "now")), body, 0)


def test_the_response_signatures_of_the_rfc_verify_with_their_requests() -> None:
    blocks = next(part["blocks"] for part in VECTORS["component_examples_raw"] if part["section"] == "2.4")
    verifier = MessageVerifier(
        {"test-key-ecc-p256": public_key("test-key-ecc-p256")},
        required=["@status", "content-digest", Component("@method", req=True)],
    )

    def parsed(block: str) -> tuple[str, Headers, bytes]:
        head, _, body = block.partition("\n\n")
        start, *lines = head.split("\n")
        return (
            start.split(" ")[1],
            Headers([(line.split(": ", 1)[0], line.split(": ", 1)[1]) for line in lines]),
            body.encode(),
        )

    for asked, answered in ((blocks[0], blocks[3]), (blocks[4], blocks[6])):
        target, headers, _ = parsed(asked)
        request = Message.received("POST", f"https://example.com{target}", headers)
        status, headers, body = parsed(answered)
        response = Message(status=int(status), headers=headers)

        assert verifier.check(response, body, 1618884479, request=request).label == "reqres"
        assert not verifier.verify(response, body, 1618884479)
        assert not verifier.verify(response, body, 1618884479, request=request._replace(method="GET"))
        assert not verifier.verify(response, body + b" ", 1618884479, request=request)
        assert not verifier.verify(response._replace(status=200), body, 1618884479, request=request)


# RFC 9421 appendix B.4: what may happen to a message on its way, and what may not
SIGNED = [
    (
        "Signature-Input",
        'transform=("@method" "@path" "@authority" "accept");created=1618884473;keyid="test-key-ed25519"',
    ),
    (
        "Signature",
        "transform=:ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3NDA==:",
    ),
]


@pytest.mark.parametrize(
    ("method", "url", "accept", "verifies"),
    [
        ("GET", "https://example.org/demo?name1=Value1&Name2=value2", ["application/json", "*/*"], True),
        ("GET", "https://EXAMPLE.org:443/demo?name1=Value1&Name2=value2&param=added", ["application/json, */*"], True),
        ("GET", "http://example.org/demo", ["application/json ", "\t*/*"], True),
        ("GET", "https://example.org/demo", ["*/*", "application/json"], False),
        ("GET", "https://example.org/demo", ["application/json,*/*"], False),
        ("GET", "https://example.org/demo", ["application/json"], False),
        ("POST", "https://example.org/demo", ["application/json", "*/*"], False),
        ("GET", "https://example.com/demo", ["application/json", "*/*"], False),
        ("GET", "https://example.org/Demo", ["application/json", "*/*"], False),
    ],
)
def test_a_message_may_change_where_it_is_not_covered(method: str, url: str, accept: list[str], verifies: bool) -> None:
    headers = Headers.received([*(("Accept", one) for one in accept), ("X-Forwarded-For", "192.0.2.123"), *SIGNED])
    checking = MessageVerifier({"test-key-ed25519": public_key("test-key-ed25519")}, required=["@method", "accept"])

    assert checking.verify(Message.received(method, url, headers), b"", 1618884473) == verifies


# --- the plugin


class Core(Service):
    @operation
    async def send_it(self, request: Request) -> bytes:
        return (await self.send(request)).content


class CoreClient(Core, Client): ...


class AsyncCoreClient(Core, AsyncClient): ...


sync_client, async_client = makers(Core, base="https://h:8443")
BOTH = both(sync_client, async_client)
URL = Url.parse("https://h:8443/thing")


def sent(request: Request, make: Make = sync_client, key: Any = KEY, **options: Any) -> Request:
    """What goes out when this is signed."""
    transport = FakeTransport(otherwise=Response(200))
    get(make(transport, MessageSigning(key, key_id="k", **options)).send_it(request))
    return transport.requests[0]


def verifier(key: VerifyingKey = KEY, **options: Any) -> MessageVerifier:
    return MessageVerifier({"k": key}, **options)


@BOTH
def test_method_authority_path_and_query_are_signed(make: Make) -> None:
    request = sent(Request("GET", URL, query=[("a", "ü +")], headers={"x": "y"}), make)

    assert request.headers["signature-input"] == (
        'sig1=("@method" "@authority" "@path" "@query");created=1700000000;keyid="k"'
    )
    base = (
        '"@method": GET\n"@authority": h:8443\n"@path": /thing\n"@query": ?a=%C3%BC%20%2B\n'
        '"@signature-params": ("@method" "@authority" "@path" "@query");created=1700000000;keyid="k"'
    )
    value = request.headers["signature"].removeprefix("sig1=:").removesuffix(":")
    assert b64decode(value, validate=True) == KEY.sign(base.encode())
    assert request.headers["x"] == "y"
    assert "content-digest" not in request.headers
    assert verifier().check(Message.of(request), b"", NOW) == Verified(
        "sig1", "k", tuple(Component(name) for name in BASICS), NOW, None, None, None
    )


@BOTH
def test_a_body_is_covered_by_its_digest(make: Make) -> None:
    request = sent(Request("POST", URL, body=b"body", headers={"Content-Digest": "md5=:AAAA:"}), make)

    assert request.headers["content-digest"] == digest_field(b"body")
    assert verifier(required=[*BASICS, "content-digest"]).verify(Message.of(request), b"body", NOW)
    assert not verifier().verify(Message.of(request), b"Body", NOW)
    assert not verifier().verify(Message.of(request), b"", NOW)
    assert request.body == b"body"


@BOTH
def test_an_empty_body_is_covered_if_that_is_asked_for(make: Make) -> None:
    request = sent(Request("POST", URL), make, components=["content-digest", "@method"], digest="sha-512")

    assert request.headers["content-digest"] == digest_field(b"", ["sha-512"])
    assert request.headers["signature-input"].startswith('sig1=("content-digest" "@method");')
    assert verifier(required=["content-digest"]).verify(Message.of(request), b"", NOW)
    assert not verifier(required=["content-digest"]).verify(Message.of(request), b"x", NOW)


@BOTH
def test_a_digest_may_be_covered_by_its_member(make: Make) -> None:
    components = [Component("content-digest", key="sha-256")]

    request = sent(Request("POST", URL, body=b"body"), make, components=components)

    assert request.headers["signature-input"].startswith('sig1=("content-digest";key="sha-256");')
    assert verifier(required=components).verify(Message.of(request), b"body", NOW)
    assert not verifier(required=components).verify(Message.of(request), b"Body", NOW)


@BOTH
def test_a_stream_is_digested_piece_by_piece(make: Make) -> None:
    request = sent(Request("PUT", URL, body=StreamBody(lambda: [b"bo", b"dy"])), make)

    assert request.headers["content-digest"] == digest_field(b"body")
    assert isinstance(request.body, StreamBody)
    assert b"".join(request.body) == b"body"


@BOTH
def test_a_stream_that_can_be_read_once_is_refused(make: Make) -> None:
    transport = FakeTransport()

    with pytest.raises(UsageError, match="read once only"):
        get(
            make(transport, MessageSigning(KEY, key_id="k")).send_it(
                Request("PUT", URL, body=StreamBody.once([b"body"]))
            )
        )

    assert transport.requests == []


@BOTH
def test_a_signature_may_expire_and_carry_a_nonce_and_a_tag(make: Make) -> None:
    request = sent(
        Request("GET", URL), make, expires_in=60, nonce=True, tag="app", label="ours", components=["@method"]
    )

    verified = verifier(required=["@method"], tag="app").check(Message.of(request), b"", NOW)

    assert request.headers["signature-input"] == (
        f'ours=("@method");created={NOW};expires={NOW + 60};nonce="{verified.nonce}";keyid="k";tag="app"'
    )
    assert (verified.label, verified.expires, verified.tag) == ("ours", NOW + 60, "app")
    assert verified.nonce is not None
    assert len(verified.nonce) == 32


@BOTH
def test_each_attempt_is_signed_afresh(make: Make) -> None:
    class Numbered:
        name = "numbered"

        @hookimpl
        def jackfield_steps(self) -> Iterable[Step]:
            return [Step("numbered", Stage.AUTH, self.run)]

        async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
            return await proceed(request.with_headers(request.headers.replacing("x-try", str(call.attempts))), call)

    transport = FakeTransport([Response(503), Response(503), Response(200)])
    signing = MessageSigning(KEY, key_id="k", nonce=True, components=[*BASICS, "x-try"])
    client = make(transport, signing, Numbered(), Retry(max_attempts=3, base=50, cap=50))

    get(client.send_it(Request("PUT", URL, body=StreamBody(lambda: [b"body"]))))

    checked = [verifier().check(Message.of(request), b"body", NOW + 100) for request in transport.requests]
    assert len({one.nonce for one in checked}) == 3
    assert len({one.created for one in checked}) == 3
    assert len({request.headers["signature"] for request in transport.requests}) == 3
    assert [request.headers["x-try"] for request in transport.requests] == ["0", "1", "2"]
    assert all(request.headers["signature"].count(":") == 2 for request in transport.requests)


@BOTH
def test_a_request_to_another_origin_is_not_signed(make: Make) -> None:
    transport = FakeTransport(otherwise=Response(200))
    client = make(transport, MessageSigning(KEY, key_id="k"))

    for other in ("https://h/thing", "http://h:8443/thing", "https://h.evil.test:8443/thing", "https://sub.h:8443/"):
        get(client.send_it(Request("POST", Url.parse(other), body=b"body")))
    get(client.send_it(Request("GET", Url.parse("https://H:8443/elsewhere"))))

    for request in transport.requests[:4]:
        assert not {"signature", "signature-input", "content-digest"}.intersection(map(str.lower, request.headers))
    assert "signature" in transport.requests[4].headers


@BOTH
def test_signatures_that_are_there_stay_beside_ours(make: Make) -> None:
    first = sent(Request("GET", URL), make)

    both = sent(first, make, label="sig2", components=["@method", Component("signature", key="sig1")])

    assert both.headers["signature-input"].startswith(first.headers["signature-input"] + ", sig2=")
    assert both.headers["signature"].startswith(first.headers["signature"] + ", sig2=:")
    assert verifier().check(Message.of(both), b"", NOW).label == "sig1"
    second = verifier(required=[Component("signature", key="sig1")])
    assert second.check(Message.of(both), b"", NOW).label == "sig2"
    with pytest.raises(UsageError, match="another label"):
        sent(first, make)


@BOTH
def test_a_host_of_its_own_is_the_authority(make: Make) -> None:
    request = sent(Request("GET", URL, headers={"Host": "API.example:443"}), make, components=[*BASICS, "host"])
    received = Message.received("GET", "https://api.example/thing", request.headers)

    assert verifier().verify(received, b"", NOW)
    assert not verifier().verify(received._replace(authority="h:8443"), b"", NOW)


@BOTH
def test_fields_may_be_covered_where_they_are(make: Make) -> None:
    signing = MessageSigning(KEY, key_id="k", components=["@method"], if_present=["content-type"])
    transport = FakeTransport(otherwise=Response(200))
    client = make(transport, signing)

    get(client.send_it(Request("GET", URL)))
    get(client.send_it(Request("POST", URL, body=b"{}", headers={"Content-Type": "application/json"})))

    assert [request.headers["signature-input"].partition(";")[0] for request in transport.requests] == [
        'sig1=("@method")',
        'sig1=("@method" "content-type" "content-digest")',
    ]


@BOTH
def test_what_cannot_be_covered_is_refused_before_it_is_sent(make: Make) -> None:
    transport = FakeTransport()
    wrong: list[tuple[Request, Any]] = [
        (Request("GET", URL), "x-missing"),
        (Request("GET", URL), "@status"),
        (Request("GET", URL), "content-length"),
        (Request("get", URL), "content-length"),
        (Request("PUT", URL, body=StreamBody(lambda: [b"body"])), "content-length"),
        (Request("GET", URL, headers={"x": "é"}), "x"),
        (Request("GET", URL, query=[("a", "1"), ("a", "2")]), Component("@query-param", name="a")),
        (Request("GET", URL), Component("@method", req=True)),
    ]

    for request, component in wrong:
        with pytest.raises(UsageError):
            get(make(transport, MessageSigning(KEY, key_id="k", components=[component])).send_it(request))

    assert transport.requests == []


@pytest.mark.parametrize(
    "options",
    [
        {"key_id": ""},
        {"key_id": "é"},
        {"key_id": "a\nb"},
        {"key_id": None},
        {"key_id": b"k"},
        {"label": ""},
        {"label": "Sig1"},
        {"label": "1a"},
        {"label": "a b"},
        {"label": "a="},
        {"label": "a\n"},
        {"label": None},
        {"tag": ""},
        {"tag": "é"},
        {"tag": 1},
        {"expires_in": 0},
        {"expires_in": -1},
        {"expires_in": 1.5},
        {"expires_in": True},
        {"digest": "md5"},
        {"components": "@method"},
        {"components": ["@nothing"]},
        {"components": ["x", "x"]},
        {"components": ["x"], "if_present": ["x"]},
        {"if_present": ["X"]},
        {"components": None},
        {"components": [3]},
        {"if_present": 5},
    ],
)
def test_a_signer_that_cannot_be_is_refused_when_it_is_made(options: Mapping[str, Any]) -> None:
    given: dict[str, Any] = {"key_id": "k", **options}

    with pytest.raises(UsageError):
        MessageSigning(KEY, **given)


@pytest.mark.parametrize("key", [CANARY, CANARY.encode(), None, HmacKey, object(), {"k": KEY}])
def test_a_signer_takes_a_key_and_shows_none(key: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"key is HmacKey\(\.\.\.\), .*, not ") as caught:
        MessageSigning(key, key_id="k")

    assert CANARY not in str(caught.value)


def test_strings_with_quotes_go_over_the_wire_escaped() -> None:
    request = sent(Request("GET", URL), tag=r'a"b\c', label="*a_1.-*")

    assert request.headers["signature-input"].endswith(r';tag="a\"b\\c"')
    assert verifier().check(Message.of(request), b"", NOW).tag == r'a"b\c'


@BOTH
def test_a_key_may_live_elsewhere(make: Make) -> None:
    class Vault:
        """Stands for a KMS."""

        algorithm = "hmac-sha256"
        blocks = True

        def sign(self, base: bytes) -> bytes:
            with pytest.raises(RuntimeError):
                asyncio.get_running_loop()
            return KEY.sign(base)

    request = sent(Request("GET", URL), make, Vault())

    assert verifier().verify(Message.of(request), b"", NOW)


@BOTH
def test_a_key_that_does_not_block_signs_where_it_is_asked(make: Make) -> None:
    threads: list[threading.Thread] = []

    class Local:
        algorithm = "hmac-sha256"
        blocks = False

        def sign(self, base: bytes) -> bytes:
            threads.append(threading.current_thread())
            return KEY.sign(base)

    assert verifier().verify(Message.of(sent(Request("GET", URL), make, Local())), b"", NOW)
    assert threads == [threading.current_thread()]


@BOTH
def test_two_signers_are_refused(make: Make) -> None:
    class Other(MessageSigning):
        name = "other"

    with pytest.raises(ConfigurationError, match="SIGN has two owners"):
        make(FakeTransport(), MessageSigning(KEY, key_id="k"), Other(KEY, key_id="k"))


@BOTH
def test_the_key_and_the_signature_are_shown_nowhere(make: Make) -> None:
    transport = FakeTransport([Response(404)])
    pem = PEMS["test-key-ed25519"]["private_pem"]
    for key in (KEY, Ed25519Key(pem)):
        signing = MessageSigning(key, key_id="k")
        transport = FakeTransport([Response(404)])
        client = make(transport, signing)

        with pytest.raises(NotFoundError) as caught:
            get(client.send_it(Request("GET", URL)))
        with pytest.raises(SignatureError) as refused:
            verifier(key).check(Message.of(transport.requests[0]), b"", NOW + 9999)

        signature = transport.requests[0].headers["signature"].split(":")[1]
        explained = get(client.send_it.explain(Request("GET", URL)))
        shown = f"{signing!r} {vars(signing)} {vars(key)} {caught.value!r} {caught.value} {explained} {client.chain}"
        shown += f"{refused.value!r} {refused.value} {transport.requests[0]!r} {transport.requests[0].headers!r}"
        shown += f"{verifier(key)!r} {vars(verifier(key))}"
        assert not any(secret in shown for secret in (CANARY, pem.split("\n")[1], signature, "PRIVATE"))


def test_the_structured_field_library_is_not_imported_before_it_is_needed() -> None:
    code = (
        "import sys, jackfield_plugins.signing as s; s.MessageSigning(s.HmacKey('k'), key_id='k'); "
        "print([m for m in ('http_sf', 'cryptography') if m in sys.modules])"
    )

    assert run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


# --- whatever is sent verifies, and nothing else

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
VALUES = st.text(st.sampled_from("azAZ09,;=\"'()? \té"), max_size=8).map(lambda text: text.strip(" \t"))
Pairs: TypeAlias = list[tuple[str, str]]


def made(method: str, segments: list[str], query: Pairs, fields: Pairs, body: bytes) -> Request:
    url = Url.parse("https://h:8443/").at(*segments)
    return Request(method, url, query=query, headers=[("x-" + name, value) for name, value in fields], body=body)


REQUESTS = st.builds(
    made,
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT", "get"]),
    st.lists(TEXT.filter(lambda text: text not in ("", ".", "..")), max_size=3),
    st.lists(st.tuples(TEXT, TEXT), max_size=4),
    st.lists(st.tuples(st.sampled_from("abc"), VALUES), max_size=4),
    st.binary(max_size=20),
)


def covering(request: Request) -> list[str | Component]:
    """All that can be covered of it."""
    names = sorted({name for name in request.headers if name.startswith("x-")})
    return [*BASICS, "@target-uri", "@request-target", "@scheme", "content-digest", "host",
            *(Component(name, bs=True) for name in names)]  # fmt: skip


@EVERY_KEY
@given(request_=REQUESTS)
@settings(deadline=None, max_examples=25)
def test_whatever_is_signed_verifies(key_id: str, request_: Request) -> None:
    request = sent(request_, key=private_key(key_id), components=covering(request_))
    assert isinstance(request.body, bytes)

    message = Message.received(
        request.method,
        f"https://h:8443{request.target}",
        Headers([*request.headers.pairs(), ("host", "h:8443")]),
    )

    assert verifier(public_key(key_id)).check(message, request.body, NOW).label == "sig1"
    assert not verifier(private_key("test-shared-secret") if key_id != "test-shared-secret" else KEY).verify(
        message, request.body, NOW
    )


def changed(message: Message, body: bytes, part: str, at: int) -> tuple[Message, bytes]:
    """With one bit flipped, in one part."""

    def flip(data: bytes) -> bytes:
        flipped = bytearray(data)
        flipped[at // 8 % len(data)] ^= 1 << at % 8
        return bytes(flipped)

    def flipped(text: str) -> str:
        return flip(text.encode("latin-1")).decode("latin-1")

    if part == "body":
        return message, flip(body)
    if part in ("method", "scheme", "authority", "path", "query"):
        touched: dict[str, Any] = {part: flipped(getattr(message, part))}
        return message._replace(**touched), body
    fields = [(name, flipped(value) if name.lower() == part else value) for name, value in message.headers.pairs()]
    return message._replace(headers=Headers.received(fields)), body


@EVERY_KEY
@given(
    part=st.sampled_from(
        [
            "body",
            "method",
            "scheme",
            "authority",
            "path",
            "query",
            "x",
            "content-digest",
            "signature-input",
            "signature",
        ]
    ),
    at=st.integers(0, 5000),
)
@settings(deadline=None, max_examples=60)
def test_a_flipped_bit_anywhere_does_not_verify(key_id: str, part: str, at: int) -> None:
    request = sent(
        Request("POST", URL, query=[("a", "b")], headers=[("x", "one"), ("x", "two")], body=b"body"),
        key=private_key(key_id),
        components=[*BASICS, "@scheme", "content-digest", "x"],
    )
    message = Message.of(request)
    touched, body = changed(message, b"body", part, at)
    # what means the same is the same: the case of a host or scheme, and the unused bits at the end of base64
    same = touched.authority.lower() == message.authority and touched.scheme.lower() == message.scheme
    same = same and touched._replace(authority="", scheme="", headers=Headers()) == message._replace(
        authority="", scheme="", headers=Headers()
    )
    same = same and body == b"body" and meaning(touched.headers) == meaning(message.headers)

    assert verifier(public_key(key_id)).verify(touched, body, NOW) == same


def meaning(headers: Headers) -> list[object]:
    """The fields, with base64 decoded."""
    found: list[object] = []
    for name, value in headers.pairs():
        before, colon, rest = value.partition(":")
        base64, end, after = rest.partition(":")
        if colon and end and name.lower() in ("signature", "content-digest"):
            try:
                digits = base64.rstrip("=")
                found.append((name, before, b64decode(digits + "=" * (-len(digits) % 4), validate=True), after))
                continue
            except ValueError:
                pass
        found.append((name, value))
    return found


# --- over a real socket


def answering(peer: Peer) -> None:
    for _ in peer.requests():
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


@pytest.mark.parametrize("kind", [CoreClient, AsyncCoreClient])
@given(requests=st.lists(REQUESTS, min_size=3, max_size=6))
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_signed_is_what_arrives(serve: Serve, kind: Any, requests: list[Request]) -> None:
    server = serve(answering)
    asked = [request.replace(url=Url(Url.parse(server.url).origin, request.url.path)) for request in requests]
    signings = [MessageSigning(KEY, key_id="k", components=arriving(request)) for request in asked]
    client = kind(server.url, plugins=[MessageSigning(KEY, key_id="k")])

    async def awaited() -> None:
        async with client:
            for request, signing in zip(asked, signings, strict=True):
                await client.with_options(signing=signing).send_it(request)

    if kind is AsyncCoreClient:
        asyncio.run(awaited())
    else:
        with client:
            for request, signing in zip(asked, signings, strict=True):
                client.with_options(signing=signing).send_it(request)

    for request, received in zip(asked, server.requests, strict=True):
        headers = Headers.received(received.headers)
        url = f"http://{headers['host']}{received.target}"
        message = Message.received(received.line.split(" ")[0], url, headers)
        verifier(required=arriving(request)).check(message, received.body)
        check_digest_field(headers["content-digest"], received.body)


def arriving(request: Request) -> list[str | Component]:
    """All that can be covered of it, with what the client and the transport add."""
    has_length = request.body or request.method in ("POST", "PUT", "PATCH", "REPORT")
    return [*covering(request), "user-agent", *(["content-length"] if has_length else [])]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("pieces", [[], [b"bo", b"dy"]])
def test_the_length_of_a_stream_is_what_arrives(serve: Serve, method: str, pieces: list[bytes]) -> None:
    server = serve(answering)
    signing = MessageSigning(KEY, key_id="k", components=["content-length"])
    body = StreamBody(lambda: pieces, length=sum(map(len, pieces)))

    with CoreClient(server.url, plugins=[signing]) as client:
        client.send_it(Request(method, Url.parse(server.url), body=body))

    [received] = server.requests
    message = Message(method, "http", headers=Headers.received(received.headers))
    assert verifier(required=["content-length", "content-digest"]).verify(message, received.body)
