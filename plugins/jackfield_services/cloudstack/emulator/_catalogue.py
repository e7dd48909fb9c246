"""All commands by name, and listApis, which describes them from their declarations."""

from ._changes import CHANGES
from ._command import Call, Command, Field, Parameter
from ._lists import LISTS
from ._wire import ApiError, JsonObject


def list_apis(call: Call) -> JsonObject:
    """All commands, unpaged, or the one of that `name`."""
    name = call.arguments.text("name")
    commands = [command for command in COMMANDS.values() if not name or command.name.lower() == name.lower()]
    if not commands:
        raise ApiError(530, "Api Discovery plugin was unable to find an api by that name or process any apis")
    return {"count": len(commands), "api": [_described(command) for command in commands]}


def _described(command: Command) -> JsonObject:
    others = [other for other in COMMANDS.values() if other is not command and other.response]
    related = [other.name for other in others if other.response == command.response]
    return {
        "name": command.name,
        "description": command.description,
        "isasync": command.is_async,
        "related": ",".join(related),
        "params": [_parameter(parameter) for parameter in command.parameters],
        "response": [*_fields(command.response), {}],  # real servers add empty objects
    }


def _parameter(parameter: Parameter) -> JsonObject:
    about: JsonObject = {"name": parameter.name, "description": parameter.description, "type": parameter.type}
    return {**about, "length": parameter.length, "required": parameter.required}


def _fields(fields: tuple[Field, ...]) -> list[JsonObject]:
    described: list[JsonObject] = []
    for field in fields:
        about: JsonObject = {"name": field.name, "description": field.description, "type": field.type}
        described.append({**about, "response": _fields(field.fields)} if field.fields else about)
    return described


_LIST_APIS = Command(
    "listApis",
    "List the APIs of this emulator",
    list_apis,
    (Parameter("name", "string", "the name of an API"),),
)

COMMANDS: dict[str, Command] = {command.name: command for command in (*LISTS, *CHANGES, _LIST_APIS)}
