"""Resources: forms that servers of different ages send, what is unknown, what is dumped, and what is not shown."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields

import jackfield_services.cloudstack.models as models
from jackfield import DecodeError
from jackfield_services.cloudstack._convert import convert_into, convert_items
from jackfield_services.cloudstack.models import (
    Account,
    Capacity,
    FirewallRule,
    Host,
    LoadBalancerRule,
    Nic,
    Pod,
    PortForwardingRule,
    Resource,
    SshKeyPair,
    Tag,
    UsageRecord,
    User,
    VirtualMachine,
    Volume,
)

KINDS: list[type[Resource]] = [
    kind for name in models.__all__ if isinstance(kind := getattr(models, name), type) and issubclass(kind, Resource)
]


def read(kind: type[Any], **sent: Any) -> Any:
    """What becomes of an answer with this object."""
    return convert_into({"it": sent}, kind)


def test_the_common_resources_are_there() -> None:
    wanted = """VirtualMachine Nic Zone Pod Cluster Host StoragePool Template Iso ServiceOffering DiskOffering Vpc Tag
    NetworkOffering Network Volume Snapshot PublicIpAddress FirewallRule PortForwardingRule LoadBalancerRule Event
    SecurityGroup SshKeyPair AffinityGroup Account User Domain Project AsyncJob UsageRecord Capacity"""

    assert set(wanted.split()) <= set(models.__all__)
    assert models.__all__ == sorted(models.__all__)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_resource_needs_no_more_than_what_is_always_there(kind: type[Resource]) -> None:
    required = {"jobid": "j", "key": "k", "name": "n", "id": "i", "ruleid": "r", "type": 1, "usagetype": 1}
    needed = {one.name for one in fields(kind) if one.required}
    sent = {name: value for name, value in required.items() if name in needed}

    resource = read(kind, **sent)

    assert len(needed) <= 1
    assert resource.model_dump() == sent
    assert (kind.__doc__ or "")[:2] in ("A ", "An", "Th", "Wh", "Ho", "Ma")


@pytest.mark.parametrize(
    ("kind", "sent", "expected"),
    [
        (VirtualMachine, {"memory": "2048"}, {"memory": 2048}),
        (VirtualMachine, {"memory": 2048.0}, {"memory": 2048}),
        (VirtualMachine, {"memory": ""}, {"memory": None}),
        (VirtualMachine, {"memory": None}, {"memory": None}),
        (VirtualMachine, {"haenable": "true", "displayvm": "False"}, {"haenable": True, "displayvm": False}),
        (VirtualMachine, {"hostid": 12, "cpuused": 1.5}, {"hostid": "12", "cpuused": "1.5"}),
        (VirtualMachine, {"name": True}, {"name": "true"}),
        (VirtualMachine, {"state": "Shutdowned"}, {"state": "Shutdowned"}),
        (VirtualMachine, {"name": ""}, {"name": ""}),
        (VirtualMachine, {"details": {"a": 1}, "nic": []}, {"details": {"a": 1}, "nic": []}),
        (Volume, {"size": "107374182400"}, {"size": 107374182400}),
        (PortForwardingRule, {"publicport": "80", "privateport": 8080}, {"publicport": 80, "privateport": 8080}),
        (FirewallRule, {"startport": "22", "icmptype": -1}, {"startport": 22, "icmptype": -1}),
        (LoadBalancerRule, {"cidrlist": "0.0.0.0/0"}, {"cidrlist": "0.0.0.0/0"}),
        (LoadBalancerRule, {"cidrlist": ["0.0.0.0/0"]}, {"cidrlist": ["0.0.0.0/0"]}),
        (Pod, {"startip": "10.0.0.1"}, {"startip": "10.0.0.1"}),
        (Pod, {"startip": ["10.0.0.1"]}, {"startip": ["10.0.0.1"]}),
        (Host, {"averageload": "1"}, {"averageload": 1.0}),
        (Account, {"vmlimit": "Unlimited", "vmtotal": "3", "vmavailable": 17}, {"vmlimit": "Unlimited", "vmtotal": 3}),
    ],
)
def test_values_have_one_type_in_whatever_form_they_come(
    kind: type[Resource], sent: dict[str, Any], expected: dict[str, Any]
) -> None:
    resource = read(kind, id="1", **sent)

    assert {name: getattr(resource, name) for name in expected} == expected


def test_old_numeric_ids_are_strings_here() -> None:
    machine = read(VirtualMachine, id=7, nic=[{"id": 8, "networkid": 9}], tags=[{"key": "a", "value": 5}])

    assert (machine.id, machine.nic[0].id, machine.nic[0].networkid, machine.tags[0].value) == ("7", "8", "9", "5")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2026-04-14T09:25:51+0000", datetime(2026, 4, 14, 9, 25, 51, tzinfo=UTC)),
        ("2026-04-14T09:25:51+0530", datetime(2026, 4, 14, 9, 25, 51, tzinfo=timezone(timedelta(hours=5.5)))),
        ("2026-04-14T09:25:51Z", datetime(2026, 4, 14, 9, 25, 51, tzinfo=UTC)),
        ("2026-04-14T09:25:51", datetime(2026, 4, 14, 9, 25, 51, tzinfo=UTC)),
        ("2026-04-14'T'09:25:51+00:00", datetime(2026, 4, 14, 9, 25, 51, tzinfo=UTC)),
        ("2026-04-14", datetime(2026, 4, 14, tzinfo=UTC)),
        ("", None),
    ],
)
def test_dates_are_aware(sent: str, expected: datetime | None) -> None:
    record = read(UsageRecord, usagetype=1, startdate=sent)

    assert record.startdate == expected
    assert expected is None or record.startdate.tzinfo is not None


def test_one_odd_item_does_not_change_the_others() -> None:
    machines: list[Any] = convert_items([{"id": "1", "new": 1}, {"id": 2, "memory": "", "new": 2}], VirtualMachine)

    assert [(machine.id, machine.memory, machine.new) for machine in machines] == [("1", None, 1), ("2", None, 2)]


def test_a_number_stays_one_where_it_may_be_one() -> None:
    class Either(Resource):
        id: str
        number: int | str | None = None

    assert read(Either, id=7, number=5).number == 5  # the id is odd, so all of it is looked at


def test_what_is_unknown_is_kept_wherever_it_is() -> None:
    sent = {"id": "1", "brandnew": {"a": [1]}, "nic": [{"id": "n", "speed": "10G"}, {"id": "m"}], "tags": []}

    machine = read(VirtualMachine, **sent)

    assert machine.model_extra == {"brandnew": {"a": [1]}}
    assert machine.brandnew == {"a": [1]}
    assert machine.nic[0].speed == "10G"
    assert machine.nic[1].model_extra == {}
    assert machine.model_dump() == sent
    assert json.loads(machine.model_dump_json()) == sent


def test_what_nobody_sent_is_no_attribute() -> None:
    machine = read(VirtualMachine, id="1")

    for name in ("brandnew", "_private", "__len__"):
        with pytest.raises(AttributeError, match=f"VirtualMachine has no field '{name}'"):
            getattr(machine, name)


def test_a_dump_has_what_was_sent_and_dates_as_text() -> None:
    machine = read(VirtualMachine, id="1", created="2026-04-14T09:25:51+0000", haenable="false")

    assert machine.model_dump() == {"id": "1", "created": "2026-04-14T09:25:51Z", "haenable": False}
    assert read(VirtualMachine, **machine.model_dump()) == machine


def test_resources_are_compared_copied_and_pickled_with_what_is_unknown() -> None:
    one, other = read(Nic, id="1", new=1), read(Nic, id="1", new=2)

    assert one == read(Nic, id="1", new=1)
    assert one != other
    assert copy.copy(one) == copy.deepcopy(one) == pickle.loads(pickle.dumps(one)) == one


def test_secrets_are_not_shown() -> None:
    machine = read(VirtualMachine, id="1", password="canary", userdata="canary", unheardof="canary")
    user = read(User, id="1", apikey="canary", secretkey="canary")
    pair = read(SshKeyPair, name="p", privatekey="canary")

    shown = repr([machine, user, pair])
    assert "canary" not in shown
    assert "password=***" in shown
    assert "and 1 more" in shown
    assert machine.password == "canary"
    assert pair.model_dump()["privatekey"] == "canary"


def test_a_resource_shows_what_it_has() -> None:
    assert repr(read(VirtualMachine, id="1", memory=512, nic=[{"id": "n"}])) == (
        "VirtualMachine(id='1', memory=512, nic=[Nic(id='n')])"
    )


@pytest.mark.parametrize("kind", [Capacity, UsageRecord])
def test_an_error_does_not_quote_the_value(kind: type[Resource]) -> None:
    with pytest.raises(DecodeError) as caught:
        read(kind, type="canary", usagetype="canary")

    assert "canary" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([*(one.name for one in fields(VirtualMachine)), "new", "newer"])


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(NAMES, JSON, max_size=6))
def test_whatever_a_server_sends_is_a_resource_or_our_error(sent: dict[str, Any]) -> None:
    try:
        machine = read(VirtualMachine, **{**sent, "id": "1"})
    except DecodeError:
        return
    assert machine.id == "1"
    assert {"new", "newer"}.intersection(sent) <= machine.model_extra.keys()


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(st.text(max_size=8).filter(lambda name: name not in VirtualMachine.__struct_fields__), JSON))
def test_what_is_unknown_comes_out_as_it_came_in(sent: dict[str, Any]) -> None:
    assert read(VirtualMachine, id="1", **sent).model_dump() == {"id": "1", **sent}


def test_a_tag_that_is_no_more_than_a_key() -> None:
    assert read(Tag, key="a") == Tag(key="a")


def test_what_is_unknown_is_kept_in_any_list() -> None:
    machines = {"virtualmachine": [{"id": "1", "new": 1}, {"id": "2", "new": "2"}]}

    into: Any
    for into in (list[VirtualMachine], tuple[VirtualMachine, ...], list[VirtualMachine | None]):
        assert [one.model_extra for one in convert_into(machines, into)] == [{"new": 1}, {"new": "2"}]
    holed: Any = convert_into({"virtualmachine": [None, {"id": "1", "new": 1}]}, list[VirtualMachine | None])
    assert holed[1].new == 1
    odd: Any = convert_into({"virtualmachine": [{"id": 1}]}, tuple[VirtualMachine, ...])
    assert odd[0].id == "1"


@pytest.mark.parametrize("extra", ["x", {"a": 1}])
def test_a_server_may_have_a_field_of_any_name(extra: Any) -> None:
    zone = convert_into({"virtualmachine": {"id": "1", "model_extra": extra}}, VirtualMachine)

    assert zone.model_extra == {"model_extra": extra}
    assert zone.model_dump() == {"id": "1", "model_extra": extra}


def test_passwords_among_details_are_not_shown() -> None:
    shown = repr(convert_into({"vm": {"id": "1", "details": {"Password": "canary", "cpu": "2"}}}, VirtualMachine))

    assert "canary" not in shown
    assert "'cpu': '2'" in shown
