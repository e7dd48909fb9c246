"""What type checkers know of `listing`: what it gives, by `into` and by colour. Nothing here runs, as in `_typing`."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from ._parameters import Parameter

if TYPE_CHECKING:
    from jackfield import AsyncItems, AsyncPages, Explanation, Items, Page, Pages, Request

T = TypeVar("T")


class SyncListing(Protocol):
    """`listing` of a sync client."""

    @overload
    def __call__(self, command: str, *, into: None = None, **parameters: Parameter) -> Page[dict[str, Any]]: ...
    @overload
    def __call__(self, command: str, **parameters: Parameter) -> Page[dict[str, Any]]: ...
    @overload
    def __call__(self, command: str, *, into: type[T], **parameters: Parameter) -> Page[T]: ...
    @overload
    def pages(self, command: str, *, into: None = None, **parameters: Parameter) -> Pages[dict[str, Any]]: ...
    @overload
    def pages(self, command: str, **parameters: Parameter) -> Pages[dict[str, Any]]: ...
    @overload
    def pages(self, command: str, *, into: type[T], **parameters: Parameter) -> Pages[T]: ...
    @overload
    def all(self, command: str, *, into: None = None, **parameters: Parameter) -> Items[dict[str, Any]]: ...
    @overload
    def all(self, command: str, **parameters: Parameter) -> Items[dict[str, Any]]: ...
    @overload
    def all(self, command: str, *, into: type[T], **parameters: Parameter) -> Items[T]: ...
    def at(self, token: str) -> SyncListing:
        """Beginning with the page that a `Page.next` named."""
        ...

    def prefetch(self, pages: int) -> SyncListing:
        """Reading ahead: so many pages at most are ready."""
        ...

    def request(self, command: str, **parameters: Any) -> Request:
        """The request that the call would send first, signed and all; nothing is sent."""
        ...

    def explain(self, command: str, **parameters: Any) -> Explanation:
        """How the call would be carried out; nothing is sent."""
        ...


class AsyncListing(Protocol):
    """`listing` of an async client."""

    @overload
    def __call__(
        self, command: str, *, into: None = None, **parameters: Parameter
    ) -> Coroutine[Any, Any, Page[dict[str, Any]]]: ...
    @overload
    def __call__(self, command: str, **parameters: Parameter) -> Coroutine[Any, Any, Page[dict[str, Any]]]: ...
    @overload
    def __call__(self, command: str, *, into: type[T], **parameters: Parameter) -> Coroutine[Any, Any, Page[T]]: ...
    @overload
    def pages(self, command: str, *, into: None = None, **parameters: Parameter) -> AsyncPages[dict[str, Any]]: ...
    @overload
    def pages(self, command: str, **parameters: Parameter) -> AsyncPages[dict[str, Any]]: ...
    @overload
    def pages(self, command: str, *, into: type[T], **parameters: Parameter) -> AsyncPages[T]: ...
    @overload
    def all(self, command: str, *, into: None = None, **parameters: Parameter) -> AsyncItems[dict[str, Any]]: ...
    @overload
    def all(self, command: str, **parameters: Parameter) -> AsyncItems[dict[str, Any]]: ...
    @overload
    def all(self, command: str, *, into: type[T], **parameters: Parameter) -> AsyncItems[T]: ...
    def at(self, token: str) -> AsyncListing:
        """Beginning with the page that a `Page.next` named."""
        ...

    def prefetch(self, pages: int) -> AsyncListing:
        """Reading ahead: so many pages at most are ready."""
        ...

    async def request(self, command: str, **parameters: Any) -> Request:
        """The request that the call would send first, signed and all; nothing is sent."""
        ...

    async def explain(self, command: str, **parameters: Any) -> Explanation:
        """How the call would be carried out; nothing is sent."""
        ...
