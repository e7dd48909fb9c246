"""The verifier of HTTP Message Signatures: what it believes, and that it says why not, whatever comes."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import thread_time, time
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import ConfigurationError, Headers, SignatureError, UsageError
from jackfield_plugins.signing import (
    Component,
    Ed25519Key,
    HmacKey,
    Message,
    MessageVerifier,
    VerifyingKey,
    digest_field,
    signature_base,
)

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "rfc9421_message_signatures.json").read_text())
PEMS: dict[str, dict[str, str]] = VECTORS["keys"]
NOW = 1_700_000_000
CANARY = "hunter2-canary"
BASICS = ("@method", "@authority", "@path", "@query")
KEY = HmacKey(CANARY)


def verifier(key: VerifyingKey = KEY, **options: Any) -> MessageVerifier:
    return MessageVerifier({"k": key}, **options)


def signed(
    parameters: str, *, components: str = '("@method" "@authority" "@path" "@query")', key: Any = KEY
) -> Message:
    """A request whose signature has these parameters."""
    message = Message.received("GET", "https://h/", Headers({}))
    names = [name.strip('"') for name in components.strip("()").split()]
    base = signature_base(message, names, {}).decode() + parameters
    headers = {
        "signature-input": f"sig1={components}{parameters}",
        "signature": f"sig1=:{b64encode(key.sign(base.encode())).decode()}:",
    }
    return message._replace(headers=Headers(headers))


@pytest.mark.parametrize("keys", [None, CANARY, [("k", KEY)], KEY, {}, {1: KEY}])
def test_keys_are_a_mapping_by_their_ids(keys: Any) -> None:
    with pytest.raises(ConfigurationError, match="'key-id': HmacKey") as caught:
        MessageVerifier(keys)

    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("key", [CANARY, None, HmacKey, {"k": KEY}])
def test_each_key_is_one_and_none_is_shown(key: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"a key is HmacKey\(\.\.\.\), .*, not ") as caught:
        MessageVerifier({"good": KEY, "k": key})

    assert CANARY not in str(caught.value)


def test_a_tag_is_text() -> None:
    with pytest.raises(ConfigurationError, match="tag is text, or None, not int"):
        MessageVerifier({"k": KEY}, tag=cast("Any", 1))


@pytest.mark.parametrize("wrong", [None, {"signature": "x"}, b"GET", Message, Message(headers=cast("Any", {"x": "y"}))])
def test_what_is_no_message_is_a_mistake_and_no_forgery(wrong: Any) -> None:
    good = signed(f';created={NOW};keyid="k"')

    for ask in (
        lambda: verifier().verify(wrong, b"", NOW),
        lambda: verifier().verify(wrong, b"", NOW, request=good),
        lambda: verifier().verify(good, b"", NOW, request=wrong or cast("Any", 0)),
        lambda: signature_base(wrong, BASICS, {}),
    ):
        with pytest.raises(UsageError, match=r"give Message\.received\(method, url, headers\)"):
            ask()


def test_a_time_that_is_no_number_is_a_mistake_and_no_forgery() -> None:
    with pytest.raises(UsageError, match="now is seconds since 1970, or None, not str"):
        verifier().verify(signed(f';created={NOW};keyid="k"'), b"", cast("Any", "1700000000"))


def reason(message: Message, body: bytes = b"", now: float = NOW, **options: Any) -> str:
    with pytest.raises(SignatureError) as caught:
        verifier(**options).check(message, body, now)
    assert not verifier(**options).verify(message, body, now)
    assert CANARY not in str(caught.value)
    return caught.value.message


def test_a_signature_is_good_from_its_creation_to_its_age() -> None:
    message = signed(f';created={NOW};keyid="k"')

    assert all(verifier().verify(message, b"", NOW + age) for age in (-30, 0, 299.9, 300))
    assert "future" in reason(message, now=NOW - 31)
    assert "older than 300 s" in reason(message, now=NOW + 300.1)
    assert verifier(max_age=1000).verify(message, b"", NOW + 1000)
    assert verifier(tolerance=0.5).verify(message, b"", NOW - 0.5)
    assert not verifier(tolerance=0.5).verify(message, b"", NOW - 1)
    assert verifier(tolerance=0).verify(message, b"", NOW)
    assert not verifier(tolerance=0).verify(message, b"", NOW - 0.1)


def test_a_signature_ends_when_it_says() -> None:
    message = signed(f';created={NOW};expires={NOW + 10};keyid="k"')

    assert verifier().verify(message, b"", NOW + 9.9)
    assert "expired" in reason(message, now=NOW + 10)


def test_the_clock_of_the_machine_is_used_unless_another_time_is_given() -> None:
    message = signed(f';created={int(time())};keyid="k"')

    assert verifier().check(message, b"").key_id == "k"
    assert not verifier().verify(signed(f';created={NOW};keyid="k"'), b"")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        (';keyid="k"', "when it was created"),
        (f";created={NOW}", "no signature of a key ID"),
        (f';created={NOW};keyid="other"', "no signature of a key ID"),
        (f';created={NOW};keyid="k";alg="rsa-pss-sha512"', "another algorithm"),
        (f';created={NOW};keyid="k";alg="none"', "another algorithm"),
        (f';created={NOW};keyid="k";alg=hmac-sha256', "'alg' is no string"),
        (f";created={NOW};keyid=k", "'keyid' is no string"),
        (';created="1700000000";keyid="k"', "'created' is no whole number"),
        (';created;keyid="k"', "'created' is no whole number"),
        (f';created=@{NOW};keyid="k"', "'created' is no whole number"),
        (f';created={NOW}.0;keyid="k"', "'created' is no whole number"),
        (f';created={NOW};expires;keyid="k"', "'expires' is no whole number"),
        (f';created={NOW};keyid="k";nonce=:AAAA:', "'nonce' is no string"),
        (f';created={NOW};keyid="k";tag', "'tag' is no string"),
        (f';created={NOW};keyid="k";keyid="k"', "twice"),
        (f';created=1;created={NOW};keyid="k"', "twice"),
    ],
)
def test_parameters_are_what_they_should_be(parameters: str, said: str) -> None:
    assert said in reason(signed(parameters))


@pytest.mark.parametrize("field", ["signature", "signature-input"])
def test_a_label_that_is_there_twice_is_refused(field: str) -> None:
    message = signed(f';created={NOW};keyid="k"')
    twice = Headers([*message.headers.pairs(), (field, message.headers[field])])

    with pytest.raises(SignatureError, match="twice"):
        verifier().check(message._replace(headers=twice), b"", NOW)


def test_the_algorithm_may_be_named_and_other_parameters_added() -> None:
    assert verifier().verify(
        signed(f';created={NOW};keyid="k";alg="hmac-sha256";new=1.50'.replace("50", "5")), b"", NOW
    )


def test_a_key_is_never_used_by_another_algorithm() -> None:
    public = PEMS["test-key-ed25519"]["public_pem"]
    forged = signed(f';created={NOW};keyid="k";alg="hmac-sha256"', key=HmacKey(public))

    assert "another algorithm" in reason(forged, key=Ed25519Key(public))
    assert "not of this message" in reason(
        signed(f';created={NOW};keyid="k"', key=HmacKey(public)), key=Ed25519Key(public)
    )


def test_what_must_be_covered_is_covered() -> None:
    message = signed(f';created={NOW};keyid="k"', components='("@method" "@path")')

    assert 'does not cover "@authority", "@query"' in reason(message)
    assert verifier(required=["@path"]).verify(message, b"", NOW)
    assert 'cover "@query-param";name="a"' in reason(message, required=[Component("@query-param", name="a")])
    assert 'cover "x";key="a"' in reason(message, required=[Component("x", key="a")])


def test_a_body_that_is_not_covered_is_refused_unless_that_is_allowed() -> None:
    message = signed(f';created={NOW};keyid="k"')

    assert "does not cover the body" in reason(message, b"body")
    assert verifier(unsigned_body=True).verify(message, b"body", NOW)
    assert verifier().verify(message, b"", NOW)


@pytest.mark.parametrize(
    ("digest", "component"),
    [
        (digest_field(b"Body"), Component("content-digest")),
        (digest_field(b"Body"), Component("content-digest", sf=True)),
        (digest_field(b"Body"), Component("content-digest", bs=True)),
        (digest_field(b"Body"), Component("content-digest", key="sha-256")),
        (digest_field(b"body") + ", sha-512=:AAAA:", Component("content-digest", key="sha-256")),
        ("md5=:hBpfLZnrpXUFy1y5h7PHGg==:", Component("content-digest")),
        ("md5=:hBpfLZnrpXUFy1y5h7PHGg==:", Component("content-digest", key="md5")),
        (digest_field(b"body") + ", md5=:AAAA:", Component("content-digest", key="md5")),
        ("garbage", Component("content-digest")),
    ],
)
def test_a_digest_that_is_covered_is_held_against_the_body(digest: str, component: Component) -> None:
    message = Message("POST", "https", "h", headers=Headers({"content-digest": digest}))
    request = by_hand(message, [*BASICS, component])

    assert "digest" in reason(request, b"body")


def test_the_digest_of_the_request_is_not_that_of_the_response() -> None:
    asked = Message("POST", "https", "h", headers=Headers({"content-digest": digest_field(b"body")}))
    response = by_hand(Message(status=200), ["@status", Component("content-digest", req=True)], asked)
    checking = verifier(required=["@status"])

    assert checking.check(response, b"", NOW, request=asked).components[1] == Component("content-digest", req=True)
    with pytest.raises(SignatureError, match="does not cover the body"):
        checking.check(response, b"body", NOW, request=asked)


def by_hand(message: Message, components: Iterable[str | Component], request: Message | None = None) -> Message:
    """The message, signed without the plugin."""
    names = list(components)
    base = signature_base(message, names, {"created": NOW, "keyid": "k"}, request=request)
    given = base.decode().rpartition('"@signature-params": ')[2]
    value = b64encode(KEY.sign(base)).decode()
    fields = [*message.headers.pairs(), ("signature-input", f"sig1={given}"), ("signature", f"sig1=:{value}:")]
    return message._replace(headers=Headers(fields))


def test_a_tag_that_is_demanded_must_be_there() -> None:
    message = signed(f';created={NOW};keyid="k";tag="app"')

    assert verifier(tag="app").check(message, b"", NOW).tag == "app"
    assert verifier().verify(message, b"", NOW)
    assert "tag" in reason(message, tag="other")
    assert "tag" in reason(signed(f';created={NOW};keyid="k"'), tag="app")
    assert "no string" in reason(signed(f';created={NOW};keyid="k";tag=app'), tag="app")


def test_of_several_signatures_a_good_one_is_enough() -> None:
    good, other = signed(f';created={NOW};keyid="k"'), signed(f';created={NOW};keyid="x"')

    def together(*messages: Message) -> Message:
        inputs, values = (
            ", ".join(m.headers[name].replace("sig1", f"s{number}") for number, m in enumerate(messages))
            for name in ("signature-input", "signature")
        )
        return good._replace(headers=Headers({"signature-input": inputs, "signature": values}))

    bad = signed(f';created={NOW};keyid="k"', key=HmacKey("another"))
    assert verifier().check(together(other, bad, good), b"", NOW).label == "s2"
    assert "'s0' cannot be trusted: it is not of this message" in reason(together(bad, bad))
    assert verifier().verify(together(*[other] * 7, good), b"", NOW)
    assert "more than 8" in reason(together(*[other] * 8, good))


def test_signatures_may_stand_in_several_lines() -> None:
    good = signed(f';created={NOW};keyid="k"').headers
    fields = [("Signature-Input", 'a=("x");keyid="z"'), ("Signature-Input", " " + good["signature-input"])]
    fields += [("Signature", good["signature"] + "\t"), ("Signature", "a=:AAAA:")]

    assert verifier().verify(Message("GET", "https", "h", headers=Headers.received(fields)), b"", NOW)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("", ""),
        ("sig1", "sig1=:AAAA:"),
        ('sig1;keyid="k"', "sig1=:AAAA:"),
        (f'sig1=1;created={NOW};keyid="k"', "sig1=:AAAA:"),
        (f'sig1=();created={NOW};keyid="k"', ""),
        (f'sig1=();created={NOW};keyid="k"', "sig2=:AAAA:"),
        (f'sig1=();created={NOW};keyid="k"', "sig1"),
        (f'sig1=();created={NOW};keyid="k"', 'sig1="AAAA"'),
        (f'sig1=();created={NOW};keyid="k"', "sig1=(:AAAA:)"),
        (f'sig1=();created={NOW};keyid="k"', "sig1=:AAAA:, sig1=:AAAA:"),
        (f'sig1=();created={NOW};keyid="k", sig1=()', "sig1=:AAAA:"),
        (f'sig1=(method);created={NOW};keyid="k"', "sig1=:AAAA:"),
        (f'sig1=("@method" "@method");created={NOW};keyid="k"', "sig1=:AAAA:"),
        (f'sig1=("@Method");created={NOW};keyid="k"', "sig1=:AAAA:"),
        (f'sig1=("@status");created={NOW};keyid="k"', "sig1=:AAAA:"),
        (f'sig1=("@signature-params");created={NOW};keyid="k"', "sig1=:AAAA:"),
        (f'sig1=("@method";req);created={NOW};keyid="k"', "sig1=:AAAA:"),
        (f'sig1=("x";tr);created={NOW};keyid="k"', "sig1=:AAAA:"),
        (f'sig1=("x";unknown);created={NOW};keyid="k"', "sig1=:AAAA:"),
        (f'sig1=("x";component);created={NOW};keyid="k"', "sig1=:AAAA:"),
        (f'sig1=("x";self);created={NOW};keyid="k"', "sig1=:AAAA:"),
        (f'sig1=("x";sf=?0);created={NOW};keyid="k"', "sig1=:AAAA:"),
        (f'sig1=("x";key=a);created={NOW};keyid="k"', "sig1=:AAAA:"),
        (f'sig1=("x");created={NOW};keyid="k"', "sig1=:AAAA:"),
        (f'sig1=(42);created={NOW};keyid="k"', "sig1=:AAAA:"),
        (f'sig1=(:AAAA:);created={NOW};keyid="k"', "sig1=:AAAA:"),
        ("sig1=(", "sig1=:AAAA:"),
        ("é", "sig1=:AAAA:"),
        ("\ud800", "sig1=:AAAA:"),
        ("a" * 20_000, "sig1=:AAAA:"),
        (f'sig1=();created={NOW};keyid="k"', "a" * 20_000),
    ],
)
def test_a_signature_that_is_malformed_is_refused(given: str, value: str) -> None:
    fields = [("signature-input", given), ("signature", value)]

    for names in ((), ("@method",)):
        reason(Message("GET", "https", "h", headers=Headers.received(fields)), required=names)


def test_a_message_without_a_signature_is_refused() -> None:
    assert "no signature" in reason(Message("GET", "https", "h"))
    with pytest.raises(SignatureError):
        verifier().check(Message(status=200), b"", NOW)


WORDS = (
    f"""sig1 = ( ) "@method" "x" ; keyid "k" created {NOW} : AAAA , sf key req bs tr tag alg ?1 @1 % ' \\ 1.5 - name"""
)
JUNK = st.text(max_size=20) | st.lists(st.sampled_from([*WORDS.split(), " ", "\t"]), max_size=14).map("".join)


