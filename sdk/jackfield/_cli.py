"""The `jackfield` command: finds the commands that installed distributions offer, and runs the one that is named."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.metadata import EntryPoint, version

from jackfield._discovery import offers, origin

GROUP = "jackfield.commands"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs `jackfield COMMAND …` and gives its exit status; 2 for a command that is not there.

    A command is an entry point of the group `jackfield.commands`: a function that takes the arguments behind its name
    and gives an exit status. Only the one that is named is loaded.
    """
    name, *rest = (list(sys.argv[1:]) if arguments is None else list(arguments)) or ["--help"]
    commands = {entry.name: entry for entry in offers(GROUP)}
    if name in ("-h", "--help"):
        print(_usage(commands))
        return 0
    if name == "--version":
        print(f"jackfield {version('jackfield')}")
        return 0
    if name not in commands:
        near = get_close_matches(name, commands, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        print(f"jackfield: there is no command {name!r}{hint}\n\n{_usage(commands)}", file=sys.stderr)
        return 2
    try:
        command = commands[name].load()
    except ImportError as error:
        print(f"jackfield {name}: {error}", file=sys.stderr)
        return 2
    status: int = command(rest)
    return status


def _usage(commands: dict[str, EntryPoint]) -> str:
    known = [f"  {name}    of {origin(entry)}" for name, entry in commands.items()]
    return "\n".join(["usage: jackfield [--help | --version] COMMAND …", "", "commands:", *sorted(known)])
