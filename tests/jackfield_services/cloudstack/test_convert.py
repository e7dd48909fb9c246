"""Answers made into types: where the resource is found, and what an error says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

import pytest
from msgspec import Struct

from jackfield import DecodeError, UsageError
from jackfield_services.cloudstack import CloudStack, CloudStackClientException
from jackfield_services.cloudstack._convert import convert_into, convert_items
from jackfield_services.cloudstack.emulator import CloudStackEmulator
from jackfield_services.cloudstack.models import AsyncJob, Host, Resource, VirtualMachine, Zone

if TYPE_CHECKING:
    from tests.jackfield_services.cloudstack.conftest import Converse

ZONES: dict[str, Any] = {"count": 2, "zone": [{"id": "1", "name": "a"}, {"id": "2"}]}
MACHINE: dict[str, Any] = {"virtualmachine": {"id": "5", "name": "m", "nic": [{"id": "n", "deviceid": "0"}]}}


class Small(Struct):
    name: str
    id: int = 0


@dataclass
class Told:
    success: bool


class Typed(TypedDict):
    id: str


class Success(Struct):
    success: bool
    displaytext: str = ""


@pytest.mark.parametrize(
    ("answer", "into", "expected"),
    [
        (ZONES, list[Zone], [Zone(id="1", name="a"), Zone(id="2")]),
        (ZONES, tuple[Zone, ...], (Zone(id="1", name="a"), Zone(id="2"))),
        (ZONES, list[dict[str, Any]], ZONES["zone"]),
        (ZONES, list, ZONES["zone"]),
        ({}, list[Zone], []),
        ({"count": 7}, list[Zone], []),
        ({"zone": [{"id": "1"}]}, Zone, Zone(id="1")),
        ({"zone": {"id": "1"}}, Zone, Zone(id="1")),
        ({"zone": {"id": "1"}}, list[Zone], [Zone(id="1")]),
        ({"zone": {"id": "1"}}, dict[str, Any], {"id": "1"}),
        ({"zone": {"id": "1"}}, Zone | None, Zone(id="1")),
        ({"zone": []}, Zone | None, None),
        ({}, Zone | None, None),
        ({"count": 1, "host": [{"id": "1"}]}, Host, Host(id="1")),
        ({"id": "1", "name": "flat"}, Zone, Zone(id="1", name="flat")),
        ({"x": {"name": "n", "id": "12"}}, Small, Small("n", 12)),
        ({"success": "true"}, Success, Success(True)),
        ({"success": "true"}, Told, Told(True)),
        ({"zone": {"id": "1"}}, Typed, {"id": "1"}),
        (ZONES, list[Typed], [{"id": "1"}, {"id": "2"}]),
        ({"success": True, "displaytext": "done"}, Success, Success(True, "done")),
        ({"success": "true", "displaytext": "done"}, bool, True),
        ({"success": False}, bool, False),
        ({"value": "12"}, int, 12),
        ({"jobid": "j", "jobstatus": 1, "jobresult": {"zone": {"id": "1"}}}, Zone, Zone(id="1")),
        ({"jobid": "j", "jobstatus": 1, "jobresult": {"success": True}}, bool, True),
    ],
)
def test_the_resource_in_an_answer_is_found(answer: dict[str, Any], into: Any, expected: object) -> None:
    found = convert_into(answer, into)

    assert found == expected
    assert type(found) is type(expected)


def test_a_job_itself_is_not_taken_apart() -> None:
    answer = {"jobid": "j", "jobstatus": 1, "jobresult": {"virtualmachine": {"id": "1"}}}

    assert convert_into(answer, AsyncJob) == AsyncJob(jobid="j", jobstatus=1, jobresult={"virtualmachine": {"id": "1"}})
    assert convert_into({"count": 1, "asyncjobs": [answer]}, list[AsyncJob])[0].jobid == "j"


@pytest.mark.parametrize(
    ("answer", "into", "says"),
    [
        (ZONES, Zone, r"no Zone: it holds a list of 2: say into=list\[\.\.\.\]"),
        ({"zone": [{"id": "1"}, {"name": "b"}]}, list[Zone], r"list\[.*Zone\].*missing required field `id`.*\$\[1\]"),
        (MACHINE | {"x": 1}, VirtualMachine, "missing required field `id`"),
        ({"zone": {"id": "1", "capacity": [{"type": "many"}]}}, Zone, r"`int`, got `str` - at `\$\.capacity\[0\]\.t"),
        ({"zone": {"id": "1", "localstorageenabled": "maybe"}}, Zone, r"at `\$\.localstorageenabled`"),
        ({"virtualmachine": {"id": "1", "created": "yesterday"}}, VirtualMachine, r"at `\$\.created`"),
        ({"a": [], "b": []}, list[Zone], r"it holds several lists \(a, b\)"),
        ({"success": True}, list[Zone], "it holds no list"),
        ({"zone": []}, Zone, "no Zone: it holds none"),
        ({}, Zone, "no Zone: it holds none"),
        ({"zone": [1]}, Zone, "Expected `object`, got `int`"),
        ({"jobresult": "text"}, Zone, "no Zone"),
    ],
)
def test_an_answer_of_another_shape_is_an_error_that_says_where(answer: dict[str, Any], into: Any, says: str) -> None:
    with pytest.raises(CloudStackClientException, match=says) as caught:
        convert_into(answer, into)

    assert isinstance(caught.value, DecodeError)


@pytest.mark.parametrize("into", ["Zone", 5, Zone | Host, list[Zone | Host], object()])
def test_what_is_no_type_is_refused(into: Any) -> None:
    with pytest.raises(UsageError, match="is no type that an answer can be made into"):
        convert_into({"zone": {"id": "1"}}, into)


def test_what_is_nested_without_end_is_an_error_of_ours() -> None:
    nested: Any = 1
    for _ in range(5000):
        nested = [nested]

    with pytest.raises(DecodeError):
        convert_into({"zone": {"id": 1, "resourcedetails": {"a": nested}}}, Zone)


def test_items_are_converted_a_page_at_a_time() -> None:
    assert convert_items([{"id": "1"}, {"id": "2"}], Zone) == [Zone(id="1"), Zone(id="2")]
    assert convert_items([], Zone) == []
    with pytest.raises(DecodeError, match=r"\$\[1\]"):
        convert_items([{"id": "1"}, {}], Zone)


def test_a_resource_of_ones_own_is_as_good() -> None:
    class Router(Resource):
        id: str
        zone: Zone | None = None

    router = convert_into({"router": {"id": "1", "role": "x", "zone": {"id": "z", "new": 1}}}, Router)

    assert router.model_extra == {"role": "x"}
    assert router.zone is not None
    assert router.zone.model_extra == {"new": 1}


# --- through the clients


def test_a_list_is_a_list_of_the_type(converse: Converse) -> None:
    machines = converse(lambda cs: cs.request("listVirtualMachines", into=list[VirtualMachine]))

    assert [machine.name for machine in machines] == ["vm-0001", "vm-0002", "vm-0003"]
    assert all(isinstance(machine, VirtualMachine) for machine in machines)
    assert machines[0].nic[0].ipaddress


def test_an_attribute_takes_a_type_too(converse: Converse) -> None:
    zones = converse(lambda cs: cs.listZones(into=list[Zone]))

    assert [zone.name for zone in zones] == ["zone-1", "zone-2"]


def test_every_page_is_typed_whether_count_is_the_total_or_not(cloud: CloudStackEmulator) -> None:
    with (
        CloudStackEmulator(machines=7, count="page") as paged,
        CloudStack(paged.end_point, paged.api_key, paged.api_secret, max_page_size=3) as cs,
    ):
        machines = list(cs.listing.all("listVirtualMachines", into=VirtualMachine))

    assert [machine.name for machine in machines] == [f"vm-{number:04}" for number in range(1, 8)]
    assert {type(machine) for machine in machines} == {VirtualMachine}


def test_a_command_that_ignores_paging_ends_with_types_too() -> None:
    with (
        CloudStackEmulator(machines=3, count="page", unpaged=("listVirtualMachines",)) as cloud,
        CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret, max_page_size=3) as cs,
    ):
        machines = list(cs.listing.all("listVirtualMachines", into=VirtualMachine))
        requests = len(cloud.requests)

    assert (len(machines), requests) == (3, 2)


def test_the_result_of_a_job_is_typed(cloud: CloudStackEmulator, converse: Converse) -> None:
    with CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret) as cs:
        id = cs.request("listVirtualMachines", into=list[VirtualMachine])[0].id

    machine = converse(lambda cs: cs.request("stopVirtualMachine", id=id, into=VirtualMachine))

    assert isinstance(machine, VirtualMachine)
    assert machine.state == "Stopped"


def test_the_type_of_items_is_no_list() -> None:
    with pytest.raises(UsageError, match="into is the type of one item here: into=Zone"):
        convert_items([{"id": "1"}], list[Zone])
