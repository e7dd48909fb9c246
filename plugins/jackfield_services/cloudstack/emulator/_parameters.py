"""From the bytes of a request to its parameters, by the rules of ApiServlet and ParamUnpackWorker."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from ._wire import ApiError

_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_INDEX = re.compile(r"[+-]?[0-9]{1,9}")
_MALFORMED = (
    "Unable to decode parameter {}; if specifying an object array, please use parameter[index].field=XXX, "
    "e.g. userGroupList[0].group=httpGroup"
)


class UndecodableError(ValueError):
    """A % that starts no escape: the container refuses such a request before the API sees it."""


def from_query(query: bytes) -> dict[str, str]:
    """The last of duplicate names wins; a name without = counts only where no other gives it a value."""
    found: dict[str, str] = {}
    for name, value in _pairs(query):
        if value is None:
            found.setdefault(name, "")
        else:
            found[name] = value
    return found


def first_wins(encoded: bytes) -> dict[str, str]:
    """A form, and any query on the integration port: the first of duplicate names wins."""
    found: dict[str, str] = {}
    for name, value in _pairs(encoded):
        found.setdefault(name, value or "")
    return found


def refuse_control_characters(parameters: Mapping[str, str]) -> None:
    """Values may hold \\n and \\r, and no other control character."""
    for name, value in parameters.items():
        if _CONTROL.search(value):
            raise ApiError(
                431, f"Received value containing illegal ASCII non-printable characters for parameter {name}"
            )


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a command sees: names lower-cased, `name[0].key=value` gathered into maps."""

    values: Mapping[str, str]
    maps: Mapping[str, Mapping[int, Mapping[str, str]]]

    @classmethod
    def unpack(cls, parameters: Mapping[str, str]) -> "Arguments":
        values: dict[str, str] = {}
        maps: dict[str, dict[int, dict[str, str]]] = {}
        for name, value in parameters.items():
            if name.find("[") > 0 or name.count("[") > 1:
                key, index, field = _split_map_name(name)
                maps.setdefault(key, {}).setdefault(index, {})[field] = value
            else:
                values[name.lower()] = value
        return cls(values, maps)

    def given(self, name: str) -> bool:
        return name in self.values or name in self.maps

    def text(self, name: str) -> str:
        return self.values.get(name, "")

    def items(self, name: str) -> list[str]:
        """A LIST: comma-joined, and empty items vanish."""
        return [item for item in self.text(name).split(",") if item]

    def entries(self, name: str) -> list[Mapping[str, str]]:
        """A MAP: its entries by index; gaps are allowed."""
        return [entry for _, entry in sorted(self.maps.get(name, {}).items())]

    def integer(self, name: str) -> int | None:
        """None where the parameter is absent; text that is no number is a 431."""
        if name not in self.values:
            return None
        if not _INTEGER.fullmatch(self.values[name]):
            raise ApiError(431, f'For input string: "{self.values[name]}"')
        return int(self.values[name])


def _pairs(encoded: bytes) -> Iterator[tuple[str, str | None]]:
    if _BAD_ESCAPE.search(encoded):
        raise UndecodableError
    for pair in encoded.split(b"&"):
        name, equals, value = pair.partition(b"=")
        if pair:
            yield _decoded(name), _decoded(value) if equals else None


def _decoded(text: bytes) -> str:
    """java.net.URLDecoder: + is a blank, and bytes that are no UTF-8 become U+FFFD."""
    return unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8", "replace")


def _split_map_name(name: str) -> tuple[str, int, str]:
    """`tags[0].key` -> ("tags", 0, "key"): exactly one [ ], an integer between, and a field behind."""
    start, end = name.find("["), name.find("]")
    well_formed = name.count("[") == name.count("]") == 1 and start < end < name.find(".")
    if not well_formed or not _INDEX.fullmatch(name[start + 1 : end]):
        raise ApiError(430, _MALFORMED.format(name))
    return name[:start].lower(), int(name[start + 1 : end]), name[name.find(".") + 1 :]
