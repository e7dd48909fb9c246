"""Which part of an entity a request asks for, and which one an answer holds (RFC 9110 §14)."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import NamedTuple

from jackfield import ContractError, Headers, Request

_content_range = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/(?:([0-9]{1,18})|\*)", re.IGNORECASE).fullmatch
_number = re.compile(r"[0-9]{1,18}").fullmatch
_unsatisfied = re.compile(r"bytes \*/([0-9]{1,18})", re.IGNORECASE).fullmatch


class Held(NamedTuple):
    """What there is of an entity already.

    Attributes:
        size: bytes, from its beginning.
        validator: a strong one, which tells it from every other entity; None: there is none, and it cannot be resumed.
        total: its bytes in all, where known.
        source: what it was asked for by; see `source_of`.
    """

    size: int = 0
    validator: str | None = None
    total: int | None = None
    source: str = ""


_SELECTING = ("accept", "accept-language")


class Part:
    """What a request is to bring: all, or the rest. `part.of(request)` makes it ask for that.

    Attributes:
        request: what was made of it; None if it was not.
        source: what the entity is asked for by; see `source_of`.
        start: the first byte that it asks for.
    """

    def __init__(self, held: Held = Held(), identity: bytes = b"") -> None:  # noqa: B008 - it is frozen
        self._held = held
        self._identity = identity
        self.source = ""
        self.request: Request | None = None
        self.start = 0

    def of(self, request: Request) -> Request:
        """The request, made to ask for this part."""
        held = self._held
        # A range is of the coded bytes, and so are lengths and digests.
        headers = request.headers.replacing("accept-encoding", "identity")
        self.source = source_of(request, self._identity)
        if held.size and held.validator is not None and held.source == self.source:
            self.start = held.size
            headers = headers.replacing("range", f"bytes={held.size}-").replacing("if-range", held.validator)
        else:
            self.start = 0
            headers = headers.without("range").without("if-range")
        self.request = request.with_headers(headers)
        return self.request


def source_of(request: Request, identity: bytes) -> str:
    """What an entity's validator goes with: method, URL, what may select another, who asks. A digest, as it is kept.

    Of who asks it tells two bytes: enough to keep users apart, and too little to hold a guessed password against.
    """
    who = sha256(identity).hexdigest()[:4] if identity else ""
    selecting = [request.headers.get_all(name) for name in _SELECTING]
    return sha256(f"{request.method} {request.url.origin} {request.target} {selecting} {who}".encode()).hexdigest()


class Span(NamedTuple):
    """A part that came: its first byte, the byte after its last, and the bytes of the whole, where it says so."""

    start: int
    end: int
    total: int | None


def span_of(headers: Headers) -> Span:
    """What a 206 holds.

    Raises:
        ContractError: it does not say so, or not in a way that makes sense.
    """
    if headers.get("content-type", "").strip().lower().startswith("multipart/byteranges"):
        raise ContractError("the service sent several ranges, and was asked for one")
    # §15.3.7.1: "the server [...] MUST generate a Content-Range header field"
    found = _content_range(headers.get("content-range", "").strip(" \t"))
    if found is None:
        raise ContractError(
            "the service sent a part, and does not say which: its Content-Range is missing or malformed"
        )
    first, last, total = int(found[1]), int(found[2]), None if found[3] is None else int(found[3])
    # §14.4: a Content-Range is invalid "that has a last-pos value less than its first-pos value, or [...] a
    # complete-length value less than or equal to its last-pos value", and its recipient "MUST NOT attempt to recombine"
    if last < first or (total is not None and total <= last):
        raise ContractError("the service sent a part that cannot be: its Content-Range makes no sense")
    return Span(first, last + 1, total)


def length_of(headers: Headers) -> int | None:
    """How many bytes the answer's body has, where it says so."""
    text = headers.get("content-length", "").strip(" \t")
    return int(text) if _number(text) else None


def total_of(headers: Headers) -> int | None:
    """How many bytes there are in all, by the word of a 416 (§15.5.17); None if it does not say."""
    found = _unsatisfied(headers.get("content-range", "").strip(" \t"))
    return None if found is None else int(found[1])
