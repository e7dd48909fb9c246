"""The five things that are done to records of any resource: list, get, create, update, delete."""

from ._asked import Asked
from ._checking import checked
from ._commands import Commands
from ._effects import Effects
from ._envelope import Envelope
from ._fields import Resource, Verb
from ._names import Generation
from ._query import MAXIMUM, QueryReader
from ._selecting import rendered, selected
from ._store import Store
from ._wire import Answer, Record, Refused, bad_request, not_found

_VERBS: dict[tuple[str, int], Verb] = {
    ("GET", 1): "list",
    ("POST", 1): "create",
    ("GET", 2): "get",
    ("POST", 2): "update",
    ("DELETE", 2): "delete",
}


class Records:
    """Answers for every resource, by what its description says."""

    def __init__(
        self, store: Store, effects: Effects, commands: Commands, envelope: Envelope, generation: Generation
    ) -> None:
        self._store = store
        self._effects = effects
        self._commands = commands
        self._envelope = envelope
        self._generation: Generation = generation
        self._readers = {
            name: QueryReader(store.resources, resource, generation) for name, resource in store.resources.items()
        }

    def verb(self, resource: Resource, method: str, segments: int) -> Verb | None:
        """What is asked; None where the resource has no such route."""
        verb = _VERBS.get((method, segments))
        return verb if verb in resource.verbs else None

    def answer(self, verb: Verb, resource: Resource, asked: Asked) -> Answer:
        """Refused where there is no such record, or something is wrong with the request."""
        match verb:
            case "list":
                return self.listed(resource, asked)
            case "create":
                return self.created(resource, asked)
            case "get":
                return self._got(resource, asked)
            case "update":
                return self._updated(resource, asked)
            case "delete":
                return self._deleted(resource, asked)

    def listed(self, resource: Resource, asked: Asked) -> Answer:
        """A page. Without being asked for one the auth service gives all there is, the others their largest."""
        selection = self._readers[resource.name].read(asked.query)
        if selection.limit is None and resource.service != "auth":
            selection.limit = MAXIMUM
        if resource.name in ("master_images", "master_image_groups"):
            self._commands.images_listed()
        found = selected(self._store, resource, selection)
        last = None if selection.limit is None else selection.offset + selection.limit
        page: list[Record] = []
        for record in found[selection.offset : last]:
            self._commands.polled(resource.name, record)
            page.append(rendered(self._store, resource, record, self._generation, selection))
        return self._envelope.many(page, len(found), selection, resource)

    def created(self, resource: Resource, asked: Asked, status: int = 201) -> Answer:
        """A new record; what is hidden is shown, this once."""
        values = checked(self._store, resource, asked.body, "created", self._generation)
        record = self._store.add(resource.name, values, asked.actor)
        self._effects.created(resource.name, record, asked.actor)
        shown = () if resource.bare else tuple(resource.fields)
        out = rendered(self._store, resource, record, self._generation, also=shown)
        if resource.name in ("robots", "clients"):  # whose realm is in the answer unasked
            realm = self._store.find("realms", record["realm_id"])
            out["realm"] = realm and rendered(self._store, self._store.resources["realms"], realm, self._generation)
        return self._envelope.one(status, out, resource)

    def _got(self, resource: Resource, asked: Asked) -> Answer:
        record = self.find(resource.name, asked.segments[1])
        selection = self._readers[resource.name].read(asked.query)
        self._commands.polled(resource.name, record)
        return self._envelope.one(200, rendered(self._store, resource, record, self._generation, selection), resource)

    def _updated(self, resource: Resource, asked: Asked) -> Answer:
        record = self.find(resource.name, asked.segments[1])
        values = checked(self._store, resource, asked.body, "updated", self._generation)
        self._store.change(resource.name, record, values)
        self._effects.changed(resource.name, record)
        out = rendered(self._store, resource, record, self._generation, also=list(values))
        return self._envelope.one(202, out, resource)

    def _deleted(self, resource: Resource, asked: Asked) -> Answer:
        record = self.find(resource.name, asked.segments[1])
        if resource.name == "buckets" and any(self._store.where("bucket_files", bucket_id=record["id"])):
            raise Refused(500, "BucketNotEmpty", "The bucket you tried to delete is not empty")
        if record.get("built_in"):
            raise bad_request("What is built in cannot be deleted.")
        self._effects.deleting(resource.name, record)
        self._store.remove(resource.name, record)
        self._effects.changed(resource.name, record)
        return self._envelope.one(202, rendered(self._store, resource, record, self._generation), resource)

    def find(self, name: str, id_: str) -> Record:
        """The record of that id. Refused (404) where there is none, or it is no id at all."""
        record = self._store.find(name, id_)
        if record is None:
            raise not_found()
        return record
