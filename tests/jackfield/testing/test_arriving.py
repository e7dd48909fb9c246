"""Bodies of scripted answers: whole within the limits, piece by piece, or not to their end, as of a real transport."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from jackfield import (
    AsyncClient,
    BodyTooLargeError,
    Call,
    Client,
    ConfigurationError,
    ConnectionLostError,
    DeadlineExceededError,
    JackfieldError,
    NetworkError,
    Proceed,
    Request,
    Response,
    Service,
    Stage,
    Step,
    TruncatedBodyError,
    UnavailableError,
    Without,
    hookimpl,
    operation,
    pour,
)
from jackfield.testing import (
    Cut,
    CutBody,
    FakeTransport,
    FaultServer,
    Reply,
    SimulatedNetwork,
    SimulatedRuntime,
    Trouble,
    VirtualSyncRuntime,
)

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour

    from jackfield import Transport

KB = 1024


class Seen(NamedTuple):
    """What came of one call."""

    pieces: list[bytes]
    doubts: list[bool]
    error: str = ""

    @property
    def whole(self) -> bytes:
        return b"".join(self.pieces)


class Core(Service):
    @operation
    async def pieces(self, method: str = "POST", late: float = 0.0) -> Seen:
        """Reads a stream to its end, and past it."""
        response = await self.send(Request(method, self.url("a")), stream=True)
        assert not isinstance(response.body, bytes)
        pieces, doubts = list[bytes](), list[bool]()
        try:
            while True:
                await self.runtime.sleep(late)
                pieces.append(await response.body.read())
                if not pieces[-1]:
                    break
            pieces.append(await response.body.read())
        except JackfieldError as error:
            doubts.append(error.call is not None and error.call.may_have_been_processed)
            with pytest.raises(ConnectionLostError, match="given up"):
                await response.body.read()
            return Seen(pieces, doubts, f"{type(error).__name__}: {error.message}")
        return Seen(pieces, doubts)

    @operation
    async def drop(self) -> str:
        """Reads one piece, and closes."""
        response = await self.send(Request("GET", self.url("a")), stream=True)
        assert not isinstance(response.body, bytes)
        first = await response.body.read()
        await response.body.close()
        await response.body.close()
        try:
            return f"{len(first)} {len(await response.body.read())}"
        except NetworkError as error:
            return f"{len(first)} {type(error).__name__}"

    @operation
    async def whole(self, method: str = "POST") -> Response:
        return await self.send(Request(method, self.url("a")))


class CoreClient(Core, Client): ...


class CoreAsync(Core, AsyncClient): ...


def lines(count: int) -> bytes:
    return b"".join(b"%07d\n" % number for number in range(count))


# --- the same as a real one


BODIES = [b"", b"a", lines(8 * KB), lines(8 * KB) + b"x", lines(20_000)]


@pytest.fixture(params=["fake", "network", "real"])
def answering(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Makes a client of which every request is answered so; and so many bytes of it arrive, if not all."""
    opened: list[Any] = []

    def client(response: Response, after: int | None = None, **options: Any) -> CoreClient:
        assert isinstance(response.body, bytes)
        if request.param == "real":
            reply = Reply(response.status, response.body, dict(response.headers.pairs()))
            head = len(reply.wire()) - len(response.body)
            server = FaultServer(otherwise=reply if after is None else Cut(after=head + after, of=reply))
            opened.append(server.__enter__())
            made = CoreClient(server.url, **options)
        else:
            if after is not None:
                response = response.replace(body=CutBody(response.body, after=after))
            made = CoreClient("http://api.example.test", transport=fake(response), **options)
        opened.append(made)
        return made

    def fake(response: Response) -> Transport:
        if request.param == "fake":
            return FakeTransport(otherwise=response)
        return SimulatedNetwork(lambda _: response, latency=(0, 0))

    yield client
    for one in reversed(opened):
        one.__exit__(None, None, None)


@pytest.mark.parametrize("body", BODIES, ids=len)
def test_a_streamed_body_comes_in_pieces_and_is_empty_past_its_end(answering: Any, body: bytes) -> None:
    seen = answering(Response(200, body=body)).pieces()

    assert seen.whole == body
    assert seen.pieces[-2:] == [b"", b""]
    assert all(seen.pieces[:-2])


@pytest.mark.parametrize("status", [200, 206, 301, 304, 400, 404, 416, 500, 503])
def test_a_streamed_body_is_streamed_whatever_the_status(answering: Any, status: int) -> None:
    client = answering(
        Response(status, body=b"" if status == 304 else lines(20_000)), plugins=[Without("errors"), Without("redirect")]
    )

    assert client.pieces().whole == (b"" if status == 304 else lines(20_000))


