"""All records there are, and what holds between them; no request, no wire names."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from random import Random
from uuid import UUID

from ._fields import Actor, Field, Resource
from ._wire import Json, Record, Refused

_TAKEN = "An entry with some unique attributes already exist."


class Store:
    """The records of every resource, in the order they were made; the same calls give the same ids."""

    def __init__(self, resources: Mapping[str, Resource], now: Callable[[], float]) -> None:
        self.resources = resources
        self.contents: dict[str, bytes] = {}  # of files, by their ids
        self._now = now
        self._random = Random(0)
        self._records: dict[str, dict[str, Record]] = {name: {} for name in resources}
        self._taken: dict[str, dict[tuple[Json, ...], str]] = {name: {} for name in resources}  # ids, by what is unique

    def new_id(self) -> str:
        """A UUID of version 4."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def new_secret(self) -> str:
        """64 hex digits."""
        return f"{self._random.getrandbits(256):064x}"

    def stamp(self) -> str:
        """The time, as the database keeps it: without a fraction."""
        return datetime.fromtimestamp(int(self._now()), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def all(self, name: str) -> list[Record]:
        return list(self._records[name].values())

    def find(self, name: str, id_: Json) -> Record | None:
        return self._records[name].get(id_) if isinstance(id_, str) else None

    def where(self, name: str, /, **values: Json) -> Iterator[Record]:
        """The records of a resource that have these values."""
        wanted = values.items()
        return (record for record in self.all(name) if all(record.get(key) == value for key, value in wanted))

    def add(self, name: str, values: Mapping[str, Json], actor: Actor) -> Record:
        """A new record: the given values, and for the others what its resource says. Refused: there is one (409)."""
        resource = self.resources[name]
        record: Record = {"id": self.new_id()}
        for field_name, field in resource.fields.items():
            value = values.get(field_name)
            record[field_name] = _default(field, actor) if value is None else value
        for field_name, field in resource.fields.items():
            if field.of:
                record[field_name] = self._copied(resource, record, field)
        record["created_at"] = record["updated_at"] = self.stamp()
        self._claim(resource, record)
        self._records[name][record["id"]] = record
        return record

    def change(self, name: str, record: Record, values: Mapping[str, Json]) -> None:
        """Refused where another record has what must be unique (409); nothing is changed then."""
        resource = self.resources[name]
        self._claim(resource, {**record, **values})
        if _key(resource, record) != _key(resource, {**record, **values}):
            del self._taken[name][_key(resource, record)]
        record.update(values, updated_at=self.stamp())

    def remove(self, name: str, record: Record) -> None:
        """The record goes, with what cannot be without it; what can forgets it."""
        self._records[name].pop(record["id"], None)
        self._taken[name].pop(_key(self.resources[name], record), None)
        self.contents.pop(record["id"], None)
        for other in self.resources.values():
            for field_name in (field_name for field_name, field in other.fields.items() if field.to == name):
                depends = other.fields[field_name].required or field_name == "realm_id"
                for referring in list(self.where(other.name, **{field_name: record["id"]})):
                    if depends:
                        self.remove(other.name, referring)
                    else:
                        referring[field_name] = None

    def value(self, resource: Resource, record: Record, field_name: str) -> Json:
        """A field's value; what counts others is counted."""
        field = resource.fields.get(field_name)
        if field is None or not field.counts:
            return record.get(field_name)
        name, _, of = field.counts.partition(".")
        return sum(1 for _ in self.where(name, **{of: record["id"]}))

    def related(self, resource: Resource, record: Record, relation: str) -> Record | None:
        """The record that a relation leads to."""
        return self.find(resource.fields[f"{relation}_id"].to, record.get(f"{relation}_id"))

    def _copied(self, resource: Resource, record: Record, field: Field) -> Json:
        via, _, name = field.of.partition(".")
        found = self.find(resource.fields[via].to, record[via])
        return None if found is None else found[name]

    def _claim(self, resource: Resource, record: Record) -> None:
        """No other may have what is unique from here on."""
        if resource.unique:
            owner = self._taken[resource.name].setdefault(_key(resource, record), record["id"])
            if owner != record["id"]:
                raise Refused(409, "CONFLICT", _TAKEN)


def _key(resource: Resource, record: Record) -> tuple[Json, ...]:
    return tuple(record[name] for name in resource.unique)


def _default(field: Field, actor: Actor) -> Json:
    return field.default(actor) if callable(field.default) else field.default
