"""Uploads over real sockets, in both colours: whole, again, refused early, never taken; and the memory they take."""

from __future__ import annotations

import hmac
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.clients import COLOURS, Asker

from jackfield import (
    ConnectionLostError,
    ReadTimeoutError,
    ServiceError,
    StreamBody,
    UnavailableError,
    UsageError,
)
from jackfield.testing import Cut, FaultServer, Peer, Reply, VirtualAsyncioRuntime, VirtualSyncRuntime
from jackfield_plugins.retry import Retry
from jackfield_plugins.signing import Body, HmacRecipe, HmacSigning, InHeader
from jackfield_plugins.uploads import FilePart, MultipartForm, body_of

RUNTIMES: dict[str, Callable[[], Any]] = {"sync": VirtualSyncRuntime, "async": VirtualAsyncioRuntime}
CONTENT = bytes(range(256)) * 4000
PIECE = 256 * 1024
MEGABYTE = 1024 * 1024
PATIENCE = 0.6  # seconds


@pytest.fixture(params=COLOURS)
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "things.bin"
    file.write_bytes(CONTENT)
    return file


def unchunked(body: bytes) -> bytes:
    """The data of a chunked body (RFC 9112 §7.1)."""
    file, data = io.BytesIO(body), b""
    while size := int(file.readline(), 16):
        data += file.read(size)
        file.read(2)
    return data


def test_a_path_is_sent_with_its_length(colour: str, path: Path) -> None:
    with FaultServer() as server, Asker(colour, server.url) as ask:
        assert ask("PUT", body=body_of(path)).status == 200

        assert server.requests[0].body == CONTENT
        assert server.requests[0].get_all("content-length") == [str(len(CONTENT))]


def test_an_iterator_is_sent_chunked(colour: str) -> None:
    with FaultServer() as server, Asker(colour, server.url) as ask:
        ask("PUT", body=body_of(iter([b"ab", b"", CONTENT])))

        assert unchunked(server.requests[0].body) == b"ab" + CONTENT
        assert server.requests[0].get_all("transfer-encoding") == ["chunked"]


def test_an_iterator_of_known_length_is_not_chunked(colour: str) -> None:
    with FaultServer() as server, Asker(colour, server.url) as ask:
        ask("PUT", body=body_of(iter([b"ab", CONTENT]), length=len(CONTENT) + 2))

        assert server.requests[0].body == b"ab" + CONTENT


@pytest.mark.parametrize("length", [None, len(CONTENT)], ids=["chunked", "length"])
def test_a_form_is_sent_with_its_boundary(colour: str, path: Path, length: int | None) -> None:
    source = iter([CONTENT]) if length is None else path
    form = MultipartForm({"title": "Tea", "file": FilePart(source, filename="x")})

    with FaultServer() as server, Asker(colour, server.url) as ask:
        ask("POST", headers=form.headers, body=form.body)

        received = server.requests[0]
        mark = received.get_all("content-type")[0].partition("boundary=")[2].encode()
        body = unchunked(received.body) if length is None else received.body
        assert body.startswith(b"--" + mark + b"\r\n")
        assert body.endswith(CONTENT + b"\r\n--" + mark + b"--\r\n")


def test_a_form_cannot_smuggle_a_header_or_a_second_request(colour: str) -> None:
    evil = "x\r\nX-Evil: 1\r\n\r\nGET /evil HTTP/1.1\r\nX-Evil: 1\r\n\r\n"
    form = MultipartForm({evil: evil, "f": FilePart(evil.encode(), filename=evil)})

    with FaultServer() as server, Asker(colour, server.url) as ask:
        ask("POST", headers=form.headers, body=form.body)

        assert [request.line for request in server.requests] == ["POST /things HTTP/1.1"]
        assert not server.requests[0].get_all("x-evil")
        heads = [part.partition(b"\r\n\r\n")[0] for part in server.requests[0].body.split(b"--" + mark_of(form))]
        assert b"x-evil: 1\r\n" not in b"".join(heads).lower()


def mark_of(form: MultipartForm) -> bytes:
    return form.headers["content-type"].partition("boundary=")[2].encode()


def test_a_signer_digests_the_form_and_then_it_is_sent(colour: str, path: Path) -> None:
    told: list[int] = []
    form = MultipartForm({"file": FilePart(path)})
    body = body_of(form.body, progress=lambda done, total, rate: told.append(done))
    signer = HmacSigning(HmacRecipe(content=(Body(),), place=InHeader("x-mac"), encoding="hex"), "secret")

    with FaultServer() as server, Asker(colour, server.url, plugins=[signer]) as ask:
        ask("POST", headers=form.headers, body=body)

        received = server.requests[0]
        assert received.get_all("x-mac") == [hmac.digest(b"secret", received.body, "sha256").hex()]
        assert len(received.body) == form.body.length
        assert (told.count(0), told[-1]) == (1, form.body.length)


