"""S18-S22, S24, S25: a service that sends too much, and what it may cost.

More of S20 and S22 is in tests/jackfield/test_transport.py (bodies and heads without end, in both colours).
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import time
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from tests.careless import Careless
from tests.clients import COLOURS, Asker
from tests.servers import GUARD

from jackfield import (
    BodyTooLargeError,
    DecodeError,
    Headers,
    JackfieldError,
    Model,
    ProtocolError,
    Request,
    Response,
    ServiceError,
    TruncatedBodyError,
    Url,
    Urllib3Transport,
    parse_http_date,
    parse_retry_after,
)
from jackfield._answer import Answer
from jackfield._decoding import decoded
from jackfield._reference import resolve
from jackfield._source import Source as SocketSource
from jackfield_plugins.auth import parse_challenges
from jackfield_plugins.auth._jwt import expiry
from jackfield_plugins.pagination import parse_links
from jackfield_plugins.retry import Retry
from jackfield_plugins.retry._rate_limit import rate_limit_delay
from jackfield_plugins.retry._server_delay import server_delay
from jackfield_plugins.signing import check_digest_field, digest_preferences
from jackfield_plugins.signing._structured_fields import dictionary, strict
from jackfield_plugins.streaming._disposition import suggested_name

if TYPE_CHECKING:
    from tests.servers import Peer, Script, Serve

pytestmark = pytest.mark.usefixtures("nothing_left")

LIMIT = 10_000_000
FULL = 50_000_000  # bytes that a bomb unpacks to


CLIENTS = pytest.mark.subjects(ours=Urllib3Transport, careless=Careless)
BOTH = pytest.mark.parametrize("colour", COLOURS)


def headed(*fields: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode("latin-1")


def reply(body: bytes, *fields: str) -> bytes:
    return headed(f"Content-Length: {len(body)}", *fields) + body


def answering(*answers: bytes) -> Script:
    def script(peer: Peer) -> None:
        for n, _ in enumerate(peer.requests()):
            peer.send(answers[min(n, len(answers) - 1)])

    return script


# --- S18, S20, S21: memory, measured in a process of its own

MEASURED = """
import sys, time
from jackfield import Client, JackfieldError, Request, Service, operation

class Shelf(Service):
    @operation
    async def size(self) -> int:
        return len((await self.send(Request("GET", self.url("things")))).content)

class SyncShelf(Shelf, Client):
    pass

def peak():  # of this program only, where getrusage tells of the one that started it, too
    status = open("/proc/self/status").read()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024

_, whose, url, limit = sys.argv
if whose == "jackfield":
    fetch = SyncShelf(url, max_body_size=int(limit)).size
else:
    import urllib3
    pool = urllib3.PoolManager(retries=False)
    fetch = lambda: len(pool.request("GET", url + "/things").data)
fetch()  # what is loaded at the first call is loaded now
before, started = peak(), time.process_time()
try:
    outcome = str(fetch())
except Exception as error:
    outcome = type(error).__name__
