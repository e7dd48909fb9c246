"""Bodies out of their content codings (RFC 9110 §8.4): piece by piece, each compressed stream to its exact end."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from ._errors import ProtocolError, TruncatedBodyError

_MAX_CODINGS = 5
_WIDE = ("br", "zstd")  # their windows are of many megabytes, those of the others of 32 KiB
_INPUT = 16 * 1024
_KNOWN = {"gzip": "", "x-gzip": "", "deflate": "", "br": "brotli", "zstd": "backports.zstd"}  # and what they come with


class Readable(Protocol):
    """Gives a body piece by piece."""

    def read1(self, size: int, /) -> bytes:
        """The next piece, of some `size` bytes at most; empty at the end."""
        ...


class _Stream(Protocol):
    """One compressed stream, as `zlib` and `compression.zstd` read it."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class Coding(NamedTuple):
    """How a coding is read. `open` is told the first byte; `many` streams may follow one another as one body."""

    name: str
    open: Callable[[int], _Stream]
    error: type[Exception]
    many: bool


class Decoder:
    """Reads a body out of one coding. It holds a piece of input, a piece of output and the coding's window at most.

    Args:
        source: the coded body.
        check: asked again and again; raises when there is no reason to go on.
        may_be_empty: whether no byte at all is a body, too.

    Raises:
        TruncatedBodyError: the body ends before its compressed stream does.
        ProtocolError: the body is not in this coding, its check sum is wrong, or something comes after it.
    """

    def __init__(self, source: Readable, coding: Coding, check: Callable[[], object], *, may_be_empty: bool) -> None:
        self._source = source
        self._coding = coding
        self._check = check
        self._may_be_empty = may_be_empty
        self._stream: _Stream | None = None
        self._holds_more = False

    def read1(self, size: int, /) -> bytes:
        piece = b""
        while not piece:
            self._check()  # input that comes to nothing may be endless
            if self._stream is None or self._stream.eof:
                data = self._next_stream()
                if self._stream is None or not data:
                    return b""
            else:
                data = b"" if self._holds_more else self._source.read1(_INPUT)
                if not data and not self._holds_more:
                    raise TruncatedBodyError(f"the body ends before its coding, {self._coding.name}, does")
            try:
                piece = self._stream.decompress(data, size)
            except self._coding.error as error:
                raise ProtocolError(f"the body is not in its coding, {self._coding.name}") from error
            self._holds_more = len(piece) >= size
        return piece

    def _next_stream(self) -> bytes:
        """Opens the stream that begins here, and gives the input it begins with; empty at the end of the body."""
        before = self._stream
        data = (before.unused_data if before is not None else b"") or self._source.read1(_INPUT)
        if not data and before is None and not self._may_be_empty:
            raise TruncatedBodyError("the connection ended before the body began")
        if data and before is not None and not self._coding.many:
            raise ProtocolError(f"bytes follow the body's coding, {self._coding.name}")
        if data:
            self._stream = self._coding.open(data[0])
        return data


def decoded(source: Readable, field: str, check: Callable[[], object], *, may_be_empty: bool) -> Readable:
    """What to read the body from, out of every coding that `Content-Encoding` lists; or as it is, if one is unknown.

    Raises:
        ProtocolError: there are too many codings, or nothing is installed that reads one of them.
    """
    names = [name for part in field.lower().split(",") if (name := part.strip(" \t")) not in ("", "identity")]
    if len(names) > _MAX_CODINGS:
        raise ProtocolError(f"the body is in {len(names)} codings, one in another: {_MAX_CODINGS} are read")
    if not _KNOWN.keys() >= set(names):
        return source
    if len(wide := [name for name in names if name in _WIDE]) > 1:
        raise ProtocolError(f"the body is in {' in '.join(wide)}: each needs megabytes to be read, one is")
    for name in reversed(names):  # RFC 9110 §8.4: listed in the order in which they were applied
        coding = _codings().get(name)
        if coding is None:
            raise ProtocolError(f"the body is in the coding {name}: install {_KNOWN[name]} to read it")
        source = Decoder(source, coding, check, may_be_empty=may_be_empty)
    return source


@cache
def offered() -> str:
    """The codings to ask for, as `Accept-Encoding` lists them."""
    return ", ".join(name for name in _codings() if name != "x-gzip")


@cache
def _codings() -> dict[str, Coding]:
    gzip = Coding("gzip", _gzip, zlib.error, many=True)  # RFC 1952 §2.2: members, one after the other
    deflate = Coding("deflate", _deflate, zlib.error, many=False)
    found = {"gzip": gzip, "x-gzip": gzip, "deflate": deflate}  # RFC 9110 §8.4.1.3: x-gzip is the same
    return found | {coding.name: coding for coding in (_brotli(), _zstd()) if coding is not None}


class _Zlib:
    def __init__(self, window_bits: int) -> None:
        self._inner = zlib.decompressobj(window_bits)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._inner.decompress(data or self._inner.unconsumed_tail, max_length)


def _gzip(first: int) -> _Zlib:
    return _Zlib(31)


def _deflate(first: int) -> _Zlib:
    # RFC 9110 §8.4.1.2: within zlib's frame (RFC 1950 §2.2: CM = 8), or, as some send it, without.
    return _Zlib(15 if first & 0x0F == 8 else -15)


class _Brotli:
    unused_data = b""  # what follows is an error of its own

    def __init__(self, module: Any) -> None:
        self._inner = module.Decompressor()

    @property
    def eof(self) -> bool:
        return bool(self._inner.is_finished())

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        piece: bytes = self._inner.process(data, output_buffer_limit=max_length)
        return piece


def _brotli() -> Coding | None:
    module = _first_of("brotli", "brotlicffi")
    try:
        module.Decompressor().process(b"", output_buffer_limit=1)
    except (AttributeError, TypeError):
        return None  # it is not there, or before 1.2, which has no bound

    def open(first: int) -> _Stream:
        return _Brotli(module)

    return Coding("br", open, module.error, many=False)


def _zstd() -> Coding | None:
    module = _first_of("compression.zstd", "backports.zstd")
    if module is None:
        return None
    window = {module.DecompressionParameter.window_log_max: 23}  # RFC 9659 §3: 8 MiB at most

    def open(first: int) -> _Stream:
        stream: _Stream = module.ZstdDecompressor(options=window)
        return stream

    return Coding("zstd", open, module.ZstdError, many=True)  # RFC 8878 §3: frames, one after the other


def _first_of(*names: str) -> Any:
    for name in names:
        try:
            return import_module(name)
        except ImportError:
            continue
    return None
