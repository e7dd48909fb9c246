"""What a resource is described with: fields, with what they may hold, and the resource around them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from uuid import UUID

from ._request import ServiceName
from ._wire import Json

Check: TypeAlias = Callable[[Json], bool]
Writable: TypeAlias = Literal["always", "created", "updated", "never"]
Verb: TypeAlias = Literal["list", "get", "create", "update", "delete"]

_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Actor:
    """Whom a token was given to; `kind` is user, robot or client."""

    id: str
    kind: str
    name: str
    realm_id: str


NOBODY = Actor("", "", "", "")  # the Hub itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a resource.

    Every one of `checks` that fails is a complaint of its own. `default` may be made of who asks. `to` is the
    resource whose id it holds; `of` copies a field of a record that another refers to, as in "role_id.realm_id";
    `counts` is how many records of a resource refer to this one, as in "analyses.project_id". One that is
    hidden is in an answer where it was asked for with fields=+name, or was just set; one that is secret never is.
    """

    checks: tuple[Check, ...] = ()
    default: Json | Callable[[Actor], Json] = None
    required: bool = False
    writable: Writable = "always"
    to: str = ""
    of: str = ""
    counts: str = ""
    hidden: bool = False
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Records of one kind: where they are, what they hold, what may be done to them.

    No two may have the same values in all of `unique`. `include` are the relations that can be asked for.
    With `whole_updates` an update needs what is required, too; bare ones show neither id nor dates.
    """

    service: ServiceName
    name: str
    fields: Mapping[str, Field]
    verbs: tuple[Verb, ...] = ("list", "get", "create", "update", "delete")
    unique: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    whole_updates: bool = False
    bare: bool = False
    path: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", self.name.replace("_", "-"))

    def may_be_written(self, verb: Literal["created", "updated"]) -> dict[str, Field]:
        """The fields that a request may set."""
        return {name: each for name, each in self.fields.items() if each.writable in ("always", verb)}


def is_text(value: Json) -> bool:
    return isinstance(value, str)


def is_flag(value: Json) -> bool:
    return isinstance(value, bool)


def is_percent(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100


def is_id(value: Json) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value.lower()
    except ValueError:
        return False


def is_long(value: Json) -> bool:
    """Names have three characters or more."""
    return not isinstance(value, str) or 3 <= len(value) <= 128


def is_plain(value: Json) -> bool:
    """Names of the auth service are made of letters, digits, and some signs."""
    return not isinstance(value, str) or _NAME.fullmatch(value) is not None


def is_arguments(value: Json) -> bool:
    """A list of {"value": …, "position": "before", "after" or null}."""
    return _is(value, list) and all(
        _is(each, dict) and is_text(each.get("value")) and each.get("position") in ("before", "after", None)
        for each in value
    )


def _is(value: Json, kind: type) -> bool:
    """As isinstance, from which type checkers would take that nothing is known of what is in it."""
    return isinstance(value, kind)


def text(*, required: bool = False, writable: Writable = "always", hidden: bool = False) -> Field:
    return Field(checks=(is_text,), required=required, writable=writable, hidden=hidden)


def flag(default: bool = False, *, writable: Writable = "always") -> Field:
    return Field(checks=(is_flag,), default=default, writable=writable)


def choice(*values: str, default: str | None = None, required: bool = False, writable: Writable = "always") -> Field:
    return Field(checks=(lambda value: value in values,), default=default, required=required, writable=writable)


def percent() -> Field:
    return Field(checks=(is_percent,))


def ref(
    to: str, *, required: bool = False, writable: Writable = "always", default: Callable[[Actor], Json] | None = None
) -> Field:
    return Field(checks=(is_id,), to=to, required=required, writable=writable, default=default)


def made(default: Json | Callable[[Actor], Json] = None, *, to: str = "") -> Field:
    """What the server sets; nobody else can."""
    return Field(default=default, writable="never", to=to)


def copied(of: str, *, to: str = "realms") -> Field:
    return Field(of=of, writable="never", to=to)


def counted(counts: str) -> Field:
    return Field(counts=counts, writable="never")


def own_realm(actor: Actor) -> str:
    return actor.realm_id


def own_id(kind: str) -> Callable[[Actor], Json]:
    """The id of who asks, where that is a user, or a robot, or a client."""
    return lambda actor: actor.id if actor.kind == kind else None


NAME = Field(checks=(is_text, is_long), required=True)
PLAIN_NAME = Field(checks=(is_text, is_long, is_plain), required=True)
