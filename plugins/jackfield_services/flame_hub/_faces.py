"""What callers, editors and type checkers see of a resource's operations. There is no logic here.

`V` is what a call gives: the value in a sync client, and in an async one something to await.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Literal, ParamSpec, Protocol, Self, TypeAlias, TypeVar, Unpack, overload

from jackfield import AsyncClient, AsyncItems, AsyncPages, Client, Items, Page, Pages, Service

from ._envelopes import ResourceListMeta, SingleResourceMeta
from ._model import Id, Record
from .types import AuthParam, BaseKwargs, FieldParams, FindAllKwargs, FindOptions, GetKwargs, GetOptions, IncludeParams

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R", bound=Record)
N = TypeVar("N", bound=Record)  # whose id names what is answered, credentials say
N_contra = TypeVar("N_contra", bound=Record, contravariant=True)
T = TypeVar("T")
V_co = TypeVar("V_co", covariant=True)
M_co = TypeVar("M_co", covariant=True)
I_co = TypeVar("I_co", covariant=True)
P_co = TypeVar("P_co", covariant=True)
S_co = TypeVar("S_co", covariant=True)
A_co = TypeVar("A_co", covariant=True)

Awaited: TypeAlias = Coroutine[Any, Any, T]
Asked: TypeAlias = AuthParam | FieldParams | IncludeParams | None


class Coloured(Protocol[S_co, A_co]):
    """An operation as a class holds it; of the colour of the client that it is reached through."""

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Any: ...
    @overload
    def __get__(self, instance: Client, owner: type[Any]) -> S_co: ...
    @overload
    def __get__(self, instance: AsyncClient, owner: type[Any]) -> A_co: ...
    @overload
    def __get__(self, instance: Service, owner: type[Any]) -> A_co: ...


class Asking(Protocol):
    """What every operation has: the request as a value, and how it would go."""

    def request(self, *args: Any, **kwargs: Any) -> Any: ...
    def explain(self, *args: Any, **kwargs: Any) -> Any: ...


class Getting(Asking, Protocol[N_contra, V_co, M_co]):
    """`get_node(node)`; with `meta=True` what the Hub says besides, too."""

    @overload
    def __call__(self, id: Id[N_contra], /, *, meta: Literal[True], **options: Unpack[GetOptions]) -> M_co: ...
    @overload
    def __call__(self, id: Id[N_contra], /, **options: Unpack[GetOptions]) -> V_co: ...
    @overload
    def __call__(self, id: Id[N_contra], /, **options: Unpack[GetKwargs]) -> V_co | M_co: ...
    @overload
    def __call__(self, *, meta: Literal[True], **named: Id[N_contra] | Asked) -> M_co: ...  # get_node(node_id=…)
    @overload
    def __call__(self, **named: Id[N_contra] | Asked) -> V_co: ...


class Finding(Asking, Protocol[V_co, M_co, I_co, P_co]):
    """`find_nodes(…)` gives one page; `find_nodes.all(…)` every record, `.pages(…)` every page."""

    @overload
    def __call__(self, *, meta: Literal[True], **options: Unpack[FindOptions]) -> M_co: ...
    @overload
    def __call__(self, **options: Unpack[FindOptions]) -> V_co: ...
    @overload
    def __call__(self, **options: Unpack[FindAllKwargs]) -> V_co | M_co: ...
    def all(self, **options: Unpack[FindOptions]) -> I_co: ...
    def pages(self, **options: Unpack[FindOptions]) -> P_co: ...
    def at(self, token: str) -> Self: ...
    def prefetch(self, pages: int) -> Self: ...


class Deleting(Asking, Protocol[N_contra, V_co]):
    """`delete_node(node)`."""

    @overload
    def __call__(self, id: Id[N_contra], /, **options: Unpack[BaseKwargs]) -> V_co: ...
    @overload
    def __call__(self, **named: Id[N_contra] | AuthParam) -> V_co: ...  # delete_node(node_id=…)


class Creating(Asking, Protocol[P, Q, V_co]):
    """`create_node(…)`: the parameters of either generation."""

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> V_co: ...
    @overload
    def __call__(self, *args: Q.args, **kwargs: Q.kwargs) -> V_co: ...


class Updating(Asking, Protocol[N_contra, P, Q, V_co]):  # pyright: ignore[reportInvalidTypeVarUse]  # mypy is right
    """`update_node(node, …)`."""

    @overload
    def __call__(self, id: Id[N_contra], /, *args: P.args, **kwargs: P.kwargs) -> V_co: ...
    @overload
    def __call__(self, id: Id[N_contra], /, *args: Q.args, **kwargs: Q.kwargs) -> V_co: ...
    @overload
    def __call__(self, **named: Any) -> V_co: ...  # update_node(node_id=…)


Get: TypeAlias = Coloured[
    Getting[N, R | None, tuple[R, SingleResourceMeta] | None],
    Getting[N, Awaited[R | None], Awaited[tuple[R, SingleResourceMeta] | None]],
]
Find: TypeAlias = Coloured[
    Finding[Page[R], tuple[Page[R], ResourceListMeta], Items[R], Pages[R]],
    Finding[Awaited[Page[R]], Awaited[tuple[Page[R], ResourceListMeta]], AsyncItems[R], AsyncPages[R]],
]
Create: TypeAlias = Coloured[Creating[P, Q, R], Creating[P, Q, Awaited[R]]]
Update: TypeAlias = Coloured[Updating[N, P, Q, R], Updating[N, P, Q, Awaited[R]]]
Delete: TypeAlias = Coloured[Deleting[N, None], Deleting[N, Awaited[None]]]
