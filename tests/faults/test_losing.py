"""The fault matrix, F05-F10, F38, F39: connections that came about, and are lost, or fall silent.

What was asked may be asked twice, or not: each row for both. Cuts at every byte are in test_cut_sweep.py.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal

import pytest
from tests.servers import GUARD

from jackfield import (
    ConnectionLostError,
    DeadlineExceededError,
    JackfieldError,
    NetworkError,
    ReadTimeoutError,
    TruncatedBodyError,
)

if TYPE_CHECKING:
    from tests.faults.conftest import Caller, Connect, Kind
    from tests.servers import Peer, Script, Serve
    from tests.stalls import Stalls

pytestmark = pytest.mark.usefixtures("nothing_left")

ATTEMPTS = 3
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
WELL = HEAD + b"well"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
Ending = Literal["close", "reset", "half-close"]
ENDINGS: list[Ending] = ["close", "reset", "half-close"]
BODY = b'{"amount": 100}'


def answering(peer: Peer) -> None:
    for _ in peer.requests():
        peer.send(WELL)


def ending(by: Ending, sent: bytes = b"", after: int = 0) -> Script:
    """Answers so many requests well; of the next it sends a part of the answer, and ends the connection."""

    def script(peer: Peer) -> None:
        for _ in range(after):
            peer.request()
            peer.send(WELL)
        peer.request()
        peer.send(sent)
        peer.settle()
        peer.end(by)

    return script


def silent(sent: bytes) -> Script:
    """Sends a part of an answer, and then nothing, until the client leaves."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(sent)
        peer.drain()

    return script


def is_told(error: JackfieldError, kind: Kind) -> None:
    """The doubt: what cannot be asked again may have been processed, and the error says so."""
    assert error.call is not None
    assert error.call.may_have_been_processed == (not kind.repeated)
    assert ("may have been processed" in str(error)) == (not kind.repeated)


# --- F05: before anything was read


def at_once(peer: Peer) -> None:
    peer.reset()


def at_the_first_byte(peer: Peer) -> None:
    peer.arrives()
    peer.reset()


def test_f05_a_reset_at_once_is_tried_again_but_for_a_post_of_which_a_byte_was_sent(
    serve: Serve, connect_any: Connect, kind: Kind
) -> None:
    """Whether a byte is sent before the reset is there, is chance; the error says which."""
    server = serve(*[at_once] * ATTEMPTS, answering)
    caller = connect_any(server.url, *kind.plugins)

    error = caller.fails(NetworkError, kind.method, attempts=None, body=BODY)

    assert error.call is not None
    assert error.call.attempts == (ATTEMPTS if kind.repeated or not error.sent else server.connections)
    assert error.call.may_have_been_processed == (not kind.repeated and error.sent)
    assert server.connections == error.call.attempts
    assert server.requests == []
    caller.is_well()  # by trying again, if there are resets left


def test_f05_a_reset_at_the_first_byte_is_tried_again_but_for_a_post(
    serve: Serve, connect_any: Connect, kind: Kind
) -> None:
    server = serve(*[at_the_first_byte] * kind.attempts, answering)
    caller = connect_any(server.url, *kind.plugins)

    error = caller.fails(ConnectionLostError, kind.method, attempts=kind.attempts, body=BODY)

    is_told(error, kind)
    assert server.connections == kind.attempts
    caller.is_well()


# --- F06: after the request


@pytest.mark.parametrize("by", ENDINGS)
@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 O", CONTINUE], ids=["nothing", "half-a-head", "continue"])
def test_f06_a_connection_lost_without_an_answer_is_tried_again_but_for_a_post(
    serve: Serve, connect_any: Connect, kind: Kind, by: Ending, sent: bytes
) -> None:
    server = serve(*[ending(by, sent)] * kind.attempts, answering)
    caller = connect_any(server.url, *kind.plugins)

    error = caller.fails(ConnectionLostError, kind.method, attempts=kind.attempts, body=BODY)

    is_told(error, kind)
    assert [request.body for request in server.requests] == [BODY] * kind.attempts
    caller.is_well()


@pytest.mark.parametrize("by", ENDINGS)
def test_f06_a_kept_connection_that_is_lost_after_the_request_is_no_excuse_to_send_a_post_twice(
    serve: Serve, connect_any: Connect, kind: Kind, by: Ending
) -> None:
    """Many clients take it for one that was closed while it was idle."""
    server = serve(ending(by, after=1), answering)
    caller = connect_any(server.url, *kind.plugins)
    caller.is_well()

    if kind.repeated:
        assert caller.ask(kind.method, body=BODY).content == b"well"
    else:
        is_told(caller.fails(ConnectionLostError, kind.method, body=BODY), kind)

    assert [request.body for request in server.requests] == [b"", *[BODY] * (2 if kind.repeated else 1)]
    caller.is_well()


