"""The head of an HTTP/1.1 answer (RFC 9112 §4-6), read strictly: what is doubtful is refused, not guessed at."""

from __future__ import annotations

import re
from typing import NamedTuple

from ._errors import ConnectionLostError, DeadlineExceededError, JackfieldError, ProtocolError
from ._headers import Headers
from ._source import Source

_MAX_LINE = 64 * 1024
_MAX_FIELDS = 256
_MAX_HEAD = 256 * 1024  # bytes of all fields
_MAX_INTERIM = 100

# RFC 9112 §2.1: a head is a status-line, a CRLF and a field-line for each field, and twice CRLF. §2.2 leaves a bare LF
# to the recipient; others read such a head otherwise, so it ends here.
_line_end = re.compile(rb"(?=\r?\n)")
_head_end = re.compile(rb"\n(?:(?<!\r\n)|\r\n)")
# RFC 9112 §4: status-line = HTTP-version SP status-code SP [ reason-phrase ]; the last SP is often left out.
_status_line = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?").fullmatch
# RFC 9112 §5.1: no blank before the colon; §5.2: a folded line is refused.
# No two runs side by side are of the same characters: on many blanks, say, that would take quadratic time.
_NAME, _VALUE = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", r"[\t\x20-\x7e\x80-\xff]*"
_are_fields = re.compile(f"(?:\r\n{_NAME}:{_VALUE})*").fullmatch
_each_field = re.compile(f"\r\n({_NAME}):({_VALUE})").findall
_is_length = re.compile(r"[0-9]{1,19}").fullmatch


class Head(NamedTuple):
    """What stands before a body. `length` is None where the body is chunked or ends with the connection."""

    status: int
    headers: Headers
    length: int | None
    chunked: bool
    keep_alive: bool


def read_head(source: Source, method: str) -> Head:
    """Reads the final answer's head; interim answers (RFC 9110 §15.2) are skipped.

    Raises:
        ConnectionLostError: the connection ended before the head did.
        ProtocolError: this is not HTTP/1.1, or its length can be read in two ways.
    """
    for _ in range(_MAX_INTERIM + 1):
        start = source.upto(_line_end, _MAX_LINE)
        if start is None:
            raise _unended(source, _MAX_LINE, "a line of the answer's head")
        line = _status_line(start)
        if line is None:
            raise ProtocolError("the answer does not begin with a status line of HTTP/1.1")
        status, headers = int(line[2]), _headers(_fields(source))
        if status == 101:
            raise ProtocolError("the service switched protocols unasked")
        if status >= 200:
            return _framed(status, headers, method, modern=line[1] == b"1")
    raise ProtocolError(f"more than {_MAX_INTERIM} interim answers came, and no other")


def _fields(source: Source) -> str:
    """The lines of the fields, each after its CRLF; one that is none is an error whether the head ends or not."""
    try:
        fields = source.upto(_head_end, _MAX_HEAD)
    except (DeadlineExceededError, OSError):
        _check_whole_lines(source.held)
        raise
    if fields is None:
        if len(source.held) < _MAX_HEAD:
            _check_whole_lines(source.held)
        raise _unended(source, _MAX_HEAD, "the answer's head")
    if not fields.endswith(b"\r\n\r\n"):
        raise ProtocolError("a line of the answer's head ends with a bare line feed")
    return fields[:-4].decode("latin-1")


def _check_whole_lines(held: bytes) -> None:
    lines, _, last = held.rpartition(b"\r\n")
    _headers(lines.decode("latin-1"))
    _check_length(last.removesuffix(b"\r").decode("latin-1"))


def _check_length(lines: str) -> None:
    if len(lines) > _MAX_LINE and max(map(len, lines.split("\r\n"))) > _MAX_LINE:
        raise ProtocolError(f"a line of the answer's head is longer than {_MAX_LINE} bytes")


def _unended(source: Source, limit: int, what: str) -> JackfieldError:
    if len(source.held) >= limit:
        return ProtocolError(f"{what} is longer than {limit} bytes")
    return ConnectionLostError(
        "the connection was closed " + ("within" if source.held else "before") + " the answer's head"
    )


def _headers(fields: str) -> Headers:
    if fields.count("\r\n") > _MAX_FIELDS:
        raise ProtocolError(f"the answer has more than {_MAX_FIELDS} header lines")
    if not _are_fields(fields):
        raise ProtocolError("a header line of the answer is malformed")
    _check_length(fields)
    return Headers.received([(name, value.strip(" \t")) for name, value in _each_field(fields)])


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
