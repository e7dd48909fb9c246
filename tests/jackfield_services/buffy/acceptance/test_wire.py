"""The wire, without any client of ours: what our client relies on, and the emulator must do as the server does."""

from __future__ import annotations

from typing import Any

import pytest
import urllib3
from tests.servers.buffy import Buffy, past, until
from tests.servers.origin import BLOB, Origin


class Wire:
    """Requests of one group, by plain HTTP."""

    def __init__(self, server: Buffy, group: str) -> None:
        self.server = server
        self.group = group

    def ask(self, method: str, path: str, said: object = None) -> urllib3.BaseHTTPResponse:
        url = f"{self.server.url}/v1/{path}"
        alone = {"Connection": "close"}  # after a 500 the server ends the connection without saying so
        return urllib3.request(method, url, headers=alone, json=said, retries=False, timeout=10, redirect=False)

    def order(self, url: str, **more: object) -> tuple[int, dict[str, Any]]:
        """Asks Buffy to have something; the status, and the request as it knows it."""
        answer = self.ask("PUT", "request/", {"url": url, "group_name": self.group} | more)
        return answer.status, answer.json()

    def latest(self, request: dict[str, Any], *statuses: str) -> dict[str, Any]:
        """The newest response of one of these statuses, when there is one."""

        def found() -> dict[str, Any] | None:
            listed: list[dict[str, Any]] = self.ask("GET", f"request/{request['id']}/response?limit=0").json()
            return next((response for response in listed if response["status"] in statuses), None)

        return until(found)

    def content(self, response: dict[str, Any]) -> bytes:
        return self.ask("GET", response["content_download_path"]).data


@pytest.fixture
def wire(buffy_server: Buffy, group: str) -> Wire:
    return Wire(buffy_server, group)


@pytest.mark.parametrize("path", ["/static.txt", "/blob", "/gzip", "/empty", "/flaky"])
def test_what_is_ordered_is_ready_soon(wire: Wire, origin: Origin, path: str) -> None:
    wanted = bytes(10_000) if path == "/gzip" else origin.things[path].data

    status, request = wire.order(origin.url(path))
    response = wire.latest(request, "ready", "failed")

    assert status == 201
    assert response["status"] == "ready"
    assert wire.content(response) == wanted


@pytest.mark.parametrize("path", ["/missing", "/broken"])
def test_what_cannot_be_had_has_failed(wire: Wire, origin: Origin, path: str) -> None:
    _, request = wire.order(origin.url(path))
    response = wire.latest(request, "ready", "failed")

    assert response["status"] == "failed"
    assert "HTTPError" in response["download_stats"]["error"]


def test_the_same_order_is_the_same_request(wire: Wire, origin: Origin) -> None:
    created, first = wire.order(origin.url("/blob"))
    known, second = wire.order(origin.url("/blob"))

    assert (created, known) == (201, 202)
    assert first["id"] == second["id"]


def test_a_slow_download_tells_how_far_it_is(wire: Wire, origin: Origin) -> None:
    _, request = wire.order(origin.url("/slow"))
    far = until(lambda: wire.latest(request, "in_progress")["download_stats"]["downloaded_bytes"] or None)
    origin.go_on.set()
    response = wire.latest(request, "ready")

    assert far == 65_536
    assert response["download_stats"]["downloaded_bytes"] == len(BLOB)


def test_a_pin_is_applied_whatever_the_answer_says(wire: Wire, origin: Origin) -> None:
    _, request = wire.order(origin.url("/blob"))
    version = f"request/{request['id']}/response/v/{wire.latest(request, 'ready')['version']}"

    pin = wire.ask("PUT", f"{version}/pin", {"value": True})
    tag = wire.ask("PUT", f"{version}/tag", {"value": "good"})
    until(lambda: wire.latest(request, "ready")["pinned"] or None)
    until(lambda: wire.latest(request, "ready")["tags"] or None)

    assert wire.latest(request, "ready")["tags"] == ["good"]
    said = (500, b"Internal Server Error") if wire.server.fastapi == "0.99.1" else (200, b"null")
    assert [(pin.status, pin.data), (tag.status, tag.data)] == [said, said]


def test_text_with_crlf_arrives_changed(wire: Wire, origin: Origin) -> None:
    _, request = wire.order(origin.url("/crlf.csv"))
    response = wire.latest(request, "ready")

    with pytest.raises(urllib3.exceptions.ProtocolError, match="IncompleteRead"):
        wire.content(response)


def test_what_broke_off_once_is_kept_wrong(wire: Wire, origin: Origin) -> None:
    _, request = wire.order(origin.url("/dropped"))
    response = wire.latest(request, "ready")

    assert wire.content(response) == BLOB[:131_072] + BLOB


def test_a_version_is_kept_when_the_content_has_changed(wire: Wire, origin: Origin) -> None:
    when_requested = {"recaching_strategy": {"strategy_name": "when_requested"}}
    _, request = wire.order(origin.url("/changing"), cache_configuration=when_requested)
    first = wire.latest(request, "ready")
    past(first["version"])
    origin.things["/changing"].data = b"second"

    def ordered_again() -> dict[str, Any] | None:
        wire.order(origin.url("/changing"), cache_configuration=when_requested)  # that it is heeded is not certain
        latest = wire.latest(request, "ready")
        return latest if latest["version"] != first["version"] else None

    second = until(ordered_again, every=1.0)

    assert wire.content(first) == b"first"
    assert wire.content(second) == b"second"


@pytest.mark.parametrize("ends", ["stop", "kill"])
def test_what_was_ready_is_so_after_a_restart(wire: Wire, origin: Origin, ends: str) -> None:
    _, request = wire.order(origin.url("/blob"))
    response = wire.latest(request, "ready")

    getattr(wire.server, ends)()
    with pytest.raises(urllib3.exceptions.NewConnectionError):
        wire.ask("GET", "request/")
    wire.server.start()

    assert wire.latest(request, "ready") == response
    assert wire.content(response) == BLOB


def test_what_was_flushed_is_unknown(wire: Wire, origin: Origin) -> None:
    _, request = wire.order(origin.url("/blob"))
    wire.latest(request, "ready")

    wire.server.flush()

    assert wire.ask("GET", f"request/{request['id']}/response").json() == []
    assert wire.order(origin.url("/blob"))[0] == 201


def test_what_has_lost_its_file_is_promised_and_does_not_come(wire: Wire, origin: Origin) -> None:
    _, request = wire.order(origin.url("/blob"))
    response = wire.latest(request, "ready")

    wire.server.lose_files()

    with pytest.raises(urllib3.exceptions.ProtocolError, match="IncompleteRead"):
        wire.content(response)
