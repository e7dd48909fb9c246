"""Forms as multipart/form-data (RFC 7578), encoded as browsers do (WHATWG HTML, "multipart/form-data encoding")."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any, TypeAlias, overload

from jackfield import StreamBody, UsageError

from ._body_of import Source, body_of

_SMALL = 64 * 1024  # bytes of a value that stays in memory with its part's head
_OCTETS = "application/octet-stream"
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_is_media_type = re.compile(rf'{_WORD}/{_WORD}([ \t]*;[ \t]*{_WORD}=({_WORD}|"[ !#-\[\]-~]*"))*').fullmatch
_has_control = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]").search
_newline = re.compile(r"\r\n|\r|\n")


class FilePart:
    """A file in a form.

    Args:
        source: what `body_of` takes.
        filename: for the server; a path's own name if None. Without any, most servers take the part for a plain field.
        content_type: its media type.
        length: bytes in all, of a source that does not know it.

    Raises:
        UsageError: the source cannot be sent, or one of the others holds what may not be in a header.
    """

    __slots__ = ("body", "content_type", "filename")

    def __init__(
        self, source: Source, *, filename: str | None = None, content_type: str = _OCTETS, length: int | None = None
    ) -> None:
        if not isinstance(content_type, str) or not _is_media_type(content_type):
            raise UsageError(f"{content_type!r} is no media type, as text/plain is one (RFC 9110 §8.3.1)")
        name = _own_name(source) if filename is None else filename
        self.filename = None if name is None else _checked("file name", name)
        self.content_type = content_type
        self.body = body_of(source, length=length)

    def __repr__(self) -> str:
        return f"FilePart({self.filename!r}, {self.content_type!r}, {self.body!r})"


def _own_name(source: Any) -> str | None:
    return os.path.basename(source.__fspath__()) if hasattr(source, "__fspath__") else None


Value: TypeAlias = str | bytes | FilePart


class MultipartForm:
    """A form that is encoded while it is sent. Make one for each request: its boundary is its own.

    Args:
        parts: names and values, in the order in which they are sent; pairs, if a name comes more than once. A str is
            text, and its line ends become CRLF; bytes are sent as they are.

    Attributes:
        headers: the content type, with the boundary: 128 random bits.
        body: of a known length, if that of every part is known; can be replayed if every part can.

    Raises:
        UsageError: a name or a value is not what a form can hold.
    """

    __slots__ = ("body", "headers")

    @overload  # one by one, so that mypy knows of a dict's values what they are
    def __init__(self, parts: Mapping[str, Value]) -> None: ...
    @overload
    def __init__(self, parts: Iterable[tuple[str, Value]]) -> None: ...
    def __init__(self, parts: Mapping[str, Value] | Iterable[tuple[str, Value]]) -> None:
        boundary = secrets.token_hex(16)
        segments = list(_joined(_encoded(_pairs(parts), boundary)))
        self.headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
        self.body = _body(segments)


def _pairs(parts: Any) -> list[tuple[Any, Any]]:
    try:
        return [(name, value) for name, value in (parts.items() if hasattr(parts, "items") else parts)]
    except (TypeError, ValueError):
        raise UsageError("a form is made of names and values: give a mapping, or pairs") from None


_Segment: TypeAlias = bytes | StreamBody


def _encoded(pairs: Iterable[tuple[Any, Any]], boundary: str) -> Iterator[_Segment]:
    for name, value in pairs:
        yield f"--{boundary}\r\n".encode()
        yield _head(name, value)
        yield _content(name, value)
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _head(name: Any, value: Any) -> bytes:
    # WHATWG: line ends of a name become CRLF, those of a file name stay. RFC 7578 §4.8: no other header fields.
    fields = f'Content-Disposition: form-data; name="{_escaped(_with_crlf(_checked("name", name)))}"'
    if isinstance(value, FilePart):
        if value.filename is not None:
            fields += f'; filename="{_escaped(value.filename)}"'
        fields += f"\r\nContent-Type: {value.content_type}"
    return f"{fields}\r\n\r\n".encode()


def _content(name: Any, value: Any) -> _Segment:
    if isinstance(value, FilePart):
        return value.body
    if isinstance(value, str):
        value = _utf8(f"value of {name!r}", _with_crlf(value))
    if not isinstance(value, bytes):
        raise UsageError(f"the value of {name!r} is a {type(value).__name__}: give a str, bytes or a FilePart")
    return value if len(value) <= _SMALL else body_of(value)


def _checked(what: str, text: Any) -> str:
    if not isinstance(text, str):
        raise UsageError(f"a {what} in a form is a str, not {type(text).__name__}")
    if _has_control(text):
        raise UsageError(f"the {what} {text!a} holds a control character")
    _utf8(what, text)
    return text


def _utf8(what: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass  # it holds the text, which may be secret
    raise UsageError(f"the {what} holds half of a surrogate pair")


def _with_crlf(text: str) -> str:
    # "replacing every CR not followed by LF, and every LF not preceded by CR, by a CRLF pair"
    return _newline.sub("\r\n", text)


def _escaped(text: str) -> str:
    # "replacing any 0x0A (LF) bytes with `%0A`, 0x0D (CR) with `%0D` and 0x22 (") with `%22` ... no other escapes"
    return text.replace("\n", "%0A").replace("\r", "%0D").replace('"', "%22")


def _joined(segments: Iterable[_Segment]) -> Iterator[_Segment]:
    """The same with fewer pieces: what is in memory already stays together."""
    held: list[bytes] = []
    for segment in segments:
        if isinstance(segment, bytes):
            held.append(segment)
        else:
            yield b"".join(held)
            held.clear()
            yield segment
    yield b"".join(held)


def _body(segments: list[_Segment]) -> StreamBody:
    streams = [segment for segment in segments if isinstance(segment, StreamBody)]
    lengths = [segment.length if isinstance(segment, StreamBody) else len(segment) for segment in segments]
    known = [length for length in lengths if length is not None]
    length = sum(known) if len(known) == len(lengths) else None
    if all(stream.replayable for stream in streams):
        return StreamBody(lambda: _Pieces(segments), length=length)
    return StreamBody.once(_Pieces(segments), length=length)


class _Pieces(Iterator[bytes]):
    """The segments' pieces one after the other; whoever waits for one of them can be woken."""

    def __init__(self, segments: Iterable[_Segment]) -> None:
        self._pieces = self._take(segments)
        self._abort: Callable[[], None] | None = None
        self._aborted = False

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        self._pieces.close()

    def abort(self) -> None:
        self._aborted = True
        if self._abort is not None:
            self._abort()

    def _take(self, segments: Iterable[_Segment]) -> Generator[bytes]:
        for segment in segments:
            if isinstance(segment, bytes):
                yield segment
                continue
            with closing(iter(segment)) as reading:
                self._abort = reading.abort
                if self._aborted:  # before there was something to wake
                    reading.abort()
                yield from reading
