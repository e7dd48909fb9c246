"""The fault matrix, F40-F44: what goes wrong on the caller's own side, and must not reach the next call."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.servers import GUARD
from tests.servers.authorization import API, TOKEN_URL, AuthorizationServer

from jackfield import (
    DeadlineExceededError,
    JackfieldError,
    PoolTimeoutError,
    ReadTimeoutError,
    Request,
    Response,
    StreamBody,
    UnavailableError,
)
from jackfield.testing import FakeTransport
from jackfield_plugins.auth import ClientSecretBasic, FileTokenStore, Grant, OAuth2
from jackfield_plugins.retry import Retry

if TYPE_CHECKING:
    from tests.faults.conftest import Connect
    from tests.servers import Peer, Script, Serve

pytestmark = pytest.mark.usefixtures("nothing_left")

WELL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell"
LATE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate"
BOTH = pytest.mark.parametrize("method", ["GET", "POST"])


def answering(peer: Peer) -> None:
    for _ in peer.requests():
        peer.send(WELL)


# --- F40: answers that come when nobody waits for them any more


START = 1_700_000_000  # what virtual clocks say at first
PARTS = {"nothing": 0, "half-a-head": 20, "half-a-body": len(LATE) - 2}


def late(told: threading.Event, part: int) -> Script:
    """Sends a part of an answer, and the rest when it is told to, if the client is still there; and answers well on."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(LATE[:part])
        peer.wait(told)
        try:
            peer.send(LATE[part:])
        except OSError:
            return
        answering(peer)

    return script


@BOTH
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    ("limits", "kind"),
    [({"read_timeout": 0.05}, ReadTimeoutError), ({"timeout": 0.5}, DeadlineExceededError)],
    ids=["read-timeout", "deadline"],
)
def test_f40_a_late_answer_of_a_call_that_gave_up_is_never_the_next_ones(
    serve: Serve, connect_any: Connect, limits: dict[str, float], kind: type[JackfieldError], part: str, method: str
) -> None:
    told = threading.Event()
    server = serve(late(told, PARTS[part]), answering)
    caller = connect_any(server.url, virtual=False)

    caller.view(**limits).fails(kind, method)
    told.set()

    caller.is_well()
    assert server.connections == 2
    assert server.peer(1).ended.wait(GUARD)


@BOTH
@pytest.mark.parametrize("part", PARTS)
def test_f40_a_late_answer_of_a_cancelled_task_is_never_the_next_ones(
    serve: Serve, connect_async: Connect, part: str, method: str
) -> None:
    told = threading.Event()
    server = serve(late(told, PARTS[part]), answering)
    caller = connect_async(server.url, virtual=False)

    async def cancelled() -> None:
        task = asyncio.create_task(caller.call(method))
        await asyncio.to_thread(server.wait_for_requests, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    caller.settled(cancelled)
    told.set()

    caller.is_well()
    assert server.connections == 2
    assert server.peer(1).ended.wait(GUARD)


def test_f40_what_is_left_of_a_stream_that_was_not_read_on_is_never_the_next_ones(
    serve: Serve, connect_whole: Connect
) -> None:
    told = threading.Event()
    server = serve(late(told, PARTS["half-a-body"]), answering)
    caller = connect_whole(server.url, virtual=False)

    caller.settled(lambda: caller.client.begun(lambda: None))
    told.set()

    caller.is_well()
    assert server.connections == 2


# --- F41: more callers than connections


def holding(told: threading.Event) -> Script:
    """Answers well; but those who ask for /hang when it is told to."""

    def script(peer: Peer) -> None:
        for request in peer.requests():
            if request.target.startswith("/hang"):
                peer.wait(told)
            peer.send(WELL)

    return script


@BOTH
def test_f41_one_call_that_hangs_holds_up_none_of_200(serve: Serve, connect_whole: Connect, method: str) -> None:
    told = threading.Event()
    server = serve(holding(told))
    caller = connect_whole(server.url, virtual=False, connections=10, connect_timeout=GUARD, timeout=60)

    def release_when_all_others_are_served() -> None:
        server.wait_for_requests(200)
        told.set()

    with ThreadPoolExecutor(1) as aside:
        watching = aside.submit(release_when_all_others_are_served)
        outcomes = caller.many(["hang", *["things"] * 199], method)
        watching.result(GUARD)

    assert [outcome.content for outcome in outcomes if isinstance(outcome, Response)] == [b"well"] * 200
    assert server.connections <= 10
    caller.is_well()


@BOTH
def test_f41_when_all_connections_hang_the_rest_are_told_so_in_time(
    serve: Serve, connect_whole: Connect, method: str
) -> None:
    told = threading.Event()
    server = serve(holding(told))
    caller = connect_whole(server.url, virtual=False, connections=10)
    failures = threading.Semaphore(0)

    def release_when_the_rest_have_failed() -> bool:
        all_of_them = all(failures.acquire(timeout=GUARD) for _ in range(190))
        told.set()
        return all_of_them

    with ThreadPoolExecutor(1) as aside:
        released = aside.submit(release_when_the_rest_have_failed)
        outcomes = caller.view(connect_timeout=1).many(["hang"] * 200, method, failed=failures.release)
        assert released.result(GUARD)

    errors = [outcome for outcome in outcomes if not isinstance(outcome, Response)]
    assert {type(error) for error in errors} == {PoolTimeoutError}
    assert len(errors) == 190
    assert all(error.call is not None and not error.call.may_have_been_processed for error in errors)
    assert len(server.requests) == 10
    caller.is_well()


# --- F42: clocks that jump, back or ahead

HOUR = 3600.0
JUMPS = pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["ahead", "back"])


