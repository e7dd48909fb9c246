"""Keys: each signs and verifies by its one algorithm, is read from PEM, and is never shown."""

from __future__ import annotations

import json
import pickle
import sys
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import ConfigurationError, JackfieldError, Secret, UsageError
from jackfield_plugins.signing import EcdsaP256Key, Ed25519Key, HmacKey, RsaPssKey

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "rfc9421_message_signatures.json").read_text())
KEYS: dict[str, dict[str, str]] = VECTORS["keys"]
SECRET = b64decode(KEYS["test-shared-secret"]["secret_b64"])
CANARY = "hunter2-canary"

PAIRS: list[tuple[Any, str]] = [
    (RsaPssKey, "test-key-rsa-pss"),
    (RsaPssKey, "test-key-rsa"),
    (EcdsaP256Key, "test-key-ecc-p256"),
    (Ed25519Key, "test-key-ed25519"),
]
OF_PAIRS = pytest.mark.parametrize(("kind", "name"), PAIRS, ids=[name for _, name in PAIRS])


def pem_of(key: Any, *, password: bytes | None = None) -> bytes:
    protection = BestAvailableEncryption(password) if password else NoEncryption()
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)
    return pem


@OF_PAIRS
def test_what_the_private_key_signs_the_public_key_verifies(kind: Any, name: str) -> None:
    private, public = kind(KEYS[name]["private_pem"]), kind(KEYS[name]["public_pem"])

    signature = private.sign(b"base")

    assert public.verify(b"base", signature)
    assert private.verify(b"base", signature)
    assert private.algorithm == public.algorithm
    assert not private.blocks
    assert not public.verify(b"Base", signature)
    assert not public.verify(b"", signature)


def test_algorithms_are_named_as_they_are_registered() -> None:
    assert [kind.algorithm for kind in (HmacKey, RsaPssKey, EcdsaP256Key, Ed25519Key)] == [
        "hmac-sha256",
        "rsa-pss-sha512",
        "ecdsa-p256-sha256",
        "ed25519",
    ]


def test_signatures_have_the_length_of_the_rfc() -> None:
    private = {name: KEYS[name].get("private_pem", "") for name in KEYS}

    assert len(HmacKey(SECRET).sign(b"")) == 32
    assert len(EcdsaP256Key(private["test-key-ecc-p256"]).sign(b"")) == 64
    assert len(Ed25519Key(private["test-key-ed25519"]).sign(b"")) == 64
    assert len(RsaPssKey(private["test-key-rsa-pss"]).sign(b"")) == 256


def test_short_numbers_of_ecdsa_are_filled_up() -> None:
    key = EcdsaP256Key(KEYS["test-key-ecc-p256"]["private_pem"])

    signatures = [key.sign(b"base") for _ in range(300)]  # one in 128 has a number of 31 bytes

    assert {len(signature) for signature in signatures} == {64}
    assert all(key.verify(b"base", signature) for signature in signatures)


def test_longer_numbers_of_ecdsa_are_no_signature() -> None:
    key = EcdsaP256Key(KEYS["test-key-ecc-p256"]["private_pem"])
    signature = key.sign(b"base")

    assert key.verify(b"base", signature)
    assert not key.verify(b"base", signature[:32] + b"\x00" + signature[32:])
    assert not key.verify(b"base", b"\x00" + signature)


def test_hmac_is_that_of_the_rfc() -> None:
    base = next(case for case in VECTORS["cases"] if case["name"] == "B.2.5")["signature_base"].encode()

    assert HmacKey(SECRET).sign(base) == b64decode("pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=")
    # RFC 4231 §4.3
    assert HmacKey("Jefe").sign(b"what do ya want for nothing?").hex() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_a_secret_is_text_bytes_or_a_secret() -> None:
    made = [HmacKey("é"), HmacKey(Secret("é")), HmacKey("é".encode())]

    assert len({key.sign(b"base") for key in made}) == 1
    assert made[0].verify(b"base", made[1].sign(b"base"))
    assert made[0].sign(b"base") == made[0].sign(b"base")


@pytest.mark.parametrize("secret", ["", b"", None, 5])
def test_a_secret_that_is_none_is_refused(secret: Any) -> None:
    with pytest.raises(UsageError):
        HmacKey(secret)


@OF_PAIRS
def test_a_public_key_does_not_sign(kind: Any, name: str) -> None:
    with pytest.raises(UsageError, match="public"):
        kind(KEYS[name]["public_pem"]).sign(b"base")


@OF_PAIRS
def test_pem_is_text_bytes_or_a_secret(kind: Any, name: str) -> None:
    pem = KEYS[name]["private_pem"]
    signature = kind(pem).sign(b"base")

    assert kind(pem.encode()).verify(b"base", signature)
    assert kind(Secret(pem)).verify(b"base", signature)
    assert kind(pem.replace("\n", "\r\n")).verify(b"base", signature)
    assert kind(f"a comment\n{pem}").verify(b"base", signature)


