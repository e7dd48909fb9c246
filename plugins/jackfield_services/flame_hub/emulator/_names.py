"""The two generations, and how each writes the names of fields."""

from functools import cache
from typing import Literal, TypeAlias

Generation: TypeAlias = Literal["0.1.1", "1.1.0"]


@cache
def camel(name: str) -> str:
    """`realm_id` is realmId; a dotted name part by part."""
    first, *others = name.split("_")
    return first + "".join(f"{word[0].upper()}{word[1:]}" for word in others if word)


def on_wire(name: str, generation: Generation) -> str:
    """A field's name as this generation writes it."""
    return name if generation == "0.1.1" else camel(name)
