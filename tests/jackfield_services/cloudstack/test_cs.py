"""The names of `cs`: what its users write does here what it did there, and its defects are mended."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
from tests.servers.certificates import Authority

from jackfield import ConfigurationError, JobFailedError, UsageError
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime, json_response
from jackfield_plugins.retry import Retry
from jackfield_services.cloudstack import CloudStackParameterError, _discovery
from jackfield_services.cloudstack.cs import (
    AIOCloudStack,
    CloudStack,
    CloudStackApiException,
    CloudStackException,
    read_config,
)
from jackfield_services.cloudstack.emulator import CloudStackEmulator, JobOutcome
from jackfield_services.cloudstack.models import VirtualMachine

END_POINT = "https://cloud.test/client/api"


class Talk(Protocol):
    def __call__(self, what: Callable[[Any], Any], **options: Any) -> Any: ...


ANY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def cloud() -> Iterator[CloudStackEmulator]:
    with CloudStackEmulator(machines=1200, now=VirtualSyncRuntime().now) as running:
        yield running


@pytest.fixture(params=["sync", "async"])
def talk(request: pytest.FixtureRequest, cloud: CloudStackEmulator) -> Talk:
    """`talk(lambda cs: cs.listZones(), **options)`, once for each colour."""

    def plain(what: Callable[[Any], Any], **options: Any) -> Any:
        given: dict[str, Any] = {
            "endpoint": cloud.end_point,
            "key": cloud.api_key,
            "secret": cloud.api_secret,
            **options,
        }
        with CloudStack(runtime=VirtualSyncRuntime(), **given) as cs:
            return what(cs)

    def awaited(what: Callable[[Any], Any], **options: Any) -> Any:
        given: dict[str, Any] = {
            "endpoint": cloud.end_point,
            "key": cloud.api_key,
            "secret": cloud.api_secret,
            **options,
        }

        async def main() -> Any:
            async with AIOCloudStack(runtime=VirtualAsyncioRuntime(), **given) as cs:
                return await what(cs)

        return asyncio.run(main())

    return plain if request.param == "sync" else awaited


def asked(cloud: CloudStackEmulator) -> list[str]:
    return [request.command for request in cloud.requests]


def deployment(cloud: CloudStackEmulator) -> dict[str, str]:
    with CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret) as cs:
        zone = cs.listZones()["zone"][0]["id"]
    return {"zoneid": zone, "serviceofferingid": ANY, "templateid": ANY, "name": "new"}


# --- calls


def test_a_call_is_one_exchange(cloud: CloudStackEmulator, talk: Talk) -> None:
    answer = talk(lambda cs: cs.listVirtualMachines())

    assert (answer["count"], len(answer["virtualmachine"])) == (1200, 500)
    assert asked(cloud) == ["listVirtualMachines"]


@pytest.mark.parametrize("count", ["total", "page"])
def test_fetch_list_gives_every_item_whatever_count_means(cloud: CloudStackEmulator, talk: Talk, count: Any) -> None:
    cloud.count = count

    machines: list[Any] = talk(lambda cs: cs.listVirtualMachines(fetch_list=True))

    assert len({machine["id"] for machine in machines}) == 1200
    assert len(cloud.requests) == 3


def test_fetch_list_of_nothing_is_an_empty_list(talk: Talk) -> None:
    assert talk(lambda cs: cs.listVirtualMachines(name="nobody", fetch_list=True)) == []


def test_a_page_alone_is_given_a_size(cloud: CloudStackEmulator, talk: Talk) -> None:
    answer = talk(lambda cs: cs.listVirtualMachines(page=3))

    assert len(answer["virtualmachine"]) == 200
    assert cloud.requests[0].parameters["pagesize"] == "500"


def test_names_are_taken_in_any_case_and_values_of_any_kind(cloud: CloudStackEmulator, talk: Talk) -> None:
    talk(
        lambda cs: cs.listVirtualMachines(PageSize=2, PAGE=1, listall=True, tags=[{"key": "a", "value": 1}], name=None)
    )

    sent = cloud.requests[0].parameters
    assert (sent["listall"], sent["tags[0].key"], sent["tags[0].value"]) == ("true", "a", "1")
    assert "name" not in sent


def test_a_job_is_started_and_waited_for_only_if_asked(cloud: CloudStackEmulator, talk: Talk) -> None:
    order = deployment(cloud)

    started = talk(lambda cs: cs.deployVirtualMachine(**order))
    result = talk(lambda cs: cs.deployVirtualMachine(**order, fetch_result=True))

    assert set(started) == {"id", "jobid"}
    assert result["virtualmachine"]["name"] == "new"


def test_waiting_may_be_the_usual(cloud: CloudStackEmulator, talk: Talk) -> None:
    order = deployment(cloud)

    assert "virtualmachine" in talk(lambda cs: cs.deployVirtualMachine(**order), fetch_result=True)
    assert "jobid" in talk(lambda cs: cs.deployVirtualMachine(**order, fetch_result=False), fetch_result=True)


def test_polls_wait_as_long_as_they_are_told_to(cloud: CloudStackEmulator) -> None:
    order, runtime = deployment(cloud), VirtualSyncRuntime()
    cloud.plan_job(polls=2)

    with CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret, poll_interval="0.5", runtime=runtime) as cs:
        cs.deployVirtualMachine(**order, fetch_result=True)

    assert runtime.sleeps == [0.5, 0.5, 0.5]


def test_fetch_list_begins_at_the_first_page_whatever_page_is_asked_for(cloud: CloudStackEmulator, talk: Talk) -> None:
    machines = talk(lambda cs: cs.listVirtualMachines(fetch_list=True, Page=2, pagesize=500))

    assert len({machine["id"] for machine in machines}) == 1200


def test_a_result_that_is_text_is_given_as_it_is() -> None:
    done = {"jobstatus": 1, "jobresultcode": 0, "jobresulttype": "text", "jobresult": "hello"}
    answers = [json_response({"x": {"jobid": "1"}}), json_response({"y": done})]

    with CloudStack(END_POINT, transport=FakeTransport(answers), runtime=VirtualSyncRuntime()) as cs:
        assert cs.addHost(fetch_result=True) == "hello"


def test_parameters_go_by_name(talk: Talk) -> None:
    with pytest.raises(TypeError, match=r"listZones\(\) takes parameters by name"):
        talk(lambda cs: cs.listZones("zone-1"))


def test_headers_of_client_and_call_are_sent_together(cloud: CloudStackEmulator, talk: Talk) -> None:
    talk(lambda cs: cs.listZones(headers={"X-Call": "2"}), headers={"X-Client": "1", "X-Call": "1"})
    talk(lambda cs: cs.listVirtualMachines(fetch_list=True, headers={"x-call": "3"}))

    assert [request.headers.get("x-call") for request in cloud.requests] == ["2", "3", "3", "3"]
    assert cloud.requests[0].headers["x-client"] == "1"


def test_json_may_be_left_out(talk: Talk) -> None:
    text = talk(lambda cs: cs.listZones(json=False))

    assert text.startswith("<?xml")
    assert "listzonesresponse" in text


def test_requests_expire_after_ten_minutes_unless_told_otherwise() -> None:
    transport = FakeTransport(otherwise=json_response({"x": {}}))
    for expiration in (600, "60", timedelta(seconds=30), -1, timedelta(seconds=-1), 7200):
        with CloudStack(
            END_POINT, "k", "s", transport=transport, runtime=VirtualSyncRuntime(), expiration=expiration
        ) as cs:
            cs.listZones()

    sent = [dict(request.query) for request in transport.requests]
    assert [query.get("signatureVersion") for query in sent] == ["3", "3", "3", None, None, "3"]
    assert sent[3].get("expires") is None
    first, second = sent[0]["expires"], sent[5]["expires"]
    assert (first[-5:], second[-5:]) == ("+0000", "+0000")
    assert first[:16] < second[:16]  # 10 minutes and 15


def test_without_keys_nothing_is_signed() -> None:
    transport = FakeTransport(otherwise=json_response({"x": {}}))

    with CloudStack(END_POINT, transport=transport) as cs:
        cs.listZones()

    (request,) = transport.requests
    assert set(dict(request.query)) == {"command", "response"}


@pytest.mark.parametrize(("method", "sent"), [("get", "GET"), ("POST", "POST"), ("auto", "GET")])
def test_the_method_is_chosen(method: str, sent: str) -> None:
    transport = FakeTransport(otherwise=json_response({"x": {}}))

    with CloudStack(END_POINT, "k", "s", transport=transport, method=method) as cs:
        cs.listZones()

    assert [request.method for request in transport.requests] == [sent]


@pytest.mark.parametrize(
    ("retry", "command", "attempts"), [(0, "listZones", 1), ("2", "listZones", 3), (2, "addHost", 1)]
)
def test_only_what_reads_is_tried_again_and_only_if_asked(retry: Any, command: str, attempts: int) -> None:
    transport = FakeTransport(otherwise=json_response({}, 503))
    runtime = VirtualSyncRuntime()

    cs = CloudStack(END_POINT, "k", "s", transport=transport, retry=retry, retry_backoff="2", runtime=runtime)
    with cs, pytest.raises(CloudStackException):
        getattr(cs, command)()

    assert len(transport.requests) == attempts
    assert all(wait <= 2 * 2**number for number, wait in enumerate(runtime.sleeps))


# --- errors


def test_an_error_of_the_api_has_the_words_of_the_api(talk: Talk) -> None:
    with pytest.raises(CloudStackApiException) as caught:
        talk(lambda cs: cs.deployVirtualMachine())

    error = caught.value
    assert error.args == ("HTTP 431 response from CloudStack",)
    assert (error.error["errorcode"], error.error["cserrorcode"]) == (431, 9999)
    assert str(error).startswith("HTTP 431 response from CloudStack, error: {")
    assert error.response is not None
    assert error.response.status == 431
    assert isinstance(error, CloudStackException)
    assert isinstance(error.__cause__, CloudStackParameterError)


def test_a_failed_job_is_an_error_of_the_api(cloud: CloudStackEmulator, talk: Talk) -> None:
    order = deployment(cloud)
    cloud.plan_job(outcome=JobOutcome.FAILED)

    with pytest.raises(CloudStackApiException) as caught:
        talk(lambda cs: cs.deployVirtualMachine(**order, fetch_result=True))

    assert caught.value.args == ("Job failure",)
    assert set(caught.value.error) >= {"errorcode", "errortext"}
    assert isinstance(caught.value.__cause__, JobFailedError)


def test_a_job_that_takes_too_long_names_itself(cloud: CloudStackEmulator, talk: Talk) -> None:
    order = deployment(cloud)
    cloud.plan_job(outcome=JobOutcome.NEVER)

    with pytest.raises(CloudStackException) as caught:
        talk(lambda cs: cs.deployVirtualMachine(**order, fetch_result=True), job_timeout="30")

    assert not isinstance(caught.value, CloudStackApiException)
    assert caught.value.args == ("Timeout waiting for async job result", cloud.requests[-1].parameters["jobid"])
    assert "Timeout waiting" in str(caught.value)
    assert caught.value.response is not None
    assert caught.value.response.status == 408


def test_what_is_not_cloudstacks_is_an_error_with_the_answer(cloud: CloudStackEmulator, talk: Talk) -> None:
    cloud.inject(502)

    with pytest.raises(CloudStackException) as caught:
        talk(lambda cs: cs.listZones())

    assert not isinstance(caught.value, CloudStackApiException)
    assert caught.value.response is not None
    assert caught.value.response.status == 502
    assert any("a proxy in front" in note for note in caught.value.__notes__)
    assert any("listZones" in note for note in caught.value.__notes__)


def test_an_error_in_xml_is_given_as_text(talk: Talk) -> None:
    with pytest.raises(CloudStackApiException) as caught:
        talk(lambda cs: cs.deployVirtualMachine(json=False))

    assert "<errorcode>431</errorcode>" in caught.value.error


def test_exceptions_are_made_as_in_cs() -> None:
    plain = CloudStackException("a", "b", response=None)
    api = CloudStackApiException("a", error={"errorcode": 1})

    assert (plain.args, str(CloudStackException("a"))) == (("a", "b"), "a")
    assert str(api) == "a, error: {'errorcode': 1}"
    assert str(CloudStackApiException(error=1)) == "CloudStackApiException, error: 1"
    assert str(CloudStackException()) == ""


# --- how a client is made


def test_cs_arguments_in_their_order(cloud: CloudStackEmulator) -> None:
    cs = CloudStack(END_POINT, "k", "s", 10, "get", None, None, None, "lab", 0, 0.5, None, 2.0, 600, False, False)
    with cs:
        assert (cs.endpoint, cs.key, cs.name, cs.fetch_result) == (END_POINT, "k", "lab", False)
        assert cs.secret is not None
        assert cs.secret.reveal() == "s"
        assert repr(cs) == "<CloudStack: lab>"
    assert repr(AIOCloudStack(END_POINT)) == f"<AIOCloudStack: {END_POINT}>"


def test_arguments_can_be_read_and_some_of_them_changed() -> None:
    with CloudStack(END_POINT, "k", "s", "7", "POST", retry="2", expiration=60, headers={"a": "b"}) as cs:
        assert (cs.timeout, cs.method, cs.verify, cs.cert, cs.retry, cs.retry_backoff) == (
            7,
            "post",
            True,
            None,
            2,
            0.5,
        )
        assert (cs.expiration, cs.trace, cs.headers) == (timedelta(minutes=1), False, {"a": "b"})
        cs.poll_interval = 9
        assert (cs.poll_interval, cs.async_poll_latency) == (9, 9)
        for name in ("timeout", "method", "key", "secret", "endpoint"):
            with pytest.raises(
                AttributeError, match=rf"{name} is told when the client is made: CloudStack\(…, {name}=…"
            ):
                setattr(cs, name, "x")
        with pytest.raises(AttributeError, match="session"):
            _ = cs.session


def test_configuration_is_handed_on(cloud: CloudStackEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ENDPOINT": cloud.end_point,
        "KEY": cloud.api_key,
        "SECRET": cloud.api_secret,
        "RETRY": "1",
    }.items():
        monkeypatch.setenv(f"CLOUDSTACK_{name}", value)

    with CloudStack(**read_config()) as cs:
        assert cs.listZones()["count"] == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"timeout": "soon"}, "timeout must be a number of seconds"),
        ({"retry": -1}, "retry must be a whole number"),
        ({"method": "put"}, "method must be auto or get or post"),
        ({"cert": "/nowhere/c.pem"}, "cert='/nowhere/c.pem'"),
        ({"cert": ("/nowhere/c.pem", "/nowhere/k.pem")}, "cert='/nowhere/c.pem'"),
        ({"cert_key": "k.pem"}, "cert_key is set, and `cert`"),
        ({"verify": "/nowhere/ca.pem"}, "verify='/nowhere/ca.pem'"),
        ({"session": object()}, "session is of another library"),
        ({"secret": None}, "api_secret is missing"),
        ({"endpoint": "cloud.test"}, "scheme"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(change: dict[str, Any], says: str) -> None:
    arguments: dict[str, Any] = {"endpoint": END_POINT, "key": "k", "secret": "canary", **change}

    with pytest.raises(UsageError, match=says) as caught:
        CloudStack(**arguments)

    assert isinstance(caught.value, ConfigurationError) or "scheme" in says
    assert "canary" not in str(caught.value)


def test_a_pair_of_certificate_and_key_is_both(tmp_path: Path) -> None:
    whole = str(Authority().issue("a-client.test").file(tmp_path))

    CloudStack(END_POINT, cert=(whole, whole)).close()
    CloudStack(END_POINT, cert=whole).close()
    with pytest.raises(ConfigurationError, match="has no certificate with its key"):
        CloudStack(END_POINT, cert=(whole, "/nowhere/key.pem"))


def test_tls_is_not_verified_only_on_demand() -> None:
    with pytest.warns(RuntimeWarning, match="verify=False"):
        CloudStack(END_POINT, dangerous_no_tls_verify=True).close()
    CloudStack(END_POINT, verify=True, dangerous_no_tls_verify=True).close()
    CloudStack(END_POINT, verify=False, trace="").close()  # in cs, too, that says nothing


def test_the_clients_of_this_package_are_underneath(cloud: CloudStackEmulator) -> None:
    with CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret, plugins=[Retry()]) as cs:
        first = next(iter(cs.listing.all("listVirtualMachines", into=VirtualMachine)))
        everything = cs.request("listVirtualMachines")
        cs.commands()
        assert "zoneid" in (cs.listVirtualMachines.__doc__ or "")
    _discovery._known.clear()

    assert isinstance(first, VirtualMachine)
    assert everything["count"] == 1200


def test_private_names_are_no_commands() -> None:
    with CloudStack(END_POINT) as cs:
        for name in ("_private", "__deepcopy__"):
            with pytest.raises(AttributeError, match=name):
                getattr(cs, name)


def test_an_async_client_is_closed_by_its_own_word(cloud: CloudStackEmulator) -> None:
    async def main() -> int:
        cs = AIOCloudStack(cloud.end_point, cloud.api_key, cloud.api_secret)
        count: int = (await cs.listZones())["count"]
        await cs.close()
        with pytest.raises(Exception, match="closed"):
            await cs.listZones()
        return count

    assert asyncio.run(main()) == 2


def test_opcode_names_are_for_other_services(talk: Talk) -> None:
    with pytest.raises(Exception, match="opcode_name is 'command'"):
        talk(lambda cs: cs.listZones(opcode_name="operation"))


# --- trace


def test_a_trace_is_on_standard_error_and_holds_no_secret(
    cloud: CloudStackEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", told := io.StringIO())
    cloud.inject(503, command="listZones")

    with CloudStack(
        cloud.end_point, cloud.api_key, cloud.api_secret, trace=True, retry=1, headers={"x-auth-token": "canary"}
    ) as cs:
        cs.listZones(name="canary")

    lines = told.getvalue()
    assert "command=listZones" in lines
    assert "attempt 2)" in lines
    assert "503 (listZones" in lines
    assert "200 (listZones" in lines
    assert cloud.api_secret not in lines
    assert cloud.api_key not in lines
    assert "canary" not in lines
    assert cloud.requests[0].parameters["signature"] not in lines


def test_a_trace_tells_of_what_got_no_answer(cloud: CloudStackEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    end_point = cloud.end_point
    cloud.stop()
    monkeypatch.setattr(sys, "stderr", told := io.StringIO())

    with CloudStack(end_point, trace="yes") as cs, pytest.raises(Exception, match=r"Connection refused|connect"):
        cs.listZones()

    assert "ConnectError (listZones" in told.getvalue()