@given(JUNK, JUNK, JUNK, st.sampled_from([None, 200]))
@settings(deadline=None, max_examples=100)
def test_whatever_comes_is_refused_with_a_signature_error(
    text: str, other: str, value: str, status: int | None
) -> None:
    parameters = f';created={NOW};keyid="k"'
    fields = [("signature-input", f"sig1=({text}){parameters}{other}"), ("signature", f"sig1={value}"), ("x", other)]
    raw = [("signature-input", text), ("signature", value), ("signature-input", other), ("x", value)]

    for headers in (fields, raw):
        message = Message(text, other, value, text, other, Headers.received(headers), status)
        with pytest.raises(SignatureError):
            verifier(required=()).check(message, text.encode("utf-8", "replace"), NOW, request=message)


@pytest.mark.parametrize(
    "signature_input",
    [
        "a=" * 1_000_000,
        "sig1=(" + '"x" ' * 1_000_000,
        "sig1=()" + ";a" * 4_000,
        ",".join(f's{n}=("x";key="a");keyid="k"' for n in range(400)),
        "(" * 16_000,
        "sig1=(" + " ".join(f'"x";key="k{n}"' for n in range(900)) + f');created={NOW};keyid="k"',
        "sig1=(" + " ".join(f'"@query-param";name="k{n}"' for n in range(500)) + f');created={NOW};keyid="k"',
    ],
)
def test_hostile_signatures_take_linear_time(signature_input: str) -> None:
    big = ", ".join(f"k{n}" for n in range(2_000))
    fields = {"signature-input": signature_input, "signature": "sig1=:AAAA:", "x": big}
    message = Message("GET", "https", "h", "/", big.replace(", ", "&"), Headers.received(fields.items()))
    began = thread_time()

    assert not verifier(required=()).verify(message, b"", NOW)

    assert thread_time() - began < 2


