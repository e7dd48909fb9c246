"""Records and lists out of the Hub's answers: bare, or with what the new generation puts around them."""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import Raw, Struct

from jackfield import Response

from ._envelopes import ResourceListMeta, SingleResourceMeta
from ._model import NEW, Record
from ._on_wire import on_wire
from ._speech import Speech

R = TypeVar("R", bound=Record)


class _Envelope(Struct):
    data: Raw = Raw()
    meta: Raw = Raw()

    @property
    def is_one(self) -> bool:
        return bool(bytes(self.data) and bytes(self.meta))


class _Counts(Struct):
    total: int | None = None
    limit: int | None = None
    offset: int | None = None


class _List(Struct, Generic[R]):
    data: list[R]
    meta: _Counts | None = None


class Listed(NamedTuple, Generic[R]):
    """The records of one page, and how many there are in all, if the Hub tells."""

    records: list[R]
    total: int | None


def read_list(response: Response, model: type[R], speech: Speech) -> Listed[R]:
    """The page that an answer holds; raises DecodeError if it is none."""
    generation = speech.generation or speech.learn(response)
    listed: Any = response.decode(_List[on_wire(model, generation)])  # type: ignore[misc]  # made at run time
    if listed.data and _is_doubtful(listed.data[0]) and speech.learn(response) != generation:
        return read_list(response, model, speech)
    return Listed(listed.data, None if listed.meta is None else listed.meta.total)


def list_meta(response: Response) -> ResourceListMeta:
    """What an answer says of a list as a whole; of an old Hub little."""
    meta = response.decode(_Envelope).meta or Raw(b"{}")
    told: ResourceListMeta = _part(response, meta).decode(on_wire(ResourceListMeta, NEW))
    return told


def read_one(response: Response, model: type[R], speech: Speech) -> R:
    """The record that an answer is, or holds; raises DecodeError if there is none."""
    generation = speech.generation or speech.learn(response)
    envelope = response.decode(_Envelope)
    inner = _part(response, envelope.data) if envelope.is_one else response
    record: R = inner.decode(on_wire(model, generation))
    if _is_doubtful(record) and speech.learn(response) != generation:
        return read_one(response, model, speech)
    return record


def one_meta(response: Response) -> SingleResourceMeta | None:
    """What an answer says of its record; None where it is nothing but the record."""
    envelope = response.decode(_Envelope)
    if not envelope.is_one:
        return None
    meta: SingleResourceMeta = _part(response, envelope.meta).decode(on_wire(SingleResourceMeta, NEW))
    return meta


def _is_doubtful(record: Record) -> bool:
    """Whether it may have been read by the names of the other generation: every record has a date."""
    return getattr(record, "created_at", record) is None


def _part(response: Response, part: Raw) -> Response:
    return response.replace(body=bytes(part))
