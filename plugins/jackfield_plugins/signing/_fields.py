"""Where a value stands in a message: in a header, in the query, or with the other parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlencode

from jackfield import Headers, Request

from ._checks import check_kind
from ._form import form_of, name_of, parameters
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


@dataclass(frozen=True, slots=True)
class InParameters(InQuery):
    """A parameter of the form where the request has one, and else of the query; goes with `Parameters`.

    All else in the form stays as it was written.
    """

    def values(self, head: Head) -> list[str]:
        return [value for name, value in parameters(head) if self._is(name)]

    def without(self, head: H) -> H:
        form = form_of(head)
        return InQuery.without(self, head) if form is None else head.replace(body=b"&".join(self._others(form)))

    def put(self, request: Request, value: str) -> Request:
        form = form_of(request)
        if form is None:
            return InQuery.put(self, request, value)
        field = urlencode([(self.name, value)]).encode()
        return request.replace(body=b"&".join([*self._others(form), field]))

    def _others(self, form: bytes) -> list[bytes]:
        return [field for field in form.split(b"&") if field and not self._is(name_of(field))]


Field: TypeAlias = InHeader | InQuery