def test_a_stream_has_no_limit(answering: Any) -> None:
    assert len(answering(Response(200, body=lines(20_000)), max_body_size=10).pieces().whole) == 160_000


@pytest.mark.parametrize("after", [0, 1, 100_000])
def test_a_streamed_body_that_breaks_off_gives_what_arrived_and_then_the_error(answering: Any, after: int) -> None:
    seen = answering(Response(200, body=lines(20_000)), after).pieces()

    assert seen.whole == lines(20_000)[:after]
    assert seen.error.startswith("TruncatedBodyError")
    assert seen.doubts == [True]  # of a POST


def test_a_stream_that_was_closed_gives_no_more(answering: Any) -> None:
    assert answering(Response(200, body=lines(100_000))).drop().endswith(" ConnectionLostError")


def test_a_body_up_to_the_limit_is_read_as_a_whole(answering: Any) -> None:
    assert answering(Response(200, body=lines(1000)), max_body_size=8000).whole().content == lines(1000)


@pytest.mark.parametrize("size", [200_000, 1_000_000])
def test_a_body_beyond_the_limit_is_an_error_that_leaves_a_doubt(answering: Any, size: int) -> None:
    with pytest.raises(BodyTooLargeError, match="longer than max_body_size, 8000 bytes") as caught:
        answering(Response(200, body=bytes(size)), max_body_size=8000).whole()

    assert caught.value.call is not None
    assert caught.value.call.may_have_been_processed


@pytest.mark.parametrize("after", [0, 1, 100_000])
def test_a_body_that_breaks_off_is_an_error_that_leaves_a_doubt(answering: Any, after: int) -> None:
    with pytest.raises(TruncatedBodyError) as caught:
        answering(Response(200, body=lines(20_000)), after).whole()

    assert caught.value.call is not None
    assert caught.value.call.may_have_been_processed


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 400, 404, 429, 500, 503])
@pytest.mark.parametrize(("size", "after", "limit", "kept"), [(9000, 5, 10_000, 5), (9000, None, 100, 100)])
def test_the_status_of_an_error_or_a_redirect_is_not_lost_for_its_body(
    answering: Any, status: int, size: int, after: int | None, limit: int, kept: int
) -> None:
    client = answering(
        Response(status, body=bytes(size)), after, max_body_size=limit, plugins=[Without("errors"), Without("redirect")]
    )

    response = client.whole()

    assert (response.status, len(response.content)) == (status, kept)


def test_of_an_error_no_more_than_a_message_is_kept(answering: Any) -> None:
    with pytest.raises(UnavailableError) as caught:
        answering(Response(503, body=lines(20_000))).whole()

    assert caught.value.response is not None
    assert caught.value.response.content == lines(8 * KB)


@pytest.mark.parametrize("status", [200, 300, 304, 305])
def test_what_is_no_error_and_no_redirect_is_no_message(answering: Any, status: int) -> None:
    client = answering(Response(status, body=b"" if status == 304 else bytes(9000)), max_body_size=8000)

    if status == 304:
        assert client.whole().content == b""
    else:
        with pytest.raises(BodyTooLargeError):
            client.whole()


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304), ("HEAD", 404)])
def test_some_answers_have_no_body_whatever_is_scripted(answering: Any, method: str, status: int) -> None:
    client = answering(Response(status, body=b"scripted"), plugins=[Without("errors")])

    assert client.whole(method).content == b""
    assert client.pieces(method).whole == b""


# --- what a script may say


@pytest.mark.parametrize(("piece", "sizes"), [(1, [1] * 5), (2, [2, 2, 1]), (5, [5]), (9, [5])])
def test_the_size_of_pieces_is_the_scripts(colour: Colour, piece: int, sizes: list[int]) -> None:
    transports = (
        FakeTransport(otherwise=Response(200, body=b"abcde"), piece=piece),
        SimulatedNetwork(lambda _: Response(200, body=b"abcde"), piece=piece),
        FakeTransport(otherwise=Response(200, body=CutBody(b"abcde__", after=5)), piece=piece),
    )
    for transport in transports:
        seen = colour.get(colour.client(Core, transport).pieces())

        assert [len(one) for one in seen.pieces if one] == sizes


