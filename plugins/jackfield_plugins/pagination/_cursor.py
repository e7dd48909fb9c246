"""Pages that the service leads to by a cursor: `cursor=b3BhcXVl`."""

from __future__ import annotations

from typing import Any, NamedTuple, Unpack

from jackfield import ContractError, Page, Request, UsageError

from ._places import InHeader, Place
from ._style import Layout, Style, hint_of, with_query


class CursorAt(NamedTuple):
    """The position that a cursor names; None is the first page."""

    cursor: str | int | None = None


class Cursor(Style[CursorAt]):
    """Pages by a cursor that each answer gives for the next. None, or an empty one, is the end.

    Args:
        found: where in an answer the cursor is.
        name: the query parameter that carries it, or `InHeader(…)`.
        layout: where in an answer the items and the rest are.
    """

    def __init__(self, found: Place, *, name: str | InHeader = "cursor", **layout: Unpack[Layout]) -> None:
        super().__init__(then=found, **layout)
        self._name = name

    def first(self, service: Any) -> CursorAt:
        return CursorAt()

    def ask(self, at: CursorAt, request: Request) -> Request:
        if at.cursor is None:
            return request
        if not isinstance(self._name, InHeader):
            return with_query(request, [(self._name, str(at.cursor))])
        try:
            return request.with_headers(request.headers.replacing(self._name.name, str(at.cursor)))
        except UsageError as error:
            raise ContractError("the service's cursor cannot be sent in a header, which it has to") from error

    def after(self, at: CursorAt, page: Page[Any]) -> CursorAt | None:
        more, cursor = hint_of(page)
        if more is False or (more is None and not cursor):
            return None
        if cursor is True or not cursor:
            raise ContractError("the service says that there are more pages, and gives no cursor to them")
        return CursorAt(cursor)
