"""What an answer's fields say to a cache (RFC 9111 §5.2, §5.4, RFC 9213): read in linear time, and never raising."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from math import inf
from typing import Any, NamedTuple, cast

from jackfield import Headers

Directives = dict[str, list[str | None]]
"""By its name in lower case the arguments of each directive, in order; None for one without."""

MOST = float(2**31)  # seconds; §1.2.2: "the cache MUST consider the value to be 2147483648"
_LONGEST = 16 * 1024  # characters of a structured field that is read

# cache-directive = token [ "=" ( token / quoted-string ) ], between commas. The group: a quote is never closed.
_members = re.compile(r'(?:[^",]++|"(?:[^"\\]|\\.)*+(?:"|(\\?\Z)))++', re.DOTALL).finditer
_quoted = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL).fullmatch
_escaped = re.compile(r"\\(.)", re.DOTALL).sub
_is_token = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch


class Control(NamedTuple):
    """Directives for a cache.

    Attributes:
        directives: by their names.
        targeted: whether they are for caches of this kind: then neither Cache-Control nor Expires counts.
    """

    directives: Directives
    targeted: bool = False


def control_of(fields: Headers, shared: bool) -> Control:
    """What the fields of an answer say to a cache that serves one user, or many."""
    if shared and "cdn-cache-control" in fields and (targeted := _targeted(fields["cdn-cache-control"])):
        return Control(targeted, True)
    directives = parse_directives(fields.get_all("cache-control"))
    if "cache-control" not in fields and "no-cache" in parse_directives(fields.get_all("pragma")):
        directives["no-cache"] = [None]  # §5.4 has done with it; who sends nothing else means it
    return Control(directives)


def parse_directives(values: Iterable[str]) -> Directives:
    """The directives of all lines of a field."""
    found: Directives = {}
    for value in values:
        for member in _split(value):
            name, equals, argument = member.partition("=")
            key = name.strip(" \t").lower()
            if key:
                found.setdefault(key, []).append(_argument(name, argument) if equals else None)
    return found


def _split(value: str) -> Iterator[str]:
    for found in _members(value):
        if found[1] is None:
            yield found[0].strip(" \t")
        else:  # an open quote quotes nothing: what follows it may be a no-store
            yield from (member.strip(" \t") for member in found[0].split(","))


def _argument(name: str, text: str) -> str:
    """The value; an empty one, which is good for nothing, after a name with a blank behind it."""
    if name[-1:] in (" ", "\t"):
        return ""
    quoted = _quoted(text)  # "recipients ought to support both forms", token and quoted-string
    return _escaped(r"\1", quoted[1]) if quoted else text


def seconds(directives: Directives, name: str) -> float | None:
    """The seconds that a directive gives; None if it is not there.

    Of several the least counts: "either the first occurrence should be used or the response should be considered
    stale" (§4.2.1), and the least does not exceed the first. What is no number is 0: caches are "encouraged to
    consider responses that have invalid freshness information [...] to be stale".
    """
    given = directives.get(name)
    return None if given is None else min([delta(argument) or 0.0 for argument in given])


def delta(argument: str | None) -> float | None:
    """Seconds as a non-negative integer (§1.2.2), at most `MOST`; None if it is none."""
    if argument is None or not (argument.isascii() and argument.isdigit()):
        return None
    return min(float(argument), MOST)  # of too many digits `inf`, where `int` would raise


def listed(directives: Directives, name: str) -> frozenset[str] | None:
    """The fields that a qualified directive names (§5.2.2.4, §5.2.2.7), in lower case; None if it stands for all.

    One that is not there names none.
    """
    fields: set[str] = set()
    for argument in directives.get(name, ()):
        names = [text.strip(" \t").lower() for text in (argument or "").split(",")]
        if not all(map(_is_token, names)):
            return None
        fields.update(names)
    return frozenset(fields)


def most(directives: Directives, name: str) -> float | None:
    """As `seconds`, but the greatest of several, and without an end where it is no number: for what restricts so."""
    given = directives.get(name)
    return None if given is None else max([_or(delta(argument), inf) for argument in given])


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _targeted(text: str) -> Directives | None:
    """RFC 9213 §2.1: one that is empty, or no dictionary, "MUST be ignored"."""
    import http_sf

    if len(text) > _LONGEST or not text.isascii():
        return None
    try:
        found = cast("dict[str, tuple[Any, Any]]", http_sf.parse(text.encode(), tltype="dictionary"))
    except http_sf.StructuredFieldError:
        return None
    return {name: [_typed(value)] for name, (value, _) in found.items() if value is not False}


def _typed(value: object) -> str | None:
    """As `parse_directives` has it: what has another type than the directive's is good for nothing."""
    if value is True:
        return None
    return str(value) if isinstance(value, int) else ""
