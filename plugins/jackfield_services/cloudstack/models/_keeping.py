"""What a server sends beyond a resource's fields goes into its `model_extra`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast, get_args

from msgspec.structs import fields

from ._resource import Resource


class _Plan(NamedTuple):
    known: frozenset[str]
    nested: tuple[str, ...]


def keep(value: object, source: Any) -> None:
    """Puts into the resources of a converted value what they were not told of its source."""
    if isinstance(value, Resource):
        _keep(value, source)
    elif isinstance(value, list | tuple):
        for one, its in zip(cast("Sequence[object]", value), source, strict=False):
            if isinstance(one, Resource):
                _keep(one, its)


def _keep(resource: Resource, source: dict[str, Any]) -> None:
    known, nested = _plan(type(resource))
    if not known.issuperset(source):
        resource.model_extra = {name: source[name] for name in source if name not in known}
    for name in nested:
        if value := getattr(resource, name):
            keep(value, source[name])


@lru_cache(maxsize=256)
def _plan(kind: type[Resource]) -> _Plan:
    told = [one for one in fields(kind) if one.name != "model_extra"]
    return _Plan(frozenset(one.encode_name for one in told), tuple(one.name for one in told if _holds(one.type)))


def _holds(kind: Any) -> bool:
    """Whether there may be a resource in a value of the type."""
    return (isinstance(kind, type) and issubclass(kind, Resource)) or any(_holds(one) for one in get_args(kind))
