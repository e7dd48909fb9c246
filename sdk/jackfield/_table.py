"""Items as an HTML table, for notebooks: bounded, and everything escaped, as it came from a service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import islice
from reprlib import Repr
from typing import Any, TypeGuard

_ROWS = 20
_COLUMNS = 20
_TEXT = 100  # characters of a cell

_short = Repr()
_short.maxlevel = 3
_short.maxstring = _short.maxother = _short.maxlong = _TEXT


def as_html(items: Sequence[Any], caption: str) -> str:
    """The first items as a table: a column for each name that they have, one column where they have none."""
    rows = [_row(item) for item in items[:_ROWS]]
    names = list(islice(dict.fromkeys(name for row in rows for name in row), _COLUMNS))
    head = _line("th", names)
    body = "".join(_line("td", (row.get(name, "") for name in names)) for row in rows)
    left = f", the first {_ROWS} shown" if len(items) > _ROWS else ""
    return f"<table><caption>{caption}{left}</caption><thead>{head}</thead><tbody>{body}</tbody></table>"


def _line(tag: str, values: Iterable[Any]) -> str:
    return f"<tr>{''.join(f'<{tag}>{_text(value)}</{tag}>' for value in values)}</tr>"


def _row(item: Any) -> Mapping[Any, Any]:
    if _is_mapping(item):
        return item
    for fields in ("__struct_fields__", "__dataclass_fields__", "_fields"):  # msgspec, dataclass, NamedTuple
        if names := getattr(item.__class__, fields, None):
            return {name: getattr(item, name, "") for name in names}
    return {"item": item}


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else _short.repr(value)
    return escape(text if len(text) <= _TEXT else text[: _TEXT - 1] + "…")


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)
