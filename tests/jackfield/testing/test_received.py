"""What a server of the kit hears: requests to their exact end, and bytes as they come."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from jackfield.testing import ReceivedRequest
from jackfield.testing._received import Gone, Receiver


class Line:
    """A receiver, and the client's end of its connection."""

    def __init__(self) -> None:
        self.client, server = socket.socketpair()
        server.settimeout(5)
        self.records: list[ReceivedRequest] = []
        self.receiver = Receiver(server, 7, self.records.append)

    def close(self) -> None:
        self.client.close()
        self.receiver.socket.close()


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.close()


CHUNKED = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
SIZED = b"PUT /b?c=d HTTP/1.1\r\nContent-Length: 4\r\nX-A: 1\r\nx-a: 2\r\n\r\nwxyz"
BARE = b"GET /c HTTP/1.1\r\n\r\n"


def test_requests_that_come_at_once_are_told_apart_and_recorded(line: Line) -> None:
    line.client.sendall(CHUNKED + SIZED + BARE)
    line.client.shutdown(socket.SHUT_WR)

    requests = list(line.receiver.requests())

    assert [request.line for request in requests] == ["POST /a HTTP/1.1", "PUT /b?c=d HTTP/1.1", "GET /c HTTP/1.1"]
    assert [request.body for request in requests] == [b"3\r\nabc\r\n0\r\n\r\n", b"wxyz", b""]
    assert requests[1].target == "/b?c=d"
    assert requests[1].get_all("x-a") == ["1", "2"]
    assert {request.connection for request in requests} == {7}
    assert line.records == requests


@pytest.mark.parametrize("whole", [CHUNKED, SIZED, BARE])
def test_a_request_that_is_cut_anywhere_is_none(whole: bytes) -> None:
    for cut in range(len(whole)):
        line = Line()
        line.client.sendall(whole[:cut])
        line.client.close()

        with pytest.raises(Gone):
            line.receiver.request()
        assert line.records == []
        line.close()


def test_what_was_read_ahead_is_read_once_and_waited_for_no_more(line: Line) -> None:
    line.client.sendall(b"GET / HTTP/1.1\r\n\r\nabcdef")

    assert line.receiver.head() == b"GET / HTTP/1.1\r\n\r\n"
    line.receiver.arrives()  # it has: nothing more is sent
    assert [line.receiver.read(4), line.receiver.read(4)] == [b"abcd", b"ef"]
    line.client.sendall(b"gh")
    line.receiver.arrives()
    assert line.receiver.read(9) == b"gh"
    line.client.close()
    with pytest.raises(Gone):
        line.receiver.arrives()
    with pytest.raises(Gone):
        line.receiver.read(1)
