"""Streamed operations: answers that are read piece by piece, or go to a file, however many requests that takes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, NamedTuple, NoReturn, ParamSpec, Protocol, Self, TypeVar

from ._body import ByteStream
from ._call import Call
from ._errors import UsageError
from ._messages import Request, Response
from ._operations import AsyncOperation, Definition, Descriptor, SyncOperation, check_style
from ._taps import ProgressCallback, Tap, tapped
from ._wiring import Wired

if TYPE_CHECKING:
    from pathlib import Path

P = ParamSpec("P")
At = TypeVar("At")


class Saving(NamedTuple):
    """What a caller wants of a file; see `Stream.to`."""

    path: str | PathLike[str]
    overwrite: bool = False
    sha256: str | None = None
    max_bytes: int | None = None
    progress: ProgressCallback | None = None


class PartSource(Generic[At]):
    """Where a style gets the parts of one streamed operation from.

    Attributes:
        call: the operation's record: its runtime, and the time that it has, if it has one.
    """

    def __init__(
        self, definition: StreamedDefinition[...], client: Wired, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        self.call = Call(definition.name, client._wiring, bounded=False, within=client._call)
        self._definition = definition
        self._client = client._within(self.call)
        self._args = args
        self._kwargs = kwargs

    async def fetch(self, at: At) -> Response:
        """Runs the operation's body for this part. The answer's body is the caller's to close."""
        self.call.attempts += 1
        response: object = await self._definition.invoke(self._client, (at, *self._args), self._kwargs)
        if not isinstance(response, Response):
            raise UsageError(
                f"the body of {self.call.operation} returned a {type(response).__name__}: "
                "return the response of `self.send(..., stream=True)`"
            )
        return response

    def about(self, request: Request) -> None:
        """Notes what is asked for, so that errors can tell."""
        self.call._request = request


class StreamStyle(Protocol[At]):
    """How a service's long answers are had: in one piece, or, after a break, in several."""

    def read(self, source: PartSource[At]) -> ByteStream:
        """The whole, to be read once. Nothing is fetched before it is read."""
        ...

    async def save(self, source: PartSource[At], saving: Saving) -> Path:
        """Puts the whole into a file, and says which."""
        ...


