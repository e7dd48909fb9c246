"""Faults that are injected."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from typing import Any

import pytest
from tests.cloudstack_wire import CREDENTIALS, ask, call, connect, refusal, target, zone_id

from jackfield_services.cloudstack.emulator import CloudStackEmulator, Fault, Refusal


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


@pytest.mark.parametrize("fault", ["503", 503.0, None, Refusal, b"503"])
def test_what_is_no_fault_cannot_be_injected(cloud: CloudStackEmulator, fault: Any) -> None:
    with pytest.raises(TypeError, match=r"a fault is a Fault, a Refusal or an HTTP status, as in 503, not "):
        cloud.inject(fault)
    assert call(cloud, "listZones").status == 200


@pytest.mark.parametrize("times", ["2", 1.5, None])
def test_times_are_a_whole_number(cloud: CloudStackEmulator, times: Any) -> None:
    with pytest.raises(TypeError, match="times is a whole number, not "):
        cloud.inject(503, times=times)


@pytest.mark.parametrize(
    ("command", "error", "message"),
    [
        ("listVirtualMachin", ValueError, "no command 'listVirtualMachin': did you mean 'listVirtualMachines'\\?$"),
        ("LISTZONE", ValueError, "no command 'LISTZONE': did you mean 'listZones'\\?$"),
        ("", ValueError, "no command ''$"),
        (["listZones"], TypeError, "a command is its name, not "),
    ],
)
def test_a_fault_is_for_a_command_that_there_is(
    cloud: CloudStackEmulator, command: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        cloud.inject(503, command=command)


def test_a_fault_without_a_command_is_for_commands_of_other_servers_as_well(cloud: CloudStackEmulator) -> None:
    cloud.inject(Refusal(535, "No volumes left"))
    assert refusal(call(cloud, "createVolume"), "errorresponse") == (535, 4370, "No volumes left")
