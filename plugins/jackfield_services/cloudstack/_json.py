"""What decoded JSON is, where CloudStack cannot be trusted to send what it should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast


def inside(decoded: Any) -> Any:
    """What the envelope holds: the first of its values that is an object; without one, all of what was decoded."""
    objects = map(mapping, (mapping(decoded) or {}).values())
    return next((found for found in objects if found is not None), decoded)


def mapping(value: object) -> dict[str, Any] | None:
    """The value, if it is an object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def lists(answer: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """The lists among the answer's fields, with their names."""
    found: list[Any]
    for key, found in answer.items():
        if isinstance(found, list):
            yield key, found


def items_of(answer: object) -> list[Any]:
    """The items of a list's answer: of the first list in it that is not empty."""
    return next((items for _, items in lists(mapping(answer) or {}) if items), list[Any]())


def whole(value: object) -> int | None:
    """A whole number, which CloudStack may send as a string."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19 else None


def text(value: object) -> str | None:
    """The value, if it is a string."""
    return value if isinstance(value, str) else None
