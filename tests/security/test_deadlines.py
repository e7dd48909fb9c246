"""S23: a service, a proxy or a name server that takes its time cannot take more than a call has."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from tests.clients import COLOURS, Asker
from tests.servers.certificates import Authority
from tests.servers.proxy import ESTABLISHED

from jackfield import (
    Call,
    DeadlineExceededError,
    JackfieldError,
    ReadTimeoutError,
    Request,
    Response,
    StreamBody,
    Urllib3Transport,
)
from jackfield.testing import VirtualAsyncioRuntime, VirtualSyncRuntime
from jackfield_plugins.retry import Retry

if TYPE_CHECKING:
    from tests.servers import Peer, Script, Serve
    from tests.stalls import Stalls

pytestmark = pytest.mark.usefixtures("nothing_left")

TOTAL = 2.0
BOTH = pytest.mark.parametrize("colour", COLOURS)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
DRIPS: dict[str, tuple[bytes, bytes]] = {
    "the status line": (b"HTTP/1.1 200 ", b"x"),
    "a header": (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "interim answers": (b"", b"HTTP/1.1 103 Hints\r\n\r\n"),
    "a body": (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
    "a body without a length": (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    "chunks": (CHUNKED, b"1\r\nx\r\n"),
    "a trailer": (CHUNKED + b"0\r\n", b"X: y\r\n"),
    "the message of an error": (b"HTTP/1.1 500 Broken\r\nContent-Length: 100000\r\n\r\n", b"x"),
    "a redirect's body": (b"HTTP/1.1 302 Found\r\nContent-Length: 100000\r\n\r\n", b"x"),
}


def dripping(start: bytes, drop: bytes) -> Script:
    """A drop every 0.3 s, so that no silence is too long; and in the end, later than anybody should wait, no more."""

    def script(peer: Peer) -> None:
        peer.arrives()
        peer.send(start)
        peer.drip([drop] * 11, every=0.3)
        peer.close()

    return script


def hanging(peer: Peer) -> None:
    peer.arrives()
    peer.drain()


def deaf(peer: Peer) -> None:
    """Reads nothing of a request that is too long for what lies between."""
    peer.wait(threading.Event())


class Shape(NamedTuple):
    """Somebody who takes his time: where that is, by which way, and what is asked there."""

    url: str
    transport: Callable[[], Urllib3Transport] = Urllib3Transport
    method: str = "GET"
    body: Callable[[], bytes | StreamBody] = bytes


class Slow:
    """All of them. `close` lets go of what hangs."""

    def __init__(self, serve: Serve, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._stack = ExitStack()
        self._told = threading.Event()
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)
        authority = Authority()
        context = authority.issue("127.0.0.1").server_context(folder)
        told = b"\x16\x03\x03\x3f\xff"
        slowly = dripping(b"HTTP/1.1 200 Established\r\nX: ", b"x")

        def tunnel_to_nobody(peer: Peer) -> None:
            peer.request()
            peer.send(ESTABLISHED)
            hanging(peer)

        def by(proxy: str) -> Callable[[], Urllib3Transport]:
            return lambda: Urllib3Transport(proxy=proxy)

        def trusting() -> Urllib3Transport:
            return Urllib3Transport(ssl_context=authority.client_context())

        def at(script: Script) -> str:
            return serve(script).url

        def over_tls(url: str) -> str:
            return url.replace("http:", "https:")

        self.shapes = {
            **{f"drips {name}": Shape(at(dripping(*drip))) for name, drip in DRIPS.items()},
            "is silent": Shape(at(hanging)),
            "is silent over tls": Shape(serve(hanging, tls=context).url, trusting),
            "drips over tls": Shape(serve(dripping(*DRIPS["a header"]), tls=context).url, trusting),
            "hangs in the handshake": Shape(over_tls(at(hanging))),
            "drips the handshake": Shape(over_tls(at(dripping(told, b"\0")))),
            "hangs in connect": Shape(f"http://127.0.0.1:{self._full()}"),
            "hangs in the look-up": Shape("http://hangs.test"),
            "hangs in connect to the proxy": Shape("https://any.test", by(f"http://127.0.0.1:{self._full()}")),
            "hangs in the look-up of the proxy": Shape("https://any.test", by("http://hangs.test:1")),
            "hangs in CONNECT": Shape("https://any.test", by(at(hanging))),
            "drips the answer to CONNECT": Shape("https://any.test", by(at(slowly))),
            "hangs in the handshake with the proxy": Shape("https://any.test", by(over_tls(at(hanging)))),
            "hangs in the handshake through the tunnel": Shape("https://any.test", by(at(tunnel_to_nobody))),
            "takes no upload": Shape(at(deaf), method="PUT", body=lambda: StreamBody(lambda: [b"x" * 100_000] * 1000)),
        }

    def close(self) -> None:
        self._told.set()
        self._stack.close()

    def _look_up(self, host: str, port: int, *rest: Any, **options: Any) -> Any:
        if host == "hangs.test" and not options.get("flags"):
            self._told.wait()
            host = "127.0.0.1"
        return self._real(host, port, *rest, **options)

    def _full(self) -> int:
        """A port whose connections do not come about: beyond its backlog the kernel answers nobody."""
        full = self._stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            waiting = self._stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        port: int = full.getsockname()[1]
        return port


@pytest.fixture
def slow(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    every = Slow(serve, tmp_path, monkeypatch)
    yield every
    every.close()


def outcome(colour: str, shape: Shape, options: dict[str, Any]) -> tuple[str, float]:
    """What comes of one call, and after how many seconds by the call's own clock, however slow this machine is."""
    with Asker(colour, shape.url, shape.transport(), **options) as asked:
        try:
            asked(shape.method, body=shape.body())
        except JackfieldError as error:
            return type(error).__name__, error.call.elapsed if error.call is not None else 0.0
        return "an answer", 0.0


