"""What a change brings with it: robots and clients of nodes, buckets of analyses, what an analysis is ready for."""

from collections.abc import Callable, Mapping

from ._fields import Actor
from ._names import Generation
from ._store import Store
from ._wire import Record

_OWN = {"robot_id": "robots", "client_id": "clients", "registry_project_id": "registry_projects"}
_BUCKET_TYPES = ("CODE", "RESULT", "TEMP")


class Effects:
    """Runs after a record was made or changed, and before it goes."""

    def __init__(self, store: Store, generation: Generation) -> None:
        self._store = store
        self._old = generation == "0.1.1"
        self._made: Mapping[str, Callable[[Record, Actor], None]] = {
            "nodes": self._node,
            "analyses": self._analysis,
            "clients": self._client,
            "analysis_node_logs": self._log,
        }

    def created(self, name: str, record: Record, actor: Actor) -> None:
        if name in self._made:
            self._made[name](record, actor)
        self.changed(name, record)

    def changed(self, name: str, record: Record) -> None:
        """An analysis is ready for what its nodes and files allow."""
        if name == "nodes":
            self._connect(record)
        analysis = record if name == "analyses" else self._store.find("analyses", record.get("analysis_id"))
        if analysis is not None and not self._old:
            self._settle(analysis)

    def deleting(self, name: str, record: Record) -> None:
        """Nodes and analyses take with them what was made for them."""
        if name in ("nodes", "analyses"):
            for own, names in _OWN.items():
                found = None if names not in self._store.resources else self._store.find(names, record.get(own))
                if found is not None:
                    self._store.remove(names, found)

    def _node(self, node: Record, actor: Actor) -> None:
        kind = "robot" if self._old else "client"
        node[f"{kind}_id"] = self._credentials(f"{kind}s", node, actor)

    def _connect(self, node: Record) -> None:
        """A node with a registry has a project there."""
        if node["registry_id"] is None or node["registry_project_id"] is not None:
            return
        name = node["external_name"] or node["name"]
        kind = "aggregator" if node["type"] == "aggregator" else "default"
        account = {"account_name": f"robot${name}", "account_secret": self._store.new_secret()}
        values = {"name": name, "external_name": name, "type": kind, "registry_id": node["registry_id"], **account}
        actor = Actor("", "", "", node["realm_id"])
        node["registry_project_id"] = self._store.add("registry_projects", values, actor)["id"]

    def _analysis(self, analysis: Record, actor: Actor) -> None:
        project = self._store.find("projects", analysis["project_id"])
        if analysis["master_image_id"] is None and project is not None:
            analysis["master_image_id"] = project["master_image_id"]
        if not self._old:
            analysis["client_id"] = self._credentials("clients", analysis, actor)
            return
        for kind in _BUCKET_TYPES:
            bucket = self._store.add("buckets", {"name": f"{analysis['id']}.{kind.lower()}"}, actor)
            values = {"type": kind, "external_id": bucket["id"], "analysis_id": analysis["id"]}
            self._store.add("analysis_buckets", values, actor)

    def _client(self, client: Record, _: Actor) -> None:
        if client["secret"] is None and client["is_confidential"]:
            client["secret"] = self._store.new_secret()

    def _credentials(self, name: str, owner: Record, actor: Actor) -> str:
        values = {"name": owner["id"], "display_name": owner["name"] or owner["id"], "secret": self._store.new_secret()}
        return str(self._store.add(name, {**values, "realm_id": owner["realm_id"]}, actor)["id"])

    def _log(self, log: Record, _: Actor) -> None:
        labels = {name: log[name] for name in ("analysis_id", "node_id", "status", "code")}
        log.update(time=self._store.stamp(), service="hub-server-core", channel="http", labels=labels)

    def _settle(self, analysis: Record) -> None:
        nodes = list(self._store.where("analysis_nodes", analysis_id=analysis["id"]))
        approved = [node for node in nodes if node["approval_status"] == "approved"]
        types = {found["type"] for node in nodes if (found := self._store.find("nodes", node["node_id"]))}
        analysis.update(
            nodes_approved=len(approved),
            configuration_entrypoint_valid=any(
                self._store.where("analysis_bucket_files", analysis_id=analysis["id"], root=True)
            ),
            configuration_image_valid=analysis["master_image_id"] is not None,
            configuration_node_aggregator_valid="aggregator" in types,
            configuration_node_default_valid="default" in types,
            configuration_nodes_valid=types == {"aggregator", "default"},
            distribution_nodes_valid=bool(nodes) and len(approved) == len(nodes),
        )
