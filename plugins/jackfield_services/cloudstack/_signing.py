"""How CloudStack signs: as its server checks it (ApiServer.verifyRequest), which is not quite as its guide says."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from hashlib import sha256
from typing import Literal, TypeAlias
from urllib.parse import parse_qsl, quote

from jackfield import Call, ConfigurationError, Proceed, Request, Response, Secret, Stage, Step, check_seconds, hookimpl
from jackfield_plugins.signing import Constant, Expiry, HmacRecipe, HmacSigning, InParameters, Parameters

from ._secrecy import is_harmless

Digest: TypeAlias = Literal["sha1", "sha512"]
SignatureAlgorithm: TypeAlias = Literal["sha1", "sha512", "auto"]

_LONGEST = 15 * 60  # seconds; servers that enforce timestamps take no later expiry


def _order(pair: tuple[str, str]) -> bytes:
    # Java sorts the names as they are sent, by UTF-16 code units, before anything is lower-cased.
    return pair[0].encode("utf-16-be", "surrogatepass")


def _encode(value: str) -> str:
    # java.net.URLEncoder leaves A-Z a-z 0-9 . - * _ alone; "~" it does not.
    return quote(value, safe="*").replace("~", "%7E")


# Names are not encoded in what is signed; all of it is lower-cased. The server reads forms and queries alike.
_CONTENT = Parameters(order=_order, name=str, value=_encode, finish=str.lower)


def recipe(algorithm: Digest = "sha1", expires: float | None = None) -> HmacRecipe:
    """How requests are signed.

    Args:
        algorithm: sha512 is for servers that have sha1 switched off.
        expires: seconds that a signed request stays good; None: for ever.

    Raises:
        ConfigurationError: another algorithm, or an expiry that no server takes.
    """
    if algorithm not in ("sha1", "sha512"):
        raise ConfigurationError(f"signature_algorithm is 'sha1', 'sha512' or 'auto', not {algorithm!r}")
    place = InParameters("signature", any_case=True)
    if expires is None:
        return HmacRecipe(content=(_CONTENT,), place=place, digest=algorithm)
    if not 1 <= check_seconds("expires", expires) <= _LONGEST:
        raise ConfigurationError(
            f"expires must be 1 to {_LONGEST} seconds, as servers may take no more: not {expires!r}"
        )
    # `expires` is read with signatureVersion=3 only.
    version, expiry = InParameters("signatureVersion", any_case=True), InParameters("expires", any_case=True)
    stamps = (Constant(version, "3"), Expiry(expiry, expires))
    return HmacRecipe(content=(_CONTENT,), place=place, digest=algorithm, stamps=stamps)


class Signing:
    """Signs each attempt afresh; what was signed of one that the server refuses is logged for those who debug.

    Args:
        recipe: how.
        api_key: the key's public half, which the requests have already.
        api_secret: its secret half.
    """

    name = "signing"

    def __init__(self, recipe: HmacRecipe, api_key: str, api_secret: Secret) -> None:
        signing = HmacSigning(recipe, api_secret)
        self._recipe = recipe
        self._identity = sha256(api_key.encode() + b"\n" + signing.jackfield_identity()).digest()
        (self._signing,) = signing.jackfield_steps()

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.SIGN, self.run)]

    @hookimpl
    def jackfield_identity(self) -> bytes:
        return self._identity

    async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        """The step."""

        async def watched(signed: Request, call: Call) -> Response:
            response = await proceed(signed, call)
            if response.status == 401:
                _tell(self._recipe, signed, call.options.visible_query)
            return response

        return await self._signing.run(request, call, watched)


def string_to_sign(recipe: HmacRecipe, request: Request, visible: Collection[str] = ()) -> str:
    """What is signed of a request, as the server's log has it, but for values that may be secret: `***`."""
    body = request.body
    pairs = parse_qsl(body.decode(), keep_blank_values=True) if isinstance(body, bytes) and body else request.query
    shown = [(name, value if is_harmless(name, value, visible) else "***") for name, value in pairs]
    return recipe.canonical(Request("GET", request.url, query=shown)).decode()


def _tell(recipe: HmacRecipe, request: Request, visible: Collection[str]) -> None:
    from logging import DEBUG, getLogger

    log = getLogger("jackfield.cloudstack")
    if log.isEnabledFor(DEBUG):
        signed = string_to_sign(recipe, request, visible)
        log.debug("the server answered 401; by %s this was signed: %s", recipe.digest, signed)