# --- again


@pytest.mark.parametrize("trouble", [Reply(503), Cut("reset", 0)], ids=["503", "reset"])
@pytest.mark.parametrize("kind", ["path", "file", "bytes", "function", "form"])
def test_a_retried_upload_is_sent_again_in_full(colour: str, path: Path, kind: str, trouble: Any) -> None:
    told: list[int] = []
    with path.open("rb") as file:
        sources: dict[str, Any] = {
            "path": path,
            "file": file,
            "bytes": CONTENT,
            "function": lambda: iter([CONTENT[:10], CONTENT[10:]]),
            "form": MultipartForm({"f": FilePart(path)}).body,
        }
        body = body_of(sources[kind], progress=lambda done, total, rate: told.append(done))
        with (
            FaultServer(trouble) as server,
            Asker(colour, server.url, plugins=[Retry()], runtime=RUNTIMES[colour]()) as ask,
        ):
            assert ask("PUT", body=body).status == 200

            first, second = (received.body for received in server.requests)
    assert first == second
    assert CONTENT in (unchunked(second) if kind == "function" else second)
    assert told.count(0) == 2
    assert told[told.index(0, 1) :] == told[: told.index(0, 1)]


@pytest.mark.parametrize(
    ("trouble", "error"), [(Reply(503), UnavailableError), (Cut("reset", 0), ConnectionLostError)], ids=["503", "reset"]
)
def test_a_body_that_can_be_sent_once_is_not_retried_after_bytes_were_sent(
    colour: str, trouble: Any, error: type[Exception]
) -> None:
    with (
        FaultServer(trouble) as server,
        Asker(colour, server.url, plugins=[Retry()], runtime=RUNTIMES[colour]()) as ask,
    ):
        with pytest.raises(error) as caught:
            ask("PUT", body=body_of(iter([CONTENT])))

        assert caught.value.call.attempts == 1  # type: ignore[attr-defined]  # they are all ours
        assert len(server.requests) == 1


def test_a_file_that_changes_between_two_attempts_is_not_sent_again(colour: str, path: Path) -> None:
    def spoil(peer: Peer) -> None:
        peer.request()
        path.write_bytes(b"other")
        peer.send(Reply(503).wire())

    with (
        FaultServer(spoil) as server,
        Asker(colour, server.url, plugins=[Retry()], runtime=RUNTIMES[colour]()) as ask,
    ):
        with pytest.raises(UsageError, match="has changed"):
            ask("PUT", body=body_of(path))

        assert [received.body for received in server.requests] == [CONTENT]


# --- what cannot be produced


def test_nothing_is_sent_of_what_cannot_be_begun(colour: str, path: Path) -> None:
    body = body_of(path)
    path.unlink()

    with FaultServer() as server, Asker(colour, server.url) as ask:
        with pytest.raises(UsageError, match="could not be produced") as caught:
            ask("POST", body=body)
        ask("GET")

        assert [received.line for received in server.requests] == ["GET /things HTTP/1.1"]
    assert caught.value.call is not None
    assert not caught.value.call.may_have_been_processed


def test_a_progress_callback_that_raises_ends_the_upload_and_the_client_is_well(colour: str) -> None:
    def progress(done: int, total: int | None, rate: float) -> None:
        if done > 3 * PIECE:
            raise BrokenPipeError("the window was closed")

    with FaultServer() as server, Asker(colour, server.url) as ask:
        with pytest.raises(UsageError, match="ended by a tap") as caught:
            ask("PUT", body=body_of(b"x" * 10 * MEGABYTE, progress=progress))
        assert isinstance(caught.value.__cause__, BrokenPipeError)
        assert ask("GET").status == 200

        assert [received.line for received in server.requests] == ["GET /things HTTP/1.1"]


# --- answers that come early

TOO_MUCH = Reply(413, b"too much").wire()
SIZE = 50 * MEGABYTE
BODIES: dict[str, Callable[[], StreamBody]] = {
    "length": lambda: body_of(zeros, length=SIZE),
    "chunked": lambda: body_of(zeros),
    "once": lambda: body_of(zeros()),
}


