"""What goes into the text that is signed: each part is plain data, and gives its bytes as they stand on the wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import quote

from jackfield import ConfigurationError, Headers

from ._checks import check_kind
from ._form import parameters
from ._message import Message
from ._received import Head, Received

Pair: TypeAlias = tuple[str, str]

_MADE_WHEN_SENT = ("host", "content-length", "transfer-encoding")


@dataclass(frozen=True, slots=True)
class Text:
    """The same in every message: a version, say."""

    text: str

    def __post_init__(self) -> None:
        check_kind("the text of a Text", self.text, str, "text")

    def of(self, head: Head) -> bytes:
        return self.text.encode()


@dataclass(frozen=True, slots=True)
class Method:
    """`GET`."""

    def of(self, head: Head) -> bytes:
        return head.method.encode()


@dataclass(frozen=True, slots=True)
class Authority:
    """Host, and the port where it is not the scheme's own: `example.com:8443`."""

    def of(self, head: Head) -> bytes:
        return (head if isinstance(head, Received) else Message.of(head)).authority.encode()


@dataclass(frozen=True, slots=True)
class Path:
    """The path as it is sent, percent-encoded."""

    def of(self, head: Head) -> bytes:
        return head.target.partition("?")[0].encode()


@dataclass(frozen=True, slots=True)
class Target:
    """Path and query as they are sent, byte by byte: the strictest way to sign a query."""

    def of(self, head: Head) -> bytes:
        return head.target.encode()


def _by_name(pair: Pair) -> bytes:
    return pair[0].encode()


def _percent(text: str) -> str:
    return quote(text, safe="")


@dataclass(frozen=True, slots=True)
class Query:
    """The query's parameters, decoded, sorted, and joined as `name=value&…`; a signature among them is left out.

    Attributes:
        order: the key by which they are sorted; those of one name keep their order.
        name: what happens to each name before it is joined.
        value: what happens to each value before it is joined.
        finish: what happens to the joined text.
    """

    order: Callable[[Pair], Any] = field(default=_by_name, repr=False)
    name: Callable[[str], str] = field(default=_percent, repr=False)
    value: Callable[[str], str] = field(default=_percent, repr=False)
    finish: Callable[[str], str] = field(default=str, repr=False)

    def __post_init__(self) -> None:
        if not all(map(callable, (self.order, self.name, self.value, self.finish))):
            raise ConfigurationError("order, name, value and finish of a Query are functions of text, like str.lower")

    def of(self, head: Head) -> bytes:
        name, value = self.name, self.value
        pairs = sorted(self._pairs(head), key=self.order)
        return self.finish("&".join([f"{name(one)}={value(other)}" for one, other in pairs])).encode()

    def _pairs(self, head: Head) -> tuple[Pair, ...]:
        return head.query


@dataclass(frozen=True, slots=True)
class Parameters(Query):
    """What `Query` is, of the form's parameters where the request has a form (`application/x-www-form-urlencoded`).

    All of them stand in one place: a request with a query and a form, or with another body, is neither signed nor
    accepted. One that is signed in the query is good as a form too.
    """

    def _pairs(self, head: Head) -> tuple[Pair, ...]:
        return parameters(head)


@dataclass(frozen=True, slots=True)
class Header:
    """A header's value; several are joined by a comma and a blank (RFC 9110 §5.3), one that is missing is empty."""

    name: str

    def __post_init__(self) -> None:
        Headers([(self.name, "")])  # a UsageError says what a header's name may be
        if self.name.lower() in _MADE_WHEN_SENT:
            raise ConfigurationError(
                f"{self.name} is made when the request is sent: sign Authority() or Body() instead"
            )

    def of(self, head: Head) -> bytes:
        return head.headers.get(self.name, "").encode("latin-1")  # as it is sent


@dataclass(frozen=True, slots=True)
class Body:
    """The body, byte by byte. It goes beside the head, as it may be a stream."""

    def of(self, head: Head) -> None:
        return None


Part: TypeAlias = Text | Method | Authority | Path | Target | Query | Header | Body
