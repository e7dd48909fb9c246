"""The CloudStack emulator, seen from the wire: raw HTTP, and a signer made from the published examples."""

import base64
import hashlib
import hmac
import http.client
import json
import socket
import struct
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield_services.cloudstack import emulator
from jackfield_services.cloudstack.emulator import CloudStackEmulator, Fault, JobOutcome, ReceivedRequest

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "cloudstack_hmac_sha1.json").read_text()
)["cases"]
# The programmer's guide of Apache CloudStack, "How to sign an API call with Python": its key pair is public.
GUIDE_KEY = "plgWJfZK4gyS3mOMTVmjUVg-X-jlWlnfaUJ9GAbBbf9EdM-kAYMmAiLqzzq1ElZLYq_u38zCm0bewzGUdP66mg"
GUIDE_SECRET = "VDaACYb0LV9eNjTetIOElcVQkvJck_J_QljX_FcHRj87ZKiy0z0ty0ZsYBkoXkY9b7eq1EhwJaw7FF3akA3KBQ"
GUIDE_SIGNATURE = "TTpdDq/7j/J58XCRHomKoQXEQds="
CREDENTIALS = "unable to verify user credentials and/or request signature"
NOON = 1795176000.0  # 2026-11-20T12:00:00Z


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def string_to_sign(parameters: Mapping[str, str]) -> str:
    names = sorted(parameters, key=lambda name: name.encode("utf-16-be"))
    pairs = (f"{name}={quote(parameters[name], safe='*').replace('~', '%7E')}" for name in names)
    return "&".join(pairs).lower()


def mac(text: str, secret: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()


def signed(cloud: CloudStackEmulator, parameters: Mapping[str, str]) -> dict[str, str]:
    """All parameters of a call, in JSON and with this cloud's keys, and their signature."""
    whole = {"response": "json", "apiKey": cloud.api_key, **parameters}
    return {**whole, "signature": mac(string_to_sign(whole), cloud.api_secret)}


def connect(cloud: CloudStackEmulator) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", urlsplit(cloud.end_point).port or 0, timeout=30)


def ask(connection: http.client.HTTPConnection, method: str, target: str, body: bytes | None = None) -> Reply:
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
    connection.request(method, target, body, kind)
    answer = connection.getresponse()
    return Reply(answer.status, answer.headers, answer.read())


def plain(cloud: CloudStackEmulator) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(cloud.end_point).port or 0), timeout=10)


def target(cloud: CloudStackEmulator, command: str) -> str:
    return f"/client/api?{urlencode(signed(cloud, {'command': command}))}"


def get(cloud: CloudStackEmulator, query: str) -> Reply:
    """A GET of exactly this query."""
    with closing(connect(cloud)) as connection:
        return ask(connection, "GET", f"/client/api?{query}")


def post(cloud: CloudStackEmulator, body: str, query: str = "") -> Reply:
    with closing(connect(cloud)) as connection:
        return ask(connection, "POST", f"/client/api{query}", body.encode())


def call(cloud: CloudStackEmulator, command: str, **parameters: str) -> Reply:
    return call_with(cloud, {"command": command, **parameters})


def call_with(cloud: CloudStackEmulator, parameters: Mapping[str, str]) -> Reply:
    return get(cloud, urlencode(signed(cloud, parameters)))


def raw(cloud: CloudStackEmulator, sent: bytes) -> bytes:
    """Everything the server says to these bytes, until it closes."""
    with plain(cloud) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def machines(cloud: CloudStackEmulator, **parameters: str) -> Any:
    return call(cloud, "listVirtualMachines", **parameters).json["listvirtualmachinesresponse"]


def zone_id(cloud: CloudStackEmulator) -> str:
    return str(call(cloud, "listZones").json["listzonesresponse"]["zone"][0]["id"])


def deploy(cloud: CloudStackEmulator, extra: Mapping[str, str] | None = None) -> Any:
    wanted = {"serviceofferingid": "small", "templateid": "debian", "zoneid": zone_id(cloud), **(extra or {})}
    reply = call_with(cloud, {"command": "deployVirtualMachine", **wanted})
    return reply.json["deployvirtualmachineresponse"]


def poll(cloud: CloudStackEmulator, job_id: str) -> Any:
    return call(cloud, "queryAsyncJobResult", jobid=job_id).json["queryasyncjobresultresponse"]


def finished(cloud: CloudStackEmulator, command: str, **parameters: str) -> Any:
    """The last report of the job that this command starts."""
    job_id = call(cloud, command, **parameters).json[f"{command.lower()}response"]["jobid"]
    for _ in range(100):
        report = poll(cloud, job_id)
        if report["jobstatus"] != 0:
            return report
    raise AssertionError("the job never ended")


def refusal(reply: Reply, envelope: str) -> tuple[int, int | None, str]:
    """errorcode, cserrorcode and errortext, once everything around them is as it should be."""
    (name, error), *rest = reply.json.items()
    assert (name, rest) == (envelope, [])
    assert reply.status == error["errorcode"]
    assert error["uuidList"] == []
    assert reply.headers["Content-Type"] == "application/json; charset=UTF-8"
    return error["errorcode"], error.get("cserrorcode"), error["errortext"]


@pytest.fixture
def cloud() -> Iterator[CloudStackEmulator]:
    with CloudStackEmulator(now=lambda: NOON) as running:
        yield running


# Signing


@pytest.mark.parametrize("case", VECTORS)
def test_the_signer_of_these_tests_gives_the_published_strings_and_signatures(case: dict[str, Any]) -> None:
    assert string_to_sign(case["params"]) == case["string_to_sign"]
    assert mac(case["string_to_sign"], case["secret"]) == case["signature"]


@pytest.mark.parametrize("case", VECTORS)
def test_a_request_with_a_published_signature_passes_the_check(case: dict[str, Any]) -> None:
    with CloudStackEmulator(api_key=case["params"]["apiKey"], api_secret=case["secret"]) as cloud:
        reply = get(cloud, urlencode({**case["params"], "signature": case["signature"]}))
    known = case["params"]["command"] == "listVirtualMachines"
    assert reply.status == (200 if known else 432)


def test_the_request_of_the_programmers_guide_is_answered() -> None:
    with CloudStackEmulator(api_key=GUIDE_KEY, api_secret=GUIDE_SECRET) as cloud:
        query = {
            "apikey": GUIDE_KEY,
            "command": "listUsers",
            "response": "json",
            "signature": GUIDE_SIGNATURE,
        }
        reply = get(cloud, urlencode(query))
    assert reply.json["listusersresponse"]["user"][0]["username"] == "admin"


