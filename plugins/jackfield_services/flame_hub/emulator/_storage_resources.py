"""The resources of the storage service of a Hub: buckets, and the files in them."""

from ._fields import Actor, Resource, copied, made, own_realm, ref, text


def _id(actor: Actor) -> str:
    return actor.id


def _kind(actor: Actor) -> str:
    return actor.kind


_ACTOR = {"actor_type": made(_kind), "actor_id": made(_id)}


def storage_resources() -> list[Resource]:
    """Both generations have the same."""
    bucket = {
        "name": text(required=True, writable="created"),
        "region": text(writable="created"),
        **_ACTOR,
        "realm_id": made(own_realm, to="realms"),
    }
    file = {
        "name": made(),
        "path": made(),
        "hash": made(),
        "size": made(),
        "directory": made(),
        "realm_id": copied("bucket_id.realm_id"),
        **_ACTOR,
        "bucket_id": ref("buckets", required=True, writable="never"),
    }
    return [
        Resource(
            service="storage",
            name="buckets",
            fields=bucket,
            verbs=(
                "list",
                "get",
                "create",
                "delete",
            ),
            unique=("name",),
        ),
        Resource(
            service="storage",
            name="bucket_files",
            fields=file,
            verbs=(
                "list",
                "get",
                "delete",
            ),
            include=("bucket",),
        ),
    ]
