"""Faults that are injected."""

from __future__ import annotations

import http.client
from typing import Any

import pytest
from tests.jackfield_services.flame_hub.hub_wire import Session, ask, login

from jackfield_services.flame_hub.emulator import Fault, FlameHubEmulator, Reply


def test_a_fault_is_for_the_next_requests_it_is_meant_for_and_runs_out(session: Session) -> None:
    session.hub.inject(500, times=2, path="/nodes*", method="GET")
    statuses = [session.core("GET", path).status for path in ("/projects", "/nodes", "/nodes/x", "/nodes")]
    session.hub.inject(500, path="/nodes", method="POST")
    assert statuses == [200, 500, 500, 200]
    assert session.core("GET", "/nodes").status == 200


def test_faults_wait_in_line(session: Session) -> None:
    session.hub.inject(503)
    session.hub.inject(409, times=2)
    assert [session.core("GET", "/nodes").status for _ in range(4)] == [503, 409, 409, 200]


def test_a_request_that_met_a_fault_was_not_carried_out(session: Session) -> None:
    session.hub.inject(500, method="POST")
    session.core("POST", "/nodes", {"name": "node"})
    assert session.core("GET", "/nodes").data == []


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "BAD_REQUEST"), (401, "UNAUTHORIZED"), (403, "FORBIDDEN"), (418, "IM_A_TEAPOT"), (599, "")],
)
def test_a_status_is_an_error_of_the_api(session: Session, status: int, code: str) -> None:
    session.hub.inject(status)
    expected = (status, code or "INTERNAL_SERVER_ERROR", f"The emulator was told to answer {status}.")
    assert session.core("GET", "/nodes").refusal == expected


def test_a_fault_meets_who_has_no_token_as_well(hub: FlameHubEmulator) -> None:
    hub.inject(500, path="/token")
    assert ask(hub.auth_url, "POST", "/token", {}).status == 500
    assert login(hub)["access_token"]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_answers_in_html(session: Session, status: int) -> None:
    session.hub.inject(status)
    reply = session.core("GET", "/nodes")
    assert (reply.status, reply.headers["content-type"]) == (status, "text/html")
    assert reply.body.startswith(b"<html>")


def test_a_rate_limit_is_spent_until_its_window_ends() -> None:
    clock = [1000.0]
    with FlameHubEmulator("0.1.1", now=lambda: clock[0]) as hub:
        hub.inject(429)
        first, second = (ask(hub.auth_url, "GET", "/realms") for _ in range(2))
        clock[0] += 60
        third = ask(hub.auth_url, "GET", "/realms")
    assert [reply.status for reply in (first, second, third)] == [429, 200, 200]
    assert [reply.headers["ratelimit-remaining"] for reply in (first, second, third)] == ["0", "0", "1199"]
    assert first.headers["ratelimit-reset"] == "60"


def test_a_reset_is_seen_as_a_reset_and_not_as_an_end(session: Session) -> None:
    session.hub.inject(Fault.RESET)
    with pytest.raises(ConnectionResetError) as caught:
        session.core("GET", "/nodes")
    assert not isinstance(caught.value, http.client.RemoteDisconnected)
    assert session.hub.requests[-1].status == 0


@pytest.mark.parametrize(("fault", "made"), [(Fault.CLOSE, 0), (Fault.LOST, 1)])
def test_a_connection_ends_without_an_answer_before_or_after_the_request_was_carried_out(
    session: Session, fault: Fault, made: int
) -> None:
    session.hub.inject(fault)
    with pytest.raises(http.client.RemoteDisconnected):
        session.core("POST", "/nodes", {"name": "node"})
    assert len(session.core("GET", "/nodes").data) == made


def test_an_answer_that_is_cut_was_carried_out(session: Session) -> None:
    session.hub.inject(Fault.TRUNCATED)
    with pytest.raises(http.client.IncompleteRead):
        session.core("POST", "/nodes", {"name": "node"})
    assert len(session.core("GET", "/nodes").data) == 1


def test_a_stream_is_cut_after_its_first_piece(session: Session) -> None:
    bucket = session.make("buckets", name="bucket")["id"]
    session.hub.inject(Fault.TRUNCATED)
    with pytest.raises(http.client.IncompleteRead):
        session.storage("GET", f"/buckets/{bucket}/stream")


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (Fault.HTML, 200, b"<html>"),
        (Fault.EMPTY, 200, b""),
        (Fault.MALFORMED, 200, b'{"data": [{'),
        (Fault.ARRAY, 500, b"["),
    ],
)
def test_bodies_that_are_no_answer(session: Session, fault: Fault, status: int, body: bytes) -> None:
    session.hub.inject(fault)
    reply = session.core("GET", "/nodes")
    assert (reply.status, reply.body[: len(body)]) == (status, body)
    assert len(reply.body) > 0 or not body


