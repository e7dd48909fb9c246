"""The parameters of operations that a resource makes: what `help` shows, and what calls are held against."""

from __future__ import annotations

import re
from inspect import Parameter, Signature, signature
from typing import Any

from msgspec import UNSET

from ._model import Body, Shown

_humps = re.compile(r"(?<=[a-z])(?=[A-Z])").sub


def words(name: str) -> str:
    """`ProjectNode` as people say it."""
    return _humps(" ", name).lower()


def _option(name: str, default: Any, hint: str) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=Shown(hint))


def _id(parameter: str, kind: type) -> Parameter:
    return Parameter(parameter, Parameter.POSITIONAL_OR_KEYWORD, annotation=Shown(f"Id[{kind.__name__}]"))


def _fields(body: type[Body]) -> list[Parameter]:
    """As they are written: what msgspec knows of them is the whole union behind each `Id`."""
    written = body.__annotations__
    return [one.replace(annotation=Shown(written[one.name])) for one in signature(body).parameters.values()]


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
    try:
        return shape.bind(*args, **kwargs).arguments
    except TypeError as error:
        raise TypeError(f"{operation}: {error}") from None


def described(body: Any, shape: Signature, doc: str, *, hidden: tuple[str, ...] = ("self",)) -> Any:
    """The body of an operation, with what `help` is to show."""
    unseen = [Parameter(name, Parameter.POSITIONAL_ONLY) for name in hidden]
    body.__signature__ = shape.replace(parameters=[*unseen, *shape.parameters.values()])
    body.__doc__ = doc
    return body
