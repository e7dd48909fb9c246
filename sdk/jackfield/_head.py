"""The head of an HTTP/1.1 answer (RFC 9112 §4-6), read strictly: what is doubtful is refused, not guessed at."""

from __future__ import annotations

import re
from typing import NamedTuple

from ._errors import ConnectionLostError, ProtocolError
from ._headers import Headers
from ._source import Source

_MAX_LINE = 64 * 1024
_MAX_FIELDS = 256
_MAX_HEAD = 128 * 1024  # bytes of all fields
_MAX_INTERIM = 100

# RFC 9112 §2.1: a head is a status-line, a CRLF and a field-line for each field, and twice CRLF. §2.2 leaves a bare LF
# to the recipient; others read such a head otherwise, so it ends here.
_line_end = re.compile(rb"(?=\r?\n)")
_head_end = re.compile(rb"\n(?:(?<!\r\n)|\r\n)")
# RFC 9112 §4: status-line = HTTP-version SP status-code SP [ reason-phrase ]; the last SP is often left out.
_status_line = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?").fullmatch
# RFC 9112 §5.1: no blank before the colon; §5.2: a folded line is refused.
# Nothing is given back that was matched (`++`), and blanks at a value's end are not looked for: on many fields, or many
# blanks, that would take quadratic time.
_FIELD = r"\r\n([!#$%&'*+.^_`|~0-9A-Za-z-]++):[ \t]*+([\t\x20-\x7e\x80-\xff]*+)"
_are_fields = re.compile(f"(?:{_FIELD})*+\r\n\r\n").fullmatch
_each_field = re.compile(_FIELD).findall
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
        line = _status_line(_upto(source, _line_end, _MAX_LINE, "a line of the answer's head"))
        if line is None:
            raise ProtocolError("the answer does not begin with a status line of HTTP/1.1")
        status, headers = int(line[2]), _headers(_upto(source, _head_end, _MAX_HEAD, "the answer's head"))
        if status == 101:
            raise ProtocolError("the service switched protocols unasked")
        if status >= 200:
            return _framed(status, headers, method, modern=line[1] == b"1")
    raise ProtocolError(f"more than {_MAX_INTERIM} interim answers came, and no other")


def _upto(source: Source, ending: re.Pattern[bytes], limit: int, what: str) -> bytes:
    part = source.upto(ending, limit)
    if part is not None:
        return part
    if source.held >= limit:
        raise ProtocolError(f"{what} is longer than {limit} bytes")
    raise ConnectionLostError(
        "the connection was closed " + ("within" if source.held else "before") + " the answer's head"
    )


def _headers(fields: bytes) -> Headers:
    text = fields.decode("latin-1")
    if not _are_fields(text):
        if not text.endswith("\r\n\r\n"):
            raise ProtocolError("a line of the answer's head ends with a bare line feed")
        raise ProtocolError("a header line of the answer is malformed")
    pairs = [(name, value.rstrip(" \t")) for name, value in _each_field(text)]
    if len(pairs) > _MAX_FIELDS:
        raise ProtocolError(f"the answer has more than {_MAX_FIELDS} header lines")
    return Headers.received(pairs)


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
