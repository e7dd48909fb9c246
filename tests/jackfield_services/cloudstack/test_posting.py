"""GET or POST (specification 1.3): which is chosen, that parameters stand in one place, and that no secret is shown."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import ConfigurationError, Request, Response, Secret, Url, UsageError
from jackfield.testing import FakeTransport, json_response
from jackfield_services.cloudstack import CloudStack, CloudStackClientException
from jackfield_services.cloudstack._posting import request_of
from jackfield_services.cloudstack._secrecy import masked
from jackfield_services.cloudstack.emulator import CloudStackEmulator

if TYPE_CHECKING:
    from tests.jackfield_services.cloudstack.conftest import Converse

END_POINT = "https://cloud.test/client/api"
URL = Url.parse(END_POINT)
CANARY = "canary-5f3a"


def sent_by(command: str, parameters: dict[str, Any], **options: Any) -> Request:
    transport = FakeTransport([json_response({"xresponse": {}})])
    CloudStack(END_POINT, "key", "secret", transport=transport, **options).execute(command, **parameters)
    return transport.requests[0]


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"zoneid": "1", "keyword": "web"},
        {"tags": [{"key": "owner", "value": "ops"}]},
        {"passworddd": None},
        {"name": "x" * 400},
    ],
)
def test_what_is_short_and_no_secret_is_got(parameters: dict[str, Any]) -> None:
    request = sent_by("listVirtualMachines", parameters)

    assert (request.method, request.body) == ("GET", b"")


@pytest.mark.parametrize(
    "parameters",
    [
        {"password": "x"},
        {"PASSWORD": "x"},
        {"currentpassword": "x"},
        {"userdata": "I2Nsb3VkLWNvbmZpZw=="},
        {"usersecretkey": "x"},
        {"privatekey": "x"},
        {"accesskey": "x"},
        {"ipsecpsk": "x"},
        {"bindpass": "x"},
        {"codefor2fa": "1"},
        {"anything": "-----BEGIN RSA PRIVATE KEY-----"},
        {"details": {"password": "x"}},
        {"details": [{"key": "admin.password", "value": "x"}]},
        {"name": "ldap.bind.password", "value": "x"},
        {"anything": Secret("x")},
    ],
)
def test_what_holds_a_secret_is_posted(parameters: dict[str, Any]) -> None:
    request = sent_by("updateThing", parameters)

    assert request.method == "POST"
    assert (request.query, request.url) == ((), URL)


@pytest.mark.parametrize("method", ["auto", "get", "post"])
@pytest.mark.parametrize("size", [10, 5000])
def test_what_is_long_is_posted_unless_it_is_said_otherwise(method: str, size: int) -> None:
    request = sent_by("updateThing", {"displaytext": "x" * size}, method=method)

    posted = method == "post" or (method == "auto" and size > 2000)
    assert request.method == ("POST" if posted else "GET")


@pytest.mark.parametrize(
    ("text", "posted"), [("x" * 1700, False), ("x" * 1900, True), ("/" * 700, True), ("☁" * 250, True)]
)
def test_what_is_long_is_measured_as_it_is_encoded(text: str, posted: bool) -> None:
    request = request_of(URL, [("displaytext", text)], "auto", secret=False, idempotent=False)

    assert (request.method == "POST") is posted


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=700))
def test_no_query_of_a_get_is_longer_than_the_least_that_proxies_take(text: str) -> None:
    request = request_of(URL, [("displaytext", text)], "auto", secret=False, idempotent=False)

    if request.method == "GET":
        assert len(request.target) < 1850
    else:
        assert isinstance(request.body, bytes)
        assert len(request.body) > 1800


@pytest.mark.parametrize("command", ["listVirtualMachines", "deployVirtualMachine"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_reads_may_be_sent_twice_whatever_the_method(command: str, method: str) -> None:
    request = sent_by(command, {}, method=method)

    assert request.is_idempotent is command.startswith("list")


def test_a_form_holds_every_parameter_and_the_url_none(converse: Converse) -> None:
    transport = FakeTransport([json_response({"xresponse": {}})])

    converse(
        lambda cs: cs.execute("updateUser", id="1", password="ä ~*+&=", expires=None), transport=transport, expires=60
    )

    (request,) = transport.requests
    assert isinstance(request.body, bytes)
    form = parse_qsl(request.body.decode(), keep_blank_values=True)
    assert sorted(name for name, _ in form) == sorted(
        ["id", "password", "apikey", "command", "response", "signature", "signatureVersion", "expires"]
    )
    assert dict(form)["password"] == "ä ~*+&="
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.target == "/client/api"


def test_a_server_takes_what_is_posted(converse: Converse, cloud: CloudStackEmulator) -> None:
    result = converse(lambda cs: cs.createSSHKeyPair(name="~ä +*", password=CANARY))

    assert result["keypair"]["name"] == "~ä +*"
    assert [request.http_method for request in cloud.requests] == ["POST"]


def test_what_is_posted_and_reads_is_tried_again(converse: Converse, cloud: CloudStackEmulator) -> None:
    cloud.inject(503, times=2)

    assert converse(lambda cs: cs.listZones(), method="post")["count"] == 2
    assert [request.http_method for request in cloud.requests] == ["POST"] * 3


def test_what_is_posted_and_changes_is_not(converse: Converse, cloud: CloudStackEmulator) -> None:
    cloud.inject(503)

    with pytest.raises(CloudStackClientException):
        converse(lambda cs: cs.createSSHKeyPair(name="x"), method="post")

    assert len(cloud.requests) == 1


def test_a_server_that_takes_changes_by_post_only_gets_them_so() -> None:
    with CloudStackEmulator(enforce_post=True) as cloud:
        keys = (cloud.end_point, cloud.api_key, cloud.api_secret)
        with CloudStack(*keys, expires=60) as plain, pytest.raises(CloudStackClientException) as caught:
            plain.createSSHKeyPair(name="x")
        with CloudStack(*keys, expires=60, method="post") as posting:
            assert posting.createSSHKeyPair(name="x")["keypair"]["name"] == "x"

    assert 'method="post"' in "".join(caught.value.__notes__)


def test_the_integration_port_is_never_posted_to() -> None:
    transport = FakeTransport([json_response({"xresponse": {}})])

    CloudStack(END_POINT, transport=transport).execute("updateUser", id="1", password="x" * 3000)

    (request,) = transport.requests
    assert (request.method, request.body) == ("GET", b"")
    assert {name for name, _ in request.query} == {"id", "password", "command", "response"}
    with pytest.raises(ConfigurationError, match="GET only"):
        CloudStack(END_POINT, method="post")


@pytest.mark.parametrize("method", ["GET", "put", "", None, 5])
def test_another_method_is_refused(method: Any) -> None:
    with pytest.raises(ConfigurationError, match="'auto', 'get' or 'post'"):
        CloudStack(END_POINT, "key", "secret", method=method)


@pytest.mark.parametrize("method", ["auto", "get", "post"])
@pytest.mark.parametrize("keyless", [False, True])
def test_no_secret_is_shown_in_errors_explanations_and_logs(
    method: Any, keyless: bool, caplog: pytest.LogCaptureFixture
) -> None:
    if keyless and method == "post":
        return
    caplog.set_level(logging.DEBUG)
    api_key, api_secret = (None, None) if keyless else ("key", f"{CANARY}-secret")
    refused = json_response({"xresponse": {"errorcode": 401, "errortext": "no"}}, 401)
    client = CloudStack(
        END_POINT, api_key, api_secret, method=method, transport=FakeTransport([refused]), plugins=["logging"]
    )
    parameters = {"id": "1", "password": CANARY, "userdata": CANARY, "details": {"password": CANARY}}

    with pytest.raises(CloudStackClientException) as caught:
        client.request("updateUser", **parameters)
    told = str(client.request.explain("updateUser", **parameters))

    shown = [
        told,
        "".join(traceback.format_exception(caught.value)),
        repr(vars(caught.value)),
        caplog.text,
        repr(client),
    ]
    assert all(CANARY not in text for text in shown)
    assert "password=***" in told
    assert "updateUser" in caplog.text


@pytest.mark.parametrize("secret", [CANARY, 'quo"ted-5f3a', "ümlaut-5f3a"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_server_that_repeats_a_secret_in_its_error_is_not_believed_to_be_discreet(secret: str, wrapped: bool) -> None:
    text = f"Invalid parameter password value={secret} due to its length"
    said = json_response({"xresponse": {"errorcode": 431, "errortext": text}}, 431, {"X-Description": "canary-5f3a"})
    client = CloudStack(END_POINT, "key", "secret", transport=FakeTransport([said]))
    named: dict[str, Any] = {"name": "ldap.bind.password", "value": secret}
    given = {"anything": Secret(secret)} if wrapped else named

    with pytest.raises(CloudStackClientException) as caught:
        client.request("updateUser", id="1", **given)

    assert caught.value.error_text == "Invalid parameter password value=*** due to its length"
    assert caught.value.response is not None
    assert b"5f3a" not in caught.value.response.content
    assert "x-description" not in caught.value.response.headers


def test_a_short_secret_does_not_make_an_error_unreadable() -> None:
    said = json_response({"xresponse": {"errorcode": 431, "errortext": "password too short"}}, 431)
    client = CloudStack(END_POINT, "key", "secret", transport=FakeTransport([said]))

    with pytest.raises(CloudStackClientException, match="password too short"):
        client.request("updateUser", password="s")


def test_an_explanation_shows_the_names_in_a_form() -> None:
    told = str(CloudStack(END_POINT, "key", "secret").request.explain("updateUser", id="1", password=CANARY))

    assert f"POST {END_POINT}\n" in told
    assert "form: id=***&password=***&apikey=***&command=updateUser&response=json" in told


@pytest.mark.parametrize("method", ["auto", "get", "post"])
def test_half_of_a_surrogate_pair_is_refused_whatever_the_method(method: Any) -> None:
    client = CloudStack(END_POINT, "key", "secret", method=method, transport=FakeTransport())

    with pytest.raises(UsageError, match="surrogate pair"):
        client.request("updateUser", password="\ud800")


def test_a_secret_that_begins_like_another_is_masked_to_its_end() -> None:
    answer = masked(Response(431, {"X-Description": "secret-1234"}, b"secret-1234, secret"), ["secret", "secret-1234"])

    assert answer.content == b"***, ***"
    assert "x-description" not in answer.headers


def test_without_a_secret_an_answer_stays_as_it_is() -> None:
    answer = Response(431, {"X-Description": "no"}, b"no")

    assert masked(answer, ["abc"]) is answer  # too short to be looked for
