"""HTTP Message Signatures (RFC 9421 §3.2): whether a message that has come in may be trusted."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

from jackfield import ConfigurationError, SignatureError, UsageError, check_seconds

from ._components import Component, ComponentValues
from ._digest_fields import ALGORITHMS, check_digest_field
from ._keys import VerifyingKey
from ._message import Message
from ._message_signing import BASICS, DIGEST
from ._signature_base import as_components, signature_base
from ._structured_fields import Member, dictionary, distrusted

_MOST = 8  # signatures of one message that are looked at


class Verified(NamedTuple):
    """What a good signature says. Times are seconds since 1970.

    Attributes:
        label: of this signature among those of the message.
        key_id: of the key that signed.
        components: what it covers, and nothing else may be trusted.
        created: when it was made.
        expires: from when on it is good no more.
        nonce: to be remembered for `max_age` by who must accept no message twice.
        tag: the application it was made for.
    """

    label: str
    key_id: str
    components: tuple[Component, ...]
    created: int
    expires: int | None
    nonce: str | None
    tag: str | None


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
        if not keys or not all(isinstance(key_id, str) for key_id in keys):
            raise ConfigurationError("a verifier needs keys by their ID: {'key-id': HmacKey(...)}")
        check_seconds("max_age", max_age)
        check_seconds("tolerance", tolerance)
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
            UsageError: the body is not bytes.
        """
        if not isinstance(body, bytes | bytearray | memoryview):
            raise UsageError(f"the body is the raw bytes that came, not {type(body).__name__}")
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

    def _candidates(self, message: Message) -> list[_Candidate]:
        values = ComponentValues(message)
        inputs = dictionary(", ".join(values.lines("signature-input")), unique=True)
        signatures = dictionary(", ".join(values.lines("signature")), unique=True)
        if len(inputs) > _MOST:
            raise SignatureError(f"the message has more than {_MOST} signatures")
        found = [_Candidate(label, *given, signatures.get(label)) for label, given in inputs.items()]
        known = [one for one in found if one.parameters.get("keyid") in self._keys]
        return [one for one in known if self._tag in (None, one.parameters.get("tag"))]

    def _verified(
        self, candidate: _Candidate, message: Message, body: bytes, now: float, request: Message | None
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
        if not key.verify(base, candidate.bytes()):
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
            check_digest_field(", ".join(ComponentValues(message).lines(DIGEST.name)), body)
        elif body and not self._unsigned_body:
            raise SignatureError("it does not cover the body: no content-digest that can be believed is signed")


class _Candidate(NamedTuple):
    """A signature as it came. What is behind its label may be anything."""

    label: str
    components: Any
    parameters: dict[str, Any]
    signature: Member | None

    def read(self) -> Verified:
        if not isinstance(cast("object", self.components), list):
            raise SignatureError("it has no list of components")
        covered = as_components([Component(name, **parameters) for name, parameters in self.components])
        created = self._number("created")
        if created is None:
            raise SignatureError("it does not say when it was created")
        key_id, nonce, tag = self.text("keyid"), self.text("nonce"), self.text("tag")
        return Verified(self.label, key_id or "", covered, created, self._number("expires"), nonce, tag)

    def bytes(self) -> bytes:
        if self.signature is None or not isinstance(self.signature.value, bytes):
            raise SignatureError("its value is missing, or no bytes")
        return self.signature.value

    def text(self, name: str) -> str | None:
        value = self.parameters.get(name)
        if value is not None and not isinstance(value, str):
            raise SignatureError(f"its parameter {name!r} is no string")
        return value

    def _number(self, name: str) -> int | None:
        value = self.parameters.get(name)
        if value is not None and type(value) is not int:
            raise SignatureError(f"its parameter {name!r} is no whole number")
        return value


def _covers_body(component: Component) -> bool:
    parameters = component.parameters
    return component.name == DIGEST.name and "req" not in parameters and parameters.get("key", "sha-256") in ALGORITHMS
