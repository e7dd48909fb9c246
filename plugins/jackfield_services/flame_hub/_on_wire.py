"""A model as a generation's JSON has it: with its names, and tolerant of what is missing or new."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints, is_typeddict
from uuid import UUID

from msgspec import NODEFAULT, Struct, defstruct, field
from msgspec.structs import FieldInfo, fields

from jackfield import fork_safe_lock, known

from ._envelopes import Counts
from ._model import OLD, Generation, HubModel, Record

M = TypeVar("M", bound=HubModel)


_MADE: dict[Hashable, Any] = {}
_LOCK = fork_safe_lock()


def on_wire(model: type[M], generation: Generation) -> type[M]:
    """A class derived from the model, of the same name, that msgspec encodes and decodes as this generation does."""
    made: type[M] = _once((model, generation), lambda: _derived(model, generation))
    return made


def list_on_wire(model: type[Record], generation: Generation) -> type[Struct]:
    """A class for a list of them; its fields are `data` and `meta`, which are `Counts` or None."""

    def make() -> type[Struct]:
        kind: Any = list
        data, meta = ("data", kind[on_wire(model, generation)]), ("meta", Counts | None, None)
        return defstruct(f"{model.__name__}List", (data, meta))

    made: type[Struct] = _once((list, model, generation), make)
    return made


def _once(key: Hashable, make: Callable[[], type[Any]]) -> Any:
    made = _MADE.get(key)
    if made is None:
        with _LOCK:  # two threads would make two classes
            made = _MADE.get(key) or known(make())
            _MADE[key] = made
    return made


def _derived(model: type[M], generation: Generation) -> type[M]:
    hints = get_type_hints(model, include_extras=True)
    told = fields(model)
    missing = None if issubclass(model, Record) else NODEFAULT
    kinds = {one.name: _kind(hints[one.name], generation) for one in told}
    namespace: dict[str, Any] = {
        "__module__": model.__module__,
        "__qualname__": model.__qualname__,
        "__annotations__": {name: kind if missing is NODEFAULT else kind | None for name, kind in kinds.items()},
        "_origin": (model, generation),
    }
    namespace |= {one.name: default for one in told if (default := _default(one, missing)) is not NODEFAULT}
    names = {one.name: _name(one, generation) for one in told}
    derive: Any = type(model)
    made: type[M] = derive(model.__name__, (model,), namespace, rename=names)
    return made


def _name(one: FieldInfo, generation: Generation) -> str:
    """As the field is called on the wire; one that is not called as its attribute is called so in both."""
    first, *rest = one.name.split("_")
    renamed = one.encode_name != first + "".join(word.capitalize() for word in rest)
    return one.name if generation == OLD and not renamed else one.encode_name


def _default(one: FieldInfo, missing: object) -> Any:
    if one.default_factory is not NODEFAULT:
        return field(default_factory=one.default_factory)
    return missing if one.default is NODEFAULT else one.default


def _kind(hint: Any, generation: Generation) -> Any:
    """What JSON has for a type: for a record its id, if that may be given in place of it; for words any string."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _kind(inner[0], generation)
    if origin is Literal:
        return str
    if origin in (Union, UnionType):
        kept = [UUID, NoneType][: 1 + (NoneType in inner)] if UUID in inner and str in inner else inner
        return Union[tuple(_kind(member, generation) for member in kept)]  # noqa: UP007 - made at run time
    if origin is list:
        made: Any = list
        return made[_kind(inner[0], generation)]
    if is_typeddict(hint):
        return dict[str, Any]
    if isinstance(hint, type) and issubclass(hint, HubModel):
        return on_wire(hint, generation)
    return cast("Any", hint)
