"""Applies what was asked: which records, in which order, with what of each; no query, no envelope."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from operator import ge, gt, le, lt
from typing import Any

from ._fields import Resource
from ._names import Generation, on_wire
from ._query import ALWAYS, Condition, Path, Selection
from ._store import Store
from ._wire import Json, Record

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def selected(store: Store, resource: Resource, selection: Selection) -> list[Record]:
    """All that fit, sorted; the page is not cut yet."""
    records = [
        record
        for record in store.all(resource.name)
        if all(_fits(_at(store, resource, record, each.path), each) for each in selection.conditions)
    ]
    if selection.order and selection.order[0][1]:
        records.reverse()  # so that those alike come the other way round, too
    for path, descending in reversed(selection.order):
        records.sort(key=partial(_rank, store, resource, path), reverse=descending)
    return records


def rendered(
    store: Store,
    resource: Resource,
    record: Record,
    generation: Generation,
    selection: Selection | None = None,
    also: Sequence[str] = (),
) -> Record:
    """A record as it goes out; `also` are hidden fields to show without being asked."""
    asked = selection or Selection()
    shown = {name for name, field in resource.fields.items() if not field.hidden}
    shown |= {*(() if resource.bare else ALWAYS), *asked.added, *also}
    shown = (set(asked.fields) | set(asked.added) if asked.fields else shown) - set(asked.removed)
    shown -= {name for name, field in resource.fields.items() if field.secret}
    out = {on_wire(name, generation): store.value(resource, record, name) for name in record if name in shown}
    for relation in asked.include:
        out[on_wire(relation, generation)] = _relation(store, resource, record, relation, generation)
    return out


def _relation(store: Store, resource: Resource, record: Record, relation: str, generation: Generation) -> Json:
    found = store.related(resource, record, relation)
    if found is None:
        return None
    return rendered(store, store.resources[resource.fields[f"{relation}_id"].to], found, generation)


def _at(store: Store, resource: Resource, record: Record, path: Path) -> Json:
    if len(path) == 1:
        return store.value(resource, record, path[0])
    related = store.related(resource, record, path[0])
    return None if related is None else related.get(path[1])


def _fits(value: Json, condition: Condition) -> bool:
    return any(_compares(value, condition.operator, text) for text in condition.values) is not condition.negated


def _compares(value: Json, operator: str, text: str) -> bool:
    if text == "null" and not operator:
        return value is None
    if value is None:
        return False
    if operator == "~":  # LIKE 'text%', which minds no case
        return str(value).lower().startswith(text.lower())
    try:
        mine, theirs = _alike(value, text)
    except (ValueError, OverflowError):
        return False
    return _COMPARE[operator](mine, theirs) if operator else mine == theirs


def _alike(value: Json, text: str) -> tuple[Json, Json]:
    """Both as what the value is. ValueError where the text is no such thing."""
    if isinstance(value, bool):
        return value, ["0", "1"].index({"false": "0", "true": "1"}.get(text, text))
    if isinstance(value, int):
        return value, float(text)
    if not isinstance(value, str):
        return str(value), text
    if _DATE.fullmatch(value):
        moment = datetime.fromisoformat(text)
        return datetime.fromisoformat(value), moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return value, text


def _rank(store: Store, resource: Resource, path: Path, record: Record) -> tuple[bool, Json]:
    """What has no value comes first."""
    value = _at(store, resource, record, path)
    return value is not None, value if isinstance(value, int | str) else str(value)
