"""One entity on its way into one file."""

from __future__ import annotations

import re
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from jackfield import ByteStream, ContractError, NetworkError, PartSource, Saving, Tap, UsageError, pour

from ._digests import Digest
from ._entity import Entity
from ._pace import Resumption
from ._part import Held, Part
from ._part_file import PartFile
from ._target import Target
from ._transfer import Transfer

_AT_ONCE = 2 * 1024 * 1024  # bytes that are written at most before progress is told
_RECALLED = 16 * 1024 * 1024  # bytes that are read back at most in one turn of a thread
_sha256 = re.compile(r"[0-9A-Fa-f]{64}").fullmatch


class Save:
    """Puts it in its place, or leaves that as it was.

    Raises:
        UsageError: what the caller wants makes no sense.
    """

    may_begin_again = True

    def __init__(self, source: PartSource[Part], saving: Saving, settings: Resumption) -> None:
        if find_spec("fcntl") is None:
            raise UsageError("files are saved on POSIX systems only: iterate over the stream, and write what comes")
        most, self._progress = saving.max_bytes, saving.progress
        if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 0):
            raise UsageError(f"max_bytes is a number of bytes, not {most!r}")
        if self._progress is not None and not callable(self._progress):
            raise UsageError("progress is a function of the bytes so far, the bytes in all, and bytes per second")
        self._saving = saving
        self._runtime = source.call.runtime
        self._transfer = Transfer(source, self, settings, digest=_digest(saving.sha256), max_bytes=most)
        self._target: Target | None = None
        self._file: PartFile | None = None
        self._left = False
        self._came = 0

    async def run(self) -> Path:
        """Gives the file's path."""
        path, overwrite = self._saving.path, self._saving.overwrite
        self._target = await self._runtime.offload(lambda: Target.of(path, overwrite=overwrite))
        try:
            if self._target.name is not None:
                self._transfer.resume((await self._opened(self._target)).held)
            await self._fill()
            assert self._file is not None
            await self._runtime.offload(self._file.finish)
        except BaseException as error:
            await self._leave(error)
            raise
        return self._target.path

    async def begin(self, entity: Entity, size: int) -> Held:
        """All of an entity comes now: in the place of what there is, unless that is the beginning of the same."""
        file = self._file
        if file is None:  # its name was not known before
            assert self._target is not None
            self._target = await self._runtime.offload(partial(self._target.named, entity.name))
            file = await self._opened(self._target)
            if file.held.size and file.held._replace(size=0) == entity.held:
                return file.held
        await self._runtime.offload(partial(file.begin, entity.held))
        return entity.held

    async def recall(self, tap: Tap) -> None:
        """Reads back what there is."""
        size = self._transfer.size
        for start in range(0, size, _RECALLED):
            assert self._file is not None
            await self._runtime.offload(partial(self._file.recall, start, _RECALLED, tap))

    async def _opened(self, target: Target) -> PartFile:
        def open() -> PartFile:
            self._file = file = PartFile(target)
            if self._left:  # the task was cancelled meanwhile
                file.leave(keep=True)
            return file

        return await self._runtime.offload(open)

    async def _fill(self) -> None:
        began = self._runtime.monotonic()
        going = True
        while going:
            going = await self._transfer.advance(self._take)
            if self._progress is not None:
                seconds = self._runtime.monotonic() - began
                rate = self._came / seconds if seconds > 0 else 0.0
                self._progress(self._transfer.size, self._transfer.held.total, rate)

    async def _take(self, body: ByteStream) -> int:
        return await pour(body, self._write, self._runtime, _AT_ONCE)

    def _write(self, piece: bytes | memoryview) -> None:
        assert self._file is not None
        self._file.write(piece)
        self._came += len(piece)
        self._transfer.took(piece)

    async def _leave(self, error: BaseException) -> None:
        """What came stays for another try, unless it is what is wrong."""
        self._left = True
        await self._transfer.close()
        if (file := self._file) is None:
            return
        wrong = isinstance(error, ContractError) or (isinstance(error, NetworkError) and error.permanent)
        leave = partial(file.leave, keep=not wrong)
        try:
            if not isinstance(error, GeneratorExit):  # after which nothing may be awaited
                await self._runtime.offload(leave)
        except UsageError:
            pass  # the client is closed, and has no threads any more
        finally:
            leave()


def _digest(sha256: str | None) -> Digest | None:
    if sha256 is None:
        return None
    if not isinstance(sha256, str) or not _sha256(sha256):
        raise UsageError("sha256 is the digest of the file in hexadecimal, 64 characters")
    return Digest("sha256", bytes.fromhex(sha256))
