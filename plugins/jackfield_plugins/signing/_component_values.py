"""What a message has under each component (RFC 9421 §2), as it goes into the signature base."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

from jackfield import UsageError

from ._components import Component, percent_encoded, query_pairs
from ._message import Message, normal_authority
from ._structured_fields import Member, dictionary, member_text, strict

_DERIVED: dict[str, Callable[[Message], str]] = {
    "@method": lambda message: message.method,
    "@target-uri": lambda message: f"{message.scheme}://{message.authority}{_path_and_query(message)}",
    "@authority": normal_authority,
    "@scheme": lambda message: message.scheme.lower(),
    "@request-target": lambda message: _path_and_query(message) if message.target is None else message.target,
    "@path": lambda message: message.path or "/",  # §2.2.6: an empty path is `/`
    "@query": lambda message: f"?{message.query or ''}",  # §2.2.7: an absent query is `?`
}

_is_value = re.compile(r"[\t -~]*").fullmatch  # §2.5: neither a line break nor what is not ASCII


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
        for name, value in query_pairs(self._message.query or ""):
            found.setdefault(percent_encoded(name), []).append(percent_encoded(value))
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


def _unfolded(line: str) -> str:
    # RFC 9112 §5.2: a folded line goes on where a line break is followed by a blank
    lines = line.replace("\r\n", "\n").split("\n")
    if not all(other[:1] in (" ", "\t") for other in lines[1:]):
        return line  # no folding: what it is will not be signed
    return " ".join(part.strip(" \t") for part in lines).strip(" ")


def _as_bytes(line: str) -> str:
    try:
        return member_text((line.encode("latin-1"), {}))
    except UnicodeEncodeError:
        raise UsageError("a field's value is no latin-1 text") from None