# --- F07: while it was idle


@pytest.mark.parametrize("by", ENDINGS)
@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 408 Idle\r\nContent-Length: 0\r\n\r\n"], ids=["nothing", "408"])
def test_f07_a_connection_that_was_closed_while_it_was_idle_goes_unnoticed(
    serve: Serve, connect_any: Connect, kind: Kind, by: Ending, said: bytes
) -> None:
    told, done = threading.Event(), threading.Event()

    def closing(peer: Peer) -> None:
        peer.request()
        peer.send(WELL)
        peer.wait(told)
        peer.send(said)
        peer.settle()
        peer.end(by)
        done.set()

    server = serve(closing, answering)
    caller = connect_any(server.url)  # it tries nothing again
    caller.is_well()
    told.set()
    assert done.wait(GUARD)

    assert caller.ask(kind.method, body=BODY).content == b"well"

    assert [(request.connection, request.body) for request in server.requests] == [(1, b""), (2, BODY)]
    caller.is_well()


# --- F08, F09: silence

SILENCE = 0.05
BEFORE_HEADERS = {"nothing": b"", "half-a-head": HEAD[:-2], "continue": CONTINUE}
IN_THE_BODY = {  # at every byte it is silent in test_cut_sweep.py
    "nothing-of-it": HEAD,
    "in-a-chunk": CHUNKED + b"4\r\nwe",
    "before-the-end": b"HTTP/1.1 200 OK\r\n\r\nwell",
}


@pytest.mark.parametrize("sent", BEFORE_HEADERS)
def test_f08_silence_before_the_headers_is_tried_again_but_for_a_post(
    serve: Serve, connect_any: Connect, kind: Kind, sent: str
) -> None:
    server = serve(*[silent(BEFORE_HEADERS[sent])] * kind.attempts, answering)
    caller = connect_any(server.url, *kind.plugins)

    error = caller.view(read_timeout=SILENCE).fails(ReadTimeoutError, kind.method, attempts=kind.attempts, body=BODY)

    is_told(error, kind)
    server.wait_for_requests(kind.attempts)
    assert [request.body for request in server.requests] == [BODY] * kind.attempts
    assert server.peer(1).ended.wait(GUARD)
    caller.is_well()


@pytest.mark.parametrize("sent", IN_THE_BODY)
def test_f09_silence_in_the_body_is_tried_again_unless_it_is_the_callers_already_but_for_a_post(
    serve: Serve, connect_any: Connect, kind: Kind, sent: str
) -> None:
    probe = connect_any("http://127.0.0.1:9")
    attempts = 1 if probe.streams else kind.attempts
    server = serve(*[silent(IN_THE_BODY[sent])] * attempts, answering)
    caller = connect_any(server.url, *kind.plugins)

    error = caller.view(read_timeout=2 * SILENCE).fails(ReadTimeoutError, kind.method, attempts=attempts, body=BODY)

    is_told(error, kind)
    server.wait_for_requests(attempts)
    assert [request.body for request in server.requests] == [BODY] * attempts
    assert server.peer(1).ended.wait(GUARD)
    caller.is_well()


@pytest.mark.parametrize("sent", [b"", HEAD + b"we"], ids=["f08-before-the-headers", "f09-in-the-body"])
def test_f08_f09_silence_beyond_the_deadline_is_the_end_of_it(
    serve: Serve, connect_any: Connect, kind: Kind, sent: bytes, stalls: Stalls
) -> None:
    server = serve(silent(sent), answering)
    caller = connect_any(server.url, *kind.plugins, virtual=False)

    error = caller.view(timeout=0.5).fails(DeadlineExceededError, kind.method, body=BODY)

    is_told(error, kind)
    assert error.call is not None
    assert stalls.in_time(error.call.elapsed, 0.5)
    assert len(server.requests) == 1
    caller.is_well()


# --- F10: drops

