"""The machines that are there from the start, however many, are made when somebody looks at them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cloudstack_wire import finished, machines

from jackfield_services.cloudstack.emulator import CloudStackEmulator
from jackfield_services.cloudstack.emulator._machines import Machines, machine_id
from jackfield_services.cloudstack.emulator._places import ZONES
from jackfield_services.cloudstack.emulator._users import User

CREATED = "2026-04-14T09:25:51+0000"


def test_a_page_far_behind_has_what_belongs_there() -> None:
    with CloudStackEmulator(machines=100_000) as cloud:
        page = machines(cloud, page="200", pagesize="500")
    assert page["count"] == 100_000
    assert [machine["name"] for machine in page["virtualmachine"]] == [f"vm-{n}" for n in range(99_501, 100_001)]
    assert len({machine["nic"][0]["ipaddress"] for machine in page["virtualmachine"]}) == 500


def test_a_change_of_one_stays_and_is_of_that_one_alone() -> None:
    with CloudStackEmulator(machines=100_000, job_polls=0) as cloud:
        found = machines(cloud, page="90000", pagesize="1")["virtualmachine"][0]
        finished(cloud, "startVirtualMachine", id=found["id"])
        states = [machine["state"] for machine in machines(cloud, page="22500", pagesize="4")["virtualmachine"]]
    assert found["state"] == "Stopped"
    assert states == ["Running"] * 4


@pytest.mark.parametrize(
    "wanted", ["", "vm-0001", machine_id(0), machine_id(4), machine_id(1).upper(), machine_id(2)[1:], "z" * 36, "-1"]
)
def test_an_id_that_is_of_none_finds_none(wanted: str) -> None:
    assert Machines(3, User()).find(wanted) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 6), st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=20))
def test_they_are_as_a_list_that_somebody_adds_to_and_takes_from(first: int, steps: list[tuple[bool, int]]) -> None:
    lazy = Machines(first, User())
    model = [machine_id(number) for number in range(1, first + 1)]
    for adds, index in steps:
        if adds:
            made = lazy.new(ZONES[0], {"name": "mine"}, User(), CREATED)
            lazy.add(made)
            model.append(str(made["id"]))
        elif model:
            gone = model.pop(index % len(model))
            machine = lazy.find(gone)
            assert machine is not None
            lazy.remove(machine)
            assert lazy.find(gone) is None
    assert [machine["id"] for machine in lazy] == [machine["id"] for machine in lazy[:]] == model
    assert len(lazy) == len(model)
    assert [lazy[index]["id"] for index in range(len(lazy))] == model
    assert all((found := lazy.find(wanted)) is not None and found["id"] == wanted for wanted in model)
