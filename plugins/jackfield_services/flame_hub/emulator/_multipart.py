"""multipart/form-data (RFC 7578, RFC 2046 5.1), read piece by piece."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf

from ._wire import Refused

Read = Callable[[int], bytes]

_BOUNDARY = re.compile(r'multipart/form-data\s*;.*?\bboundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))', re.IGNORECASE)
_PARAMETER = re.compile(r';\s*([a-z]+)="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_ESCAPED = re.compile(r'\\(["\\])')
_PIECE = 65536  # bytes
_LONGEST_HEAD = 16384  # bytes of a part's headers


@dataclass(frozen=True, slots=True)
class Part:
    """One part that is a file; `content_type` is empty where it has none."""

    name: str
    file_name: str
    content_type: str
    content: bytes


def boundary_of(content_type: str) -> bytes | None:
    """The boundary that a Content-Type names; None where this is no form with files."""
    match = _BOUNDARY.match(content_type)
    return match and (match[1] or match[2]).encode("latin-1")


def files(read: Read, boundary: bytes) -> Iterator[Part]:
    """The files of a form; what follows its end is left unread. Refused (400) where it is none, or is cut."""
    reader = _Reader(read, b"\r\n--" + boundary)
    reader.up_to(reader.delimiter)  # the preamble
    while reader.peek(2) != b"--":
        headers = _headers(reader.up_to(b"\r\n\r\n", _LONGEST_HEAD))
        content = reader.up_to(reader.delimiter)
        parameters = dict(_PARAMETER.findall(headers.get("content-disposition", "")))
        if "filename" in parameters:
            name, file_name = (_ESCAPED.sub(r"\1", parameters.get(key, "")) for key in ("name", "filename"))
            yield Part(name, file_name, headers.get("content-type", ""), content)


class _Reader:
    def __init__(self, read: Read, delimiter: bytes) -> None:
        self._read = read
        self.delimiter = delimiter
        self._buffer = bytearray(b"\r\n")  # the first delimiter may stand at the very beginning

    def peek(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._fill()
        return bytes(self._buffer[:size])

    def up_to(self, mark: bytes, longest: float = inf) -> bytes:
        """What comes before the mark, which is passed."""
        before = bytearray()
        while (at := self._buffer.find(mark)) < 0:
            done = max(len(self._buffer) - len(mark) + 1, 0)  # the mark may have begun
            before += self._buffer[:done]
            del self._buffer[:done]
            if len(before) > longest:
                break
            self._fill()
        before += self._buffer[: max(at, 0)]
        if len(before) > longest:
            raise Refused(400, "BAD_REQUEST", "The headers of a part are too long.")
        del self._buffer[: at + len(mark)]
        return bytes(before)

    def _fill(self) -> None:
        piece = self._read(_PIECE)
        if not piece:
            raise Refused(400, "BAD_REQUEST", "Unexpected end of form")
        self._buffer += piece


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("utf-8", "replace").split("\r\n")
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
