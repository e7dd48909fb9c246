"""HTTP Message Signatures (RFC 9421 §3.2): whether a message that has come in may be trusted."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from jackfield import ConfigurationError, SignatureError, UsageError, check_seconds

from ._checks import check_kind
from ._component_values import ComponentValues
from ._components import BASICS, CONTENT_DIGEST, Component
from ._digest_fields import ALGORITHMS, check_digest_field
from ._keys import VerifyingKey
from ._message import Message, check_message
from ._received import check_body
from ._received_signature import ReceivedSignature, Verified, received_signatures
from ._signature_base import as_components, signature_base
from ._structured_fields import distrusted


class MessageVerifier:
    """Verifies signed requests and responses.

    Args:
        keys: by key ID. The key says the algorithm: a message that names another is refused.
        required: what a signature must cover, as `Component` or name; more is welcome.
        max_age: seconds for which a signature is good after it was created.
        tolerance: seconds by which the sender's clock may be ahead.
        tag: what the signature must be made for; None: anything.
        unsigned_body: let a body through that no `content-digest` covers.

    Raises:
        ConfigurationError, UsageError: one of these cannot be.
    """

    def __init__(
        self,
        keys: Mapping[str, VerifyingKey],
        *,
        required: Iterable[str | Component] = BASICS,
        max_age: float = 300,
        tolerance: float = 30,
        tag: str | None = None,
        unsigned_body: bool = False,
    ) -> None:
        check_kind("keys", keys, Mapping, "a mapping of key IDs to keys: {'key-id': HmacKey(...)}")
        if not keys or not all(isinstance(key_id, str) for key_id in keys):
            raise ConfigurationError("a verifier needs keys by their ID: {'key-id': HmacKey(...)}")
        for key in keys.values():
            check_kind("a key", key, VerifyingKey, "HmacKey(...), Ed25519Key(...) or another with algorithm and verify")
        check_kind("tag", "" if tag is None else tag, str, "text, or None")
        check_seconds("max_age", max_age)
        check_seconds("tolerance", tolerance, zero=True)
        self._keys = dict(keys)
        self._required = as_components(required)
        self._max_age = max_age
        self._tolerance = tolerance
        self._tag = tag
        self._unsigned_body = unsigned_body

    def check(
        self, message: Message, body: bytes, now: float | None = None, *, request: Message | None = None
    ) -> Verified:
        """Returns what the first good signature says.

        Args:
            message: `Message.received(method, url, headers)`, or `Message(status=..., headers=...)` of a response.
            body: the raw bytes that came, before anything parsed or decoded them. They are held against the
                `content-digest` that is covered.
            now: seconds since 1970; None: by the clock of this machine.
            request: what a response answers, for components with `req`.

        Raises:
            SignatureError: it may not be trusted, and why. Do not act on it.
            UsageError: one of these is of another type.
        """
        check_body(body)
        check_kind("now", 0 if now is None else now, int | float, "seconds since 1970, or None")
        check_message(message)
        check_message(message if request is None else request)
        moment = time.time() if now is None else now
        failure: SignatureError | None = None
        with distrusted():
            for candidate in self._candidates(message):
                try:
                    return self._verified(candidate, message, bytes(body), moment, request)
                except (SignatureError, UsageError) as error:
                    reason = f"the signature {candidate.label!r} cannot be trusted: {error.message}"
                    failure = failure or SignatureError(reason)
        raise failure or SignatureError("the message has no signature of a key ID (and tag) that is known here")

    def verify(
        self, message: Message, body: bytes, now: float | None = None, *, request: Message | None = None
    ) -> bool:
        """Whether `check` accepts it."""
        try:
            self.check(message, body, now, request=request)
        except SignatureError:
            return False
        return True

    def _candidates(self, message: Message) -> list[ReceivedSignature]:
        known = [one for one in received_signatures(message) if one.parameters.get("keyid") in self._keys]
        return [one for one in known if self._tag in (None, one.parameters.get("tag"))]

    def _verified(
        self, candidate: ReceivedSignature, message: Message, body: bytes, now: float, request: Message | None
    ) -> Verified:
        verified = candidate.read()
        key = self._keys[verified.key_id]
        # §3.2: the key's algorithm counts, and what the message says must be the same
        if candidate.text("alg") not in (None, key.algorithm):
            raise SignatureError("it names another algorithm than its key is for")
        self._check_times(verified, now)
        if missing := [str(component) for component in self._required if component not in verified.components]:
            raise SignatureError(f"it does not cover {', '.join(missing)}")
        base = signature_base(message, verified.components, candidate.parameters, request=request)
        if not key.verify(base, candidate.value()):
            raise SignatureError("it is not of this message and this key")
        self._check_body(verified.components, message, body)
        return verified

    def _check_times(self, verified: Verified, now: float) -> None:
        if verified.created > now + self._tolerance:
            raise SignatureError("it was created in the future: compare the clocks")
        if verified.created < now - self._max_age:
            raise SignatureError(f"it is older than {self._max_age:g} s")
        if verified.expires is not None and verified.expires <= now:
            raise SignatureError("it has expired")

    def _check_body(self, components: Iterable[Component], message: Message, body: bytes) -> None:
        if any(_covers_body(component) for component in components):
            check_digest_field(", ".join(ComponentValues(message).lines(CONTENT_DIGEST.name)), body)
        elif body and not self._unsigned_body:
            raise SignatureError("it does not cover the body: no content-digest that can be believed is signed")


def _covers_body(component: Component) -> bool:
    parameters = component.parameters
    return (
        component.name == CONTENT_DIGEST.name
        and "req" not in parameters
        and parameters.get("key", "sha-256") in ALGORITHMS
    )
