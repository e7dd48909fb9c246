"""What the Hub is told: ids in paths, and bodies, each as its generation has it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec import UNSET, ValidationError, convert

from jackfield import UsageError

from ._model import NEW, OLD, Body, Generation, HubModel, Record
from ._on_wire import on_wire

if TYPE_CHECKING:
    from ._service import HubService


def id_of(given: object, kind: type[Record], parameter: str) -> str:
    """A record's id, for a path, which escapes it.

    Args:
        given: the record, or its id.
        kind: of the record.
        parameter: how the method calls it.
    """
    if isinstance(given, kind):
        given = getattr(given, "id", None)
    if isinstance(given, UUID):
        return str(given)
    if not isinstance(given, str) or not given.strip() or given in (".", ".."):
        shown = f"a {type(given).__name__}" if isinstance(given, Record) else repr(given)
        raise UsageError(f"{parameter} is a {kind.__name__} that the Hub gave, or its id, not {shown}")
    return given


class Bodies:
    """What a method's parameters are sent as.

    Args:
        new: of generation 1.1.0.
        old: of generation 0.1.1, where it has other parameters.
    """

    def __init__(self, new: type[Body], old: type[Body] | None) -> None:
        self._models: dict[Generation, type[Body]] = {NEW: new, OLD: old or new}

    @cached_property
    def _differ(self) -> bool:
        """Whether it takes to know the Hub's generation."""
        new, old = (on_wire(model, generation).__struct_encode_fields__ for generation, model in self._models.items())
        return bool(new != old)

    async def made(self, hub: HubService, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Body:
        """What is sent, checked.

        Raises:
            TypeError: the method has no such parameter, or needs another.
            UsageError: a value is of a wrong type, or a parameter of the other generation.
        """
        generation = await hub.told_generation() if self._differ else hub.generation or NEW
        model, other = self._models[generation], self._models[OLD if generation == NEW else NEW]
        if unknown := kwargs.keys() - set(model.__struct_fields__) & set(other.__struct_fields__):
            raise UsageError(f"a Hub of generation {generation} takes no {', '.join(sorted(unknown))} there")
        try:
            given = model(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{hub.call.operation}: {error}") from None
        try:
            return _checked(given, on_wire(model, generation))
        except ValidationError as error:
            raise UsageError(str(error)) from None


def _checked(given: Body, wire: type[Body]) -> Body:
    """What is given, by the names on the wire, and of the types; a record in place of its id is its id."""
    values = [_plain(getattr(given, name)) for name in given.__struct_fields__]
    pairs = zip(wire.__struct_encode_fields__, values, strict=True)
    checked: Body = convert({name: value for name, value in pairs if value is not UNSET}, wire)
    return checked


def _plain(value: Any) -> Any:
    return getattr(value, "id", None) if isinstance(value, HubModel) else value
