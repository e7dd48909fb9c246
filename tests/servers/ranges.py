"""A service that knows ranges and validators (RFC 9110 §13, §14), and breaks off where it is told to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, repeat
from typing import NamedTuple

from jackfield import Request, Response
from jackfield.testing import CutBody

from .scripted import Peer, ReceivedRequest

_range = re.compile(r"bytes=([0-9]+)-").fullmatch


class _Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes
    cut: int | None


class Ranges:
    """One entity, whatever is asked for: a script for a `ScriptedServer`, and a function for a `FakeTransport`.

    Args:
        data: the entity.
        etag: its validator; None: it has none.
        cuts: after how many bytes of its body each answer breaks off, one after the other; then none does.
        headers: of answers of 200, besides.
        chunked: whether a length is told.

    Attributes:
        starts: where each answer began.
    """

    def __init__(
        self,
        data: bytes,
        etag: str | None = '"v1"',
        cuts: Iterable[int | None] = (),
        headers: Mapping[str, str] | None = None,
        *,
        chunked: bool = False,
    ) -> None:
        self.data = data
        self.etag = etag
        self.headers = dict(headers or {})
        self.starts: list[int] = []
        self._chunked = chunked
        self._cuts: Iterator[int | None] = chain(cuts, repeat(None))

    def __call__(self, peer: Peer) -> None:
        for request in peer.requests():
            self.reply(peer, request)
            if not peer.is_open:
                return

    def reply(self, peer: Peer, request: ReceivedRequest) -> None:
        """Answers one request; for HEAD, what a GET would begin with, were it the first."""
        if request.line.startswith("HEAD "):
            peer.send(_head(200, self._told()))
            return
        answer = self._answer(dict(request.headers))
        peer.send(_head(answer.status, answer.headers), answer.body[: answer.cut])
        if answer.cut is not None and answer.cut < len(answer.body):
            peer.settle()  # what was sent arrives
            peer.end("close")

    def answer(self, request: Request) -> Response:
        """For a `FakeTransport`."""
        answer = self._answer({name.lower(): value for name, value in request.headers.pairs()})
        if answer.cut is None or answer.cut >= len(answer.body):
            return Response(answer.status, answer.headers, answer.body)
        return Response(answer.status, answer.headers, CutBody(answer.body, after=answer.cut))

    def _answer(self, request: Mapping[str, str]) -> _Answer:
        wanted = _range(request.get("range", ""))
        start = int(wanted[1]) if wanted and request.get("if-range") in (None, self.etag) else None
        self.starts.append(start or 0)
        size = len(self.data)
        if start is None:
            return _Answer(200, self._told(), self.data, next(self._cuts))
        if start >= size:
            return _Answer(416, {"content-range": f"bytes */{size}", "content-length": "0"}, b"", None)
        part = {"content-range": f"bytes {start}-{size - 1}/{size}", "content-length": str(size - start)}
        return _Answer(206, self._known() | part, self.data[start:], next(self._cuts))

    def _told(self) -> dict[str, str]:
        length = {} if self._chunked else {"content-length": str(len(self.data))}
        return self._known() | length | self.headers

    def _known(self) -> dict[str, str]:
        return {} if self.etag is None else {"etag": self.etag}


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} \r\n{lines}\r\n".encode("latin-1")
