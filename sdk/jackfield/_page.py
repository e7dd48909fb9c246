"""One page of a list: its items, and what the answer told besides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

T = TypeVar("T")


class Page(list[T]):
    """One page: a list of its items. A notebook shows it as a table.

    Args:
        items: in the service's order.
        total: the number of items on all pages, where the service tells it.
        raw: the whole answer that the page was read from.
        hint: what the style found in the answer about the page after this one, a cursor say, for its `after`.

    Attributes:
        next: a token for the page after this one, None on the last. JSON text; `operation.at(token)` goes on from it,
            in another process too.
    """

    def __init__(self, items: Iterable[T] = (), *, total: int | None = None, raw: Any = None, hint: Any = None) -> None:
        super().__init__(items)
        self.total = total
        self.raw = raw
        self.hint = hint
        self.next: str | None = None

    def _repr_html_(self) -> str:
        from ._table import as_html

        told = "" if self.total is None else f" of {self.total:,} in all"
        more = "" if self.next is None else ", and more pages"
        return as_html(self, f"{len(self):,} item{'' if len(self) == 1 else 's'}{told}{more}")
