"""All commands by name, and listApis, which describes them from their declarations."""

from collections.abc import Mapping

from ._changes import CHANGES
from ._command import Call, Command, Parameter
from ._hosts import HOSTS
from ._keys import KEYS
from ._lists import LISTS
from ._login import LOGIN
from ._networks import NETWORK_CHANGES
from ._second_factor import SECOND_FACTOR
from ._tags import TAGS
from ._users import Role
from ._wire import ApiError, Json, JsonObject


def list_apis(call: Call) -> JsonObject:
    """All commands that the caller may run, unpaged, or the one of that `name`."""
    name, role = call.arguments.text("name").lower(), call.user.role
    commands = [command for command in COMMANDS.values() if command.open_to(role)]
    found = [command for command in commands if name in ("", command.name.lower())]
    if not found:
        raise ApiError(530, "Api Discovery plugin was unable to find an api by that name or process any apis")
    return {"count": len(found), "api": [_described(command, commands, role) for command in found]}


def _described(command: Command, commands: list[Command], role: Role) -> JsonObject:
    related = [other.name for other in commands if other is not command and other.kind == command.kind != ""]
    parameters = [parameter for parameter in command.parameters if role in ("Admin", parameter.role)]
    return {
        "name": command.name,
        "description": command.description,
        "isasync": command.is_async,
        **_since(command.since),
        "related": ",".join(related),
        "params": [_parameter(parameter) for parameter in parameters],
        "response": [*_fields(command.answers), {}],  # real servers add empty objects
    }


def _parameter(parameter: Parameter) -> JsonObject:
    about: JsonObject = {"name": parameter.name, "description": parameter.description, "type": parameter.type}
    related: JsonObject = {"related": parameter.related} if parameter.related else {}
    required: JsonObject = {"length": parameter.length, "required": parameter.required}
    return {**about, **required, **_since(parameter.since), **related}


def _since(version: str) -> JsonObject:
    return {"since": version} if version else {}


def _fields(example: Mapping[str, Json]) -> list[JsonObject]:
    """The fields of an answer, from an example of it; those of an object inside are told, too."""
    described: list[JsonObject] = []
    for name, value in example.items():
        inner = value[0] if isinstance(value, list | tuple) and value else value
        type_ = "set" if isinstance(value, list | tuple) else _TYPES[type(value)]
        about: JsonObject = {"name": name, "description": f"the {name}", "type": "date" if name == "created" else type_}
        described.append({**about, "response": _fields(inner)} if isinstance(inner, dict) and inner else about)
    return described


_TYPES: Mapping[type, str] = {str: "string", bool: "boolean", int: "integer", dict: "map"}
_API: JsonObject = {
    "name": "",
    "description": "",
    "isasync": True,
    "related": "",
    "params": [{"name": ""}],
    "response": [],
}
_LIST_APIS = Command(
    "listApis",
    "List the APIs of this emulator",
    list_apis,
    (Parameter("name", "string", "the name of an API"),),
    "api",
    _API,
)

COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (*LISTS, *CHANGES, *TAGS, *KEYS, *NETWORK_CHANGES, *HOSTS, *LOGIN, *SECOND_FACTOR, _LIST_APIS)
}