def test_a_request_signed_with_another_secret_is_unauthorized(cloud: CloudStackEmulator) -> None:
    parameters = {"command": "listZones", "response": "json", "apiKey": cloud.api_key}
    wrong = mac(string_to_sign(parameters), "another secret")
    reply = get(cloud, urlencode({**parameters, "signature": wrong}))
    assert refusal(reply, "listzonesresponse") == (401, None, CREDENTIALS)
    assert "X-Description" not in reply.headers


def test_a_changed_parameter_breaks_the_signature(cloud: CloudStackEmulator) -> None:
    parameters = signed(cloud, {"command": "listZones", "keyword": "one"})
    assert get(cloud, urlencode(parameters)).status == 200
    assert get(cloud, urlencode({**parameters, "keyword": "two"})).status == 401
    assert get(cloud, urlencode({**parameters, "added": "1"})).status == 401


@pytest.mark.parametrize("left_out", ["signature", "apiKey"])
def test_a_request_without_signature_or_key_is_unauthorized(cloud: CloudStackEmulator, left_out: str) -> None:
    parameters = signed(cloud, {"command": "listZones"})
    del parameters[left_out]
    if left_out == "apiKey":
        parameters["signature"] = mac("command=listzones&response=json", cloud.api_secret)
    assert refusal(get(cloud, urlencode(parameters)), "listzonesresponse") == (401, None, CREDENTIALS)


def test_another_key_is_unauthorized_though_signed_with_the_secret(cloud: CloudStackEmulator) -> None:
    assert call_with(cloud, {"command": "listZones", "apiKey": "another"}).status == 401


@pytest.mark.parametrize("signature", ["", "ä", "%", "=" * 5000])
def test_a_signature_that_is_none_is_unauthorized(cloud: CloudStackEmulator, signature: str) -> None:
    parameters = {**signed(cloud, {"command": "listZones"}), "signature": signature}
    assert get(cloud, urlencode(parameters)).status == 401


@pytest.mark.parametrize(
    ("key", "signature"), [("apikey", "SIGNATURE"), ("APIKEY", "Signature"), ("ApiKey", "signature")]
)
def test_key_and_signature_are_named_in_any_case(cloud: CloudStackEmulator, key: str, signature: str) -> None:
    parameters = {"command": "listZones", "response": "json", key: cloud.api_key}
    parameters[signature] = mac(string_to_sign(parameters), cloud.api_secret)
    assert get(cloud, urlencode(parameters)).status == 200


def signed_as(cloud: CloudStackEmulator, parameters: Mapping[str, str], text: str) -> int:
    return get(cloud, urlencode({**parameters, "signature": mac(text, cloud.api_secret)})).status


def test_a_tilde_is_signed_as_an_escape_and_not_as_itself(cloud: CloudStackEmulator) -> None:
    parameters = {"apiKey": cloud.api_key, "command": "listZones", "keyword": "a~b"}
    start = f"apikey={cloud.api_key}&command=listzones&keyword="
    assert signed_as(cloud, parameters, f"{start}a%7eb") == 200
    assert signed_as(cloud, parameters, f"{start}a~b") == 401


def test_an_asterisk_and_a_blank_are_signed_as_java_encodes_them(cloud: CloudStackEmulator) -> None:
    parameters = {"apiKey": cloud.api_key, "command": "listZones", "keyword": "a* b+/,_-."}
    start = f"apikey={cloud.api_key}&command=listzones&keyword="
    assert signed_as(cloud, parameters, f"{start}a*%20b%2b%2f%2c_-.") == 200
    assert signed_as(cloud, parameters, f"{start}a%2a%20b%2b%2f%2c_-.") == 401
    assert signed_as(cloud, parameters, f"{start}a*+b%2b%2f%2c_-.") == 401


def test_names_are_sorted_with_their_case_and_not_by_the_published_rule(cloud: CloudStackEmulator) -> None:
    parameters = {
        "apiKey": cloud.api_key,
        "command": "listZones",
        "serviceOfferingId": "1",
        "servicecapability": "2",
    }
    start = f"apikey={cloud.api_key}&command=listzones&"
    assert signed_as(cloud, parameters, f"{start}serviceofferingid=1&servicecapability=2") == 200
    assert signed_as(cloud, parameters, f"{start}servicecapability=2&serviceofferingid=1") == 401


def test_names_are_sorted_by_utf_16_units_and_not_by_code_points(cloud: CloudStackEmulator) -> None:
    parameters = {"apiKey": cloud.api_key, "command": "listZones", "\U0001f600": "1", "\uff5e": "2"}
    start = f"apikey={cloud.api_key}&command=listzones&"
    assert signed_as(cloud, parameters, f"{start}\U0001f600=1&\uff5e=2") == 200
    assert signed_as(cloud, parameters, f"{start}\uff5e=2&\U0001f600=1") == 401


def test_brackets_in_a_name_are_signed_raw_whether_sent_raw_or_encoded(cloud: CloudStackEmulator) -> None:
    text = f"apikey={cloud.api_key}&command=listzones&tags[0].key=a"
    signature = quote(mac(text, cloud.api_secret), safe="")
    start = f"apiKey={cloud.api_key}&command=listZones&signature={signature}"
    assert get(cloud, f"{start}&tags[0].key=a").status == 200
    assert get(cloud, f"{start}&tags%5B0%5D.key=a").status == 200


def test_a_capital_beyond_ascii_is_not_folded(cloud: CloudStackEmulator) -> None:
    parameters = {"apiKey": cloud.api_key, "command": "listZones", "keyword": "Ä"}
    start = f"apikey={cloud.api_key}&command=listzones&keyword="
    assert signed_as(cloud, parameters, f"{start}%c3%84") == 200
    assert signed_as(cloud, parameters, f"{start}%c3%a4") == 401


def test_a_blank_may_be_sent_as_plus_or_as_an_escape(cloud: CloudStackEmulator) -> None:
    query = urlencode(signed(cloud, {"command": "listZones", "keyword": "a b"}))
    assert "keyword=a+b" in query
    assert get(cloud, query).status == 200
    assert get(cloud, query.replace("keyword=a+b", "keyword=a%20b")).status == 200


def test_the_last_of_duplicate_names_counts_in_a_query_and_the_first_in_a_form(
    cloud: CloudStackEmulator,
) -> None:
    encoded = urlencode(signed(cloud, {"command": "listZones", "keyword": "right"}))
    assert get(cloud, f"keyword=wrong&{encoded}").status == 200
    assert get(cloud, f"{encoded}&keyword=wrong").status == 401
    assert post(cloud, f"{encoded}&keyword=wrong").status == 200
    assert post(cloud, f"keyword=wrong&{encoded}").status == 401


