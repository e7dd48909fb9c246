"""Answers made into types: the resource inside an answer is found, and converted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin, overload

from msgspec import ValidationError, convert

from jackfield import UsageError, known

from ._errors import CloudStackDecodeError
from ._json import lists, mapping
from ._mending import mended
from .models._keeping import keep

T = TypeVar("T")


@overload
def convert_into(answer: Mapping[str, Any], into: type[T]) -> T: ...
@overload
def convert_into(answer: Mapping[str, Any], into: Any) -> Any: ...
def convert_into(answer: Mapping[str, Any], into: Any) -> Any:
    """What an answer holds, as the type.

    Args:
        answer: of a command, or a job's result: its list or its object stands under one key.
        into: `list[X]` for the list; `X` for the object, or the one item of a list; with `| None` there may be none.

    Raises:
        CloudStackDecodeError: it holds no such thing, or one of another shape; it says which field.
        UsageError: this is no type that an answer can be made into.
    """
    outer = _plain(into)
    if "jobresult" in answer and not hasattr(outer, "jobresult"):
        answer = mapping(answer["jobresult"]) or {}
    found = _listed(answer, into) if _is_list(outer) else _single(answer, into, outer)
    return _converted(found, into)


def convert_items(items: list[Any], into: type[T]) -> list[T]:
    """Items of a list, each as the type.

    Raises:
        CloudStackDecodeError: one has another shape; it says which field.
        UsageError: this is the type of a list.
    """
    if get_origin(into) is list:
        raise UsageError(f"into is the type of one item here: into={_name(get_args(into)[0])}")
    converted: list[T] = _converted(items, list[into])  # type: ignore[valid-type]  # made while it runs
    return converted


def _listed(answer: Mapping[str, Any], into: Any) -> list[object]:
    found = dict(lists(dict(answer)))
    if len(found) > 1:
        raise _misfit(into, f"it holds several lists ({', '.join(sorted(found))})")
    if found:
        return next(iter(found.values()))
    inside = _inside(answer)
    if inside and mapping(inside[0]) is None:
        raise _misfit(into, "it holds no list")
    return inside  # of one object: commands that make one answer so


def _single(answer: Mapping[str, Any], into: Any, outer: Any) -> Any:
    if outer is bool and "success" in answer:
        return answer["success"]
    items = _candidates(answer, outer)
    if len(items) > 1:
        raise _misfit(into, f"it holds a list of {len(items)}: say into=list[...]")
    if items:
        return items[0]
    if NoneType not in get_args(into):
        raise _misfit(into, "it holds none")
    return None


def _candidates(answer: Mapping[str, Any], outer: Any) -> list[object]:
    """What may be meant: the items of the one list, the one object or value, or else the answer itself."""
    inside = _inside(answer)
    if len(inside) != 1:
        return [answer] if inside else []
    if isinstance(inside[0], list):
        return cast("list[object]", inside[0])
    return inside if isinstance(inside[0], dict) or not _is_object(outer) else [answer]


def _inside(answer: Mapping[str, Any]) -> list[object]:
    return [value for key, value in answer.items() if key != "count"]


def _is_list(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Collection) and not issubclass(kind, str | bytes | Mapping)


def _is_object(kind: Any) -> bool:
    return not isinstance(kind, type) or not issubclass(kind, str | int | float)


def _plain(into: Any) -> Any:
    """The class of a type: `list` of `list[X]`, `X` of `X | None`."""
    while (origin := get_origin(into)) is not None:
        if origin not in (Union, UnionType, Annotated):
            return origin
        into = next((one for one in get_args(into) if one is not NoneType), None)
    return into


def _converted(found: Any, into: Any) -> Any:
    try:
        value = convert(found, known(into), strict=False)
    except ValidationError:
        try:
            value = convert(found := mended(found, into), known(into), strict=False)
        except (ValidationError, RecursionError) as error:
            raise _misfit(into, str(error)) from error
    except TypeError as error:
        raise UsageError(f"into={_name(into)} is no type that an answer can be made into: {error}") from error
    keep(value, found)
    return value


def _misfit(into: Any, why: str) -> CloudStackDecodeError:
    return CloudStackDecodeError(f"The answer is no {_name(into)}: {why}")


def _name(into: Any) -> str:
    return into.__name__ if isinstance(into, type) and get_origin(into) is None else str(into)
