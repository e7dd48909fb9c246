"""The fault matrix, F40-F44: what goes wrong on the caller's own side, and must not reach the next call."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.servers import GUARD

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
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime, json_response
from jackfield_plugins.auth import ClientSecretBasic, FileTokenStore, Grant, OAuth2
from jackfield_plugins.retry import Retry

if TYPE_CHECKING:
    from tests.faults.conftest import Caller, Connect
    from tests.servers import Peer, Script, Serve

pytestmark = pytest.mark.usefixtures("nothing_left")

WELL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell"
LATE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate"
BOTH = pytest.mark.parametrize("method", ["GET", "POST"])


def answering(peer: Peer) -> None:
    for _ in peer.requests():
        peer.send(WELL)


# --- F40: answers that come when nobody waits for them any more


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
    [({"read_timeout": 0.1}, ReadTimeoutError), ({"timeout": 0.1}, DeadlineExceededError)],
    ids=["read-timeout", "deadline"],
)
def test_f40_a_late_answer_of_a_call_that_gave_up_is_never_the_next_ones(
    serve: Serve, connect_any: Connect, limits: dict[str, float], kind: type[JackfieldError], part: str, method: str
) -> None:
    if connect_any.streams and part == "half-a-body":
        pytest.skip("what is settled of a stream is what has come")
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
    serve: Serve, connect_any: Connect, part: str, method: str
) -> None:
    if connect_any.colour == "sync":
        pytest.skip("nobody cancels a thread")
    told = threading.Event()
    server = serve(late(told, PARTS[part]), answering)
    caller = connect_any(server.url, virtual=False)

    async def cancelled() -> None:
        task = asyncio.create_task(caller.client.whole(method, "things", {}))
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
    served = threading.Semaphore(0)

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
    began = caller.runtime.monotonic()

    def release_when_the_rest_have_failed() -> list[Any]:
        server.wait_for_requests(10)
        return []

    with ThreadPoolExecutor(1) as aside:
        released = aside.submit(lambda: (server.wait_for_requests(10), server.stopping.wait(1.0), told.set()))
        outcomes = caller.view(connect_timeout=0.3).many(["hang"] * 200, method)
        released.result(GUARD)

    errors = [outcome for outcome in outcomes if not isinstance(outcome, Response)]
    assert {type(error) for error in errors} == {PoolTimeoutError}
    assert len(errors) == 190
    assert all(error.call is not None and not error.call.may_have_been_processed for error in errors)
    assert len(server.requests) == 10
    assert caller.runtime.monotonic() - began < GUARD
    caller.is_well()


# --- F42: clocks that jump


class JumpingSyncRuntime(VirtualSyncRuntime):
    """Its wall clock is wrong by `jump` seconds."""

    jump = 0.0

    def now(self) -> float:
        return super().now() + self.jump


class JumpingAsyncioRuntime(VirtualAsyncioRuntime):
    """The same, for async clients."""

    jump = 0.0

    def now(self) -> float:
        return super().now() + self.jump
