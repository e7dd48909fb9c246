"""Streamed operations: nothing is sent before it is wanted, each piece comes once, and a style does the rest."""

from __future__ import annotations

import asyncio
import gc
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jackfield import (
    AsyncClient,
    AsyncStream,
    ByteStream,
    Client,
    ConfigurationError,
    ConnectionLostError,
    ContractError,
    DeadlineExceededError,
    JackfieldError,
    NotFoundError,
    PartSource,
    Request,
    Response,
    Saving,
    Service,
    Stream,
    UsageError,
    operation,
    streamed,
)
from jackfield.testing import CutBody, FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour


class InTwo:
    """A style for what comes in two halves; a file is whatever is wanted of it."""

    def __init__(self) -> None:
        self.saved: list[Saving] = []

    def read(self, source: PartSource[int]) -> ByteStream:
        return Halves(source)

    async def save(self, source: PartSource[int], saving: Saving) -> Path:
        self.saved.append(saving)
        await source.fetch(0)
        if saving.max_bytes == 0:
            raise ContractError("it is too long")
        return Path(saving.path)


class Halves:
    def __init__(self, source: PartSource[int]) -> None:
        self._source = source
        self._number = 0
        self._body: ByteStream | None = None
        self.closed = 0

    async def read(self) -> bytes:
        while True:
            if self._body is None:
                if self._number == 2:
                    return b""
                response = await self._source.fetch(self._number)
                self._source.about(Request("GET", self._source.call._wiring.base.at("halves")))
                assert not isinstance(response.body, bytes)
                self._body, self._number = response.body, self._number + 1
            if piece := await self._body.read():
                return piece
            self._body = None

    async def close(self) -> None:
        self.closed += 1
        if self._body is not None:
            await self._body.close()


STYLE = InTwo()


class Files(Service):
    @streamed(STYLE)
    async def export(self, half: int, zone: str, *, deep: bool = False) -> Response:
        """The whole of a zone."""
        return await self.send(Request("GET", self.url(zone, str(half)), query={"deep": str(deep)}), stream=True)

    @operation
    async def length(self) -> int:
        """A stream inside a body."""
        return sum([len(piece) async for piece in self.export("z")])

    @operation
    async def slow(self) -> None:
        """A stream inside a body, with time passing between its pieces."""
        async for _ in self.export("z"):
            await self.runtime.sleep(40)


class FilesClient(Files, Client): ...


class AsyncFilesClient(Files, AsyncClient): ...


def halves(*bodies: Any) -> FakeTransport:
    return FakeTransport([Response(200, body=body) for body in bodies or (b"abcde", b"fgh")], piece=2)


def targets(transport: FakeTransport) -> list[str]:
    return [request.target for request in transport.requests]


# --- iteration


def test_iterating_gives_every_piece_of_every_part_with_the_same_arguments(colour: Colour) -> None:
    transport = halves()
    pieces = colour.take(colour.client(Files, transport).export("z", deep=True))

    assert pieces == [b"ab", b"cd", b"e", b"fg", b"h"]
    assert targets(transport) == ["/v1/z/0?deep=True", "/v1/z/1?deep=True"]


def test_calling_sends_nothing_and_gives_a_stream_of_the_colour(colour: Colour) -> None:
    transport = halves()
    stream = colour.client(Files, transport).export("z")

    assert isinstance(stream, Stream if colour.base is Client else AsyncStream)
    assert repr(stream) == f"<{type(stream).__name__} of export>"
    assert transport.requests == []


def test_a_part_is_fetched_when_its_turn_comes(colour: Colour) -> None:
    transport = halves()
    stream = colour.client(Files, transport).export("z")

    async def some() -> list[bytes]:
        return [await anext(stream) for _ in range(3)]

    pieces = [next(stream) for _ in range(3)] if colour.base is Client else asyncio.run(some())

    assert pieces == [b"ab", b"cd", b"e"]
    assert len(transport.requests) == 1