def test_a_reply_in_your_words(session: Session) -> None:
    session.hub.inject(Reply(429, {"code": "throttled"}, {"Retry-After": "7"}))
    session.hub.inject(Reply(200, b"plain", {"content-type": "text/plain"}))
    first, second = (session.core("GET", "/nodes") for _ in range(2))
    assert (first.status, first.json, first.headers["retry-after"]) == (429, {"code": "throttled"}, "7")
    assert first.headers["content-encoding"] == "utf-8"
    assert (second.body, second.headers["content-type"]) == (b"plain", "text/plain")
    assert second.headers["content-encoding"] is None


def test_faults_that_cannot_be(hub: FlameHubEmulator) -> None:
    for status in (200, 399, 600):
        with pytest.raises(ValueError, match="400 to 599"):
            hub.inject(status)
    with pytest.raises(ValueError, match="once or more"):
        hub.inject(500, times=0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"fault": "503"}, "a fault is a Fault, a Reply or an HTTP status, as in 503, not '503'"),
        ({"fault": None}, "a fault is a Fault, a Reply or an HTTP status, as in 503, not None"),
        ({"fault": 503, "times": "2"}, "times is a whole number, not '2'"),
        ({"fault": 503, "path": None}, "path is a pattern, not None"),
        ({"fault": 503, "method": 5}, "method is a text, not 5"),
    ],
)
def test_what_is_no_fault_is_refused(hub: FlameHubEmulator, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        hub.inject(**wrong)
    assert ask(hub.auth_url, "GET", "/realms").status == 200


def test_a_fault_that_would_meet_no_request_is_refused(hub: FlameHubEmulator) -> None:
    with pytest.raises(ValueError, match=r"path begins with / or \*, not 'realms'"):
        hub.inject(503, path="realms")
    with pytest.raises(ValueError, match="'GETS' is not a valid HTTPMethod"):
        hub.inject(503, method="GETS")


def test_a_method_is_one_in_any_case(hub: FlameHubEmulator) -> None:
    hub.inject(503, path="/realms", method="get")
    assert [ask(hub.auth_url, "GET", "/realms").status for _ in range(2)] == [503, 200]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"status": "503"}, "the status of a Reply is a whole number, not '503'"),
        ({"status": 503, "body": {1, 2}}, "set is not JSON serializable"),
    ],
)
def test_a_reply_that_cannot_be_is_refused_where_it_is_made(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Reply(**wrong)


LIST = "/analysis-node-logs"
ODD_PATHS = [
    *(
        "/",
        "//",
        "/?",
        "/%",
        "/%ff",
        "/nodes?filter[name",
        "/nodes?filter[]=x",
        "/nodes?page[limit]=",
        "/nodes?include=",
    ),
    *("/analyses?sort={arguments}", "/analyses?filter[{arguments}]=%3Cx", "/analyses?filter[{arguments}]=~x"),
    *(f"{LIST}?sort=labels", f"{LIST}?filter[labels]=%3E1", f"{LIST}?filter[labels]=~x"),
    *(f"{LIST}?sort=,", f"{LIST}?fields=,", f"{LIST}?fields=%2B,-"),
    *("/nodes?filter[hidden]=%3Cx", "/nodes?filter[{created}]=%3C0001-01-01T00:00:00%2B23:59"),
]
ODD_BODIES = [rb'{"name": "\ud800\ud800\ud800"}', b"[" * 100_000, b'{"name": NaN}', b"null", b'"x"', b'{"name": []}']
ODD_VALUES: list[Any] = ["\ud800", "ä", ["x"], {}, None, 7]


@pytest.fixture
def peopled(session: Session) -> Session:
    """With a record of what odd requests ask for."""
    analysis = session.analysis()["id"]
    if not session.old:
        node = session.make("nodes", name="node")["id"]
        session.core("POST", LIST, {"analysisId": analysis, "nodeId": node, "level": "info", "message": "m"})
    return session


@pytest.mark.parametrize("path", ODD_PATHS)
def test_every_path_is_answered(peopled: Session, path: str) -> None:
    arguments, created = peopled.wire(image_command_arguments=0, created_at=0)
    for method in ("GET", "POST", "DELETE", "HEAD", "PATCH"):
        reply = peopled.core(method, path.format(arguments=arguments, created=created), {})
        assert reply.status in (200, 202, 400, 404)


@pytest.mark.parametrize("body", ODD_BODIES, ids=range(len(ODD_BODIES)))
def test_every_body_is_answered(session: Session, body: bytes) -> None:
    assert session.core("POST", "/nodes", body).status in (201, 400)
    assert session.core("GET", "/nodes").status == 200
    assert session.auth("POST", "/token", body).status == 400


@pytest.mark.parametrize("value", ODD_VALUES, ids=range(len(ODD_VALUES)))
def test_every_token_request_is_answered(session: Session, value: Any) -> None:
    asked = {"username": "admin", "password": value, "refresh_token": value, "client_id": value, "id": value}
    for grant_type in ("password", "refresh_token", "client_credentials", "robot_credentials", value):
        assert session.auth("POST", "/token", {**asked, "grant_type": grant_type}).status == 400


def test_every_bearer_token_is_answered(hub: FlameHubEmulator) -> None:
    assert ask(hub.core_url, "GET", "/nodes", headers={"Authorization": "Bearer ä.ö.ü"}).status in (400, 401)
