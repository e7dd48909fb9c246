"""AWS Signature Version 4 as functions of values: canonical request, string to sign, signature."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from jackfield import Secret

from ._message import Message

ALGORITHM = "AWS4-HMAC-SHA256"

_blanks = re.compile(r"[ \t\r\n]+")
# What proxies, tracers and connections add or change on the way; all else that is there when it is signed is signed.
_UNSIGNED = frozenset(
    {"accept-encoding", "authorization", "baggage", "connection", "expect", "forwarded", "keep-alive", "max-forwards"}
    | {"proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "traceparent", "tracestate", "trailer"}
    | {"transfer-encoding", "upgrade", "user-agent", "via", "x-amzn-trace-id"}
    | {"x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto"}
)


class Scope(NamedTuple):
    """What a signature is good for.

    Attributes:
        moment: when, `"20150830T123600Z"`.
        region: where, `"us-east-1"`.
        service: the name the service signs by, `"execute-api"`.
    """

    moment: str
    region: str
    service: str

    def __str__(self) -> str:
        return f"{self.moment[:8]}/{self.region}/{self.service}/aws4_request"


def encoded_path(path: str) -> str:
    """The path as it was sent, encoded once more: what was encoded already is so twice."""
    return quote(path, safe="/")


def standard_path(path: str) -> str:
    """The rule of all services but S3: empty and dot segments go (RFC 3986 §5.2.4), then it is encoded once more."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    end = "/" if kept and path.endswith("/") else ""
    return encoded_path("/" + "/".join(kept) + end)


def verbatim_path(path: str) -> str:
    """The rule of S3, where `a//b` and `a/./b` are keys of their own: the path as it was sent."""
    return path


def signed_names(message: Message) -> list[str]:
    """The names of the headers to sign, `host` always among them, in lower case and in order."""
    return sorted({"host", *(name.lower() for name in message.headers)} - _UNSIGNED)


def canonical_request(message: Message, payload: str, path: Callable[[str], str] = standard_path) -> str:
    """The request as it is digested.

    Args:
        message: the request with all its headers.
        payload: the hex SHA-256 of the body, or `"UNSIGNED-PAYLOAD"`.
        path: the service's rule for the path.
    """
    names = signed_names(message)
    headers = [f"{name}:{_canonical_value(message, name)}" for name in names]
    query = _canonical_query(message.query or "")
    return "\n".join([message.method, path(message.path), query, *headers, "", ";".join(names), payload])


def string_to_sign(canonical: str, scope: Scope) -> str:
    """What is signed: the digest of the canonical request, and what the signature is good for."""
    digest = hashlib.sha256(canonical.encode("latin-1")).hexdigest()  # as headers are sent; the rest of it is ASCII
    return "\n".join([ALGORITHM, scope.moment, str(scope), digest])


def signature(text: str, scope: Scope, key: Secret) -> str:
    """The signature of a string to sign, in hex."""
    mac = b"AWS4" + key.reveal().encode()
    for part in (*str(scope).split("/"), text):
        mac = hmac.digest(mac, part.encode(), "sha256")
    return mac.hex()


def _canonical_value(message: Message, name: str) -> str:
    # Trimmed, blanks in a row made one; values of one name keep their order.
    values = [message.authority] if name == "host" else message.headers.get_all(name)
    return ",".join(_blanks.sub(" ", value).strip(" ") for value in values)


def _canonical_query(query: str) -> str:
    # Sorted by the encoded name, then by the encoded value; a name alone has an empty value.
    parts = [piece.partition("=") for piece in query.split("&") if piece]
    pairs = sorted((_encoded_once(name), _encoded_once(value)) for name, _, value in parts)
    return "&".join(f"{name}={value}" for name, value in pairs)


def _encoded_once(text: str) -> str:
    return quote(unquote_to_bytes(text), safe="")