def test_a_name_without_a_value_is_signed_as_empty(cloud: CloudStackEmulator) -> None:
    parameters = signed(cloud, {"command": "listZones", "flag": ""})
    query = urlencode(parameters).replace("flag=", "flag")
    assert "flag&" in query
    assert get(cloud, query).status == 200


TAKEN = {
    "signature",
    "apikey",
    "response",
    "command",
    "signatureversion",
    "expires",
    "page",
    "pagesize",
    "id",
}
NAMES = st.text(st.characters(exclude_characters="["), min_size=1).filter(lambda n: n.lower() not in TAKEN)
VALUES = st.text(st.characters(exclude_categories=["Cc", "Cs"]))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.dictionaries(NAMES, VALUES, max_size=4), st.sampled_from(["GET", "POST"]))
def test_whatever_is_signed_by_the_rules_is_accepted(extra: dict[str, str], method: str) -> None:
    with CloudStackEmulator() as cloud:
        encoded = urlencode(signed(cloud, {"command": "listZones", **extra}))
        reply = get(cloud, encoded) if method == "GET" else post(cloud, encoded)
    assert reply.status == 200
    assert cloud.requests[0].parameters.items() >= extra.items()


# Expiry


def with_expiry(cloud: CloudStackEmulator, expires: str, version: str = "3") -> int:
    return call(cloud, "listZones", signatureVersion=version, expires=expires).status


@pytest.mark.parametrize(
    "zone", ["+0000", "+00:00", "Z", ".000Z", ".000000Z", ".000000+0000", ".000000+00:00", "Z+0000"]
)
def test_a_request_is_good_until_the_second_it_expires(cloud: CloudStackEmulator, zone: str) -> None:
    assert with_expiry(cloud, f"2026-11-20T12:00:00{zone}") == 200
    assert with_expiry(cloud, f"2026-11-20T11:59:59{zone}") == 401


@pytest.mark.parametrize("zone", ["+0530", "+05:30", ".000000+0530", "Z+0530"])
def test_the_offset_of_an_expiry_is_obeyed(cloud: CloudStackEmulator, zone: str) -> None:
    assert with_expiry(cloud, f"2026-11-20T17:30:00{zone}") == 200
    assert with_expiry(cloud, f"2026-11-20T17:29:59{zone}") == 401


@pytest.mark.parametrize(
    "expires",
    [
        "",
        "1895176000",
        "2099-01-01T00:00:00",
        "2099-01-01T00:00:00 0000",
        "2099-01-01T00:00:00GMT",
        "2099-01-01T00:00:00.123+0000",
        "2099-01-01 00:00:00+0000",
        "2099-02-30T00:00:00+0000",
        "0000-01-01T00:00:00Z",
        "\uff12\uff10\uff19\uff19-01-01T00:00:00Z",
    ],
)
def test_an_expiry_the_server_cannot_parse_is_unauthorized(cloud: CloudStackEmulator, expires: str) -> None:
    assert with_expiry(cloud, expires) == 401


def test_signature_version_3_needs_an_expiry_and_other_versions_ignore_it(cloud: CloudStackEmulator) -> None:
    assert call(cloud, "listZones", signatureVersion="3").status == 401
    assert with_expiry(cloud, "2001-01-01T00:00:00+0000", version="2") == 200
    assert call(cloud, "listZones", expires="nonsense").status == 200


def test_version_and_expiry_are_read_in_any_case(cloud: CloudStackEmulator) -> None:
    assert call(cloud, "listZones", SIGNATUREVERSION="3", Expires="2001-01-01T00:00:00+0000").status == 401
    assert call(cloud, "listZones", SIGNATUREVERSION="3", Expires="2099-01-01T00:00:00+0000").status == 200


def test_the_clock_is_the_one_that_was_given() -> None:
    clock = [NOON]
    with CloudStackEmulator(now=lambda: clock[0]) as cloud:
        assert with_expiry(cloud, "2026-11-20T12:10:00+0000") == 200
        clock[0] += 601
        assert with_expiry(cloud, "2026-11-20T12:10:00+0000") == 401


# GET and POST


def test_a_form_post_is_signed_and_answered_as_a_get(cloud: CloudStackEmulator) -> None:
    encoded = urlencode(signed(cloud, {"command": "listZones"}))
    assert post(cloud, encoded).body == get(cloud, encoded).body
    assert [request.http_method for request in cloud.requests] == ["POST", "GET"]


def test_parameters_in_both_url_and_body_are_unauthorized(cloud: CloudStackEmulator) -> None:
    encoded = urlencode(signed(cloud, {"command": "listZones"}))
    assert refusal(post(cloud, encoded, f"?{encoded}"), "listzonesresponse") == (401, None, CREDENTIALS)


def test_a_body_that_is_no_form_holds_no_parameters(cloud: CloudStackEmulator) -> None:
    body = urlencode(signed(cloud, {"command": "listZones"})).encode()
    with closing(connect(cloud)) as connection:
        connection.request("POST", "/client/api", body, {"Content-Type": "application/json"})
        assert connection.getresponse().status == 401
    assert cloud.requests[0].parameters == {}


def test_a_long_value_fits_in_a_post(cloud: CloudStackEmulator) -> None:
    extra = {"serviceofferingid": "s", "templateid": "t", "zoneid": zone_id(cloud), "userdata": "x" * 1048576}
    assert post(cloud, urlencode(signed(cloud, {"command": "deployVirtualMachine", **extra}))).status == 200


# Envelopes


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


# Paging


@pytest.mark.parametrize(("count", "last"), [("total", 1200), ("page", 200)])
def test_count_is_the_total_or_the_page_as_asked(count: Literal["total", "page"], last: int) -> None:
    with CloudStackEmulator(machines=1200, count=count) as cloud:
        pages = [machines(cloud, page=str(page), pagesize="500") for page in (1, 2, 3)]
    assert [len(page["virtualmachine"]) for page in pages] == [500, 500, 200]
    assert [page["count"] for page in pages] == ([1200, 1200, last] if count == "total" else [500, 500, last])
    assert len({machine["id"] for page in pages for machine in page["virtualmachine"]}) == 1200


@pytest.mark.parametrize(("count", "expected"), [("total", {"count": 3}), ("page", {})])
def test_a_page_past_the_end_has_no_list(count: Literal["total", "page"], expected: dict[str, int]) -> None:
    with CloudStackEmulator(machines=3, count=count) as cloud:
        assert machines(cloud, page="2", pagesize="3") == expected


