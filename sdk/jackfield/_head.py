"""The head of an HTTP/1.1 answer (RFC 9112 §4-6), read strictly: what is doubtful is refused, not guessed at."""

from __future__ import annotations

import re
from io import BufferedReader
from typing import NamedTuple

from ._errors import ConnectionLostError, ProtocolError
from ._headers import Headers

_MAX_LINE = 64 * 1024
_MAX_FIELDS = 256
_MAX_HEAD = 256 * 1024  # bytes of all fields
_MAX_INTERIM = 100

# RFC 9112 §4: status-line = HTTP-version SP status-code SP [ reason-phrase ]; the last SP is often left out.
_status_line = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?").fullmatch
# RFC 9112 §5.1: no blank before the colon; §5.2: a folded line is refused.
# One run of one class of characters: a pattern that trims the blanks itself takes quadratic time on many of them.
_field = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)").fullmatch
_is_length = re.compile(r"[0-9]{1,19}").fullmatch


class Head(NamedTuple):
    """What stands before a body. `length` is None where the body is chunked or ends with the connection."""

    status: int
    headers: Headers
    length: int | None
    chunked: bool
    keep_alive: bool


def read_head(source: BufferedReader, method: str) -> Head:
    """Reads the final answer's head; interim answers (RFC 9110 §15.2) are skipped.

    Raises:
        ConnectionLostError: the connection ended before the head did.
        ProtocolError: this is not HTTP/1.1, or its length can be read in two ways.
    """
    for _ in range(_MAX_INTERIM + 1):
        line = _status_line(_line(source))
        if line is None:
            raise ProtocolError("the answer does not begin with a status line of HTTP/1.1")
        status, headers = int(line[2]), _headers(source)
        if status == 101:
            raise ProtocolError("the service switched protocols unasked")
        if status >= 200:
            return _framed(status, headers, method, modern=line[1] == b"1")
    raise ProtocolError(f"more than {_MAX_INTERIM} interim answers came, and no other")


def _line(source: BufferedReader) -> bytes:
    line = source.readline(_MAX_LINE)
    if not line.endswith(b"\n"):
        if len(line) >= _MAX_LINE:
            raise ProtocolError(f"a line of the answer's head is longer than {_MAX_LINE} bytes")
        raise ConnectionLostError(
            "the connection was closed " + ("within" if line else "before") + " the answer's head"
        )
    if not line.endswith(b"\r\n"):  # RFC 9112 §2.2 leaves it to the recipient; others read such a head otherwise
        raise ProtocolError("a line of the answer's head ends with a bare line feed")
    return line[:-2]


def _headers(source: BufferedReader) -> Headers:
    fields: list[tuple[str, str]] = []
    size = 0
    while line := _line(source):
        field = _field(line)
        if field is None:
            raise ProtocolError("a header line of the answer is malformed")
        if len(fields) == _MAX_FIELDS:
            raise ProtocolError(f"the answer has more than {_MAX_FIELDS} header lines")
        size += len(line)
        if size > _MAX_HEAD:
            raise ProtocolError(f"the answer's head is longer than {_MAX_HEAD} bytes")
        fields.append((field[1].decode("ascii"), field[2].strip(b" \t").decode("latin-1")))
    return Headers.received(fields)


def _framed(status: int, headers: Headers, method: str, *, modern: bool) -> Head:
    # RFC 9112 §6.3, with every case of doubt refused.
    options = {option.strip().lower() for value in headers.get_all("connection") for option in value.split(",")}
    keep_alive = "close" not in options and (modern or "keep-alive" in options)  # RFC 9112 §9.3, "close" first
    keep_alive = keep_alive and status != 421  # RFC 9110 §15.5.20: it may be tried again "over a different connection"
    codings = [value.lower() for value in headers.get_all("transfer-encoding")]
    lengths = {length.strip(" \t") for value in headers.get_all("content-length") for length in value.split(",")}
    if codings and (codings != ["chunked"] or lengths or not modern):
        raise ProtocolError("the answer's transfer coding is not chunked alone")
    if len(lengths) > 1 or not all(map(_is_length, lengths)):
        raise ProtocolError("the answer's length is not one number")
    if status == 204 and (codings or lengths - {"0"}):
        keep_alive = False  # RFC 9112 §6.3: it has no body, whatever it says; what it says may follow all the same
    if method == "HEAD" or status in (204, 304):
        return Head(status, headers, 0, chunked=False, keep_alive=keep_alive)
    length = int(lengths.pop()) if lengths else None
    chunked = bool(codings)
    return Head(status, headers, length, chunked, keep_alive and (chunked or length is not None))
