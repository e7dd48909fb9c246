"""What there is to download, in every state of health: the origin behind a Buffy, and behind a download without one."""

from __future__ import annotations

import gzip
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import repeat

from .ranges import Ranges
from .scripted import Peer, ReceivedRequest, Serve

BLOB = bytes(range(251)) * 1200  # 301,200 bytes, no 64 KiB of which are like another
_CHANGED = {"last-modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
_BLOB = {"content-type": "application/octet-stream"}


class Origin:
    """Serves what is in `things`, and 404 for all else.

    | path | |
    |---|---|
    | /static.txt | 13 bytes, with ETag and Last-Modified |
    | /blob | `BLOB`, as an attachment named "blob file.bin" |
    | /gzip | 10,000 bytes that travel as gzip |
    | /empty | nothing |
    | /crlf.csv | lines that end as CSV's do |
    | /changing | "first"; a test puts another thing in its place |
    | /slow | `BLOB`: 70,000 bytes of it, and the rest when `go_on` is set |
    | /dropped | `BLOB`, broken off once after 131,072 bytes; ranges are served |
    | /flaky | 500 twice, then "well" |
    | /broken | 500 |
    | /missing | 404 |

    Attributes:
        things: what there is, by path.
        asked: how often what came: `origin.asked["GET /blob"]`.
        go_on: an event.
    """

    def __init__(self, serve: Serve) -> None:
        ranges = _BLOB | {"accept-ranges": "bytes"}
        self.things = {
            "/static.txt": Ranges(b"hello static\n", '"s1"', headers=_CHANGED | {"content-type": "text/plain"}),
            "/blob": Ranges(BLOB, headers=_BLOB | {"content-disposition": 'attachment; filename="blob file.bin"'}),
            "/gzip": Ranges(gzip.compress(bytes(10_000)), headers=_BLOB | {"content-encoding": "gzip"}),
            "/empty": Ranges(b"", headers=_BLOB),
            "/crlf.csv": Ranges(b"name,size\r\na,1\r\n", headers={"content-type": "text/csv"}),
            "/changing": Ranges(b"first", headers=_BLOB),
            "/slow": Ranges(BLOB, headers=_BLOB),
            "/dropped": Ranges(BLOB, headers=ranges, cuts=[131_072]),
            "/flaky": Ranges(b"well", headers=_BLOB),
        }
        self.asked: Counter[str] = Counter()
        self.go_on = threading.Event()
        self._refusals: dict[str, Iterator[int]] = {"/flaky": iter([500, 500]), "/broken": repeat(500)}
        self._guard = threading.Lock()
        self._server = serve(self._converse)

    def url(self, path: str) -> str:
        return self._server.url + path

    def _converse(self, peer: Peer) -> None:
        for request in peer.requests():
            self._answer(peer, request)
            if not peer.is_open:
                return

    def _answer(self, peer: Peer, request: ReceivedRequest) -> None:
        method, path = request.line.split(" ")[:2]
        with self._guard:
            self.asked[f"{method} {path}"] += 1
            refusal = next(self._refusals.get(path, iter(())), 0) if method == "GET" else 0
        thing = self.things.get(path)
        if refusal or thing is None:
            peer.send(f"HTTP/1.1 {refusal or 404} \r\ncontent-length: 0\r\n\r\n".encode())
        elif path == "/slow" and method == "GET":
            peer.send(f"HTTP/1.1 200 \r\ncontent-length: {len(thing.data)}\r\n\r\n".encode(), thing.data[:70_000])
            peer.wait(self.go_on)
            peer.send(thing.data[70_000:])
        else:
            thing.reply(peer, request)