def test_the_meaning_of_count_may_change_while_it_runs() -> None:
    with CloudStackEmulator(machines=3) as cloud:
        assert machines(cloud, page="1", pagesize="2")["count"] == 3
        cloud.count = "page"
        assert machines(cloud, page="1", pagesize="2")["count"] == 2


def test_without_paging_the_first_default_page_comes() -> None:
    with CloudStackEmulator(machines=501) as cloud:
        found = machines(cloud)
    assert (found["count"], len(found["virtualmachine"])) == (501, 500)


def test_a_pagesize_of_minus_one_brings_everything() -> None:
    with CloudStackEmulator(machines=501) as cloud:
        assert len(machines(cloud, pagesize="-1")["virtualmachine"]) == 501


def test_a_server_without_page_limit_takes_any_pagesize() -> None:
    with CloudStackEmulator(machines=501, page_size_limit=-1) as cloud:
        assert len(machines(cloud)["virtualmachine"]) == 501
        assert len(machines(cloud, page="1", pagesize="9999")["virtualmachine"]) == 501


@pytest.mark.parametrize("page", ["0", "-3", "1", ""])
def test_a_page_of_nought_or_less_is_the_first(page: str) -> None:
    with CloudStackEmulator(machines=3) as cloud:
        assert machines(cloud, page=page, pagesize="1")["virtualmachine"][0]["name"] == "vm-0001"


@pytest.mark.parametrize(
    ("paging", "cs_code", "text"),
    [
        ({"page": "1"}, 9999, '"pagesize" parameter is required when "page" is specified'),
        ({"pagesize": "10"}, 9999, '"page" parameter is required when "pagesize" is specified'),
        ({"page": "1", "pagesize": "501"}, 4350, "Page size can't exceed max allowed page size value: 500"),
        (
            {"page": "1", "pagesize": "-1"},
            4350,
            "Can't specify page parameter when pagesize is -1 (Unlimited)",
        ),
        ({"page": "1", "pagesize": "many"}, 9999, 'For input string: "many"'),
        ({"page": "one", "pagesize": "1"}, 9999, 'For input string: "one"'),
        ({"page": "1", "pagesize": ""}, 9999, 'For input string: ""'),
        ({"page": "1", "pagesize": "-2"}, 4350, "Invalid value -2 for parameter pagesize"),
    ],
)
def test_paging_that_cannot_be_is_a_431(
    cloud: CloudStackEmulator, paging: dict[str, str], cs_code: int, text: str
) -> None:
    reply = call(cloud, "listVirtualMachines", **paging)
    assert refusal(reply, "listvirtualmachinesresponse") == (431, cs_code, text)
    assert reply.headers["X-Description"] == text


def test_names_of_parameters_are_read_in_any_case() -> None:
    with CloudStackEmulator(machines=3) as cloud:
        assert len(machines(cloud, PAGE="1", PageSize="2")["virtualmachine"]) == 2


def test_a_command_that_ignores_paging_gives_everything_on_every_page(cloud: CloudStackEmulator) -> None:
    pages = [call(cloud, "listHypervisors", page=page, pagesize="1").body for page in ("1", "2")]
    assert pages[0] == pages[1] == call(cloud, "listHypervisors").body


# Lists


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


def test_list_apis_tells_what_the_emulator_knows_and_every_name_in_it_is_a_command(
    cloud: CloudStackEmulator,
) -> None:
    listed = call(cloud, "listApis").json["listapisresponse"]
    apis = {api["name"]: api for api in listed["api"]}
    assert listed["count"] == len(apis)
    assert {name for name in apis if call(cloud, name).status == 432} == set()
    deployed = apis["deployVirtualMachine"]
    assert (deployed["isasync"], apis["listZones"]["isasync"]) == (True, False)
    assert {parameter["name"] for parameter in deployed["params"] if parameter["required"]} == {
        "serviceofferingid",
        "templateid",
        "zoneid",
    }
    assert "destroyVirtualMachine" in deployed["related"].split(",")
    assert {} in deployed["response"]
    assert [field["name"] for field in deployed["response"] if "response" in field] == ["tags"]


def test_list_apis_finds_one_by_name_and_fails_for_none(cloud: CloudStackEmulator) -> None:
    assert call(cloud, "listApis", name="listzones").json["listapisresponse"]["api"][0]["name"] == "listZones"
    code, _, text = refusal(call(cloud, "listApis", name="flyToTheMoon"), "listapisresponse")
    assert (code, text) == (
        530,
        "Api Discovery plugin was unable to find an api by that name or process any apis",
    )


# Refusals


def test_an_unknown_command_is_a_432_to_a_good_signer_and_a_401_to_a_bad_one(
    cloud: CloudStackEmulator,
) -> None:
    good, bad = call(cloud, "flyToTheMoon"), get(cloud, "command=flyToTheMoon&response=json")
    assert refusal(good, "errorresponse") == (432, 9999, "Unknown API command: flyToTheMoon")
    assert refusal(bad, "errorresponse") == (401, None, CREDENTIALS)


def test_commands_are_known_by_their_exact_case(cloud: CloudStackEmulator) -> None:
    assert call(cloud, "listzones").status == 432


def test_a_missing_command_is_answered_under_null_and_no_parameters_under_errorresponse(
    cloud: CloudStackEmulator,
) -> None:
    assert refusal(call_with(cloud, {}), "null") == (401, None, CREDENTIALS)
    nothing = get(cloud, "")
    assert nothing.status == 401
    assert ElementTree.fromstring(nothing.body).tag == "errorresponse"


@pytest.mark.parametrize("character", ["\x00", "\x09", "\x0b", "\x0c", "\x0e", "\x1f", "\x7f"])
def test_a_control_character_in_a_value_is_a_431(cloud: CloudStackEmulator, character: str) -> None:
    text = "Received value containing illegal ASCII non-printable characters for parameter Keyword"
    assert refusal(call(cloud, "listZones", Keyword=f"a{character}"), "listzonesresponse") == (
        431,
        9999,
        text,
    )


def test_line_breaks_in_a_value_are_allowed(cloud: CloudStackEmulator) -> None:
    assert call(cloud, "listZones", keyword="a\r\nb").status == 200


