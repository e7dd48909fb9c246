"""The emulator as a server: what it is made of, threads, connections, HTTP, and what it remembers."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from tests.jackfield_services.flame_hub.hub_wire import NOON, Session, ask, grant, login
from tests.jackfield_services.independence import SERVICES, foreign, run_alone

from jackfield_services.flame_hub import emulator
from jackfield_services.flame_hub.emulator import FlameHubEmulator, Generation, ReceivedRequest

FOLDER = SERVICES / "flame_hub" / "emulator"
PROGRAM = """
from jackfield_services.flame_hub.emulator import FlameHubEmulator
with FlameHubEmulator() as hub: print(hub.core_url)
"""


def test_it_imports_nothing_but_itself_what_emulators_share_and_the_standard_library() -> None:
    assert foreign(FOLDER) == []


def test_it_runs_where_there_is_nothing_else(tmp_path: Path) -> None:
    printed, complaints = run_alone(tmp_path, FOLDER, PROGRAM)
    assert (complaints, printed[:17]) == ("", "http://127.0.0.1:")


def test_its_names_are_sorted_and_there() -> None:
    assert sorted(emulator.__all__) == list(emulator.__all__)
    assert all(hasattr(emulator, name) for name in emulator.__all__)


def test_it_has_no_urls_until_it_is_started() -> None:
    hub = FlameHubEmulator()
    for _ in range(2):
        for url in ("auth_url", "core_url", "storage_url"):
            with pytest.raises(RuntimeError, match="start it first"):
                getattr(hub, url)
        with hub:
            assert len({hub.auth_url, hub.core_url, hub.storage_url}) == 3


def test_stopping_and_starting_twice_is_as_once(hub: FlameHubEmulator) -> None:
    url = hub.core_url
    assert hub.start() is hub
    assert hub.core_url == url
    hub.stop()
    hub.stop()


def test_a_stopped_emulator_may_start_again_with_its_records_and_its_tokens(hub: FlameHubEmulator) -> None:
    session = Session(hub)
    session.make("nodes", name="node")
    hub.stop()
    hub.start()
    assert [node["name"] for node in session.core("GET", "/nodes").data] == ["node"]
    assert [request.path for request in hub.requests] == ["/token", "/nodes", "/nodes"]
    assert hub.connections == 3


@pytest.mark.usefixtures("nothing_left")
def test_stopping_cuts_connections_and_leaves_nothing() -> None:
    with FlameHubEmulator() as hub:
        idle = http.client.HTTPConnection(urlsplit(hub.core_url).netloc, timeout=30)
        idle.request("GET", "/")
        idle.getresponse().read()
        silent = socket.create_connection(("127.0.0.1", urlsplit(hub.auth_url).port or 0))
    with closing(idle), closing(silent):
        assert silent.recv(1) == b""
        assert [thread for thread in threading.enumerate() if "flame-hub" in thread.name] == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: FlameHubEmulator(cast(Generation, "2")),
        lambda: FlameHubEmulator(nodes=-1),
        lambda: FlameHubEmulator(polls=-1),
        lambda: FlameHubEmulator(dead_token=cast(Any, 403)),
    ],
)
def test_what_cannot_be_is_refused(make: Callable[[], FlameHubEmulator]) -> None:
    with pytest.raises(ValueError, match=r"generation is|is a count|dead_token is"):
        make()


WRONG = [
    ("polls", "2", "polls is a whole number, not '2'"),
    ("token_life", None, "token_life is a whole number, not None"),
    ("refresh_life", 1.5, "refresh_life is a whole number, not 1.5"),
    ("expires_in", "60", "expires_in is a whole number or None, not '60'"),
    ("now", 5, "now is a function, not 5"),
    ("polls", -1, "polls is a count: 0 or more"),
    ("dead_token", 403, "dead_token is 400, 401 or 500, not 403"),
]


@pytest.mark.parametrize(("name", "value", "message"), [*WRONG, ("nodes", "3", "nodes is a whole number, not '3'")])
def test_settings_that_cannot_be_are_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        FlameHubEmulator(**{name: value})


@pytest.mark.parametrize(("name", "value", "message"), WRONG)
def test_they_are_refused_while_it_runs_as_well(new: FlameHubEmulator, name: str, value: Any, message: str) -> None:
    before = getattr(new, name)
    with pytest.raises((TypeError, ValueError), match=message):
        setattr(new, name, value)
    assert getattr(new, name) == before


def test_a_connection_takes_many_requests(session: Session) -> None:
    before = session.hub.connections
    headers = {"Authorization": f"Bearer {session.token}"}
    with closing(http.client.HTTPConnection(urlsplit(session.hub.core_url).netloc, timeout=30)) as connection:
        for method, path, body in (
            ("GET", "/nodes", None),
            ("POST", "/x", b"unread"),
            ("DELETE", "/nodes/x", b"unread"),
        ):
            connection.request(method, path, body, headers)
            connection.getresponse().read()
    assert session.hub.connections - before == 1


def test_a_target_may_be_a_whole_url(hub: FlameHubEmulator) -> None:
    answer = raw(hub.auth_url, b"GET http://[::1]:80/realms?sort=name HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (answer[9:12], hub.requests[0].path, hub.requests[0].query) == (b"200", "/realms", (("sort", "name"),))


def test_a_head_has_no_body_and_no_route(session: Session) -> None:
    assert session.core("HEAD", "/nodes").status == 404


def raw(url: str, sent: bytes) -> bytes:
    """What comes back until the connection ends; the client says no more."""
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=30) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    ("head", "body", "status"),
    [
        ("Content-Length: x", b"", b"400"),
        ("Content-Length: 9", b"{}", b"400"),
        ("Content-Length: 5000000", b"x" * 5_000_000, b"413"),
        ("Transfer-Encoding: gzip", b"", b"501"),
        ("Transfer-Encoding: chunked", b"nonsense\r\n", b"400"),
        ("Transfer-Encoding: chunked", b"3\r\n{}\r\n0\r\n\r\n", b"400"),
        ("Transfer-Encoding: chunked", b"2\r\n{}\r\n", b"400"),
        ("Transfer-Encoding: Chunked", b"1;x=y\r\n{\r\n1\r\n}\r\n0\r\nTrailer: x\r\n\r\n", b"400"),
        ("Expect: 100-continue\r\nContent-Length: 2", b"{}", b"400"),
    ],
)
def test_bodies_that_cannot_be_read(hub: FlameHubEmulator, head: str, body: bytes, status: bytes) -> None:
    answer = raw(hub.auth_url, f"POST /token HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode() + body)
    assert answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")[9:12] == status
    if b"}" in body and status == b"400" and not body.startswith((b"3", b"2")) and "9" not in head:
        assert b"invalid_grant" in answer  # it was read, and is {}


def test_a_large_body_that_nobody_wants_ends_the_connection_after_the_answer(session: Session) -> None:
    reply = session.core("POST", "/bogus", bytes(3_000_000))
    assert (reply.status, reply.headers["connection"]) == (404, "close")


def test_eight_threads_at_once_get_eight_nodes(session: Session) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [pool.submit(session.make, "nodes", name=f"node-{number}") for number in range(40)]
    nodes = [each.result() for each in made]
    listed = session.core("GET", "/nodes").data
    assert len({node["id"] for node in nodes}) == len(listed) == 40


def test_a_refresh_token_is_good_for_one_of_many_at_once(hub: FlameHubEmulator) -> None:
    token = login(hub)["refresh_token"]
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(grant, hub, grant_type="refresh_token", refresh_token=token) for _ in range(8)]
    assert sorted(each.result().status for each in asked) == [200] + [400] * 7


def test_requests_are_remembered_with_what_they_were_and_what_they_got(session: Session) -> None:
    session.core("POST", "/nodes?a=1&a=2&b=%C3%A4", {"name": "node"})
    ask(session.hub.storage_url, "GET", "/b%C3%A4", headers={"X-Request-Id": "7"})
    made, other = session.hub.requests[-2:]
    assert isinstance(made, ReceivedRequest)
    assert (made.service, made.method, made.path, made.status, made.actor) == ("core", "POST", "/nodes", 201, "admin")
    assert (made.query, made.json) == ((("a", "1"), ("a", "2"), ("b", "ä")), {"name": "node"})
    assert (other.path, other.status, other.actor, other.json) == ("/bä", 404, "", None)
    assert other.headers["x-request-id"] == "7"


def test_a_memory_shows_no_secrets(session: Session) -> None:
    shown = repr(session.hub.requests) + repr(session.hub)
    assert "/token" in shown
    for secret in ("start123", session.token, session.hub.client_secret):
        assert secret not in shown


def test_settings_hold_from_the_next_request_on() -> None:
    with FlameHubEmulator("0.1.1", now=lambda: NOON) as hub:
        hub.expires_in = 7
        assert login(hub)["expires_in"] == 7
        hub.expires_in = None
        assert json.loads(json.dumps(login(hub)))["expires_in"] == 3600


@pytest.mark.usefixtures("nothing_left")
def test_stopping_ends_uploads_and_streams_that_are_under_way() -> None:
    with FlameHubEmulator() as hub:
        session = Session(hub)
        bucket = session.make("buckets", name="bucket")["id"]
        form = (
            b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n' + bytes(20_000_000) + b"\r\n--b--"
        )
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        session.storage("POST", f"/buckets/{bucket}/upload", form, **kind)
        head = f"Host: x\r\nAuthorization: Bearer {session.token}\r\n"
        kinds = f"{head}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 99\r\n\r\n--b"
        address = ("127.0.0.1", urlsplit(hub.storage_url).port or 0)
        sending, reading = socket.create_connection(address), socket.create_connection(address)
        sending.sendall(f"POST /buckets/{bucket}/upload HTTP/1.1\r\n{kinds}".encode())
        reading.sendall(f"GET /buckets/{bucket}/stream HTTP/1.1\r\n{head}\r\n".encode())
        begun = reading.recv(12)
    with closing(sending), closing(reading):
        assert begun == b"HTTP/1.1 200"
        assert [thread for thread in threading.enumerate() if "flame-hub" in thread.name] == []
