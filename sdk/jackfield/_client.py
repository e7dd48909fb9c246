"""The two colours of a client: what differs between them, and nothing else."""

from __future__ import annotations

from collections.abc import Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ._errors import ConfigurationError
from ._runtime import SyncRuntime
from ._wiring import Wired

if TYPE_CHECKING:
    from ._runtime import Runtime

T = TypeVar("T")


class Client(Wired):
    """Mixed into a service, gives its operations as plain calls: `class CoreClient(Core, Client)`.

    May be used by several threads at once. Close it, or use it in a `with` block.
    """

    __slots__ = ()

    def _runtime_for(self, given: Runtime | None) -> Runtime:
        if given is not None and not isinstance(given, SyncRuntime):
            raise ConfigurationError(f"a sync client runs on a SyncRuntime, not on a {type(given).__name__}")
        return given or SyncRuntime()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        runtime = self._wiring.runtime
        assert isinstance(runtime, SyncRuntime)
        return runtime.run(work)

    def close(self) -> None:
        """Ends every connection, also those in use. May be called again."""
        self._run(self._wiring.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(Wired):
    """Mixed into a service, gives its operations as awaitables: `class AsyncCoreClient(Core, AsyncClient)`.

    May be used by several tasks at once. Close it, or use it in an `async with` block.
    """

    __slots__ = ()

    def _runtime_for(self, given: Runtime | None) -> Runtime:
        from ._asyncio import AsyncioRuntime

        if isinstance(given, SyncRuntime):
            raise ConfigurationError(
                f"an async client does not run on a {type(given).__name__}: it would block the event loop"
            )
        return given or AsyncioRuntime()

    async def aclose(self) -> None:
        """Ends every connection, also those in use. May be called again."""
        await self._wiring.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
