"""Names of commands as a test gives them: found whatever their case, or refused with the nearest."""

from collections.abc import Iterable
from difflib import get_close_matches

from jackfield_services._given import expect


def spelled(name: str, known: Iterable[str]) -> str:
    """The command that is called so, whatever its case; ValueError, with the nearest, where there is none."""
    expect(name, str, "a command is its name")
    names = {one.lower(): one for one in known}
    if name.lower() in names:
        return names[name.lower()]
    near = get_close_matches(name.lower(), names, 1)
    hint = f": did you mean {names[near[0]]!r}?" if near else ""
    raise ValueError(f"the emulator has no command {name!r}{hint}")
