"""Values in another form than their type's, which servers of one or another age send, made into that form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, TypeAlias, Union, cast, get_args, get_origin

from msgspec import Struct
from msgspec.structs import fields

_Kinds: TypeAlias = tuple[Any, ...]

_ANY: _Kinds = (Any,)
_NONE: Mapping[str, _Kinds] = {}


def mended(value: Any, into: Any) -> Any:
    """The value, where it can be told what is meant: numbers for strings, "" for nothing, dates without a zone."""
    return _mended(value, _kinds(into))


def _mended(value: Any, kinds: _Kinds) -> Any:
    if isinstance(value, str):
        return value if str in kinds else _text(value, kinds)
    if isinstance(value, dict):
        types = next((_types(kind) for kind in kinds if isinstance(kind, type) and issubclass(kind, Struct)), _NONE)
        return {name: _mended(one, types.get(name, _ANY)) for name, one in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        items = next((_kinds(get_args(kind)[0]) for kind in kinds if _is_list(kind)), _ANY)
        return [_mended(one, items) for one in cast("list[object]", value)]
    if str in kinds and isinstance(value, int | float) and int not in kinds and float not in kinds:
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def _text(value: str, kinds: _Kinds) -> str | None:
    if NoneType in kinds and not value.strip():
        return None
    if datetime not in kinds:
        return value
    plain = value.replace("'", "")  # 2026-01-01'T'00:00:00+00:00 of old usage servers
    try:
        read = datetime.fromisoformat(plain)
    except ValueError:
        return value
    return plain if read.tzinfo else f"{read.isoformat()}+00:00"


def _is_list(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin in (list, tuple)


@lru_cache(maxsize=256)
def _types(kind: type[Struct]) -> Mapping[str, _Kinds]:
    return {one.encode_name: _kinds(one.type) for one in fields(kind)}


@lru_cache(maxsize=1024)
def _kinds(into: Any) -> _Kinds:
    """The members of a union, without their annotations."""
    origin = get_origin(into)
    if origin in (Union, UnionType):
        return tuple(kind for member in get_args(into) for kind in _kinds(member))
    return _kinds(get_args(into)[0]) if origin is Annotated else (into,)