def test_what_is_poured_comes_in_one_buffer_as_a_transports_does(colour: Colour) -> None:
    taken, kept = bytearray(), list[Any]()

    def sink(piece: bytes | memoryview) -> None:
        taken.extend(piece)
        kept.append(piece)

    class Pouring(Service):
        @operation
        async def take(self) -> list[int]:
            response = await self.send(Request("GET", self.url()), stream=True)
            assert not isinstance(response.body, bytes)
            return [await pour(response.body, sink, self.runtime, 5) for _ in range(4)]

    client = colour.client(Pouring, FakeTransport([Response(200, body=b"abcdefgh")], piece=3))

    assert colour.get(client.take()) == [3, 3, 2, 0]
    assert taken == b"abcdefgh"
    assert [bytes(piece) for piece in kept] == [b"ghf", b"ghf", b"gh"]  # of one buffer


@pytest.mark.parametrize("piece", [0, -1, 1.5, True, "64"])
def test_a_piece_has_a_byte_or_more(piece: Any) -> None:
    with pytest.raises(ConfigurationError, match="piece must be a whole number of bytes, 1 or more"):
        FakeTransport(piece=piece)
    with pytest.raises(ConfigurationError, match="piece must be a whole number of bytes, 1 or more"):
        SimulatedNetwork(lambda _: Response(200), piece=piece)


def test_a_cut_body_begins_anew_with_each_answer_of_it_and_so_does_its_error(colour: Colour) -> None:
    scripted = ConnectionLostError("a reset")
    answer = Response(206, body=CutBody(b"abcdef", after=3, error=scripted))
    client = colour.client(Core, FakeTransport([answer, answer], otherwise=answer))

    for _ in range(3):
        seen = colour.get(client.pieces())
        assert (seen.whole, seen.error) == (b"abc", "ConnectionLostError: a reset")
    with pytest.raises(ConnectionLostError, match="a reset"):
        colour.get(client.whole())
    assert scripted.call is None


@pytest.mark.parametrize("after", [-1, 4, 1.0, True, None])
def test_a_cut_body_is_cut_within_the_body(after: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"after must be a number of bytes from 0 to the body's 3, not"):
        CutBody(b"abc", after=after)


def test_a_cut_body_takes_bytes_and_an_error_that_exists() -> None:
    wrong: Any = "text"
    with pytest.raises(ConfigurationError, match="data must be bytes, not str"):
        CutBody(wrong, after=1)
    wrong = ConnectionLostError
    with pytest.raises(ConfigurationError, match=r"error must be an exception, say ConnectionLostError\('why'\)"):
        CutBody(b"abc", after=1, error=wrong)


def test_a_function_may_answer_the_range_that_is_asked_for(colour: Colour) -> None:
    data = lines(100)

    def ranged(request: Request) -> Response:
        start = 300 if request.method == "GET" else 0
        return Response(206, body=CutBody(data[start:], after=300) if start == 0 else data[start:])

    client = colour.client(Core, FakeTransport(otherwise=ranged))

    assert colour.get(client.pieces("POST")).whole + colour.get(client.pieces("GET")).whole == data


class Own:
    """A stream of somebody's own."""

    async def read(self) -> bytes:
        return b""

    async def close(self) -> None: ...


@pytest.mark.parametrize("stream", [False, True])
def test_a_stream_of_ones_own_is_handed_out_as_it_is(colour: Colour, stream: bool) -> None:
    class Sender(Service):
        @operation
        async def get(self) -> Response:
            return await self.send(Request("GET", self.url("a")), stream=stream)

    body = Own()

    assert colour.get(colour.client(Sender, FakeTransport([Response(200, body=body)])).get()).body is body


# --- what is in doubt


class Spy:
    """A plugin that keeps the records of calls."""

    name = "spy"

    def __init__(self) -> None:
        self.calls: list[Call] = []

    @hookimpl
    def jackfield_steps(self) -> Sequence[Step]:
        return [Step(self.name, Stage.LIMIT, self._keep)]

    async def _keep(self, request: Request, call: Call, proceed: Proceed) -> Response:
        self.calls.append(call)
        return await proceed(request, call)


@pytest.mark.parametrize("body", [b"", b"abcdef", Own()], ids=["empty", "bytes", "own"])
def test_nothing_is_in_doubt_when_a_stream_has_come_to_its_end(colour: Colour, body: Any) -> None:
    spy = Spy()

    colour.get(colour.client(Core, FakeTransport([Response(200, body=body)]), plugins=[spy]).pieces())

    assert [call.unanswered for call in spy.calls] == [False]