@JUMPS
@pytest.mark.parametrize(
    ("fields", "least", "most"),
    [((), 0, 0.5), (("Retry-After: 2",), 2, 3.5), (("Retry-After: Tue, 14 Nov 2023 22:13:24 GMT",), 4, 6.5)],
    ids=["own", "seconds", "date"],
)
def test_f42_a_wait_is_as_long_as_it_was_whatever_the_wall_clock_does_meanwhile(
    serve: Serve, connect_any: Connect, jump: float, fields: tuple[str, ...], least: float, most: float
) -> None:
    server = serve(then_well(busy(*fields)))
    caller = connect_any(server.url, Retry(), timeout=30)
    caller.runtime.jumps_by = jump

    assert caller.ask().content == b"well"

    assert least <= caller.runtime.elapsed <= most
    caller.is_well()


@JUMPS
def test_f42_the_deadline_is_when_it_was_whatever_the_wall_clock_does_meanwhile(
    serve: Serve, connect_any: Connect, jump: float
) -> None:
    server = serve(then_well(*[busy("Retry-After: 16")] * 2))
    caller = connect_any(server.url, Retry(max_attempts=9), timeout=30)
    caller.runtime.jumps_by = jump

    error = caller.fails(UnavailableError, attempts=2)

    assert error.call is not None
    assert 16 <= error.call.elapsed < 30
    caller.is_well()


