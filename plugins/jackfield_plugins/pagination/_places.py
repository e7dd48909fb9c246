"""Where in an answer things are: names in its JSON body, one below the other, or a header. Read in one pass."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from jackfield import ConfigurationError, DecodeError, FieldPath, Response, field_path


class InHeader(NamedTuple):
    """A header field, of an answer or of a request."""

    name: str


Place: TypeAlias = FieldPath | InHeader
"""`"meta.next"`, `("@odata.nextLink",)` where a name has a dot in it, or `InHeader("x-next")`."""

Path: TypeAlias = tuple[str, ...]
Scalar: TypeAlias = str | int | float | bool | None
_ITEMS, _THEN = 0, 3  # their places among the parts


class Told(NamedTuple):
    """What an answer tells: its items, and None for what it does not hold."""

    items: list[Any]
    total: Scalar
    more: Scalar
    then: Scalar


class Places(NamedTuple):
    """Where the parts of an answer are. What of the body nobody looks for is skipped, and never built."""

    items: Path | InHeader
    total: Path | InHeader | None
    more: Path | InHeader | None
    then: Path | InHeader | None
    omits_empty: bool

    def checked(self) -> Places:
        """These, if one answer can have them all; raises ConfigurationError."""
        _tree(self)
        return self

    def read(self, response: Response, item: Any) -> Told:
        """Decodes the answer; raises DecodeError if the items are not there, or not of this type."""
        kind, ways, in_header = _shape(item, self)
        body = response.decode(kind)
        found = [_at(body, way) for way in ways]
        if found[_THEN] is not None:
            found[_THEN] = _as_written(bytes(found[_THEN]), self.then)
        for number, name in in_header:
            found[number] = response.headers.get(name)
        return Told(found[_ITEMS] or [], *found[1:])


def place(given: Place | None) -> Path | InHeader | None:
    """Where something is, out of how an author writes it; raises ConfigurationError."""
    return given if given is None or isinstance(given, InHeader) else field_path(given)


class _Tree:
    """Names, one below the other, and at their ends which part of an answer stands there."""

    def __init__(self) -> None:
        self.children: dict[str, _Tree | int] = {}

    def plant(self, path: Path, number: int) -> None:
        name, *below = path
        child = self.children.setdefault(name, _Tree() if below else number)
        if isinstance(child, _Tree) and below:
            child.plant(tuple(below), number)
        elif child != number or below:
            raise ConfigurationError(f"two parts of an answer cannot both be at {name!r}")

    def holds_items(self) -> bool:
        below = (
            child.holds_items() if isinstance(child, _Tree) else child == _ITEMS for child in self.children.values()
        )
        return any(below)

    def struct(self, items: Any, omits_empty: bool) -> Any:
        """The type that holds nothing but these names: `f0`, `f1` … in their order."""
        from msgspec import Raw, defstruct

        fields: list[Any] = []
        for number, child in enumerate(self.children.values()):
            if isinstance(child, _Tree):
                kind, needed = child.struct(items, omits_empty), child.holds_items()
            else:
                kind, needed = (items, True) if child == _ITEMS else (Raw if child == _THEN else Scalar, False)
            if needed and not omits_empty:
                fields.append((f"f{number}", kind))
            else:
                fields.append((f"f{number}", kind if kind is Raw else kind | None, None))
        return defstruct("Answer", fields, rename={f"f{number}": name for number, name in enumerate(self.children)})

    def way(self, path: Path) -> Path:
        """The attributes that lead through such a type to where a path ends."""
        attribute = f"f{list(self.children).index(path[0])}"
        child = self.children[path[0]]
        return (attribute, *child.way(path[1:])) if isinstance(child, _Tree) else (attribute,)


def _tree(places: Places) -> _Tree:
    tree = _Tree()
    for number, path in enumerate(places[:4]):
        if isinstance(path, InHeader) and number == _ITEMS:
            raise ConfigurationError("items are in the body, not in a header")
        if isinstance(path, InHeader) or path is None:
            continue
        if places.items == () and number != _ITEMS:
            raise ConfigurationError("the items are the whole body: there is no room for anything else in it")
        if path:
            tree.plant(path, number)
    return tree


class _Shape(NamedTuple):
    """The type to decode; on which way each part is found in it; and the headers of those that are not in the body."""

    kind: Any
    ways: tuple[Path | None, ...]
    in_header: tuple[tuple[int, str], ...]


@lru_cache(maxsize=1024)
def _shape(item: Any, places: Places) -> _Shape:
    tree, items, parts = _tree(places), list[item] | None if places.omits_empty else list[item], places[:4]
    kind = tree.struct(items, places.omits_empty) if places.items else items
    ways = [None if isinstance(p, InHeader) or p is None else tree.way(p) if p else () for p in parts]
    in_header = [(number, p.name) for number, p in enumerate(parts) if isinstance(p, InHeader)]
    return _Shape(kind, tuple(ways), tuple(in_header))


def _as_written(told: bytes, place: Any) -> Scalar:
    """What leads on; a number with a fraction as the service spells it, who gets it back."""
    from msgspec.json import decode

    try:
        value = decode(told, type=Scalar)
    except (ValueError, RecursionError):  # what it says may be a secret
        raise DecodeError(
            f"what leads on to the next page, at {'.'.join(place)}, is neither a text nor a number"
        ) from None
    return told.decode() if value and isinstance(value, float) else value


def _at(value: Any, way: Path | None) -> Any:
    if way is None:
        return None
    for name in way:
        if value is None:
            return None
        value = getattr(value, name)
    return value
