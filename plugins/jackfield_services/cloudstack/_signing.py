"""How CloudStack signs: as its server checks it (ApiServer.verifyRequest), which is not quite as its guide says."""

from __future__ import annotations

from typing import Literal, TypeAlias
from urllib.parse import quote

from jackfield import ConfigurationError, check_seconds
from jackfield_plugins.signing import Constant, Expiry, HmacRecipe, InQuery, Query

SignatureAlgorithm: TypeAlias = Literal["sha1", "sha512"]

_LONGEST = 15 * 60  # seconds; servers that enforce timestamps take no later expiry


def _order(pair: tuple[str, str]) -> bytes:
    # Java sorts the names as they are sent, by UTF-16 code units, before anything is lower-cased.
    return pair[0].encode("utf-16-be", "surrogatepass")


def _encode(value: str) -> str:
    # java.net.URLEncoder leaves A-Z a-z 0-9 . - * _ alone; "~" it does not.
    return quote(value, safe="*").replace("~", "%7E")


# Names are not encoded in what is signed; all of it is lower-cased.
_CONTENT = Query(order=_order, name=str, value=_encode, finish=str.lower)


def recipe(algorithm: SignatureAlgorithm = "sha1", expires: float | None = None) -> HmacRecipe:
    """How requests are signed.

    Args:
        algorithm: sha512 is for servers that have sha1 switched off.
        expires: seconds that a signed request stays good; None: for ever.

    Raises:
        ConfigurationError: another algorithm, or an expiry that no server takes.
    """
    if algorithm not in ("sha1", "sha512"):
        raise ConfigurationError(f"signature_algorithm is 'sha1' or 'sha512', not {algorithm!r}")
    place = InQuery("signature", any_case=True)
    if expires is None:
        return HmacRecipe(content=(_CONTENT,), place=place, digest=algorithm)
    if not 1 <= check_seconds("expires", expires) <= _LONGEST:
        raise ConfigurationError(
            f"expires must be 1 to {_LONGEST} seconds, as servers may take no more: not {expires!r}"
        )
    # `expires` is read with signatureVersion=3 only.
    version, expiry = InQuery("signatureVersion", any_case=True), InQuery("expires", any_case=True)
    stamps = (Constant(version, "3"), Expiry(expiry, expires))
    return HmacRecipe(content=(_CONTENT,), place=place, digest=algorithm, stamps=stamps)
