"""The resources of the core service of a Hub: nodes, registries, master images, projects."""

from ._analysis_resources import analysis_resources
from ._fields import (
    NAME,
    Resource,
    Verb,
    choice,
    copied,
    counted,
    flag,
    made,
    own_id,
    own_realm,
    ref,
    text,
)
from ._names import Generation

_REGISTRY_PROJECT_TYPES = ("default", "aggregator", "incoming", "outgoing", "masterImages", "node")
_ACCOUNT = {"account_name": text(), "account_secret": text(hidden=True)}


def _node(generation: Generation) -> Resource:
    old = generation == "0.1.1"
    fields = {
        "external_name": text(),
        "public_key": text(writable="updated"),
        "name": NAME,
        "hidden": flag(False),
        "type": choice("default", "aggregator", default="default"),
        "online": made(False),
        "registry_id": ref("registries"),
        "registry_project_id": made(to="registry_projects"),
        **({"robot_id": made(to="robots")} if old else {"client_id": made(to="clients")}),
        "realm_id": ref("realms", default=own_realm),
    }
    return Resource(service="core", name="nodes", fields=fields, include=("registry", "registry_project"))


def _registries() -> list[Resource]:
    registry = {"name": NAME, "host": text(required=True), **_ACCOUNT}
    project = {
        "name": NAME,
        "type": choice(*_REGISTRY_PROJECT_TYPES, required=True),
        "registry_id": ref("registries", required=True),
        "external_name": text(required=True),
        **_ACCOUNT,
        "public": made(False),
        "external_id": made(),
        "account_id": made(),
        "webhook_name": made(),
        "webhook_exists": made(False),
        "realm_id": made(own_realm, to="realms"),
    }
    return [
        Resource(service="core", name="registries", fields=registry),
        Resource(service="core", name="registry_projects", fields=project, include=("registry",)),
    ]


def _master_images(generation: Generation) -> list[Resource]:
    group = {"name": made(), "path": made(), "virtual_path": made()}
    built = {"build_status": made(), "build_progress": made(), "command_arguments": made([])}
    image = {
        "path": made(),
        "virtual_path": made(),
        "group_virtual_path": made(),
        **({} if generation == "0.1.1" else built),
        "name": made(),
        "command": made(),
    }
    reads: tuple[Verb, ...] = (
        "list",
        "get",
    )
    return [
        Resource(service="core", name="master_image_groups", fields=group, verbs=reads),
        Resource(service="core", name="master_images", fields=image, verbs=reads),
    ]


def _projects(generation: Generation, approved: bool) -> list[Resource]:
    old = generation == "0.1.1"
    project = {
        "name": NAME,
        **({} if old else {"display_name": text()}),
        "description": text(),
        "master_image_id": ref("master_images", required=old),
        "analyses": counted("analyses.project_id"),
        "nodes": counted("project_nodes.project_id"),
        "realm_id": made(own_realm, to="realms"),
        "user_id": made(own_id("user")),
        **({"robot_id": made(own_id("robot"))} if old else {}),
    }
    project_node = {
        "approval_status": choice("rejected", "approved", default="approved" if approved else None, writable="updated"),
        "comment": text(writable="updated"),
        "project_id": ref("projects", required=True, writable="created"),
        "project_realm_id": copied("project_id.realm_id"),
        "node_id": ref("nodes", required=True, writable="created"),
        "node_realm_id": copied("node_id.realm_id"),
    }
    return [
        Resource(service="core", name="projects", fields=project, include=("master_image",)),
        Resource(
            service="core",
            name="project_nodes",
            fields=project_node,
            unique=("project_id", "node_id"),
            include=("node", "project"),
        ),
    ]


def core_resources(generation: Generation, approved: bool) -> list[Resource]:
    """What this generation has; `approved`: nodes of projects and analyses need nobody's consent."""
    return [
        _node(generation),
        *_registries(),
        *_master_images(generation),
        *_projects(generation, approved),
        *analysis_resources(generation, approved),
    ]
