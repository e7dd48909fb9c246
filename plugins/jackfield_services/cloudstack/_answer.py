"""CloudStack's answers: what is inside the envelope, or the error that it holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from jackfield import DecodeError, Response

from ._errors import CloudStackClientException, CloudStackDecodeError

NOT_JSON = "Could not decode content. Server did not return json content!"
FAILED = "Async CloudStack call failed!"


def payload(response: Response) -> dict[str, Any]:
    """What the envelope holds.

    Its one key is taken as it is and never built from the command: errors come as `errorresponse`, and worse.

    Raises:
        CloudStackClientException: CloudStack's own error, or an answer that is not CloudStack's.
    """
    try:
        envelope = response.decode(dict[str, Any])
    except DecodeError as error:
        raise CloudStackDecodeError(NOT_JSON, response.status, None, response) from error
    inside = next((fields for fields in map(mapping, envelope.values()) if fields is not None), None)
    if response.status != 200:
        code, text = error_of(envelope if inside is None else inside)
        raise CloudStackClientException(FAILED, response.status if code is None else code, text, response)
    if inside is None:
        raise CloudStackDecodeError(
            "The answer is not in CloudStack's envelope: is the end point right?", response.status, None, response
        )
    return inside


def error_of(body: object) -> tuple[int | None, str | None]:
    """`errorcode` and `errortext`, where they are what they should be."""
    fields = mapping(body) or {}
    text = fields.get("errortext")
    return integer(fields.get("errorcode")), text if isinstance(text, str) else None


def mapping(value: object) -> dict[str, Any] | None:
    """The value, if it is a JSON object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def lists(answer: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """The lists among the answer's fields, with their names."""
    found: list[Any]
    for key, found in answer.items():
        if isinstance(found, list):
            yield key, found


def integer(value: object) -> int | None:
    """A number, which CloudStack may send as a string."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19 else None
