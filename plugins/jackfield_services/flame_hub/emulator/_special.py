"""The routes that are none of a record: commands, credentials, logs, files, tokens."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from . import _files
from ._asked import Asked
from ._commands import Commands
from ._envelope import Envelope
from ._grants import Grants
from ._names import on_wire
from ._query import QueryReader
from ._records import Records
from ._selecting import rendered, selected
from ._settings import Settings
from ._store import Store
from ._wire import Answer, Record, as_json, bad_request

Route: TypeAlias = Callable[[Asked], Answer]

ACCEPTED = Answer(status=202)  # empty
_CREDENTIALS = ("secret", "name", "display_name")


class Special:
    """Each route is a method; `routes` says which, by its verb and path, in which * is any segment."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        records: Records,
        commands: Commands,
        envelope: Envelope,
        grants: Grants,
    ) -> None:
        self._store = store
        self._settings = settings
        self._records = records
        self._commands = commands
        self._envelope = envelope
        self._grants = grants
        both: dict[str, Route] = {
            "auth POST token": lambda asked: grants.answer(asked.body, asked.url),
            "auth GET token/introspect": self._introspect,
            "core POST master-images/command": self._master_images,
            "core POST analyses/*/command": self._analysis,
            "core POST services/registry/command": self._registry,
            "storage POST buckets/*/upload": self._upload,
            "storage GET buckets/*/stream": self._tarball,
            "storage GET bucket-files/*/stream": self._stream,
        }
        new: dict[str, Route] = {
            "core GET nodes/*/client/credentials": self._client,
            "core POST nodes/*/client/credentials": self._change_client,
            "core GET nodes/*/registry/credentials": self._registry_project,
            "core GET analyses/*/client/credentials": self._client,
            "core POST analyses/*/client/credentials": self._change_client,
            "core POST analysis-node-logs": lambda asked: records.created(
                store.resources["analysis_node_logs"], asked, status=202
            ),
            "core DELETE analysis-node-logs": lambda asked: self._forget(asked, ("analysis_id", "node_id")),
            "core DELETE analysis-logs": lambda asked: self._forget(asked, ("analysis_id",)),
        }
        self.routes: Mapping[str, Route] = both if settings.generation == "0.1.1" else both | new

    def _introspect(self, asked: Asked) -> Answer:
        permissions = [
            {"name": each["name"], "client_id": None, "realm_id": None} for each in self._store.all("permissions")
        ]
        name = asked.actor.name
        person = {"family_name": None, "given_name": None, "nickname": name, "preferred_username": name}
        return as_json(200, {"active": True, "permissions": permissions, **asked.claims, **person})

    def _master_images(self, asked: Asked) -> Answer:
        self._commands.master_images(asked.body.get("command"), asked.body.get("id"))
        return ACCEPTED

    def _registry(self, asked: Asked) -> Answer:
        self._commands.registry(asked.body.get("command"), asked.body.get("id"))
        return ACCEPTED

    def _analysis(self, asked: Asked) -> Answer:
        analysis = self._records.find("analyses", asked.segments[1])
        self._commands.analysis(analysis, asked.body.get("command"))
        resource = self._store.resources["analyses"]
        return self._envelope.one(202, rendered(self._store, resource, analysis, self._settings.generation), resource)

    def _client(self, asked: Asked) -> Answer:
        return as_json(200, self._on_wire(self._client_of(asked), ("id", *_CREDENTIALS)))

    def _change_client(self, asked: Asked) -> Answer:
        client = self._client_of(asked)
        wire = {on_wire(name, self._settings.generation): name for name in _CREDENTIALS}
        changes = {wire[name]: value for name, value in asked.body.items() if name in wire}
        if any(not isinstance(value, str) and (value is not None or name == "name") for name, value in changes.items()):
            raise bad_request("The credentials are invalid.")
        self._store.change("clients", client, changes)
        return as_json(200, self._on_wire(client, ("id", *_CREDENTIALS)))

    def _client_of(self, asked: Asked) -> Record:
        owner = self._records.find(asked.segments[0], asked.segments[1])
        return self._records.find("clients", str(owner["client_id"]))

    def _registry_project(self, asked: Asked) -> Answer:
        node = self._records.find("nodes", asked.segments[1])
        project = self._records.find("registry_projects", str(node["registry_project_id"]))
        registry = self._records.find("registries", project["registry_id"])
        names = ("external_name", "account_name", "account_secret")
        return as_json(200, {"host": registry["host"], **self._on_wire(project, names)})

    def _on_wire(self, record: Record, names: Sequence[str]) -> Record:
        return {on_wire(name, self._settings.generation): record[name] for name in names}

    def _forget(self, asked: Asked, required: Sequence[str]) -> Answer:
        """Deletes logs; all of what they are of has to be named."""
        resource = self._store.resources[asked.segments[0].replace("-", "_")]
        selection = QueryReader(self._store.resources, resource, self._settings.generation).read(asked.query)
        missing = set(required) - {condition.path[0] for condition in selection.conditions}
        if missing:
            raise bad_request(f"A filter is missing: {', '.join(sorted(missing))}.")
        for record in selected(self._store, resource, selection):
            self._store.remove(resource.name, record)
        return as_json(202, None)

    def _upload(self, asked: Asked) -> Answer:
        bucket = self._records.find("buckets", asked.segments[1])
        resource = self._store.resources["bucket_files"]
        files = _files.take(self._store, bucket, asked.files, asked.actor)
        data = [rendered(self._store, resource, file, self._settings.generation) for file in files]
        return as_json(201, {"data": data, "meta": {"total": len(data)}})

    def _tarball(self, asked: Asked) -> Answer:
        return _files.tarball(self._store, self._records.find("buckets", asked.segments[1]))

    def _stream(self, asked: Asked) -> Answer:
        return _files.stream(self._store, self._records.find("bucket_files", asked.segments[1]))
