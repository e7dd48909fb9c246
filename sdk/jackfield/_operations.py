"""Operations: written once as `async def`, and typed by the colour of the client they are reached through."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Generic, ParamSpec, Self, TypeVar, cast, overload

from ._call import Call
from ._client import Client
from ._errors import ConfigurationError, UsageError
from ._wiring import DryRun, Wired

if TYPE_CHECKING:
    from inspect import Signature
    from types import CoroutineType

    from ._client import AsyncClient
    from ._explain import Explanation
    from ._messages import Request
    from ._service import Service

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")
A = TypeVar("A")

_CO_COROUTINE = 0x80  # inspect.CO_COROUTINE; inspect is heavy to import


def check_style(decorator: str, style: object, method: str, example: str) -> None:
    """A decorator without its style would take the operation's body for it, and fail much later.

    Raises:
        ConfigurationError: this is no style.
    """
    if isinstance(style, type) or not callable(getattr(style, method, None)):
        raise ConfigurationError(f"@{decorator} takes a style: write @{decorator}({example})")


class Definition(Generic[P, T]):
    """An operation as the class holds it: the body, and how it is run. The kinds of operation derive from it."""

    def __init__(self, body: Any, *, bounded: bool = True, hidden: int = 1) -> None:
        if not body.__code__.co_flags & _CO_COROUTINE:
            raise ConfigurationError(f"{body.__name__} must be an `async def` that returns: it is an operation's body")
        self.body = body
        self.name = body.__name__
        self.bounded = bounded
        self._hidden = hidden
        self.__doc__ = body.__doc__
        self.__wrapped__ = body

    def __set_name__(self, owner: type[Any], name: str) -> None:
        """An operation that a function makes is called as the class calls it."""
        if self.name == self.body.__name__ and self.body.__qualname__.endswith(f"<locals>.{self.name}"):
            self.name = name

    @property
    def __signature__(self) -> Signature:
        from inspect import signature

        whole = signature(self.body)
        return whole.replace(parameters=list(whole.parameters.values())[self._hidden :])

    def __repr__(self) -> str:
        return f"<operation {self.name}{self.__signature__}>"

    def __call__(self, client: Any, *args: P.args, **kwargs: P.kwargs) -> Any:
        """The operation of this client, as methods can be called by their class: `Core.find(client, …)`."""
        return getattr(client, self.name)(*args, **kwargs)

    async def invoke(
        self,
        client: Wired,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        then: Callable[[Any], Any] | None = None,
    ) -> Any:
        """Runs the body as one call, and `then` with what it gives; an error says which call that was."""
        call = Call(self.name, client._wiring, bounded=self.bounded, within=client._call)
        try:
            value = await self.body(client._within(call), *args, **kwargs)
            return value if then is None else then(value)
        except BaseException as error:
            call.blame(error)
            raise

    async def run(self, client: Wired, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """What calling the operation does; the kinds of operation differ here."""
        return await self.invoke(client, args, kwargs)

    async def dry_run(self, client: Wired, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Request:
        """The first request that a call would send, as the transport would get it."""
        return (await self.explained(client, args, kwargs))[0]

    async def explained(
        self, client: Wired, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[Request, list[str]]:
        """That request, and what steps say about it."""
        outer = Call(self.name, client._wiring)
        outer.dry, outer.notes = True, (notes := list[str]())
        try:
            await self.run(client._within(outer), args, kwargs)
        except DryRun as stopped:
            return stopped.request, notes
        raise UsageError(f"{self.name} sends no request")


class Bound(Generic[P, T]):
    """An operation of one client, of whatever colour."""

    def __init__(self, definition: Definition[P, T], client: Any) -> None:
        self._definition = definition
        self._client = client
        self.__doc__ = definition.__doc__
        self.__name__ = definition.name

    @property
    def __signature__(self) -> Signature:
        return self._definition.__signature__

    def __repr__(self) -> str:
        return f"<operation {self._definition.name}{self.__signature__} of {self._client!r}>"

    async def _explain(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Explanation:
        from ._explain import Explanation

        request, notes = await self._definition.explained(self._client, args, kwargs)
        wiring = self._client._wiring
        return Explanation(self._definition.name, str(wiring.chain), wiring.options, request, tuple(notes))


class SyncOperation(Bound[P, T]):
    """An operation of a sync client: calling it gives the result."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        value: T = self._client._run(self._definition.run(self._client, args, kwargs))
        return value

    def request(self, *args: P.args, **kwargs: P.kwargs) -> Request:
        """The request that the call would send first, signed and all. The body runs up to there; nothing is sent."""
        request: Request = self._client._run(self._definition.dry_run(self._client, args, kwargs))
        return request

    def explain(self, *args: P.args, **kwargs: P.kwargs) -> Explanation:
        """How the call would be carried out: chain, settings, request; nothing is sent."""
        explanation: Explanation = self._client._run(self._explain(args, kwargs))
        return explanation


class AsyncOperation(Bound[P, T]):
    """An operation of an async client, or seen from inside a body: calling it gives an awaitable."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T]:
        work = cast("CoroutineType[Any, Any, T]", self._definition.run(self._client, args, kwargs))
        work.__name__, work.__qualname__ = self.__name__, self._definition.body.__qualname__  # for warnings and tools
        return work

    async def request(self, *args: P.args, **kwargs: P.kwargs) -> Request:
        """The request that the call would send first, signed and all. The body runs up to there; nothing is sent."""
        return await self._definition.dry_run(self._client, args, kwargs)

    async def explain(self, *args: P.args, **kwargs: P.kwargs) -> Explanation:
        """How the call would be carried out: chain, settings, request; nothing is sent."""
        return await self._explain(args, kwargs)


class Descriptor(Generic[S, A]):
    """Gives an operation of the colour of what it is reached through; the kinds of operation name their two classes."""

    sync: ClassVar[Callable[..., Any]]
    awaited: ClassVar[Callable[..., Any]]

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: Client, owner: type[Any]) -> S: ...
    @overload
    def __get__(self, instance: AsyncClient, owner: type[Any]) -> A: ...
    @overload
    def __get__(self, instance: Service, owner: type[Any]) -> A: ...
    def __get__(self, instance: Wired | None, owner: type[Any]) -> Any:
        if instance is None:
            return self
        # A body's own `self` is in a call, and gives awaitables whoever called it.
        plain = instance._call is None and isinstance(instance, Client)
        return (self.sync if plain else self.awaited)(self, instance)


class Operation(Definition[P, T], Descriptor["SyncOperation[P, T]", "AsyncOperation[P, T]"]):
    """What `@operation` makes of a body."""

    sync = SyncOperation
    awaited = AsyncOperation


@overload
def operation(body: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]], /) -> Operation[P, T]: ...
@overload
def operation(
    *, bounded: bool
) -> Callable[[Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]], Operation[P, T]]: ...
def operation(body: Callable[..., Coroutine[Any, Any, Any]] | None = None, /, *, bounded: bool = True) -> Any:
    """Makes an operation of an `async def` method of a `Service`.

    Args:
        body: the method. Inside it `self` is the service as this one call sees it, and every operation is awaitable.
        bounded: whether `timeout` limits the whole of it. With False, each request and operation that it awaits has
            a `timeout` of its own: for what goes through pages or waits for jobs.
    """

    def define(body: Callable[..., Coroutine[Any, Any, Any]]) -> Operation[..., Any]:
        return Operation(body, bounded=bounded)

    return define if body is None else define(body)
