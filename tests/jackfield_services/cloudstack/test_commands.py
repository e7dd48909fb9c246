"""The list of commands as values: names in whatever case, what servers leave out, and what they put in too much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from jackfield import DecodeError
from jackfield_services.cloudstack import Command, CommandParameter, ResponseField
from jackfield_services.cloudstack._commands import Commands, commands_of

LISTED: dict[str, Any] = {
    "count": 2,
    "api": [
        {
            "name": "listZones",
            "description": "Lists zones",
            "isasync": False,
            "related": "createZone",
            "params": [
                {"name": "id", "type": "uuid", "length": 255, "required": False, "description": "the ID"},
                {},
                {"name": "pagesize", "type": "integer", "required": "false"},
            ],
            "response": [{}, {"name": "id", "type": "string", "description": "the ID"}, {}],
        },
        {
            "name": "deployVirtualMachine",
            "isasync": "true",
            "since": "4.2",
            "params": [{"name": "zoneId", "type": "uuid", "required": True, "since": "4.9"}],
            "response": [{"name": "nic", "type": "set", "response": [{"name": "ipaddress"}, {}]}],
        },
    ],
}


def test_commands_are_found_by_name_in_whatever_case() -> None:
    commands = commands_of(LISTED, 5.0)

    assert commands["LISTZONES"] is commands["listZones"]
    assert "deployvirtualmachine" in commands
    assert "listPods" not in commands
    assert cast("object", 7) not in cast("Mapping[object, Command]", commands)
    assert list(commands) == ["listZones", "deployVirtualMachine"]
    assert (len(commands), commands.at, repr(commands)) == (2, 5.0, "<2 commands>")
    with pytest.raises(KeyError):
        commands["listPods"]


def test_a_command_says_what_the_server_says_of_it_and_empty_items_are_left_out() -> None:
    commands = commands_of(LISTED, 0)

    assert commands["deployVirtualMachine"] == Command(
        "deployVirtualMachine",
        "",
        True,
        (CommandParameter("zoneId", "uuid", required=True, since="4.9"),),
        (ResponseField("nic", "set", response=(ResponseField("ipaddress"),)),),
        "4.2",
    )
    zones = commands["listZones"]
    assert [parameter.name for parameter in zones.parameters] == ["id", "pagesize"]
    assert [(field.name, field.description) for field in zones.response] == [("id", "the ID")]
    assert not zones.is_async


def test_commands_with_a_page_size_are_paged() -> None:
    commands = commands_of(LISTED, 0)

    assert [name for name, command in commands.items() if command.pages] == ["listZones"]


def test_what_is_alike_is_held_once() -> None:
    field = {"name": "jobid", "type": "string", "description": "the job"}
    api = [{"name": name, "response": [dict(field)], "params": [dict(field)]} for name in ("a", "b")]

    one, other = commands_of({"api": api}, 0).values()

    assert one.response[0] is other.response[0]
    assert one.parameters[0] is other.parameters[0]


def nested(depth: int) -> dict[str, Any]:
    field: dict[str, Any] = {"name": "x"}
    for _ in range(depth):
        field = {"name": "x", "response": [field]}
    return field


def test_an_empty_command_is_left_out_too() -> None:
    assert list(commands_of({"api": [{}, None, {"name": "listZones"}]}, 0)) == ["listZones"]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"count": 0},
        {"api": []},
        {"api": {}},
        {"api": [7]},
        {"api": [{"description": "nameless"}]},
        {"api": [{"name": "x", "params": "none"}]},
        {"api": [{"name": "x", "response": [nested(350)]}]},
        {"api": [{"name": "x", "response": [nested(5000)]}]},
    ],
)
def test_what_is_no_list_of_commands_is_an_error_that_says_so(answer: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match="list of its commands"):
        commands_of(answer, 0)


def test_a_command_shows_itself_in_a_word() -> None:
    assert repr(commands_of(LISTED, 0)["listzones"]) == "<Command listZones>"


def test_commands_are_values_that_may_be_made_by_hand() -> None:
    commands = Commands([Command("listZones")], 0)

    assert commands["listzones"] == Command("listZones")
