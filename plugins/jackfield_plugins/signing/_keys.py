"""Keys of HTTP Message Signatures (RFC 9421 §3.3): each is for one algorithm, and so pins it."""

from __future__ import annotations

import hmac
from typing import Protocol, runtime_checkable

from jackfield import Secret, UsageError


@runtime_checkable
class SigningKey(Protocol):
    """What signs: one of the keys here, or one that never leaves a KMS or HSM."""

    @property
    def algorithm(self) -> str:
        """As registered (RFC 9421 §6.2.2): `"ed25519"`."""
        ...

    @property
    def blocks(self) -> bool:
        """Whether `sign` waits for a network or a device, and must not run on an event loop."""
        ...

    def sign(self, base: bytes) -> bytes:
        """The signature of these bytes."""
        ...


@runtime_checkable
class VerifyingKey(Protocol):
    """What verifies."""

    @property
    def algorithm(self) -> str:
        """As registered (RFC 9421 §6.2.2)."""
        ...

    def verify(self, base: bytes, signature: bytes) -> bool:
        """Whether it signed these bytes; False for anything else, never an error."""
        ...


class HmacKey:
    """A shared secret, for `hmac-sha256` (RFC 9421 §3.3.3).

    Args:
        secret: bytes, or text that stands for its UTF-8. One that is handed around in base64 is decoded first.

    Raises:
        UsageError: it is empty.
    """

    algorithm = "hmac-sha256"
    blocks = False

    def __init__(self, secret: Secret | str | bytes) -> None:
        key = secret if isinstance(secret, bytes) else Secret(secret).reveal().encode()
        if not key:
            raise UsageError("a secret is not empty")
        self._mac = hmac.new(key, digestmod="sha256")  # which keeps the key to itself, and is never pickled

    def sign(self, base: bytes) -> bytes:
        """The MAC, of 32 bytes."""
        mac = self._mac.copy()
        mac.update(base)
        return mac.digest()

    def verify(self, base: bytes, signature: bytes) -> bool:
        """Whether this is the MAC, in constant time."""
        return hmac.compare_digest(self.sign(base), signature)
