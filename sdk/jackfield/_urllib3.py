"""The transport of the base install: urllib3's connections, a pool per origin, the same for both colours."""

from __future__ import annotations

import threading
from ssl import SSLContext, create_default_context

from ._call import Call
from ._connection import connection_to
from ._errors import ConfigurationError, UsageError
from ._exchange import Exchange
from ._messages import Request, Response
from ._pool import Pool
from ._url import Origin


class Urllib3Transport:
    """HTTP/1.1 over urllib3's connections. Neither proxies nor `.netrc` are taken from the environment.

    Args:
        max_connections: to one origin at one time.
        ssl_context: how TLS peers are verified; the system's authorities, TLS 1.2 and above, if None.
    """

    def __init__(self, *, max_connections: int = 32, ssl_context: SSLContext | None = None) -> None:
        if max_connections < 1:
            raise ConfigurationError(f"max_connections must be 1 or more, not {max_connections}")
        self._max_connections = max_connections
        self._ssl_context = ssl_context
        self._pools: dict[Origin, Pool] = {}
        self._guard = threading.Lock()
        self._under_way: set[Exchange] = set()
        self._closed = False

    async def send(self, request: Request, call: Call) -> Response:
        """One attempt. Cancelled, it drops its connection."""
        pool = self._pool(request.url.origin)
        exchange = Exchange(pool, request, call, self._under_way.discard)
        try:
            self._under_way.add(exchange)
            exchange.take(await pool.acquire(call))
            return await call.runtime.offload(exchange.run)
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

    def _pool(self, origin: Origin) -> Pool:
        pool = self._pools.get(origin)
        if pool is None or self._closed:
            with self._guard:
                if self._closed:
                    raise UsageError("this transport is closed")
                pool = self._pools.setdefault(
                    origin, Pool(lambda: connection_to(origin, self._context), self._max_connections)
                )
        return pool

    def _context(self) -> SSLContext:
        if self._ssl_context is None:
            self._ssl_context = create_default_context()
        return self._ssl_context
