"""The fault matrix, F11-F22: bodies, codings and heads that are cut, too long, contradictory, or no HTTP at all.

Each row in both colours, whole and streamed. What more there is of each is in tests/jackfield/test_transport.py
(framing, and cuts of plain bodies) and test_decoding.py (codings, every cut).
"""

from __future__ import annotations

import asyncio
import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from tests.clients import COLOURS, Asker

from jackfield import (
    AsyncClient,
    Client,
    ConnectionLostError,
    DeadlineExceededError,
    JackfieldError,
    NetworkError,
    ProtocolError,
    Request,
    Service,
    ServiceError,
    TruncatedBodyError,
    Urllib3Transport,
    operation,
)
from jackfield_plugins.retry import Retry

if TYPE_CHECKING:
    from tests.faults.conftest import Connect as Connected
    from tests.faults.conftest import Kind
    from tests.servers import Peer, Script, Serve

pytestmark = pytest.mark.usefixtures("nothing_left")

ATTEMPTS = 3
Answer = tuple[int, bytes]


class Shelf(Service):
    @operation
    async def whole(self, method: str) -> Answer:
        response = await self.send(Request(method, self.url("things")))
        return response.status, response.content

    @operation
    async def streamed(self, method: str) -> Answer:
        response = await self.send(Request(method, self.url("things")), stream=True)
        assert not isinstance(response.body, bytes)
        pieces: list[bytes] = []
        while piece := await response.body.read():
            pieces.append(piece)
        return response.status, b"".join(pieces)


class SyncShelf(Shelf, Client):
    pass


class AsyncShelf(Shelf, AsyncClient):
    pass


Ask = Callable[[str], Answer]
Connect = Callable[[str], Ask]


@pytest.fixture(params=["sync", "sync-streamed", "async", "async-streamed"])
def connect(request: pytest.FixtureRequest, nothing_left: None) -> Iterator[Connect]:
    """Gives `ask(method)` of a client that has one connection, and tries three times."""
    colour, _, how = request.param.partition("-")
    with ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner())

        def make(url: str) -> Ask:
            transport = Urllib3Transport(max_connections=1)
            stack.callback(lambda: runner.run(transport.close()))
            kind: Any = SyncShelf if colour == "sync" else AsyncShelf
            retry = Retry(max_attempts=ATTEMPTS, base=1e-6, cap=1e-6)
            client = kind(url, transport=transport, plugins=[retry], connect_timeout=3)
            stack.callback(lambda: client.close() if colour == "sync" else runner.run(client.aclose()))
            call = client.streamed if how else client.whole
            return call if colour == "sync" else lambda method: runner.run(call(method))

        yield make


