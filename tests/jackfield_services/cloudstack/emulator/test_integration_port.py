"""The integration port: nothing is signed there, and its HTTP is another server's."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from tests.cloudstack_wire import NOON, get

from jackfield_services.cloudstack.emulator import CloudStackEmulator, Fault


@dataclass(frozen=True)
class Answered:
    status: int
    reason: str
    headers: http.client.HTTPMessage
    body: bytes


@pytest.fixture
def cloud() -> Iterator[CloudStackEmulator]:
    with CloudStackEmulator(machines=2, integration_port=True, enforce_post=True, now=lambda: NOON) as running:
        yield running


def ask(cloud: CloudStackEmulator, target: str, method: str = "GET", body: str | None = None) -> Answered:
    port = urlsplit(cloud.integration_end_point).port or 0
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        connection.request(method, target, body, kind)
        answer = connection.getresponse()
        return Answered(answer.status, answer.reason, answer.headers, answer.read())


def test_a_command_needs_neither_key_nor_signature(cloud: CloudStackEmulator) -> None:
    answered = ask(cloud, "/client/api?command=listHypervisors&response=json")
    assert answered.status == 200
    assert answered.body.startswith(b'{"listhypervisorsresponse":{"count":3,')
    received = cloud.requests[0]
    assert (received.port, received.username) == ("integration", "system")


def test_the_port_of_the_api_still_wants_a_signature(cloud: CloudStackEmulator) -> None:
    assert get(cloud, "command=listHypervisors&response=json").status == 401
    assert cloud.requests[0].port == "api"


def test_the_body_ends_with_the_connection(cloud: CloudStackEmulator) -> None:
    headers = ask(cloud, "/client/api?command=listZones&response=json").headers
    assert headers["Connection"] == "close"
    assert "Content-Length" not in headers
    ask(cloud, "/client/api?command=listZones&response=json")
    assert cloud.connections == 2


@pytest.mark.parametrize("path", ["/", "/client/api", "/anything"])
def test_any_path_will_do(cloud: CloudStackEmulator, path: str) -> None:
    assert ask(cloud, f"{path}?command=listZones&response=json").status == 200


def test_the_first_of_duplicate_names_wins(cloud: CloudStackEmulator) -> None:
    assert b"listzonesresponse" in ask(cloud, "/?command=listZones&command=listUsers&response=json").body


def test_a_body_is_not_read(cloud: CloudStackEmulator) -> None:
    answered = ask(cloud, "/client/api", "POST", "command=listZones&response=json")
    assert (answered.status, answered.reason) == (432, "Invalid request, no command sent")


def test_the_reason_carries_the_text_of_an_error(cloud: CloudStackEmulator) -> None:
    answered = ask(cloud, "/?command=flyToTheMoon&response=json")
    assert (answered.status, answered.reason) == (432, "Unknown API command: flyToTheMoon")
    assert "X-Description" not in answered.headers
    assert answered.body.startswith(b'{"errorresponse":{"uuidList":[],"errorcode":432,')


def test_a_line_break_in_a_reason_ends_no_line(cloud: CloudStackEmulator) -> None:
    answered = ask(cloud, "/?command=listZones&response=json&id=a%0D%0AX-Injected:%20yes")
    assert answered.status == 431
    assert "value=a  X-Injected: yes due" in answered.reason
    assert "X-Injected" not in answered.headers


def test_a_parameter_that_is_not_for_this_port_is_refused(cloud: CloudStackEmulator) -> None:
    query = f"command=updateUser&response=json&id={cloud.user.id}"
    assert ask(cloud, f"/?{query}").status == 200
    answered = ask(cloud, f"/?{query}&password=new")
    assert answered.status == 531
    assert answered.reason == "Parameter password can't be passed through the API integration port"
    assert cloud.user.password == "emulator-password"


@pytest.mark.parametrize(
    ("response", "start"),
    [("response=json", b"{"), ("RESPONSE=json", b"{"), ("response=JSON", b"<"), ("response=yaml", b"<"), ("", b"<")],
)
def test_the_answer_is_json_if_that_is_said_exactly(cloud: CloudStackEmulator, response: str, start: bytes) -> None:
    assert ask(cloud, f"/?command=listZones&{response}").body[:1] == start


def test_neither_login_nor_logout_has_an_answer_there(cloud: CloudStackEmulator) -> None:
    answered = ask(cloud, "/?command=login&response=json&username=admin&password=emulator-password")
    assert (answered.status, answered.body) == (200, b'{ "error" : { "description" : "Internal Server Error" } }')


def test_it_runs_what_administrators_may_and_by_get(cloud: CloudStackEmulator) -> None:
    assert ask(cloud, "/?command=listHosts&response=json").status == 200
    assert ask(cloud, "/?command=createSSHKeyPair&name=laptop&response=json").status == 200


def test_what_needs_nobody_is_answered_there_too(cloud: CloudStackEmulator) -> None:
    assert ask(cloud, "/?command=listGuiThemes&response=json").body == b'{"listguithemesresponse":{}}'


def test_faults_are_for_both_ports(cloud: CloudStackEmulator) -> None:
    cloud.inject(Fault.CLOSE)
    cloud.inject(530)
    with pytest.raises(http.client.RemoteDisconnected):
        ask(cloud, "/?command=listZones&response=json")
    assert ask(cloud, "/?command=listZones&response=json").reason == "The emulator was told to answer 530"


def test_there_is_none_unless_it_was_asked_for() -> None:
    with CloudStackEmulator() as cloud, pytest.raises(RuntimeError, match="integration_port=True"):
        _ = cloud.integration_end_point


def test_it_ends_and_starts_with_the_other() -> None:
    cloud = CloudStackEmulator(integration_port=True)
    for _ in range(2):
        with cloud:
            assert ask(cloud, "/?command=listZones&response=json").status == 200
        with pytest.raises(RuntimeError, match="start it first"):
            _ = cloud.integration_end_point
    assert cloud.connections == 2