def test_a_stream_is_read_once_and_a_second_loop_is_an_error_not_an_empty_file(colour: Colour) -> None:
    transport = halves()
    stream = colour.client(Files, transport).export("z")
    colour.take(stream)

    with pytest.raises(UsageError, match="read once"):
        colour.take(stream)
    assert len(transport.requests) == 2


def test_past_its_end_a_stream_goes_on_to_be_at_its_end() -> None:
    stream = FilesClient("https://h", transport=halves()).export("z")

    assert [next(stream, None) for _ in range(7)][5:] == [None, None]


def test_a_loop_that_was_left_may_be_gone_on_with() -> None:
    stream = FilesClient("https://h", transport=halves()).export("z")
    for _ in stream:
        break

    assert list(stream) == [b"cd", b"e", b"fg", b"h"]


def test_a_stream_inside_a_body_is_awaitable_in_both_colours(colour: Colour) -> None:
    assert colour.get(colour.client(Files, halves()).length()) == 8


def test_a_stream_inside_a_bounded_body_shares_its_deadline(colour: Colour) -> None:
    with pytest.raises(DeadlineExceededError):
        colour.get(colour.client(Files, halves(), timeout=60).slow())


def test_a_stream_outside_a_body_has_no_deadline_in_all() -> None:
    client = FilesClient("https://h", transport=halves(), runtime=VirtualSyncRuntime(), timeout=60)

    pieces: list[bytes] = []
    for piece in client.export("z"):
        client._wiring.runtime.elapsed += 1000  # type: ignore[attr-defined]  # virtual time
        pieces.append(piece)

    assert b"".join(pieces) == b"abcdefgh"


# --- errors


def test_an_error_in_the_middle_follows_what_came_before_it_and_says_which_call_it_was(colour: Colour) -> None:
    transport = halves(b"abcd", CutBody(b"efgh", after=2))
    taken: list[bytes] = []

    with pytest.raises(JackfieldError) as caught:
        colour.take(colour.client(Files, transport).export("z"), taken)

    assert taken == [b"ab", b"cd", b"ef"]
    assert caught.value.call is not None
    assert caught.value.call.operation == "export"


def test_after_an_error_a_stream_is_over(colour: Colour) -> None:
    stream = colour.client(Files, FakeTransport([ConnectionLostError("reset"), Response(200)])).export("z")
    with pytest.raises(ConnectionLostError):
        colour.take(stream)

    with pytest.raises(UsageError, match="closed"):
        colour.take(stream)


def test_an_error_of_the_style_s_own_names_operation_url_and_attempts(colour: Colour) -> None:
    stream = colour.client(Files, halves()).export("z")

    def refuse(piece: bytes) -> None:
        raise ContractError("not this")

    with pytest.raises(ContractError) as caught:
        colour.take(stream.tap(refuse))

    call = caught.value.call
    assert call is not None
    assert (call.operation, call.method, call.url) == ("export", "GET", "https://api.example.test/v1/halves")
    assert call.attempts == 1


def test_a_refusal_of_the_service_is_its_error(colour: Colour) -> None:
    with pytest.raises(NotFoundError):
        colour.take(colour.client(Files, FakeTransport([Response(404)])).export("z"))


# --- closing


def test_closing_drops_the_body_and_reading_on_is_an_error(colour: Colour) -> None:
    stream = colour.client(Files, halves()).export("z")

    async def begin() -> None:
        await anext(stream)
        await stream.aclose()
        await stream.aclose()

    if colour.base is Client:
        next(stream)
        stream.close()
        stream.close()
    else:
        asyncio.run(begin())

    with pytest.raises(UsageError, match="closed"):
        colour.take(stream)
    assert stream._body.closed == 2


def test_a_stream_that_was_closed_unread_sends_nothing(colour: Colour) -> None:
    transport = halves()
    stream = colour.client(Files, transport).export("z")

    colour.get(stream.close() if colour.base is Client else stream.aclose())

    with pytest.raises(UsageError, match="closed"):
        colour.take(stream)
    assert transport.requests == []


