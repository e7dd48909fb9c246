"""What a test gives the emulator: what an annotation forbids is refused where it is written, not by a request later."""

from collections.abc import Iterable
from difflib import get_close_matches
from types import UnionType


def expect(value: object, kind: type | UnionType, what: str) -> None:
    """TypeError unless it is of that kind; `what` says what it should be: "polls is a whole number"."""
    if not isinstance(value, kind):
        raise TypeError(f"{what}, not {value!r}")


def spelled(name: str, known: Iterable[str]) -> str:
    """The command that is called so, whatever its case; ValueError, with the nearest, where there is none."""
    expect(name, str, "a command is its name")
    names = {one.lower(): one for one in known}
    if name.lower() in names:
        return names[name.lower()]
    near = get_close_matches(name.lower(), names, 1)
    hint = f": did you mean {names[near[0]]!r}?" if near else ""
    raise ValueError(f"the emulator has no command {name!r}{hint}")
