"""What the Hub is told: ids in paths, and bodies, each as its generation has it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, cast, get_args, get_type_hints
from uuid import UUID

from msgspec import UNSET, ValidationError, convert

from jackfield import UsageError

from ._model import HIDDEN, NEW, OLD, Body, Generation, HubModel, Record
from ._on_wire import on_wire

if TYPE_CHECKING:
    from ._service import HubService

_LONGEST = 100  # characters of what was given, in an error
_place = re.compile(r" - at `(?:key in )?\$\.?(\w*)[^`]*`$").search


def id_of(given: object, kind: type[Record], parameter: str) -> str:
    """A record's id, for a path, which escapes it.

    Args:
        given: the record, or its id.
        kind: of the record.
        parameter: how the method calls it.
    """
    found = _id_in(given, kind)
    if isinstance(found, UUID):
        return str(found)
    if not isinstance(found, str) or not found.strip() or found in (".", ".."):
        raise UsageError(f"{parameter} is {_an(kind)} that the Hub gave, or its id, not {_shown(given)}")
    return found


def _id_in(given: Any, kind: type[Record]) -> object:
    """The id of a record, or of an object of the caller's own that has one; not that of another kind of record."""
    if isinstance(given, kind) or (not isinstance(given, HubModel) and isinstance(getattr(given, "id", None), UUID)):
        return getattr(given, "id", None)
    return given


def _an(kind: type) -> str:
    return f"{'an' if kind.__name__[0] in 'AEIO' else 'a'} {kind.__name__}"


def _shown(given: object) -> str:
    """What was given, in a few words."""
    if isinstance(given, HubModel):
        has = " without one" if getattr(given, "id", UNSET) is None else ""
        return f"{_an(type(given))}{has}"
    if isinstance(given, list | tuple | set):
        return f"a {type(cast('object', given)).__name__}: give one of its records"
    told = repr(given)
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"


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
        generation = await hub._told_generation() if self._differ else hub.generation or NEW
        model, other = self._models[generation], self._models[OLD if generation == NEW else NEW]
        if unknown := kwargs.keys() - set(model.__struct_fields__) & set(other.__struct_fields__):
            raise UsageError(f"a Hub of generation {generation} takes no {', '.join(sorted(unknown))} there")
        try:
            given = model(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{hub.call.operation}: {error}") from None
        try:
            return _checked(given, on_wire(model, generation))
        except UsageError as error:
            if self._differ and len(args) > 1 and model is not other:
                order = ", ".join(model.__struct_fields__)
                raise UsageError(f"{error}; what is given by position is, for a Hub of {generation}: {order}") from None
            raise


def _checked(given: Body, wire: type[Body]) -> Body:
    """What is given, by the names on the wire, and of the types; a record in place of its id is its id."""
    kinds, told = _kinds(type(given)), {}
    for name, wired in zip(given.__struct_fields__, wire.__struct_encode_fields__, strict=True):
        value = getattr(given, name)
        if value is not UNSET:
            told[wired] = value if value is None or name not in kinds else _uuid(value, kinds[name], name)
    try:
        return convert(told, wire)
    except ValidationError as error:
        raise UsageError(_in_words(str(error), given, wire)) from None


@cache
def _kinds(body: type[Body]) -> dict[str, type[Record]]:
    """Of which kind the records are whose ids a body has, by field."""
    hints = get_type_hints(body).items()
    return {
        name: kind
        for name, hint in hints
        for kind in get_args(hint)
        if isinstance(kind, type) and issubclass(kind, Record)
    }


def _uuid(given: object, kind: type[Record], parameter: str) -> UUID:
    try:
        return convert(_id_in(given, kind), UUID)
    except ValidationError:
        raise UsageError(f"{parameter} is {_an(kind)} that the Hub gave, or its id, not {_shown(given)}") from None


def _in_words(error: str, given: Body, wire: type[Body]) -> str:
    """What msgspec says, by the name of the parameter."""
    if (place := _place(error)) is None or place[1] not in wire.__struct_encode_fields__:
        return error
    name = given.__struct_fields__[wire.__struct_encode_fields__.index(place[1])]
    value = getattr(given, name)
    shown = "" if name in HIDDEN else f": {_shown(value)}"
    return f"{name}: {error[: place.start()]}{shown}"