@pytest.mark.parametrize(
    "name",
    ["a[0]", "a[x].b", "a[].b", "a[0.b", "a]0[.b", "a[0][1].b", "a[0]].b", "x.a[0]", "[0][1].a", "a[1_0].b"],
)
def test_a_malformed_map_parameter_is_a_430(cloud: CloudStackEmulator, name: str) -> None:
    code, cs_code, text = refusal(call_with(cloud, {"command": "listZones", name: "1"}), "listzonesresponse")
    assert (code, cs_code) == (430, 9999)
    assert text.startswith(f"Unable to decode parameter {name}; if specifying an object array")


def test_a_missing_parameter_is_a_431_that_names_it(cloud: CloudStackEmulator) -> None:
    text = "Unable to execute API command startvirtualmachine due to missing parameter id"
    assert refusal(call(cloud, "startVirtualMachine"), "startvirtualmachineresponse") == (431, 9999, text)


def test_a_string_longer_than_declared_is_a_431(cloud: CloudStackEmulator) -> None:
    assert call(cloud, "listZones", keyword="k" * 255).status == 200
    _, _, text = refusal(call(cloud, "listZones", keyword="k" * 256), "listzonesresponse")
    assert text.endswith("Value greater than max allowed length 255 for param: keyword")


def test_an_error_text_with_line_breaks_adds_no_header(cloud: CloudStackEmulator) -> None:
    reply = call(cloud, "listZones", id="a\r\nX-Injected: yes\r\n\u20ac")
    assert reply.status == 431
    assert "X-Injected" not in reply.headers
    assert "value=a  X-Injected: yes  ? due" in reply.headers["X-Description"]


def test_a_key_pair_is_made_once(cloud: CloudStackEmulator) -> None:
    assert call(cloud, "createSSHKeyPair", name="laptop").status == 200
    again = refusal(call(cloud, "createSSHKeyPair", name="laptop"), "createsshkeypairresponse")
    assert again == (431, 4350, "A key pair with name 'laptop' already exists.")


def test_what_the_emulator_itself_gets_wrong_is_a_530() -> None:
    with CloudStackEmulator(now=lambda: 1e300) as cloud:
        error = deploy(cloud)
    assert (error["errorcode"], error["cserrorcode"]) == (530, 4250)
    assert error["errortext"].startswith("OverflowError: ")


# Jobs


def test_a_deployed_machine_exists_once_its_job_succeeded(cloud: CloudStackEmulator) -> None:
    extra = {"name": "web", "details[0].cpuNumber": "2", "tags[3].key": "b", "tags[3].value": "2"}
    started = deploy(cloud, {**extra, "tags[1].key": "a", "tags[1].value": "1"})
    assert set(started) == {"id", "jobid"}
    reports = [poll(cloud, started["jobid"]) for _ in range(4)]
    assert [report["jobstatus"] for report in reports] == [0, 0, 0, 1]
    made = reports[3]["jobresult"]["virtualmachine"]
    assert machines(cloud)["virtualmachine"] == [made]
    assert (made["id"], made["name"], made["details"]) == (started["id"], "web", {"cpuNumber": "2"})
    assert [(tag["key"], tag["value"]) for tag in made["tags"]] == [("a", "1"), ("b", "2")]


def test_a_machine_is_not_there_before_its_job_ends(cloud: CloudStackEmulator) -> None:
    started = deploy(cloud)
    for _ in range(cloud.job_polls):
        poll(cloud, started["jobid"])
        assert machines(cloud) == {}


def test_a_pending_report_has_no_result_and_a_successful_one_has(cloud: CloudStackEmulator) -> None:
    cloud.job_polls = 1
    job_id = deploy(cloud)["jobid"]
    pending, done = poll(cloud, job_id), poll(cloud, job_id)
    assert (pending["jobstatus"], pending["jobresultcode"], pending["jobprocstatus"]) == (0, 0, 0)
    assert not {"jobresult", "jobresulttype", "completed"} & set(pending)
    assert (done["jobstatus"], done["jobresultcode"], done["jobresulttype"]) == (1, 0, "object")
    about = {"jobid", "cmd", "created", "completed", "accountid", "account", "userid", "jobinstanceid"}
    assert about <= set(done)
    assert done["created"] == "2026-11-20T12:00:00+0000"


def test_a_finished_job_stays_as_it_is() -> None:
    with CloudStackEmulator(machines=1, job_polls=0) as cloud:
        machine_id = machines(cloud)["virtualmachine"][0]["id"]
        report = finished(cloud, "destroyVirtualMachine", id=machine_id)
        assert report["jobstatus"] == 1
        assert poll(cloud, report["jobid"]) == report


def test_a_failed_job_has_its_error_inside_the_result_and_changes_nothing(cloud: CloudStackEmulator) -> None:
    cloud.plan_job(polls=0, outcome=JobOutcome.FAILED)
    report = poll(cloud, deploy(cloud)["jobid"])
    assert (report["jobstatus"], report["jobresultcode"], report["jobresulttype"]) == (2, 530, "object")
    assert report["jobresult"]["errorcode"] == 530
    assert "deployVirtualMachine" in report["jobresult"]["errortext"]
    assert machines(cloud) == {}


@pytest.mark.parametrize(("outcome", "status"), [(JobOutcome.FAILED, 2), (JobOutcome.CANCELLED, 3)])
def test_a_job_may_fail_without_a_word(cloud: CloudStackEmulator, outcome: JobOutcome, status: int) -> None:
    cloud.plan_job(polls=0, outcome=outcome, error_in_result=False)
    report = poll(cloud, deploy(cloud)["jobid"])
    assert report["jobstatus"] == status
    assert not {"jobresult", "jobresultcode", "jobresulttype"} & set(report)


def test_a_cancelled_job_has_status_3_and_a_result_code_that_looks_well(cloud: CloudStackEmulator) -> None:
    cloud.plan_job(polls=0, outcome=JobOutcome.CANCELLED)
    report = poll(cloud, deploy(cloud)["jobid"])
    assert (report["jobstatus"], report["jobresultcode"]) == (3, 0)
    assert report["jobresult"]["errortext"] == "The job was cancelled"


def test_a_job_may_never_end(cloud: CloudStackEmulator) -> None:
    cloud.plan_job(polls=0, outcome=JobOutcome.NEVER)
    job_id = deploy(cloud)["jobid"]
    assert {poll(cloud, job_id)["jobstatus"] for _ in range(20)} == {0}


def test_plans_are_used_in_their_order_and_once(cloud: CloudStackEmulator) -> None:
    cloud.plan_job(polls=0, outcome=JobOutcome.FAILED)
    cloud.plan_job(polls=0, outcome=JobOutcome.CANCELLED)
    cloud.job_polls = 0
    assert [poll(cloud, deploy(cloud)["jobid"])["jobstatus"] for _ in range(3)] == [2, 3, 1]


