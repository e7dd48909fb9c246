"""Runtimes whose clock moves only when somebody sleeps: a day of retries takes no time, and is the same every time."""

from __future__ import annotations

import asyncio
from random import Random

from jackfield import AsyncioRuntime, SyncRuntime

START = 1_700_000_000.0  # what `now` says at first, seconds since 1970


class _VirtualTime:
    """The clock that both have.

    Attributes:
        elapsed: seconds since the start; add to it to let time pass.
        sleeps: every wait so far, in seconds.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.elapsed = 0.0
        self.sleeps: list[float] = []
        chance = Random(seed)
        self.random = chance.random
        self.token_bytes = chance.randbytes

    def monotonic(self) -> float:
        return self.elapsed

    def now(self) -> float:
        return START + self.elapsed

    async def sleep(self, seconds: float) -> None:
        """Moves the clock, at once."""
        self.sleeps.append(seconds)
        self.elapsed += max(seconds, 0.0)
        await self._pass_on()

    async def _pass_on(self) -> None:
        """Lets others run, where there are any."""


class VirtualSyncRuntime(_VirtualTime, SyncRuntime):
    """For sync clients: `CoreClient(…, runtime=VirtualSyncRuntime())`."""


class VirtualAsyncioRuntime(_VirtualTime, AsyncioRuntime):
    """For async clients: `AsyncCoreClient(…, runtime=VirtualAsyncioRuntime())`.

    There is one clock, and every sleep moves it at once: sleeps of several tasks add up. `within` interrupts by the
    real clock.
    """

    async def _pass_on(self) -> None:
        await asyncio.sleep(0)
