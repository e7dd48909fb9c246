"""Values out of JSON and queries, coerced as pydantic 1 does; what cannot be is a `Wrong` in its words."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from ._wire import Json, Record, Refused, detail

Read: TypeAlias = Callable[[Json], Json]

_BOOLEANS = {
    **dict.fromkeys(("1", "on", "t", "true", "y", "yes"), True),
    **dict.fromkeys(("0", "off", "f", "false", "n", "no"), False),
}


class Wrong(Exception):
    """What is wrong with a value: an error for each place in it."""

    def __init__(self, message: str, kind: str, *, context: Record | None = None, loc: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.errors: list[Record] = [{"loc": list(loc), "msg": message, "type": kind}]
        if context is not None:
            self.errors[0]["ctx"] = context

    @classmethod
    def of(cls, errors: list[Record]) -> "Wrong":
        """All of them in one."""
        wrong = cls("", "")
        wrong.errors = errors
        return wrong


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a model: how it is read, and what it is when it is not there."""

    read: Read
    default: Json = ...  # ...: it must be there
    nullable: bool = False


def read_fields(fields: Mapping[str, Field], values: Mapping[str, Json]) -> Record:
    """The fields of a model in their order; others are passed over. Wrong where any is."""
    read: Record = {}
    errors: list[Record] = []
    for name, field in fields.items():
        try:
            read[name] = _value(field, name, values)
        except Wrong as wrong:
            errors += [error | {"loc": [name, *error["loc"]]} for error in wrong.errors]
    if errors:
        raise Wrong.of(errors)
    return read


def _value(field: Field, name: str, values: Mapping[str, Json]) -> Json:
    if name not in values:
        if field.default is ...:
            raise Wrong("field required", "value_error.missing")
        return field.default
    if values[name] is None:
        if not field.nullable:
            raise Wrong("none is not an allowed value", "type_error.none.not_allowed")
        return None
    return field.read(values[name])


def refuse(wrong: Wrong, place: str) -> NoReturn:
    """422, for what was wrong in the body, the query or the path."""
    raise Refused(detail(422, [error | {"loc": [place, *error["loc"]]} for error in wrong.errors]))


def text(value: Json) -> str:
    """A text; numbers are taken for one."""
    if isinstance(value, str | int | float):
        return str(value)
    raise Wrong("str type expected", "type_error.str")


def integer(value: Json) -> int:
    """A whole number; a text is read, a fraction is cut off."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise Wrong("value is not a valid integer", "type_error.integer") from None


def number(value: Json) -> float:
    """A number, or a text that is one."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise Wrong("value is not a valid float", "type_error.float") from None


def boolean(value: Json) -> bool:
    """True or false, in words and numbers, too."""
    if isinstance(value, float) and not (math.isfinite(value) and value.is_integer()):
        known = None
    else:
        known = _BOOLEANS.get(str(int(value)) if isinstance(value, bool | int | float) else str(value).lower())
    if known is None:
        raise Wrong("value could not be parsed to a boolean", "type_error.bool")
    return known


def mapping(value: Json) -> Record:
    """An object; a list of pairs is taken for one."""
    try:
        return dict(value)
    except (TypeError, ValueError):
        raise Wrong("value is not a valid dict", "type_error.dict") from None


def one_of(permitted: Iterable[str]) -> Read:
    """One of these texts."""
    allowed = list(permitted)

    def read(value: Json) -> Json:
        if not isinstance(value, str) or value not in allowed:
            said = ", ".join(repr(each) for each in allowed)
            context = {"given": value, "permitted": allowed}
            raise Wrong(f"unexpected value; permitted: {said}", "value_error.const", context=context)
        return value

    return read
