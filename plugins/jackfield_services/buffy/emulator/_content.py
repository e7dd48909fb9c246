"""A file as it is served: its headers, and what is made of text."""

import io

from ._records import Attributes
from ._wire import Answer, Delivery, Headers

_TEXT = ("text", "json", "application/json")


def content_answer(attributes: Attributes, content: bytes | None, *, as_text: bool) -> Answer:
    """The file, or with None its headers and then nothing. `as_text`: text is read as Python reads a text file."""
    kind = attributes.media_type
    body = content
    if content is not None and as_text and kind and (kind in _TEXT or kind.startswith("text/")):
        body = _read_as_text(content)
    return Answer(
        status=200,
        body=body or b"",
        headers=tuple(_headers(attributes)),
        length=attributes.content_size_bytes or None,
        delivery=Delivery.BROKEN if body is None else Delivery.WHOLE,
    )


def _read_as_text(content: bytes) -> bytes | None:
    """Every line end becomes a newline; None where it is not UTF-8."""
    try:
        return io.TextIOWrapper(io.BytesIO(content), "utf-8").read().encode()
    except UnicodeDecodeError:
        return None


def _headers(attributes: Attributes) -> Headers:
    headers: list[tuple[str, str]] = []
    if attributes.content_disposition:
        headers.append(("content-disposition", attributes.content_disposition))
    if attributes.media_type:
        charset = "; charset=utf-8" if attributes.media_type.startswith("text/") else ""
        headers.append(("content-type", attributes.media_type + charset))
    return headers
