"""Commands as functions that `help()` can tell about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import Parameter, Signature
from keyword import iskeyword
from textwrap import fill
from typing import Any

from ._commands import Command, CommandParameter, ResponseField

_TYPES: dict[str, type] = {
    "boolean": bool,
    "double": float,
    "float": float,
    "integer": int,
    "long": int,
    "short": int,
    "list": list,
    "set": list,
    "map": dict,
}
_WIDTH = 100
_LONGEST = 8000  # characters of one entry
_DEEP = 3  # levels of what is nested in a response


def described(function: Callable[..., Any], command: Command) -> Callable[..., Any]:
    """The function, with name, text and signature of the command."""
    function.__name__ = function.__qualname__ = command.name
    function.__module__ = __package__ or ""
    function.__doc__ = command.text
    setattr(function, "__signature__", command.signature)  # noqa: B010  # functions are not typed to have one
    return function


def signature_of(command: Command) -> Signature:
    """The parameters, required ones first; all are given by name."""
    named = [one for one in _ordered(command) if one.name.isidentifier() and not iskeyword(one.name)]
    parameters = [
        Parameter(
            one.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if one.required else None,
            annotation=_TYPES.get(one.type, str),
        )
        for one in named
    ]
    more = "more" if all(one.name != "more" for one in named) else "more_"
    return Signature([*parameters, Parameter(more, Parameter.VAR_KEYWORD, annotation=Any)])


def text_of(command: Command) -> str:
    """Description, parameters and the fields of the answer, as the server has them."""
    return "\n".join(_lines(command))


def _lines(command: Command) -> Iterator[str]:
    yield _entry(0, command.description or command.name, "")
    if command.is_async:
        yield "\nIt starts a job: fetch_result, job_timeout and poll_interval say how it is waited for."
    if command.pages:
        yield "\nIt gives its list page by page: fetch_list=True gives the whole of it, page= and pagesize= a part."
    if command.since:
        yield f"\nSince CloudStack {command.since}."
    if command.parameters:
        yield "\nParameters:"
    for one in _ordered(command):
        needed = ", required" if one.required else ""
        since = f" Since {one.since}." if one.since else ""
        yield _entry(1, f"{one.name} ({one.type}{needed})", one.description.strip() + since)
    if command.response:
        yield "\nFields of the answer, of which into=… makes a type:"
        yield from _fields(command.response, 1)


def _ordered(command: Command) -> list[CommandParameter]:
    """Each parameter once, the required ones first."""
    return sorted(command.by_lower.values(), key=lambda one: (not one.required, one.name))


def _fields(fields: tuple[ResponseField, ...], depth: int) -> Iterator[str]:
    for one in sorted(fields, key=lambda one: one.name):
        yield _entry(depth, f"{one.name} ({one.type})", one.description.strip())
        if depth < _DEEP:
            yield from _fields(one.response, depth + 1)


def _entry(depth: int, head: str, text: str) -> str:
    indent = "    " * depth
    whole = f"{head}: {text}" if text else head
    plain = "".join(c if c.isprintable() or c.isspace() else "?" for c in whole[:_LONGEST])  # it goes to a terminal
    return fill(plain, _WIDTH, initial_indent=indent, subsequent_indent=indent + "    " if depth else "")
