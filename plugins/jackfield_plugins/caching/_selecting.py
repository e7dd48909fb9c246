"""Which entry a request selects (RFC 9111 §4.1): by the fields that `Vary` names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from jackfield import Headers, Request

from ._freshness import date_of
from ._kept import Kept, kept
from ._rules import Rules
from ._stored import Stored

Selecting = tuple[tuple[str, str | None], ...]

# These hold no secret, and are compared as they are; of the others a store sees a digest.
_PLAIN = frozenset(
    {"accept", "accept-charset", "accept-encoding", "accept-language", "content-type", "origin", "prefer"}
)
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
    headers = request.headers
    matching = [entry for entry in stored if not entry.selecting or _selects(headers, entry.selecting, rules)]
    if len(matching) < 2:
        return kept(matching[0]) if matching else None
    return max(map(kept, matching), key=date_of)  # of equals the first


def _selects(headers: Headers, values: Selecting, rules: Rules) -> bool:
    return all(_value(headers, name, rules) == value for name, value in values)


def _value(headers: Headers, name: str, rules: Rules) -> str | None:
    """ "if (and only if) a header field is absent from a request, it can only match another request if it is also
    absent there".
    """
    if name not in headers:
        return None
    if name in _PLAIN:
        return _plain(name, headers[name])
    from hashlib import blake2b

    text = f"{name}:{_normal(headers[name])}".encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=16, key=rules.key).hexdigest()


@lru_cache(maxsize=128)
def _plain(name: str, value: str) -> str:
    return _normal(value).lower() if name in _ANY_CASE else _normal(value)


def _normal(value: str) -> str:
    """Without blanks around commas, which a list allows; what holds a quoted string is left as it is."""
    return value if '"' in value else ",".join([part.strip(" \t") for part in value.split(",")])
