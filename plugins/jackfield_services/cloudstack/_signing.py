"""How CloudStack signs: as its server checks it (ApiServer.verifyRequest), which is not quite as its guide says."""

from __future__ import annotations

from urllib.parse import quote

from jackfield_plugins.signing import HmacRecipe


def _order(pair: tuple[str, str]) -> bytes:
    # Java sorts the names as they are sent, by UTF-16 code units, before anything is lower-cased.
    return pair[0].encode("utf-16-be", "surrogatepass")


def _encode(value: str) -> str:
    # java.net.URLEncoder leaves A-Z a-z 0-9 . - * _ alone; "~" it does not.
    return quote(value, safe="*").replace("~", "%7E")


RECIPE = HmacRecipe(parameter="signature", digest="sha1", order=_order, encode=_encode, finish=str.lower)