def test_a_stream_that_was_dropped_stays_in_doubt(colour: Colour) -> None:
    spy = Spy()

    colour.get(colour.client(Core, FakeTransport([Response(200, body=b"abcdef")], piece=6), plugins=[spy]).drop())

    assert [call.unanswered for call in spy.calls] == [True]


@pytest.mark.parametrize("size", [0, 9, 100_000])
@pytest.mark.parametrize("status", [200, 302, 404])
def test_nothing_is_in_doubt_about_an_answer_that_has_come(colour: Colour, status: int, size: int) -> None:
    spy = Spy()
    plugins = [spy, Without("errors"), Without("redirect")]

    colour.get(colour.client(Core, FakeTransport([Response(status, body=bytes(size))]), plugins=plugins).whole())

    assert [call.unanswered for call in spy.calls] == [False]


def test_a_stream_that_has_ended_stays_ended_closed_or_late(colour: Colour) -> None:
    class Reader(Service):
        @operation
        async def read(self) -> list[bytes]:
            body = (await self.send(Request("GET", self.url("a")), stream=True)).body
            assert not isinstance(body, bytes)
            pieces = [await body.read(), await body.read()]
            await body.close()
            await self.runtime.sleep(11)
            return [*pieces, await body.read()]

    client = colour.client(
        Reader, FakeTransport([Response(200, body=b"all")]), timeout=10, plugins=[Without("deadline")]
    )

    assert colour.get(client.read()) == [b"all", b"", b""]


# --- time


@pytest.mark.parametrize("kind", ["fake", "network"])
def test_a_stream_that_is_read_too_late_has_no_more_time(kind: str) -> None:
    fake = FakeTransport(otherwise=Response(200, body=b"abcdef"), piece=1)
    network = SimulatedNetwork(lambda _: Response(200, body=b"abcdef"), latency=(0, 0), piece=1)
    transport: Transport = fake if kind == "fake" else network
    client = CoreClient("http://api.example.test", transport=transport, runtime=VirtualSyncRuntime(), timeout=10)

    seen = client.pieces(late=3)

    assert (seen.whole, seen.error) == (b"abc", "DeadlineExceededError: no complete answer within 10 s")
    assert seen.doubts == [True]


@pytest.mark.parametrize(("status", "body"), [(200, b""), (404, b""), (200, Own())])
def test_an_answer_that_comes_too_late_is_none_and_leaves_a_doubt(status: int, body: Any) -> None:
    runtime = VirtualSyncRuntime()

    async def late(request: Request) -> Response:
        await runtime.sleep(11)
        return Response(status, body=body)

    client = CoreClient("http://api.example.test", transport=FakeTransport([late]), runtime=runtime, timeout=10)

    with pytest.raises(DeadlineExceededError, match="within 10 s") as caught:
        client.whole()
    assert caught.value.call is not None
    assert caught.value.call.may_have_been_processed


def test_a_request_that_comes_too_late_is_not_sent_and_takes_no_answer() -> None:
    class Slow(Service):
        @operation
        async def slow(self) -> Response:
            await self.runtime.sleep(11)
            return await self.send(Request("POST", self.url("a")))

        @operation
        async def quick(self) -> Response:
            return await self.send(Request("POST", self.url("b")))

    class SlowClient(Slow, Client): ...

    transport = FakeTransport([Response(201)])
    client = SlowClient(
        "http://api.example.test",
        transport=transport,
        runtime=VirtualSyncRuntime(),
        timeout=10,
        plugins=[Without("deadline")],
    )

    with pytest.raises(DeadlineExceededError) as caught:
        client.slow()
    assert caught.value.call is not None
    assert not caught.value.call.may_have_been_processed
    assert client.quick().status == 201
    assert [str(request.url)[-1] for request in transport.requests] == ["b"]


# --- a network that cuts


def test_a_network_cuts_a_streamed_body_somewhere_and_each_seed_elsewhere() -> None:
    def lengths(seed: int) -> list[int]:
        runtime = SimulatedRuntime(seed)
        network = SimulatedNetwork(lambda _: Response(200, body=lines(100)), trouble=1.0, kinds=[Trouble.TRUNCATED])
        client = CoreAsync("http://api.example.test", transport=network, runtime=runtime)

        async def main() -> list[int]:
            seen = [await client.pieces() for _ in range(20)]
            assert all(one.error.startswith("TruncatedBodyError") for one in seen)
            assert all(lines(100).startswith(one.whole) for one in seen)
            return [len(one.whole) for one in seen]

        return runtime.run(main())

    assert lengths(1) == lengths(1) != lengths(2)
    assert len(set(lengths(1))) > 10
    assert max(lengths(1)) < 800