def busy(*fields: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 503 Busy", "Content-Length: 0", *fields, "", ""]).encode()


def then_well(*answers: bytes) -> Script:
    """Answers with these, over all connections, and then well."""
    left = iter(answers)

    def script(peer: Peer) -> None:
        for _ in peer.requests():
            peer.send(next(left, WELL))

    return script


class Vault:
    """An authorization server and a service with the right time, for a client whose clock jumps.

    Args:
        connect: makes the client.
        first: what the service answers before anything else.
        store: where the client keeps its tokens.
    """

    def __init__(self, connect: Connect, *first: Response, store: FileTokenStore | None = None) -> None:
        self.answers = list(first)
        oauth = OAuth2(TOKEN_URL, Grant.client_credentials(), client=ClientSecretBasic("me", "secret"), store=store)
        self.caller = connect(API, oauth, Retry(), fake=FakeTransport(otherwise=self._answer))
        self.time = self.caller.runtime
        self.server = AuthorizationServer(lambda: START + self.time.elapsed, refreshes=False)

    @property
    def tokens(self) -> int:
        """How many were given."""
        return self.server.asked.total()

    def ask(self, method: str) -> int:
        return self.caller.ask(method).status

    def _answer(self, request: Request) -> Response:
        if self.answers and str(request.url) != TOKEN_URL:
            return self.answers.pop(0)
        return self.server(request)


@BOTH
def test_f42_a_token_that_seems_to_have_ended_is_renewed_once(connect_whole: Connect, method: str) -> None:
    vault = Vault(connect_whole)
    vault.ask(method)
    vault.time.jump = HOUR

    assert [vault.ask(method), vault.ask(method)] == [200, 200]
    assert (vault.tokens, vault.server.refused) == (2, 0)


@BOTH
def test_f42_a_token_that_seems_to_live_on_is_renewed_when_the_service_says_so(
    connect_whole: Connect, method: str
) -> None:
    vault = Vault(connect_whole)
    vault.ask(method)
    vault.time.jump = -HOUR
    vault.time.elapsed += HOUR + 1

    assert [vault.ask(method), vault.ask(method)] == [200, 200]
    assert (vault.tokens, vault.server.refused) == (2, 1)


def test_f42_a_token_is_looked_at_again_after_a_wait(connect_whole: Connect) -> None:
    vault = Vault(connect_whole, Response(503))
    vault.time.jumps_by = HOUR

    assert vault.ask("GET") == 200
    assert vault.tokens == 2


# --- F43: forks, event loops, interrupts; forks of a sync client are in tests/security/test_fork.py


def test_f43_another_event_loop_goes_on_with_a_clean_connection(serve: Serve, connect_async: Connect) -> None:
    server = serve(answering)
    caller = connect_async(server.url, virtual=False)

    assert [asyncio.run(caller.call("POST")).content for _ in range(3)] == [b"well"] * 3

    caller.is_well()
    assert server.connections == 1


@BOTH
@pytest.mark.parametrize("part", PARTS)
def test_f43_another_event_loop_does_not_go_on_with_a_call_that_ended_with_its_own(
    serve: Serve, connect_async: Connect, part: str, method: str
) -> None:
    told = threading.Event()
    server = serve(late(told, PARTS[part]), answering)
    caller = connect_async(server.url, virtual=False)

    async def leave() -> asyncio.Task[Response]:
        task = asyncio.create_task(caller.call(method))
        await asyncio.to_thread(server.wait_for_requests, 1)
        return task

    assert asyncio.run(leave()).cancelled()
    told.set()

    caller.is_well()
    assert server.connections == 2


FORKING = """
import asyncio, os, sys
from jackfield import AsyncioRuntime, Request, Url
from tests.clients import AsyncAnythingClient

url = sys.argv[1]

async def main(who, times):
    return [(await client.ask(Request("GET", Url.parse(url).at(who)))).content.decode() for _ in range(times)]

runtime = AsyncioRuntime(workers=1)
client = AsyncAnythingClient(url, runtime=runtime, timeout=5)
asyncio.run(main("before", 1))
guard = runtime._threads._shutdown_lock
for who, times in (("child", 2), ("idle", 0)):
    guard.acquire()  # as if another thread held it just now
    if not os.fork():
        print(*asyncio.run(main(who, times)), flush=True)
        asyncio.run(runtime.close())
        os._exit(0)
    guard.release()
    os.wait()
print(*asyncio.run(main("parent", 1)), flush=True)
asyncio.run(client.aclose())
asyncio.run(runtime.close())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_f43_a_forked_child_has_connections_and_threads_of_its_own(serve: Serve) -> None:
    server = serve(answering)
    root = Path(__file__).parents[2]
    paths = os.pathsep.join([str(root), str(root / "sdk"), str(root / "plugins"), *filter(None, sys.path)])

    told = subprocess.run(
        [sys.executable, "-c", FORKING, server.url],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert (told.stdout.split("\n"), told.returncode) == (["well well", "", "well", ""], 0), told.stderr
    asked = [(request.target, request.connection) for request in server.requests]
    assert asked == [("/before", 1), ("/child", 2), ("/child", 2), ("/parent", 1)]


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_f43_a_body_that_is_interrupted_leaves_no_connection_to_go_on_with(
    serve: Serve, connect_any: Connect, method: str
) -> None:
    def half(peer: Peer) -> None:
        peer.head()
        peer.hang()

    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    server = serve(half, answering)
    caller = connect_any(server.url, Retry(), virtual=False)

    with pytest.raises(KeyboardInterrupt):
        caller.ask(method, body=StreamBody(pieces))

    caller.is_well()
    assert server.connections == 2
    assert server.peer(1).ended.wait(GUARD)


def test_f43_an_answer_that_is_interrupted_leaves_no_connection_to_go_on_with(
    serve: Serve, connect_whole: Connect
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    told = threading.Event()
    server = serve(late(told, PARTS["half-a-body"]), answering)
    caller = connect_whole(server.url, Retry(), virtual=False)

    with pytest.raises(KeyboardInterrupt):
        caller.settled(lambda: caller.client.begun(interrupt))
    told.set()

    caller.is_well()
    assert server.connections == 2


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Where a shell runs the tests beside something else, an interrupt from the keyboard is not for them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="this system has no signals for threads")
@pytest.mark.usefixtures("interruptible")
@BOTH
@pytest.mark.parametrize("part", PARTS)
def test_f43_an_interrupt_from_the_keyboard_leaves_no_connection_to_go_on_with(
    serve: Serve, connect_any: Connect, part: str, method: str
) -> None:
    told, ended = threading.Event(), threading.Event()
    server = serve(late(told, PARTS[part]), answering)
    caller = connect_any(server.url, Retry(), virtual=False)
    main = threading.get_ident()

    def interrupt() -> None:
        server.wait_for_requests(1)
        signal.pthread_kill(main, signal.SIGINT)
        while not ended.wait(1):  # a signal just before the system call that waits does not end it
            signal.pthread_kill(main, signal.SIGINT)

    with ThreadPoolExecutor(1) as aside:
        interrupted = aside.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            caller.ask(method)
        ended.set()
        interrupted.result(GUARD)
    told.set()

    caller.is_well()
    assert server.connections == 2
    assert server.peer(1).ended.wait(GUARD)


# --- F44: a store that cannot be written to


def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """No byte can be written to any file."""

    def write(file: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", write)


def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file can be made."""
    real = os.open

    def opened(path: Any, flags: int, *rest: Any, **options: Any) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", opened)


@BOTH
@pytest.mark.parametrize(("disk", "told"), [(full, "No space left"), (read_only, "Read-only file system")])
def test_f44_a_disk_that_takes_no_token_stops_no_call_and_is_warned_of_once(
    connect_any: Connect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    disk: Callable[[pytest.MonkeyPatch], None],
    told: str,
    method: str,
) -> None:
    vault = Vault(connect_any, store=FileTokenStore(tmp_path / "tokens"))

    with monkeypatch.context() as patch:
        disk(patch)
        for _ in range(3):
            assert vault.ask(method) == 200
            vault.time.elapsed += 2 * HOUR

    assert vault.tokens == 3
    assert [told in record.message for record in caplog.records] == [True]
    assert "access-" not in caplog.text
    assert vault.ask(method) == 200
