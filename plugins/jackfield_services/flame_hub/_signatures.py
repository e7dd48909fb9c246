"""The parameters of operations that a resource makes: what `help` shows, and what calls are held against."""

from __future__ import annotations

import re
from inspect import Parameter, Signature
from typing import Any

from msgspec import UNSET

from jackfield import UsageError

from ._model import Body, Shown

_humps = re.compile(r"(?<=[a-z])(?=[A-Z])").sub


def words(name: str) -> str:
    """`ProjectNode` as people say it."""
    return _humps(" ", name).lower()


def an(name: str) -> str:
    """`a project node`, `an analysis`."""
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"


def _option(name: str, default: Any, hint: str) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=Shown(hint))


def _id(parameter: str, kind: type) -> Parameter:
    return Parameter(parameter, Parameter.POSITIONAL_OR_KEYWORD, annotation=Shown(f"Id[{kind.__name__}]"))


def _fields(body: type[Body]) -> list[Parameter]:
    """As they are written: what msgspec knows of them is the whole union behind each `Id`."""
    names, defaults, written = body.__struct_fields__, body.__struct_defaults__, body.__annotations__
    given = (Parameter.empty,) * (len(names) - len(defaults)) + defaults
    return [
        Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=Shown(written[name]))
        for name, default in zip(names, given, strict=True)
    ]


_AUTH = _option("auth", UNSET, "AuthParam")
_GET = (
    _AUTH,
    _option("fields", None, "FieldParams | None"),
    _option("include", UNSET, "IncludeParams | None"),
    _option("meta", False, "bool"),
)
FINDING = Signature(
    (
        _option("filter", None, "FilterParams | None"),
        _option("page", None, "PageParams | None"),
        _option("sort", None, "SortParams | Sequence[SortParams] | str | None"),
        *_GET,
    )
)


def getting(parameter: str, kind: type) -> Signature:
    """Of an operation that gets a record by its id."""
    return Signature([_id(parameter, kind), *_GET])


def deleting(parameter: str, kind: type) -> Signature:
    """Of one that deletes it."""
    return Signature([_id(parameter, kind), _AUTH])


def creating(body: type[Body]) -> Signature:
    """Of one that makes a record."""
    return Signature([*_fields(body), _AUTH])


def updating(parameter: str, kind: type, body: type[Body]) -> Signature:
    """Of one that changes a record."""
    return Signature([_id(parameter, kind), *_fields(body), _AUTH])


def given(shape: Signature, operation: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """What was given, by name; raises TypeError for what the operation does not take."""
    if not isinstance(kwargs.get("meta", False), bool):
        raise UsageError(f"meta is True or False, not {kwargs['meta']!r}")
    ids, names = 0 if shape is FINDING else 1, shape.parameters
    if len(args) == ids and kwargs.keys() <= names.keys():  # as almost all calls are: to bind takes long
        told = dict(zip(names, args, strict=False)) | kwargs if args else kwargs
        if len(told) == len(args) + len(kwargs):
            return told
    try:
        return shape.bind(*args, **kwargs).arguments
    except TypeError as error:
        raise TypeError(f"{operation}: {error}") from None


def taken(
    parameter: str, operation: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[object, tuple[Any, ...]]:
    """The id that was given, by position or by name, and the rest of what was given by position."""
    if args and parameter in kwargs:
        raise TypeError(f"{operation}: multiple values for argument {parameter!r}")
    if not args and parameter not in kwargs:
        raise TypeError(f"{operation}: missing a required argument: {parameter!r}")
    return (args[0], args[1:]) if args else (kwargs.pop(parameter), ())


def described(
    body: Any, shape: Signature, doc: str, *, old: type[Body] | None = None, hidden: tuple[str, ...] = ("self",)
) -> Any:
    """The body of an operation, with what `help` is to show: of 0.1.1, too, where that has other parameters."""
    unseen = [Parameter(name, Parameter.POSITIONAL_ONLY) for name in hidden]
    seen = list(shape.parameters.values())
    body.__signature__ = shape.replace(parameters=[*unseen, *seen])
    body.__doc__ = f"{doc}\n\n{_listed(seen)}"  # as `help` cuts long signatures
    if old is not None:
        body.__doc__ += f"\n\nOf a Hub of 0.1.1:\n\n{_listed(_fields(old))}"
    return body


def _listed(parameters: list[Parameter]) -> str:
    return "\n".join(f"    {one}" for one in parameters)
