"""listApis: what the emulator says of itself."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cloudstack_wire import call, refusal, user_call

from jackfield_services.cloudstack.emulator import CloudStackEmulator, User


def apis(cloud: CloudStackEmulator) -> dict[str, Any]:
    listed = call(cloud, "listApis").json["listapisresponse"]
    assert listed["count"] == len(listed["api"])
    return {api["name"]: api for api in listed["api"]}


def test_every_name_that_is_listed_is_a_command(cloud: CloudStackEmulator) -> None:
    unknown = {"login", "logout"}  # which the server answers in other ways
    assert {name for name in apis(cloud).keys() - unknown if call(cloud, name).status in (401, 432)} == set()


def test_a_command_is_told_with_its_parameters_and_its_answer(cloud: CloudStackEmulator) -> None:
    known = apis(cloud)
    deployed = known["deployVirtualMachine"]
    assert (deployed["isasync"], known["listZones"]["isasync"]) == (True, False)
    assert {parameter["name"] for parameter in deployed["params"] if parameter["required"]} == {
        "serviceofferingid",
        "templateid",
        "zoneid",
    }
    assert "destroyVirtualMachine" in deployed["related"].split(",")
    assert {} in deployed["response"]
    types = {field["name"]: field["type"] for field in deployed["response"] if field}
    told = [types[name] for name in ("name", "created", "cpunumber", "haenable", "tags", "details")]
    assert told == ["string", "date", "integer", "boolean", "set", "map"]
    nested = {field["name"]: field["response"] for field in deployed["response"] if "response" in field}
    assert set(nested) == {"tags", "nic"}
    assert [field["name"] for field in nested["tags"]] == ["key", "value"]


def test_what_starts_a_job_says_so(cloud: CloudStackEmulator) -> None:
    asynchronous = {name for name, api in apis(cloud).items() if api["isasync"]}
    machines = {f"{verb}VirtualMachine" for verb in ("deploy", "start", "stop", "reboot", "destroy")}
    others = {"resetPasswordForVirtualMachine", "createTags", "deleteTags", "createNetworkACLList"}
    assert asynchronous == machines | others


def test_types_are_those_of_the_real_server(cloud: CloudStackEmulator) -> None:
    types = {"boolean", "date", "double", "float", "integer", "list", "long", "map", "set", "short", "string"}
    for api in apis(cloud).values():
        fields = [field for field in (*api["params"], *api["response"]) if field]
        assert {field["type"] for field in fields} <= {*types, "tzdate", "uuid"}, api["name"]


def test_since_and_related_are_told_where_there_is_something_to_tell(cloud: CloudStackEmulator) -> None:
    known = apis(cloud)
    assert known["validateUserTwoFactorAuthenticationCode"]["since"] == "4.18.0"
    assert "since" not in known["listZones"]
    zone = next(found for found in known["deployVirtualMachine"]["params"] if found["name"] == "zoneid")
    assert (zone["type"], zone["related"]) == ("uuid", "listZones")


def test_one_is_found_by_its_name_in_any_case(cloud: CloudStackEmulator) -> None:
    assert call(cloud, "listApis", name="listzones").json["listapisresponse"]["api"][0]["name"] == "listZones"


def test_none_by_that_name_is_an_error(cloud: CloudStackEmulator) -> None:
    code, _, text = refusal(call(cloud, "listApis", name="flyToTheMoon"), "listapisresponse")
    assert (code, text) == (
        530,
        "Api Discovery plugin was unable to find an api by that name or process any apis",
    )


def test_a_user_sees_neither_the_commands_nor_the_parameters_of_administrators() -> None:
    carol = User(username="carol", role="User")
    with CloudStackEmulator(users=[User(), carol]) as cloud:
        everything = apis(cloud)
        listed = user_call(cloud, carol, "listApis").json["listapisresponse"]["api"]
    seen = {api["name"]: {parameter["name"] for parameter in api["params"]} for api in listed}
    assert everything.keys() - seen.keys() == {"addHost", "listHosts", "findHostsForMigration"}
    assert "hostid" not in seen["deployVirtualMachine"]
    assert "hostid" in {parameter["name"] for parameter in everything["deployVirtualMachine"]["params"]}


def test_a_user_may_not_find_a_command_of_administrators_either() -> None:
    carol = User(username="carol", role="User")
    with CloudStackEmulator(users=[User(), carol]) as cloud:
        assert user_call(cloud, carol, "listApis", name="addHost").status == 530


@pytest.mark.parametrize("command", ["addHost", "listHosts"])
def test_a_user_who_runs_a_command_of_administrators_is_told_that_it_is_not_for_him(command: str) -> None:
    carol = User(username="carol", role="User")
    with CloudStackEmulator(users=[User(), carol]) as cloud:
        reply = user_call(cloud, carol, command)
    text = f"The given command '{command}' either does not exist, is not available for user."
    assert refusal(reply, f"{command.lower()}response") == (401, 9999, text)
