"""Pages that begin after so many items: `offset=500&limit=500`."""

from __future__ import annotations

from typing import Any, NamedTuple, Unpack

from jackfield import Page, Request

from ._counting import check_size, is_last
from ._style import Layout, Style, with_query


class OffsetAt(NamedTuple):
    """The position of a page that begins with the item of this number."""

    offset: int = 0


class OffsetLimit(Style[OffsetAt]):
    """Pages with the number of their first item, and a size.

    The last page is the one that reaches the total; without one, an empty page.

    Args:
        size: items per page, as they are asked for.
        first: the number of the first item; 1 in SCIM, say.
        names: the query parameters that carry offset and size.
        exact: whether every page but the last is full: then a short one is the last, and no empty one is asked for.
        layout: where in an answer the items and the rest are.
    """

    counted = True

    def __init__(
        self,
        size: int,
        *,
        first: int = 0,
        names: tuple[str, str] = ("offset", "limit"),
        exact: bool = False,
        **layout: Unpack[Layout],
    ) -> None:
        super().__init__(**layout)
        self._size = check_size(size)
        self._first = OffsetAt(first)
        self._names = names
        self._exact = exact

    def first(self, service: Any) -> OffsetAt:
        return self._first

    def ask(self, at: OffsetAt, request: Request) -> Request:
        return with_query(request, zip(self._names, (str(at.offset), str(self._size)), strict=True))

    def after(self, at: OffsetAt, page: Page[Any]) -> OffsetAt | None:
        following = OffsetAt(at.offset + len(page))
        seen = following.offset - self._first.offset
        return None if is_last(page, seen, self._size, self._exact) else following
