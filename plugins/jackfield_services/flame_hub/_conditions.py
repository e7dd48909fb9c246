"""What a filter holds a field against, as the Hub reads it: an operator, and a value or several."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from enum import Enum
from math import isfinite
from typing import Any, cast
from uuid import UUID

from jackfield import UsageError

_read_operator = re.compile(r"!?(?:~|[<>]=?)?").match  # as the Hub finds it before a value; there is none for equal
_OPERATORS = "'=', '!', '~', '<', '<=', '>', '>=', or '!' before another"


def condition(name: str, given: object) -> str:
    """A value, with the operator before it: `~my-node`. A plain string is what the Hub is told, operator and all."""
    if isinstance(given, str):
        return given
    operator = ""
    if isinstance(given, tuple):
        operator, given = _operator(name, cast("tuple[object, ...]", given))
    told = operator + _values(name, given)
    if (found := _operator_in(told)) != operator:
        raise UsageError(f"filter: {name}: the Hub would read the operator {found!r} in {told!r}")
    return told


def _operator(name: str, given: tuple[object, ...]) -> tuple[str, object]:
    """The operator as it is sent, and what follows it."""
    if len(given) == 2 and isinstance(given[0], str):
        operator = "" if given[0] == "=" else str(given[0])
        if _operator_in(operator) == operator:
            return operator, given[1]
    raise UsageError(f"filter: {name}: a tuple is an operator ({_OPERATORS}) and a value; several values are a list")


def _operator_in(told: str) -> str:
    found = _read_operator(told)
    return found[0] if found else ""


def _values(name: str, given: object) -> str:
    if not isinstance(given, list | set | frozenset):
        return _one(name, given)
    values = [_one(name, value) for value in cast("Iterable[object]", given)]
    if not values:
        raise UsageError(f"filter: {name} is to be one of none: an empty list would match nothing")
    return ",".join(values if isinstance(given, list) else sorted(values))


def _one(name: str, given: object) -> str:
    """What the Hub reads as one value, and as the one that is meant."""
    told = _value(name, given)
    if "," in told:
        raise UsageError(f"filter: {name}: the Hub would take {told!r} for several values, as it has a comma")
    if told == given == "null":
        raise UsageError(f"filter: {name}: the Hub would take the text 'null' for None")
    return told


def _value(name: str, given: object) -> str:
    value: Any = given.value if isinstance(given, Enum) else given
    if hasattr(value, "id") and (value := value.id) is None:
        raise UsageError(f"filter: {name}: this {type(given).__name__} has no id")
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _moment(name, value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int | UUID) or (isinstance(value, float) and isfinite(value)):
        return str(value)
    raise UsageError(
        f"filter: {name} is held against texts, numbers, bools, dates, ids, records, or a list of them, not {given!r}"
    )


def _moment(name: str, moment: datetime) -> str:
    """`2026-11-20T12:00:00.000Z`."""
    if moment.tzinfo is None:
        raise UsageError(f"filter: {name}: give the date a time zone, datetime(…, tzinfo=UTC) say")
    try:
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except OverflowError:
        raise UsageError(f"filter: {name}: {moment} is before or after all dates in UTC") from None
