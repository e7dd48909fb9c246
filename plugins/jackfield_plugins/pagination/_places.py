"""Where in an answer things are: names in its JSON body, one below the other, or a header; read in one pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from jackfield import ConfigurationError, Response


class InHeader(NamedTuple):
    """A header field, of an answer or of a request."""

    name: str


Place: TypeAlias = str | tuple[str, ...] | InHeader
_Path: TypeAlias = tuple[str, ...]

_SCALAR: Any = str | int | bool | None


class Told(NamedTuple):
    """What an answer holds of what a style looks for; None for what is not there."""

    items: list[Any]
    total: str | int | bool | None
    more: str | int | bool | None
    then: str | int | bool | None


class Places(NamedTuple):
    """Where the items are, and the rest. What of the body nobody looks for is skipped, and never built."""

    items: _Path
    total: _Path | InHeader | None = None
    more: _Path | InHeader | None = None
    then: _Path | InHeader | None = None
    omits_empty: bool = False

    def read(self, response: Response, item: Any) -> Told:
        """Decodes the answer.

        Raises:
            DecodeError: it is not JSON, or the items are not there, or not of this type.
        """
        shape = _shape(item, self)
        body = response.decode(shape.type)
        told = (_header(response, place) if isinstance(place, InHeader) else None for place in self[1:4])
        found = (get(body) for get in shape.gets)
        items, *rest = found
        return Told(items or [], *(a if a is not None else b for a, b in zip(told, rest, strict=True)))
