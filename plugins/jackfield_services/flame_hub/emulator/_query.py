"""What a request asks of records: filters, sort, page, relations, fields; read from its query, not yet applied."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ._fields import Resource
from ._names import Generation, on_wire
from ._wire import Record, Refused

Path: TypeAlias = tuple[str, ...]  # a field's name, or a relation's and a field's

MAXIMUM = 50  # records of a page; who asks for more gets these
ALWAYS = ("id", "created_at", "updated_at")  # what every resource has

_NAMED = re.compile(r"(filter|page)\[([^\]]*)\]")
_OPERATOR = re.compile(r"(!?)(~|<=|<|>=|>)?")
_WHOLE = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter: any of `values` fits by the operator ("" is equality), or none does."""

    path: Path
    operator: str
    values: Sequence[str]
    negated: bool


@dataclass(slots=True)
class Selection:
    """What is asked for. `limit` is None where no page was asked for."""

    conditions: list[Condition] = field(default_factory=list[Condition])
    order: list[tuple[Path, bool]] = field(default_factory=list[tuple[Path, bool]])  # and whether it descends
    include: list[str] = field(default_factory=list[str])
    fields: list[str] = field(default_factory=list[str])  # these and no others, if there are any
    added: list[str] = field(default_factory=list[str])
    removed: list[str] = field(default_factory=list[str])
    limit: int | None = None
    offset: int = 0


class QueryReader:
    """Reads the queries of a resource. Keys that it has not got are passed over, or, in 1.1.0, refused."""

    def __init__(self, resources: Mapping[str, Resource], resource: Resource, generation: Generation) -> None:
        self._generation: Generation = generation
        self._resource = resource
        self._names = {on_wire(name, generation): name for name in _public(resource)}
        self._relations = {on_wire(name, generation): name for name in resource.include}
        self._paths: dict[str, Path] = {name: (internal,) for name, internal in self._names.items()}
        for relation, name in self._relations.items():
            other = resources[resource.fields[f"{name}_id"].to]
            for far in _public(other):
                self._paths[f"{relation}.{on_wire(far, generation)}"] = (name, far)

    def read(self, query: Sequence[tuple[str, str]]) -> Selection:
        """Refused (400) with an issue for each key that is not allowed, in the generation that minds."""
        selection, issues = Selection(), list[Record]()
        for name, value in query:
            named = _NAMED.fullmatch(name)
            wrong: list[str] = []
            parameter, key = (named[1], named[2]) if named else (name, "")
            if parameter == "filter" and named:
                wrong = self._filter(selection, key, value)
            elif parameter == "page" and named:
                wrong = _page(selection, key, value)
            elif parameter == "sort":
                wrong = self._sort(selection, value)
            elif parameter == "include":
                wrong = self._include(selection, value)
            elif parameter == "fields":
                wrong = self._fields(selection, value)
            issues += [_not_allowed(parameter, each) for each in wrong]
        if issues and self._generation == "1.1.0":
            raise Refused(400, "BAD_REQUEST", "The query is invalid.", issues=issues)
        return selection

    def _filter(self, selection: Selection, key: str, value: str) -> list[str]:
        path, operator = self._paths.get(key), _OPERATOR.match(value)
        if path is None or operator is None:
            return [key]
        values = value[operator.end() :].split(",")
        selection.conditions.append(Condition(path, operator[2] or "", values, bool(operator[1])))
        return []

    def _sort(self, selection: Selection, value: str) -> list[str]:
        keys = [key.removeprefix("-") for key in value.split(",")]
        descending = [key.startswith("-") for key in value.split(",")]
        known = zip(keys, descending, strict=True)
        selection.order += [(self._paths[key], down) for key, down in known if key in self._paths]
        return [key for key in keys if key not in self._paths]

    def _include(self, selection: Selection, value: str) -> list[str]:
        selection.include += [self._relations[key] for key in value.split(",") if key in self._relations]
        return [key for key in value.split(",") if key not in self._relations]

    def _fields(self, selection: Selection, value: str) -> list[str]:
        lists = {"+": selection.added, "-": selection.removed, "": selection.fields}
        wrong: list[str] = []
        for key in value.split(","):
            sign = key[:1] if key[:1] in ("+", "-") else ""
            name = self._names.get(key.removeprefix(sign))
            if name is None:
                wrong.append(key)
            else:
                lists[sign].append(name)
        return wrong


def _public(resource: Resource) -> list[str]:
    """The fields that may be named: all but the secret ones."""
    return [*(name for name, each in resource.fields.items() if not each.secret), *ALWAYS]


def _page(selection: Selection, key: str, value: str) -> list[str]:
    if key not in ("limit", "offset"):
        return [key]
    number = int(value) if _WHOLE.fullmatch(value) else 0
    if key == "limit":
        selection.limit = min(number or MAXIMUM, MAXIMUM)
    else:
        selection.offset = number
        selection.limit = selection.limit or MAXIMUM
    return []


def _not_allowed(parameter: str, key: str) -> Record:
    return {
        "code": "keyNotAllowed",
        "message": f"The key {key} is not allowed.",
        "meta": {"parameter": parameter, "key": key},
    }
