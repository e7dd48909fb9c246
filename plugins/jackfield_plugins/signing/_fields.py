"""Where a value stands in a message: in a header, or in the query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from jackfield import Headers, Request

from ._checks import check_kind
from ._received import H, Head


@dataclass(frozen=True, slots=True)
class InHeader:
    """A header of its own."""

    name: str

    def __post_init__(self) -> None:
        Headers([(self.name, "")])  # a UsageError says what a header's name may be

    def values(self, head: Head) -> list[str]:
        """All that stand there."""
        return head.headers.get_all(self.name)

    def without(self, head: H) -> H:
        """The message itself: no part of what is signed reads this header."""
        return head

    def put(self, request: Request, value: str) -> Request:
        """A copy with this one value there."""
        return request.with_headers(request.headers.replacing(self.name, value))

    def __str__(self) -> str:
        return f"the header {self.name}"


@dataclass(frozen=True, slots=True)
class InQuery:
    """A parameter of the query.

    Attributes:
        name: its name.
        any_case: whether the service takes it for the same in any case.
    """

    name: str
    any_case: bool = False

    def __post_init__(self) -> None:
        check_kind("the name of a parameter", self.name, str, "text")

    def values(self, head: Head) -> list[str]:
        """All that stand there."""
        return [value for name, value in head.query if self._is(name)]

    def without(self, head: H) -> H:
        """A copy that has none."""
        kept = tuple([pair for pair in head.query if not self._is(pair[0])])
        return head if len(kept) == len(head.query) else head.replace(query=kept)

    def put(self, request: Request, value: str) -> Request:
        """A copy with this one value there, at the end."""
        kept = [pair for pair in request.query if not self._is(pair[0])]
        return request.replace(query=(*kept, (self.name, value)))

    def _is(self, name: str) -> bool:
        return name == self.name or (self.any_case and name.lower() == self.name.lower())

    def __str__(self) -> str:
        return f"the parameter {self.name}"


Field: TypeAlias = InHeader | InQuery
