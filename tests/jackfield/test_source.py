"""What a peer sends, in whatever pieces it comes: read to the same bytes, in linear time."""

from __future__ import annotations

import re
import time
from collections import deque
from itertools import pairwise
from ssl import SSLEOFError
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import ConnectionLostError, DeadlineExceededError, ProtocolError
from jackfield._answer import Answer
from jackfield._head import read_head
from jackfield._source import Source

LINE, BLANK = re.compile(rb"\n"), re.compile(rb"\n(?:(?<!\r\n)|\r\n)")
HEAD = b"HTTP/1.1 200 OK\r\nX: a\r\nX:  b \t\r\nContent-Length: 5\r\n\r\n"


class Peer:
    """Stands in for a socket: sends these pieces, one for each time it is asked, and then nothing more."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = deque(pieces)

    def gettimeout(self) -> float:
        return 1.0

    def recv(self, size: int) -> bytes:
        if not self._pieces:
            return b""
        piece, self._pieces[0] = self._pieces[0][:size], self._pieces[0][size:]
        if not self._pieces[0]:
            self._pieces.popleft()
        return piece

    def recv_into(self, buffer: memoryview) -> int:
        piece = self.recv(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def source(*pieces: bytes) -> Source:
    peer: Any = Peer(*pieces)
    return Source(peer, lambda: 1.0)


def split(whole: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(whole) + 1) for place in places} | {0, len(whole)})
    return [whole[begin:end] for begin, end in pairwise(ends)]


_places = st.lists(st.integers(0, 10_000), max_size=12)


@given(
    whole=st.lists(st.sampled_from([b"a", b"bc", b"\r", b"\n", b"\r\n", b"\r\n\r\n"]), max_size=30).map(b"".join),
    places=_places,
    steps=st.lists(st.sampled_from(["line", "blank", "read", "into"]), max_size=20),
    limit=st.integers(1, 12),
)
def test_however_it_comes_the_same_is_read(whole: bytes, places: list[int], steps: list[str], limit: int) -> None:
    peer, at = source(*split(whole, places)), 0

    for step in steps:
        left = whole[at:]
        if step in ("line", "blank"):
            pattern = LINE if step == "line" or whole[at - 1 : at] == b"\r" else BLANK  # it looks back at nothing taken
            found = pattern.search(whole, at, at + limit)
            expected = None if found is None else whole[at : found.end()]
            assert peer.upto(pattern, limit) == expected
            assert expected is not None or len(peer.held) >= min(limit, len(left))
            at += len(expected or b"")
        else:
            buffer = bytearray(limit)
            piece = peer.read1(limit) if step == "read" else bytes(buffer[: peer.readinto1(memoryview(buffer))])
            assert left.startswith(piece)
            assert bool(piece) == bool(left)
            assert len(piece) <= limit
            at += len(piece)
        assert whole[at:].startswith(peer.held)
        assert peer.holds_more() is bool(peer.held)


@given(places=_places)
def test_a_head_in_whatever_pieces_is_the_same_head(places: list[int]) -> None:
    answer = Answer(source(*split(HEAD + b"hello", places)), "GET")

    assert (answer.head.status, answer.head.length) == (200, 5)
    assert answer.head.headers.pairs() == [("X", "a"), ("X", "b"), ("Content-Length", "5")]
    body = b""
    while piece := answer.read1(100):
        body += piece
    assert body == b"hello"
    assert answer.reusable()


@pytest.mark.parametrize("size", range(len(HEAD)))
def test_half_a_head_is_a_lost_connection(size: int) -> None:
    with pytest.raises(ConnectionLostError, match="within" if size else "before"):
        read_head(source(HEAD[:size]), "GET")


BARE = [
    b"HTTP/1.1 200 OK\n\n",
    b"HTTP/1.1 200 OK\r\n\n",
    b"HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: a\r\n\n",
    b"HTTP/1.1 200 OK\nX: a\r\n\r\n",
]


@pytest.mark.parametrize("head", BARE)
def test_a_bare_line_feed_is_refused_as_soon_as_it_is_there(head: bytes) -> None:
    peer: Any = Peer(*split(head[: head.replace(b"\r\n", b"..").index(b"\n") + 1], list(range(100))))

    def impatient() -> float:
        assert peer._pieces, "it waits for more"
        return 1.0

    with pytest.raises(ProtocolError, match="bare line feed"):
        read_head(Source(peer, impatient), "GET")


WRONG = pytest.mark.parametrize(
    ("field", "told"),
    [
        (b"X a", "malformed"),
        (b"X : a", "malformed"),
        (b": a", "malformed"),
        (b" X: a", "malformed"),
        (b"X: a\r\n folded", "malformed"),
        (b"X: a\rb", "malformed"),
        (b"X: a\x00", "malformed"),
        (b"X\xe9: a", "malformed"),
        (b"\r\n".join([b"X: a"] * 257), "more than 256"),
        (b"<html>", "malformed"),
        (b"X: " + b"a" * 70_000, "a line of the answer's head is longer than 65536 bytes"),
    ],
)


@WRONG
def test_fields_that_are_none_are_refused(field: bytes, told: str) -> None:
    with pytest.raises(ProtocolError, match=told):
        read_head(source(b"HTTP/1.1 200 OK\r\n" + field + b"\r\n\r\n"), "GET")


class Silence(Peer):
    """Says no more after that, but stays."""

    error: Exception = TimeoutError("timed out")

    def recv(self, size: int) -> bytes:
        if piece := super().recv(size):
            return piece
        raise self.error


class Late(Silence):
    error = DeadlineExceededError.after(1)


class Reset(Silence):
    error = ConnectionResetError(104, "Connection reset by peer")


class Cut(Silence):
    error = SSLEOFError(8, "EOF occurred in violation of protocol")


@WRONG
@pytest.mark.parametrize("kind", [Peer, Silence, Late, Reset, Cut])
def test_fields_that_are_none_are_refused_whether_the_head_ends_or_not(
    field: bytes, told: str, kind: type[Peer]
) -> None:
    peer: Any = kind(b"HTTP/1.1 200 OK\r\n" + field + b"\r\nHalf-a-li")

    with pytest.raises(ProtocolError, match=told):
        read_head(Source(peer, lambda: 1.0), "GET")


def test_silence_in_a_head_that_is_good_so_far_is_silence() -> None:
    peer: Any = Silence(HEAD[:-2])

    with pytest.raises(TimeoutError):
        read_head(Source(peer, lambda: 1.0), "GET")


@pytest.mark.parametrize("kind", [Peer, Silence])
def test_a_line_without_end_is_refused(kind: type[Peer]) -> None:
    peer: Any = kind(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000)

    with pytest.raises(ProtocolError, match="a line of the answer's head is longer than 65536 bytes"):
        read_head(Source(peer, lambda: 1.0), "GET")


def test_a_line_of_the_greatest_length_that_is_cut_within_its_end_is_no_longer_one() -> None:
    peer: Any = Silence(b"HTTP/1.1 200 OK\r\nX:" + b"a" * (65_536 - 2) + b"\r")

    with pytest.raises(TimeoutError):
        read_head(Source(peer, lambda: 1.0), "GET")


def test_a_status_line_without_end_is_refused() -> None:
    with pytest.raises(ProtocolError, match="a line of the answer's head is longer than 65536 bytes"):
        read_head(source(b"HTTP/1.1 200 " + b"a" * 70_000), "GET")


@pytest.mark.parametrize("kind", [Peer, Silence])
def test_a_head_without_end_is_refused(kind: type[Peer]) -> None:
    peer: Any = kind(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X: " + b"a" * 60_000 + b"\r\n" for _ in range(5)))

    with pytest.raises(ProtocolError, match="the answer's head is longer than 262144 bytes"):
        read_head(Source(peer, lambda: 1.0), "GET")


@pytest.mark.parametrize("size", [1, 1000, 400_000])
def test_what_is_beyond_the_limit_is_not_looked_at(size: int) -> None:
    head = b"HTTP/1.1 200 OK\r\n" + b"".join(b"X: " + b"a" * 60_000 + b"\r\n" for _ in range(5)) + b"\r\nno field"
    pieces = [head[at : at + size] for at in range(0, len(head), size)]

    with pytest.raises(ProtocolError, match="the answer's head is longer than 262144 bytes"):
        read_head(source(*pieces), "GET")


@pytest.mark.parametrize("head", [HEAD[:17] + b"X: " + b"a" * 60_000, HEAD[:17] + b"X: a\r\n" * 20_000])
def test_a_head_that_comes_byte_by_byte_is_read_in_time(head: bytes) -> None:
    pieces = [head[at : at + 1] for at in range(len(head))]
    started = time.thread_time()

    with pytest.raises(ProtocolError):
        read_head(source(*pieces, b"\n"), "GET")

    assert time.thread_time() - started < 2
