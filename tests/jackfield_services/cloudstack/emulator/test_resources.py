"""What else a cloud has: hosts, users, key pairs, tags, networks, and the lists of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.cloudstack_wire import call, finished, machines, poll, refusal

from jackfield_services.cloudstack.emulator import CloudStackEmulator, User

LISTS = {
    "listZones": "zone",
    "listUsers": "user",
    "listAccounts": "account",
    "listDomains": "domain",
    "listServiceOfferings": "serviceoffering",
    "listNetworks": "network",
    "listVolumes": "volume",
    "listProjects": "project",
    "listEvents": "event",
    "listHosts": "host",
}


@pytest.fixture
def cloud() -> Iterator[CloudStackEmulator]:
    with CloudStackEmulator(machines=3, job_polls=0) as running:
        yield running


def listed(cloud: CloudStackEmulator, command: str, **parameters: str) -> Any:
    return call(cloud, command, **parameters).json[f"{command.lower()}response"]


def tagged(cloud: CloudStackEmulator, ids: list[str], **tags: str) -> None:
    pairs = [
        (f"tags[{n}].{part}", text)
        for n, tag in enumerate(tags.items())
        for part, text in zip(("key", "value"), tag, strict=True)
    ]
    report = finished(cloud, "createTags", resourceids=",".join(ids), resourcetype="UserVm", **dict(pairs))
    assert report["jobresult"] == {"success": True}


@pytest.mark.parametrize(("command", "kind"), LISTS.items())
def test_a_list_has_what_there_is_under_its_kind_by_page_and_by_id(
    cloud: CloudStackEmulator, command: str, kind: str
) -> None:
    found = listed(cloud, command)
    first = found[kind][0]
    assert found["count"] == len(found[kind])
    assert listed(cloud, command, page="1", pagesize="1")[kind] == [first]
    assert listed(cloud, command, id=first["id"])[kind] == [first]
    assert refusal(call(cloud, command, id="none"), f"{command.lower()}response")[0] == 431
    assert listed(cloud, command, keyword="nothing has this in its name") == {}


def test_templates_want_to_know_which(cloud: CloudStackEmulator) -> None:
    assert "missing parameter templatefilter" in refusal(call(cloud, "listTemplates"), "listtemplatesresponse")[2]
    assert listed(cloud, "listTemplates", templatefilter="featured", name="debian")["count"] == 1


def test_everybody_is_listed_with_account_and_domain() -> None:
    users = [User(), User(username="carol", domain="sales/eu", role="User")]
    with CloudStackEmulator(users=users) as cloud:
        carol = listed(cloud, "listUsers", keyword="carol")["user"][0]
        account = listed(cloud, "listAccounts", name="carol")["account"][0]
        domain = listed(cloud, "listDomains", id=carol["domainid"])["domain"][0]
    assert carol["is2faenabled"] is False
    assert (carol["id"], carol["accounttype"], carol["account"]) == (users[1].id, 0, "carol")
    assert (account["id"], account["user"][0]["id"]) == (carol["accountid"], carol["id"])
    assert (domain["name"], domain["path"], domain["level"]) == ("eu", "ROOT/sales/eu", 2)


def test_an_added_host_comes_with_a_count_though_it_is_no_list(cloud: CloudStackEmulator) -> None:
    reply = listed(cloud, "addHost", hypervisor="KVM", podid="1", zoneid="1", url="http://host")
    assert list(reply) == ["count", "host"]
    assert (reply["count"], reply["host"][0]["name"]) == (1, "host-004")
    assert listed(cloud, "listHosts")["count"] == 4


def test_hosts_for_a_migration_come_by_page_though_it_is_no_list() -> None:
    with CloudStackEmulator(machines=1, hosts=7) as cloud:
        found = machines(cloud)["virtualmachine"][0]["id"]
        pages = [
            listed(cloud, "findHostsForMigration", virtualmachineid=found, page=page, pagesize="3")
            for page in ("1", "2", "3")
        ]
        assert [len(page["host"]) for page in pages] == [3, 3, 1]
        assert {host["suitableformigration"] for page in pages for host in page["host"]} == {True}
        assert call(cloud, "findHostsForMigration", virtualmachineid="none").status == 431


def test_machines_are_found_by_their_tags(cloud: CloudStackEmulator) -> None:
    one, two, _ = [machine["id"] for machine in machines(cloud)["virtualmachine"]]
    tagged(cloud, [one], owner="me", tier="1")
    tagged(cloud, [two], owner="you")

    def found(**tag: str) -> list[str]:
        given = {f"tags[0].{part}": text for part, text in tag.items()}
        return [machine["id"] for machine in machines(cloud, **given).get("virtualmachine", [])]

    assert found(key="owner") == [one, two]
    assert found(key="owner", value="me") == [one]
    assert found(key="tier", value="2") == []


def test_tags_are_listed_and_taken_off(cloud: CloudStackEmulator) -> None:
    one, two, _ = [machine["id"] for machine in machines(cloud)["virtualmachine"]]
    tagged(cloud, [one, two], owner="me", tier="1")

    def left(**parameters: str) -> list[tuple[str, str]]:
        return [(tag["resourceid"], tag["key"]) for tag in listed(cloud, "listTags", **parameters).get("tag", [])]

    assert left(key="owner") == [(one, "owner"), (two, "owner")]
    assert left(resourceid=two) == [(two, "owner"), (two, "tier")]
    off = {"tags[0].key": "owner", "tags[0].value": "you", "tags[1].key": "tier"}
    finished(cloud, "deleteTags", resourceids=one, resourcetype="UserVm", **off)
    assert left(resourceid=one) == [(one, "owner")]
    finished(cloud, "deleteTags", resourceids=two, resourcetype="UserVm")
    assert left() == [(one, "owner")]


def test_a_machine_is_changed_at_once(cloud: CloudStackEmulator) -> None:
    one = machines(cloud)["virtualmachine"][0]["id"]
    given = {"displayname": "Web", "details[0].cpuNumber": "2", "details[0].memory": "2048"}
    changed = listed(cloud, "updateVirtualMachine", id=one, **given)["virtualmachine"]
    assert (changed["displayname"], changed["details"]) == ("Web", {"cpuNumber": "2", "memory": "2048"})
    assert machines(cloud, id=one)["virtualmachine"] == [changed]
    assert listed(cloud, "updateVirtualMachine", id=one)["virtualmachine"] == changed


def test_a_new_password_is_in_the_result_of_its_job_alone(cloud: CloudStackEmulator) -> None:
    one = machines(cloud)["virtualmachine"][0]["id"]
    report = finished(cloud, "resetPasswordForVirtualMachine", id=one)
    assert report["jobresult"]["virtualmachine"]["password"]
    assert "password" not in machines(cloud, id=one)["virtualmachine"][0]


def test_key_pairs_come_and_go(cloud: CloudStackEmulator) -> None:
    call(cloud, "createSSHKeyPair", name="laptop")
    pair = listed(cloud, "listSSHKeyPairs")["sshkeypair"][0]
    assert (pair["name"], pair["account"]) == ("laptop", "admin")
    assert "privatekey" not in pair
    assert call(cloud, "deleteSSHKeyPair", name="laptop").status == 200
    assert listed(cloud, "listSSHKeyPairs") == {}
    assert refusal(call(cloud, "deleteSSHKeyPair", name="laptop"), "deletesshkeypairresponse")[:2] == (431, 4350)


def test_a_job_may_have_list_in_its_name(cloud: CloudStackEmulator) -> None:
    started = listed(cloud, "createNetworkACLList", name="web", vpcid="1")
    report = poll(cloud, started["jobid"])
    assert report["jobresult"]["networkacllist"]["id"] == started["id"] == report["jobinstanceid"]
    assert report["jobinstancetype"] == "NetworkACL"


def test_a_network_is_made_at_once(cloud: CloudStackEmulator) -> None:
    zone = listed(cloud, "listZones")["zone"][1]
    made = listed(cloud, "createNetwork", name="lan", networkofferingid="1", zoneid=zone["id"])["network"]
    assert (made["name"], made["zonename"]) == ("lan", "zone-2")
