"""Whose credentials a signing client bears: what is kept of its answers is for the next one with them, and no other."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from jackfield_plugins.signing import EcdsaP256Key, Ed25519Key, HmacKey, MessageSigning, SigningKey

PEM = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()


def identity(key: SigningKey, key_id: str = "k") -> bytes | None:
    return MessageSigning(key, key_id=key_id).jackfield_identity()


def test_the_same_key_of_the_same_name_is_the_same_in_every_process() -> None:
    pair = Ed25519PrivateKey.generate().private_bytes(*PEM)

    assert identity(HmacKey("secret")) == identity(HmacKey("secret"))
    assert identity(Ed25519Key(pair)) == identity(Ed25519Key(pair))


def test_another_key_or_another_name_is_another() -> None:
    pair = Ed25519PrivateKey.generate().private_bytes(*PEM)
    told = [identity(HmacKey("a")), identity(HmacKey("b")), identity(HmacKey("a"), "j"), identity(Ed25519Key(pair))]

    assert None not in told
    assert len(set(told)) == 4


def test_it_says_nothing_of_the_key() -> None:
    key = HmacKey("secret")
    told = identity(key)

    assert told is not None
    assert len(told) == 32
    assert key.sign(b"jackfield: whose key is this") not in told


def test_a_key_that_signs_differently_each_time_is_its_clients_alone() -> None:
    assert identity(EcdsaP256Key(generate_private_key(SECP256R1()).private_bytes(*PEM))) is None


def test_a_key_that_blocks_or_cannot_sign_is_not_asked_for_more_than_it_can() -> None:
    class Remote:
        algorithm = "ed25519"
        blocks = True

        def sign(self, base: bytes) -> bytes:
            raise AssertionError("it signs requests, and nothing else")

    public = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    assert identity(Remote()) is None
    assert identity(Ed25519Key(public)) is None