def test_leaving_a_with_block_closes(colour: Colour) -> None:
    stream = colour.client(Files, halves()).export("z")

    async def work() -> None:
        async with stream as entered:
            assert entered is stream
            await anext(stream)

    if colour.base is Client:
        with stream as entered:
            assert entered is stream
            next(stream)
    else:
        asyncio.run(work())

    assert stream._body.closed == 1


def test_a_stream_that_is_forgotten_before_it_is_read_has_sent_nothing(colour: Colour) -> None:
    transport = halves()
    stream = colour.client(Files, transport).export("z")
    del stream

    gc.collect()

    assert transport.requests == []


# --- taps


def test_taps_see_every_piece_and_the_end(colour: Colour) -> None:
    seen = bytearray()
    pieces: list[bytes] = []
    colour.take(colour.client(Files, halves()).export("z").tap(seen.extend).tap(pieces.append))

    assert bytes(seen) == b"abcdefgh"
    assert pieces == [b"ab", b"cd", b"e", b"fg", b"h", b""]


def test_a_tap_must_be_there_from_the_beginning() -> None:
    stream = FilesClient("https://h", transport=halves()).export("z")
    next(stream)

    with pytest.raises(UsageError, match="before"):
        stream.tap(print)


# --- files


def test_to_hands_the_style_what_the_caller_wants(colour: Colour) -> None:
    client = colour.client(Files, halves(b"", b""))

    def told(received: int, total: int | None, rate: float) -> None: ...

    path = colour.get(client.export("z").to("a", overwrite=True, sha256="00", max_bytes=3, progress=told))
    plain = colour.get(client.export("z").to(Path("b")))

    assert (path, plain) == (Path("a"), Path("b"))
    assert STYLE.saved[-2:] == [Saving("a", True, "00", 3, told), Saving(Path("b"), False, None, None, None)]


def test_an_error_of_saving_says_which_call_it_was(colour: Colour) -> None:
    with pytest.raises(ContractError) as caught:
        colour.get(colour.client(Files, halves()).export("z").to("a", max_bytes=0))

    assert caught.value.call is not None
    assert caught.value.call.operation == "export"


def test_what_is_read_or_tapped_cannot_be_saved_as_well(colour: Colour) -> None:
    client = colour.client(Files, halves())
    read, closed = client.export("z"), client.export("z")
    colour.take(read)
    colour.get(closed.close() if colour.base is Client else closed.aclose())

    for stream, why in ((read, "again"), (closed, "again"), (client.export("z").tap(print), "sha256")):
        with pytest.raises(UsageError, match=why):
            colour.get(stream.to("a"))


# --- as every operation


def test_a_streamed_operation_offers_what_every_operation_does(colour: Colour) -> None:
    transport = halves()
    client = colour.client(Files, transport)

    assert colour.get(client.export.request("z")).target == "/v1/z/0?deep=False"
    assert "export" in str(colour.get(client.export.explain("z")))
    assert transport.requests == []
    assert client.export.__doc__ == "The whole of a zone."
    assert str(inspect.signature(client.export)).startswith("(zone: 'str', *, deep: 'bool' = False)")


def test_a_body_that_returns_no_response_is_told_what_to_return(colour: Colour) -> None:
    class Wrong(Service):
        @streamed(STYLE)
        async def export(self, half: int) -> Any:
            return (await self.send(Request("GET", self.url()))).content

    with pytest.raises(UsageError, match=r"body of export returned a bytes: return the response of `self.send"):
        colour.take(colour.client(Wrong).export())


def test_only_a_coroutine_function_can_be_a_streamed_operation() -> None:
    def plain(self: Any, half: int) -> Any: ...

    with pytest.raises(ConfigurationError, match="async def"):
        streamed(STYLE)(plain)


def test_the_runtime_of_the_call_is_the_client_s() -> None:
    runtime = VirtualAsyncioRuntime()
    stream = AsyncFilesClient("https://h", transport=halves(), runtime=runtime).export("z")

    assert stream._source.call.runtime is runtime
