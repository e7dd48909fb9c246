"""The base of the Hub's models: one set for both generations, though their names on the wire differ."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias, TypeVar, cast
from uuid import UUID

from msgspec import UNSET, UnsetType, json, to_builtins

from jackfield import Model

if TYPE_CHECKING:
    from .types import AuthParam

Generation: TypeAlias = Literal["0.1.1", "1.1.0"]
"""Of a Hub's API, after the releases of flame_hub_client that speak to it."""

OLD: Final[Generation] = "0.1.1"
NEW: Final[Generation] = "1.1.0"

UNSET_T: TypeAlias = UnsetType
"""The type of `UNSET`: what is not given, in contrast to None."""

R = TypeVar("R")

Id: TypeAlias = R | UUID | str
"""How a record is named: by itself, or by its id."""

HIDDEN = frozenset({"access_token", "account_secret", "password", "refresh_token", "secret"})


class IsOptionalField:
    """Marks a field that the Hub tells where `fields` asks for it."""


class IsIncludable:
    """Marks a field for another record, which the Hub tells where `include` asks for it."""


class HubModel(Model, rename="camel"):
    """What the Hub tells, or is told. Names on the wire, and in dumps, are those of the Hub's generation."""

    _origin: ClassVar[tuple[type[HubModel], Generation] | None] = None  # of a class made by `on_wire`

    def model_dump(
        self,
        *,
        mode: Literal["python", "json"] = "python",
        include: Collection[str] | None = None,
        exclude: Collection[str] = (),
        by_alias: bool = True,
        exclude_none: bool = False,
    ) -> dict[str, Any]:
        """The fields by name.

        Args:
            mode: "json" makes strings of ids and dates.
            include: the attributes that are wanted; None: all.
            exclude: the attributes that are not.
            by_alias: by the names of the Hub's generation, `realmId` or `realm_id`; False: by the attributes'.
            exclude_none: leaves out what is None.
        """
        dumped = _dumped(self, by_alias, exclude_none)
        names = self.__struct_encode_fields__ if by_alias else self.__struct_fields__
        for name, told in zip(self.__struct_fields__, names, strict=True):
            if name in (exclude or ()) or (include is not None and name not in include):
                dumped.pop(told, None)
        return cast("dict[str, Any]", to_builtins(dumped) if mode == "json" else dumped)

    def model_dump_json(
        self,
        *,
        indent: int | None = None,
        include: Collection[str] | None = None,
        exclude: Collection[str] = (),
        by_alias: bool = True,
        exclude_none: bool = False,
    ) -> str:
        """The same, as JSON text; `indent` blanks for what is inside of another."""
        dumped = self.model_dump(include=include, exclude=exclude, by_alias=by_alias, exclude_none=exclude_none)
        text = json.encode(dumped)
        return (text if indent is None else json.format(text, indent=indent)).decode()

    def __eq__(self, other: object) -> bool:
        """Whether they say the same of the same: one may be answered, and the other made by hand."""
        if not isinstance(other, HubModel) or _described(type(self)) is not _described(type(other)):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__struct_fields__)

    __ne__ = object.__ne__  # what is not equal by the above: msgspec's structs have a rule of their own

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        values = [(name, getattr(self, name)) for name in self.__struct_fields__]
        return [(n, Shown("***") if n in HIDDEN and isinstance(value, str) else value) for n, value in values]

    def __reduce__(self) -> tuple[Any, ...]:
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return _restored, (*(self._origin or (type(self), None)), values)


class Record(HubModel):
    """What the Hub tells of one thing.

    Types are those that it documents. What it leaves out is None all the same, a word that it did not have before is
    that word, and what it adds is passed over: a record that was answered is of a class derived from its model.
    """


class Body(HubModel):
    """What the Hub is told: the parameters of a method, in their order."""

    if TYPE_CHECKING:  # of the methods that are typed by these classes; what the Hub is told has none
        auth: AuthParam | UNSET_T = UNSET


class Shown(str):
    """Text that shows itself without quotes: what stands for a secret, or a type."""

    __slots__ = ()
    __repr__ = str.__str__


def _described(model: type[HubModel]) -> type[HubModel]:
    """The model itself, of a class made by `on_wire`."""
    return model if model._origin is None else model._origin[0]


def _restored(model: type[HubModel], generation: Generation | None, values: dict[str, Any]) -> HubModel:
    from ._on_wire import on_wire

    made = model if generation is None else on_wire(model, generation)
    return made(**values)


def _dumped(value: object, by_alias: bool, exclude_none: bool) -> Any:
    if isinstance(value, list):
        return [_dumped(item, by_alias, exclude_none) for item in cast("list[object]", value)]
    if not isinstance(value, HubModel):
        return value
    names = value.__struct_encode_fields__ if by_alias else value.__struct_fields__
    pairs = zip(names, (getattr(value, name) for name in value.__struct_fields__), strict=True)
    return {
        name: _dumped(field, by_alias, exclude_none)
        for name, field in pairs
        if field is not UNSET and not (exclude_none and field is None)
    }


def get_field_names(model: type[HubModel]) -> tuple[str, ...]:
    """The fields that the Hub tells where `fields` asks for them."""
    return _marked(model, IsOptionalField)


def get_includable_names(model: type[HubModel]) -> tuple[str, ...]:
    """The fields for other records, which the Hub tells where `include` asks for them."""
    return _marked(model, IsIncludable)


def _marked(model: type[HubModel], mark: type) -> tuple[str, ...]:
    from typing import get_type_hints

    hints = get_type_hints(_described(model), include_extras=True)
    return tuple(name for name, hint in hints.items() if mark in getattr(hint, "__metadata__", ()))
