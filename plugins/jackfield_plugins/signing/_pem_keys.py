"""Key pairs of HTTP Message Signatures, read from PEM (RFC 7468): Ed25519, RSA-PSS and ECDSA, by cryptography."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from jackfield import ConfigurationError, Secret, UsageError

T = TypeVar("T")

_LEAST_RSA = 2048  # bits


class Ed25519Key:
    """For `ed25519` (RFC 9421 §3.3.6, RFC 8032). Needs `jackfield[crypto]`.

    Args:
        pem: a private key, which signs and verifies, or a public one, which verifies.

    Raises:
        ConfigurationError: it is no such key, or is encrypted.
    """

    algorithm = "ed25519"
    blocks = False

    def __init__(self, pem: Secret | str | bytes) -> None:
        key = _loaded(pem)
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

        if not isinstance(key, Ed25519PrivateKey | Ed25519PublicKey):
            raise ConfigurationError("this PEM holds no Ed25519 key")
        self._private = key if isinstance(key, Ed25519PrivateKey) else None
        self._public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key

    def sign(self, base: bytes) -> bytes:
        """The signature, of 64 bytes."""
        return _needed(self._private).sign(base)

    def verify(self, base: bytes, signature: bytes) -> bool:
        """Whether this key signed these bytes."""
        return _holds(lambda: self._public.verify(signature, base))


class RsaPssKey:
    """For `rsa-pss-sha512` (RFC 9421 §3.3.1): MGF1 with SHA-512, a salt of 64 bytes. Needs `jackfield[crypto]`.

    Args:
        pem: a private key, which signs and verifies, or a public one, which verifies; of 2048 bits or more.

    Raises:
        ConfigurationError: it is no such key, or is encrypted.
    """

    algorithm = "rsa-pss-sha512"
    blocks = False

    def __init__(self, pem: Secret | str | bytes) -> None:
        key = _loaded(pem)
        from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
        from cryptography.hazmat.primitives.hashes import SHA512

        if not isinstance(key, RSAPrivateKey | RSAPublicKey) or key.key_size < _LEAST_RSA:
            raise ConfigurationError(f"this PEM holds no RSA key of {_LEAST_RSA} bits or more")
        self._private = key if isinstance(key, RSAPrivateKey) else None
        self._public = key.public_key() if isinstance(key, RSAPrivateKey) else key
        self._hash = SHA512()
        self._padding = PSS(MGF1(self._hash), salt_length=64)

    def sign(self, base: bytes) -> bytes:
        """The signature, as long as the key; another one each time."""
        return _needed(self._private).sign(base, self._padding, self._hash)

    def verify(self, base: bytes, signature: bytes) -> bool:
        """Whether this key signed these bytes."""
        return _holds(lambda: self._public.verify(signature, base, self._padding, self._hash))


class EcdsaP256Key:
    """For `ecdsa-p256-sha256` (RFC 9421 §3.3.4). Needs `jackfield[crypto]`.

    Args:
        pem: a private key, which signs and verifies, or a public one, which verifies; on the curve P-256.

    Raises:
        ConfigurationError: it is no such key, or is encrypted.
    """

    algorithm = "ecdsa-p256-sha256"
    blocks = False

    def __init__(self, pem: Secret | str | bytes) -> None:
        key = _loaded(pem)
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.hashes import SHA256

        if not isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
            raise ConfigurationError("this PEM holds no elliptic-curve key on P-256")
        self._private = key if isinstance(key, ec.EllipticCurvePrivateKey) else None
        self._public = key.public_key() if isinstance(key, ec.EllipticCurvePrivateKey) else key
        self._scheme = ec.ECDSA(SHA256())

    def sign(self, base: bytes) -> bytes:
        """The signature, of 64 bytes; another one each time."""
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        # §3.3.4: r and s, each of 32 bytes, not DER
        r, s = decode_dss_signature(_needed(self._private).sign(base, self._scheme))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def verify(self, base: bytes, signature: bytes) -> bool:
        """Whether this key signed these bytes."""
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

        if len(signature) != 64:
            return False
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        return _holds(lambda: self._public.verify(encode_dss_signature(r, s), base, self._scheme))


def _loaded(pem: Secret | str | bytes) -> object:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
    except ImportError:
        raise ConfigurationError('this key needs cryptography: pip install "jackfield[crypto]"') from None
    data = pem if isinstance(pem, bytes) else Secret(pem).reveal().encode("ascii", "replace")
    try:
        return load_pem_private_key(data, None) if b"PRIVATE KEY" in data else load_pem_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it is encrypted. None is quoted: it is a key
        raise ConfigurationError(
            "this is no PEM of a private or public key that can be read: '-----BEGIN ...', not encrypted"
        ) from None


def _needed(private: T | None) -> T:
    if private is None:
        raise UsageError("this key is public: it verifies, and cannot sign")
    return private


def _holds(check: Callable[[], None]) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        check()
    except InvalidSignature:
        return False
    return True
