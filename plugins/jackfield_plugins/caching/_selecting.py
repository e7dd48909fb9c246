"""Which entry a request selects (RFC 9111 §4.1): by the fields that `Vary` names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from jackfield import Headers, Request

from ._freshness import date_of
from ._kept import Kept, kept
from ._stored import Stored
from ._terms import Rules

Selecting = tuple[tuple[str, str | None], ...]

PER_CALL = frozenset({"date", "traceparent", "tracestate", "x-correlation-id", "x-request-id"})
"""Fields that differ from call to call, and neither tell who asks nor what for."""

# These hold no secret, and are kept as they are; of the others a store sees a digest.
_LISTS = frozenset({"accept", "accept-charset", "accept-encoding", "accept-language", "prefer"})
_PLAIN = _LISTS | {"content-type", "origin"}
_ANY_CASE = frozenset({"accept-charset", "accept-encoding", "accept-language"})


def selecting(request: Request, headers: Headers, rules: Rules) -> Selecting | None:
    """The request's values of what an answer's `Vary` names; None if no request ever selects it."""
    names = {name.strip(" \t").lower() for value in headers.get_all("vary") for name in value.split(",")} - {""}
    # "A stored response with a Vary header field value containing a member "*" always fails to match."
    if "*" in names:
        return None
    return tuple((name, _value(request.headers, name, rules)) for name in sorted(names))


def selected(request: Request, stored: Sequence[Stored], rules: Rules) -> Kept | None:
    """The entry that the request selects: "the most recent [...] as determined by the Date header field".

    Args:
        request: as it was meant.
        stored: what is kept for its URL, newest first.
        rules: by which it was kept.
    """
    suit = suits(request, rules)
    matching = [entry for entry in stored if not entry.selecting or suit(entry.selecting)]
    if len(matching) < 2:
        return kept(matching[0]) if matching else None
    return max(map(kept, matching), key=date_of)  # of equals the first


def suits(request: Request, rules: Rules) -> Callable[[Selecting], bool]:
    """Tells of each entry's `selecting` whether the request has these values; each of its own is hashed once."""
    values: dict[str, str | None] = {}

    def suit(given: Selecting) -> bool:
        for name, value in given:
            if name not in values:
                values[name] = _value(request.headers, name, rules)
            if values[name] != value:
                return False
        return True

    return suit


def _value(headers: Headers, name: str, rules: Rules) -> str | None:
    """ "if (and only if) a header field is absent from a request, it can only match another request if it is also
    absent there".
    """
    if name not in headers:
        return None
    if name in _PLAIN:
        return _plain(name, headers[name])
    from hashlib import blake2b

    text = f"{name}:{headers[name]}".encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=16, key=rules.key).hexdigest()


@lru_cache(maxsize=128)
def _plain(name: str, value: str) -> str:
    """Normalised only as its own syntax allows: without blanks around the commas of a list, and in lower case.

    What holds a quoted string is left as it is.
    """
    if name in _LISTS and '"' not in value:
        value = ",".join([part.strip(" \t") for part in value.split(",")])
    return value.lower() if name in _ANY_CASE else value
