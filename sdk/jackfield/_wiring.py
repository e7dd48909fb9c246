"""What the calls of one client run on, whatever its colour; and what may be made of a client: views."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol, Self

from ._call import Call
from ._errors import UsageError
from ._headers import HeaderFields, Headers
from ._messages import Request, Response
from ._options import Options
from ._steps import Chain, Proceed, compile_chain
from ._url import Url

if TYPE_CHECKING:
    from ._plugins import PluginSet
    from ._runtime import Runtime
    from ._transport import Transport

# Of a client's own headers, those that are no credential, whatever their values.
_HARMLESS = frozenset({"accept", "accept-encoding", "accept-language", "content-type", "user-agent"})
CACHE = "cache"  # the name of the plugin that is one
OPTION_NAMES = ("timeout", "connect_timeout", "read_timeout", "max_body_size")


class DryRun(BaseException):
    """Carries the request out of a call that must not send it. No `except Exception` stops it."""

    def __init__(self, request: Request) -> None:
        self.request = request


class ClientCache(Protocol):
    """What users do with the cache of a client. Both block for a moment where it is kept in a file."""

    def clear(self) -> None:
        """Forgets all that is kept, of whatever client."""
        ...

    def stats(self) -> Any:
        """How much is kept, and how often it was of use."""
        ...


class Closeable(Protocol):
    async def close(self) -> None: ...


class Life:
    """Whether a client, with all its views, is still open; and what it made itself, and therefore closes."""

    __slots__ = ("_owned", "closed")

    def __init__(self, owned: Iterable[Closeable]) -> None:
        self._owned = tuple(owned)
        self.closed = False

    async def end(self) -> None:
        """Closes what is owned; once more where that was cut short."""
        self.closed = True
        for owned in self._owned:
            await owned.close()


class Wiring(NamedTuple):
    """What one client's calls run on. Views made by `with_options` share all but options, plugins and chain."""

    base: Url
    options: Options
    runtime: Runtime
    transport: Transport
    plugins: PluginSet
    chain: Chain
    identity: bytes
    carried: bytes
    life: Life
    is_view: bool = False

    async def close(self) -> None:
        """Ends the client; a view leaves that to the client it was made from."""
        if not self.is_view:
            await self.life.end()


class Wired:
    """Anything that can make calls: a client, a view of one, and `self` inside an operation's body."""

    __slots__ = ("__dict__", "__weakref__", "_call", "_wiring")
    _wiring: Wiring
    _call: Call | None

    if not TYPE_CHECKING:  # to a checker every name would be there

        def __getattr__(self, name):
            if name in ("_call", "_wiring"):
                kind = type(self).__name__
                raise UsageError(f"{kind} was not made: its `__init__` must call `super().__init__(base_url, ...)`")
            return object.__getattribute__(self, name)  # which says what is wrong

    def _runtime_for(self, given: Runtime | None) -> Runtime:
        name = type(self).__name__
        raise UsageError(f"{name} is a service without a colour: make `class X({name}, Client)` or `(…, AsyncClient)`")

    def _within(self, call: Call) -> Self:
        """This as an operation's body sees it: everything shared, every operation awaitable."""
        view = object.__new__(type(self))
        view.__dict__ = self.__dict__
        view._wiring = self._wiring
        view._call = call
        return view

    def with_options(
        self,
        *,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        max_body_size: int | None = None,
        headers: HeaderFields = (),
        **plugins: object | None,
    ) -> Self:
        """A view of this client with other settings. It shares connections, tokens and caches, and needs no closing.

        Args:
            timeout, connect_timeout, read_timeout: in seconds, as in `Options`.
            max_body_size: bytes.
            headers: added to the client's, or in place of those of the same name.
            plugins: by name, another plugin in place of the client's, or None to go without (`retry=None`).

        Raises:
            ConfigurationError: a limit makes no sense, or there is no plugin of that name.
        """
        wiring = self._wiring
        limits = (timeout, connect_timeout, read_timeout, max_body_size)
        changes: dict[str, Any] = {n: x for n, x in zip(OPTION_NAMES, limits, strict=True) if x is not None}
        changes["headers"] = Headers(headers).over(wiring.options.headers)
        options = wiring.options._replace(**changes).checked()
        if plugins:
            changed = wiring.plugins.changed(plugins)
            chain = compile_chain(changed.parts, dispatch(wiring.transport, wiring.life))
            wiring = wiring._replace(plugins=changed, chain=chain)
        identity = identity_of(wiring.plugins, options, wiring.carried)
        view = object.__new__(type(self))
        view.__dict__ = self.__dict__.copy()
        view._wiring = wiring._replace(options=options, identity=identity, is_view=True)
        view._call = self._call
        return view

    @property
    def cache(self) -> ClientCache:
        """What this client keeps of answers.

        Raises:
            UsageError: it keeps none.
        """
        plugged = self._wiring.plugins.plugged.get(CACHE)
        if plugged is None:
            raise UsageError(f"this {type(self).__name__} has no cache: make it with cache=Cache(...)")
        cache: Any = plugged.plugin
        return cache  # type: ignore[no-any-return]  # what has that name offers this

    @property
    def chain(self) -> Chain:
        """The way of every request; print it."""
        return self._wiring.chain

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._wiring.base)!r})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} holds connections and credentials: make another one instead of copying it"
        )


def identity_of_transport(transport: Transport) -> bytes:
    """Whose credentials a transport bears, a client certificate say; nobody else's than this client's if unknown."""
    identity: bytes | None = getattr(transport, "identity", None)
    return os.urandom(16) if identity is None else identity


def identity_of(plugins: PluginSet, options: Options, carried: bytes) -> bytes:
    """Whose credentials the requests of a client bear: a digest of 32 bytes; empty where they bear none.

    Args:
        plugins: tell of theirs.
        options: the client's own headers.
        carried: by the transport; see `identity_of_transport`.
    """
    from hashlib import blake2b

    headers = sorted((name.lower(), value) for name, value in options.headers.pairs())
    told = [pair for pair in headers if pair[0] not in _HARMLESS]
    if not told and not plugins.identities and not carried:
        return b""
    return blake2b(repr((sorted(plugins.identities), told, carried)).encode(), digest_size=32).digest()


def dispatch(transport: Transport, life: Life) -> Proceed:
    """The chain's end: counts the attempt, and hands it to the transport."""

    def dispatch(request: Request, call: Call) -> Awaitable[Response]:
        if life.closed:
            raise UsageError("this client is closed: make a new one, or call it inside its `with` block")
        call._request = request
        if call.dry:
            raise DryRun(request)
        call.attempts += 1
        return _observed(transport, request, call) if call.observers else transport.send(request, call)

    return dispatch


async def _observed(transport: Transport, request: Request, call: Call) -> Response:
    from ._events import AttemptFailed, RequestSent, ResponseReceived

    started = call.runtime.monotonic()
    sent = tuple(request.headers.shown())
    call.emit(RequestSent(call.operation, request.method, call.url(request), call.attempts, sent))
    try:
        response = await transport.send(request, call)
    except BaseException as error:
        elapsed = call.runtime.monotonic() - started
        call.emit(AttemptFailed(call.operation, call.attempts, type(error).__name__, elapsed))
        raise
    size = len(response.body) if isinstance(response.body, bytes) else -1
    elapsed, received = call.runtime.monotonic() - started, tuple(response.headers.shown())
    call.emit(ResponseReceived(call.operation, response.status, size, elapsed, received))
    return response
