"""What a list is asked for with: page, filter, sort, includes and fields, as query parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from msgspec import UNSET

from jackfield import UsageError

from ._conditions import condition
from ._model import NEW, OLD, Generation
from ._names import spelled
from .types import PageParams, SortParams

Pairs: TypeAlias = "list[tuple[str, str]]"

_read_name = re.compile(r"([+-]?)([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)").fullmatch


def page_of(page: PageParams | None) -> tuple[int, int]:
    """Limit and offset, as flame_hub_client has them: 50 and 0 where nothing else is said."""
    given = {} if page is None else dict(_mapping("page", page, "{'limit': 50, 'offset': 0}"))
    limit, offset = given.pop("limit", 50), given.pop("offset", 0)
    if given:
        raise UsageError(f"page has 'limit' and 'offset', not {', '.join(map(repr, given))}")
    for name, value, least in (("limit", limit, 1), ("offset", offset, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise UsageError(f"page: {name} is a whole number from {least} on, not {value!r}")
    return limit, offset


def asked_pairs(asked: Mapping[str, Any], usual: Pairs, generation: Generation) -> Pairs:
    """All but the page. Whoever does not say which records to include asks a new Hub for the usual ones."""
    included = asked.get("include", UNSET)
    if included is not UNSET:
        usual = include_pairs(included, generation)
    elif generation == OLD:
        usual = []
    pairs: Pairs = []
    if (filtered := asked.get("filter")) is not None:
        pairs += filter_pairs(filtered, generation)
    if (sorted_by := asked.get("sort")) is not None:
        pairs += sort_pairs(sorted_by, generation)
    pairs += usual
    if (fields := asked.get("fields")) is not None:
        pairs += _names_pairs("fields", fields, generation, "+")
    return pairs


def differs(asked: Mapping[str, Any]) -> bool:
    """Whether the two generations have other words for what is asked."""
    return asked_pairs(asked, [], NEW) != asked_pairs(asked, [], OLD)


def filter_pairs(given: Mapping[str, Any], generation: Generation) -> Pairs:
    """`filter[realmId]=!…`, one for each name."""
    pairs = [
        (f"filter[{spelled(_name('filter', name), generation)}]", condition(name, value))
        for name, value in _mapping("filter", given, "{'name': 'my-node'}").items()
    ]
    if len(dict(pairs)) < len(pairs):
        raise UsageError(f"filter has one field in two spellings: {', '.join(given)}")
    return pairs


def sort_pairs(given: SortParams | Sequence[SortParams | str] | str, generation: Generation) -> Pairs:
    """`sort=-createdAt,name`; the first counts most."""
    keys = [given] if isinstance(given, Mapping) else _several("sort", given)
    return _pairs("sort", [_sort_key(key) for key in keys], generation)


def include_pairs(given: object, generation: Generation) -> Pairs:
    """`include=registry,registryProject`."""
    return _names_pairs("include", given, generation)


def _names_pairs(parameter: str, given: object, generation: Generation, sign: str = "") -> Pairs:
    """`fields=+accountSecret`; `sign` is of those that have none."""
    names = [_name(parameter, name, signs="+-" if sign else "") for name in _several(parameter, given)]
    return _pairs(parameter, [name if name[0] in "+-" else f"{sign}{name}" for name in names], generation)


def _pairs(parameter: str, names: Sequence[str], generation: Generation) -> Pairs:
    return [(parameter, ",".join(spelled(name, generation) for name in names))] if names else []


def _mapping(what: str, given: object, example: str) -> Mapping[str, Any]:
    if not isinstance(given, (dict, Mapping)):  # most are a dict, which is seen at once
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