def test_a_plan_without_polls_takes_the_polls_of_the_emulator(cloud: CloudStackEmulator) -> None:
    cloud.job_polls = 2
    cloud.plan_job(outcome=JobOutcome.FAILED)
    job_id = deploy(cloud)["jobid"]
    assert [poll(cloud, job_id)["jobstatus"] for _ in range(3)] == [0, 0, 2]


def test_an_unknown_job_is_a_431(cloud: CloudStackEmulator) -> None:
    code, _, text = refusal(call(cloud, "queryAsyncJobResult", jobid="gone"), "queryasyncjobresultresponse")
    assert code == 431
    assert "Invalid parameter jobid value=gone due to" in text


def test_a_client_may_choose_the_id_of_a_job_but_not_twice(cloud: CloudStackEmulator) -> None:
    chosen = "0b6f3f0e-5a53-4c8e-9d0a-6a7f2a1f1c11"
    assert deploy(cloud, {"injectedJobId": chosen})["jobid"] == chosen
    assert deploy(cloud, {"injectedJobId": chosen})["errorcode"] == 431
    assert deploy(cloud, {"injectedJobId": "mine"})["errorcode"] == 431


def test_machines_are_stopped_started_and_destroyed_by_jobs() -> None:
    with CloudStackEmulator(machines=2, job_polls=1) as cloud:
        machine_id = machines(cloud)["virtualmachine"][0]["id"]
        reports = [
            finished(cloud, command, id=machine_id)
            for command in ("stopVirtualMachine", "startVirtualMachine", "destroyVirtualMachine")
        ]
        states = [report["jobresult"]["virtualmachine"]["state"] for report in reports]
        assert states == ["Stopped", "Running", "Destroyed"]
        assert [machine["name"] for machine in machines(cloud)["virtualmachine"]] == ["vm-0002"]
        assert call(cloud, "startVirtualMachine", id=machine_id).status == 431


def test_a_job_whose_machine_is_gone_fails_with_the_reason() -> None:
    with CloudStackEmulator(machines=1, job_polls=0) as cloud:
        machine_id = machines(cloud)["virtualmachine"][0]["id"]
        stopping = call(cloud, "stopVirtualMachine", id=machine_id).json["stopvirtualmachineresponse"]
        finished(cloud, "destroyVirtualMachine", id=machine_id)
        report = poll(cloud, stopping["jobid"])
    assert (report["jobstatus"], report["jobresultcode"], report["jobresult"]["errorcode"]) == (2, 431, 431)


def test_tags_are_added_to_every_machine_of_a_comma_joined_list() -> None:
    with CloudStackEmulator(machines=3, job_polls=0) as cloud:
        ids = [machine["id"] for machine in machines(cloud)["virtualmachine"]][:2]
        for key in ("owner", "tier"):
            tag = {"tags[0].key": key, "tags[0].value": "1"}
            report = finished(cloud, "createTags", resourceids=",,".join(ids), resourcetype="UserVm", **tag)
            assert report["jobresult"] == {"success": True}
        tags = [[tag["key"] for tag in machine["tags"]] for machine in machines(cloud)["virtualmachine"]]
    assert tags == [["owner", "tier"], ["owner", "tier"], []]


def test_a_running_job_is_named_inside_the_item_of_a_list() -> None:
    with CloudStackEmulator(machines=2, job_polls=0) as cloud:
        first = machines(cloud)["virtualmachine"][0]["id"]
        job_id = call(cloud, "stopVirtualMachine", id=first).json["stopvirtualmachineresponse"]["jobid"]
        found = machines(cloud)
        assert "jobid" not in found
        assert [(vm.get("jobid"), vm.get("jobstatus")) for vm in found["virtualmachine"]] == [
            (job_id, 0),
            (None, None),
        ]
        poll(cloud, job_id)
        assert all("jobid" not in vm for vm in machines(cloud)["virtualmachine"])


def test_jobs_are_listed_without_moving_them_and_before_their_count(cloud: CloudStackEmulator) -> None:
    cloud.job_polls = 0
    started = [deploy(cloud)["jobid"] for _ in range(3)]
    poll(cloud, started[1])
    lists = [call(cloud, "listAsyncJobs").json["listasyncjobsresponse"] for _ in range(3)]
    assert [list(found) for found in lists] == [["asyncjobs", "count"]] * 3
    assert [(job["jobid"], job["jobstatus"]) for job in lists[2]["asyncjobs"]] == [
        (started[0], 0),
        (started[1], 1),
        (started[2], 0),
    ]


def test_polls_below_nought_are_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        CloudStackEmulator().plan_job(polls=-1)


# Faults


def test_a_fault_is_for_the_next_requests_of_its_command_and_runs_out(cloud: CloudStackEmulator) -> None:
    cloud.inject(530, times=2, command="LISTzones")
    statuses = [call(cloud, command).status for command in ("listUsers", *["listZones"] * 3)]
    assert statuses == [200, 530, 530, 200]


def test_faults_wait_in_line(cloud: CloudStackEmulator) -> None:
    cloud.inject(503)
    cloud.inject(429, times=2)
    assert [call(cloud, "listZones").status for _ in range(4)] == [503, 429, 429, 200]


def test_a_command_that_met_a_fault_did_not_run(cloud: CloudStackEmulator) -> None:
    cloud.job_polls = 0
    zone = zone_id(cloud)
    cloud.inject(530, command="deployVirtualMachine")
    call(cloud, "deployVirtualMachine", zoneid=zone, templateid="t", serviceofferingid="s")
    assert call(cloud, "listAsyncJobs").json == {"listasyncjobsresponse": {}}


def test_the_rate_limit_says_in_its_text_when_to_come_again(cloud: CloudStackEmulator) -> None:
    cloud.inject(429)
    reply = call(cloud, "listZones")
    text = "The given user has reached his/her account api limit, please retry after [100] ms."
    assert refusal(reply, "listzonesresponse") == (429, 9999, text)
    assert "Retry-After" not in reply.headers


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_answers_in_html(cloud: CloudStackEmulator, status: int) -> None:
    cloud.inject(status)
    reply = call(cloud, "listZones")
    assert (reply.status, reply.headers["Content-Type"]) == (status, "text/html; charset=UTF-8")
    assert reply.body.startswith(b"<html>")


