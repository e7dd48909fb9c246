"""The bytes of an answer as they come: whether they are all, decoded, and in pieces of one size."""

import http.client
import zlib
from collections.abc import Iterator, Mapping

from ._outgoing import Unreachable

CHUNK = 65_536


def read(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while piece := answer.read(CHUNK):
            yield piece
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable("ChunkedEncodingError", f"Connection broken: {error!r}") from error


def complete(pieces: Iterator[bytes], length: int | None) -> Iterator[bytes]:
    got = 0
    for piece in pieces:
        got += len(piece)
        yield piece
    if length is not None and got < length:
        told = f"Connection broken: IncompleteRead({got} bytes read, {length - got} more expected)"
        raise Unreachable("ChunkedEncodingError", told)


def decoded(pieces: Iterator[bytes], headers: Mapping[str, str]) -> Iterator[bytes]:
    """The content, decoded, in pieces of one size."""
    coding = headers.get("content-encoding", "").strip().lower()
    decoder = zlib.decompressobj(47) if coding in ("gzip", "deflate") else None  # 47: either, told by its header
    waiting = b""
    for piece in pieces:
        try:
            waiting += piece if decoder is None else decoder.decompress(piece)
        except zlib.error as error:
            raise Unreachable("ContentDecodingError", f"Received response with content-encoding: {coding}") from error
        while len(waiting) >= CHUNK:
            yield waiting[:CHUNK]
            waiting = waiting[CHUNK:]
    if waiting:
        yield waiting