class StreamedDefinition(Definition[P, bytes], Descriptor["SyncStreamed[P]", "AsyncStreamed[P]"]):
    """What `@streamed(style)` makes of a body."""

    def __init__(self, body: Callable[..., Coroutine[Any, Any, Response]], style: StreamStyle[Any]) -> None:
        super().__init__(body, bounded=False, hidden=2)
        self.style = style

    def source(self, client: Wired, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> PartSource[Any]:
        """Where the parts of one call come from. Nothing is sent."""
        return PartSource(self, client, args, kwargs)

    async def run(self, client: Wired, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bytes:
        """The first piece: what `request` and `explain` go by."""
        return await self.style.read(self.source(client, args, kwargs)).read()


class Streaming:
    """One call of a streamed operation, of whatever colour."""

    def __init__(
        self, definition: StreamedDefinition[...], client: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        self._style = definition.style
        self._source = definition.source(client, args, kwargs)
        self._client = client
        self._taps: tuple[Tap, ...] = ()
        self._body: ByteStream | None = None
        self._ended = self._closed = False

    def tap(self, *taps: Tap) -> Self:
        """Has these functions see every piece as it is read, and empty bytes at the end; see `tapped`.

        Raises:
            UsageError: it is being read already: they would miss what went before.
        """
        if self._body is not None:
            raise UsageError(f"{self._name} is being read already: add taps before")
        self._taps += taps
        return self

    @property
    def _name(self) -> str:
        return self._source.call.operation

    def _fresh(self) -> Self:
        if self._ended:
            raise UsageError(f"{self._name} was read to its end, and is read once: call the operation again")
        return self

    async def _next(self) -> bytes:
        """The next piece; empty at the end."""
        if self._closed:
            raise UsageError(f"this stream of {self._name} is closed: call the operation again")
        try:
            if self._body is None:
                self._body = tapped(self._style.read(self._source), *self._taps)
            piece = await self._body.read()
        except BaseException as error:
            self._closed = True
            self._told(error)
        self._ended = not piece
        return piece

    async def _save(self, saving: Saving) -> Path:
        if self._body is not None or self._closed:
            raise UsageError(f"this stream of {self._name} is read or closed already: call the operation again")
        if self._taps:
            raise UsageError("taps see what is iterated over; a file has `sha256=` and `progress=`")
        try:
            return await self._style.save(self._source, saving)
        except BaseException as error:
            self._told(error)

    def _told(self, error: BaseException) -> NoReturn:
        self._source.call.blame(error)
        raise error

    async def _end(self) -> None:
        self._closed = True
        if self._body is not None:
            await self._body.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._name}>"


class Stream(Streaming, Iterator[bytes]):
    """What a streamed operation of a sync client gives: its pieces, once. Nothing is sent before the first is wanted.

    Close it, or use it in a `with` block, where it may be left before its end.
    """

    def __iter__(self) -> Self:
        return self._fresh()

    def __next__(self) -> bytes:
        piece: bytes = self._client._run(self._next())
        if not piece:
            raise StopIteration
        return piece

    def to(
        self,
        path: str | PathLike[str],
        *,
        overwrite: bool = False,
        sha256: str | None = None,
        max_bytes: int | None = None,
        progress: ProgressCallback | None = None,
    ) -> Path:
        """Puts the whole into a file: whole and verified, or not at all.

        Args:
            path: of the file; or a folder, where the service names the file.
            overwrite: whether a file that is there is replaced.
            sha256: what the file's SHA-256 must be, in hexadecimal.
            max_bytes: more than that is refused.
            progress: is told, now and then, the bytes so far, the bytes in all or None, and bytes per second.

        Returns:
            The file's path.

        Raises:
            UsageError: the path cannot be written to, or is there already; before anything is sent, where that can be
                known. `__cause__` is the system's own error.
            BodyTooLargeError: it is longer than `max_bytes`.
            SignatureError: it is not what the service, or `sha256`, says it is.
            ContractError: what came does not belong together.
        """
        saved: Path = self._client._run(self._save(Saving(path, overwrite, sha256, max_bytes, progress)))
        return saved

    def close(self) -> None:
        """Drops what was not read, and the connection with it. May be called again."""
        self._client._run(self._end())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncStream(Streaming, AsyncIterator[bytes]):
    """What a streamed operation of an async client gives: its pieces, once. Nothing is sent before the first is wanted.

    Close it, or use it in an `async with` block, where it may be left before its end.
    """

    def __aiter__(self) -> Self:
        return self._fresh()

    async def __anext__(self) -> bytes:
        piece = await self._next()
        if not piece:
            raise StopAsyncIteration
        return piece

    async def to(
        self,
        path: str | PathLike[str],
        *,
        overwrite: bool = False,
        sha256: str | None = None,
        max_bytes: int | None = None,
        progress: ProgressCallback | None = None,
    ) -> Path:
        """Puts the whole into a file; as `Stream.to`. Files are read and written in a thread."""
        return await self._save(Saving(path, overwrite, sha256, max_bytes, progress))

    async def aclose(self) -> None:
        """Drops what was not read, and the connection with it. May be called again."""
        await self._end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class SyncStreamed(SyncOperation[P, Any]):
    """A streamed operation of a sync client: calling it gives a stream, and sends nothing yet."""

    def __init__(self, definition: StreamedDefinition[P], client: Any) -> None:
        super().__init__(definition, client)
        self._kind = definition

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Stream:
        return Stream(self._kind, self._client, args, kwargs)


class AsyncStreamed(AsyncOperation[P, Any]):
    """A streamed operation of an async client: calling it gives a stream, and sends nothing yet."""

    def __init__(self, definition: StreamedDefinition[P], client: Any) -> None:
        super().__init__(definition, client)
        self._kind = definition

    def __call__(  # type: ignore[override]  # there is nothing to await yet
        self, *args: P.args, **kwargs: P.kwargs
    ) -> AsyncStream:
        return AsyncStream(self._kind, self._client, args, kwargs)


StreamedDefinition.sync = SyncStreamed
StreamedDefinition.awaited = AsyncStreamed


def streamed(
    style: StreamStyle[At],
) -> Callable[[Callable[Concatenate[Any, At, P], Coroutine[Any, Any, Response]]], StreamedDefinition[P]]:
    """Makes a streamed operation of an `async def` method that fetches a part, by `self.send(…, stream=True)`.

    Its time is not bounded in all, but each part of the way is.

    Args:
        style: how the parts are had. The method's first parameter after `self` says which one is wanted; callers do
            not see it.
    """

    check_style("streamed", style, "read", "Download()")

    def define(body: Callable[Concatenate[Any, At, P], Coroutine[Any, Any, Response]]) -> StreamedDefinition[P]:
        return StreamedDefinition(body, style)

    return define
