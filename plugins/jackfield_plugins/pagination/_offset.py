"""Pages that begin after so many items: `offset=500&limit=500`."""

from __future__ import annotations

from typing import Any, NamedTuple, Unpack

from jackfield import Page, Request

from ._counting import Counted, Counting
from ._style import with_query


class OffsetAt(NamedTuple):
    """The position of a page that begins with the item of this number."""

    offset: int = 0


class OffsetLimit(Counted[OffsetAt]):
    """Pages with the number of their first item, and a size.

    Args:
        size: items per page, as they are asked for.
        first: the number of the first item; 1 in SCIM, say.
        names: the query parameters that carry offset and size.
        counting: as `Counting` says.
    """

    def __init__(
        self, size: int, *, first: int = 0, names: tuple[str, str] = ("offset", "limit"), **counting: Unpack[Counting]
    ) -> None:
        super().__init__(size, **counting)
        self._first = OffsetAt(first)
        self._names = names

    def first(self, service: Any) -> OffsetAt:
        return self._first

    def ask(self, at: OffsetAt, request: Request) -> Request:
        return with_query(request, zip(self._names, (str(at.offset), str(self._size)), strict=True))

    def after(self, at: OffsetAt, page: Page[Any]) -> OffsetAt | None:
        following = OffsetAt(at.offset + len(page))
        return None if self.is_last(page, following.offset - self._first.offset) else following
