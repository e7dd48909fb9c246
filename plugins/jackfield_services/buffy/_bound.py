"""What stands on a class for each of its objects to do, in the colour of its client; to `help` it is a method."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from jackfield import AsyncClient, Client, Operation

from ._order import Order

if TYPE_CHECKING:
    from inspect import Signature

    from ._handles import AsyncRequest, Handle, Request

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V")


class Wish(Generic[V]):
    """An attribute of a handle's that says which version is wanted."""

    def __init__(self, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, handle: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, handle: Handle, owner: type[Any]) -> V: ...
    def __get__(self, handle: Handle | None, owner: type[Any]) -> Any:
        return self if handle is None else getattr(handle.state.wishes, self._name)

    def __set__(self, handle: Handle, value: V) -> None:
        handle.state.change(**{self._name: value})


class _Method:
    """What is a method to who looks at the class."""

    def __call__(self, instance: Any, *args: Any, **kwargs: Any) -> Any:
        return self.__get__(instance, type(instance))(*args, **kwargs)  # type: ignore[attr-defined]  # both have it


class Doing(_Method, Generic[P, T]):
    """An operation of the service's whose first argument is the handle's order."""

    def __init__(self, operation: Operation[Concatenate[Order, P], T]) -> None:
        self._operation = operation
        self.__doc__ = re.sub(r"\n +order: .*", "", operation.__doc__ or "")  # callers do not give it

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.__name__ = name

    @cached_property
    def __signature__(self) -> Signature:
        return _without_first(self._operation.__signature__)

    @overload
    def __get__(self, handle: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, handle: Request, owner: type[Any]) -> Callable[P, T]: ...
    @overload
    def __get__(self, handle: AsyncRequest, owner: type[Any]) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, handle: Any, owner: type[Any]) -> Any:
        if handle is None:
            return self
        operation = getattr(handle.client, self._operation.name)

        def do(*args: Any, **kwargs: Any) -> Any:
            return operation(handle.state, *args, **kwargs)

        return _shown_as(self, do)


class Making(_Method, Generic[P]):
    """A client's method that makes a handle, and orders at once unless it is held."""

    def __init__(self, ask: Callable[Concatenate[Any, P], tuple[Order, bool]]) -> None:
        self._ask = ask
        self.__doc__ = ask.__doc__
        self.__name__ = ask.__name__

    @cached_property
    def __signature__(self) -> Signature:
        from inspect import Signature

        return _without_first(Signature.from_callable(self._ask)).replace(return_annotation=Signature.empty)

    @overload
    def __get__(self, client: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, client: Client, owner: type[Any]) -> Callable[P, Request]: ...
    @overload
    def __get__(self, client: AsyncClient, owner: type[Any]) -> Callable[P, Coroutine[Any, Any, AsyncRequest]]: ...
    def __get__(self, client: Any, owner: type[Any]) -> Any:
        if client is None:
            return self

        def make(*args: Any, **kwargs: Any) -> Request:
            order, held = self._ask(client, *args, **kwargs)
            handle: Request = client.Request(client, order)
            if not held:
                handle.order()
            return handle

        async def make_async(*args: Any, **kwargs: Any) -> AsyncRequest:
            order, held = self._ask(client, *args, **kwargs)
            handle: AsyncRequest = client.Request(client, order)
            if not held:
                await handle.order()
            return handle

        return _shown_as(self, make if isinstance(client, Client) else make_async)


def _without_first(whole: Signature) -> Signature:
    return whole.replace(parameters=list(whole.parameters.values())[1:])


def _shown_as(what: Doing[..., Any] | Making[...], does: Any) -> Any:
    """The function, with the name, the doc and the signature of what it stands for."""
    does.__name__ = does.__qualname__ = what.__name__
    does.__doc__ = what.__doc__
    does.__signature__ = what.__signature__
    return does
