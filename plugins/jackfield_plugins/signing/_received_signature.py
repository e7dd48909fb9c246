"""A signature of a message that has come in (RFC 9421 §4): read, and not yet believed."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from jackfield import SignatureError

from ._component_values import ComponentValues
from ._components import Component
from ._message import Message
from ._signature_base import as_components
from ._structured_fields import Member, dictionary

_MOST = 8  # signatures of one message


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


class ReceivedSignature(NamedTuple):
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

    def value(self) -> bytes:
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


def received_signatures(message: Message) -> list[ReceivedSignature]:
    """Every signature that the message says it has.

    Raises:
        SignatureError: there are too many.
        UsageError: the fields cannot be read.
    """
    values = ComponentValues(message)
    inputs = dictionary(", ".join(values.lines("signature-input")), unique=True)
    signatures = dictionary(", ".join(values.lines("signature")), unique=True)
    if len(inputs) > _MOST:
        raise SignatureError(f"the message has more than {_MOST} signatures")
    return [ReceivedSignature(label, *given, signatures.get(label)) for label, given in inputs.items()]
