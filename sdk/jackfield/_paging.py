"""Paged operations: one page, all pages, all items; from the beginning or from a page's token; read ahead or not."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from copy import copy
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Concatenate, Generic, NamedTuple, ParamSpec, Protocol, Self, TypeVar

from ._errors import ConfigurationError, ContractError, UsageError
from ._events import PageFetched, emit
from ._iterators import AsyncItems, AsyncPages, Items, Pages
from ._operations import AsyncOperation, Bound, Definition, Descriptor, SyncOperation, check_style
from ._page import Page
from ._tokens import decode_token, digest_of, encode_token, said
from ._walk import Fetched, Walk
from ._wiring import Wired

if TYPE_CHECKING:
    from types import CodeType

    from ._prefetch import Ahead

P = ParamSpec("P")
T = TypeVar("T")
At = TypeVar("At")

MAX_PAGES = 100_000  # of one walk, where the operation does not say: whatever a service answers, it ends


class PageStyle(Protocol[At]):
    """How a service pages: a position that is plain data, and what follows from a page."""

    def first(self, service: Any) -> At:
        """The position of the first page; a NamedTuple, or another type that msgspec encodes and decodes."""
        ...

    def after(self, at: At, page: Page[Any]) -> At | None:
        """The position after the page that was fetched at `at`; None where that was the last."""
        ...


class _Token(NamedTuple, Generic[At]):
    operation: str
    at: At
    arguments: str = ""  # a digest; "": they are not known


class PagedDefinition(Definition[P, Page[T]], Descriptor["SyncPaged[P, T]", "AsyncPaged[P, T]"]):
    """What `@paged(style)` makes of a body.

    Attributes:
        max_pages: how many pages one walk fetches at most; None: `MAX_PAGES`.
    """

    def __init__(
        self, body: Callable[..., Coroutine[Any, Any, Page[T]]], style: PageStyle[Any], max_pages: int | None = None
    ) -> None:
        super().__init__(body, hidden=2)
        if max_pages is not None and max_pages < 1:
            raise ConfigurationError(f"max_pages must be 1 or more, not {max_pages}")
        self.max_pages = max_pages
        self._style = style
        self._start: str | None = None
        self._ahead = 0

    def starting(self, token: str) -> Self:
        """The same operation, but from the token's page on."""
        if not isinstance(token, str):
            raise UsageError(f"the token of a page of {self.name} is a string; None is the end: there is no such page")
        definition = copy(self)
        definition._start = token
        return definition

    def ahead(self, pages: int) -> Self:
        """The same operation, but read ahead."""
        if isinstance(pages, bool) or not isinstance(pages, int) or pages < 1:
            raise UsageError(f"prefetch takes the number of pages to have ready, 1 or more, not {pages!r}")
        definition = copy(self)
        definition._ahead = pages
        return definition

    async def run(self, client: Wired, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Page[T]:
        page, at, after = await self._fetch(client, None, args, kwargs, lambda: self._digest(args, kwargs))
        if after == at:
            raise ContractError(f"{self.name} says that the same page again comes next, and would never end")
        return page

    def walk(self, client: Wired, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Walk[T] | Ahead[T]:
        """The way through all pages, for either colour."""
        most = MAX_PAGES if self.max_pages is None else self.max_pages
        counted = getattr(self._style, "counted", False)
        name = client._call.operation if client._call else self.name  # what the user called
        digest = cache(lambda: self._digest(args, kwargs))
        walk = Walk(
            name,
            lambda at: self._token(at, digest),
            lambda at: self._fetch(client, at, args, kwargs, digest),
            most,
            counted=counted,
        )
        if not self._ahead:
            return walk
        from ._prefetch import Ahead  # here, so that importing jackfield stays cheap

        return Ahead(walk, client._wiring.runtime, self._ahead)

    async def _fetch(
        self, client: Wired, at: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], digest: Callable[[], str]
    ) -> Fetched[T]:
        if at is None:
            at = self._beginning(client, digest)

        def read(page: Page[T]) -> Fetched[T]:
            after = self._style.after(at, page)
            page.next = None if after is None else self._token(after, digest)
            return Fetched(page, at, after)

        fetched: Fetched[T] = await self.invoke(client, (at, *args), kwargs, read)
        if observers := client._wiring.plugins.observers:
            emit(observers, PageFetched(self.name, len(fetched.page), fetched.page.total))
        return fetched

    def _token(self, at: Any, digest: Callable[[], str]) -> str:
        return encode_token(_Token(self.name, at, digest()))

    def _beginning(self, client: Wired, digest: Callable[[], str]) -> Any:
        first: Any = self._style.first(client)
        if self._start is None:
            return first
        kind: Any = first.__class__
        what = f"a page of {self.name}"
        operation, _, came_with = decode_token(self._start, _Token[Any], what)
        if operation != self.name:
            raise UsageError(f"this token is of a page of {operation!r}: go on there, not with {self.name!r}")
        if came_with not in ("", digest()):
            raise UsageError(f"this token is of a page of {operation!r} with other arguments: give those it came with")
        return decode_token(self._start, _Token[kind], what).at

    def _digest(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
        """Of a call's arguments, each by its name, or its number where it has none for the caller."""
        names, usual = self._parameters
        unnamed = map(str, range(len(names), len(names) + len(args)))
        given = zip([*names[self._hidden :], *unnamed], args, strict=False)
        return digest_of([*given, *kwargs.items()], usual)

    @cached_property
    def _parameters(self) -> tuple[list[str], dict[str, bytes]]:
        """The names, or numbers, of the body's parameters; and what those say that are left out."""
        body: Any = self.body
        while hasattr(body, "__wrapped__"):  # a decorator's own parameters are not those that callers see
            body = body.__wrapped__
        code: CodeType = body.__code__
        defaults: tuple[Any, ...] = body.__defaults__ or ()
        by_name: dict[str, Any] = body.__kwdefaults__ or {}
        numbered = code.co_posonlyargcount
        names = [*map(str, range(numbered)), *code.co_varnames[numbered : code.co_argcount]]
        usual = dict(zip(reversed(names), reversed(defaults), strict=False)) | by_name
        return names, {name: said(value) for name, value in usual.items()}


class Paged(Bound[P, Page[T]]):
    """What a paged operation offers in either colour."""

    def __init__(self, definition: PagedDefinition[P, T], client: Any) -> None:
        super().__init__(definition, client)
        self._kind = definition

    def at(self, token: str) -> Self:
        """This operation, beginning with the page that a `Page.next` named; raises UsageError for None, the end."""
        return type(self)(self._kind.starting(token), self._client)

    def prefetch(self, pages: int) -> Self:
        """This operation, whose `all` and `pages` read ahead, in a thread or task: so many pages at most are ready."""
        return type(self)(self._kind.ahead(pages), self._client)


class SyncPaged(Paged[P, T], SyncOperation[P, Page[T]]):
    """A paged operation of a sync client: calling it gives one page."""

    def pages(self, *args: P.args, **kwargs: P.kwargs) -> Pages[T]:
        """Every page, fetched when its turn comes."""
        return Pages(self._kind.walk(self._client, args, kwargs), self._client)

    def all(self, *args: P.args, **kwargs: P.kwargs) -> Items[T]:
        """Every item of every page."""
        return Items(self._kind.walk(self._client, args, kwargs), self._client)


class AsyncPaged(Paged[P, T], AsyncOperation[P, Page[T]]):
    """A paged operation of an async client: awaiting it gives one page."""

    def pages(self, *args: P.args, **kwargs: P.kwargs) -> AsyncPages[T]:
        """Every page, fetched when its turn comes."""
        return AsyncPages(self._kind.walk(self._client, args, kwargs))

    def all(self, *args: P.args, **kwargs: P.kwargs) -> AsyncItems[T]:
        """Every item of every page."""
        return AsyncItems(self._kind.walk(self._client, args, kwargs))


PagedDefinition.sync = SyncPaged
PagedDefinition.awaited = AsyncPaged


def paged(
    style: PageStyle[At], *, max_pages: int | None = None
) -> Callable[[Callable[Concatenate[Any, At, P], Coroutine[Any, Any, Page[T]]]], PagedDefinition[P, T]]:
    """Makes a paged operation of an `async def` method that fetches the page at a position.

    Args:
        style: how the service pages. The method's first parameter after `self` is a position of this style; callers
            do not see it.
        max_pages: how many pages one walk fetches at most, before it is a ContractError; 100,000 if None.
    """

    check_style("paged", style, "after", "PageNumber(50)")

    def define(body: Callable[Concatenate[Any, At, P], Coroutine[Any, Any, Page[T]]]) -> PagedDefinition[P, T]:
        return PagedDefinition(body, style, max_pages)

    return define