def zeros() -> Iterator[bytes]:
    return (bytes(MEGABYTE) for _ in range(SIZE // MEGABYTE))


def closing(peer: Peer, answer: bytes) -> None:
    peer.head()
    peer.send(answer)
    peer.close()


def closing_in_the_middle(peer: Peer, answer: bytes) -> None:
    peer.head()
    for _ in range(100):
        peer.read(10_000)
    peer.send(answer)
    peer.close()


def reading_on(peer: Peer, answer: bytes) -> None:
    peer.head()
    peer.send(answer)
    peer.drain()


def deaf(peer: Peer, answer: bytes) -> None:
    """Answers, and neither reads nor closes while the client waits for it."""
    peer.head()
    peer.send(answer)
    peer.ended.wait(2 * PATIENCE)


def deaf_and_slow(peer: Peer, answer: bytes) -> None:
    """The same, when the client has long been waiting for it to read on."""
    peer.head()
    peer.ended.wait(PATIENCE / 4)
    peer.send(answer)
    peer.ended.wait(2 * PATIENCE)


MANNERS = [closing, closing_in_the_middle, reading_on, deaf, deaf_and_slow]


@pytest.mark.parametrize("status", [413, 401])
@pytest.mark.parametrize("manner", MANNERS, ids=lambda manner: manner.__name__)
@pytest.mark.parametrize("kind", BODIES)
def test_an_early_refusal_is_the_outcome(
    colour: str, kind: str, manner: Callable[[Peer, bytes], None], status: int
) -> None:
    answer = Reply(status, b"too much").wire()
    with (
        FaultServer(lambda peer: manner(peer, answer)) as server,
        Asker(colour, server.url, plugins=[Retry()], read_timeout=PATIENCE) as ask,
    ):
        with pytest.raises(ServiceError) as caught:
            ask("POST", body=BODIES[kind]())

        assert caught.value.status == status
        assert caught.value.response is not None
        assert caught.value.response.content == b"too much"
        assert ask("GET").status == 200
        assert server.connections == 2


def test_an_upload_stops_soon_after_it_was_refused(colour: str) -> None:
    told: list[int] = []
    body = body_of(zeros, length=SIZE, progress=lambda done, total, rate: told.append(done))

    with (
        FaultServer(lambda peer: reading_on(peer, TOO_MUCH)) as server,
        Asker(colour, server.url) as ask,
        pytest.raises(ServiceError),
    ):
        ask("POST", body=body)

    assert told[-1] < SIZE


def test_an_early_success_gets_the_whole_body_still(colour: str) -> None:
    def welcoming(peer: Peer) -> None:
        peer.arrives()
        peer.send(Reply(200, b"fine").wire())
        peer.request()

    with FaultServer(welcoming) as server, Asker(colour, server.url) as ask:
        assert ask("PUT", body=body_of(zeros, length=SIZE)).content == b"fine"
        server.wait_for_requests(1)

        assert len(server.requests[0].body) == SIZE


def test_a_server_that_never_reads_is_left_after_the_read_timeout(colour: str) -> None:
    def never(peer: Peer) -> None:
        peer.head()
        peer.ended.wait(2 * PATIENCE)

    with (
        FaultServer(never) as server,
        Asker(colour, server.url, read_timeout=PATIENCE) as ask,
        pytest.raises(ReadTimeoutError),
    ):
        ask("PUT", body=body_of(zeros, length=SIZE))


# --- what it takes of memory

GROWTH = r"""
import re, sys
from jackfield_plugins.uploads import FilePart, MultipartForm, body_of
from pathlib import Path
from tests.clients import Asker

colour, kind, url, small, big = sys.argv[1:]

def peak():  # of this process alone; `getrusage` begins with the peak of the parent
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])

def pieces(path):
    with path.open("rb") as file:
        while piece := file.read(65536):
            yield piece

def upload(ask, path):
    if kind == "form":
        form = MultipartForm({"file": FilePart(path)})
        ask("PUT", headers=form.headers, body=form.body)
    else:
        ask("PUT", body=body_of(path) if kind == "path" else body_of(pieces(path)))

with Asker(colour, url) as ask:
    upload(ask, Path(small))
    before = peak()
    upload(ask, Path(big))
    print(peak() - before)
"""


def swallowing(peer: Peer) -> None:
    """Reads one request and forgets its body."""
    head = peer.head().lower()
    if b"transfer-encoding" in head:
        tail = b""
        while not tail.endswith(b"\r\n0\r\n\r\n"):
            tail = (tail + peer.read(1 << 20))[-8:]
    else:
        left = int(head.partition(b"content-length: ")[2].partition(b"\r")[0])
        while left:
            left -= len(peer.read(min(left, 1 << 20)))
    peer.send(Reply().wire())


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
@pytest.mark.parametrize("kind", ["path", "form", "iterator"])
def test_an_upload_of_200_megabytes_takes_two_of_memory(colour: str, kind: str, tmp_path: Path) -> None:
    small, big = tmp_path / "small", tmp_path / "big"
    for path, size in ((small, MEGABYTE), (big, 200 * MEGABYTE)):
        with path.open("wb") as file:
            file.truncate(size)

    with FaultServer(otherwise=swallowing) as server:
        run = subprocess.run(
            [sys.executable, "-c", GROWTH, colour, kind, server.url, str(small), str(big)],
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert run.returncode == 0, run.stderr
    assert int(run.stdout) <= 2048  # kB
