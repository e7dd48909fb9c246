"""The base of a service's definition, whatever the colour of the clients made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from typing import TYPE_CHECKING, Any, TypedDict

from ._call import Call
from ._errors import ConfigurationError, JackfieldError, ServiceError, UsageError
from ._headers import HeaderFields, Headers
from ._messages import Request, Response
from ._options import Options
from ._steps import compile_chain
from ._url import Url
from ._wiring import Closeable, Life, Wired, Wiring, dispatch, identity_of, identity_of_transport

if TYPE_CHECKING:
    from ._runtime import Runtime
    from ._transport import Transport

_USUAL = Options()
_OFFERED = frozenset({"aclose", "cache", "call", "chain", "close", "runtime", "send", "url", "with_options"})
_RESERVED = frozenset({"_call", "_run", "_runtime_for", "_wiring", "_within"})


class ClientOptions(TypedDict, total=False):
    """What every client's constructor takes; a bundle passes it on with `**options: Unpack[ClientOptions]`."""

    plugins: Iterable[object]
    cache: object | None
    transport: Transport | Callable[[], Transport] | None
    runtime: Runtime | None
    timeout: float
    connect_timeout: float
    read_timeout: float
    max_body_size: int
    headers: HeaderFields


class Service(Wired):
    """The base of a service's definition; write operations on it once, then mix in `Client` or `AsyncClient`.

    Args:
        base_url: where the service is, scheme and path included.
        defaults: the plugins that the service declares for itself.
        plugins: what the user wants: plugin objects, names of installed ones, `Without(name)`.
        cache: keeps answers: a plugin like others, `Cache(...)` say. One may serve many clients.
        transport: what carries the requests; one of urllib3's if None. One that is given is left open by `close`; one
            that a function makes, if that is given, is this client's, and closed with it.
        runtime: time and threads; the colour's own if None. One that is given is left open by `close`.
        visible_query: names of query parameters whose values may be shown in errors and events.
        timeout, connect_timeout, read_timeout: in seconds, see `Options`.
        max_body_size: bytes.
        headers: sent with every request.

    Raises:
        UsageError: `base_url` is not an http or https URL (`ConfigurationError` for the rest).
    """

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        from ._client import AsyncClient, Client
        from ._operations import Definition

        if issubclass(cls, Client) and issubclass(cls, AsyncClient):
            raise ConfigurationError(
                f"{cls.__name__} has both colours: make one class with Client, and another with AsyncClient"
            )
        hidden = {name for name, found in vars(cls).items() if isinstance(found, Definition)} & _OFFERED
        if taken := sorted(_RESERVED.intersection(vars(cls)) | hidden):
            raise ConfigurationError(
                f"{cls.__name__} defines {', '.join(taken)}, which jackfield uses: take another name"
            )

    def __init__(
        self,
        base_url: str,
        *,
        defaults: Iterable[object] = (),
        plugins: Iterable[object] = (),
        cache: object | None = None,
        transport: Transport | Callable[[], Transport] | None = None,
        runtime: Runtime | None = None,
        visible_query: Iterable[str] = (),
        timeout: float = _USUAL.timeout,
        connect_timeout: float = _USUAL.connect_timeout,
        read_timeout: float = _USUAL.read_timeout,
        max_body_size: int = _USUAL.max_body_size,
        headers: HeaderFields = (),
    ) -> None:
        from ._defaults import DEFAULTS
        from ._plugins import resolve

        base = Url.parse(base_url)
        sent = Headers(headers).over(Headers({"user-agent": "jackfield"}))
        limits = (timeout, connect_timeout, read_timeout, max_body_size)
        options = Options(*limits, headers=sent, visible_query=frozenset(visible_query)).checked()
        active = resolve([*DEFAULTS, *defaults], plugins, cache)
        own: list[Closeable] = []
        carrier = _carrier(transport, own)
        used = self._runtime_for(runtime)
        if runtime is None:
            own.append(used)
        life = Life(own)
        chain = compile_chain(active.parts, dispatch(carrier, life))
        self._call = None
        carried = identity_of_transport(carrier)
        identity = identity_of(active, options, carried)
        self._wiring = Wiring(base, options, used, carrier, active, chain, identity, carried, life)

    @property
    def runtime(self) -> Runtime:
        """Time, chance, locks and blocking work, for operations' bodies."""
        return self._wiring.runtime

    @property
    def call(self) -> Call:
        """The call that this body serves."""
        if self._call is None:
            raise UsageError("`call` is for the inside of an operation")
        return self._call

    def url(self, *segments: str) -> Url:
        """The service's base URL with path segments added, each escaped."""
        return self._wiring.base.at(*segments)

    async def send(self, request: Request, *, stream: bool = False) -> Response:
        """Sends a request through the chain, from inside an operation.

        Args:
            request: what to send.
            stream: leave the body to be read piece by piece. In an operation that is not bounded each 64 KiB of it have
                the client's `timeout` to arrive in; the time that the reader takes for itself does not count.
        """
        call = self.call
        if call.sends_first() and not stream and call.options is self._wiring.options:
            return await self._wiring.chain.send(request, call)
        own = Call(call.operation, self._wiring, within=call)
        own.stream, own.started = stream, call.started
        try:
            response = await self._wiring.chain.send(request, own)
        except JackfieldError as error:
            error.attach(own.summary())  # before the body is read, at whose end nothing is in doubt as to the answer
            if isinstance(error, ServiceError) and error.response is not None:
                error.response = await error.response.settled()
            raise
        if isinstance(response.body, bytes) or call.deadline < inf:
            return response
        from ._lasting import Lasting  # here, so that importing jackfield stays cheap

        return response.replace(body=Lasting(response.body, own))


def _carrier(given: Transport | Callable[[], Transport] | None, own: list[Closeable]) -> Transport:
    """What carries the requests; what is made here is the client's own.

    Raises:
        ConfigurationError: it is none.
    """
    transport: Any = given
    if given is None:
        from ._urllib3 import Urllib3Transport

        own.append(transport := Urllib3Transport())
    elif callable(given) and not hasattr(given, "send"):
        own.append(transport := given())
    if isinstance(transport, type) or not callable(getattr(transport, "send", None)):
        raise ConfigurationError(
            f"transport is an object that has `send` and `close`, or a function that makes one, not {transport!r}"
        )
    made: Transport = transport
    return made