@pytest.mark.subjects(
    ours={"timeout": TOTAL, "plugins": [Retry()]},
    by_silence={"read_timeout": TOTAL, "connect_timeout": TOTAL, "timeout": 3600},  # as others do it
)
@BOTH
def test_s23_whoever_takes_his_time_cannot_take_more_than_there_is(
    subject: dict[str, Any], colour: str, slow: Slow, stalls: Stalls
) -> None:
    """All at once, which takes no longer than one."""
    with ThreadPoolExecutor(len(slow.shapes)) as threads:
        outcomes = {name: threads.submit(outcome, colour, shape, subject) for name, shape in slow.shapes.items()}
        found = {name: outcome.result() for name, outcome in outcomes.items()}

    wrong = {
        name: (told, seconds)
        for name, (told, seconds) in found.items()
        if told != DeadlineExceededError.__name__ or not stalls.in_time(seconds, TOTAL)
    }
    assert wrong == {}


class Silent:
    """A transport of a service that never says anything."""

    async def send(self, request: Request, call: Call) -> Response:
        await call.runtime.sleep(call.limit(call.options.read_timeout))
        raise ReadTimeoutError("silence")

    async def close(self) -> None: ...


@pytest.mark.subjects(ours={}, endless={"timeout": 1e8, "read_timeout": 1e8})
@BOTH
def test_s23_who_says_nothing_of_time_waits_for_a_minute_at_most(subject: dict[str, float], colour: str) -> None:
    runtime: Any = VirtualSyncRuntime() if colour == "sync" else VirtualAsyncioRuntime()
    silent: Any = Silent()

    with (
        Asker(colour, "http://service.test", silent, runtime=runtime, plugins=[Retry()], **subject) as asked,
        pytest.raises((ReadTimeoutError, DeadlineExceededError)),
    ):
        asked()

    assert 0 < runtime.elapsed <= 60
