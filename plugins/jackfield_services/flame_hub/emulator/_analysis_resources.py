"""The resources of the core service that belong to an analysis."""

from ._fields import (
    NAME,
    Field,
    Resource,
    Verb,
    choice,
    copied,
    counted,
    flag,
    is_arguments,
    is_long,
    is_text,
    made,
    own_id,
    own_realm,
    percent,
    ref,
    text,
)
from ._names import Generation

_RUN_STATUSES = ("starting", "started", "stopping", "stopped", "running", "finished", "failed")
_PROCESS_STATUSES = ("starting", "started", "stopping", "stopped", "executing", "executed", "failed")
_BUCKET_TYPES = ("CODE", "RESULT", "TEMP")


def _maker(generation: Generation) -> dict[str, Field]:
    other = "robot" if generation == "0.1.1" else "client"
    return {"user_id": made(own_id("user")), f"{other}_id": made(own_id(other))}


def _analysis(generation: Generation) -> Resource:
    project = {
        "project_id": ref("projects", required=True, writable="created"),
        "realm_id": copied("project_id.realm_id"),
    }
    old = {
        "description": text(),
        "name": NAME,
        "configuration_locked": made(False),
        "build_status": made(),
        "run_status": made(),
        "registry_id": ref("registries"),
        "master_image_id": ref("master_images"),
        "user_id": made(own_id("user")),
        **project,
    }
    new = {
        "name": Field(checks=(is_text, is_long)),
        "display_name": text(),
        "description": text(),
        "nodes": counted("analysis_nodes.analysis_id"),
        "nodes_approved": made(0),
        "configuration_locked": made(False),
        "configuration_entrypoint_valid": made(False),
        "configuration_image_valid": made(False),
        "configuration_node_aggregator_valid": made(False),
        "configuration_node_default_valid": made(False),
        "configuration_nodes_valid": made(False),
        "build_status": made(),
        "build_progress": made(),
        "build_hash": made(),
        "build_os": made(),
        "build_size": made(),
        "distribution_nodes_valid": made(False),
        "distribution_status": made(),
        "distribution_progress": made(),
        "execution_status": made(),
        "execution_progress": made(),
        "image_command_arguments": Field(checks=(is_arguments,), default=[]),
        "registry_id": ref("registries"),
        "master_image_id": ref("master_images"),
        "user_id": made(own_id("user")),
        "client_id": made(to="clients"),
        **project,
    }
    return Resource(
        service="core",
        name="analyses",
        fields=old if generation == "0.1.1" else new,
        include=("registry", "project", "master_image"),
    )


def _analysis_node(generation: Generation, approved: bool) -> Resource:
    old = {"run_status": choice(*_RUN_STATUSES, writable="updated"), "index": made(0)}
    new = {"execution_status": choice(*_PROCESS_STATUSES, writable="updated"), "execution_progress": percent()}
    fields = {
        "approval_status": choice("rejected", "approved", default="approved" if approved else None, writable="updated"),
        **(old if generation == "0.1.1" else new),
        "comment": text(writable="updated"),
        "artifact_tag": made(),
        "artifact_digest": made(),
        "analysis_id": ref("analyses", required=True, writable="created"),
        "analysis_realm_id": copied("analysis_id.realm_id"),
        "node_id": ref("nodes", required=True, writable="created"),
        "node_realm_id": copied("node_id.realm_id"),
    }
    unique = ("analysis_id", "node_id")
    return Resource(service="core", name="analysis_nodes", fields=fields, unique=unique, include=("analysis", "node"))


def _bucket(generation: Generation) -> Resource:
    bucket = "external_id" if generation == "0.1.1" else "bucket_id"
    fields = {
        "type": choice(*_BUCKET_TYPES, required=True, writable="created"),
        bucket: ref("buckets", required=True, writable="created"),
        "analysis_id": ref("analyses", required=True, writable="created"),
        "realm_id": copied("analysis_id.realm_id"),
    }
    verbs: tuple[Verb, ...] = (
        "list",
        "get",
        "create",
        "delete",
    )
    unique = ("type", "analysis_id")
    return Resource(
        service="core", name="analysis_buckets", fields=fields, verbs=verbs, unique=unique, include=("analysis",)
    )


def _bucket_file(generation: Generation) -> Resource:
    old = {
        "name": text(required=True, writable="created"),
        "external_id": ref("bucket_files", required=True, writable="created"),
        "bucket_id": ref("analysis_buckets", required=True, writable="created"),
        "analysis_id": copied("bucket_id.analysis_id", to="analyses"),
    }
    new = {
        "path": text(required=True, writable="created"),
        "bucket_file_id": ref("bucket_files", required=True, writable="created"),
        "bucket_id": ref("buckets", required=True, writable="created"),
        "analysis_bucket_id": ref("analysis_buckets", required=True, writable="created"),
        "analysis_id": copied("analysis_bucket_id.analysis_id", to="analyses"),
    }
    fields = {
        "root": flag(False),
        **(old if generation == "0.1.1" else new),
        "realm_id": made(own_realm, to="realms"),
        **_maker(generation),
    }
    include = ("analysis",) if generation == "0.1.1" else ("analysis_bucket", "analysis")
    return Resource(service="core", name="analysis_bucket_files", fields=fields, include=include)


def analysis_resources(generation: Generation, approved: bool) -> list[Resource]:
    """What this generation has; `approved`: nodes of analyses need nobody's consent."""
    return [
        _analysis(generation),
        _analysis_node(generation, approved),
        _bucket(generation),
        _bucket_file(generation),
    ]