def test_a_key_of_another_kind_is_refused() -> None:
    other_curve = pem_of(ec.generate_private_key(ec.SECP384R1()))
    short = pem_of(rsa.generate_private_key(65537, 1024))
    wrong: list[tuple[Callable[[Any], object], Any]] = [(EcdsaP256Key, other_curve), (RsaPssKey, short)]
    for kind, _ in PAIRS:
        others = [KEYS[name] for other, name in PAIRS if other is not kind]
        wrong += [(kind, key[half]) for key in others for half in ("private_pem", "public_pem")]

    for kind, pem in wrong:
        with pytest.raises(ConfigurationError, match="this PEM holds no"):
            kind(pem)


@pytest.mark.parametrize("kind", [RsaPssKey, EcdsaP256Key, Ed25519Key])
@pytest.mark.parametrize(
    "pem",
    [
        CANARY,
        b"\xff\x00",
        f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n",
        f"-----BEGIN PUBLIC KEY-----\n{CANARY}\n-----END PUBLIC KEY-----\n",
        KEYS["test-key-rsa"]["private_pem"][:200],
        pem_of(ed25519.Ed25519PrivateKey.generate(), password=b"password"),
        "é",
    ],
)
def test_what_is_no_readable_pem_is_refused_and_not_shown(kind: Any, pem: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        kind(pem)

    error: BaseException | None = caught.value
    assert CANARY not in f"{error!r} {error}"
    assert error is not None
    assert error.__suppress_context__


@OF_PAIRS
@pytest.mark.parametrize("signature", [b"", b"x", b"\x00" * 64, b"\xff" * 64, b"\xff" * 256, b"\x00" * 300])
def test_what_is_no_signature_does_not_verify(kind: Any, name: str, signature: bytes) -> None:
    assert kind(KEYS[name]["public_pem"]).verify(b"base", signature) is False
    assert HmacKey(SECRET).verify(b"base", signature) is False


@OF_PAIRS
@given(base=st.binary(max_size=50), data=st.data())
@settings(deadline=None, max_examples=30)
def test_a_flipped_bit_of_signature_or_base_does_not_verify(kind: Any, name: str, base: bytes, data: Any) -> None:
    key = kind(KEYS[name]["private_pem"])
    signature = key.sign(base)
    bit = data.draw(st.integers(0, 8 * len(signature) - 1))
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8

    assert key.verify(base, signature)
    assert not key.verify(base, bytes(flipped))
    assert not key.verify(base + b"\x00", signature)
    assert not key.verify(base, signature + b"\x00")
    assert not key.verify(base, signature[:-1])


def test_ecdsa_in_der_is_no_signature_here() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    from cryptography.hazmat.primitives.hashes import SHA256

    assert not EcdsaP256Key(pem_of(private)).verify(b"base", private.sign(b"base", ec.ECDSA(SHA256())))


def test_rsa_with_another_salt_is_no_signature_here() -> None:
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
    from cryptography.hazmat.primitives.hashes import SHA256, SHA512

    private = rsa.generate_private_key(65537, 2048)
    key = RsaPssKey(pem_of(private))

    assert key.verify(b"base", private.sign(b"base", PSS(MGF1(SHA512()), 64), SHA512()))
    assert not key.verify(b"base", private.sign(b"base", PSS(MGF1(SHA512()), 32), SHA512()))
    assert not key.verify(b"base", private.sign(b"base", PSS(MGF1(SHA256()), 64), SHA512()))
    assert not key.verify(b"base", private.sign(b"base", PSS(MGF1(SHA512()), 64), SHA256()))


def test_keys_are_neither_shown_nor_pickled() -> None:
    private: Any = ed25519.Ed25519PrivateKey.generate()
    raw: bytes = private.private_bytes_raw()
    ed, mac = Ed25519Key(pem_of(private)), HmacKey(CANARY)
    others = [kind(KEYS[name]["private_pem"]) for kind, name in PAIRS]

    shown = " ".join(f"{key!r} {key!s} {vars(key)}" for key in (ed, mac, *others))

    assert CANARY not in shown
    assert raw.hex() not in shown
    assert repr(raw) not in shown
    assert "BEGIN" not in shown
    for key in (ed, mac, *others):
        with pytest.raises(TypeError):
            pickle.dumps(key)


@pytest.mark.parametrize("kind", [RsaPssKey, EcdsaP256Key, Ed25519Key])
def test_without_the_library_the_error_says_what_to_install(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] == "cryptography":
            monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "cryptography", None)

    with pytest.raises(ConfigurationError, match=r'pip install "jackfield\[crypto\]"') as caught:
        kind(CANARY)

    assert isinstance(caught.value, JackfieldError)
    assert HmacKey(CANARY).verify(b"base", HmacKey(CANARY).sign(b"base"))