def headed(*fields: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode("latin-1")


def reply(body: bytes, *fields: str, status: str = "200 OK") -> bytes:
    return headed(f"Content-Length: {len(body)}", *fields, status=status) + body


def in_chunks(body: bytes, size: int = 31) -> bytes:
    pieces = (body[n : n + size] for n in range(0, len(body), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


CHUNKED = headed("Transfer-Encoding: chunked")
GOOD = reply(b"next")
TEXT = b"hello, " * 40


def answering(*answers: bytes) -> Script:
    """Answers the n-th request of a connection with the n-th answer, the last for all beyond."""

    def script(peer: Peer) -> None:
        for n, _ in enumerate(peer.requests()):
            peer.send(answers[min(n, len(answers) - 1)])

    return script


def closing(answer: bytes) -> Script:
    """Answers one request, and closes."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer)
        peer.close()

    return script


# --- errors


class Row(NamedTuple):
    """A fault of the matrix: what the server says before it closes, and what comes of it."""

    row: str
    answer: bytes
    kind: type[JackfieldError]
    is_tried_again: bool = False


def coded(body: bytes, coding: str = "gzip") -> bytes:
    return reply(body, f"Content-Encoding: {coding}")


def brotli(body: bytes) -> bytes:
    packed: bytes = import_module("brotli").compress(body)
    return packed


def zstd(body: bytes) -> bytes:
    module = import_module("backports.zstd" if sys.version_info < (3, 14) else "compression.zstd")
    packed: bytes = module.compress(body, options={module.CompressionParameter.checksum_flag: 1})
    return packed


def is_there(name: str) -> bool:
    try:
        import_module(name)
    except ImportError:
        return False
    return True


MORE: dict[str, Callable[[bytes], bytes]] = {}  # codings that not everybody has
if is_there("brotli"):
    MORE["br"] = brotli
if sys.version_info >= (3, 14) or is_there("backports.zstd"):
    MORE["zstd"] = zstd
GZIPPED, DEFLATED = gzip.compress(TEXT), zlib.compress(TEXT)
WRONG_SUM = GZIPPED[:-5] + bytes([GZIPPED[-5] ^ 1]) + GZIPPED[-4:]
WRONG_DEFLATE = DEFLATED[:-1] + bytes([DEFLATED[-1] ^ 1])
WRONG_ZSTD = [zstd(TEXT)[:-1] + bytes([zstd(TEXT)[-1] ^ 1])] if "zstd" in MORE else []
ROWS = [
    Row("F11 short by one", reply(b"hello")[:-1], TruncatedBodyError, True),
    Row("F11 nothing of it", headed("Content-Length: 5"), TruncatedBodyError, True),
    Row("F11 half of it", headed("Content-Length: 100") + b"x" * 50, TruncatedBodyError, True),
    Row("F13 no last chunk", CHUNKED + b"5\r\nhello\r\n", TruncatedBodyError, True),
    Row("F13 in the size", CHUNKED + b"5\r\nhello\r\n1", TruncatedBodyError, True),
    Row("F13 in the data", CHUNKED + b"5\r\nhel", TruncatedBodyError, True),
    Row("F14 bad size", CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n", ProtocolError),
    Row("F14 9 bytes of size", CHUNKED + b"fffffffff0fffffff\r\nhello", ProtocolError),
    Row("F14 negative", CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n", ProtocolError),
    Row("F14 extension of 1 MB", CHUNKED + b"5;" + b"x" * 1_000_000, ProtocolError),
    Row("F15 cut, right length", coded(GZIPPED[:-20]), TruncatedBodyError, True),
    Row("F15 cut by one", coded(GZIPPED[:-1]), TruncatedBodyError, True),
    Row("F15 deflate, cut", coded(zlib.compress(TEXT)[:-4], "deflate"), TruncatedBodyError, True),
    Row("F15 raw deflate, cut", coded(zlib.compress(TEXT, wbits=-15)[:-1], "deflate"), TruncatedBodyError, True),
    Row("F15 cut to nothing", headed("Content-Encoding: gzip", "Connection: close"), TruncatedBodyError, True),
    Row("F15 cut within", coded(zlib.compress(GZIPPED[:-9]), "gzip, deflate"), TruncatedBodyError, True),
    *[Row(f"F15 {name}, cut", coded(pack(TEXT)[:-1], name), TruncatedBodyError, True) for name, pack in MORE.items()],
    *[
        Row(f"F15 {name}, cut in half", coded(pack(TEXT)[:20], name), TruncatedBodyError, True)
        for name, pack in MORE.items()
    ],
    *[Row(f"F15 junk after {name}", coded(pack(TEXT) + b"junk", name), ProtocolError) for name, pack in MORE.items()],
    *[Row(f"F16 {name} announced, and none", coded(b'{"plain": true}', name), ProtocolError) for name in MORE],
    Row("F15 wrong check sum", coded(WRONG_SUM), ProtocolError),
    Row("F15 wrong length in the end", coded(GZIPPED[:-1] + bytes([GZIPPED[-1] ^ 1])), ProtocolError),
    Row("F15 deflate, wrong check sum", coded(WRONG_DEFLATE, "deflate"), ProtocolError),
    *[Row("F15 zstd, wrong check sum", coded(wrong, "zstd"), ProtocolError) for wrong in WRONG_ZSTD],
    Row("F15 junk after it", coded(GZIPPED + b"junk"), ProtocolError),
    Row("F15 junk after deflate", coded(zlib.compress(TEXT) + b"junk", "deflate"), ProtocolError),
    Row("F16 gzip announced, and none", coded(b'{"plain": true}'), ProtocolError),
    Row("F16 gzip announced, and html", coded(b"<html></html>"), ProtocolError),
    Row("F17 two lengths", reply(b"hello", "Content-Length: 3"), ProtocolError),
    Row("F17 two lengths in one line", headed("Content-Length: 5, 3") + b"hello", ProtocolError),
    Row("F17 length and chunks", reply(b"0\r\n\r\n", "Transfer-Encoding: chunked"), ProtocolError),
    Row("F17 length -5", headed("Content-Length: -5") + b"hello", ProtocolError),
    Row("F17 length with a no-break space", headed("Content-Length: 5\xa0") + b"hello", ProtocolError),
    Row("F17 length 1e18", headed("Content-Length: 1" + "0" * 18) + b"x", TruncatedBodyError, True),
    Row("F18 garbage", b"\x00\xff\x16\x03\r\n\r\n", ProtocolError),
    Row("F18 HTTP/0.9", b"<html>hello</html>\r\n", ProtocolError),
    Row("F18 HTTP/0.9 in one breath", b"hello", ConnectionLostError, True),
    Row("F18 status abc", b"HTTP/1.1 abc\r\n\r\n", ProtocolError),
    Row("F18 no status", b"HTTP/1.1 \r\nContent-Length: 0\r\n\r\n", ProtocolError),
    Row("F18 status 20x", headed("Content-Length: 0", status="20x OK"), ProtocolError),
    Row("F18 nothing of HTTP", b"\r\n\r\n", ProtocolError),
    Row("F19 status 99", headed("Content-Length: 0", status="99 Low"), ProtocolError),
    Row("F19 status 099", headed("Content-Length: 0", status="099 Low"), ProtocolError),
    Row("F19 status 000", headed("Content-Length: 0", status="000 None"), ProtocolError),
    *[
        Row(f"F20 101 times {status}", headed(status=f"{status} Interim") * 101 + GOOD, ProtocolError)
        for status in (100, 102, 103)
    ],
    Row("F21 101 unasked", headed("Upgrade: x", status="101 Switching Protocols"), ProtocolError),
]
assert {f"F{n}" for n in (11, 13, 14, 15, 16, 17, 18, 19, 20, 21)} == {row.row[:3] for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=[row.row for row in ROWS])
def test_a_fault_is_a_typed_error_and_the_next_call_is_right(
    serve: Serve, connect_any: Connected, kind: Kind, row: Row
) -> None:
    """F11 and F13-F21."""
    in_a_body = not row.row.startswith(("F18", "F19", "F20", "F21"))
    handed_over = connect_any("http://127.0.0.1:9").streams and in_a_body  # nobody else can ask again
    attempts = kind.attempts if row.is_tried_again and not handed_over else 1
    server = serve(*[closing(row.answer)] * attempts, answering(reply(b"well")))
    caller = connect_any(server.url, *kind.plugins)

    error = caller.fails(row.kind, kind.method, attempts=attempts, body=b"x")

    assert error.call is not None
    assert error.call.may_have_been_processed == (not kind.repeated)
    assert [request.body for request in server.requests] == [b"x"] * attempts
    caller.is_well()
    assert server.connections == attempts + 1


# --- answers


class Good(NamedTuple):
    """What is odd, and yet an answer.

    Attributes:
        reused: whether the connection may carry the next call.
        methods: what may ask for it.
    """

    row: str
    answer: bytes
    given: Answer
    reused: bool = True
    methods: tuple[str, ...] = ("GET", "POST")


OK = (200, b"hello")
GOOD_ROWS = [
    Good("F12 longer than its length", reply(b"hello") + b"junk", OK, False),
    Good("F12 longer by an answer", reply(b"hello") + reply(b"evil"), OK, False),
    Good("F12 longer than its last chunk", CHUNKED + in_chunks(b"hello") + b"junk", OK, False),
    Good("F12 longer than its coding's length", coded(gzip.compress(b"hello")) + b"junk", OK, False),
    Good("F15 whole", coded(gzip.compress(b"hello")), OK),
    Good("F15 two members", coded(gzip.compress(b"hel") + gzip.compress(b"lo")), OK),
    Good("F18 no reason", b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", OK),
    Good("F18 an empty reason", b"HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello", OK),
    *[
        Good(
            f"F20 {times} times {status}",
            headed("Link: </x>", status=f"{status} Interim") * times + reply(b"hello"),
            OK,
        )
        for status in (100, 102, 103)
        for times in (1, 100)
    ],
    Good("F22 304 with a body", headed("Content-Length: 5", status="304 Same") + b"hello", (304, b""), False, ("GET",)),
    Good("F22 304 with a length alone", headed("Content-Length: 5", status="304 Same"), (304, b""), True, ("GET",)),
    Good("F22 304 with a coding", headed("Content-Encoding: gzip", status="304 Same"), (304, b""), True, ("GET",)),
    Good("F22 HEAD in chunks", CHUNKED + in_chunks(b"hello"), (200, b""), False, ("HEAD",)),
    Good("F22 204 with an answer", headed(status="204 No Content") + reply(b"evil"), (204, b""), False),
    Good("F22 204 with a body", headed("Content-Length: 5", status="204 No Content") + b"hello", (204, b""), False),
    Good("F22 204 with a length alone", headed("Content-Length: 5", status="204 No Content"), (204, b""), False),
    Good("F22 204 in chunks", headed("Transfer-Encoding: chunked", status="204 No Content"), (204, b""), False),
    Good("F22 204 of length 0", headed("Content-Length: 0", status="204 No Content"), (204, b"")),
    Good(
        "F39 kept and closed", reply(b"hello").replace(b"\r\n", b"\r\nConnection: keep-alive, close\r\n", 1), OK, False
    ),
    Good(
        "F39 kept and closed, of 1.0",
        b"HTTP/1.0" + reply(b"hello").replace(b"\r\n", b"\r\nConnection: keep-alive, close\r\n", 1)[8:],
        OK,
        False,
    ),
    Good("F22 204 with a coding", headed("Content-Encoding: gzip", status="204 No Content"), (204, b"")),
    Good("F22 HEAD with a body", reply(b"hello"), (200, b""), False, ("HEAD",)),
    Good("F22 HEAD with a coding", headed("Content-Encoding: gzip", "Content-Length: 9"), (200, b""), True, ("HEAD",)),
    Good("F22 length 0 with a coding", coded(b""), (200, b"")),
    Good(
        "F22 no chunk with a coding",
        headed("Content-Encoding: gzip", CHUNKED[17:-4].decode()) + in_chunks(b""),
        (200, b""),
    ),
]


assert {"F12", "F15", "F18", "F20", "F22", "F39"} == {row.row[:3] for row in GOOD_ROWS}


@pytest.mark.parametrize(
    ("row", "method"),
    [pytest.param(row, method, id=f"{row.row} {method}") for row in GOOD_ROWS for method in row.methods],
)
def test_what_is_odd_and_yet_an_answer_is_given(serve: Serve, connect: Connect, row: Good, method: str) -> None:
    """F12, F15, F18, F20, F22, F39."""
    server = serve(answering(row.answer, GOOD), answering(GOOD))
    ask = connect(server.url)

    first, second = ask(method), ask("GET")

    assert (first, second) == (row.given, (200, b"next"))
    assert server.connections == (1 if row.reused else 2)


BAD_MESSAGES = {
    "cut": headed("Content-Length: 50", status="500 Broken") + b"half",
    "cut within a chunk": headed("Transfer-Encoding: chunked", status="500 Broken") + b"32\r\nhalf",
    "a chunk of no size": headed("Transfer-Encoding: chunked", status="500 Broken") + b"zz\r\n",
    "no gzip": headed("Content-Encoding: gzip", "Content-Length: 6", status="500 Broken") + b"<html>",
}


@pytest.mark.parametrize("bad", BAD_MESSAGES)
def test_f11_f13_f15_an_error_whose_message_is_broken_keeps_its_status(
    serve: Serve, connect: Connect, bad: str
) -> None:
    """A proxy's broken page must not hide the status."""

    def cut(peer: Peer) -> None:
        peer.request()
        peer.send(BAD_MESSAGES[bad])
        peer.close()

    server = serve(cut, answering(GOOD))
    ask = connect(server.url)

    with pytest.raises(ServiceError) as caught:
        ask("GET")

    assert caught.value.status == 500
    assert ask("GET") == (200, b"next")
    assert server.connections == 2


@pytest.mark.parametrize("status", [600, 799, 999])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_f19_a_status_nobody_knows_is_an_error_that_tells_it_and_is_not_asked_for_again(
    serve: Serve, connect: Connect, method: str, status: int
) -> None:
    server = serve(answering(reply(b"odd", status=f"{status} Odd"), GOOD))
    ask = connect(server.url)

    with pytest.raises(JackfieldError, match=str(status)):
        ask(method)

    assert len(server.requests) == 1

    assert ask("GET") == (200, b"next")


# --- codings on the wire


def nested(body: bytes) -> bytes:
    return zlib.compress(gzip.compress(body))


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        pytest.param("gzip", gzip.compress, id="gzip"),
        pytest.param("deflate", zlib.compress, id="deflate"),
        *[pytest.param(name, pack, id=name) for name, pack in MORE.items()],
        pytest.param("gzip, deflate", nested, id="nested"),
    ],
)
@pytest.mark.parametrize("framing", ["length", "chunks", "until-closed"])
@pytest.mark.parametrize("framed_whole", [False, True], ids=["cut-by-the-network", "cut-by-the-server"])
def test_f15_a_coded_answer_cut_anywhere_is_whole_or_an_error(
    serve: Serve, connect: Connect, coding: str, pack: Callable[[bytes], bytes], framing: str, framed_whole: bool
) -> None:
    """The cut sweep: by the network, within the framing; and by the server, which then frames what is left of it."""
    packed = pack(TEXT)
    head = f"Content-Encoding: {coding}"

    def answer(body: bytes) -> bytes:
        if framing == "length":
            return reply(body, head)
        chunked = framing == "chunks"
        return headed(head, *(["Transfer-Encoding: chunked"] if chunked else [])) + (
            in_chunks(body) if chunked else body
        )

    def script(peer: Peer) -> None:
        cut = peer.number
        peer.request()
        peer.send(answer(packed[:cut]) if framed_whole else answer(packed)[: len(answer(b"x")) + cut])
        peer.close()

    server = serve(script)
    ask = connect(server.url)
    outcomes: list[str] = []

    while not outcomes or outcomes[-1] != "whole":
        try:
            assert ask("POST") == (200, TEXT)
            outcomes.append("whole")
        except NetworkError as error:
            outcomes.append(type(error).__name__)
        assert len(outcomes) <= 2 * len(packed) + 100

    assert set(outcomes[:-1]) == {"TruncatedBodyError"}
    assert len(outcomes) > len(packed) - 20


def test_f15_chunks_end_where_they_end_although_the_coding_ended_before(serve: Serve, connect: Connect) -> None:
    """The last chunk comes late; the connection is clean only after it."""

    def script(peer: Peer) -> None:
        for _ in peer.requests():
            whole = headed("Content-Encoding: gzip", "Transfer-Encoding: chunked") + in_chunks(gzip.compress(TEXT))
            peer.send(whole[:-5])
            peer.settle()
            peer.send(whole[-5:])

    server = serve(script)
    ask = connect(server.url)

    assert [ask("GET"), ask("GET")] == [(200, TEXT)] * 2
    assert server.connections == 1


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({}, True),
        ({"Accept-Encoding": "identity"}, False),
        ({"accept-encoding": "x"}, False),
        ({"Range": "bytes=1-"}, False),
    ],
    ids=["none", "identity", "own", "range"],
)
def test_codings_are_asked_for_unless_the_caller_says_otherwise(
    serve: Serve, fields: dict[str, str], sent: bool
) -> None:
    server = serve(answering(GOOD))

    with SyncShelf(server.url, headers=fields) as client:
        client.whole("GET")

    found = server.requests[0].get_all("accept-encoding")
    assert len(found) == 1
    assert (
        found[0].startswith("gzip, deflate")
        if sent
        else found == [fields.get("Accept-Encoding", fields.get("accept-encoding", "identity"))]
    )


@pytest.fixture(scope="module")
def endless() -> bytes:
    """Hundreds of millions of empty streams, three codings deep: an hour of work that comes to nothing."""
    inner = gzip.compress(gzip.compress(b"") * 200_000)
    return reply(gzip.compress(inner * 2000), "Content-Encoding: gzip, gzip, gzip")


@pytest.mark.parametrize("colour", COLOURS)
def test_a_body_that_comes_to_nothing_ends_with_the_deadline(serve: Serve, endless: bytes, colour: str) -> None:
    server = serve(answering(endless))

    with Asker(colour, server.url, timeout=0.2) as ask, pytest.raises(DeadlineExceededError):
        ask()


def test_a_body_that_comes_to_nothing_ends_with_the_task_that_wanted_it(serve: Serve, endless: bytes) -> None:
    server = serve(answering(endless), answering(GOOD))

    async def main() -> Answer:
        transport = Urllib3Transport(max_connections=1)
        async with AsyncShelf(server.url, transport=transport, connect_timeout=3, timeout=15) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await client.whole("GET")
            found = await client.whole("GET")
        await transport.close()
        return found

    assert asyncio.run(main()) == (200, b"next")
