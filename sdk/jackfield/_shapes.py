"""Types as msgspec knows them. One thread at a time teaches it a type: two at once end the process (msgspec 0.22)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from ._fork import fork_safe_lock

if TYPE_CHECKING:
    from msgspec.json import Decoder

T = TypeVar("T")

_LOCK = fork_safe_lock()


@lru_cache(maxsize=1024)
def decoder_of(into: Any) -> Decoder[Any]:
    """What decodes JSON into a type; in place of `msgspec.json.decode(…, type=into)`, which makes one each time."""
    from msgspec.json import Decoder

    with _LOCK:
        return Decoder(into)


def known(into: type[T]) -> type[T]:
    """The type, which msgspec has heard of now: `msgspec.convert(value, known(into))`."""
    kind: Any = into
    decoder_of(kind)
    return into
