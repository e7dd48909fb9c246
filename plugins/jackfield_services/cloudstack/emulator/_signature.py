"""The server's side of request signing: ApiServer.verifyRequest of CloudStack, and nothing of any client."""

import base64
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from math import inf
from typing import Literal, TypeAlias
from urllib.parse import quote

Digest: TypeAlias = Literal["sha1", "sha512"]
Dates: TypeAlias = Literal["new", "old"]

_DATE = r"\d{4}-\d\d-\d\dT\d\d:\d\d"
_EXPIRES = re.compile(
    rf"({_DATE}(?::\d\d(?:\.\d{{1,9}})?)?(?:Z|[+-]\d\d:\d\d)"  # ISO_OFFSET_DATE_TIME
    rf"|{_DATE}:\d\d(?:\.\d{{6}})?[+-]\d{{4}})"  # yyyy-MM-dd'T'HH:mm:ssZ, with or without microseconds
    rf"|({_DATE}:\d\d)Z([+-]\d{{4}})",  # …'Z'Z, which the server's source calls nonsensical
)


_OLD_EXPIRES = re.compile(rf"({_DATE}:\d\d)(GMT|[+-]\d{{4}})")  # yyyy-MM-dd'T'HH:mm:ssZ of SimpleDateFormat


def key_of(parameters: Mapping[str, str]) -> str | None:
    """The API key that a request names."""
    return _without_case(parameters, "apikey")


def verified(
    parameters: Mapping[str, str],
    api_key: str,
    secret: str,
    now: float,
    digest: Digest = "sha1",
    within: float = inf,
    dates: Dates = "new",
) -> bool:
    """Whether the request is signed with these keys and this digest, and has not expired at `now` (Unix time).

    `within` is how many seconds ahead `expires` may be; where that is bounded, a request must have one. `dates` is
    whose forms of it are read: DateUtil's of new servers, or SimpleDateFormat's of old ones.
    """
    given, key = _without_case(parameters, "signature"), key_of(parameters)
    if given is None or key is None or not _same(key, api_key):
        return False
    return _in_time(parameters, now, within, dates) and _same(given, signature_of(parameters, secret, digest))


def signature_of(parameters: Mapping[str, str], secret: str, digest: Digest = "sha1") -> str:
    """base64(HMAC(secret, string to sign)), which is all that the digest changes."""
    return base64.b64encode(hmac.digest(secret.encode(), string_to_sign(parameters).encode(), digest)).decode()


def string_to_sign(parameters: Mapping[str, str]) -> str:
    """Raw names sorted with their case, values encoded, the whole lower-cased: in that order."""
    names = sorted((name for name in parameters if name.lower() != "signature"), key=_utf16)
    return "&".join(f"{name}={_url_encoded(parameters[name])}" for name in names).lower()


def expiry(text: str, dates: Dates) -> float | None:
    """Unix time of an `expires` value in one of the forms that the server takes, None for any other."""
    matched = (_EXPIRES if dates == "new" else _OLD_EXPIRES).fullmatch(text)
    if matched is None:
        return None
    try:
        return datetime.fromisoformat("".join(filter(None, matched.groups())).replace("GMT", "Z")).timestamp()
    except (ValueError, OverflowError):
        return None


def _in_time(parameters: Mapping[str, str], now: float, within: float, dates: Dates) -> bool:
    """Only `signatureVersion` 3 reads `expires`, and it must."""
    if _without_case(parameters, "signatureversion") != "3":
        return within == inf
    expires = expiry(_without_case(parameters, "expires") or "", dates)
    return expires is not None and now <= expires <= now + within


def _without_case(parameters: Mapping[str, str], wanted: str) -> str | None:
    """The value of that name in any case; the last in sorting order wins, as the server's loop has it."""
    found = [parameters[name] for name in sorted(parameters, key=_utf16) if name.lower() == wanted]
    return found[-1] if found else None


def _utf16(name: str) -> bytes:
    """java.lang.String.compareTo compares UTF-16 units, not code points."""
    return name.encode("utf-16-be")


def _url_encoded(value: str) -> str:
    """java.net.URLEncoder, its + turned to %20: letters, digits and .-*_ stay, all else goes, ~ included."""
    return quote(value, safe="*").replace("~", "%7E")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
