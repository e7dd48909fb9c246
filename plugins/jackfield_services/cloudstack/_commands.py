"""The server's commands as it describes them itself (`listApis`): values, and a mapping of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct, ValidationError, convert
from msgspec.structs import replace

from jackfield import known

from ._errors import CloudStackDecodeError

if TYPE_CHECKING:
    from inspect import Signature

_NO_LIST = "Could not decode content. The server's list of its commands (listApis) is not as it should be"


class CommandParameter(Struct, frozen=True):
    """A parameter; `type` and `since` (a version) are CloudStack's words."""

    name: str = ""
    type: str = "string"
    required: bool = False
    description: str = ""
    since: str = ""


class ResponseField(Struct, frozen=True):
    """A field of an answer's resources; `response` holds those of what is nested in it."""

    name: str = ""
    type: str = "string"
    description: str = ""
    response: tuple[ResponseField, ...] = ()


class Command(Struct, frozen=True, dict=True, rename={"is_async": "isasync", "parameters": "params"}):
    """A command; `is_async` says that it starts a job."""

    name: str
    description: str = ""
    is_async: bool = False
    parameters: tuple[CommandParameter, ...] = ()
    response: tuple[ResponseField, ...] = ()
    since: str = ""

    def __repr__(self) -> str:
        return f"<Command {self.name}>"  # `text` is for people

    @property
    def pages(self) -> bool:
        """Whether it gives its list page by page."""
        return "pagesize" in self.by_lower

    @cached_property
    def by_lower(self) -> Mapping[str, CommandParameter]:
        """The parameters by their names in lower case, which is how the server takes them."""
        return {parameter.name.lower(): parameter for parameter in self.parameters}

    @cached_property
    def text(self) -> str:
        """What `help()` tells: description, parameters and the fields of the answer."""
        from ._help import text_of

        return text_of(self)

    @cached_property
    def signature(self) -> Signature:
        """The parameters as Python's, required ones first; all are given by name."""
        from ._help import signature_of

        return signature_of(self)


class Commands(Mapping[str, Command]):
    """Every command that this end point lets these credentials use, by name, in whatever case.

    Attributes:
        at: when the server was asked, in seconds since 1970.
        by_lower: the commands by their names in lower case.
    """

    def __init__(self, commands: list[Command], at: float) -> None:
        self.at = at
        self.by_lower: Mapping[str, Command] = {command.name.lower(): command for command in commands}

    def __getitem__(self, name: str) -> Command:
        return self.by_lower[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self.by_lower

    def __iter__(self) -> Iterator[str]:
        return (command.name for command in self.by_lower.values())

    def __len__(self) -> int:
        return len(self.by_lower)

    def __repr__(self) -> str:
        return f"<{len(self)} commands>"


def nearest(name: str, names: Mapping[str, Any]) -> str:
    """` (did you mean 'x' or 'y'?)`, or nothing; the keys are in lower case, the values have a `name`."""
    found = get_close_matches(name.lower(), names, n=3, cutoff=0.7)
    return f" (did you mean {' or '.join(repr(names[key].name) for key in found)}?)" if found else ""


def commands_of(answer: Mapping[str, Any], at: float) -> Commands:
    """The commands of an answer of `listApis`. Empty items, which servers put into it, are left out.

    Raises:
        CloudStackDecodeError: it is none.
    """
    try:
        api: Any = answer.get("api", [])
        if isinstance(api, list):
            api = [one for one in cast("list[object]", api) if one]
        listed = convert(api, known(list[Command]), strict=False)
        alike: dict[Any, Any] = {}  # thousands of fields and parameters are the same: each is held once
        commands = [_tidy(command, alike) for command in listed]
    except (ValidationError, RecursionError) as error:
        raise CloudStackDecodeError(f"{_NO_LIST}: {error}") from error
    if not commands:
        raise CloudStackDecodeError(f"{_NO_LIST}: it is empty")
    return Commands(commands, at)


def _tidy(command: Command, alike: dict[Any, Any]) -> Command:
    parameters = tuple(alike.setdefault(one, one) for one in command.parameters if one.name)
    return replace(command, parameters=parameters, response=_named(command.response, alike))


def _named(fields: tuple[ResponseField, ...], alike: dict[Any, Any]) -> tuple[ResponseField, ...]:
    named = (replace(one, response=_named(one.response, alike)) if one.response else one for one in fields if one.name)
    return tuple(alike.setdefault(one, one) for one in named)
