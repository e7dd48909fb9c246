"""What users go through pages and items with: a walk's thin faces, for either colour.

They are no generators: an error does not end them, the next step tries the page again; and async generators cost much
more per item.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ._page import Page

if TYPE_CHECKING:
    from ._prefetch import Ahead
    from ._walk import Walk

T = TypeVar("T")


class _Taker(Generic[T]):
    """Who takes pages. When it goes, nothing more is fetched for it."""

    __slots__ = ("__weakref__", "_source")

    def __init__(self, source: Walk[T] | Ahead[T]) -> None:
        self._source = source

    def __del__(self) -> None:
        self._source.close()


class Pages(_Taker[T], Iterator[Page[T]]):
    """Every page, fetched when its turn comes, or ahead of it. After an error, the next step tries that page again."""

    __slots__ = ("_client",)

    def __init__(self, source: Walk[T] | Ahead[T], client: Any) -> None:
        super().__init__(source)
        self._client = client

    def __next__(self) -> Page[T]:
        page: Page[T] | None = self._client._run(self._source.step())
        if page is None:
            raise StopIteration
        return page

    def close(self) -> None:
        """Ends it: nothing more is asked for. Leaving a loop does so, too."""
        self._source.close()


class Items(_Taker[T], Iterator[T]):
    """Every item of every page. After an error, the next step tries that page again."""

    __slots__ = ("_client", "_items")

    def __init__(self, source: Walk[T] | Ahead[T], client: Any) -> None:
        super().__init__(source)
        self._client = client
        self._items: Iterator[T] = iter(())

    def __next__(self) -> T:
        while True:
            for item in self._items:
                return item
            page: Page[T] | None = self._client._run(self._source.step())
            if page is None:
                raise StopIteration
            self._items = iter(page)

    def close(self) -> None:
        """Ends it: nothing more is asked for. Leaving a loop does so, too."""
        self._items = iter(())
        self._source.close()


class AsyncPages(_Taker[T], AsyncIterator[Page[T]]):
    """Every page, fetched when its turn comes, or ahead of it. After an error, the next step tries that page again."""

    __slots__ = ()

    async def __anext__(self) -> Page[T]:
        page = await self._source.step()
        if page is None:
            raise StopAsyncIteration
        return page

    async def aclose(self) -> None:
        """Ends it: nothing more is asked for. Leaving a loop does so, too."""
        self._source.close()


class AsyncItems(_Taker[T], AsyncIterator[T]):
    """Every item of every page. After an error, the next step tries that page again."""

    __slots__ = ("_items",)

    def __init__(self, source: Walk[T] | Ahead[T]) -> None:
        super().__init__(source)
        self._items: Iterator[T] = iter(())

    async def __anext__(self) -> T:
        while True:
            for item in self._items:
                return item
            page = await self._source.step()
            if page is None:
                raise StopAsyncIteration
            self._items = iter(page)

    async def aclose(self) -> None:
        """Ends it: nothing more is asked for. Leaving a loop does so, too."""
        self._items = iter(())
        self._source.close()
