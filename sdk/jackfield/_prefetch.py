"""Reading ahead: the next pages are fetched while somebody still works on this one."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, runtime_checkable

from ._errors import UsageError
from ._runtime import SyncRuntime

if TYPE_CHECKING:
    from ._flight import Signal
    from ._page import Page
    from ._runtime import Runtime
    from ._walk import Walk

T = TypeVar("T")


class Ahead(Generic[T]):
    """Walks ahead of who takes the pages: in order, and by a bounded number of pages.

    Who walks, a thread or a task, does so only while there is room: with as many pages ready, or after an error, it
    ends, and another begins when a page has been taken. So nobody is left waiting, whatever becomes of the iterator.

    Args:
        walk: nobody else steps it.
        runtime: of the client whose pages these are.
        most: pages that are ready at one time.
    """

    def __init__(self, walk: Walk[T], runtime: Runtime, most: int) -> None:
        self._walk = walk
        self._runtime = runtime
        self._most = most
        self._process = os.getpid()
        self._lock = Lock()  # held for some lines, and never while anybody waits
        self._ready: deque[Page[T] | BaseException | None] = deque()  # None is the end
        self._came: Signal | None = None
        self._closed = False
        self._walking = False
        self._stopping = False
        self._fetching = False
        self._cancel: Callable[[], object] | None = None

    async def step(self) -> Page[T] | None:
        """The next page; None after the last. An error comes in its place; step again to try that page again."""
        self._mind_fork()
        while not self._ready and not self._closed:
            if self._came is not None:
                raise UsageError("these pages are asked for by two at once: give each an iterator of its own")
            self._came = came = self._runtime.signal()
            try:
                self._begin()
                if not self._ready:
                    await came.wait()
            except BaseException:  # cancelled, or interrupted
                self._stop()
                raise
            finally:
                self._came = None
        outcome = self._take()
        if isinstance(outcome, BaseException):
            try:
                raise outcome
            finally:
                del outcome  # its traceback holds this frame
        if outcome is not None:
            try:
                self._begin()
            except BaseException:
                self._ready.appendleft(outcome)
                raise
        return outcome

    def _mind_fork(self) -> None:
        """Who walked stayed with the parent, which may have held the lock."""
        if self._process != os.getpid():
            self._process, self._lock = os.getpid(), Lock()
            self._walking = self._fetching = False
            self._came = self._cancel = None
            self._walk.begin_anew()

    def close(self) -> None:
        """Ends it for good. Safe from whatever thread, the collector's too."""
        self._closed = True
        self._stop()
        self._wake()

    def _stop(self) -> None:
        """Who walks comes to an end: at once where it can be cancelled, else with the page under way."""
        self._stopping = True
        if self._fetching and (cancel := self._cancel) is not None:
            cancel()

    def _begin(self) -> None:
        with self._lock:
            if self._walking or self._closed or not self._room():
                return
            self._walking, self._stopping = True, False
        work = self._go()
        try:
            self._cancel = _beside(self._runtime, work)
        except BaseException:  # no thread can be had, or it was interrupted when one had begun
            with suppress(ValueError):  # that one is at work, and ends by itself
                work.close()
                self._walking = False
            raise

    def _take(self) -> Page[T] | BaseException | None:
        with self._lock:
            ended = self._closed or self._ready[0] is None
            return None if ended else self._ready.popleft()

    def _room(self) -> bool:
        """Whether to go on: not after the end, nor after an error that nobody has seen yet."""
        ended = self._ready and (self._ready[-1] is None or isinstance(self._ready[-1], BaseException))
        return not ended and len(self._ready) < self._most

    async def _go(self) -> None:
        while self._goes_on():
            self._put(await self._outcome())
        self._wake()

    def _goes_on(self) -> bool:
        with self._lock:
            self._walking = self._room() and not self._stopping
            return self._walking

    async def _outcome(self) -> Page[T] | BaseException | None:
        self._fetching = True
        try:
            return await self._walk.step()
        except Exception as error:
            return error
        except BaseException as error:
            if not self._stopping:  # it was not us who cancelled it
                self._ready.append(error)
            self._walking = False
            self._wake()
            raise
        finally:
            self._fetching = False

    def _put(self, outcome: Page[T] | BaseException | None) -> None:
        self._ready.append(outcome)
        self._wake()

    def _wake(self) -> None:
        if (came := self._came) is not None:
            came.set()


class _Task(Protocol):
    def cancel(self) -> object: ...


@runtime_checkable
class _Spawning(Protocol):
    def spawn(self, work: Coroutine[Any, Any, None], name: str = "") -> _Task: ...


def _beside(runtime: Runtime, work: Coroutine[Any, Any, None]) -> Callable[[], object] | None:
    """Begins work beside the caller's; gives what cancels it, None where that cannot be."""
    if isinstance(runtime, SyncRuntime):
        _in_a_thread(runtime, work)
        return None
    if isinstance(runtime, _Spawning):
        return runtime.spawn(work, "prefetch").cancel
    from asyncio import get_running_loop

    loop = get_running_loop()
    task = loop.create_task(work)

    def cancel() -> None:
        try:
            loop.call_soon_threadsafe(task.cancel)
        except RuntimeError:
            pass  # the loop is closed, and its tasks have ended

    return cancel


def _in_a_thread(runtime: SyncRuntime, work: Coroutine[Any, Any, None]) -> None:
    from contextvars import copy_context
    from threading import Thread

    def run() -> None:
        with suppress(BaseException):  # it was told to who takes the pages
            runtime.run(work)

    # A daemon: a page that hangs does not keep the program from ending.
    Thread(target=copy_context().run, args=(run,), name="jackfield-prefetch", daemon=True).start()
