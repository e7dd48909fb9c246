"""The two clients: the one service in either colour, and what each has of CloudStackAIO's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack
from warnings import warn

from jackfield import AsyncClient, Client, Secret

from ._base import CloudStackOptions
from ._service import CloudStackService

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from ._typing import AsyncCommand, SyncCommand


class ClientSession:
    """What CloudStackAIO's users do with its aiohttp session: see whether it is closed, and close it. It is none."""

    def __init__(self, client: CloudStack | AsyncCloudStack) -> None:
        self._client = client

    @property
    def closed(self) -> bool:
        """Whether the client is."""
        return self._client._closed

    def close(self) -> Any:
        """Closes the client; to be awaited where that is async."""
        return self._client._close_session()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"client_session has no {name!r}: it is no aiohttp session, and is there to be closed")


class CloudStack(CloudStackService, Client):
    __doc__ = CloudStackService.__doc__

    def close(self) -> None:
        """Logs out, where it is logged in, and ends every connection, also those in use. May be called again."""
        self._closed = True
        try:
            self._log_out(self)
        finally:
            super().close()

    @property
    def client_session(self) -> ClientSession:
        """CloudStackAIO's, to be closed."""
        return ClientSession(self)

    @property
    def event_loop(self) -> None:
        """None: this client needs none."""
        return None

    def _close_session(self) -> None:
        """CloudStackAIO's `close`."""
        self.close()

    if TYPE_CHECKING:

        def __getattr__(self, command: str) -> SyncCommand: ...


class AsyncCloudStack(CloudStackService, AsyncClient):
    """Apache CloudStack's API, as `CloudStack` describes it, with awaitable commands.

    Args:
        event_loop: not used, and deprecated: the client runs on the loop that calls it.
    """

    def __init__(
        self,
        end_point: str,
        api_key: str | None = None,
        api_secret: str | Secret | None = None,
        event_loop: object = None,
        async_poll_latency: float = 2,
        max_page_size: int = 500,
        **options: Unpack[CloudStackOptions],
    ) -> None:
        if event_loop is not None:
            warn("event_loop is ignored: leave it out", DeprecationWarning, stacklevel=2)
        super().__init__(end_point, api_key, api_secret, async_poll_latency, max_page_size, **options)

    async def aclose(self) -> None:
        """Logs out, where it is logged in, and ends every connection, also those in use. May be called again."""
        self._closed = True
        try:
            await self._log_out(self)
        finally:
            await super().aclose()

    @property
    def client_session(self) -> ClientSession:
        """CloudStackAIO's, to be closed."""
        return ClientSession(self)

    @property
    def event_loop(self) -> AbstractEventLoop:
        """The loop that runs now: the client has none of its own.

        Raises:
            RuntimeError: none does.
        """
        from asyncio import get_running_loop

        return get_running_loop()

    async def _close_session(self) -> None:
        """CloudStackAIO's `aclose`."""
        await self.aclose()

    if TYPE_CHECKING:

        def __getattr__(self, command: str) -> AsyncCommand: ...