@pytest.mark.parametrize(("status", "cs_code"), [(431, 4350), (530, 4250), (531, 4365), (599, 9999)])
def test_other_statuses_are_api_errors(cloud: CloudStackEmulator, status: int, cs_code: int) -> None:
    cloud.inject(status)
    reply = call(cloud, "listZones")
    text = f"The emulator was told to answer {status}"
    assert refusal(reply, "listzonesresponse") == (status, cs_code, text)
    assert reply.headers["X-Description"] == text


def test_an_injected_432_is_answered_under_errorresponse(cloud: CloudStackEmulator) -> None:
    cloud.inject(432)
    assert refusal(call(cloud, "listZones"), "errorresponse")[0] == 432


def test_an_injected_401_is_the_one_of_a_bad_signature(cloud: CloudStackEmulator) -> None:
    cloud.inject(401)
    assert refusal(call(cloud, "listZones"), "listzonesresponse") == (401, None, CREDENTIALS)


def test_a_reset_is_seen_as_a_reset_and_not_as_an_end(cloud: CloudStackEmulator) -> None:
    cloud.inject(Fault.RESET)
    with pytest.raises(ConnectionResetError) as caught:
        call(cloud, "listZones")
    assert not isinstance(caught.value, http.client.RemoteDisconnected)
    assert (cloud.requests[0].command, cloud.requests[0].status) == ("listZones", 0)


def test_a_closed_connection_ends_without_an_answer(cloud: CloudStackEmulator) -> None:
    cloud.inject(Fault.CLOSE)
    with pytest.raises(http.client.RemoteDisconnected):
        call(cloud, "listZones")
    assert cloud.requests[0].status == 0


def test_a_truncated_answer_promises_more_than_it_sends(cloud: CloudStackEmulator) -> None:
    cloud.inject(Fault.TRUNCATED)
    with pytest.raises(http.client.IncompleteRead) as caught:
        call(cloud, "listZones")
    assert caught.value.partial.startswith(b'{"list')
    assert cloud.requests[0].status == 200


@pytest.mark.parametrize(
    ("fault", "content_type", "start"),
    [
        (Fault.HTML, "text/html; charset=UTF-8", b"<html>"),
        (Fault.NO_ENVELOPE, "application/json; charset=UTF-8", b"["),
        (Fault.EMPTY, "application/json; charset=UTF-8", b""),
        (Fault.MALFORMED, "application/json; charset=UTF-8", b"{"),
    ],
)
def test_a_wrong_body_comes_with_status_200(
    cloud: CloudStackEmulator, fault: Fault, content_type: str, start: bytes
) -> None:
    cloud.inject(fault)
    reply = call(cloud, "listZones")
    assert (reply.status, reply.headers["Content-Type"]) == (200, content_type)
    assert reply.body[:1] == start[:1]


def test_a_body_without_envelope_is_a_list_and_a_malformed_one_is_no_json(cloud: CloudStackEmulator) -> None:
    cloud.inject(Fault.NO_ENVELOPE)
    cloud.inject(Fault.MALFORMED)
    assert call(cloud, "listZones").json == [{"id": "1"}, {"id": "2"}]
    with pytest.raises(json.JSONDecodeError):
        json.loads(call(cloud, "listZones").body)


def test_a_connection_survives_a_fault_that_keeps_it(cloud: CloudStackEmulator) -> None:
    cloud.inject(503)
    signed_target = target(cloud, "listZones")
    with closing(connect(cloud)) as connection:
        assert [ask(connection, "GET", signed_target).status for _ in range(2)] == [503, 200]
    assert cloud.connections == 1


@pytest.mark.parametrize("status", [0, 200, 302, 399, 600, True])
def test_a_status_that_is_no_error_cannot_be_injected(cloud: CloudStackEmulator, status: int) -> None:
    with pytest.raises(ValueError, match="400 to 599"):
        cloud.inject(status)


def test_a_fault_less_than_once_cannot_be_injected(cloud: CloudStackEmulator) -> None:
    with pytest.raises(ValueError, match="once or more"):
        cloud.inject(Fault.HTML, times=0)


# The server


def test_it_has_no_end_point_until_it_is_started() -> None:
    cloud = CloudStackEmulator()
    with pytest.raises(RuntimeError, match="start it first"):
        _ = cloud.end_point
    with cloud:
        assert urlsplit(cloud.end_point).path == "/client/api"
    with pytest.raises(RuntimeError, match="start it first"):
        _ = cloud.end_point


def test_stopping_and_starting_twice_is_as_once(cloud: CloudStackEmulator) -> None:
    end_point = cloud.end_point
    assert cloud.start() is cloud
    assert cloud.end_point == end_point
    cloud.stop()
    cloud.stop()


def test_a_stopped_emulator_refuses_connections_and_may_start_again_with_its_record(
    cloud: CloudStackEmulator,
) -> None:
    connection = connect(cloud)
    call(cloud, "listZones")
    cloud.stop()
    with closing(connection), pytest.raises(ConnectionRefusedError):
        connection.connect()
    cloud.start()
    call(cloud, "listUsers")
    assert [request.command for request in cloud.requests] == ["listZones", "listUsers"]
    assert cloud.connections == 2


def test_stopping_cuts_idle_connections_and_leaves_no_thread(cloud: CloudStackEmulator) -> None:
    before = set(threading.enumerate())
    with CloudStackEmulator() as other, closing(connect(other)) as idle, closing(connect(other)) as silent:
        ask(idle, "GET", target(other, "listZones"))
        silent.connect()
        other.stop()
        assert set(threading.enumerate()) == before
        assert idle.sock.recv(1) == b""


def test_requests_are_recorded_with_what_they_were_and_what_they_got(cloud: CloudStackEmulator) -> None:
    call(cloud, "listZones", keyword="a b~*ä")
    received = cloud.requests[0]
    assert isinstance(received, ReceivedRequest)
    assert (received.http_method, received.command, received.status) == ("GET", "listZones", 200)
    assert received.parameters["keyword"] == "a b~*ä"
    assert received.parameters["apiKey"] == cloud.api_key


def test_many_requests_share_a_connection(cloud: CloudStackEmulator) -> None:
    signed_target = target(cloud, "listZones")
    with closing(connect(cloud)) as connection:
        assert {ask(connection, "GET", signed_target).status for _ in range(20)} == {200}
        assert {ask(connection, "POST", "/client/api", b"").status for _ in range(2)} == {401}
    assert (cloud.connections, len(cloud.requests)) == (1, 22)