TIMEOUT = 0.5
DRIPS: dict[str, tuple[bytes, bytes]] = {
    "status-line": (b"HTTP/1.1 200 ", b"x"),
    "header": (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "interim": (b"", b"HTTP/1.1 103 Hints\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"),
    "chunks": (CHUNKED, b"1\r\nx\r\n"),
    "chunk-extension": (CHUNKED + b"1;", b"x"),
    "trailers": (CHUNKED + b"0\r\n", b"X: y\r\n"),
    "gzip": (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08\0\0\0\0\0\xff", b"n"),
}


def dripping(peer: Peer) -> None:
    """What is dripped, is said by the request: a drop every 50 ms, so that no silence is ever too long."""
    for request in peer.requests():
        name = request.target[1:].partition("?")[0]
        if name not in DRIPS:
            peer.send(WELL)
            continue
        start, drop = DRIPS[name]
        peer.send(start)
        peer.drip([drop[at : at + 1] for at in range(len(drop))] * 200, every=0.05)


def test_f10_what_drips_more_slowly_than_the_deadline_ends_with_the_deadline(
    serve: Serve, connect_any: Connect, kind: Kind, stalls: Stalls
) -> None:
    """All at once, which takes no longer than one."""
    server = serve(dripping)
    caller = connect_any(server.url, *kind.plugins, virtual=False, connections=len(DRIPS))

    outcomes = caller.view(timeout=TIMEOUT).many(list(DRIPS), kind.method)

    errors = [outcome for outcome in outcomes if isinstance(outcome, DeadlineExceededError)]
    assert len(errors) == len(outcomes) == len(server.requests) == len(DRIPS)
    for error in errors:
        is_told(error, kind)
        assert error.call is not None
        assert stalls.in_time(error.call.elapsed, TIMEOUT)
    caller.is_well()


# --- F38: half a farewell

HALVES = {
    "length": HEAD + b"we",
    "no-body": HEAD,
    "chunk": CHUNKED + b"4\r\nwe",
    "last-chunk": CHUNKED + b"4\r\nwell\r\n",
}


@pytest.mark.parametrize("sent", HALVES)
def test_f38_a_half_close_after_the_headers_makes_a_short_body_an_error(
    serve: Serve, connect_any: Connect, kind: Kind, sent: str
) -> None:
    attempts = 1 if connect_any("http://127.0.0.1:9").streams else kind.attempts
    server = serve(*[ending("half-close", HALVES[sent])] * attempts, answering)
    caller = connect_any(server.url, *kind.plugins)

    error = caller.fails(TruncatedBodyError, kind.method, attempts=attempts, body=BODY)

    is_told(error, kind)
    assert [request.body for request in server.requests] == [BODY] * attempts
    assert server.peer(1).ended.wait(GUARD)
    caller.is_well()


def test_f38_a_half_close_after_the_whole_body_is_no_error(serve: Serve, connect_any: Connect, kind: Kind) -> None:
    server = serve(ending("half-close", WELL), answering)
    caller = connect_any(server.url, *kind.plugins)

    assert caller.ask(kind.method, body=BODY).content == b"well"

    assert [request.body for request in server.requests] == [BODY]
    caller.is_well()


# --- F39: connections that are kept for a while

CALLS = 1000
LAST = WELL.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


def telling(peer: Peer) -> None:
    """Says so with the last answer, as servers do."""
    for n in range(7):
        peer.request()
        peer.send(LAST if n == 6 else WELL)
    peer.close()


def not_keeping(peer: Peer) -> None:
    peer.request()
    peer.send(LAST)
    peer.close()


def goes_unnoticed(caller: Caller, method: str) -> bool:
    return [caller.ask(method, body=BODY).content for _ in range(CALLS)] == [b"well"] * CALLS


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_f39_a_server_that_closes_after_some_requests_goes_unnoticed_in_1000_calls(
    serve: Serve, connect_any: Connect, method: str
) -> None:
    server = serve(telling)

    assert goes_unnoticed(connect_any(server.url), method)  # which tries nothing again

    assert len(server.requests) == CALLS
    assert server.connections == -(-CALLS // 7)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_f39_a_server_that_keeps_no_connection_goes_unnoticed_in_1000_calls(
    serve: Serve, connect_whole: Connect, method: str
) -> None:
    server = serve(not_keeping)

    assert goes_unnoticed(connect_whole(server.url), method)

    assert len(server.requests) == server.connections == CALLS


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_f39_a_server_that_closes_after_some_requests_and_does_not_say_so_goes_unnoticed(
    serve: Serve, connect_any: Connect, method: str
) -> None:
    """Once it has closed, that is: who asks before that cannot know."""

    def seven(peer: Peer) -> None:
        for _ in range(7):
            peer.request()
            peer.send(WELL)
        peer.close()

    server = serve(seven)
    caller = connect_any(server.url)  # it tries nothing again

    def ask(number: int) -> bytes:
        content = caller.ask(method, body=BODY).content
        if number % 7 == 0:
            assert server.peer(number // 7).ended.wait(GUARD)
        return content

    assert [ask(number) for number in range(1, 211)] == [b"well"] * 210
    assert len(server.requests) == 210
    assert server.connections == 30
