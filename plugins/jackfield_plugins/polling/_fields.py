"""What an answer tells of a job: its state, how far it is, and why it failed."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Any, NamedTuple, Self, cast

from jackfield import ConfigurationError, DecodeError, FieldPath, Response, field_path

_BLANK = "about:blank"


class StateFields(NamedTuple):
    """Where an answer tells of a job: `"properties.status"`, `"errors.0.code"`, `("@odata.status",)`; "" is not told.

    Attributes:
        state: of its state: a string, or a number or a boolean as JSON writes it; "": the HTTP status is the state.
        unsaid: the state of an answer that names none; None: such an answer cannot be read, unless it is a 202.
        progress: of a number that says how much of it is done.
        whole: that number at the end: 100 for per cent, 1 for a fraction.
        code, text: of the error of a job that failed; the first that is there. Problem details (RFC 9457) are found.
        sign: of what is there only where the job failed, whatever its state says.
    """

    state: FieldPath = "status"
    unsaid: str | None = None
    progress: FieldPath = ""
    whole: float = 100.0
    code: tuple[FieldPath, ...] = ("error.code", "error.type", "code", "type")
    text: tuple[FieldPath, ...] = (
        "error.message",
        "error.detail",
        "error.title",
        "detail",
        "title",
        "message",
        "error",
    )
    sign: FieldPath = ""

    def checked(self) -> Self:
        """These, if they make sense.

        Raises:
            ConfigurationError: `whole` is no number to count up to, `code` or `text` is one place, not several, or one
                is nowhere.
        """
        if isinstance(self.code, str) or isinstance(self.text, str):
            raise ConfigurationError("code and text are tuples of places: write ('error.code',)")
        if not all((*map(field_path, self.code), *map(field_path, self.text))):
            raise ConfigurationError('code and text are somewhere in an answer: "" is no place of theirs')
        for place in (self.state, self.progress, self.sign):
            field_path(place)
        if not 0 < self.whole < inf:
            raise ConfigurationError(f"whole is what progress counts up to, more than 0, not {self.whole!r}")
        return self

    def word(self, content: Any, status: int | None) -> str:
        """The state's word.

        Raises:
            DecodeError: there is none.
        """
        if not self.state:
            return str(status)
        found = find(content, self.state)
        if isinstance(found, bool):
            return "true" if found else "false"
        if isinstance(found, str | int):
            return str(found).strip()
        if found is None and self.unsaid is not None and isinstance(content, dict):
            return self.unsaid
        if found is None and status == 202:  # "accepted for processing, but the processing has not been completed"
            return "202"
        raise DecodeError(f"the answer has no state of the job at {self.state!r}")

    def fraction(self, content: Any) -> float | None:
        """The part that is done, from 0 to 1; None where it is not told."""
        found = find(content, self.progress) if self.progress else None
        if isinstance(found, bool) or not isinstance(found, int | float):
            return None
        return min(max(found, 0), self.whole) / self.whole

    def error_code(self, content: Any) -> int | str | None:
        """The service's code for what went wrong."""
        codes = (found for found in _all(content, self.code) if isinstance(found, int | str))
        # RFC 9457 §4.2.1: "about:blank" has "no additional semantics beyond that of the HTTP status code".
        return next((code for code in codes if code != _BLANK and not isinstance(code, bool)), None)

    def error_text(self, content: Any) -> str | None:
        """The service's words for what went wrong."""
        return next((found for found in _all(content, self.text) if isinstance(found, str) and found), None)


def content(response: Response) -> Any:
    """The answer's JSON; None if it is none."""
    try:
        return response.decode(Any)
    except DecodeError:
        return None


def find(content: Any, place: FieldPath) -> Any:
    """What stands there; None if nothing does."""
    found = content
    for name in field_path(place):
        if isinstance(found, dict):
            found = cast("dict[str, Any]", found).get(name)
        elif isinstance(found, list) and name.isdecimal():
            items = cast("list[object]", found)
            found = items[int(name)] if int(name) < len(items) else None
        else:
            return None
    return found


def _all(content: Any, places: Iterable[FieldPath]) -> Iterable[Any]:
    return (find(content, place) for place in places)
