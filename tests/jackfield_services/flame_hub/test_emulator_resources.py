"""Every resource of the inventory: its routes, their statuses, what is in its records, what is wrong with one."""

from __future__ import annotations

from typing import Any

import pytest
from tests.jackfield_services.flame_hub.hub_wire import AUTH, NO_SUCH, Reply, Session

from jackfield_services.flame_hub.emulator import FlameHubEmulator

_DATES = "created_at updated_at"
_OLD = {
    "realms": f"id name display_name description built_in {_DATES}",
    "robots": f"id name display_name description active {_DATES} user_id realm_id",
    "nodes": "id external_name hidden name realm_id registry_id type public_key online registry_project_id robot_id "
    + _DATES,
    "master-image-groups": f"id name path virtual_path {_DATES}",
    "master-images": f"id path virtual_path group_virtual_path name command {_DATES}",
    "projects": f"id description master_image_id name analyses nodes {_DATES} realm_id user_id robot_id",
    "project-nodes": f"id node_id project_id approval_status comment {_DATES} project_realm_id node_realm_id",
    "analyses": "id description name project_id configuration_locked build_status run_status registry_id realm_id "
    f"user_id master_image_id {_DATES}",
    "analysis-nodes": "id approval_status run_status comment index artifact_tag artifact_digest analysis_id "
    f"analysis_realm_id node_id node_realm_id {_DATES}",
    "analysis-buckets": f"id type external_id analysis_id realm_id {_DATES}",
    "analysis-bucket-files": f"id name external_id bucket_id root realm_id user_id robot_id analysis_id {_DATES}",
    "buckets": f"id name region actor_id actor_type realm_id {_DATES}",
    "bucket-files": f"id name path hash directory size actor_type actor_id bucket_id {_DATES}",
}
_NEW = {
    "realms": _OLD["realms"],
    "users": "id name display_name active name_locked first_name last_name avatar cover realm_id " + _DATES,
    "permissions": f"id name display_name description realm_id policy_id built_in client_id {_DATES}",
    "roles": f"id name display_name description target realm_id {_DATES}",
    "role-permissions": f"id role_id permission_id role_realm_id permission_realm_id policy_id {_DATES}",
    "user-permissions": f"id user_id permission_id user_realm_id permission_realm_id policy_id {_DATES}",
    "user-roles": f"id user_id role_id user_realm_id role_realm_id {_DATES}",
    "clients": "id name built_in display_name description redirect_uri active secret_hashed grant_types "
    "secret_encrypted backchannel_logout_uri post_logout_redirect_uri base_url auth_method token_binding_method "
    f"realm_id {_DATES}",
    "registries": f"id name host account_name {_DATES}",
    "registry-projects": "id name type registry_id external_name account_name public external_id account_id "
    f"webhook_name webhook_exists realm_id {_DATES}",
    "nodes": "id external_name hidden name realm_id registry_id type public_key online registry_project_id client_id "
    + _DATES,
    "master-image-groups": _OLD["master-image-groups"],
    "master-images": _OLD["master-images"] + " build_status build_progress command_arguments",
    "projects": f"id description master_image_id name display_name analyses nodes {_DATES} realm_id user_id",
    "project-nodes": _OLD["project-nodes"],
    "analyses": "id description name display_name project_id master_image_id registry_id image_command_arguments nodes "
    "nodes_approved configuration_locked configuration_entrypoint_valid configuration_image_valid "
    "configuration_node_aggregator_valid configuration_node_default_valid configuration_nodes_valid build_status "
    "distribution_nodes_valid build_progress build_hash build_os build_size distribution_status "
    f"distribution_progress execution_status execution_progress realm_id user_id client_id {_DATES}",
    "analysis-nodes": "id analysis_id node_id approval_status execution_status execution_progress comment artifact_tag "
    f"artifact_digest analysis_realm_id node_realm_id {_DATES}",
    "analysis-buckets": f"id type bucket_id analysis_id realm_id {_DATES}",
    "analysis-bucket-files": "id path bucket_file_id bucket_id analysis_bucket_id root realm_id user_id client_id "
    f"analysis_id {_DATES}",
    "buckets": _OLD["buckets"],
    "bucket-files": _OLD["bucket-files"] + " realm_id",
}
MODELS = [("0.1.1", path, fields) for path, fields in _OLD.items()] + [
    ("1.1.0", path, fields) for path, fields in _NEW.items()
]
READ_ONLY = ("master-images", "master-image-groups", "bucket-files")
CHANGES: dict[str, dict[str, Any]] = {  # what an update may set
    "realms": {"name": "other", "description": "d"},
    "nodes": {"public_key": "k", "external_name": "e"},
    "projects": {"name": "other", "description": None},
    "project-nodes": {"approval_status": "rejected", "comment": "c"},
    "analyses": {"name": "other"},
    "analysis-nodes": {"approval_status": "approved", "comment": "c"},
    "analysis-bucket-files": {"root": True},
    "robots": {"name": "other", "secret": "s"},
    "users": {"name": "other", "first_name": "Carol"},
    "permissions": {"display_name": "d"},
    "roles": {"name": "other"},
    "clients": {"name": "other", "redirect_uri": "https://example.com"},
    "registries": {"host": "other.example.com"},
    "registry-projects": {"name": "other", "type": "node"},
}


