"""Pages that begin after the last item of the page before: `starting_after=item_77`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple, Unpack

from jackfield import ConfigurationError, ContractError, Page, Request

from ._counting import Counted, Counting
from ._style import with_query


class KeyAt(NamedTuple):
    """The position after the item with these keys, and after `seen` items; without keys, the first page."""

    keys: tuple[str | int, ...] = ()
    seen: int = 0


class Keyset(Counted[KeyAt]):
    """Pages that are asked for by the keys of the last item before, in an order that these keys decide.

    Args:
        keys: the items' fields, and the query parameter that carries each: `{"id": "starting_after"}`.
        size: items per page, if they are to be asked for.
        limit: the query parameter that carries the size.
        counting: as `Counting` says.
    """

    def __init__(
        self, keys: Mapping[str, str], *, size: int | None = None, limit: str = "limit", **counting: Unpack[Counting]
    ) -> None:
        super().__init__(size, **counting)
        if not keys:
            raise ConfigurationError("a keyset has one key or more")
        self._keys = dict(keys)
        self._limit = limit

    def first(self, service: Any) -> KeyAt:
        return KeyAt()

    def ask(self, at: KeyAt, request: Request) -> Request:
        parameters = [(self._limit, str(self._size))] if self._size else []
        return with_query(request, [*parameters, *zip(self._keys.values(), map(str, at.keys), strict=False)])

    def after(self, at: KeyAt, page: Page[Any]) -> KeyAt | None:
        seen = at.seen + len(page)
        if self.is_last(page, seen):
            return None
        if not page:
            raise ContractError("the service says that there are more pages, and gives no item to go on from")
        return KeyAt(tuple(_key(page[-1], name) for name in self._keys), seen)


def _key(item: Any, name: str) -> str | int:
    from msgspec import to_builtins

    fields: Any = item
    value = fields.get(name) if isinstance(item, Mapping) else getattr(fields, name, None)
    if isinstance(value, datetime | time | timedelta | float):
        raise ConfigurationError(
            f"the key {name} is a {type(value).__name__}, which may be less exact than what the service wrote: let the "
            f"item's type have it as a {'Decimal' if isinstance(value, float) else 'str'}"
        )
    key = to_builtins(value)  # a date, a UUID
    if isinstance(key, bool) or not isinstance(key, str | int):
        raise ContractError(f"the last item of the page has no {name} to go on from")
    return key
