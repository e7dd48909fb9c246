"""What all styles have in common: a page is asked for, sent, and read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, NamedTuple, TypedDict, TypeVar, overload

from jackfield import Page, Request, Response, Service

from ._places import Place, Places, Scalar, place

At = TypeVar("At")
T = TypeVar("T")

_FALSE = frozenset({"", "0", "false", "no"})


class Layout(TypedDict, total=False):
    """How a service lays out its lists; every style takes this.

    Attributes:
        items: where the items are; the whole body, if it is not given.
        total: where the number of all items, on all pages, is. Leave it out where the service counts those of the page.
        more: where it says whether there are more pages.
        omits_empty: whether the service leaves the list out where it is empty.
    """

    items: Place
    total: Place
    more: Place
    omits_empty: bool


class Hint(NamedTuple):
    """What an answer says about the page after it."""

    more: bool | None = None
    then: Any = None


NO_HINT = Hint()


class Style(Generic[At]):
    """The base of the styles.

    Attributes:
        counted: whether positions are counted on this side: then the same records twice running are a service's that
            ignores them.
    """

    counted = False

    def __init__(
        self,
        *,
        items: Place = "",
        total: Place | None = None,
        more: Place | None = None,
        then: Place | None = None,
        omits_empty: bool = False,
    ) -> None:
        found = (place(items) or (), place(total), place(more), place(then))
        self._places = Places(*found, omits_empty).checked()

    def ask(self, at: At, request: Request) -> Request:
        """The request, so that it asks for the page at this position."""
        raise NotImplementedError

    @overload
    def page(self, request: Request, response: Response, item: type[T], *, items: Place | None = None) -> Page[T]: ...
    @overload
    def page(self, request: Request, response: Response, item: Any, *, items: Place | None = None) -> Page[Any]: ...
    def page(self, request: Request, response: Response, item: Any, *, items: Place | None = None) -> Page[Any]:
        """The page that an answer holds.

        Args:
            request: the one that was answered.
            response: the answer.
            item: the items' type.
            items: where they are, if this list has a name of its own.

        Raises:
            DecodeError: they are not there, or not of this type.
        """
        places = self._places if items is None else self._places._replace(items=place(items) or ())
        told = places.read(response, item)
        hint = Hint(_truth(told.more), self._then(request, response, told.then))
        return Page(told.items, total=_count(told.total), raw=response, hint=hint)

    @overload
    async def fetch(
        self, service: Service, at: At, request: Request, item: type[T], *, items: Place | None = None
    ) -> Page[T]: ...
    @overload
    async def fetch(
        self, service: Service, at: At, request: Request, item: Any, *, items: Place | None = None
    ) -> Page[Any]: ...
    async def fetch(
        self, service: Service, at: At, request: Request, item: Any, *, items: Place | None = None
    ) -> Page[Any]:
        """Asks for the page at this position, and reads it: all that most operations do.

        Args:
            service: `self` of the operation.
            at: the position that it was given.
            request: what asks for the list, whichever page.
            item: the items' type.
            items: where they are, if this list has a name of its own.
        """
        asked = self.ask(at, request)
        return self.page(asked, await service.send(asked), item, items=items)

    def _then(self, request: Request, response: Response, found: Scalar) -> Any:
        """What leads to the next page; None where nothing does."""
        return found


def hint_of(page: Page[Any]) -> Hint:
    """What the page's answer said; nothing, if it was not read by a style."""
    return page.hint if isinstance(page.hint, Hint) else NO_HINT


def with_query(request: Request, parameters: Iterable[tuple[str, str]]) -> Request:
    """The request with these parameters, in place of those of the same names."""
    added = tuple(parameters)
    names = {name for name, _ in added}
    query = (*(pair for pair in request.query if pair[0] not in names), *added)
    return request.replace(query=query)


def _truth(value: Scalar) -> bool | None:
    if value is None:
        return None
    return value.lower() not in _FALSE if isinstance(value, str) else bool(value)


def _count(value: Scalar) -> int | None:
    """A number of items; None for what is none."""
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdecimal() and len(value) < 19 else None
    if value is None or isinstance(value, bool) or value < 0 or value != value // 1:
        return None
    return int(value)
