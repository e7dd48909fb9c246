"""Paged operations: one page, all pages, all items; from the beginning or from a page's token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping
from copy import copy
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar

from ._errors import ContractError, UsageError
from ._events import PageFetched, emit
from ._operations import AsyncOperation, Definition, Descriptor, SyncOperation
from ._tokens import decode_token, encode_token
from ._wiring import Wired

P = ParamSpec("P")
T = TypeVar("T")
At = TypeVar("At")

MAX_PAGES = 100_000  # of one walk: whatever a service answers, it ends


class Page(list[T]):
    """One page: a list of its items.

    Attributes:
        total: the number of items on all pages, where the service tells it.
        raw: the whole answer that the page was read from.
        next: a token for the page after this one, None on the last. JSON text; `operation.at(token)` goes on from it,
            in another process too.
    """

    def __init__(self, items: Iterable[T] = (), *, total: int | None = None, raw: Any = None) -> None:
        super().__init__(items)
        self.total = total
        self.raw = raw
        self.next: str | None = None


class PageStyle(Protocol[At]):
    """How a service pages: a position that is plain data, and what follows from a page."""

    def first(self, service: Any) -> At:
        """The position of the first page; a NamedTuple, or another type that msgspec encodes and decodes."""
        ...

    def after(self, at: At, page: Page[Any]) -> At | None:
        """The position after the page that was fetched at `at`; None where that was the last."""
        ...


class PagedDefinition(Definition[P, Page[T]], Descriptor["SyncPaged[P, T]", "AsyncPaged[P, T]"]):
    """What `@paged(style)` makes of a body."""

    def __init__(self, body: Callable[..., Coroutine[Any, Any, Page[T]]], style: PageStyle[Any]) -> None:
        super().__init__(body, hidden=2)
        self._style = style
        self._start: str | None = None

    def starting(self, token: str) -> Self:
        """The same operation, but from the token's page on."""
        if not isinstance(token, str):
            raise UsageError(f"the token of a page of {self.name} is a string; None is the end: there is no such page")
        definition = copy(self)
        definition._start = token
        return definition

    async def run(self, client: Wired, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Page[T]:
        return await self._fetch(client, self._start, args, kwargs)

    def walk(self, client: Wired, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Walk[T]:
        """The way through all pages, for either colour."""
        return Walk(lambda token: self._fetch(client, token, args, kwargs), self._start)

    async def _fetch(
        self, client: Wired, token: str | None, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Page[T]:
        at = self._position(client, token)
        page: Page[T] = await self.invoke(client, (at, *args), kwargs)
        after = self._style.after(at, page)
        page.next = None if after is None else encode_token(after)
        if after is not None and page.next == token:
            raise ContractError(f"{self.name} came to the same page again and would never end")
        if observers := client._wiring.plugins.observers:
            emit(observers, PageFetched(self.name, len(page), page.total))
        return page

    def _position(self, client: Wired, token: str | None) -> Any:
        first: Any = self._style.first(client)
        kind: type[Any] = first.__class__
        return first if token is None else decode_token(token, kind, f"a page of {self.name}")


class Walk(Generic[T]):
    """Goes from page to page."""

    __slots__ = ("_done", "_fetch", "_pages", "_token")

    def __init__(self, fetch: Callable[[str | None], Coroutine[Any, Any, Page[T]]], start: str | None) -> None:
        self._fetch = fetch
        self._token = start
        self._pages = 0
        self._done = False

    async def step(self) -> Page[T] | None:
        """The next page; None after the last. An error leaves it where it was: step again to try again."""
        if self._done:
            return None
        if self._pages == MAX_PAGES:
            raise ContractError(f"there are still more after {MAX_PAGES} pages: the service may never end")
        page = await self._fetch(self._token)
        self._pages += 1
        self._token = page.next
        self._done = page.next is None
        return page


class SyncPaged(SyncOperation[P, Page[T]]):
    """A paged operation of a sync client: calling it gives one page."""

    def __init__(self, definition: PagedDefinition[P, T], client: Any) -> None:
        super().__init__(definition, client)
        self._kind = definition

    def at(self, token: str) -> SyncPaged[P, T]:
        """This operation, beginning with the page that a `Page.next` named; raises UsageError for None, the end."""
        return SyncPaged(self._kind.starting(token), self._client)

    def pages(self, *args: P.args, **kwargs: P.kwargs) -> Iterator[Page[T]]:
        """Every page, fetched when its turn comes."""
        walk = self._kind.walk(self._client, args, kwargs)
        while (page := self._client._run(walk.step())) is not None:
            yield page

    def all(self, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        """Every item of every page."""
        for page in self.pages(*args, **kwargs):
            yield from page


class AsyncPaged(AsyncOperation[P, Page[T]]):
    """A paged operation of an async client: awaiting it gives one page."""

    def __init__(self, definition: PagedDefinition[P, T], client: Any) -> None:
        super().__init__(definition, client)
        self._kind = definition

    def at(self, token: str) -> AsyncPaged[P, T]:
        """This operation, beginning with the page that a `Page.next` named; raises UsageError for None, the end."""
        return AsyncPaged(self._kind.starting(token), self._client)

    async def pages(self, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[Page[T]]:
        """Every page, fetched when its turn comes."""
        walk = self._kind.walk(self._client, args, kwargs)
        while (page := await walk.step()) is not None:
            yield page

    def all(self, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        """Every item of every page."""
        return AsyncItems(self._kind.walk(self._client, args, kwargs))


class AsyncItems(AsyncIterator[T]):
    """Items of pages. Not an async generator: those cost much more per item."""

    __slots__ = ("_items", "_walk")

    def __init__(self, walk: Walk[T]) -> None:
        self._walk = walk
        self._items: Iterator[T] = iter(())

    async def __anext__(self) -> T:
        while True:
            for item in self._items:
                return item
            page = await self._walk.step()
            if page is None:
                raise StopAsyncIteration
            self._items = iter(page)


PagedDefinition.sync = SyncPaged
PagedDefinition.awaited = AsyncPaged


def paged(
    style: PageStyle[At],
) -> Callable[[Callable[Concatenate[Any, At, P], Coroutine[Any, Any, Page[T]]]], PagedDefinition[P, T]]:
    """Makes a paged operation of an `async def` method that fetches the page at a position.

    Args:
        style: how the service pages. The method's first parameter after `self` is a position of this style; callers
            do not see it.
    """

    def define(body: Callable[Concatenate[Any, At, P], Coroutine[Any, Any, Page[T]]]) -> PagedDefinition[P, T]:
        return PagedDefinition(body, style)

    return define
