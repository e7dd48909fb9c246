"""The tags of machines."""

from ._command import PAGING, Call, Command, Parameter
from ._wire import Json, JsonObject


def create_tags(call: Call) -> JsonObject:
    ids = _machines(call)
    tags = {machine_id: tags_of(call, machine_id) for machine_id in ids}

    def succeed() -> JsonObject:
        for machine_id in ids:
            machine = call.cloud.machine(machine_id, call.command, "resourceids")
            machine["tags"] = [*listed(machine["tags"]), *tags[machine_id]]
        return call.success()

    return call.start_job(ids[0] if ids else "", succeed)


def delete_tags(call: Call) -> JsonObject:
    """Those with a key that is named, and its value if that is; without any, all."""
    ids = _machines(call)
    wanted = call.arguments.entries("tags")

    def goes(tag: JsonObject) -> bool:
        named = [entry for entry in wanted if entry.get("key") == tag["key"]]
        return not wanted or any(entry.get("value", tag["value"]) == tag["value"] for entry in named)

    def succeed() -> JsonObject:
        for machine_id in ids:
            machine = call.cloud.machine(machine_id, call.command, "resourceids")
            machine["tags"] = [tag for tag in listed(machine["tags"]) if not goes(tag)]
        return call.success()

    return call.start_job(ids[0] if ids else "", succeed)


def list_tags(call: Call) -> JsonObject:
    """Of all machines, or of one; by key, if one is given."""
    arguments = call.arguments
    named = arguments.text("resourceid")
    machines = [call.cloud.machine(named, call.command, "resourceid")] if named else call.cloud.machines
    tags = [tag for machine in machines for tag in listed(machine["tags"])]
    return call.page("tag", [tag for tag in tags if arguments.text("key") in ("", tag["key"])])


def tags_of(call: Call, machine_id: str) -> list[JsonObject]:
    """The tags among the arguments, for that machine."""
    about: JsonObject = {"resourcetype": "UserVm", "resourceid": machine_id}
    entries = call.arguments.entries("tags")
    return [{"key": tag.get("key", ""), "value": tag.get("value", ""), **about} for tag in entries]


def listed(value: Json) -> list[JsonObject]:
    """The objects of a list."""
    return [dict(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _machines(call: Call) -> list[str]:
    ids = call.arguments.items("resourceids")
    for machine_id in ids:
        call.cloud.machine(machine_id, call.command, "resourceids")
    return ids


_TAGGED = (
    Parameter("resourceids", "list", "the IDs of virtual machines", required=True, related="listVirtualMachines"),
    Parameter("resourcetype", "string", "UserVm", required=True),
)
_TEXT = "tags, as tags[0].key=k&tags[0].value=v"
_LISTED = (
    Parameter("resourceid", "string", "the ID of a virtual machine"),
    Parameter("resourcetype", "string", "UserVm"),
    Parameter("key", "string", "the key of the tags"),
)
_SUCCESS: JsonObject = {"success": True}
_TAG: JsonObject = {"key": "owner", "value": "me", "resourcetype": "UserVm", "resourceid": ""}

TAGS = (
    Command(
        "createTags",
        "Tag machines",
        create_tags,
        (*_TAGGED, Parameter("tags", "map", _TEXT, required=True)),
        "success",
        _SUCCESS,
        True,
    ),
    Command(
        "deleteTags",
        "Take tags off machines",
        delete_tags,
        (*_TAGGED, Parameter("tags", "map", _TEXT)),
        "success",
        _SUCCESS,
        True,
    ),
    Command("listTags", "List the tags", list_tags, (*_LISTED, *PAGING), "tag", _TAG),
)
