"""What a request may write: its attributes held against their fields."""

from collections.abc import Mapping
from typing import Literal

from ._fields import Field, Resource
from ._names import Generation, on_wire
from ._store import Store
from ._wire import Json, Record, Refused, bad_request


def checked(
    store: Store, resource: Resource, body: Record, verb: Literal["created", "updated"], generation: Generation
) -> Record:
    """The values to write, by the names of their fields; attributes that nobody may write are passed over.

    Refused (400): attributes are wrong or missing, or refer to what is not there.
    """
    values: Record = {}
    invalid: list[tuple[str, Record]] = []
    for name, field in resource.may_be_written(verb).items():
        wire = on_wire(name, generation)
        if wire in body:
            values[name] = body[wire]
            invalid += [(wire, {"received": body[wire]})] * _complaints(field, body[wire])
        elif field.required and (verb == "created" or resource.whole_updates):
            invalid.append((wire, {}))
    if invalid:
        raise _refusal(resource, invalid)
    _require_related(store, resource.fields, values, generation)
    return values


def _complaints(field: Field, value: Json) -> int:
    """How often it is complained of: once for each check."""
    return int(field.required) if value is None else sum(not check(value) for check in field.checks)


def _refusal(resource: Resource, invalid: list[tuple[str, Record]]) -> Refused:
    if resource.service == "auth":
        return Refused(400, "BAD_REQUEST", invalid=invalid)
    names = ", ".join(name for name, _ in invalid)
    message = f"The attributes {names} are invalid." if len(invalid) > 1 else f"The attribute {names} is invalid."
    return Refused(400, "undefined", message, invalid=invalid)


def _require_related(store: Store, fields: Mapping[str, Field], values: Record, generation: Generation) -> None:
    for name, value in values.items():
        if value is not None and fields[name].to and store.find(fields[name].to, value) is None:
            raise bad_request(f"{on_wire(name, generation)} refers to nothing in {fields[name].to}.")
