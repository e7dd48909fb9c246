"""HMAC request signing by recipe: what is signed, in which order and encoding, is data; the signer is one for all."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import NamedTuple
from urllib.parse import quote

from jackfield import Call, ConfigurationError, Proceed, Request, Response, Secret, Stage, Step, hookimpl

Pair = tuple[str, str]


class HmacRecipe(NamedTuple):
    """How a service wants its query parameters signed.

    Attributes:
        parameter: the name of the parameter that carries the signature; it is never signed itself.
        digest: a name that `hashlib` knows.
        order: the key by which parameters are sorted before they are joined.
        encode: what happens to each value before it is joined; names are joined as they are.
        finish: what happens to the joined string before it is signed.
    """

    parameter: str = "signature"
    digest: str = "sha256"
    order: Callable[[Pair], bytes] = lambda pair: pair[0].encode()
    encode: Callable[[str], str] = lambda value: quote(value, safe="")
    finish: Callable[[str], str] = lambda text: text

    def canonical(self, query: Iterable[Pair]) -> str:
        """The string that is signed; it holds no secret, and may be shown when a signature is not accepted."""
        carrier = self.parameter.lower()
        signed = sorted((pair for pair in query if pair[0].lower() != carrier), key=self.order)
        return self.finish("&".join(f"{name}={self.encode(value)}" for name, value in signed))

    def signature(self, query: Iterable[Pair], key: Secret) -> str:
        """The signature in standard base64 (RFC 4648 §4)."""
        mac = hmac.new(key.reveal().encode(), self.canonical(query).encode(), self.digest)
        return b64encode(mac.digest()).decode()


class HmacSigning:
    """Signs every attempt afresh, after all other steps; nothing may change the request behind it.

    Args:
        recipe: what the service wants.
        key: the secret.
    """

    name = "signing"

    def __init__(self, recipe: HmacRecipe, key: Secret | str) -> None:
        try:
            hmac.new(b"", b"", recipe.digest)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"{recipe.digest!r} is no digest that signs") from error
        self._recipe = recipe
        self._key = Secret(key)

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.SIGN, self._sign)]

    async def _sign(self, request: Request, call: Call, proceed: Proceed) -> Response:
        if request.url.origin != call.origin:  # the key is for the service, and nobody else
            return await proceed(request, call)
        signature = (self._recipe.parameter, self._recipe.signature(request.query, self._key))
        unsigned = (pair for pair in request.query if pair[0].lower() != self._recipe.parameter.lower())
        return await proceed(request.replace(query=(*unsigned, signature)), call)
