"""One request with all that is known of it, as it reaches whoever answers it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ._fields import Actor
from ._multipart import Part
from ._wire import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`segments` are those of its path, decoded; `body` is empty and `files` are none where it had none."""

    segments: Sequence[str]
    query: Sequence[tuple[str, str]]
    actor: Actor
    claims: Record
    body: Record
    files: Sequence[Part]
    url: str
