"""Pages that begin after the last item of the page before: `starting_after=item_77`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any, NamedTuple, Unpack

from jackfield import ConfigurationError, ContractError, Page, Request

from ._counting import check_size, is_last
from ._style import Layout, Style, with_query


class KeyAt(NamedTuple):
    """The position after the item with these keys, and after `seen` items; without keys, the first page."""

    keys: tuple[str | int | float, ...] = ()
    seen: int = 0


class Keyset(Style[KeyAt]):
    """Pages that are asked for by the keys of the last item before, in an order that these keys decide.

    The last page is the one that reaches the total, or of which the service says so; without either, an empty page.

    Args:
        keys: the items' fields, and the query parameter that carries each: `{"id": "starting_after"}`.
        size: items per page, if they are to be asked for.
        limit: the query parameter that carries the size.
        exact: whether every page but the last is full: then a short one is the last, and no empty one is asked for.
        layout: where in an answer the items and the rest are.
    """

    counted = True

    def __init__(
        self,
        keys: Mapping[str, str],
        *,
        size: int | None = None,
        limit: str = "limit",
        exact: bool = False,
        **layout: Unpack[Layout],
    ) -> None:
        super().__init__(**layout)
        if not keys or (exact and size is None):
            raise ConfigurationError("a keyset has one key or more, and, if its pages are exact, a size")
        self._keys = dict(keys)
        self._size = 0 if size is None else check_size(size)
        self._limit = limit
        self._exact = exact

    def first(self, service: Any) -> KeyAt:
        return KeyAt()

    def ask(self, at: KeyAt, request: Request) -> Request:
        parameters = [(self._limit, str(self._size))] if self._size else []
        return with_query(request, [*parameters, *zip(self._keys.values(), map(str, at.keys), strict=False)])

    def after(self, at: KeyAt, page: Page[Any]) -> KeyAt | None:
        seen = at.seen + len(page)
        if is_last(page, seen, self._size, self._exact):
            return None
        if not page:
            raise ContractError("the service says that there are more pages, and gives no item to go on from")
        return KeyAt(tuple(_key(page[-1], name) for name in self._keys), seen)


def _key(item: Any, name: str) -> str | int | float:
    from msgspec import to_builtins

    fields: Any = item
    value = fields.get(name) if isinstance(item, Mapping) else getattr(fields, name, None)
    if isinstance(value, datetime | time):
        raise ConfigurationError(
            f"the key {name} is a {type(value).__name__}, which may be less exact than what the service wrote: let the "
            "item's type have it as a str"
        )
    key = to_builtins(value)  # a date, a UUID
    if isinstance(key, bool) or not isinstance(key, str | int | float):
        raise ContractError(f"the last item of the page has no {name} to go on from")
    return key
