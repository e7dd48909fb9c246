"""Signing, held against published vectors, the specification's table, and the emulator's own verifier."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import ConfigurationError, Request, Response, Url
from jackfield.testing import FakeTransport, VirtualSyncRuntime
from jackfield_plugins.retry import Retry
from jackfield_plugins.signing import HmacVerifier, Message
from jackfield_services.cloudstack import AsyncCloudStack, CloudStack, CloudStackClientException
from jackfield_services.cloudstack._signing import recipe
from jackfield_services.cloudstack.emulator import CloudStackEmulator
from jackfield_services.cloudstack.emulator._cloud import made_id
from jackfield_services.cloudstack.emulator._signature import verified

if TYPE_CHECKING:
    from tests.jackfield_services.cloudstack.conftest import Converse


VECTORS = Path(__file__).parents[2] / "vectors" / "cloudstack_hmac_sha1.json"
URL = Url.parse("https://cloud.test/client/api")
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text())["cases"]

NOW = 1_700_000_000.0  # when virtual time starts
ALGORITHMS: list[Literal["sha1", "sha512"]] = ["sha1", "sha512"]

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=[chr(c) for c in range(32)] + ["\x7f"]))
names = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}(\[[0-9]{1,2}\]\.[A-Za-z]{1,5})?", fullmatch=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["params"]["command"])
def test_signs_as_the_published_clients_do_where_those_are_right(case: dict[str, Any]) -> None:
    request = Request("GET", URL, query=case["params"])
    signed = request.replace(query=[*request.query, ("signature", case["signature"])])

    assert recipe().canonical(request).decode() == case["string_to_sign"]
    assert recipe().canonical(signed).decode() == case["string_to_sign"]
    HmacVerifier(recipe(), case["secret"]).check(Message.of(signed), b"")


def test_signs_as_the_example_of_the_vendors_guide() -> None:
    secret = "VDaACYb0LV9eNjTetIOElcVQkvJck_J_QljX_FcHRj87ZKiy0z0ty0ZsYBkoXkY9b7eq1EhwJaw7FF3akA3KBQ"
    key = "plgWJfZK4gyS3mOMTVmjUVg-X-jlWlnfaUJ9GAbBbf9EdM-kAYMmAiLqzzq1ElZLYq_u38zCm0bewzGUdP66mg"
    query = [("command", "listUsers"), ("response", "json"), ("apiKey", key)]
    request = Request("GET", URL, query=[*query, ("signature", "TTpdDq/7j/J58XCRHomKoQXEQds=")])

    HmacVerifier(recipe(), secret).check(Message.of(request), b"")


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ([("a", "x~y")], "a=x%7ey"),
        ([("a", "x*y")], "a=x*y"),
        ([("a", "x y+z/,")], "a=x%20y%2bz%2f%2c"),
        ([("a", "ÄÖ")], "a=%c3%84%c3%96"),
        ([("a", "line\nbreak")], "a=line%0abreak"),
        ([("tags[0].key", "k")], "tags[0].key=k"),
        ([("tags[1].k", ""), ("tags[10].k", ""), ("tags[2].k", "")], "tags[10].k=&tags[1].k=&tags[2].k="),
        ([("servicecapabilitylist", ""), ("serviceOfferingId", "")], "serviceofferingid=&servicecapabilitylist="),
        ([("b", "1"), ("A", "2"), ("a", "3")], "a=2&a=3&b=1"),
        ([("b", "1"), ("Signature", "old"), ("a", "2")], "a=2&b=1"),
        ([("\U0001f600", ""), ("\uff5e", "")], "\U0001f600=&\uff5e="),  # UTF-16 order is not that of code points
    ],
)
def test_joins_as_the_server_does(query: list[tuple[str, str]], canonical: str) -> None:
    assert recipe().canonical(Request("GET", URL, query=query)).decode() == canonical


@given(
    st.lists(st.tuples(names, text), max_size=6, unique_by=lambda pair: pair[0].lower()),
    text.filter(lambda secret: secret != "" and secret == secret.strip()),
    st.sampled_from(ALGORITHMS),
    st.sampled_from([None, 1, 600.5, 900]),
)
@settings(deadline=None, max_examples=100)
def test_whatever_is_sent_the_server_accepts_the_signature(
    parameters: list[tuple[str, str]], secret: str, algorithm: Literal["sha1", "sha512"], expires: float | None
) -> None:
    runtime = VirtualSyncRuntime()
    with CloudStack(
        str(URL), "the key", secret, signature_algorithm=algorithm, expires=expires, runtime=runtime
    ) as client:
        request = client.execute.request("listZones", **dict(parameters))
    wire = dict(request.query)

    assert verified(wire, "the key", secret, NOW, algorithm)
    assert not verified({**wire, "command": "destroyVirtualMachine"}, "the key", secret, NOW, algorithm)
    HmacVerifier(recipe(algorithm, expires), secret).check(Message.of(request), b"", NOW)


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_one_recipe_verifies_what_the_server_verifies(data: st.DataObject) -> None:
    client = CloudStack(str(URL), "key", "secret", expires=60, runtime=VirtualSyncRuntime())
    query = list(client.execute.request("listZones", keyword="aZ ~").query)
    number = data.draw(st.integers(0, len(query) - 1))
    name, value = query[number]
    query[number] = data.draw(st.sampled_from([(name, value.lower()), (name, value + "x"), (name.title(), value)]))
    now = data.draw(st.sampled_from([NOW, NOW + 60, NOW + 61]))

    message = Message.of(Request("GET", URL, query=query))

    accepted = verified(dict(query), "key", "secret", now)
    assert HmacVerifier(recipe(expires=60), "secret").verify(message, b"", now) == accepted


# --- algorithm and expiry


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_client_and_server_agree_on_the_algorithm(
    cloud: CloudStackEmulator, converse: Converse, algorithm: Literal["sha1", "sha512"]
) -> None:
    cloud.signature_algorithm = algorithm

    assert converse(lambda cs: cs.listZones(), signature_algorithm=algorithm)["count"] == 2

    other = "sha512" if algorithm == "sha1" else "sha1"
    with pytest.raises(CloudStackClientException, match="unable to verify"):
        converse(lambda cs: cs.listZones(), signature_algorithm=other)


def test_the_emulator_may_start_as_a_server_that_has_sha_1_switched_off() -> None:
    with CloudStackEmulator(signature_algorithm="sha512") as cloud:
        client = CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret, signature_algorithm="sha512")
        with client:
            assert client.listZones()["count"] == 2


def test_requests_do_not_expire_unless_they_are_told_to(cloud: CloudStackEmulator, converse: Converse) -> None:
    converse(lambda cs: cs.listZones())

    assert not {"signatureversion", "expires"} & {name.lower() for name in cloud.requests[0].parameters}


def test_a_request_expires_in_the_one_form_that_every_release_reads(converse: Converse) -> None:
    cloud = CloudStackEmulator(now=lambda: NOW)
    with cloud:
        converse(lambda cs: cs.listZones(), end_point=cloud.end_point, expires=600)

    parameters = cloud.requests[0].parameters
    assert cloud.requests[0].status == 200
    assert (parameters["signatureVersion"], parameters["expires"]) == ("3", "2023-11-14T22:23:20+0000")


def test_a_request_that_comes_too_late_is_refused(converse: Converse) -> None:
    cloud = CloudStackEmulator(now=lambda: NOW + 601)
    with cloud, pytest.raises(CloudStackClientException, match="unable to verify"):
        converse(lambda cs: cs.listZones(), end_point=cloud.end_point, expires=600)


def test_every_attempt_and_every_poll_expires_anew(converse: Converse) -> None:
    with CloudStackEmulator(machines=1, now=lambda: NOW) as cloud:
        cloud.plan_job(polls=2)
        cloud.inject(503, command="queryAsyncJobResult")
        options: dict[str, Any] = {"expires": 60, "async_poll_latency": 10, "plugins": [Retry(base=20)]}
        converse(lambda cs: cs.stopVirtualMachine(id=made_id("vm-0001")), end_point=cloud.end_point, **options)

    assert [request.status for request in cloud.requests] == [200, 503, 200, 200, 200]
    assert len({request.parameters["expires"] for request in cloud.requests}) == 5
    assert len({request.parameters["signature"] for request in cloud.requests}) == 5


@pytest.mark.parametrize("name", ["Expires", "signatureversion", "SIGNATURE"])
def test_a_parameter_that_the_client_signs_with_is_its_own_in_any_case(name: str) -> None:
    transport = FakeTransport([Response(200, body=b'{"listzonesresponse":{}}')])
    with CloudStack(str(URL), "key", "secret", expires=60, transport=transport) as client:
        client.execute("listZones", **{name: "mine"})

    (request,) = transport.requests
    assert "mine" not in dict(request.query).values()
    assert sorted(n for n, _ in request.query) == [
        *("apikey", "command", "expires", "response", "signature", "signatureVersion")
    ]


@pytest.mark.parametrize("expires", [0, 0.5, -1, 901, float("nan"), float("inf"), "600", True])
@pytest.mark.parametrize("client", [CloudStack, AsyncCloudStack])
def test_an_expiry_that_no_server_takes_is_refused(client: Any, expires: Any) -> None:
    with pytest.raises(ConfigurationError, match="expires must be"):
        client(str(URL), "key", "secret", expires=expires)


@pytest.mark.parametrize("algorithm", ["SHA1", "HmacSHA512", "md5", "", None])
@pytest.mark.parametrize("client", [CloudStack, AsyncCloudStack])
def test_an_algorithm_that_no_server_takes_is_refused(client: Any, algorithm: Any) -> None:
    with pytest.raises(ConfigurationError, match="signature_algorithm is 'sha1' or 'sha512'"):
        client(str(URL), "key", "secret", signature_algorithm=algorithm)


def test_the_string_that_was_signed_can_be_looked_at() -> None:
    with CloudStack(str(URL), "key", "secret-canary") as client:
        request = client.execute.request("listZones", keyword="~")

    shown = recipe().canonical(request)

    assert shown == b"apikey=key&command=listzones&keyword=%7e&response=json"


# --- over the wire


@pytest.mark.parametrize("value", ["~", "Of4N~H$JP9", "a b", "+", "ü", "100%", "&=?#", "*", "\n", "🦆"])
def test_every_character_survives_the_wire(cloud: CloudStackEmulator, converse: Converse, value: str) -> None:
    converse(lambda cs: cs.request("listVirtualMachines", keyword=value, tags=[{"key": value, "value": 1}]))

    received = cloud.requests[0]
    assert received.status == 200
    assert received.parameters["keyword"] == received.parameters["tags[0].key"] == value


def test_a_wrong_secret_is_an_error_that_does_not_show_it(cloud: CloudStackEmulator) -> None:
    with (
        CloudStack(cloud.end_point, cloud.api_key, "wrong-canary") as client,
        pytest.raises(CloudStackClientException) as caught,
    ):
        client.listZones()

    assert caught.value.status == caught.value.error_code == 401
    assert "unable to verify user credentials" in str(caught.value)
    assert "canary" not in repr(vars(caught.value)) + repr(vars(client))
