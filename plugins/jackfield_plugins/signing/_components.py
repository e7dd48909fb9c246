"""The components of a message that a signature covers (RFC 9421 §2): how they are named, and what they are worth."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypedDict, Unpack, cast
from urllib.parse import parse_qsl, quote

from jackfield import UsageError

from ._message import Message
from ._structured_fields import Member, dictionary, member_text, strict

_PORTS = {"http": "80", "https": "443"}
_DERIVED: dict[str, Callable[[Message], str]] = {
    "@method": lambda message: message.method,
    "@target-uri": lambda message: f"{message.scheme}://{message.authority}{_path_and_query(message)}",
    "@authority": lambda message: _authority(message),
    "@scheme": lambda message: message.scheme.lower(),
    "@request-target": lambda message: _path_and_query(message) if message.target is None else message.target,
    "@path": lambda message: message.path or "/",  # §2.2.6: an empty path is `/`
    "@query": lambda message: f"?{message.query or ''}",  # §2.2.7: an absent query is `?`
}
_ALLOWED = {name: frozenset({"req"}) for name in _DERIVED} | {
    "@query-param": frozenset({"req", "name"}),
    "@status": frozenset[str](),
}
_OF_FIELDS = frozenset({"sf", "key", "bs", "req", "tr"})
_TEXTS = ("key", "name")

_is_field_name = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+").fullmatch  # §2.1: in lower case
_is_text = re.compile(r"[ -~]*").fullmatch
_is_value = re.compile(r"[\t -~]*").fullmatch  # §2.5: neither a line break nor what is not ASCII


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
        if [_percent_encoded(decoded) for decoded, _ in _query_pairs(f"{name}=")] != [name]:
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
        return member_text((self._name, self._parameters))

    def __repr__(self) -> str:
        return f"Component({self})"


class ComponentValues:
    """What a message has under each identifier. A field or query that is asked for often is parsed once."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self._dictionaries: dict[str, dict[str, Member]] = {}

    def of(self, component: Component) -> str:
        """The value, as it goes into the signature base.

        Raises:
            UsageError: the message has none, or none that can be signed.
        """
        value = self._derived(component) if component.name.startswith("@") else self._field(component)
        if not _is_value(value):
            raise UsageError(f"the component {component} holds a line break, or what is not ASCII: it cannot be signed")
        return value

    def lines(self, name: str) -> list[str]:
        """Each line of a field, without folding and outer blanks (RFC 9421 §2.1)."""
        return [_unfolded(line) for line in self._message.headers.get_all(name)]

    def _derived(self, component: Component) -> str:
        message, name = self._message, component.name
        if name == "@status":
            if message.status is None:
                raise UsageError("'@status' is of responses: a request has none")
            return str(message.status)
        if message.status is not None:
            raise UsageError(f"{name!r} is of requests: in a response, write Component({name!r}, req=True)")
        return self._query_parameter(component) if name == "@query-param" else _DERIVED[name](message)

    def _query_parameter(self, component: Component) -> str:
        values = self._query.get(cast("str", component.parameters["name"]), [])
        # §2.2.8: a name that occurs more than once is not to be covered
        if len(values) != 1:
            raise UsageError(f"the message has {len(values)} of the component {component}, not one")
        return values[0]

    @cached_property
    def _query(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in _query_pairs(self._message.query or ""):
            found.setdefault(_percent_encoded(name), []).append(_percent_encoded(value))
        return found

    def _field(self, component: Component) -> str:
        lines, parameters = self.lines(component.name), component.parameters
        if not lines:
            raise UsageError(f"the message has no field {component.name!r}, which is to be covered")
        if "bs" in parameters:
            return ", ".join(_as_bytes(line) for line in lines)
        if "key" in parameters:
            return self._member(component, ", ".join(lines))
        return strict(", ".join(lines)) if "sf" in parameters else ", ".join(lines)

    def _member(self, component: Component, text: str) -> str:
        if component.name not in self._dictionaries:
            self._dictionaries[component.name] = dictionary(text)
        member: Any = self._dictionaries[component.name].get(cast("str", component.parameters["key"]))
        if member is None:
            raise UsageError(f"the message has no member {component}, which is to be covered")
        return member_text(member)


def _path_and_query(message: Message) -> str:
    return (message.path or "/") + ("" if message.query is None else f"?{message.query}")


def _authority(message: Message) -> str:
    """Lower case, without the scheme's own port (RFC 9110 §4.2.3)."""
    authority = message.authority.lower()
    host, colon, port = authority.rpartition(":")
    return host if colon and port in ("", _PORTS.get(message.scheme.lower())) else authority


def _unfolded(line: str) -> str:
    # RFC 9112 §5.2: a folded line goes on where a line break is followed by a blank
    first, *others = line.replace("\r\n", "\n").split("\n")
    if not all(other[:1] in (" ", "\t") for other in others):
        return line  # no folding: what it is will not be signed
    return " ".join([first.strip(" \t"), *(other.strip(" \t") for other in others)]).strip(" ")


def _as_bytes(line: str) -> str:
    try:
        return member_text((line.encode("latin-1"), {}))
    except UnicodeEncodeError:
        raise UsageError("a field's value is no latin-1 text") from None


def _query_pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True, errors="replace")


def _percent_encoded(text: str) -> str:
    """The percent-encode set of forms, with a blank as %20 (WHATWG URL §1.3): letters, digits and `*-._` stay."""
    return quote(text, safe="*", errors="replace").replace("~", "%7E")
