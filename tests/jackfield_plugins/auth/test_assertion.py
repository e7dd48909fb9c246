"""Signed assertions: right by two libraries, new each time, and the key is shown nowhere."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
import traceback
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import ConfigurationError, Secret, UsageError
from jackfield.testing import VirtualSyncRuntime
from jackfield_plugins.auth import JwtAssertion

CANARY = "hunter2-canary-that-is-as-long-as-the-digest-of-sha-512-which-is-64-bytes"
NOW = 1_700_000_000  # what a virtual runtime says at first
WHO: dict[str, Any] = {"issuer": "me", "subject": "you", "audience": "https://id.example/token"}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcü", max_size=3), inner, max_size=3),
    max_leaves=5,
)

RSA_NAMES = [f"{kind}{bits}" for kind in ("RS", "PS") for bits in (256, 384, 512)]
CURVES: dict[str, ec.EllipticCurve] = {
    "ES256": ec.SECP256R1(),
    "ES384": ec.SECP384R1(),
    "ES512": ec.SECP521R1(),
    "ES256K": ec.SECP256K1(),
}
ED: dict[str, type[ed25519.Ed25519PrivateKey] | type[ed448.Ed448PrivateKey]] = {
    "Ed25519": ed25519.Ed25519PrivateKey,
    "Ed448": ed448.Ed448PrivateKey,
}


@cache
def private(kind: str) -> Any:
    """A key, once for all tests."""
    if kind.startswith("RSA"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    return ED[kind].generate() if kind in ED else ec.generate_private_key(CURVES[kind])


def pem(kind: str, form: Any = PrivateFormat.PKCS8) -> str:
    return str(private(kind).private_bytes(Encoding.PEM, form, NoEncryption()), "ascii")


def public_pem(kind: str) -> str:
    return str(private(kind).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "ascii")


CASES = [
    *((name, "RSA2048") for name in RSA_NAMES),
    *((name, name) for name in CURVES),
    ("EdDSA", "Ed25519"),
    ("EdDSA", "Ed448"),
]


def asserted(assertion: JwtAssertion, runtime: VirtualSyncRuntime | None = None) -> dict[str, Any]:
    """What an assertion says, unverified."""
    return read(assertion(runtime or VirtualSyncRuntime()))[1]


def read(text: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    """Header, claims, signature, and what is signed, by RFC 7515 §3.1."""
    header, claims, signature = (urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in text.split("."))
    return json.loads(header), json.loads(claims), signature, text.rpartition(".")[0].encode()


def check(name: str, public: Any, signature: bytes, signed: bytes) -> None:
    """By RFC 7518 §3 and RFC 8037 §3.1, without a JWT library."""
    if name == "EdDSA":
        public.verify(signature, signed)
        return
    digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[name[2:5]]
    if name.startswith("ES"):
        half = (public.curve.key_size + 7) // 8
        assert len(signature) == 2 * half
        pair = int.from_bytes(signature[:half]), int.from_bytes(signature[half:])
        public.verify(encode_dss_signature(*pair), signed, ec.ECDSA(digest))
    else:
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        public.verify(signature, signed, pss if name[0] == "P" else padding.PKCS1v15(), digest)


# --- what is signed


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_whoever_has_the_public_key_can_verify_it(name: str, kind: str) -> None:
    assertion = JwtAssertion(pem(kind), **WHO, algorithm=name, key_id="k1")

    text = assertion(VirtualSyncRuntime())

    header, claims, signature, signed = read(text)
    check(name, private(kind).public_key(), signature, signed)
    with pytest.raises(InvalidSignature):
        check(name, private(kind).public_key(), signature, signed + b"x")
    assert header == {"alg": name, "typ": "JWT", "kid": "k1"}
    decoded = jwt.decode(
        text, public_pem(kind), [name], audience=WHO["audience"], issuer="me", options={"verify_exp": False}
    )
    assert decoded == claims


@pytest.mark.filterwarnings("ignore")  # PyJWT may warn of what is refused here
@pytest.mark.parametrize(("name", "size"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_whoever_has_the_secret_can_verify_it(name: str, size: int) -> None:
    secret = "ü" + "k" * (size - 2)

    text = JwtAssertion(secret, **WHO, algorithm=name)(VirtualSyncRuntime())

    header, claims, signature, signed = read(text)
    assert signature == hmac.digest(secret.encode(), signed, getattr(hashlib, f"sha{name[2:]}"))
    assert header == {"alg": name, "typ": "JWT"}
    assert jwt.decode(text, secret, [name], audience=WHO["audience"], options={"verify_exp": False}) == claims
    with pytest.raises(ConfigurationError, match="at least as long as the digest"):
        JwtAssertion(secret[:-1], **WHO, algorithm=name)


def test_it_is_signed_by_rs256_where_nothing_else_is_said() -> None:
    header, _, _, _ = read(JwtAssertion(pem("RSA2048"), **WHO)(VirtualSyncRuntime()))

    assert header == {"alg": "RS256", "typ": "JWT"}


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize(("name", "kind"), [("RS256", "RSA2048"), ("ES256", "ES256")])
def test_a_key_may_be_in_either_form_of_pem_and_text_or_a_secret(form: Any, name: str, kind: str) -> None:
    for key in (pem(kind, form), Secret(pem(kind, form)), pem(kind, form).strip().replace("\n", "\r\n")):
        assert asserted(JwtAssertion(key, **WHO, algorithm=name))["iss"] == "me"


def test_it_says_who_of_whom_to_whom_and_for_how_long() -> None:
    claims = asserted(JwtAssertion(CANARY, **WHO, algorithm="HS256"))

    jti = claims.pop("jti")
    assert claims == {
        "iss": "me",
        "sub": "you",
        "aud": "https://id.example/token",
        "iat": NOW,
        "exp": NOW + 300,
    }
    assert bytes.fromhex(jti) == VirtualSyncRuntime().token_bytes(16)
    assert all(type(claims[name]) is int for name in ("iat", "exp"))


@pytest.mark.parametrize(("lifetime", "seconds"), [(1, 1), (1.9, 1), (60, 60), (3600.0, 3600)])
def test_it_lasts_as_long_as_is_said(lifetime: float, seconds: int) -> None:
    claims = asserted(JwtAssertion(CANARY, **WHO, algorithm="HS256", lifetime=lifetime))

    assert claims["exp"] - claims["iat"] == seconds


def test_each_is_new_by_the_clock_and_by_chance_of_the_runtime() -> None:
    assertion, runtime = JwtAssertion(CANARY, **WHO, algorithm="HS256"), VirtualSyncRuntime()

    first = asserted(assertion, runtime)
    second = asserted(assertion, runtime)
    runtime.elapsed += 59.7
    third = asserted(assertion, runtime)

    assert (second["iat"], second["exp"]) == (first["iat"], first["exp"])
    assert (third["iat"], third["exp"]) == (NOW + 59, NOW + 359)
    assert asserted(assertion, VirtualSyncRuntime()) == first, "by no other clock or chance"
    many = {asserted(assertion, runtime)["jti"] for _ in range(200)}
    assert len(many | {first["jti"], second["jti"], third["jti"]}) == 203


def test_other_claims_are_asserted_as_they_were_when_it_was_made() -> None:
    claims: dict[str, Any] = {"scope": ["a", "b"], "nbf": 7, "ü": {"x": None}}
    assertion = JwtAssertion(CANARY, **WHO, algorithm="HS256", claims=claims)

    claims["scope"] = "everything"
    first, second = asserted(assertion), asserted(assertion)

    assert first == second
    assert {name: first[name] for name in claims} == {"scope": ["a", "b"], "nbf": 7, "ü": {"x": None}}
    assert len(first) == 9


@given(st.dictionaries(st.text("abcü", max_size=3), JSON, max_size=4), st.text('aü😀\n"\\', min_size=1, max_size=5))
@settings(deadline=None, max_examples=100)
def test_whatever_json_can_say_is_asserted(claims: Mapping[str, Any], who: str) -> None:
    assertion = JwtAssertion(
        CANARY, issuer=who, subject=who, audience=who, algorithm="HS256", key_id=who, claims=claims
    )

    header, found, _, _ = read(assertion(VirtualSyncRuntime()))

    assert header["kid"] == who
    assert {name: found[name] for name in ("iss", "sub", "aud")} == {"iss": who, "sub": who, "aud": who}
    assert {name: found[name] for name in claims} == claims


# --- what is refused


@pytest.mark.filterwarnings("ignore")  # PyJWT may warn of what is refused here
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("RS256", "ES256"),
        ("RS256", "Ed25519"),
        ("PS256", "ES256"),
        ("ES256", "RSA2048"),
        ("ES256", "Ed25519"),
        ("ES256", "ES384"),
        ("ES256", "ES256K"),
        ("ES256K", "ES256"),
        ("ES384", "ES512"),
        ("ES512", "ES256"),
        ("EdDSA", "RSA2048"),
        ("EdDSA", "ES256"),
        ("HS256", "RSA2048"),
        ("HS512", "Ed25519"),
        ("RS256", "RSA1024"),
        ("PS256", "RSA1024"),
    ],
)
def test_a_key_that_does_not_fit_the_algorithm_is_refused_and_not_shown(name: str, key: str) -> None:
    with pytest.raises(ConfigurationError, match=f"does not sign {name}") as caught:
        JwtAssertion(pem(key), **WHO, algorithm=name)

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def no_pem() -> str:
    return CANARY


def a_public_key() -> str:
    return public_pem("RSA2048")


def half_a_key() -> str:
    return pem("RSA2048")[:800]


def a_key_with_a_password() -> str:
    key: bytes = private("RSA2048").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"p"))
    return key.decode()


@pytest.mark.parametrize("make", [no_pem, a_public_key, half_a_key, a_key_with_a_password])
@pytest.mark.parametrize("name", [*RSA_NAMES, *CURVES, "EdDSA"])
def test_what_is_no_private_key_is_refused_and_not_shown(make: Callable[[], str], name: str) -> None:
    key = make()

    with pytest.raises(ConfigurationError, match=f"does not sign {name}") as caught:
        JwtAssertion(key, **WHO, algorithm=name)

    shown = "".join(traceback.format_exception(caught.value))
    assert not any(line in shown for line in key.splitlines())
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize("make", [pem, public_pem])
def test_a_pem_is_no_shared_secret(make: Callable[[str], str]) -> None:
    with pytest.raises(ConfigurationError, match="does not sign HS256"):
        JwtAssertion(make("RSA2048"), **WHO, algorithm="HS256")


@pytest.mark.parametrize("key", ["", None, b"bytes", 7])
def test_a_key_is_a_string(key: Any) -> None:
    with pytest.raises(UsageError):
        JwtAssertion(key, **WHO)


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", "rs256", "ES521", "RS257", None, ["RS256"], 7])
@pytest.mark.parametrize("key", [CANARY, "none"])
def test_an_algorithm_that_is_none_is_refused(name: Any, key: str) -> None:
    with pytest.raises(ConfigurationError, match=r"must be one of ES256, .*RS512.*pip install") as caught:
        JwtAssertion(key, **WHO, algorithm=name)

    assert "none," not in str(caught.value)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("name", ["issuer", "subject", "audience", "key_id"])
@pytest.mark.parametrize("value", ["", b"me", 7, ["me"]])
def test_a_name_that_is_no_string_or_empty_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be a string"):
        JwtAssertion(CANARY, **{**WHO, name: value}, algorithm="HS256")


@pytest.mark.parametrize("value", [0, 0.99, -1, float("nan"), float("inf"), "300", None, True])
def test_a_lifetime_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="lifetime"):
        JwtAssertion(CANARY, **WHO, algorithm="HS256", lifetime=value)


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "iat", "exp", "jti"])
def test_a_claim_that_it_makes_itself_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} cannot be among the claims"):
        JwtAssertion(CANARY, **WHO, algorithm="HS256", claims={name: "x"})


def test_claims_that_are_no_json_are_refused() -> None:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    every: list[Any] = [
        circle,
        {"x": deep},
        {"x": float("nan")},
        {"x": float("inf")},
        {"x": b"y"},
        {"x": object()},
        {("x",): 1},
        {"x": Secret(CANARY)},
        {"x": {1}},
        7,
        None,
        "text",
    ]
    for claims in every:
        with pytest.raises(ConfigurationError, match="claims must be") as caught:
            JwtAssertion(CANARY, **WHO, algorithm="HS256", claims=claims)

        assert CANARY not in str(caught.value)


# --- what is shown, and what it needs


def test_the_key_is_shown_nowhere() -> None:
    for key, name in ((CANARY, "HS512"), (pem("RSA2048"), "RS256")):
        assertion = JwtAssertion(key, **WHO, algorithm=name)

        assertion(VirtualSyncRuntime())

        shown = f"{assertion!r} {assertion!s} {vars(assertion)}"
        assert not any(line in shown for line in key.splitlines())


def test_who_has_not_got_pyjwt_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jwt", None)

    with pytest.raises(ConfigurationError, match=r'pip install "jackfield\[jwt\]"'):
        JwtAssertion(CANARY, **WHO, algorithm="HS256")


def test_who_has_pyjwt_without_cryptography_is_told_how_to_get_it() -> None:
    script = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from jackfield import ConfigurationError\n"
        "from jackfield_plugins.auth import JwtAssertion\n"
        "who = dict(issuer='i', subject='s', audience='a')\n"
        f"JwtAssertion({CANARY!r}, algorithm='HS256', **who)\n"
        "try: JwtAssertion('k', **who)\n"
        "except ConfigurationError as error: print(error)\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)

    assert "one of HS256, HS384, HS512, not 'RS256'; all there are come with `pip install \"jackfield[jwt]\"`" in (
        done.stdout
    ), done.stderr


def test_pyjwt_is_not_imported_before_it_is_needed() -> None:
    script = "import sys, jackfield_plugins.auth; assert not {'jwt', 'cryptography'} & set(sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == 0
