"""What the emulator lists."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cloudstack_wire import call, machines, refusal

from jackfield_services.cloudstack.emulator import CloudStackEmulator


def test_machines_are_alike_in_every_run() -> None:
    lists: list[Any] = []
    for _ in range(2):
        with CloudStackEmulator(machines=5) as cloud:
            lists.append(machines(cloud)["virtualmachine"])
    assert lists[0] == lists[1]
    assert [machine["name"] for machine in lists[0]] == [
        "vm-0001",
        "vm-0002",
        "vm-0003",
        "vm-0004",
        "vm-0005",
    ]
    assert {machine["state"] for machine in lists[0]} == {"Running", "Stopped"}


def test_the_id_of_a_machine_is_known_before_it_is_listed() -> None:
    with CloudStackEmulator(machines=20) as cloud:
        assert machines(cloud, id=cloud.machine_id(20))["virtualmachine"][0]["name"] == "vm-0020"


def test_machines_are_filtered_by_name_keyword_zone_and_id() -> None:
    with CloudStackEmulator(machines=20) as cloud:
        everything = machines(cloud)["virtualmachine"]
        first, second = everything[:2]
        in_zone = machines(cloud, zoneid=first["zoneid"])["virtualmachine"]
        assert in_zone == [machine for machine in everything if machine["zoneid"] == first["zoneid"]]
        assert 0 < len(in_zone) < 20
        assert [machine["name"] for machine in machines(cloud, name="M-002")["virtualmachine"]] == ["vm-0020"]
        assert machines(cloud, keyword="stopped")["count"] == 4
        assert machines(cloud, id=second["id"])["virtualmachine"] == [second]
        assert machines(cloud, ids=f"{second['id']},,{first['id']}")["virtualmachine"] == [first, second]
        assert machines(cloud, name="nobody") == {}


@pytest.mark.parametrize("name", ["id", "zoneid"])
def test_an_unknown_uuid_is_a_431_that_repeats_it(cloud: CloudStackEmulator, name: str) -> None:
    reply = call(cloud, "listVirtualMachines", **{name: "nobody"})
    code, cs_code, text = refusal(reply, "listvirtualmachinesresponse")
    assert (code, cs_code) == (431, 9999)
    assert text.startswith("Unable to execute API command listvirtualmachines due to invalid value.")
    assert f"Invalid parameter {name} value=nobody due to incorrect long value format, or entity" in text


def test_a_list_may_be_longer_than_a_string() -> None:
    with CloudStackEmulator(machines=10) as cloud:
        ids = ",".join(machine["id"] for machine in machines(cloud)["virtualmachine"])
        assert machines(cloud, ids=ids)["count"] == 10
