"""Where in a JSON document something stands: names, one below the other, as authors of clients write them."""

from __future__ import annotations

from typing import TypeAlias

from ._errors import ConfigurationError

FieldPath: TypeAlias = str | tuple[str, ...]
"""`"meta.next"`; `("@odata.nextLink",)` where a name has a dot in it; `""` is the whole document."""


def field_path(given: FieldPath) -> tuple[str, ...]:
    """The names that lead there, from the outside in.

    Raises:
        ConfigurationError: one of them is empty, or no name.
    """
    names = given.split(".") if isinstance(given, str) and given else given
    if not isinstance(names, str | list | tuple) or not all(isinstance(name, str) and name for name in names):
        raise ConfigurationError(f"{given!r} is no place in an answer: write names with a dot between them")
    return tuple(names)