@pytest.mark.parametrize(
    ("keys", "options"),
    [
        ({}, {}),
        ({None: KEY}, {}),
        ({"k": KEY}, {"max_age": 0}),
        ({"k": KEY}, {"max_age": float("nan")}),
        ({"k": KEY}, {"tolerance": -1}),
        ({"k": KEY}, {"required": "@method"}),
        ({"k": KEY}, {"required": ["@nothing"]}),
    ],
)
def test_a_verifier_that_cannot_be_is_refused_when_it_is_made(keys: Any, options: Mapping[str, Any]) -> None:
    with pytest.raises(UsageError):
        MessageVerifier(keys, **options)


@pytest.mark.parametrize("body", ["body", None, [], 5])
def test_a_body_is_bytes(body: Any) -> None:
    with pytest.raises(UsageError, match="raw bytes"):
        verifier().check(signed(f';created={NOW};keyid="k"'), body, NOW)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_a_body_may_be_any_kind_of_bytes(kind: Callable[[bytes], Any]) -> None:
    message = Message("POST", "https", "h", headers=Headers({"content-digest": digest_field(b"body")}))
    request = by_hand(message, [*BASICS, "content-digest"])

    assert verifier().verify(request, kind(b"body"), NOW)


def test_keys_may_change_in_the_callers_mapping_without_effect() -> None:
    keys: dict[str, VerifyingKey] = {"k": KEY}
    checking = MessageVerifier(keys)
    keys.clear()

    assert checking.verify(signed(f';created={NOW};keyid="k"'), b"", NOW)
