"""The Link header field (RFC 8288 §3, appendix B), as forgiving as its parsing algorithm, in linear time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple


class Link(NamedTuple):
    """One link.

    Attributes:
        target: the reference, as it was given.
        rel: the relations; in lower case, but for those that are URIs.
        params: the other parameters, the first of each name; `title` is that of `title*`, where it can be read.
    """

    target: str
    rel: tuple[str, ...]
    params: dict[str, str]


_gap = re.compile(r"[ \t,]*+").match  # RFC 9110 §5.6.1: empty elements of a list are ignored
_target = re.compile(r"<([^>]*+)>").match
_param = re.compile(r'[ \t]*+;[ \t]*+([^ \t=;,"]*+)[ \t]*+(=[ \t]*+)?').match
_quoted = re.compile(r'"((?:[^"\\]|\\.)*+)(?:"|\\?\Z)', re.DOTALL).match  # appendix B.4: its end may be missing
_plain = re.compile(r"[^;,]*+").match
_rest = re.compile(r'(?:[^,"<]|"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|<[^>]*+>?)*+', re.DOTALL).match
_unescaped = re.compile(r"\\(.)", re.DOTALL).sub
_extended = re.compile(r"(utf-8|iso-8859-1)'[A-Za-z0-9-]*+'((?:%[0-9A-F]{2}|[!#$&+.^_`|~0-9A-Z-])*+)", re.I).fullmatch


def parse_links(lines: Iterable[str]) -> list[Link]:
    """The links of an answer's `Link` header lines, in order. What is no link is passed over.

    `parse_links(response.headers.get_all("link"))`
    """
    return [link for line in lines for link in _links(line)]


def _links(line: str) -> Iterator[Link]:
    position = _end(_gap, line, 0)
    while position < len(line):
        if found := _target(line, position):
            params, position = _params(line, found.end())
            rel = tuple(name if ":" in name else name.lower() for name in params.pop("rel", "").split())
            yield Link(found[1], rel, params)
        position = _end(_gap, line, _end(_rest, line, position))


def _params(line: str, position: int) -> tuple[dict[str, str], int]:
    params: dict[str, str] = {}
    extended: dict[str, str] = {}
    while found := _param(line, position):
        name = found[1].lower()
        value, position = _value(line, found.end()) if found[2] else ("", found.end())
        if not name.endswith("*"):
            params.setdefault(name, value)  # §3.3, §3.4.1: later ones are ignored
        elif (decoded := _decoded(value)) is not None and name not in ("rel*", "anchor*"):
            extended.setdefault(name[:-1], decoded)
    params.pop("", None)
    return {**params, **extended}, position


def _value(line: str, position: int) -> tuple[str, int]:
    if found := _quoted(line, position):
        return _unescaped(r"\1", found[1]), found.end()
    end = _end(_plain, line, position)
    return line[position:end].rstrip(" \t"), end


def _decoded(value: str) -> str | None:
    """The value of a `name*` parameter (RFC 8187 §3.2); None if it is malformed, or in another charset."""
    from urllib.parse import unquote_to_bytes

    if not (found := _extended(value)):
        return None
    try:
        return unquote_to_bytes(found[2]).decode(found[1])
    except UnicodeDecodeError:
        return None


def _end(match: Callable[[str, int], re.Match[str] | None], line: str, position: int) -> int:
    found = match(line, position)
    return found.end() if found else position
