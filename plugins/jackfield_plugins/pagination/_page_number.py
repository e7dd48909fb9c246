"""Pages that have a number: `page=2&pagesize=500`."""

from __future__ import annotations

from typing import Any, NamedTuple, Unpack

from jackfield import Page, Request

from ._counting import Counted, Counting
from ._style import with_query


class PageAt(NamedTuple):
    """The position of a page that has a number: page `number`, after `seen` items."""

    number: int = 1
    seen: int = 0


class PageNumber(Counted[PageAt]):
    """Pages with a number and a size.

    Args:
        size: items per page, as they are asked for.
        first: the number of the first page.
        names: the query parameters that carry number and size.
        counting: as `Counting` says.
    """

    def __init__(
        self, size: int, *, first: int = 1, names: tuple[str, str] = ("page", "pagesize"), **counting: Unpack[Counting]
    ) -> None:
        super().__init__(size, **counting)
        self._first = PageAt(first)
        self._names = names

    def first(self, service: Any) -> PageAt:
        return self._first

    def query(self, at: PageAt) -> list[tuple[str, str]]:
        """What to add to the query to ask for this page."""
        return list(zip(self._names, (str(at.number), str(self._size)), strict=True))

    def ask(self, at: PageAt, request: Request) -> Request:
        return with_query(request, self.query(at))

    def after(self, at: PageAt, page: Page[Any]) -> PageAt | None:
        seen = at.seen + len(page)
        return None if self.is_last(page, seen) else PageAt(at.number + 1, seen)
