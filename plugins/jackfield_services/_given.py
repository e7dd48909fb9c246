"""What a test gives an emulator: what an annotation forbids is refused where it is written, not by a request later."""

from types import UnionType


def expect(value: object, kind: type | UnionType, what: str) -> None:
    """TypeError unless it is of that kind; `what` says what it should be: "polls is a whole number"."""
    if not isinstance(value, kind):
        raise TypeError(f"{what}, not {value!r}")
