"""S46: answers that can be read in two ways are not read at all, and what is hidden in them is never an answer.

More of it is in tests/jackfield/test_transport.py (bytes beyond an answer) and tests/faults/test_framing.py.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from tests.careless import Careless
from tests.clients import COLOURS, Asker

from jackfield import NetworkError, Urllib3Transport

if TYPE_CHECKING:
    from tests.servers import Peer, Serve

pytestmark = pytest.mark.usefixtures("nothing_left")

EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
NEXT = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext"


def headed(*lines: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


SPLIT = {
    "length and chunks": headed(b"Content-Length: 5", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "chunks and length": headed(b"Transfer-Encoding: chunked", b"Content-Length: 5") + b"0\r\n\r\n",
    "two lengths": headed(b"Content-Length: 5", b"Content-Length: 6") + b"hello",
    "two lengths, one of them empty": headed(b"Content-Length: 5,") + b"hello",
    "length -5": headed(b"Content-Length: -5"),
    "length +5": headed(b"Content-Length: +5") + b"hello",
    "length with a vertical tab": headed(b"Content-Length: 5\x0b") + b"hello",
    "length with a no-break space": headed(b"Content-Length: \xa05") + b"hello",
    "length with a superscript": headed(b"Content-Length: \xb2") + b"he",
    "length with a next-line": headed(b"Content-Length: 5\x85") + b"hello",
    "length folded": headed(b"Content-Length:", b" 5") + b"hello",
    "folded line": headed(b"X: y", b" Content-Length: 99", b"Content-Length: 5") + b"hello",
    "folded first line": headed(b" X: y", b"Content-Length: 5") + b"hello",
    "bare LF in a line": headed(b"X: y\nContent-Length: 9", b"Content-Length: 5") + b"hello",
    "bare LF after the status": b"HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello",
    "bare LF at the end of the head": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\nhello",
    "bare LF everywhere": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "bare CR in a line": headed(b"X: y\rContent-Length: 9", b"Content-Length: 5") + b"hello",
    "bare CR at the end of a line": headed(b"X: y\r", b"Content-Length: 5") + b"hello",
    "blank before the colon": headed(b"Content-Length : 5") + b"hello",
    "tab before the colon": headed(b"Transfer-Encoding\t: chunked") + b"0\r\n\r\n",
    "no colon": headed(b"X", b"Content-Length: 5") + b"hello",
    "no name": headed(b": y", b"Content-Length: 5") + b"hello",
    "NUL in a value": headed(b"X: a\0b", b"Content-Length: 5") + b"hello",
    "NUL in a name": headed(b"X\0: y", b"Content-Length: 5") + b"hello",
    "DEL in a value": headed(b"X: a\x7fb", b"Content-Length: 5") + b"hello",
    "name beyond ASCII": headed(b"Content\xadLength: 9", b"Content-Length: 5") + b"hello",
    "coding with a vertical tab": headed(b"Transfer-Encoding: \x0bchunked") + b"0\r\n\r\n",
    "coding with a no-break space": headed(b"Transfer-Encoding: chunked\xa0") + b"0\r\n\r\n",
    "coding misspelt": headed(b"Transfer-Encoding: xchunked") + b"0\r\n\r\n",
    "coding quoted": headed(b'Transfer-Encoding: "chunked"') + b"0\r\n\r\n",
    "chunked not last": headed(b"Transfer-Encoding: chunked, identity") + b"0\r\n\r\n",
    "chunked twice": headed(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "no coding": headed(b"Transfer-Encoding:") + b"0\r\n\r\n",
    "chunks of HTTP/1.0": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunk size with a bare LF": headed(b"Transfer-Encoding: chunked") + b"5\nhello\r\n0\r\n\r\n",
    "chunk size with a bare CR": headed(b"Transfer-Encoding: chunked") + b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "chunk size after a blank": headed(b"Transfer-Encoding: chunked") + b" 5\r\nhello\r\n0\r\n\r\n",
    "chunk size 0x5": headed(b"Transfer-Encoding: chunked") + b"0x5\r\nhello\r\n0\r\n\r\n",
    "chunk size 5_0": headed(b"Transfer-Encoding: chunked") + b"0_5\r\nhello\r\n0\r\n\r\n",
    "chunk size that wraps": headed(b"Transfer-Encoding: chunked") + b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "chunk that ends otherwise": headed(b"Transfer-Encoding: chunked") + b"5\r\nhelloXX0\r\n\r\n",
    "chunk that ends with a bare LF": headed(b"Transfer-Encoding: chunked") + b"5\r\nhello\n0\r\n\r\n",
    "HTTP/0.9": b"<html>hello</html>\r\n",
    "HTTP/0.9, and an answer": b"hello\r\n",
    "empty lines before": b"\r\n\r\n",
    "HTTP/1.10": b"HTTP/1.10 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/11": b"HTTP/11 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "http/1.1": b"http/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\nhello",
    "status signed": b"HTTP/1.1 +20 OK\r\nContent-Length: 5\r\n\r\nhello",
    "tab for a blank": b"HTTP/1.1\t200\tOK\r\nContent-Length: 5\r\n\r\nhello",
    "NUL in the reason": b"HTTP/1.1 200 O\0K\r\nContent-Length: 5\r\n\r\nhello",
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
}


@pytest.mark.subjects(ours=Urllib3Transport, careless=Careless)
@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("split", SPLIT)
def test_s46_an_answer_that_can_be_read_in_two_ways_is_an_error_and_its_connection_is_gone(
    serve: Serve, caplog: pytest.LogCaptureFixture, subject: type[Urllib3Transport], colour: str, split: str
) -> None:
    caplog.set_level(logging.CRITICAL, "urllib3")  # what it logs keeps the careless one's socket open

    def evil(peer: Peer) -> None:
        for _ in peer.requests():
            peer.send(SPLIT[split] + EVIL)

    def good(peer: Peer) -> None:
        for _ in peer.requests():
            peer.send(NEXT)

    server = serve(evil, good)

    with Asker(colour, server.url, subject(max_connections=1), connect_timeout=3) as ask:
        with pytest.raises(NetworkError):
            ask()
        following = [ask().content for _ in range(2)]

    assert following == [b"next"] * 2
    assert server.connections == 2
