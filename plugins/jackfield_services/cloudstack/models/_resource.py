"""The base of CloudStack's resources. Fields have the names of the API's documentation; types are what they mean."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, cast

from msgspec import Meta, field, to_builtins
from msgspec.json import encode

from jackfield import Model

Date: TypeAlias = Annotated[datetime, Meta(tz=True)]

_is_hidden = re.compile("password|private|secret").search  # in details
_HIDDEN = frozenset({"apikey", "password", "privatekey", "secretkey", "sessionkey", "userdata"})


class Resource(Model, omit_defaults=True):
    """What CloudStack tells of a thing. All but a few fields may be missing, and are None then.

    What a server sends beyond the fields is kept, as it came, in `model_extra`, and is an attribute, too.
    """

    # Of another name in answers: a server may have a `model_extra`, too.
    model_extra: dict[str, Any] = field(default_factory=dict[str, Any], name="(model_extra)")

    if not TYPE_CHECKING:  # what a checker does not know is in `model_extra`

        def __getattr__(self, name):
            if name in self.model_extra:
                return self.model_extra[name]
            raise AttributeError(f"{type(self).__name__} has no field {name!r}, and the answer had none")

    def model_dump(self) -> dict[str, Any]:
        """What the server sent, as JSON-able builtins; numbers, booleans and dates in one form."""
        names = [name for name in self.__struct_fields__ if name != "model_extra"]
        values = {name: _dumped(value) for name in names if (value := getattr(self, name)) is not None}
        return values | self.model_extra

    def model_dump_json(self) -> str:
        """The same, as JSON text."""
        return encode(self.model_dump()).decode()

    def __repr__(self) -> str:
        parts = [
            f"{name}={'***' if name in _HIDDEN else repr(_shown(value))}"
            for name in self.__struct_fields__
            if name != "model_extra" and (value := getattr(self, name)) is not None
        ]
        if self.model_extra:  # nobody knows whether there is a secret in it
            parts.append(f"and {len(self.model_extra)} more")
        return f"{type(self).__name__}({', '.join(parts)})"


def _shown(value: object) -> object:
    if not isinstance(value, dict):
        return value
    details = cast("dict[str, object]", value)
    return {name: "***" if _is_hidden(name.lower()) else one for name, one in details.items()}


def _dumped(value: object) -> Any:
    if isinstance(value, Resource):
        return value.model_dump()
    if isinstance(value, list):
        return [_dumped(item) for item in cast("list[object]", value)]
    return to_builtins(value)


class Tag(Resource):
    """A tag of a resource (`listTags`)."""

    key: str
    value: str | None = None
    resourcetype: str | None = None
    resourceid: str | None = None
    account: str | None = None
    domainid: str | None = None
    domain: str | None = None
    projectid: str | None = None
    project: str | None = None


class Owned(Resource):
    """What belongs to an account, or to a project."""

    id: str
    name: str | None = None
    account: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    projectid: str | None = None
    project: str | None = None
    tags: list[Tag] | None = None
    hasannotations: bool | None = None
    jobid: str | None = None
    jobstatus: int | None = None
