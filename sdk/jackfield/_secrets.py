"""A string that must not be shown."""

from __future__ import annotations

from typing import NoReturn

from ._errors import UsageError


class Secret:
    """Holds a credential. It shows itself as `***` everywhere, and refuses to be pickled.

    Raises:
        UsageError: the value is not a string, or an empty one.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str | Secret) -> None:
        text = value.reveal() if isinstance(value, Secret) else value
        if not isinstance(text, str) or not text:
            raise UsageError("a secret is a string that is not empty")
        self._value = text

    def reveal(self) -> str:
        """The value itself: for the one place that needs it."""
        return self._value

    def __eq__(self, other: object) -> bool:
        from hmac import compare_digest

        if not isinstance(other, Secret):
            return NotImplemented
        return compare_digest(
            self._value.encode("utf-8", "surrogatepass"), other._value.encode("utf-8", "surrogatepass")
        )

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: hand the credential to the other process by another way")
