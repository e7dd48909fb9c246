"""Without a server: the request as it goes to the origin itself, and what its answer tells."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlencode

from msgspec.json import encode

from jackfield import Headers, Request, Url

from ._models import RequestIn, ResponseContentAttributes

_JSON = Headers({"content-type": "application/json"})


def origin_request(asked: RequestIn) -> Request:
    """What the server would have sent, and the body, which one of 0.7.3 forgets. The URL's query stays as it is."""
    address, _, query = asked.url.partition("#")[0].partition("?")
    encoded = "&".join(filter(None, (query, urlencode(_pairs(asked.http_query_params)))))
    headers = Headers({name: str(value) for name, value in asked.http_header_fields.items()})
    body = b""
    if asked.http_request_body:
        body, headers = encode(asked.http_request_body), headers.over(_JSON)
    return Request(asked.http_method.upper(), Url.parse(address), query=encoded or (), headers=headers, body=body)


def attributes_of(headers: Headers) -> ResponseContentAttributes:
    """What names a download."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return ResponseContentAttributes(media_type=kind or None, content_disposition=headers.get("content-disposition"))


def _pairs(parameters: dict[str, object]) -> list[tuple[str, str]]:
    """As requests writes them: of a list one each, and None left out."""
    pairs: list[tuple[str, str]] = []
    for name, value in parameters.items():
        values = cast("list[object]", value) if isinstance(value, list) else [value]
        pairs += [(name, str(one)) for one in values if one is not None]
    return pairs
