"""What a relay does on the way of the request, and what it tells of it. The way of the answer: test_fault_server.py."""

from __future__ import annotations

import socket

import pytest
from tests.servers.scripted import Gone, Peer

from jackfield.testing import FaultServer, Relay, Reply, Tamper

pytestmark = pytest.mark.usefixtures("nothing_left")

REQUEST = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n"
CUT_OFF = Reply(400, b"cut off").wire()


def told(relay: Relay, *pieces: bytes) -> bytes:
    """What comes back until the end of the connection, or until 0.3 s were silent."""
    received = b""
    try:
        with socket.create_connection(("127.0.0.1", relay.port), timeout=0.3) as sock:
            for piece in pieces:
                sock.sendall(piece)
            while piece := sock.recv(65536):
                received += piece
    except TimeoutError:
        received += b"<silence>"
    return received


def complaining(peer: Peer) -> None:
    """Answers a request that ends too early."""
    try:
        peer.request()
    except Gone:
        peer.send(CUT_OFF)
        raise
    peer.send(Reply().wire())


def test_a_half_closed_request_ends_for_the_server_and_its_answer_comes_back() -> None:
    with FaultServer(otherwise=complaining) as server, Relay(server.url) as relay:
        relay.plan(Tamper("half-close", 5, "request"))

        assert told(relay, REQUEST) == CUT_OFF

    assert relay.counts == [{"request": 5, "answer": len(CUT_OFF)}]
    assert server.requests == []


def eager(peer: Peer) -> None:
    """Answers before the request is over."""
    peer.read(5)
    peer.send(Reply().wire())


def test_a_stalled_request_is_taken_and_goes_nowhere_and_nor_does_an_answer() -> None:
    with FaultServer(otherwise=eager) as server, Relay(server.url) as relay:
        relay.plan(Tamper("stall", 5, "request"))

        assert told(relay, REQUEST, b"more") == b"<silence>"

    assert relay.counts == [{"request": 5}]


def test_a_bit_of_a_request_is_flipped() -> None:
    with FaultServer() as server, Relay(server.url) as relay:
        relay.plan(Tamper("flip", 0, "request"))

        told(relay, REQUEST)

    assert [request.line for request in server.requests] == ["FET / HTTP/1.1"]


def test_what_came_true_of_the_plan_is_counted() -> None:
    size = len(Reply().wire())
    with FaultServer() as server, Relay(server.url) as relay:
        relay.plan(Tamper("close", size - 1), None, Tamper("close", size), Tamper("flip", 0))

        counted: list[int] = []
        for _ in range(4):
            told(relay, REQUEST)
            counted.append(relay.tampered)

    assert counted == [1, 1, 1, 2]  # an answer of `size` bytes is over before the third would be cut
