"""The transport of the base install: urllib3's connections, a pool per origin, the same for both colours."""

from __future__ import annotations

import os
import threading
from functools import partial
from ssl import SSLContext
from weakref import WeakSet

from ._allow import Allow, only_allowed
from ._call import Call
from ._connection import connection_to
from ._errors import ConfigurationError, UsageError
from ._exchange import Exchange
from ._messages import Request, Response
from ._pool import Pool
from ._proxy import Proxy
from ._tls import checked_context
from ._tunnel import refused
from ._url import Origin


class Urllib3Transport:
    """HTTP/1.1 over urllib3's connections. Neither proxies nor `.netrc` are taken from the environment.

    In a forked child it begins without connections.

    Args:
        max_connections: to one origin at one time.
        ssl_context: how TLS peers are verified; the system's authorities, TLS 1.2 and above, if None.
        verify: False goes with a context that does not verify its peers, or makes one; it warns.
        proxy: through which to go, if through one: its URL, or a `Proxy`.
        allow: is asked with an `Origin` and an address of it, an `ipaddress` object, before each connection, whatever
            the request is for; False keeps it from there. From several threads, so it must be quick. Not with a proxy.

    Attributes:
        identity: whose client certificate it may show, for caches: no one's without an `ssl_context`; else this
            object's own, unless you set it, before a client is made with it, to bytes that are the same for the same
            certificate.

    Raises:
        ConfigurationError: a part makes no sense, or a context does not verify and nobody said that this is meant.
    """

    def __init__(
        self,
        *,
        max_connections: int = 32,
        ssl_context: SSLContext | None = None,
        verify: bool = True,
        proxy: str | Proxy | None = None,
        allow: Allow | None = None,
    ) -> None:
        if isinstance(max_connections, bool) or not isinstance(max_connections, int) or max_connections < 1:
            raise ConfigurationError(f"max_connections must be a whole number of 1 or more, not {max_connections!r}")
        if allow is not None and proxy is not None:
            raise ConfigurationError("a proxy looks names up itself: leave out allow=..., and have the proxy refuse")
        self._max_connections = max_connections
        self._ssl_context = checked_context(ssl_context, verify=verify)
        self._proxy = Proxy(proxy) if isinstance(proxy, str) else proxy
        self._allow = allow
        self.identity = b"" if ssl_context is None else os.urandom(16)
        self._closed = False
        self._begin()
        _transports.add(self)

    def _begin(self) -> None:
        self._pools: dict[Origin, Pool] = {}
        self._guard = threading.Lock()
        self._under_way: set[Exchange] = set()

    def _begin_in_child(self) -> None:
        pools = list(self._pools.values())
        self._begin()
        for pool in pools:
            pool.forget()

    async def send(self, request: Request, call: Call) -> Response:
        """One attempt. Cancelled, it drops its connection."""
        pool = self._pool(request.url.origin)
        exchange = Exchange(pool, request, call, self._under_way.discard)
        try:
            self._under_way.add(exchange)
            exchange.take(await pool.acquire(call))
            response = await call.runtime.offload(exchange.run)
            if response.status == 407 and self._is_forwarded(request.url.origin):
                call.unanswered = False  # the proxy has passed nothing on
                raise refused("the proxy answered 407: it wants other credentials", permanent=True)
            return response
        except BaseException:
            exchange.abort()
            raise

    async def close(self) -> None:
        """Ends every connection; calls under way fail with a `ConnectionLostError`."""
        with self._guard:
            self._closed = True
            pools = list(self._pools.values())
        for pool in pools:
            pool.close()
        for exchange in list(self._under_way):
            exchange.abort()

    def _is_forwarded(self, origin: Origin) -> bool:
        return origin.scheme == "http" and self._proxy is not None and self._proxy.server_for(origin) is not None

    def _pool(self, origin: Origin) -> Pool:
        pool = self._pools.get(origin)
        if pool is None or self._closed:
            server = None if self._proxy is None else self._proxy.server_for(origin)
            choose = None if self._allow is None else partial(only_allowed, origin=origin, allow=self._allow)
            with self._guard:
                if self._closed:
                    raise UsageError("this transport is closed")
                pool = self._pools.setdefault(
                    origin,
                    Pool(lambda: connection_to(origin, self._ssl_context, server, choose), self._max_connections),
                )
        return pool


_transports: WeakSet[Urllib3Transport] = WeakSet()


def _begin_in_child() -> None:
    for transport in _transports:
        transport._begin_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
