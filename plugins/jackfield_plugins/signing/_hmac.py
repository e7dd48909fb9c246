"""HMAC by recipe: the signer of what goes out, and the verifier of what comes in."""

from __future__ import annotations

import time
from collections.abc import Iterable
from hmac import HMAC, compare_digest

from jackfield import Call, Proceed, Request, Response, Secret, SignatureError, Stage, Step, UsageError, hookimpl

from ._checks import check_kind
from ._fields import InHeader
from ._message import Message
from ._parts import Body, Header, Text
from ._received import HeaderPairs, Received, check_body, received
from ._recipe import HmacRecipe
from ._recipe_checks import check_boundaries


class HmacSigning:
    """Signs every attempt afresh, after all other steps; nothing may change the request behind it.

    A body that is signed is read before it is sent: one that can be read once only is refused.

    Args:
        recipe: what the service wants.
        key: the secret.

    Raises:
        ConfigurationError: the recipe cannot use this key.
    """

    name = "signing"

    def __init__(self, recipe: HmacRecipe, key: Secret | str) -> None:
        check_kind("recipe", recipe, HmacRecipe, "an HmacRecipe(...)")
        self._recipe = recipe
        self._mac = recipe.mac(key)

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.SIGN, self._sign)]

    @hookimpl
    def jackfield_identity(self) -> bytes:
        return self._mac.copy().digest()  # of nothing: it tells keys apart

    async def _sign(self, request: Request, call: Call, proceed: Proceed) -> Response:
        recipe, mac = self._recipe, self._mac.copy()
        stamped = recipe.stamped(request, call.runtime)
        for piece in recipe.pieces(stamped):
            if piece is None:
                await stamped.feed(mac.update, call.runtime)
            else:
                mac.update(piece)
        return await proceed(recipe.place.put(stamped, recipe.written(mac)), call)


class HmacVerifier:
    """Verifies what was signed by the recipe, in constant time, with any of the keys.

    Args:
        recipe: how the sender signs.
        key: the secret.
        older_keys: what was used before, for as long as it is still good.

    Raises:
        ConfigurationError: the recipe cannot use these keys, or does not tell where each part ends.
    """

    def __init__(self, recipe: HmacRecipe, key: Secret | str, *older_keys: Secret | str) -> None:
        check_kind("recipe", recipe, HmacRecipe, "an HmacRecipe(...)")
        check_boundaries(recipe)
        self._recipe = recipe
        self._macs = [recipe.mac(each) for each in (key, *older_keys)]

    def check(self, message: Message | HeaderPairs, body: bytes, now: float | None = None) -> None:
        """Returns if the message may be trusted.

        Args:
            message: `Message.received(method, url, headers)`; or the headers alone, a mapping or pairs, if the recipe
                signs nothing else but the body.
            body: the raw bytes that came, before anything parsed them.
            now: seconds since 1970; None: by the clock of this machine.

        Raises:
            SignatureError: it may not, and why. Do not act on it.
            UsageError: one of these is of another type, or the recipe signs more than headers and body.
        """
        self._check_usage(message, body)
        check_kind("now", 0 if now is None else now, int | float, "seconds since 1970, or None")
        head = received(message, body)
        try:
            self._check(head, body, time.time() if now is None else now)
        except UnicodeEncodeError:
            raise SignatureError("the message holds characters that cannot have been sent") from None
        except UsageError as error:
            raise SignatureError(error.message) from None

    def _check(self, head: Received, body: bytes, now: float) -> None:
        recipe = self._recipe
        given = [one.encode("utf-8", "surrogatepass") for value in recipe.place.values(head) for one in value.split()]
        if not given:
            raise SignatureError(f"{recipe.place} is missing or empty: nothing is signed")
        recipe.check_stamps(head, now)
        pieces = list(recipe.pieces(recipe.place.without(head)))
        for mac in self._macs:
            expected = _expected(recipe, mac.copy(), pieces, body)
            if any(compare_digest(expected, one) for one in given):
                return
        raise SignatureError(
            f"{recipe.place} holds no signature of this message by any of the keys: is the secret the sender's, and "
            "is the body as it came, before anything parsed it?"
        )

    def verify(self, message: Message | HeaderPairs, body: bytes, now: float | None = None) -> bool:
        """Whether `check` accepts it."""
        try:
            self.check(message, body, now)
        except SignatureError:
            return False
        return True

    def _check_usage(self, message: object, body: object) -> None:
        check_body(body)
        of_headers = all(isinstance(part, Header | Body | Text) for part in self._recipe.content)
        if not isinstance(message, Message) and not (of_headers and isinstance(self._recipe.place, InHeader)):
            raise UsageError("more than headers is signed here: give Message.received(method, url, headers)")


def _expected(recipe: HmacRecipe, mac: HMAC, pieces: Iterable[bytes | None], body: bytes) -> bytes:
    for piece in pieces:
        mac.update(body if piece is None else piece)
    return recipe.written(mac).encode()
