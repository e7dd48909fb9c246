"""Parameters as callers give them, made into the names and strings that CloudStack takes; checked before all else."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, TypeAlias, cast

from jackfield import Secret, UsageError

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

Scalar: TypeAlias = "str | bool | int | float | date | UUID | Secret"
# What is in a map is looked at when it is sent: checkers cannot infer a mixed one behind a union.
Parameter: TypeAlias = "Scalar | Collection[Scalar] | Mapping[str, object] | Sequence[Mapping[str, object]] | None"

# The server answers 431 for control characters in a value; line breaks are allowed (specification 1.3). Half of a
# surrogate pair cannot be sent at all.
_forbidden = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]").search
_is_command = re.compile(r"[A-Za-z][A-Za-z0-9_]*").fullmatch
_OURS = frozenset({"apikey", "command", "response", "signature"})


def check_command(command: object) -> None:
    """Raises UsageError unless it can be the name of a command."""
    if not isinstance(command, str) or not _is_command(command):
        raise UsageError(f"{command!r} is no command: they are letters, digits and _, as in 'listVirtualMachines'")


def flatten(parameters: Mapping[str, Parameter], without: frozenset[str] = _OURS) -> list[tuple[str, str]]:
    """Names and strings: bool as true or false, lists joined by commas, maps as `name[0].key`; None and `[]` left out.

    A date is `2026-11-20`, with a time `2026-11-20 12:00:00`, with a zone too `2026-11-20T12:00:00+0000`.

    Args:
        parameters: the caller's.
        without: names, in lower case, that are left out: those that the client sends itself; its own values win.

    Raises:
        UsageError: a type that has no form in CloudStack, a character it refuses, or one name twice.
    """
    flat: dict[str, tuple[str, str]] = {}
    for name, value in parameters.items():
        for pair in _pairs(name, value):
            key = pair[0].lower()
            if key in without:
                continue
            if key in flat:
                raise UsageError(f"the parameters {flat[key][0]!r} and {pair[0]!r} are one to CloudStack: drop one")
            if not key or _forbidden(pair[0]) or _forbidden(pair[1]):
                raise UsageError(
                    f"the parameter {pair[0]!a} holds a control character, which CloudStack refuses, or half of a "
                    "surrogate pair"
                )
            flat[key] = pair
    return list(flat.values())


def _pairs(name: str, value: object) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, Mapping):
        yield from _map(name, [cast("object", value)])
    elif isinstance(value, list | tuple | set | frozenset):
        items = cast("Collection[object]", value)
        if items and all(isinstance(item, Mapping) for item in items):
            yield from _map(name, items)
        else:
            texts = [_text(name, item) for item in items]
            yield from _list(name, texts if isinstance(value, list | tuple) else sorted(texts))
    else:
        yield name, _text(name, value)


def _list(name: str, items: list[str]) -> Iterator[tuple[str, str]]:
    for item in items:
        if "," in item:
            raise UsageError(f"an item of the list {name!r} holds a comma: CloudStack would take it for two items")
    if items:
        yield name, ",".join(items)


def _map(name: str, maps: Iterable[object]) -> Iterator[tuple[str, str]]:
    for index, entries in enumerate(maps):
        for key, value in cast("Mapping[object, object]", entries).items():
            if value is not None:
                yield f"{name}[{index}].{key}", _text(f"{name}[{index}].{key}", value)


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str.__str__(value)  # of an Enum its value, not its name
    if isinstance(value, int) or (isinstance(value, float) and isfinite(value)):
        return str(value)
    return _unusual(name, value)


def _unusual(name: str, value: object) -> str:
    from datetime import date, datetime  # here, so that importing this stays cheap
    from uuid import UUID

    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        # yyyy-MM-dd HH:mm:ss without a zone; with one, the form of `expires`, which servers of any age read.
        zone = "" if value.tzinfo is None else f"{value:%z}"
        return value.replace(tzinfo=None).isoformat("T" if zone else " ", "seconds") + zone
    if isinstance(value, date):
        return value.isoformat()
    raise UsageError(
        f"the parameter {name!r} is a {type(value).__name__}: give a string, number, bool or date, or a list or map"
    )
