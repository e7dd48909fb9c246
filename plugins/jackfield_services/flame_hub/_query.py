"""What a list is asked for with: page, filter, sort, includes and fields, as query parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, TypeAlias, cast
from uuid import UUID

from msgspec import UNSET

from jackfield import UsageError

from ._model import NEW, OLD, Generation, HubModel
from ._names import spelled
from .types import FilterOperator, PageParams, SortParams

Pairs: TypeAlias = "list[tuple[str, str]]"

_is_name = re.compile(r"[+-]?[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*").fullmatch
_OPERATORS: dict[object, FilterOperator] = {operator.value: operator for operator in FilterOperator}


def page_of(page: PageParams | None) -> tuple[int, int]:
    """Limit and offset, as flame_hub_client has them: 50 and 0 where nothing else is said."""
    given = dict(page or {})
    limit, offset = given.pop("limit", 50), given.pop("offset", 0)
    if given:
        raise UsageError(f"page has 'limit' and 'offset', not {', '.join(map(repr, given))}")
    for name, value, least in (("limit", limit, 1), ("offset", offset, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise UsageError(f"page: {name} is a whole number from {least} on, not {value!r}")
    return cast("tuple[int, int]", (limit, offset))


def asked_pairs(asked: Mapping[str, Any], includes: Iterable[str], generation: Generation) -> Pairs:
    """All but the page. Whoever asks for no records in others gets `includes`, of new Hubs."""
    included = asked.get("include", UNSET)
    if included is UNSET:
        included = includes if generation == NEW else None
    return [
        *filter_pairs(asked.get("filter"), generation),
        *sort_pairs(asked.get("sort"), generation),
        *name_pairs("include", included, generation),
        *name_pairs("fields", asked.get("fields"), generation, "+"),
    ]


def differs(asked: Mapping[str, Any]) -> bool:
    """Whether the two generations have other words for what is asked."""
    return asked_pairs(asked, (), NEW) != asked_pairs(asked, (), OLD)


def filter_pairs(given: Mapping[str, Any] | None, generation: Generation) -> Pairs:
    """`filter[realmId]=!…`, one for each name."""
    return [(f"filter[{spelled(_name(n), generation)}]", _condition(n, value)) for n, value in (given or {}).items()]


def sort_pairs(given: SortParams | Sequence[SortParams] | str | None, generation: Generation) -> Pairs:
    """`sort=-createdAt,name`; the first counts most."""
    if not given:
        return []
    keys = given.split(",") if isinstance(given, str) else [given] if isinstance(given, Mapping) else given
    return [("sort", ",".join(spelled(_sort_key(key), generation) for key in keys))]


def name_pairs(parameter: str, given: Iterable[str] | str | None, generation: Generation, sign: str = "") -> Pairs:
    """`include=registry,registryProject`, `fields=+accountSecret`."""
    names = [name.strip() for name in given.split(",")] if isinstance(given, str) else list(given or ())
    told = [name if name[:1] in ("+", "-") else f"{sign}{name}" for name in map(_name, names)]
    return [(parameter, ",".join(spelled(name, generation) for name in told))] if told else []


def _name(name: object) -> str:
    if not isinstance(name, str) or not _is_name(name):
        raise UsageError(f"a field's name is letters, digits, _ and, between a relation and its field, a dot: {name!r}")
    return name


def _sort_key(key: SortParams | str) -> str:
    if isinstance(key, str):
        return _name(key.strip())
    unknown = key.keys() - {"by", "order"}
    order = key.get("order", "ascending")
    if unknown or "by" not in key or order not in ("ascending", "descending"):
        raise UsageError(f"a sort key is {{'by': name, 'order': 'ascending' or 'descending'}}, not {key!r}")
    return f"-{_name(key['by'])}" if order == "descending" else _name(key["by"])


def _condition(name: str, given: object) -> str:
    """A value, with the operator before it: `~my-node`."""
    operator = FilterOperator.eq
    if isinstance(given, tuple):
        pair = cast("tuple[object, ...]", given)
        if len(pair) == 2 and pair[0] in _OPERATORS:
            operator, given = _OPERATORS[pair[0]], pair[1]
    prefix = "" if operator is FilterOperator.eq else operator.value
    if isinstance(given, list | tuple | set | frozenset):
        values = [_value(name, value) for value in cast("Iterable[object]", given)]
        if not values:
            raise UsageError(f"filter: {name} is to be one of none: an empty list would match nothing")
        return prefix + ",".join(values)
    return prefix + _value(name, given)


def _value(name: str, value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, HubModel):
        value = getattr(value, "id", None)
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, datetime) and value.tzinfo is None:
        raise UsageError(f"filter: {name}: give the date a time zone, datetime(…, tzinfo=UTC) say")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int | float | UUID):
        return str(value)
    raise UsageError(f"filter: {name} is held against text, numbers, bools, dates, ids, records or a list of them")