print(outcome, peak() - before, time.process_time() - started)
"""


class Cost(NamedTuple):
    outcome: str
    growth: int
    cpu_seconds: float


def cost(url: str, whose: str, limit: int = LIMIT) -> Cost:
    """What the second request to a server costs."""
    run = subprocess.run(
        [sys.executable, "-c", MEASURED, whose, url, str(limit)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    outcome, growth, seconds = run.stdout.split()
    return Cost(outcome, int(growth), float(seconds))


def by(compress: Callable[[bytes], bytes], flush: Callable[[], bytes]) -> bytes:
    return b"".join([*(compress(bytes(1_000_000)) for _ in range(FULL // 1_000_000)), flush()])


def gzip_bomb() -> bytes:
    stream = zlib.compressobj(9, wbits=31)
    return by(stream.compress, stream.flush)


def deflate_bomb() -> bytes:
    stream = zlib.compressobj(9)
    return by(stream.compress, stream.flush)


def brotli_bomb() -> bytes:
    stream = import_module("brotli").Compressor(quality=5)
    return by(stream.process, stream.finish)


def zstd_bomb() -> bytes:
    stream = import_module("backports.zstd" if sys.version_info < (3, 14) else "compression.zstd").ZstdCompressor()
    return by(stream.compress, stream.flush)


needs_brotli = pytest.mark.skipif(find_spec("brotli") is None, reason="brotli is not installed")
needs_zstd = pytest.mark.skipif(
    sys.version_info < (3, 14) and (find_spec("backports") is None or find_spec("backports.zstd") is None),
    reason="backports.zstd is not installed",
)
needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell the peak")
WHOSE = pytest.mark.subjects(ours="jackfield", urllib3="urllib3")
BOMBS = [
    pytest.param("gzip", gzip_bomb, id="gzip"),
    pytest.param("deflate", deflate_bomb, id="deflate"),
    pytest.param("br", brotli_bomb, id="br", marks=needs_brotli),
    pytest.param("zstd", zstd_bomb, id="zstd", marks=needs_zstd),
    pytest.param("gzip, gzip", lambda: gzip.compress(gzip_bomb()), id="nested"),
]


@needs_proc
@WHOSE
@pytest.mark.parametrize(("coding", "bomb"), BOMBS)
def test_s18_a_bomb_is_a_typed_error_and_costs_no_more_than_the_limit(
    serve: Serve, subject: str, coding: str, bomb: Callable[[], bytes]
) -> None:
    packed = bomb()
    assert len(packed) < 60_000
    server = serve(answering(reply(b"warm"), reply(packed, f"Content-Encoding: {coding}")))

    measured = cost(server.url, subject)

    assert measured.growth <= 4 * LIMIT
    assert measured.outcome == "BodyTooLargeError"
    assert measured.cpu_seconds < 2


@CLIENTS
@BOTH
def test_s18_who_says_nothing_of_sizes_takes_64_mib_and_no_more(
    serve: Serve, subject: type[Urllib3Transport], colour: str
) -> None:
    def zeros(size: int) -> bytes:
        return reply(gzip.compress(bytes(size), compresslevel=1), "Content-Encoding: gzip")

    server = serve(answering(zeros(64 * 1024 * 1024), zeros(64 * 1024 * 1024 + 1)))

    with Asker(colour, server.url, subject()) as ask:
        assert len(ask().content) == 64 * 1024 * 1024
        with pytest.raises(BodyTooLargeError):
            ask()


def small_pieces(peer: Peer) -> None:
    """Chunks of two bytes each, without end: an object for each would take thirty times the room."""
    peer.request()
    peer.send(reply(b"warm"))
    peer.request()
    peer.send(headed("Transfer-Encoding: chunked"))
    for _ in range(15):
        peer.send(b"2\r\nab\r\n" * 40_000)
    peer.close()


def endless(peer: Peer) -> None:
    peer.request()
    peer.send(reply(b"warm"))
    peer.request()
    peer.send(headed())
    for _ in range(1000):
        peer.send(b"x" * 100_000)
    peer.close()


@needs_proc
@WHOSE
@pytest.mark.parametrize(("script", "limit"), [(endless, LIMIT), (small_pieces, 1_000_000)], ids=["big", "small"])
def test_s20_a_body_without_end_is_stopped_at_the_limit(serve: Serve, subject: str, script: Script, limit: int) -> None:
    server = serve(script)

    measured = cost(server.url, subject, limit)

    assert measured.outcome == "BodyTooLargeError"
    assert measured.growth <= 4 * limit


@CLIENTS
@BOTH
@pytest.mark.parametrize("framing", ["Connection: close", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("status", ["400 Bad Request", "500 Internal Server Error", "503 Service Unavailable"])
def test_s20_of_an_error_without_end_the_status_and_a_beginning_are_kept(
    serve: Serve, subject: type[Urllib3Transport], colour: str, framing: str, status: str
) -> None:
    piece = b"186a0\r\n" + b"x" * 100_000 + b"\r\n" if "chunked" in framing else b"x" * 100_000

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(headed(framing, status=status))
        for _ in range(200):
            peer.send(piece)
        peer.close()

    server = serve(script, answering(reply(b"next")))

    with Asker(colour, server.url, subject(max_connections=1), connect_timeout=3) as ask:
        with pytest.raises(ServiceError) as caught:
            ask()
        assert ask().content == b"next"

    assert caught.value.response is not None
    content = caught.value.response.content  # not compared whole: pytest explains a difference of megabytes at length
    assert (len(content), content.strip(b"x")) == (64 * 1024, b"")


@CLIENTS
@BOTH
@pytest.mark.parametrize("status", ["302 Found", "307 Temporary Redirect", "503 Service Unavailable", "429 Too Many"])
def test_s20_what_comes_with_a_redirect_or_before_another_attempt_is_not_read_to_its_end(
    serve: Serve, subject: type[Urllib3Transport], colour: str, status: str
) -> None:
    sent = [0]

    def endless_message(peer: Peer) -> None:
        peer.request()
        peer.send(headed("Location: /good", "Retry-After: 0", "Transfer-Encoding: chunked", status=status))
        for _ in range(1000):
            peer.send(b"186a0\r\n" + b"x" * 100_000 + b"\r\n")
            sent[0] += 100_000
        peer.close()

    server = serve(endless_message, answering(reply(b"good")))

    retry = Retry(base=1e-6, throttle_base=1e-6, cap=1e-6)
    with Asker(colour, server.url, subject(max_connections=1), plugins=[retry]) as ask:
        assert ask().content == b"good"

    assert server.peer(1).ended.wait(GUARD)
    assert sent[0] < 20_000_000  # what the systems on both sides buffer


@needs_proc
@WHOSE
def test_s21_a_length_of_an_exabyte_takes_no_room(serve: Serve, subject: str) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(reply(b"warm"))
        peer.request()
        peer.send(headed("Content-Length: 1" + "0" * 18) + b"0123456789")
        peer.close()

    measured = cost(serve(script).url, subject)

    assert measured.outcome == "TruncatedBodyError"
    assert measured.growth < 1_000_000


# --- S19: codings in codings


class Source:
    def __init__(self, body: bytes) -> None:
        self.left = body

    def read1(self, size: int, /) -> bytes:
        piece, self.left = self.left[:size], self.left[size:]
        return piece


Unpack = Callable[[bytes, str], bytes]


def unpack(body: bytes, field: str) -> bytes:
    """As the transport does it."""
    source, found = decoded(Source(body), field, lambda: None, may_be_empty=False), b""
    while piece := source.read1(65536):
        found += piece
    return found


def half(body: bytes, field: str) -> bytes:
    """As many do it: what is known is decoded, whatever the rest is, and the end of it does not matter."""
    for name in reversed(field.split(", ")):
        if name == "gzip":
            body = zlib.decompressobj(31).decompress(body)
    return body


def refuses_twelve_codings(unpack: Unpack) -> None:
    body = b"x"
    for _ in range(12):
        body = gzip.compress(body)
    with pytest.raises(ProtocolError):
        unpack(body, ", ".join(["gzip"] * 12))


def decodes_all_or_nothing(unpack: Unpack) -> None:
    packed = gzip.compress(b"hello")
    assert unpack(packed, "utf-8") == packed
    assert unpack(packed, "aes128gcm, gzip") == packed
    assert unpack(packed, "gzip, aes128gcm") == packed


def notices_a_cut(unpack: Unpack) -> None:
    with pytest.raises(TruncatedBodyError):
        unpack(gzip.compress(b"hello")[:-9], "gzip")


@pytest.mark.subjects(ours=unpack, half=half)
@pytest.mark.parametrize("check", [refuses_twelve_codings, decodes_all_or_nothing, notices_a_cut])
def test_s19_codings_are_decoded_wholly_or_refused(subject: Unpack, check: Callable[[Unpack], None]) -> None:
    check(subject)


# --- S22: heads


def repeating(start: bytes, piece: bytes, times: int) -> Script:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(start)
        for _ in range(times):
            peer.send(piece)
        peer.close()

    return script


OK = b"HTTP/1.1 200 OK\r\n"


@CLIENTS
@BOTH
@pytest.mark.parametrize(
    "script",
    [
        repeating(OK, b"X: y\r\n" * 1000, 40),
        repeating(OK + b"X: ", b"x" * 1_000_000, 20),
        repeating(b"", headed(status="103 Early Hints") * 100, 50),
        repeating(OK, b"X: " + b"y" * 60_000 + b"\r\n", 400),
        repeating(OK, b"X: " + b"y" * 60_000 + b"\r\n", 5),
    ],
    ids=["40000-lines", "a-line-of-20-MB", "5000-interim-answers", "24-MB-of-lines", "300-kB-of-lines"],
)
def test_s22_a_head_without_end_is_refused(
    serve: Serve, subject: type[Urllib3Transport], colour: str, script: Script
) -> None:
    server = serve(script, answering(reply(b"next")))

    with Asker(colour, server.url, subject()) as ask:
        with pytest.raises(ProtocolError):
            ask()
        assert ask().content == b"next"


@CLIENTS
@BOTH
def test_s22_the_answer_after_an_interim_one_is_the_answer(
    serve: Serve, subject: type[Urllib3Transport], colour: str
) -> None:
    server = serve(answering(headed("Link: </x>", status="103 Early Hints") + reply(b"hello")))

    with Asker(colour, server.url, subject()) as ask:
        response = ask()

    assert (response.status, response.content, response.headers.get("link")) == (200, b"hello", None)


# --- S24: JSON


class Node(Model):
    name: str = ""


Decode = Callable[[bytes, Any], Any]


def by_json(body: bytes, into: Any) -> Any:
    """As many do it."""
    return json.loads(body)


def by_response(body: bytes, into: Any) -> Any:
    return Response(200, {}, body).decode(into)


JSON_BOMBS: dict[str, tuple[bytes, Any]] = {
    "deep-arrays": (b"[" * 100_000 + b"]" * 100_000, Any),
    "deep-arrays-unended": (b"[" * 100_000, Any),
    "deep-objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, Any),
    "deep-in-what-is-skipped": (b'{"other":' + b"[" * 100_000 + b"]" * 100_000 + b"}", Node),
    "integer-of-a-million-digits": (b"1" * 1_000_000, int),
    "nan": (b'{"a": NaN}', Any),
    "infinity": (b"[-Infinity]", Any),
    "lone-surrogate": (b'{"name": "\\ud800"}', Node),
    "utf-16": (b"\xff\xfe" + '{"name": "a"}'.encode("utf-16-le"), Node),
    "utf-8-broken": (b'{"name": "\xff"}', Node),
}


@pytest.mark.subjects(ours=by_response, json=by_json)
@pytest.mark.parametrize("name", JSON_BOMBS)
def test_s24_json_that_is_none_or_too_deep_is_a_typed_error(subject: Decode, name: str) -> None:
    started = time.thread_time()
    try:
        outcome = subject(*JSON_BOMBS[name])
    except Exception as error:
        outcome = error

    assert isinstance(outcome, DecodeError)
    assert time.thread_time() - started < 2


def test_big_and_good_json_is_read_in_time() -> None:
    started = time.thread_time()

    assert len(by_response(b'"' + b"x" * 50_000_000 + b'"', str)) == 50_000_000
    assert by_response(b'{"name": "a", "name": "b"}', Node) == Node(name="b")  # RFC 8259 §4 leaves it open: the last
    assert time.thread_time() - started < 2


# --- S25: parsers take linear time, and raise what is theirs to raise


def challenges(text: str) -> object:
    return parse_challenges([text])


def date(text: str) -> object:
    return parse_http_date(text, 0.0)


def waiting(text: str) -> object:
    headers = Headers.received([("retry-after", text), ("ratelimit", text), ("x-ratelimit-reset", text)])
    return parse_retry_after(headers, 0.0), rate_limit_delay(text), server_delay(headers, 0.0, throttled=True)


def reference(text: str) -> object:
    return resolve(Request("GET", Url.parse("https://a.test/b/c")), text)


def jwt(text: str) -> object:
    payload = urlsafe_b64encode(text.encode()).decode()
    return expiry(text), expiry(f"a.{text}.b"), expiry(f"a.{payload}.b")


def digests(text: str) -> object:
    check_digest_field(text, b"")
    return digest_preferences(text)


def address(text: str) -> object:
    return Url.parse("https://" + text)


def links(text: str) -> object:
    return parse_links([text])


def codings(text: str) -> object:
    return decoded(Source(b""), text, lambda: None, may_be_empty=True)


class Sent:
    """Stands in for a socket on which a peer has sent a text."""

    def __init__(self, text: str) -> None:
        self._bytes = BytesIO(text.encode("latin-1", "replace"))

    def gettimeout(self) -> float:
        return 1.0

    def recv(self, size: int) -> bytes:
        return self._bytes.read1(size)


def head(text: str) -> None:
    for answer in (text, f"OK\r\nX: {text}", f"OK\r\n{text}: x", f"OK\r\nContent-Length: {text}"):
        peer: Any = Sent(f"HTTP/1.1 200 {answer}\r\n\r\n")
        with suppress(JackfieldError):
            Answer(SocketSource(peer, lambda: 1.0), "GET")


Parse = Callable[[str], object]
PARSERS: dict[str, Parse] = {
    "challenges": challenges,
    "date": date,
    "waiting": waiting,
    "reference": reference,
    "jwt": jwt,
    "digests": digests,
    "dictionary": dictionary,
    "structured": strict,
    "address": address,
    "codings": codings,
    "head": head,
    "links": links,
    "disposition": suggested_name,
}
UNITS = [
    " ",
    "\t",
    ",",
    ";",
    "=",
    '"',
    "\\",
    '\\"',
    "a",
    "1",
    "0",
    "%",
    "%2",
    "%41",
    "/",
    "../",
    "./",
    "?",
    "#",
    ":",
    "@",
    "(",
    ")",
    "[",
    "{",
    '{"a":',
    "<",
    "a=",
    'a="',
    'a="",',
    "a, ",
    "a=1;",
    ";a=1",
    "Basic ",
    "Basic ,",
    'Digest a="b", ',
    "Mon, ",
    "Sunday, ",
    "gzip, ",
    "identity,",
    ":AAAA:",
    "?1",
    "-",
    ".",
    "é",
    "\x00",
    "\x80",
    "\r\nX:",
    "\r\nX: ",
]


AROUND = [("", ""), ("a", "a"), ('"', '"'), ("Basic ", "!"), ("a=", "\x01"), ("Mon, 01 Jan ", "GMT"), ("", "\x01")]


MOST = 0.2  # seconds


def parsed(parse: Parse, text: str) -> tuple[object, float]:
    """What was raised that is not ours to raise, if anything, and the time that it took."""
    started, outcome = time.thread_time(), None
    try:
        parse(text)
    except JackfieldError:
        pass
    except Exception as error:
        outcome = error
    return outcome, time.thread_time() - started


def quadratic(text: str) -> object:
    return re.search(r"[ \t]*$(?<=x)", text[:14_000])


def naked(text: str) -> object:
    return int(text)


@pytest.mark.subjects(ours=PARSERS, quadratic={"blanks": quadratic}, naked={"int": naked})
@pytest.mark.parametrize("around", AROUND)
def test_s25_whatever_is_repeated_is_read_in_linear_time_or_refused(
    subject: Mapping[str, Parse], around: tuple[str, str]
) -> None:
    for name, parse in subject.items():
        for unit in UNITS:
            text = around[0] + unit * (60_000 // max(len(unit), 3)) + around[1]
            outcome, seconds = parsed(parse, text)
            for _ in range(4):
                if MOST <= seconds < 8 * MOST:  # it may be the machine
                    outcome, seconds = parsed(parse, text)
            assert (name, unit, outcome, seconds < MOST) == (name, unit, None, True)
