"""How the components of a message are named that a signature covers (RFC 9421 §2)."""

from __future__ import annotations

import re
from typing import TypedDict, Unpack, cast
from urllib.parse import parse_qsl, quote

from jackfield import UsageError

_ASKED = ("@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query")  # §2.2, of requests
_ALLOWED = {name: frozenset({"req"}) for name in _ASKED} | {
    "@query-param": frozenset({"req", "name"}),
    "@status": frozenset[str](),
}
_OF_FIELDS = frozenset({"sf", "key", "bs", "req", "tr"})
_TEXTS = ("key", "name")

_is_field_name = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+").fullmatch  # §2.1: in lower case
_is_text = re.compile(r"[ -~]*").fullmatch


class Parameters(TypedDict, total=False):
    """What an identifier may say besides the name (RFC 9421 §2.1, §2.2.8, §2.4)."""

    sf: bool
    key: str
    bs: bool
    tr: bool
    req: bool
    name: str


class Component:
    """The identifier of a component: `Component("@method")`, `Component("example-dict", key="a")`.

    Two are equal whatever the order of their parameters (RFC 9421 §2); the order is kept for the wire.

    Args:
        name: of a header field, in lower case, or of a derived component, with its `@`.
        sf: the field in the strict form of structured fields (§2.1.1).
        key: one member of a field that is a dictionary (§2.1.2).
        bs: each line of the field as bytes, for fields that cannot be joined (§2.1.3).
        req: of the request that a response answers (§2.4).
        name: of `@query-param`, percent-encoded as §2.2.8 says.

    Raises:
        UsageError: there is no such component, or not with these parameters.
    """

    __slots__ = ("_name", "_parameters")

    def __init__(self, component: str, /, **parameters: Unpack[Parameters]) -> None:
        if not isinstance(component, str):
            raise UsageError(f"a component's name is a string, not {type(component).__name__}")
        self._name = component
        self._parameters = cast("dict[str, str | bool]", parameters)
        allowed = _ALLOWED.get(component)
        if allowed is None and not _is_field_name(component):
            raise UsageError("a component is a field's name in lower case, or one of " + ", ".join(sorted(_ALLOWED)))
        self._check(_OF_FIELDS if allowed is None else allowed)

    def _check(self, allowed: frozenset[str]) -> None:
        for key, value in self._parameters.items():
            fits = isinstance(value, str) and _is_text(value) if key in _TEXTS else value is True
            if key not in allowed or not fits:
                raise UsageError(f"the component {self._name!r} has no such parameter, or not with this value: {key!r}")
        if "tr" in self._parameters:
            raise UsageError("trailers cannot be signed or verified here: leave out the component with 'tr'")
        # §2.1: bs needs the bytes, sf and key what they mean
        if "bs" in self._parameters and not self._parameters.keys().isdisjoint({"sf", "key"}):
            raise UsageError("a component's parameter 'bs' goes with neither 'sf' nor 'key'")
        if self._name == "@query-param":
            self._check_query_name(self._parameters.get("name"))

    def _check_query_name(self, name: str | bool | None) -> None:
        if not isinstance(name, str):
            raise UsageError("'@query-param' needs the parameter 'name'")
        if [percent_encoded(decoded) for decoded, _ in query_pairs(f"{name}=")] != [name]:
            raise UsageError("the name of '@query-param' is percent-encoded: a blank as %20, é as %C3%A9")

    @property
    def name(self) -> str:
        return self._name

    @property
    def parameters(self) -> dict[str, str | bool]:
        """A copy of them, in order."""
        return dict(self._parameters)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Component):
            return NotImplemented
        return self._name == other._name and self._parameters == other._parameters

    def __hash__(self) -> int:
        return hash((self._name, frozenset(self._parameters.items())))

    def __str__(self) -> str:
        """As it stands in a signature base: `"example-dict";key="a"`."""
        return "".join([_quoted(self._name), *(_parameter(*pair) for pair in self._parameters.items())])

    def __repr__(self) -> str:
        return f"Component({self})"


BASICS = ("@method", "@authority", "@path", "@query")  # what is covered unless something else is asked for
CONTENT_DIGEST = Component("content-digest")


def _quoted(text: str) -> str:
    """A string of RFC 9651 §3.3.3; that it holds nothing but visible ASCII was seen to."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _parameter(name: str, value: str | bool) -> str:
    return f";{name}={_quoted(value)}" if isinstance(value, str) else f";{name}"


def query_pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True, errors="replace")


def percent_encoded(text: str) -> str:
    """The percent-encode set of forms, with a blank as %20 (WHATWG URL §1.3): letters, digits and `*-._` stay."""
    return quote(text, safe="*", errors="replace").replace("~", "%7E")
