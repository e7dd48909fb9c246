"""Header fields (RFC 9110 §5): ordered, case-insensitive, several values per name, immutable."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias, cast

from ._errors import UsageError

HeaderFields: TypeAlias = "Headers | Mapping[str, str] | Iterable[tuple[str, str]]"

# RFC 9110 §5.6.2 token; §5.5 field-value: visible ASCII, obs-text, blanks and tabs between them.
_is_name = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_is_value = re.compile(r"(?:[\x21-\x7e\x80-\xff](?:[\t \x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?").fullmatch

# An allow-list: what is not named here may be a secret, and is not shown.
_SHOWN = frozenset(
    {"accept", "accept-encoding", "age", "cache-control", "connection", "content-encoding", "content-length"}
    | {"content-type", "date", "etag", "expires", "last-modified", "retry-after", "server", "user-agent", "vary"}
)


class Headers(Mapping[str, str]):
    """Header fields. Look-ups ignore case; the order and the spelling given are kept.

    Raises:
        UsageError: for a name or value that RFC 9110 does not allow (a line break, say).
    """

    __slots__ = ("_fields",)
    _fields: dict[str, tuple[tuple[str, str], ...]]

    def __init__(self, fields: HeaderFields = ()) -> None:
        if isinstance(fields, Headers):
            self._fields = fields._fields
            return
        collected: dict[str, tuple[tuple[str, str], ...]] = {}
        self._fields = collected
        for name, value in as_pairs(fields, "headers"):
            _check(name, value)
            key = name.lower()
            collected[key] = (*collected.get(key, ()), (name, value))

    @classmethod
    def received(cls, fields: Iterable[tuple[str, str]]) -> Headers:
        """What a peer sent: kept as it came, for a reader to judge."""
        collected: dict[str, tuple[tuple[str, str], ...]] = {}
        for name, value in fields:
            key = name.lower()
            collected[key] = (*collected[key], (name, value)) if key in collected else ((name, value),)
        return cls._of(collected)

    @classmethod
    def _of(cls, fields: dict[str, tuple[tuple[str, str], ...]]) -> Headers:
        headers = object.__new__(cls)
        headers._fields = fields
        return headers

    def __getitem__(self, name: str) -> str:
        """The value; several are joined by a comma and a blank (RFC 9110 §5.3)."""
        found = self._fields[name.lower()]
        return found[0][1] if len(found) == 1 else ", ".join(value for _, value in found)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __iter__(self) -> Iterator[str]:
        return (found[0][0] for found in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        return {key: self.get_all(key) for key in self._fields} == {key: other.get_all(key) for key in other._fields}

    def __hash__(self) -> int:
        return hash(frozenset(self._fields))

    def get_all(self, name: str) -> list[str]:
        """Every value of a name, in order; not joined, as `Set-Cookie` needs it."""
        found = self._fields.get(name.lower())
        return [value for _, value in found] if found else []

    def pairs(self) -> list[tuple[str, str]]:
        """Every field as it goes over the wire; fields of one name stand together."""
        return [pair for found in self._fields.values() for pair in found]

    def replacing(self, name: str, value: str) -> Headers:
        """These, with one value under the name, whatever stood there."""
        _check(name, value)
        return Headers._of({**self._fields, name.lower(): ((name, value),)})

    def without(self, name: str) -> Headers:
        """These, but no field of the name."""
        return Headers._of({key: found for key, found in self._fields.items() if key != name.lower()})

    def over(self, defaults: Headers) -> Headers:
        """These, and of the defaults what they do not name themselves."""
        return Headers._of({**defaults._fields, **self._fields}) if self._fields else defaults

    def shown(self) -> list[tuple[str, str]]:
        """The fields for a person: of those that may be secret, which are most, not the values."""
        return [(name, value if name.lower() in _SHOWN else "***") for name, value in self.pairs()]

    def __repr__(self) -> str:
        return f"Headers({'; '.join(f'{name}: {value}' for name, value in self.shown())!r})"


def as_pairs(fields: Mapping[str, str] | Iterable[tuple[str, str]], what: str) -> list[tuple[str, str]]:
    """The pairs of what is a mapping or already pairs."""
    if not isinstance(fields, (list, tuple)):  # which are seen at once
        if isinstance(fields, Mapping):
            return list(cast("Mapping[str, str]", fields).items())
        if not isinstance(fields, Iterable):
            raise UsageError(f"{what} is a mapping, or pairs of name and value")
    pairs = list(fields)
    if not all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs):
        raise UsageError(f"{what} is a mapping, or pairs of name and value")
    return pairs


def _check(name: object, value: object) -> None:
    if not isinstance(name, str) or not _is_name(name):
        raise UsageError(f"{name!r} is no header name: letters, digits and !#$%&'*+-.^_`|~ are")
    if not isinstance(value, str) or not _is_value(value):
        # The value is not shown: it may be a credential.
        raise UsageError(
            f"the value of header {name!r} must be a string of visible latin-1 characters, "
            "with blanks and tabs only between them"
        )
