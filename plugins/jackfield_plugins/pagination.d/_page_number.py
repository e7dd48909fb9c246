"""Paging styles: what follows from a page, as plain data. A service's odd rules are a style of its own bundle."""

from __future__ import annotations

from typing import Any, NamedTuple

from jackfield import ConfigurationError, Page


class PageAt(NamedTuple):
    """The position of a page that has a number: page `number`, after `seen` items."""

    number: int = 1
    seen: int = 0


class PageNumber:
    """Pages with a number and a size (`page=2&pagesize=500`): the last one is short, or reaches the total.

    Args:
        size: items per page, as they are asked for.
        first: the number of the first page.
        names: the query parameters that carry number and size.
    """

    def __init__(self, size: int, *, first: int = 1, names: tuple[str, str] = ("page", "pagesize")) -> None:
        if size < 1:
            raise ConfigurationError(f"a page holds 1 item or more, not {size}")
        self._size = size
        self._first = PageAt(first)
        self._names = names

    def first(self, service: Any) -> PageAt:
        return self._first

    def query(self, at: PageAt) -> list[tuple[str, str]]:
        """What to add to the query to ask for this page."""
        return list(zip(self._names, (str(at.number), str(self._size)), strict=True))

    def after(self, at: PageAt, page: Page[Any]) -> PageAt | None:
        seen = at.seen + len(page)
        ended = seen >= page.total if page.total is not None else len(page) < self._size
        return None if ended or not page else PageAt(at.number + 1, seen)
