"""What an origin is asked, out of what was ordered: an address, headers and a body; no I/O."""

import json
import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlencode, urlsplit

from ._origins import Fetch
from ._wire import Json, Record

_NAME = re.compile(r"[^:\s][^:\r\n]*")
_VALUE = re.compile(r"\S[^\r\n]*|")


class Unreachable(Exception):
    """What `requests` has an exception for, by its name: the server tries again."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def outgoing(said: Record, *, with_body: bool) -> Fetch:
    """What is asked for such an order. Unreachable where it cannot be asked at all."""
    headers = dict(said["http_header_fields"] or {})
    _check_headers(headers)
    body = b""
    if with_body and said["http_request_body"]:
        body = json.dumps(said["http_request_body"]).encode()
        headers = {"Content-Type": "application/json"} | headers
    url = addressed(said["url"], said["http_query_params"])
    return Fetch(method=said["http_method"].upper(), url=url, headers=headers, body=body)


def addressed(url: str, params: Mapping[str, Json] | None) -> str:
    """The address with its parameters. Unreachable where it is none."""
    parts = _checked(url)
    query = urlencode({name: value for name, value in (params or {}).items() if value is not None}, doseq=True)
    both = "&".join(filter(None, (parts.query, query)))
    return parts._replace(query=both, path=parts.path or "/").geturl()


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.lstrip())
        _ = parts.port
    except ValueError as error:
        raise Unreachable("InvalidURL", f"Failed to parse: {url}") from error
    if not parts.scheme:
        raise Unreachable("MissingSchema", f"Invalid URL {url!r}: No scheme supplied. Perhaps you meant https://{url}?")
    if parts.scheme not in ("http", "https"):
        raise Unreachable("InvalidSchema", f"No connection adapters were found for {url!r}")
    if not parts.hostname or parts.hostname.startswith(("*", ".")):
        raise Unreachable("InvalidURL", f"Invalid URL {url!r}: No host supplied")
    return parts


def _check_headers(headers: Mapping[str, Json]) -> None:
    for name, value in headers.items():
        if not isinstance(value, str):
            pair = f"({value!r}) from ({name!r}, {value!r})"
            raise Unreachable("InvalidHeader", f"Header part {pair} must be of type str or bytes, not {type(value)}")
        for what, text, allowed in (("name", name, _NAME), ("value", value, _VALUE)):
            if not allowed.fullmatch(text):
                why = "Invalid leading whitespace, reserved character(s), or return character(s) in header"
                raise Unreachable("InvalidHeader", f"{why} {what}: {text!r}")
