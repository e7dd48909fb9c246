"""Async iterators as bodies: a task of their own event loop pulls them, a thread takes what there is."""

from __future__ import annotations

import sys
import threading
from collections.abc import AsyncIterable, Callable, Iterator
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, NamedTuple, Self

from jackfield import UsageError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Event, Task

_AHEAD = 256 * 1024  # bytes that are pulled before they are asked for
_LEAST = 1024  # bytes that a piece counts for, however small
_PIECES = (bytes, bytearray, memoryview)
_SMALL = 16 * 1024  # bytes; pieces of less are sent together, if they are there together
_LOOK = 1.0  # seconds between two looks whether the loop still runs


class Home(NamedTuple):
    """Where a body was made: there its pieces are pulled."""

    loop: AbstractEventLoop
    context: Context

    @classmethod
    def current(cls) -> Self | None:
        """This event loop, if there is one."""
        loop = _running_loop()
        return None if loop is None else cls(loop, copy_context())

    def call(self, action: Callable[[], object]) -> None:
        """Does it on the loop, soon; from any thread."""
        try:
            self.loop.call_soon_threadsafe(action)
        except RuntimeError:
            pass  # the loop is closed: its tasks have ended


def _running_loop() -> AbstractEventLoop | None:
    if "asyncio" not in sys.modules:  # who has a loop has imported it
        return None
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class Feed(Iterator[bytes]):
    """The pieces of an async iterator, for a thread that is not its loop's. `aclose` is called in the end.

    Raises:
        UsageError: by `iter`: it would wait in vain; by `next`: its loop has ended, or it was given up.
    """

    _room: Event

    def __init__(self, source: AsyncIterable[bytes], home: Home | None) -> None:
        if home is None:
            raise UsageError(
                "an async iterator is pulled on the event loop on which its body is made: make it in a task"
            )
        self._source = source
        self._home = home
        self._changed = threading.Condition()
        self._pulled: list[bytes] = []
        self._size = 0
        self._taken: Iterator[bytes] = iter(())
        self._task: Task[None] | None = None
        self._pulling: Task[None] | None = None
        self._begun = self._telling = self._unwanted = self._over = False
        self._error: BaseException | None = None

    def __iter__(self) -> Self:
        if _running_loop() is not None or not self._home.loop.is_running():
            raise UsageError(
                "an async iterator is sent by an async client, while the event loop runs on which its body was made: "
                "this is a sync client, or that loop has ended"
            )
        self._begun = True
        self._home.call(self._start)
        return self

    def __next__(self) -> bytes:
        for piece in self._taken:
            return piece
        self._taken = iter(self._take())
        return next(self._taken)

    def abort(self) -> None:
        """Pulls no more; who waits is woken by the end of it. From any thread."""
        self._unwanted = True
        self._home.call(self._stop)

    def close(self) -> None:
        """Pulls no more, and waits until the iterator is closed; not on its own loop, which would wait for itself."""
        self.abort()
        if self._begun and _running_loop() is not self._home.loop:
            self._wait(lambda: self._over)

    def _take(self) -> list[bytes]:
        """All that was pulled; nothing at the end."""
        runs = self._wait(lambda: self._pulled or self._over)
        if self._unwanted or not runs:
            raise UsageError("the upload was given up, or the event loop that pulls its pieces has ended")
        with self._changed:
            taken, self._pulled = self._pulled, []
            size, self._size = self._size, 0
        if size < _SMALL * (len(taken) - 1):  # each piece is sent, and wakes its peer, by itself
            taken = [b"".join(taken)]
        if size >= _AHEAD:
            self._home.call(self._room.set)
        if not taken and self._error is not None:
            raise self._error
        return taken

    def _wait(self, done: Callable[[], object]) -> bool:
        """Until it is done; False if it never will be, as the loop has ended."""
        with self._changed:
            while not self._changed.wait_for(done, _LOOK):
                if not self._home.loop.is_running():
                    return False
        return True

    def _start(self) -> None:
        from asyncio import Event

        self._room = Event()
        self._room.set()
        self._task = self._home.loop.create_task(self._pull(), context=self._home.context.copy())
        self._task.add_done_callback(self._end)

    def _stop(self) -> None:
        pulling, self._pulling = self._pulling, None
        if pulling is not None:
            pulling.cancel()

    async def _pull(self) -> None:
        pieces = aiter(self._source)
        self._pulling = self._task
        try:
            if not self._unwanted:
                async for piece in pieces:
                    self._put(piece)
                    await self._room.wait()
        finally:
            self._pulling = None  # the end is not interrupted
            if (aclose := getattr(pieces, "aclose", None)) is not None:
                await aclose()

    def _put(self, given: bytes | bytearray | memoryview) -> None:
        if not isinstance(given, _PIECES):
            raise TypeError(f"a piece is a {type(given).__name__}, not bytes")
        piece = bytes(given)  # whoever makes it may use its buffer again, as soon as it is asked for the next
        with self._changed:
            self._pulled.append(piece)
            self._size += max(len(piece), _LEAST)
            full = self._size >= _AHEAD
        if full:
            self._room.clear()
            self._tell()
        elif not self._telling:
            self._telling = True
            self._home.loop.call_soon(self._tell)  # when the iterator waits: till then there may be more

    def _tell(self) -> None:
        self._telling = False
        with self._changed:
            self._changed.notify_all()

    def _end(self, task: Task[None]) -> None:
        with self._changed:
            self._error = (
                UsageError("the task that pulls the pieces was cancelled") if task.cancelled() else task.exception()
            )
            self._over = True
            self._changed.notify_all()
