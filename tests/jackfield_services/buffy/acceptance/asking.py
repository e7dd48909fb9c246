"""A client of ours in either colour, worked from plain code, and what it waits for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from inspect import iscoroutine
from threading import Barrier
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.servers.buffy import Buffy, BuffyServer, past, until

from jackfield import AsyncioRuntime, SyncRuntime
from jackfield_services.buffy import (
    AsyncBuffyClient,
    BuffyClient,
    ReCachingStrategy,
    RequestCacheConfiguration,
    Response,
)

T = TypeVar("T")

WITH_EACH = RequestCacheConfiguration(recaching_strategy=ReCachingStrategy.when_requested())


class _Hurried:
    """Its sleeps take no time, and are counted as if they had; what has to be waited for on sockets is."""

    def __init__(self) -> None:
        super().__init__()
        self.slept = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.slept

    async def sleep(self, seconds: float) -> None:
        self.slept += max(seconds, 0.0)
        await self._pass_on()

    async def _pass_on(self) -> None:
        """Lets others run, where there are any."""


class HurriedSyncRuntime(_Hurried, SyncRuntime):
    """For sync clients of an emulator."""


class HurriedAsyncioRuntime(_Hurried, AsyncioRuntime):
    """For async clients of an emulator."""

    async def _pass_on(self) -> None:
        await asyncio.sleep(0)


class Api:
    """`with Api("async", server, group) as api: api.get(api.request(url).wait())`; closes the client.

    Attributes:
        client: a `BuffyClient`, or an `AsyncBuffyClient`.
        server: whose it is; a URL, where that is no Buffy.
        group: the requests' group.
    """

    def __init__(self, colour: str, server: Buffy | str, group: str, **options: Any) -> None:
        self.server: Any = server
        self.group = group
        self.colour = colour
        self.is_real = isinstance(server, BuffyServer)
        self._runtime: Any = None
        if not self.is_real:
            self._runtime = options["runtime"] = HurriedSyncRuntime() if colour == "sync" else HurriedAsyncioRuntime()
        self._kind = BuffyClient if colour == "sync" else AsyncBuffyClient
        self._runner = asyncio.Runner()
        self.client: Any = self._kind(server if isinstance(server, str) else server.url, group_name=group, **options)

    def get(self, outcome: Any) -> Any:
        """The value of a call."""
        return self._runner.run(outcome) if iscoroutine(outcome) else outcome

    def request(self, url: str, **asking: Any) -> Any:
        """A request that was ordered, or is held."""
        return self.get(self.client.create_request(url, **asking))

    def pieces(self, request: Any, chunk_size: int | None = None) -> list[bytes]:
        """What comes, as it comes."""
        stream = request.download_response_content(*([] if chunk_size is None else [chunk_size]))

        async def collect(source: AsyncIterator[bytes]) -> list[bytes]:
            return [piece async for piece in source]

        return self._runner.run(collect(stream)) if self.colour == "async" else list(stream)

    def content(self, request: Any) -> bytes:
        """All that comes."""
        return b"".join(self.pieces(request))

    def together(self, calls: Iterable[Callable[[], Any]]) -> list[Any]:
        """What calls give that are made at one time: by threads, or by tasks."""
        if self.colour == "sync":
            wanted = list(calls)
            line = Barrier(len(wanted))

            def do(call: Callable[[], Any]) -> Any:
                line.wait()
                return call()

            with ThreadPoolExecutor(len(wanted)) as pool:
                return list(pool.map(do, wanted))

        async def gathered() -> list[Any]:
            return await asyncio.gather(*(call() for call in calls))

        return self._runner.run(gathered())

    def versions(self, request: Any, **which: Any) -> list[Response]:
        """The versions that there are."""
        listed: list[Response] = self.get(request.list_cached_response_versions(**which))
        return listed

    def until(self, found: Callable[[], T | None]) -> T:
        """Asks until there is something; with an emulator, by whose reads time passes, without a pause."""
        return until(found, every=0.2 if self.is_real else 0)

    def next_second(self) -> None:
        """What is cached from here on is a version of its own."""
        if isinstance(self.server, BuffyServer):
            past(time.strftime("%Y%m%d%H%M%S", time.gmtime()))
        else:
            later(self.server)

    def again(self, request: Any, known: Any = None) -> Any:
        """The version that an order brings, of a request that is cached with each: none of those that are known."""
        before = {one.version for one in self.versions(known or request, status=None)}
        self.next_second()

        def ordered() -> Any:
            # Whether an order is heeded is not certain: the server's two processes write the same record.
            self.get(request.order(prefer_cached=False))
            self.get(request.wait())
            new = [one for one in self.versions(request, status=None) if one.version not in before]
            return new[0] if new else None

        return self.until(ordered)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.get(self.client.aclose() if self.colour == "async" else self.client.close())
        if self._runtime is not None:
            self._runner.run(self._runtime.close())
        self._runner.close()


def later(emulator: Any, seconds: float = 1) -> None:
    """Sets its clock forward."""
    now = emulator.now
    emulator.now = lambda: now() + seconds


def named(versions: Sequence[Response]) -> list[str]:
    """What they are called."""
    return [one.version for one in versions]
