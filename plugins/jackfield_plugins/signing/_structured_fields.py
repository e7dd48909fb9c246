"""Structured fields (RFC 9651) by the library http-sf: bounded, and refused with an error of ours."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, NoReturn, cast

from jackfield import SignatureError, UsageError

LIMIT = 16 * 1024  # bytes of a field that is parsed


class Member(NamedTuple):
    """What stands under a key: an item or an inner list, the items of which are members too, and its parameters."""

    value: Any
    parameters: dict[str, Any]


def dictionary(text: str, *, unique: bool = False) -> dict[str, Member]:
    """The members of a dictionary.

    Args:
        text: the field's value.
        unique: refuse keys that stand there twice; the last one counts otherwise (RFC 9651 §4.2.2).

    Raises:
        UsageError: it is none, or too long.
    """
    found = cast("dict[str, tuple[Any, dict[str, Any]]]", _parsed(text, "dictionary", unique=unique))
    return {key: Member(*member) for key, member in found.items()}


def member_text(member: tuple[Any, Mapping[str, Any]]) -> str:
    """A member in its one strict form (RFC 9651 §4.1): `(a b);x=1`, and `?1` where it is true."""
    import http_sf

    try:
        return http_sf.ser([cast("Any", member)])
    except ValueError as error:
        raise UsageError(f"this cannot be written as a structured field: {error}") from None


def strict(text: str) -> str:
    """A field in its one strict form, whichever of the three types it is of.

    A text that is of two types has one form, but where a dictionary's key stands there twice.

    Raises:
        UsageError: it is of no type, or its form depends on the type.
    """
    import http_sf

    forms: set[str] = set()
    for kind in ("dictionary", "list"):  # an item is written as a list of one is
        try:
            forms.add(http_sf.ser(_parsed(text, kind)))
        except (UsageError, ValueError):  # ValueError: it is empty, and then not sent at all
            continue
    if len(forms) != 1:
        raise UsageError("the field is no structured field, or one of several meanings")
    return forms.pop()


@contextmanager
def distrusted() -> Generator[None]:
    """What a peer's message fails by is no fault of the caller: UsageError becomes SignatureError."""
    try:
        yield
    except UsageError as error:
        raise SignatureError(error.message) from None


def _parsed(text: str, kind: str, *, unique: bool = False) -> Any:
    import http_sf

    if len(text) > LIMIT or not text.isascii():
        raise UsageError(f"a structured field is ASCII, of {LIMIT} bytes at most")
    try:
        return http_sf.parse(text.encode(), tltype=kind, on_duplicate_key=_refuse if unique else None)
    except http_sf.StructuredFieldError as error:
        raise UsageError(f"the field is no structured field, of the type {kind}: position {error.position}") from None


def _refuse(key: str, where: str) -> NoReturn:
    raise UsageError(f"a {where} stands twice in one field")


def byte_sequences(items: Mapping[str, bytes]) -> str:
    """A dictionary of byte sequences."""
    from base64 import b64encode

    return ", ".join(f"{key}=:{b64encode(value).decode()}:" for key, value in items.items())
