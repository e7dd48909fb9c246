"""Records and lists out of the Hub's answers: bare, or with what the new generation puts around them."""

from __future__ import annotations

from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

from msgspec import Raw, Struct

from jackfield import DecodeError, Response

from ._envelopes import Counts, ResourceListMeta, SingleResourceMeta
from ._model import NEW, Record
from ._on_wire import list_on_wire, on_wire
from ._said import shown
from ._speech import Speech

R = TypeVar("R", bound=Record)

_id = attrgetter("id")
_NOTHING = (b"", b"null")


class _Envelope(Struct):
    data: Raw = Raw()
    meta: Raw = Raw()

    @property
    def is_one(self) -> bool:
        return bool(bytes(self.data) and bytes(self.meta))


def read_list(response: Response, model: type[R], speech: Speech) -> tuple[list[R], Counts]:
    """The records of the page that an answer holds; raises DecodeError if it is none."""
    generation = speech.generation or speech.learn(response)
    listed: Any = response.decode(list_on_wire(model, generation))
    records: list[R] = listed.data
    if records and _may_be_misread(records[0]) and speech.learn(response) != generation:
        return read_list(response, model, speech)
    if not ("id" in model.__struct_fields__ and all(map(_id, records))):
        told = response.decode(dict[str, Any])["data"]
        for number, record in enumerate(records):
            _check(told[number], record, response)
    return records, listed.meta or Counts()


def list_meta(response: Response) -> ResourceListMeta:
    """What an answer says of a list as a whole; of an old Hub little."""
    return _read_meta(response.decode(_Envelope), ResourceListMeta, response) or ResourceListMeta()


def read_one(response: Response, model: type[R], speech: Speech) -> R:
    """The record that an answer is, or holds; raises DecodeError if there is none."""
    generation = speech.generation or speech.learn(response)
    envelope = response.decode(_Envelope)
    inner = _part(response, envelope.data) if envelope.is_one else response
    record: R = inner.decode(on_wire(model, generation))
    if _may_be_misread(record) and speech.learn(response) != generation:
        return read_one(response, model, speech)
    if getattr(record, "id", None) is None:
        _check(inner.decode(dict[str, Any]), record, response)
    return record


def is_page(response: Response) -> bool:
    """Whether an answer is a page for people, a sign-in say."""
    return response.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/html"


def no_page(response: Response) -> Response:
    """The answer; raises DecodeError if it is a page for people."""
    if not is_page(response):
        return response
    begins = shown(response.content[:80].decode(errors="replace"))
    raise DecodeError(
        f"the answer ({response.status}) is a page for people (text/html), and nothing of a Hub's: check base_url; it "
        f"begins with {begins!r}"
    )


def read_nothing(response: Response) -> None:
    """Takes the answer to what was done; raises DecodeError if it is none of a Hub's, but of a sign-in page, say."""
    if response.content:
        response.decode(Any)


def one_meta(response: Response) -> SingleResourceMeta | None:
    """What an answer says of its record; None where it is nothing but the record."""
    envelope = response.decode(_Envelope)
    return _read_meta(envelope, SingleResourceMeta, response) if envelope.is_one else None


def _may_be_misread(record: Record) -> bool:
    """Whether it may have been read by the names of the other generation: most records have a date, all such names."""
    return None in [getattr(record, name) for name in _telling(type(record))]


@cache
def _telling(kind: type[Record]) -> tuple[str, ...]:
    names = kind.__struct_fields__
    return ("created_at",) if "created_at" in names else tuple(name for name in names if "_" in name)


def _check(told: dict[str, Any], record: Record, response: Response) -> None:
    """Any object could be read as a record of which everything is missing, the id that most have, too.

    Raises:
        DecodeError: this one was.
    """
    if told.keys().isdisjoint(record.__struct_encode_fields__):
        raise DecodeError(f"the answer ({response.status}) holds no {type(record).__name__}: it has none of its fields")


M = TypeVar("M", bound=SingleResourceMeta)


def _read_meta(envelope: _Envelope, kind: type[M], response: Response) -> M | None:
    if bytes(envelope.meta) in _NOTHING:
        return None
    meta: M = _part(response, envelope.meta).decode(on_wire(kind, NEW))
    return meta


def _part(response: Response, part: Raw) -> Response:
    return response.replace(body=bytes(part))
