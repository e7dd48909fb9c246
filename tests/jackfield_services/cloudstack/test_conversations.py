"""A conversation for each row of the specification's tables of answers and parameters (2.1, 2.5), as a client has them.

Paging (2.2) is in `test_paging`, errors (2.3) in `test_errors`, jobs (2.4) in `test_jobs`, listApis (2.6) in
`test_discovery`, the rate limit (2.7) in `test_throttle`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

from jackfield import Response
from jackfield.testing import FakeTransport
from jackfield_services.cloudstack import CloudStackClientException
from jackfield_services.cloudstack.emulator import CloudStackEmulator

if TYPE_CHECKING:
    from tests.jackfield_services.cloudstack.conftest import Converse

JSON = "application/json; charset=UTF-8"

ANSWERS: list[tuple[str, str, str, Any]] = [
    (
        "a list",
        "listZones",
        '{"listzonesresponse":{"count":1,"zone":[{"id":"1"}]}}',
        {"count": 1, "zone": [{"id": "1"}]},
    ),
    ("an envelope of another name", "listX", '{"listVirtualMachines":{"count":1,"x":[1]}}', {"count": 1, "x": [1]}),
    ("the key before the count", "listX", '{"r":{"asyncjobs":[1],"count":1}}', {"count": 1, "asyncjobs": [1]}),
    ("a list without count, of before 3.0", "listX", '{"r":{"zone":[{"id":1}]}}', {"count": 1, "zone": [{"id": 1}]}),
    ("an empty list", "listX", '{"listxresponse":{}}', {}),
    ("a page past the end", "listX", '{"listxresponse":{"count":4}}', {"count": 4}),
    ("an object", "createSSHKeyPair", '{"r":{"keypair":{"name":"a"}}}', {"keypair": {"name": "a"}}),
    ("success", "deleteX", '{"r":{"success":true}}', {"success": True}),
    (
        "success as text",
        "deleteX",
        '{"r":{"success":"true","displaytext":"d"}}',
        {"success": "true", "displaytext": "d"},
    ),
    (
        "a list of no list command",
        "addHost",
        '{"r":{"count":1,"host":[{"id":"1"}]}}',
        {"count": 1, "host": [{"id": "1"}]},
    ),
    ("camelCase", "getApiLimit", '{"r":{"apilimit":{"apiIssued":1}}}', {"apilimit": {"apiIssued": 1}}),
    ("an object in a list command", "listCapabilities", '{"r":{"capability":{"a":1}}}', {"capability": {"a": 1}}),
    ("an answer of the newest servers with more", "getX", '{"r":{"x":{"new":null}},"more":1}', {"x": {"new": None}}),
    ("blanks and another order", "getX", ' { "more" : 1 , "r" : { "x" : 1 } } ', {"x": 1}),
    ("text that is not ASCII", "getX", '{"r":{"x":{"name":"Zürich ☁ \\u2601"}}}', {"x": {"name": "Zürich ☁ ☁"}}),
]


@pytest.mark.parametrize(("command", "body", "result"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
@pytest.mark.parametrize("content_type", [JSON, "text/javascript; charset=UTF-8", "text/plain", None])
def test_every_form_of_an_answer(
    converse: Converse, command: str, body: str, result: Any, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    transport = FakeTransport([Response(200, headers, body.encode())])

    assert converse(lambda cs: cs.request(command), transport=transport) == result


@pytest.mark.parametrize("settings", [{"content_type": "text/javascript; charset=UTF-8"}, {"text_success": True}])
def test_servers_of_any_age_are_understood(settings: dict[str, Any], converse: Converse) -> None:
    with CloudStackEmulator(machines=3, **settings) as cloud:
        keys = {"end_point": cloud.end_point}
        assert converse(lambda cs: cs.listVirtualMachines(), **keys)["count"] == 3
        assert converse(lambda cs: cs.createSSHKeyPair(name="a"), **keys)["keypair"]["name"] == "a"
        assert converse(lambda cs: cs.deleteSSHKeyPair(name="a"), **keys)["success"] in (True, "true")


@pytest.mark.parametrize("count", ["total", "page", "absent"])
def test_whatever_count_means_every_item_comes_once(count: Any, converse: Converse) -> None:
    with CloudStackEmulator(machines=11, count=count) as cloud:
        answer = converse(lambda cs: cs.listVirtualMachines(), end_point=cloud.end_point, max_page_size=5)

    assert len({machine["id"] for machine in answer["virtualmachine"]}) == answer["count"] == 11


def test_lists_that_are_never_paged_come_whole(converse: Converse) -> None:
    with CloudStackEmulator(machines=11, unpaged=("listVirtualMachines",)) as cloud:
        answer = converse(lambda cs: cs.listVirtualMachines(), end_point=cloud.end_point, max_page_size=5)

        assert len(answer["virtualmachine"]) == 11
        assert len(cloud.requests) == 1


def test_commands_that_page_under_another_name_are_paged(converse: Converse) -> None:
    with CloudStackEmulator(machines=1, hosts=7) as cloud:
        machine = converse(lambda cs: cs.listVirtualMachines(), end_point=cloud.end_point)["virtualmachine"][0]["id"]

        answer = converse(
            lambda cs: cs.findHostsForMigration(virtualmachineid=machine), end_point=cloud.end_point, max_page_size=2
        )

        assert len(answer["host"]) == answer["count"] >= 6
        assert [request.command for request in cloud.requests].count("findHostsForMigration") >= 3


PARAMETERS: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("LIST", {"ids": ["a", "b"]}, {"ids": "a,b"}),
    ("MAP of keys and values", {"tags": [{"key": "k", "value": "v"}]}, {"tags[0].key": "k", "tags[0].value": "v"}),
    ("MAP by name", {"details": {"cpuNumber": 2}}, {"details[0].cpuNumber": "2"}),
    ("MAP of many", {"x": [{"k": n} for n in range(11)]}, {f"x[{n}].k": str(n) for n in range(11)}),
    ("MAP as it is sent", {"tags[1].key": "k", "tags[5].key": "l"}, {"tags[1].key": "k", "tags[5].key": "l"}),
    ("BOOLEAN", {"listall": True, "forced": False}, {"listall": "true", "forced": "false"}),
    ("INTEGER", {"size": 10}, {"size": "10"}),
    ("nothing", {"zoneid": None, "ids": [], "tags": {}}, {}),
    ("an empty string", {"displaytext": ""}, {"displaytext": ""}),
    ("names of mixed case", {"zoneId": "1", "ServiceOfferingId": "2"}, {"zoneId": "1", "ServiceOfferingId": "2"}),
    ("what has to be encoded", {"name": "a~b*c d+e/f=g&h,ä☁%"}, {"name": "a~b*c d+e/f=g&h,ä☁%"}),
    ("line breaks", {"userdata": "a\r\nb"}, {"userdata": "a\r\nb"}),
]


@pytest.mark.parametrize(("given", "sent"), [row[1:] for row in PARAMETERS], ids=[row[0] for row in PARAMETERS])
@pytest.mark.parametrize("method", ["get", "post"])
def test_every_kind_of_parameter_arrives_as_the_server_reads_it(
    converse: Converse, cloud: CloudStackEmulator, given: dict[str, Any], sent: dict[str, str], method: str
) -> None:
    converse(lambda cs: cs.execute("listHypervisors", **given), method=method)

    (request,) = cloud.requests
    assert request.status == 200  # and with that, its signature was right
    assert {name: value for name, value in request.parameters.items() if name in {*given, *sent}} == sent


@pytest.mark.parametrize("name", ["tags[x].key", "tags[0]key", "tags[0][1].key", "tags[0.key"])
def test_a_map_that_is_written_wrongly_is_430(converse: Converse, name: str) -> None:
    with pytest.raises(CloudStackClientException) as caught:
        converse(lambda cs: cs.execute("listHypervisors", **{name: "x"}))

    assert caught.value.error_code == 430


def test_each_parameter_is_sent_once_and_always_with_response_json(converse: Converse) -> None:
    transport = FakeTransport([Response(200, body=b'{"r":{}}')])

    converse(lambda cs: cs.execute("listZones", ids=["a", "b"], available=True), transport=transport, expires=60)

    names = [name for name, _ in parse_qsl(transport.requests[0].target.partition("?")[2])]
    assert len({name.lower() for name in names}) == len(names)
    assert dict(transport.requests[0].query)["response"] == "json"
