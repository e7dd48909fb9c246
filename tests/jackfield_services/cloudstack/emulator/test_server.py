"""The emulator as a server: threads, connections, HTTP."""

from __future__ import annotations

import json
import socket
import struct
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import pytest
from tests.cloudstack_wire import Reply, ask, call, connect, deploy, get, machines, plain, poll, raw, signed, target

from jackfield_services.cloudstack import emulator
from jackfield_services.cloudstack.emulator import CloudStackEmulator, User
from jackfield_services.cloudstack.emulator._settings import Options


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


def test_a_thousand_jobs_are_under_way_at_once() -> None:
    with CloudStackEmulator(machines=1000, job_polls=1) as cloud:

        def start(number: int) -> str:
            started = call(cloud, "stopVirtualMachine", id=cloud.machine_id(number))
            return str(started.json["stopvirtualmachineresponse"]["jobid"])

        with ThreadPoolExecutor(32) as pool:
            job_ids = list(pool.map(start, range(1, 1001)))
            first = [report["jobstatus"] for report in pool.map(poll, [cloud] * 1000, job_ids)]
            second = [report["jobstatus"] for report in pool.map(poll, [cloud] * 1000, job_ids)]
        assert len(set(job_ids)) == 1000
        assert (set(first), set(second)) == ({0}, {1})
        assert machines(cloud, state="Running") == {}


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


WRONG = [
    ("machines", "3", "machines is a whole number, not '3'"),
    ("hosts", 1.5, "hosts is a whole number, not 1.5"),
    ("job_polls", "2", "job_polls is a whole number, not '2'"),
    ("page_size_limit", None, "page_size_limit is a whole number, not None"),
    ("enforce_post", "no", "enforce_post is True or False, not 'no'"),
    ("numbered_jobs", "no", "numbered_jobs is True or False, not 'no'"),
    ("text_success", "true", "text_success is True or False, not 'true'"),
    ("content_type", None, "content_type is a text, not None"),
    ("session_timeout", "60", "session_timeout is a number of seconds, not '60'"),
    ("unpaged", "listZones", "unpaged is a list of commands, not 'listZones'"),
    ("throttle", 30, r"throttle is a Throttle or None, not 30"),
    ("now", 5, "now is a function, not 5"),
]
UNKNOWN = [
    ("count", "totl", "count is one of 'total', 'page', 'absent', not 'totl'"),
    ("signature_algorithm", "sha-512", "signature_algorithm is one of 'sha1', "),
    ("expires_dates", "older", "expires_dates is one of 'new', 'old', not 'older'"),
    ("session_check", "Cookie", "session_check is one of 'CookieAndParameter', "),
    ("job_polls", -1, "job_polls is a count: 0 or more"),
    ("page_size_limit", 0, "page_size_limit is 1 or more, or -1 for no limit"),
    ("unpaged", ["listVirtualMachin"], "did you mean 'listVirtualMachines'"),
]


@pytest.mark.parametrize(("name", "value", "message"), WRONG)
def test_settings_of_another_type_are_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        CloudStackEmulator(**{name: value})


@pytest.mark.parametrize(("name", "value", "message"), UNKNOWN)
def test_settings_that_nobody_knows_are_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CloudStackEmulator(**{name: value})


@pytest.mark.parametrize(("name", "value", "message"), [*WRONG[2:], *UNKNOWN])
def test_they_are_refused_while_it_runs_as_well(cloud: CloudStackEmulator, name: str, value: Any, message: str) -> None:
    before = getattr(cloud, name)
    with pytest.raises((TypeError, ValueError), match=message):
        setattr(cloud, name, value)
    assert getattr(cloud, name) == before


def test_a_user_has_a_role_that_there_is() -> None:
    with pytest.raises(ValueError, match="role is 'Admin' or 'User', not 'user'"):
        User(role=cast(Any, "user"))


def test_the_package_names_what_it_offers_in_order() -> None:
    assert emulator.__all__ == sorted(emulator.__all__)
    assert {name for name in vars(emulator) if not name.startswith("_")} == set(emulator.__all__)


def test_every_name_and_every_setting_is_on_the_page_and_every_setting_in_the_docstring() -> None:
    page = (Path(__file__).parents[4] / "docs" / "cloudstack-emulator.md").read_text()
    settings = Options.__annotations__.keys() | {"machines", "users", "integration_port"}
    for name in {*emulator.__all__, *settings}:
        assert name in page, name
    for name in settings:
        assert f"{name}: " in str(CloudStackEmulator.__doc__), name
