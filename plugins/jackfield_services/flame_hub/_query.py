"""What a list is asked for with: page, filter, sort, includes and fields, as query parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import Enum
from math import isfinite
from typing import Any, TypeAlias, cast
from uuid import UUID

from msgspec import UNSET

from jackfield import UsageError

from ._model import NEW, OLD, Generation
from ._names import spelled
from .types import PageParams, SortParams

Pairs: TypeAlias = "list[tuple[str, str]]"

_read_name = re.compile(r"([+-]?)([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)").fullmatch
_read_operator = re.compile(r"!?(?:~|[<>]=?)?").match  # as the Hub finds it before a value; there is none for equal
_OPERATORS = "'=', '!', '~', '<', '<=', '>', '>=', or '!' before another"


def page_of(page: PageParams | None) -> tuple[int, int]:
    """Limit and offset, as flame_hub_client has them: 50 and 0 where nothing else is said."""
    given = dict(_mapping("page", page, "{'limit': 50, 'offset': 0}"))
    limit, offset = given.pop("limit", 50), given.pop("offset", 0)
    if given:
        raise UsageError(f"page has 'limit' and 'offset', not {', '.join(map(repr, given))}")
    for name, value, least in (("limit", limit, 1), ("offset", offset, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise UsageError(f"page: {name} is a whole number from {least} on, not {value!r}")
    return limit, offset


def asked_pairs(asked: Mapping[str, Any], includes: Iterable[str], generation: Generation) -> Pairs:
    """All but the page. Whoever does not say which records to include gets `includes`, of new Hubs."""
    included = asked.get("include", UNSET)
    if included is UNSET:
        included = includes if generation == NEW else None
    return [
        *filter_pairs(asked.get("filter"), generation),
        *sort_pairs(asked.get("sort"), generation),
        *_names_pairs("include", included, generation),
        *_names_pairs("fields", asked.get("fields"), generation, "+"),
    ]


def differs(asked: Mapping[str, Any]) -> bool:
    """Whether the two generations have other words for what is asked."""
    return asked_pairs(asked, (), NEW) != asked_pairs(asked, (), OLD)


def filter_pairs(given: Mapping[str, Any] | None, generation: Generation) -> Pairs:
    """`filter[realmId]=!…`, one for each name."""
    pairs = [
        (f"filter[{spelled(_name('filter', name), generation)}]", _condition(name, value))
        for name, value in _mapping("filter", given, "{'name': 'my-node'}").items()
    ]
    if len(dict(pairs)) < len(pairs):
        raise UsageError(f"filter has one field in two spellings: {', '.join(given or ())}")
    return pairs


def sort_pairs(given: SortParams | Sequence[SortParams | str] | str | None, generation: Generation) -> Pairs:
    """`sort=-createdAt,name`; the first counts most."""
    keys = [given] if isinstance(given, Mapping) else _several("sort", given)
    return _pairs("sort", [_sort_key(key) for key in keys], generation)


def _names_pairs(parameter: str, given: object, generation: Generation, sign: str = "") -> Pairs:
    """`include=registry,registryProject`, `fields=+accountSecret`; `sign` is of those that have none."""
    names = [_name(parameter, name, signs="+-" if sign else "") for name in _several(parameter, given)]
    return _pairs(parameter, [name if name[0] in "+-" else f"{sign}{name}" for name in names], generation)


def _pairs(parameter: str, names: Sequence[str], generation: Generation) -> Pairs:
    return [(parameter, ",".join(spelled(name, generation) for name in names))] if names else []


def _mapping(what: str, given: object, example: str) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise UsageError(f"{what} is a dictionary, {example} say, not {given!r}")
    return cast("Mapping[str, Any]", given)


def _several(what: str, given: object) -> Iterable[object]:
    """One or more, in a text with commas or one by one."""
    if given is None or given == "":
        return ()
    if isinstance(given, str):
        return [name.strip() for name in given.split(",")]
    if not isinstance(given, Iterable):
        raise UsageError(f"{what} is a field's name, or several, not {given!r}")
    return cast("Iterable[object]", given)


def _name(what: str, given: object, signs: str = "") -> str:
    found = _read_name(given) if isinstance(given, str) else None
    if found is None or found[1] not in signs:
        raise UsageError(
            f"{what}: a field's name is letters, digits, _ and, between a relation and its field, a dot; not {given!r}"
        )
    return found[0]


def _sort_key(key: object) -> str:
    if isinstance(key, str):
        return _name("sort", key, signs="-")
    if isinstance(key, Mapping):
        given: dict[str, Any] = dict(cast("Mapping[str, Any]", key))
        name, order = given.pop("by", None), given.pop("order", "ascending")
        if name is not None and not given and order in ("ascending", "descending"):
            return f"-{_name('sort', name)}" if order == "descending" else _name("sort", name)
    raise UsageError(f"a sort key is {{'by': name, 'order': 'ascending' or 'descending'}}, not {key!r}")


def _condition(name: str, given: object) -> str:
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
        return _value(name, given)
    values = [_value(name, value) for value in cast("Iterable[object]", given)]
    if not values:
        raise UsageError(f"filter: {name} is to be one of none: an empty list would match nothing")
    if commas := [value for value in values if "," in value]:
        raise UsageError(f"filter: {name}: the Hub would take {commas[0]!r} for several values, as it has a comma")
    return ",".join(values if isinstance(given, list) else sorted(values))


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
