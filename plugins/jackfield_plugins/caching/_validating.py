"""Asking whether an entry is still good, and what the answer changes of it (RFC 9111 §4.3)."""

from __future__ import annotations

import re

from jackfield import Headers, Request, parse_http_date

from ._fields import dated, merged
from ._freshness import date_in
from ._kept import Kept, kept
from ._stored import Stored

CONDITIONS = ("if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since")

_is_tag = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"').fullmatch  # RFC 9110 §8.8.3


def conditional(request: Request, entry: Stored) -> Request:
    """The request, so that the answer is 304 if the entry is still good (§4.3.1).

    As it is, if the entry has no validator, or the request has conditions of its own.
    """
    fields, headers = kept(entry).fields, request.headers
    if any(name in headers for name in CONDITIONS):
        return request
    if (tag := _tag(fields)) is not None:
        headers = headers.replacing("If-None-Match", tag)
    if (modified := _modified(fields)) is not None:
        headers = headers.replacing("If-Modified-Since", modified)
    return request if headers is request.headers else request.with_headers(headers)


def has_validator(fields: Headers) -> bool:
    """Whether an answer with these fields can be validated."""
    return _tag(fields) is not None or _modified(fields) is not None


def updated(entry: Stored, headers: Headers, asked_at: float, came_at: float) -> Kept | None:
    """The entry, validated by a 304 (§4.3.4).

    Ask `storable` with its `fields` whether, and by which `selecting`, it is kept from now on. None: the 304 is about
    another representation; forget the entry, and send the request again without conditions.

    Args:
        entry: which the request was conditional on.
        headers: of the 304.
        asked_at: when the request was sent, seconds since 1970.
        came_at: when the 304 had come.
    """
    stored = kept(entry)
    if not _is_about(stored.fields, headers, came_at):
        return None
    fields = dated(merged(stored.fields, headers), came_at)
    return Kept(entry.status, tuple(fields.pairs()), entry.body, asked_at, came_at, entry.selecting)


def updated_by_head(entry: Stored, status: int, headers: Headers, asked_at: float, came_at: float) -> Kept | None:
    """The entry of a GET after an answer to a HEAD that selects it (§4.3.5).

    The very entry, if the answer tells nothing of it. None: it is no longer good, forget it.
    """
    stored = kept(entry)
    if status != 200:
        return stored
    same = all(headers[name] == stored.fields.get(name) for name in ("etag", "last-modified") if name in headers)
    if not same or ("content-length" in headers and headers["content-length"] != _length(stored)):
        return None
    return updated(stored, headers, asked_at, came_at)


def _is_about(stored: Headers, new: Headers, now: float) -> bool:
    """Whether a 304 is about this representation: it names no other validator.

    §4.3.4 asks for the same strong validator. Servers that compress on the fly weaken a tag with a 200 and not with a
    304; as they agreed to our condition, the same tag, weak or strong, is the same to us.
    """
    ours, theirs = _tag(stored), _tag(new)
    if ours is not None and theirs is not None:
        return ours.removeprefix("W/") == theirs.removeprefix("W/")
    dates = [date_in(fields, "last-modified", now) for fields in (stored, new)]
    return None in dates or dates[0] == dates[1]


def _tag(fields: Headers) -> str | None:
    tag = fields["etag"].strip(" \t") if "etag" in fields else ""
    return tag if _is_tag(tag) else None


def _modified(fields: Headers) -> str | None:
    text = fields["last-modified"].strip(" \t") if "last-modified" in fields else ""
    return text if parse_http_date(text, 0.0) is not None else None


def _length(entry: Kept) -> str:
    return entry.fields.get("content-length", str(len(entry.body)))
