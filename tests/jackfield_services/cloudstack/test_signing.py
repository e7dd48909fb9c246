"""Signing, held against published vectors, the specification's table, and the emulator's own verifier."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import ConfigurationError, Request, Response, Secret, Url, UsageError
from jackfield.testing import FakeTransport, VirtualSyncRuntime
from jackfield_plugins.retry import Retry
from jackfield_plugins.signing import HmacRecipe, HmacVerifier, Message
from jackfield_services.cloudstack import (
    AsyncCloudStack,
    CloudStack,
    CloudStackClientException,
    CloudStackParameterError,
    CloudStackUnauthorizedError,
)
from jackfield_services.cloudstack._parameters import flatten
from jackfield_services.cloudstack._secrecy import is_harmless
from jackfield_services.cloudstack._signing import recipe, string_to_sign
from jackfield_services.cloudstack.emulator import CloudStackEmulator
from jackfield_services.cloudstack.emulator._signature import string_to_sign as server_string
from jackfield_services.cloudstack.emulator._signature import verified

if TYPE_CHECKING:
    from tests.jackfield_services.cloudstack.conftest import Converse


VECTORS = Path(__file__).parents[2] / "vectors" / "cloudstack_hmac_sha1.json"
URL = Url.parse("https://cloud.test/client/api")
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text())["cases"]

FORM = "application/x-www-form-urlencoded"
NOW = 1_700_000_000.0  # when virtual time starts
METHODS: list[Literal["auto", "get", "post"]] = ["auto", "get", "post"]
Make: TypeAlias = Callable[[Mapping[str, str]], Request]
ALGORITHMS: list[Literal["sha1", "sha512"]] = ["sha1", "sha512"]


def body_of(request: Request) -> bytes:
    assert isinstance(request.body, bytes)
    return request.body


def wire(request: Request) -> dict[str, str]:
    """The parameters of a request, wherever they stand, which is one place."""
    form = parse_qsl(body_of(request).decode(), keep_blank_values=True)
    assert not (form and request.query)
    return dict(form or request.query)


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=[chr(c) for c in range(32)] + ["\x7f"]))
names = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}(\[[0-9]{1,2}\]\.[A-Za-z]{1,5})?", fullmatch=True)


def by_get(parameters: Mapping[str, str]) -> Request:
    return Request("GET", URL, query=parameters)


def by_post(parameters: Mapping[str, str]) -> Request:
    return Request("POST", URL, headers={"content-type": FORM}, body=urlencode(parameters).encode())


def checked(request: Request, recipe: HmacRecipe, secret: str, now: float | None = None) -> None:
    assert isinstance(request.body, bytes)
    HmacVerifier(recipe, secret).check(Message.of(request), request.body, now)


BY_BOTH = pytest.mark.parametrize("made", [by_get, by_post], ids=["get", "post"])


@BY_BOTH
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["params"]["command"])
def test_signs_as_the_published_clients_do_where_those_are_right(case: dict[str, Any], made: Make) -> None:
    request, signed = made(case["params"]), made({**case["params"], "signature": case["signature"]})

    assert recipe().canonical(request).decode() == case["string_to_sign"]
    assert recipe().canonical(signed).decode() == case["string_to_sign"]
    checked(signed, recipe(), case["secret"])


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["params"]["command"])
def test_a_client_sends_the_published_signature(case: dict[str, Any], method: Literal["get", "post"]) -> None:
    given = {name: value for name, value in case["params"].items() if name not in ("command", "apiKey", "response")}
    with CloudStack(str(URL), case["params"]["apiKey"], case["secret"], method=method) as client:
        request = client.execute.request(case["params"]["command"], **given)

    # We send "apikey", which stands among these names where "apiKey" does, and is signed in lower case as that is.
    assert wire(request)["signature"] == case["signature"]
    assert (request.method, bool(request.query)) == (method.upper(), method == "get")


def test_signs_as_the_example_of_the_vendors_guide() -> None:
    secret = "VDaACYb0LV9eNjTetIOElcVQkvJck_J_QljX_FcHRj87ZKiy0z0ty0ZsYBkoXkY9b7eq1EhwJaw7FF3akA3KBQ"
    key = "plgWJfZK4gyS3mOMTVmjUVg-X-jlWlnfaUJ9GAbBbf9EdM-kAYMmAiLqzzq1ElZLYq_u38zCm0bewzGUdP66mg"
    query = [("command", "listUsers"), ("response", "json"), ("apiKey", key)]
    signed = dict([*query, ("signature", "TTpdDq/7j/J58XCRHomKoQXEQds=")])

    for request in (by_get(signed), by_post(signed)):
        checked(request, recipe(), secret)
    with CloudStack(str(URL), key, secret) as client:
        assert wire(client.execute.request("listUsers"))["signature"] == signed["signature"]


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
    for request in (Request("GET", URL, query=query), by_post(dict(query))):
        assert recipe().canonical(request).decode() == canonical


def plain_name(pair: tuple[str, Any]) -> str:
    return pair[0].partition("[")[0].lower()


def told_apart(entries: Mapping[str, str]) -> bool:
    return len({name.lower() for name in entries}) == len(entries)


VALUES = st.one_of(
    text,
    st.integers(),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.none(),
    st.lists(text.filter(lambda item: "," not in item), max_size=3),
    st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9.]{0,6}", fullmatch=True), text, max_size=3).filter(told_apart),
    st.lists(st.fixed_dictionaries({"key": text, "value": text}), max_size=3),
)
PARAMETERS = st.lists(st.tuples(names, VALUES), max_size=6, unique_by=plain_name)
SECRETS = text.filter(lambda secret: secret != "" and secret == secret.strip())


@given(
    PARAMETERS,
    SECRETS,
    st.sampled_from(ALGORITHMS),
    st.sampled_from([None, 1, 600.5, 900]),
    st.sampled_from(METHODS),
)
@settings(deadline=None, max_examples=100)
def test_whatever_is_sent_the_server_accepts_the_signature(
    parameters: list[tuple[str, Any]],
    secret: str,
    algorithm: Literal["sha1", "sha512"],
    expires: float | None,
    method: Literal["auto", "get", "post"],
) -> None:
    transport = FakeTransport(otherwise=Response(200, body=b'{"listzonesresponse":{}}'))
    options: dict[str, Any] = {"signature_algorithm": algorithm, "expires": expires, "method": method}
    with CloudStack(
        str(URL), "the key", secret, transport=transport, runtime=VirtualSyncRuntime(), **options
    ) as client:
        client.execute("listZones", **dict(parameters))
    (request,) = transport.requests
    sent = wire(request)

    assert verified(sent, "the key", secret, NOW, algorithm)
    assert not verified({**sent, "command": "destroyVirtualMachine"}, "the key", secret, NOW, algorithm)
    checked(request, recipe(algorithm, expires), secret, NOW)


@pytest.mark.parametrize("colour", ["sync", "async"])
@given(st.lists(PARAMETERS, min_size=1, max_size=5), st.sampled_from(METHODS), st.sampled_from([None, 600]))
@settings(deadline=None, max_examples=25)
def test_whatever_goes_over_a_socket_the_emulator_accepts_the_signature_and_reads_what_was_meant(
    emulator: CloudStackEmulator,
    colour: str,
    calls: list[list[tuple[str, Any]]],
    method: Literal["auto", "get", "post"],
    expires: float | None,
) -> None:
    keys = (emulator.end_point, emulator.api_key, emulator.api_secret)
    before = len(emulator.requests)

    async def awaited() -> None:
        async with AsyncCloudStack(*keys, method=method, expires=expires) as client:
            for parameters in calls:
                with contextlib.suppress(CloudStackParameterError):
                    await client.execute("listHypervisors", **dict(parameters))

    if colour == "async":
        asyncio.run(awaited())
    else:
        with CloudStack(*keys, method=method, expires=expires) as client:
            for parameters in calls:
                with contextlib.suppress(CloudStackParameterError):
                    client.execute("listHypervisors", **dict(parameters))

    received = emulator.requests[before:]
    assert len(received) == len(calls)
    for request, parameters in zip(received, calls, strict=True):
        assert request.status != 401
        meant = dict(flatten(dict(parameters)))
        assert {name: request.parameters[name] for name in meant} == meant


@pytest.fixture(scope="module")
def emulator() -> Iterator[CloudStackEmulator]:
    with CloudStackEmulator() as running:
        yield running


@given(st.text(min_size=1), st.sampled_from(["\ud800", "\udfff", "\ud83d"]), st.booleans())
@settings(deadline=None, max_examples=50)
def test_half_of_a_surrogate_pair_is_refused_before_anything_is_sent(around: str, half: str, in_name: bool) -> None:
    transport = FakeTransport()
    with CloudStack(str(URL), "key", "secret", transport=transport) as client, pytest.raises(UsageError):
        client.execute("listZones", **({"a" + half: "x"} if in_name else {"a": half + around}))

    assert transport.requests == []


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_one_recipe_verifies_what_the_server_verifies(data: st.DataObject) -> None:
    client = CloudStack(str(URL), "key", "secret", expires=60, runtime=VirtualSyncRuntime())
    query = list(client.execute.request("listZones", keyword="aZ ~").query)
    number = data.draw(st.integers(0, len(query) - 1))
    name, value = query[number]
    query[number] = data.draw(st.sampled_from([(name, value.lower()), (name, value + "x"), (name.title(), value)]))
    now = data.draw(st.sampled_from([NOW, NOW + 60, NOW + 61]))

    request = data.draw(st.sampled_from([by_get, by_post]))(dict(query))

    accepted = verified(dict(query), "key", "secret", now)
    assert HmacVerifier(recipe(expires=60), "secret").verify(Message.of(request), body_of(request), now) == accepted


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
        converse(lambda cs: cs.stopVirtualMachine(id=cloud.machine_id(1)), end_point=cloud.end_point, **options)

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
    with pytest.raises(ConfigurationError, match="signature_algorithm is 'sha1', 'sha512' or 'auto'"):
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


# --- what was signed, for those who debug

LOGGER = "jackfield.cloudstack"
VISIBLE = frozenset({"command", "response"})


def test_what_was_signed_is_logged_when_the_server_refuses_it(
    cloud: CloudStackEmulator, converse: Converse, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, LOGGER)
    cloud.signature_algorithm = "sha512"

    with pytest.raises(CloudStackUnauthorizedError):
        converse(lambda cs: cs.execute("listZones", zoneid="a ~"))

    (record,) = [record for record in caplog.records if record.name == LOGGER]
    signed = cloud.requests[0].string_to_sign
    assert record.levelno == logging.DEBUG
    assert record.getMessage() == f"the server answered 401; by sha1 this was signed: {signed}"
    assert "zoneid=a%20%7e" in signed


@pytest.mark.parametrize("method", ["get", "post"])
def test_no_secret_is_in_what_is_logged(
    cloud: CloudStackEmulator, converse: Converse, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    caplog.set_level(logging.DEBUG)
    cloud.signature_algorithm = "sha512"
    secrets: dict[str, Any] = {
        "password": "canary",
        "UserData": "canary",
        "usersecretkey": "canary",
        "value": "canary",
        "details": [{"key": "secretkey", "value": "canary"}, {"sshPassword": "canary"}],
        "certificate": "-----BEGIN PRIVATE KEY-----canary",
        "keyword": Secret("canary"),
        "tags": {"x": "canary"},
        "passwd": "canary",
        "url": "cifs://host/share?password=canary",
    }

    with pytest.raises(CloudStackUnauthorizedError):
        converse(lambda cs: cs.execute("updateHost", **secrets, zoneid="shown"), method=method)

    assert "canary" not in caplog.text
    assert "password=***" in caplog.text
    assert "&details[0].value=***&details[1].sshpassword=***" in caplog.text
    assert "zoneid=shown" in caplog.text


def test_nothing_is_logged_unless_it_is_asked_for_or_where_nothing_is_wrong(
    cloud: CloudStackEmulator, converse: Converse, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, LOGGER)
    converse(lambda cs: cs.execute("listZones"))
    cloud.inject(431)
    with pytest.raises(CloudStackParameterError):
        converse(lambda cs: cs.execute("listZones"))
    caplog.set_level(logging.INFO, LOGGER)
    cloud.signature_algorithm = "sha512"
    with pytest.raises(CloudStackUnauthorizedError):
        converse(lambda cs: cs.execute("listZones"))

    assert not [record for record in caplog.records if record.name == LOGGER]


@given(PARAMETERS, st.sampled_from(METHODS), st.sampled_from([None, 600]))
@settings(deadline=None, max_examples=100)
def test_what_would_be_logged_is_what_the_emulator_signs_but_for_secrets(
    parameters: list[tuple[str, Any]], method: Any, expires: float | None
) -> None:
    client = CloudStack(str(URL), "key", "secret", method=method, expires=expires, runtime=VirtualSyncRuntime())
    request = client.execute.request("listZones", **dict(parameters))
    hidden = {name: value if is_harmless(name, value, VISIBLE) else "***" for name, value in wire(request).items()}

    assert string_to_sign(recipe(expires=expires), request, VISIBLE) == server_string(hidden)
