"""What type checkers know of `request` and of commands as attributes: what they give, by `into` and by colour.

Nothing here runs: the operations are in `_service`, and these say of them what a decorator cannot.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeAlias, TypeVar, overload

from ._parameters import Parameter

if TYPE_CHECKING:
    from jackfield import AsyncClient, Client, Explanation, Headers, Request, Service

T = TypeVar("T")
S = TypeVar("S", covariant=True)
A = TypeVar("A", covariant=True)

Fields: TypeAlias = "Headers | Mapping[str, str] | Iterable[tuple[str, str]]"
Unlisted: TypeAlias = Literal[False] | None


class ByColour(Protocol[S, A]):
    """An operation as its class holds it."""

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: Client, owner: type[Any]) -> S: ...
    @overload
    def __get__(self, instance: AsyncClient, owner: type[Any]) -> A: ...
    @overload
    def __get__(self, instance: Service, owner: type[Any]) -> A: ...


class SyncCommand(Protocol):
    """A command of a sync client, as an attribute."""

    @overload
    def __call__(
        self, *, into: type[T], fetch_list: Literal[True], headers: Fields = (), **parameters: Parameter
    ) -> list[T]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]  # see the last
        self, *, into: None = None, fetch_list: Literal[True], headers: Fields = (), **parameters: Parameter
    ) -> list[dict[str, Any]]: ...
    @overload
    def __call__(
        self,
        *,
        into: type[T],
        fetch_list: Unlisted = None,
        fetch_result: bool = True,
        job_timeout: float | None = None,
        poll_interval: float | None = None,
        headers: Fields = (),
        **parameters: Parameter,
    ) -> T: ...
    @overload
    def __call__(
        self,
        *,
        into: None = None,
        fetch_list: Unlisted = None,
        fetch_result: bool = True,
        job_timeout: float | None = None,
        poll_interval: float | None = None,
        headers: Fields = (),
        **parameters: Parameter,
    ) -> dict[str, Any]: ...
    @overload  # for dictionaries, `**given`, and not for fetch_list=True
    def __call__(self, **parameters: Parameter) -> dict[str, Any]: ...


class AsyncCommand(Protocol):
    """A command of an async client, as an attribute."""

    @overload
    def __call__(
        self, *, into: type[T], fetch_list: Literal[True], headers: Fields = (), **parameters: Parameter
    ) -> Coroutine[Any, Any, list[T]]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]  # see the last
        self, *, into: None = None, fetch_list: Literal[True], headers: Fields = (), **parameters: Parameter
    ) -> Coroutine[Any, Any, list[dict[str, Any]]]: ...
    @overload
    def __call__(
        self,
        *,
        into: type[T],
        fetch_list: Unlisted = None,
        fetch_result: bool = True,
        job_timeout: float | None = None,
        poll_interval: float | None = None,
        headers: Fields = (),
        **parameters: Parameter,
    ) -> Coroutine[Any, Any, T]: ...
    @overload
    def __call__(
        self,
        *,
        into: None = None,
        fetch_list: Unlisted = None,
        fetch_result: bool = True,
        job_timeout: float | None = None,
        poll_interval: float | None = None,
        headers: Fields = (),
        **parameters: Parameter,
    ) -> Coroutine[Any, Any, dict[str, Any]]: ...
    @overload  # for dictionaries, `**given`, and not for fetch_list=True
    def __call__(self, **parameters: Parameter) -> Coroutine[Any, Any, dict[str, Any]]: ...


class SyncRequest(Protocol):
    """`request` of a sync client."""

    @overload
    def __call__(
        self, command: str, *, into: type[T], fetch_list: Literal[True], headers: Fields = (), **parameters: Parameter
    ) -> list[T]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]  # see the last
        self,
        command: str,
        *,
        into: None = None,
        fetch_list: Literal[True],
        headers: Fields = (),
        **parameters: Parameter,
    ) -> list[dict[str, Any]]: ...
    @overload
    def __call__(
        self,
        command: str,
        *,
        into: type[T],
        fetch_list: Unlisted = None,
        fetch_result: bool = True,
        job_timeout: float | None = None,
        poll_interval: float | None = None,
        headers: Fields = (),
        **parameters: Parameter,
    ) -> T: ...
    @overload
    def __call__(
        self,
        command: str,
        *,
        into: None = None,
        fetch_list: Unlisted = None,
        fetch_result: bool = True,
        job_timeout: float | None = None,
        poll_interval: float | None = None,
        headers: Fields = (),
        **parameters: Parameter,
    ) -> dict[str, Any]: ...
    @overload  # for dictionaries, `**given`, and not for fetch_list=True
    def __call__(self, command: str, **parameters: Parameter) -> dict[str, Any]: ...

    def request(self, command: str, **parameters: Any) -> Request:
        """The request that the call would send first, signed and all; nothing is sent."""
        ...

    def explain(self, command: str, **parameters: Any) -> Explanation:
        """How the call would be carried out; nothing is sent."""
        ...


class AsyncRequest(Protocol):
    """`request` of an async client."""

    @overload
    def __call__(
        self, command: str, *, into: type[T], fetch_list: Literal[True], headers: Fields = (), **parameters: Parameter
    ) -> Coroutine[Any, Any, list[T]]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]  # see the last
        self,
        command: str,
        *,
        into: None = None,
        fetch_list: Literal[True],
        headers: Fields = (),
        **parameters: Parameter,
    ) -> Coroutine[Any, Any, list[dict[str, Any]]]: ...
    @overload
    def __call__(
        self,
        command: str,
        *,
        into: type[T],
        fetch_list: Unlisted = None,
        fetch_result: bool = True,
        job_timeout: float | None = None,
        poll_interval: float | None = None,
        headers: Fields = (),
        **parameters: Parameter,
    ) -> Coroutine[Any, Any, T]: ...
    @overload
    def __call__(
        self,
        command: str,
        *,
        into: None = None,
        fetch_list: Unlisted = None,
        fetch_result: bool = True,
        job_timeout: float | None = None,
        poll_interval: float | None = None,
        headers: Fields = (),
        **parameters: Parameter,
    ) -> Coroutine[Any, Any, dict[str, Any]]: ...
    @overload  # for dictionaries, `**given`, and not for fetch_list=True
    def __call__(self, command: str, **parameters: Parameter) -> Coroutine[Any, Any, dict[str, Any]]: ...

    async def request(self, command: str, **parameters: Any) -> Request:
        """The request that the call would send first, signed and all; nothing is sent."""
        ...

    async def explain(self, command: str, **parameters: Any) -> Explanation:
        """How the call would be carried out; nothing is sent."""
        ...
