"""HMAC recipes (RFC 2104): what is signed, in which order and encoding, and where the signature stands, as data."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from jackfield import ConfigurationError, Request, Runtime, Secret, SignatureError, UsageError

from ._fields import Field
from ._message import Message
from ._parts import Part, Text
from ._received import Head, HeaderPairs, check_body, received
from ._recipe_checks import check_recipe
from ._stamps import Stamp


@dataclass(frozen=True, slots=True)
class HmacRecipe:
    """How messages are signed; `HmacSigning` signs by it, `HmacVerifier` verifies by it.

    Attributes:
        content: the parts of what is signed, in order.
        place: where the signature stands; it is never signed itself.
        separator: what stands between two parts. A message in which one that is not the last holds it is neither
            signed nor accepted; a `Text` may, as it is always the same.
        digest: a name that `hashlib` knows.
        encoding: of the signature: standard base64 with padding (RFC 4648 §4), or hex in lower case.
        form: how the signature is written, `{}` being itself: `"sha256={}"`. No blanks: they separate several.
        stamps: what is put on each attempt first. They must be part of the content.
        key: how the secret's text becomes the key; a ValueError says that it cannot.

    Raises:
        ConfigurationError: these do not go together; it says which and why.
    """

    content: tuple[Part, ...]
    place: Field
    separator: str = ""
    digest: str = "sha256"
    encoding: Literal["base64", "hex"] = "base64"
    form: str = "{}"
    stamps: tuple[Stamp, ...] = ()
    key: Callable[[str], bytes] = str.encode

    def __post_init__(self) -> None:
        check_recipe(self)

    def mac(self, key: Secret | str) -> hmac.HMAC:
        """A fresh one; what is signed is not in it yet.

        Raises:
            ConfigurationError: this is no key for this recipe.
        """
        try:
            raw = self.key(Secret(key).reveal())
        except ValueError:
            raw = b""  # and no error from it: its text may show the secret
        if not raw:
            raise ConfigurationError("the key is empty, or not written as this recipe's keys are")
        return hmac.new(raw, b"", self.digest)

    def stamped(self, request: Request, runtime: Runtime) -> Request:
        """The request with today's stamps, and without an old signature."""
        for stamp in self.stamps:
            request = stamp.on(request, runtime)
        return self.place.without(request)

    def check_stamps(self, head: Head, now: float) -> None:
        """Raises SignatureError unless each stamp stands there once, and is good at `now`."""
        for stamp in self.stamps:
            given = stamp.field.values(head)
            if len(given) != 1:
                raise SignatureError(f"{stamp.field} is {'there more than once' if given else 'missing'}")
            stamp.check(given[0], now)

    def pieces(self, head: Head) -> Iterator[bytes | None]:
        """What is signed of a message that has no signature, piece by piece; None stands for the body.

        Raises:
            UsageError: a part that is neither the last nor a `Text` holds the separator: its end cannot be told.
        """
        separator, last = self.separator.encode(), len(self.content) - 1
        for number, part in enumerate(self.content):
            piece = part.of(head)
            yield piece
            if not separator or number == last:
                continue
            # "1.2" + "." + "3" is signed as "1" + "." + "2.3" is, and "a:" + "::" + "b" as "a" + "::" + ":b".
            if piece and not isinstance(part, Text) and (piece + separator).find(separator) != len(piece):
                raise UsageError(f"{part!r} must not hold {self.separator!r}, which ends a part of what is signed")
            yield separator

    def written(self, mac: hmac.HMAC) -> str:
        """The signature as it stands in a message."""
        digest = mac.digest()
        return self.form.replace("{}", b64encode(digest).decode() if self.encoding == "base64" else digest.hex())

    def canonical(self, message: Request | Message | HeaderPairs, body: bytes = b"") -> bytes:
        """What is signed, to be held against what the other side says it signed; no secret is in it.

        Args:
            message: a request, signed or not; or what came in, or its headers.
            body: its body, if that is signed, or a form that has come in.

        Raises:
            UsageError: the body is not bytes, a part holds the separator, or the parameters are not in one place.
        """
        check_body(body)
        place = self.place
        unsigned = place.without(message) if isinstance(message, Request) else place.without(received(message, body))
        return b"".join([body if piece is None else piece for piece in self.pieces(unsigned)])
