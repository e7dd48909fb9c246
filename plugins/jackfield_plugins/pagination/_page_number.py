"""Pages that have a number: `page=2&pagesize=500`."""

from __future__ import annotations

from typing import Any, NamedTuple, Unpack

from jackfield import Page, Request

from ._counting import check_size, is_last
from ._style import Layout, Style, with_query


class PageAt(NamedTuple):
    """The position of a page that has a number: page `number`, after `seen` items."""

    number: int = 1
    seen: int = 0


class PageNumber(Style[PageAt]):
    """Pages with a number and a size.

    The last page is the one that reaches the total; without one, an empty page.

    Args:
        size: items per page, as they are asked for.
        first: the number of the first page.
        names: the query parameters that carry number and size.
        exact: whether every page but the last is full: then a short one is the last, and no empty one is asked for.
        layout: where in an answer the items and the rest are.
    """

    counted = True

    def __init__(
        self,
        size: int,
        *,
        first: int = 1,
        names: tuple[str, str] = ("page", "pagesize"),
        exact: bool = False,
        **layout: Unpack[Layout],
    ) -> None:
        super().__init__(**layout)
        self._size = check_size(size)
        self._first = PageAt(first)
        self._names = names
        self._exact = exact

    def first(self, service: Any) -> PageAt:
        return self._first

    def query(self, at: PageAt) -> list[tuple[str, str]]:
        """What to add to the query to ask for this page."""
        return list(zip(self._names, (str(at.number), str(self._size)), strict=True))

    def ask(self, at: PageAt, request: Request) -> Request:
        return with_query(request, self.query(at))

    def after(self, at: PageAt, page: Page[Any]) -> PageAt | None:
        seen = at.seen + len(page)
        return None if is_last(page, seen, self._size, self._exact) else PageAt(at.number + 1, seen)
