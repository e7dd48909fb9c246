"""What the emulator's answers are wrapped in."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from tests.cloudstack_wire import call

from jackfield_services.cloudstack.emulator import CloudStackEmulator


def test_an_answer_is_compact_json_in_an_envelope_named_after_the_command(cloud: CloudStackEmulator) -> None:
    reply = call(cloud, "listHypervisors")
    assert reply.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert reply.body == (
        b'{"listhypervisorsresponse":{"count":3,"hypervisor":[{"name":"KVM"},{"name":"VMware"},{"name":"XenServer"}]}}'
    )


def test_an_empty_list_has_neither_count_nor_list(cloud: CloudStackEmulator) -> None:
    assert call(cloud, "listVirtualMachines").body == b'{"listvirtualmachinesresponse":{}}'


def test_an_object_is_wrapped_in_its_own_name(cloud: CloudStackEmulator) -> None:
    pair = call(cloud, "createSSHKeyPair", name="laptop").json["createsshkeypairresponse"]["keypair"]
    assert pair["name"] == "laptop"
    assert pair["privatekey"].startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    assert list(call(cloud, "listCapabilities").json["listcapabilitiesresponse"]) == ["capability"]


def test_the_api_limit_has_fields_in_camel_case(cloud: CloudStackEmulator) -> None:
    limit = call(cloud, "getApiLimit").json["getapilimitresponse"]["apilimit"]
    assert {"accountid", "account", "apiIssued", "apiAllowed", "expireAfter"} == set(limit)


def test_without_response_json_the_answer_is_xml(cloud: CloudStackEmulator) -> None:
    reply = call(cloud, "listZones", response="xml")
    root = ElementTree.fromstring(reply.body)
    assert reply.headers["Content-Type"] == "text/xml; charset=UTF-8"
    assert root.tag == "listzonesresponse"
    assert [root.findtext("count"), *(zone.findtext("name") for zone in root.iter("zone"))] == [
        "2",
        "zone-1",
        "zone-2",
    ]


def test_a_refusal_in_xml_escapes_what_it_repeats(cloud: CloudStackEmulator) -> None:
    reply = call(cloud, "listZones", response="xml", id="<&>")
    assert "value=<&> due to" in (ElementTree.fromstring(reply.body).findtext("errortext") or "")


def test_a_boolean_in_xml_is_a_word(cloud: CloudStackEmulator) -> None:
    root = ElementTree.fromstring(call(cloud, "listApis", response="xml", name="listZones").body)
    assert root.findtext("api/isasync") == "false"


@pytest.mark.parametrize("response", ["JSON", "Json"])
def test_the_api_reads_json_in_any_case(cloud: CloudStackEmulator, response: str) -> None:
    assert list(call(cloud, "listZones", response=response).json) == ["listzonesresponse"]
    assert list(call(cloud, "listZones", response=response, id="none").json) == ["listzonesresponse"]
    cloud.inject(530)
    assert list(call(cloud, "listZones", response=response).json) == ["listzonesresponse"]
