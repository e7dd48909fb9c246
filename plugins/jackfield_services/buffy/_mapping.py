"""Dictionaries as Buffy gets them: copies, in one order, as for Buffy two orders are two requests."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, cast

from ._checks import check_text, checked_headers
from ._errors import BuffyValueError

_DEEPEST = 50  # levels
_GREATEST = 2**63  # of whole numbers; JSON of more is read as a rounded one by many


def body(given: object) -> dict[str, Any]:
    """What is sent as JSON; raises BuffyValueError for what cannot be."""
    return _pairs("http_request_body", given, 0)


def query(given: object) -> dict[str, Any]:
    """Parameters of a query: each a value, or several; raises BuffyValueError for any other."""
    pairs = _pairs("http_query_params", given, 0)
    for name, value in pairs.items():
        if not _is_flat(value):
            raise BuffyValueError(f"http_query_params: {name!r} is a value, or a list of values")
    return pairs


def _is_flat(value: object) -> bool:
    values = cast("list[object]", value) if isinstance(value, list) else [value]
    return not any(isinstance(one, dict | list) for one in values)


def headers(given: object) -> dict[str, str]:
    """Header fields; raises BuffyValueError for such as no server sends, which end a Buffy server."""
    pairs = _pairs("http_header_fields", given, 0)
    checked_headers("http_header_fields", pairs)
    for name, value in pairs.items():
        if value != value.strip():  # U+00A0, say, which Headers has no objection to, but a Buffy server dies of
            raise BuffyValueError(f"http_header_fields: the value of {name!r} begins or ends with a blank")
    return pairs


def _pairs(name: str, given: object, depth: int) -> dict[str, Any]:
    if given is None and not depth:
        return {}
    pairs = cast("Mapping[str, Any]", given)
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in pairs):
        raise BuffyValueError(f"{name} is a mapping with strings as keys, not {type(pairs).__name__}")
    for key in pairs:
        check_text(f"a key of {name}", key)
    return {str.__str__(key): _value(f"{name}[{str(key)!r}]", pairs[key], depth + 1) for key in sorted(pairs)}


def _value(name: str, value: object, depth: int) -> Any:
    """A copy; what is not shown of it may be a secret."""
    if depth > _DEEPEST:
        raise BuffyValueError(f"{name.partition('[')[0]} goes deeper than {_DEEPEST} levels")
    if isinstance(value, Mapping):
        return _pairs(name, cast("object", value), depth)
    if isinstance(value, list | tuple):
        items = cast("list[object]", value)
        return [_value(f"{name}[{index}]", item, depth + 1) for index, item in enumerate(items)]
    if isinstance(value, str):
        check_text(name, value)
        return str.__str__(value)  # of a kind of its own, too: an enumeration's, say
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and -_GREATEST <= value < _GREATEST:
        return int(value)
    if isinstance(value, float) and isfinite(value):
        return float(value)
    raise BuffyValueError(f"{name} is no JSON, but {type(value).__name__}: text, numbers, lists and mappings are")
