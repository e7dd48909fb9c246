"""The published models and methods as vectors, and what a Hub of either generation would say of a record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from msgspec import UnsetType
from msgspec.structs import fields

from jackfield_services.flame_hub import _old_bodies, models, types
from jackfield_services.flame_hub._model import NEW, OLD, Body, Generation, HubModel, Id, Record
from jackfield_services.flame_hub._on_wire import on_wire

VECTORS = Path(__file__).parents[2] / "vectors"
ID = UUID("7227f7f3-e8e8-46e4-a6d4-16055aca8290")
AT = datetime(2026, 11, 21, 0, 15, 34, tzinfo=UTC)
FUTURE = "a-word-of-tomorrow"


def vector(name: str) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """By generation, then by client or service."""
    generations: dict[str, Any] = json.loads((VECTORS / f"flame_hub_{name}.json").read_text("utf-8"))["generations"]
    return generations


def published(generation: Generation, kind: str) -> dict[str, dict[str, Any]]:
    """The published models, dictionaries, words or enums of a generation, by name."""
    rows = (row for rows in vector("models")[generation].values() for row in rows)
    return {row["name"]: row for row in rows if row["kind"] == kind}


def hub_models() -> dict[str, type[HubModel]]:
    """All public ones, by name."""
    named: Iterator[tuple[str, Any]] = ((name, getattr(models, name)) for name in models.__all__)
    return {name: one for name, one in named if isinstance(one, type) and issubclass(one, HubModel)}


def records() -> list[type[Record]]:
    """All that the Hub tells."""
    return [one for one in hub_models().values() if issubclass(one, Record)]


def body_of(request: str, generation: Generation) -> type[Body]:
    """What holds the parameters of the methods that send this."""
    body: type[Body] = getattr(models, request)
    return body if generation == NEW else getattr(_old_bodies, f"Old{request}", body)


def sent() -> list[tuple[Generation, dict[str, Any]]]:
    """The published methods that send a model."""
    generations: tuple[Generation, Generation] = (OLD, NEW)
    return [
        (generation, row)
        for generation in generations
        for rows in vector("methods")[generation].values()
        for row in rows
        if str(row["request"]).startswith(("Create", "Update"))
    ]


def bare(hint: Any) -> Any:
    """A type without its marks."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def told(model: type[HubModel], generation: Generation) -> dict[str, Any]:
    """A record as the Hub has it, with every field, words that it did not have before, and a field that is new."""
    hints, wire = get_type_hints(model), on_wire(model, generation)
    values = {one.encode_name: _told(hints[one.name], generation) for one in fields(wire)}
    return values | {"somethingNew": {"deep": [1]}}


def _told(hint: Any, generation: Generation) -> Any:
    kinds = [
        one for one in (get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)) if one is not type(None)
    ]
    kind = next(one for one in kinds if one is not UnsetType)
    if get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, Enum)):
        return FUTURE
    if isinstance(kind, type) and issubclass(kind, HubModel):
        return told(kind, generation)
    if get_origin(kind) is list:
        return [{"value": "--verbose"}, {"value": "-x", "position": "sideways"}]
    if get_origin(kind) is dict:
        return {"component": "message-broker", "other": None}
    return {UUID: str(ID), datetime: "2026-11-21T00:15:34.000Z", str: "a text", int: 5, bool: True}[kind]


def read(model: type[Record], answer: object, generation: Generation = NEW) -> Any:
    """What a Hub answered, as a record."""
    return msgspec.json.decode(json.dumps(answer), type=on_wire(model, generation))


def named(written: str) -> Any:
    """A type as the vectors write it."""
    names = vars(models) | vars(types) | {"UUID": UUID, "datetime": datetime, "Id": Id, "EmailStr": str}
    return eval(written.replace("UNSET_T", "UNSET").replace("UNSET", "UNSET_T"), dict(names))