def upload(session: Session, bucket: str, name: str = "main.py") -> Any:
    body = f'--b\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\nprint()\r\n--b--\r\n'
    path = f"/buckets/{bucket}/upload"
    reply = session.storage("POST", path, body.encode(), **{"Content-Type": "multipart/form-data; boundary=b"})
    return session.named(reply.data[0])


class Made:
    """One record of every kind, made as it is needed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._number = 0

    def __call__(self, path: str) -> dict[str, Any]:
        session = self._session
        if path in ("master-images", "master-image-groups"):
            return session.named(session.core("GET", f"/{path}").data[0])
        if path == "bucket-files":
            return dict(upload(session, self("buckets")["id"]))
        if path == "analysis-buckets" and session.old:
            analysis = self("analyses")["id"]
            reply = session.core("GET", f"/analysis-buckets?filter[analysis_id]={analysis}&filter[type]=CODE")
            return session.named(reply.data[0])
        return session.make(path, **self._fields(path))

    def _files_fields(self) -> dict[str, Any]:
        file, bucket = self("bucket-files"), self("analysis-buckets")
        if self._session.old:
            return {"name": "main.py", "external_id": file["id"], "bucket_id": bucket["id"], "root": False}
        ids = {"bucket_file_id": file["id"], "bucket_id": file["bucket_id"], "analysis_bucket_id": bucket["id"]}
        return {"path": "main.py", **ids, "root": False}

    def _fields(self, path: str) -> dict[str, Any]:
        def id_of(path: str) -> str:
            return str(self(path)["id"])

        match path:
            case "users":
                return {"name": "carol", "email": "carol@example.com"}
            case "robots":
                return {"name": "robot", "secret": "s"}
            case "role-permissions":
                return {"role_id": id_of("roles"), "permission_id": id_of("permissions")}
            case "user-permissions":
                return {"user_id": id_of("users"), "permission_id": id_of("permissions")}
            case "user-roles":
                return {"user_id": id_of("users"), "role_id": id_of("roles")}
            case "registries":
                return {"name": "registry", "host": "registry.example.com"}
            case "registry-projects":
                named = {"name": "project", "external_name": "project", "type": "default"}
                return {**named, "registry_id": id_of("registries")}
            case "projects":
                return {"name": "project", "master_image_id": id_of("master-images")}
            case "project-nodes":
                return {"project_id": id_of("projects"), "node_id": id_of("nodes")}
            case "analyses":
                return {"name": "analysis", "project_id": id_of("projects")}
            case "analysis-nodes":
                return {"analysis_id": id_of("analyses"), "node_id": id_of("nodes")}
            case "analysis-buckets":
                return {"type": "CODE", "bucket_id": id_of("buckets"), "analysis_id": id_of("analyses")}
            case "analysis-bucket-files":
                return self._files_fields()
            case _:
                self._number += 1
                return {"name": f"thing-{self._number}"}


@pytest.fixture
def made(session: Session) -> Made:
    return Made(session)


def asks(session: Session, path: str, method: str, route: str, body: Any = None) -> Reply:
    if path in AUTH:
        return session.auth(method, route, body)
    return session.storage(method, route, body) if path.startswith("bucket") else session.core(method, route, body)


@pytest.mark.parametrize(("generation", "path", "fields"), MODELS)
def test_every_resource_has_its_routes_and_its_fields(session: Session, made: Made, path: str, fields: str) -> None:
    record = made(path)
    item = f"/{path}/{record['id']}"
    got, listed = asks(session, path, "GET", item), asks(session, path, "GET", f"/{path}")

    assert set(fields.split()) <= set(session.named(got.data))
    assert got.data in listed.data
    assert (got.status, listed.status) == (200, 200)
    assert listed.json["meta"]["total"] == len(listed.data)

    if path in CHANGES:
        changed = asks(session, path, "POST", item, session.wire(**CHANGES[path]))
        assert changed.status == 202
        assert {**session.named(changed.data), **CHANGES[path]} == session.named(changed.data)
    if path not in ("master-images", "master-image-groups"):
        deleted = asks(session, path, "DELETE", item)
        assert (deleted.status, deleted.data["id"]) == (202, record["id"])
        assert asks(session, path, "GET", item).status == 404


@pytest.mark.parametrize("path", READ_ONLY)
def test_what_the_hub_makes_itself_nobody_else_makes(session: Session, path: str) -> None:
    reply = asks(session, path, "POST", f"/{path}", {"name": "mine"})
    assert (reply.status, reply.body) == (404, b"")


def test_links_and_buckets_cannot_be_changed(session: Session, made: Made) -> None:
    for path in ("role-permissions", "user-permissions", "user-roles", "analysis-buckets", "buckets"):
        reply = asks(session, path, "POST", f"/{path}/{NO_SUCH}", {})
        assert (reply.status, reply.body) == (404, b"")


def test_the_new_generation_puts_envelopes_around_records(new: FlameHubEmulator) -> None:
    session = Session(new)
    created = session.core("POST", "/nodes", {"name": "one"})
    item = f"/nodes/{created.data['id']}"
    got, listed = session.core("GET", item), session.core("GET", "/nodes")
    assert (created.json["meta"], list(created.json)) == ({}, ["data", "meta"])
    assert list(got.json["meta"]) == ["schema"]
    assert list(listed.json["meta"]) == ["total", "limit", "offset", "schema"]
    assert session.core("POST", item, {}).json["meta"] == {}
    assert session.core("DELETE", item).json["meta"] == {}


def test_the_new_generation_takes_camel_case_and_nothing_else(new: FlameHubEmulator) -> None:
    session = Session(new)
    node = session.core("POST", "/nodes", {"name": "one", "externalName": "x", "external_name": "y"}).data
    assert (node["externalName"], "external_name" in node) == ("x", False)


def test_the_new_generation_tells_what_is_wrong_as_issues(new: FlameHubEmulator) -> None:
    reply = Session(new).core("POST", "/nodes", {"name": "x", "type": "bogus"})
    assert (reply.status, list(reply.json)) == (400, ["statusCode", "code", "message", "issues"])
    assert [issue["path"] for issue in reply.json["issues"]] == [["name"], ["type"]]


@pytest.mark.parametrize(
    ("path", "fields", "wrong"),
    [
        ("nodes", {}, ["name"]),
        ("nodes", {"name": None}, ["name"]),
        ("nodes", {"name": 7}, ["name"]),
        ("nodes", {"name": "x" * 129}, ["name"]),
        ("nodes", {"name": "node", "hidden": "yes", "realm_id": "master"}, ["hidden", "realm_id"]),
        ("projects", {"name": "project", "master_image_id": 7}, ["master_image_id"]),
        ("project-nodes", {}, ["project_id", "node_id"]),
        ("realms", {"name": "a b"}, ["name"]),
        ("realms", {"name": "realm", "description": 7}, ["description"]),
    ],
)
def test_attributes_that_are_wrong_or_missing(
    old: FlameHubEmulator, path: str, fields: dict[str, Any], wrong: list[str]
) -> None:
    reply = asks(Session(old), path, "POST", f"/{path}", fields)
    assert (reply.status, reply.json["attributes"]) == (400, wrong)
    received = [child.get("received", "missing") for child in reply.json["children"]]
    assert received == [fields.get(name, "missing") for name in wrong]


def test_arguments_of_an_image_have_a_value_and_a_place(new: FlameHubEmulator) -> None:
    session = Session(new)
    path = f"/analyses/{session.analysis()['id']}"

    def status(arguments: Any) -> int:
        return session.core("POST", path, {"imageCommandArguments": arguments}).status

    assert status([{"value": "-v", "position": "before"}, {"value": "x", "position": None}, {"value": "y"}]) == 202
    for wrong in ("-v", ["-v"], [{"position": "after"}], [{"value": "x", "position": "within"}]):
        assert status(wrong) == 400


def test_what_refers_to_nothing_is_refused(session: Session) -> None:
    reply = session.core("POST", "/nodes", session.wire(name="node", realm_id=NO_SUCH))
    (name,) = session.wire(realm_id=0)
    assert reply.refusal == (400, "BAD_REQUEST", f"{name} refers to nothing in realms.")


def test_bodies_that_are_no_object_are_refused(session: Session) -> None:
    assert session.core("POST", "/nodes", [1]).refusal[:2] == (400, "undefined")
    assert session.core("POST", "/nodes", b"\xff").refusal[:2] == (400, "undefined")


def test_a_refused_update_changes_nothing(session: Session) -> None:
    session.make("realms", name="taken")
    realm = session.make("realms", name="realm")
    refused = session.auth("POST", f"/realms/{realm['id']}", {"name": "taken", "description": "d"})
    got = session.named(session.auth("GET", f"/realms/{realm['id']}").data)
    assert (refused.status, got) == (409, realm)
    assert session.auth("POST", f"/realms/{realm['id']}", {"name": "other"}).status == 202
    assert session.auth("POST", "/realms", {"name": "realm"}).status == 201  # the name is free again


def test_a_name_is_free_again_after_it_was_deleted(session: Session) -> None:
    realm = session.make("realms", name="realm")
    session.auth("DELETE", f"/realms/{realm['id']}")
    assert session.auth("POST", "/realms", {"name": "realm"}).status == 201


def test_what_is_built_in_cannot_be_deleted(session: Session) -> None:
    assert session.auth("DELETE", f"/realms/{session.master_realm()}").status == 400


def test_secrets_are_shown_where_they_were_made_or_asked_for(session: Session) -> None:
    client = session.make("clients", name="client")
    item = f"/clients/{client['id']}"
    assert len(client["secret"]) == 64
    assert "secret" not in session.auth("GET", item).data
    assert session.auth("POST", item, {"secret": "s"}).data["secret"] == "s"
    assert session.auth("GET", f"{item}?fields=%2Bsecret").data["secret"] == "s"
    assert session.make("clients", name="public", is_confidential=False)["secret"] is None


def test_every_run_makes_the_same_ids() -> None:
    ids: list[list[str]] = []
    for _ in range(2):
        with FlameHubEmulator("1.1.0", nodes=3) as hub:
            ids.append([hub.client_id, *(node["id"] for node in Session(hub).core("GET", "/nodes").data)])
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 4


def test_what_is_there_from_the_start_refers_to_what_is_there(session: Session) -> None:
    for path in ("clients", "users", "roles", "permissions", "user-roles", *(["robots"] if session.old else [])):
        (first, *_) = session.auth("GET", f"/{path}").data
        ids = {name: value for name, value in session.named(first).items() if name.endswith("realm_id")}
        assert ids
        assert set(ids.values()) <= {None, session.master_realm()}