def test_sixteen_threads_with_two_connections_each_are_all_answered() -> None:
    with CloudStackEmulator(machines=100) as cloud:
        everything = target(cloud, "listVirtualMachines")

        def client(_: int) -> list[Reply]:
            with closing(connect(cloud)) as one, closing(connect(cloud)) as other:
                return [ask(connection, "GET", everything) for _ in range(10) for connection in (one, other)]

        with ThreadPoolExecutor(16) as pool:
            replies = [reply for found in pool.map(client, range(16)) for reply in found]
    assert len(replies) == len(cloud.requests) == 320
    assert {reply.body for reply in replies} == {replies[0].body}
    assert replies[0].status == 200
    assert cloud.connections == 32


def test_a_job_that_many_poll_at_once_happens_once(cloud: CloudStackEmulator) -> None:
    job_ids = [str(deploy(cloud)["jobid"])] * 24
    with ThreadPoolExecutor(8) as pool:
        statuses = [report["jobstatus"] for report in pool.map(poll, [cloud] * 24, job_ids)]
    assert sorted(statuses) == [0] * cloud.job_polls + [1] * 21
    assert machines(cloud)["count"] == 1


def test_urllib_reads_its_answers(cloud: CloudStackEmulator) -> None:
    good = urlencode(signed(cloud, {"command": "listZones"}))
    with urllib.request.urlopen(f"{cloud.end_point}?{good}") as answer:
        assert json.load(answer)["listzonesresponse"]["count"] == 2
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{cloud.end_point}?command=listZones")
    with caught.value as error:
        assert error.code == 401


def test_keys_may_change_while_it_runs(cloud: CloudStackEmulator) -> None:
    parameters = signed(cloud, {"command": "listZones"})
    cloud.api_secret = "rotated"
    assert get(cloud, urlencode(parameters)).status == 401
    assert call(cloud, "listZones").status == 200


@pytest.mark.parametrize(
    ("path", "status"), [("/", 404), ("/client", 404), ("/client/apis", 404), ("/client/api/", 200)]
)
def test_only_the_path_of_the_api_is_served(cloud: CloudStackEmulator, path: str, status: int) -> None:
    with closing(connect(cloud)) as connection:
        reply = ask(connection, "GET", f"{path}?{urlencode(signed(cloud, {'command': 'listZones'}))}")
    assert reply.status == status


def test_a_target_with_its_origin_is_served_as_one_without(cloud: CloudStackEmulator) -> None:
    with closing(connect(cloud)) as connection:
        assert ask(connection, "GET", f"http://cloud.example{target(cloud, 'listZones')}").status == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_other_methods_are_not_allowed(cloud: CloudStackEmulator, method: str) -> None:
    with closing(connect(cloud)) as connection:
        reply = ask(connection, method, "/client/api", b"body")
        assert (reply.status, reply.headers["Allow"]) == (405, "GET, POST")
        assert ask(connection, "GET", "/client/api").status == 401


HEAD = b"POST /client/api HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /client/api\r\n\r\n", b"401"),
        (b"\r\n\r\nGET /client/api HTTP/1.1\r\nConnection: close\r\n\r\n", b"401"),
        (b" \xa0\r\r\nGET /client/api HTTP/1.1\r\nConnection: close\r\n\r\n", b"401"),
        (b"GET /client/api HTTP/9\r\n\r\n", b"400"),
        (b"GET /client/api HTTP/2.0\r\n\r\n", b"505"),
        (b"BREW /client/api HTTP/1.1\r\n\r\n", b"501"),
        (b"GET /client/api?a=%zz HTTP/1.1\r\nConnection: close\r\n\r\n", b"400"),
        (b"GET /client/api?a=%f HTTP/1.1\r\nConnection: close\r\n\r\n", b"400"),
        (b"GET /client/api?a=\xff%ff HTTP/1.1\r\nConnection: close\r\n\r\n", b"401"),
        (b"GET //[ HTTP/1.1\r\nConnection: close\r\n\r\n", b"404"),
        (b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 70000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nno header at all\r\nConnection: close\r\n\r\n", b"404"),
        (HEAD + b"Content-Length: many\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: -1\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: " + b"9" * 9999 + b"\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: 99999999\r\n\r\n" + b"a" * 300000, b"413"),
        (HEAD + b"Content-Length: 10\r\n\r\nshort", b"400"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (HEAD + b"Content-Length: 3\r\nConnection: close\r\n\r\n%zz", b"400"),
        (HEAD + b"Content-Length: 6\r\nConnection: close\r\n\r\na=\xff\xfe=&", b"401"),
    ],
)
def test_malformed_input_gets_an_answer_and_no_traceback(
    cloud: CloudStackEmulator, capfd: pytest.CaptureFixture[str], sent: bytes, status: bytes
) -> None:
    answer = raw(cloud, sent)
    cloud.stop()
    assert answer.split(b" ", 2)[:2] == [b"HTTP/1.1", status]
    assert capfd.readouterr() == ("", "")


def test_a_client_that_leaves_in_the_middle_of_a_request_leaves_no_traceback(
    cloud: CloudStackEmulator, capfd: pytest.CaptureFixture[str]
) -> None:
    for sent in (b"", b"GET /cli", b"GET /client/api HTTP/1.1\r\nHo"):
        raw(cloud, sent)
    with closing(connect(cloud)) as connection:
        connection.connect()
        connection.send(b"GET /client/api HTTP/1.1\r\nHo")
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert get(cloud, "").status == 401
    cloud.stop()
    assert capfd.readouterr() == ("", "")


def test_a_client_that_speaks_tls_is_answered_instead_of_kept_waiting(cloud: CloudStackEmulator) -> None:
    with plain(cloud) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00")
        assert connection.recv(12) == b"HTTP/1.1 400"


def test_an_answer_to_head_has_no_body(cloud: CloudStackEmulator) -> None:
    answer = raw(cloud, b"HEAD /client/api HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert answer.endswith(b"\r\n\r\n")


def test_an_expected_continue_is_given_before_the_body(cloud: CloudStackEmulator) -> None:
    body = urlencode(signed(cloud, {"command": "listZones"})).encode()
    with plain(cloud) as connection:
        connection.sendall(
            HEAD + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert b"".join(iter(lambda: connection.recv(65536), b"")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "wrong", [{"machines": -1}, {"job_polls": -1}, {"page_size_limit": 0}, {"page_size_limit": -2}]
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="or more"):
        CloudStackEmulator(**wrong)


def test_the_package_names_what_it_offers_in_order() -> None:
    assert emulator.__all__ == sorted(emulator.__all__)
    assert {name for name in vars(emulator) if not name.startswith("_")} == set(emulator.__all__)
