"""Answers of a service that has one entity of 100 bytes."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping

from tests.both import Both

from jackfield import Response
from jackfield.testing import CutBody, FakeTransport

DATA = bytes(range(100))
ETAG = '"v1"'


def digest(data: bytes, algorithm: str = "sha-256") -> str:
    """A digest field's value."""
    value = hashlib.new(algorithm.replace("-", ""), data).digest()
    return f"{algorithm}=:{b64encode(value).decode()}:"


def whole(
    data: bytes = DATA, cut: int | None = None, also: Mapping[str, str] | None = None, **headers: str
) -> Response:
    """All of it; a header that is empty is left out."""
    fields = {"etag": ETAG, "content-length": str(len(data))}
    fields |= {name.replace("_", "-"): value for name, value in (headers | dict(also or {})).items()}
    return Response(200, _told(fields), data if cut is None else CutBody(data, after=cut))


def part(start: int, end: int = 100, data: bytes | None = None, cut: int | None = None, **headers: str) -> Response:
    """Some of it; a header that is empty is left out."""
    body = DATA[start:end] if data is None else data
    fields = {"etag": ETAG, "content-range": f"bytes {start}-{end - 1}/100"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(206, _told(fields), body if cut is None else CutBody(body, after=cut))


def _told(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}


def sent(api: Both) -> list[tuple[str | None, str | None]]:
    """`Range` and `If-Range` of each request."""
    assert isinstance(api.transport, FakeTransport)
    return [(request.headers.get("range"), request.headers.get("if-range")) for request in api.transport.requests]
