"""HMAC recipes (RFC 2104): what is signed, in which order and encoding, and where the signature stands, as data."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from jackfield import ConfigurationError, Request, Runtime, Secret, SignatureError, UsageError

from ._fields import Field, InHeader, InQuery
from ._message import Message
from ._parts import Header, Part, Query, Target
from ._received import Head, HeaderPairs, received
from ._stamps import Stamp


@dataclass(frozen=True, slots=True)
class HmacRecipe:
    """How messages are signed; `HmacSigning` signs by it, `HmacVerifier` verifies by it.

    Attributes:
        content: the parts of what is signed, in order.
        place: where the signature stands; it is never signed itself.
        separator: what stands between two parts. Choose one that no part but the last can hold.
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
        if not (isinstance(self.content, tuple) and self.content and isinstance(self.stamps, tuple)):
            raise ConfigurationError(
                "content is a tuple of parts, one at least, as in (Body(),), and stamps is a tuple"
            )
        if not isinstance(self.place, InHeader | InQuery):
            raise ConfigurationError("place is InHeader(name) or InQuery(name)")
        try:
            hmac.new(b"", b"", self.digest)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"{self.digest!r} is no digest that signs") from error
        if self.encoding not in ("base64", "hex"):
            raise ConfigurationError(f"encoding is 'base64' or 'hex', not {self.encoding!r}")
        if self.form.count("{}") != 1 or self.form.split() != [self.form]:
            raise ConfigurationError(f"form has one {{}} for the signature and no blanks, unlike {self.form!r}")
        _check_coverage(self)

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
        """The request with today's stamps, and without an old signature.

        Raises:
            UsageError: an id that was given holds the separator.
        """
        for stamp in self.stamps:
            request = stamp.on(request, runtime)
            if self._is_ambiguous(stamp.field.values(request)[0]):
                raise UsageError(f"{stamp.field} must not hold {self.separator!r}, which ends a part of what is signed")
        return self.place.without(request)

    def check_stamps(self, head: Head, now: float) -> None:
        """Raises SignatureError unless each stamp stands there once, and is good at `now`."""
        for stamp in self.stamps:
            given = stamp.field.values(head)
            if len(given) != 1:
                raise SignatureError(f"{stamp.field} is {'there more than once' if given else 'missing'}")
            if self._is_ambiguous(given[0]):
                raise SignatureError(f"{stamp.field} holds {self.separator!r}, which ends a part of what is signed")
            stamp.check(given[0], now)

    def pieces(self, head: Head) -> Iterator[bytes | None]:
        """What is signed of a message that has no signature, piece by piece; None stands for the body."""
        for number, part in enumerate(self.content):
            if number and self.separator:
                yield self.separator.encode()
            yield part.of(head)

    def written(self, mac: hmac.HMAC) -> str:
        """The signature as it stands in a message."""
        digest = mac.digest()
        return self.form.replace("{}", b64encode(digest).decode() if self.encoding == "base64" else digest.hex())

    def canonical(self, message: Request | Message | HeaderPairs, body: bytes = b"") -> bytes:
        """What is signed, to be held against what the other side says it signed; no secret is in it.

        Args:
            message: a request, signed or not; or what came in, or its headers.
            body: its body, if that is signed.
        """
        place = self.place
        unsigned = place.without(message) if isinstance(message, Request) else place.without(received(message))
        return b"".join([body if piece is None else piece for piece in self.pieces(unsigned)])

    def _is_ambiguous(self, stamp: str) -> bool:
        # "1.2" + "." + "3" is signed as "1" + "." + "2.3" is.
        return self.separator != "" and self.separator in stamp


def _check_coverage(recipe: HmacRecipe) -> None:
    content = recipe.content
    headers = {part.name.lower() for part in content if isinstance(part, Header)}
    if isinstance(recipe.place, InQuery):
        if any(isinstance(part, Target) for part in content):
            raise ConfigurationError("Target() would hold the signature itself: sign Path() and Query()")
    elif recipe.place.name.lower() in headers:
        raise ConfigurationError(f"{recipe.place} holds the signature, and cannot be signed")
    in_query = any(isinstance(part, Query | Target) for part in content)
    for stamp in recipe.stamps:
        if not (in_query if isinstance(stamp.field, InQuery) else stamp.field.name.lower() in headers):
            raise ConfigurationError(f"{stamp.field} would be stamped and not signed: add it to the content")
