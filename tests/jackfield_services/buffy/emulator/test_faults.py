"""Faults that are injected."""

from __future__ import annotations

import pytest
import urllib3

from jackfield_services.buffy.emulator import Fault, Reply

from .conftest import URL, Caller


def test_faults_are_for_the_requests_they_are_meant_for_and_run_out(buffy: Caller) -> None:
    buffy.server.inject(503, times=2, path="/v1/request/", method="get")
    buffy.server.inject(404, path="*/content")
    statuses = [buffy.ask(method, "/v1/request/", {"url": URL}).status for method in ("PUT", "GET", "GET", "GET")]
    assert statuses == [201, 503, 503, 200]
    assert buffy.ask("GET", "/v1/request/a/response/v/1/content").json() == {"detail": "Not Found"}


@pytest.mark.parametrize(
    ("fault", "status", "kind", "body"),
    [
        (502, 502, "text/html", b"<html><head><title>502 Bad Gateway"),
        (500, 500, "text/plain; charset=utf-8", b"Internal Server Error"),
        (401, 401, "application/json", b'{"detail":"Unauthorized"}'),
        (499, 499, "application/json", b'{"detail":"Error"}'),
        (Reply(200, b"OK", {"content-type": "text/plain"}), 200, "text/plain", b"OK"),
        (Reply(429, {"a": 1}, {"retry-after": "7"}), 429, "application/json", b'{"a":1}'),
        (Fault.HTML, 200, "text/html", b"<html><head><title>Sign in"),
        (Fault.EMPTY, 200, "application/json", b""),
        (Fault.MALFORMED, 200, "application/json", b'{"id": '),
    ],
)
def test_what_is_answered_instead(
    buffy: Caller, fault: Fault | Reply | int, status: int, kind: str, body: bytes
) -> None:
    buffy.server.inject(fault)
    answer = buffy.ask("GET", "/v1/request/")
    assert (answer.status, answer.headers["content-type"]) == (status, kind)
    assert answer.data.startswith(body)


@pytest.mark.parametrize(
    ("fault", "done"), [(Fault.RESET, False), (Fault.CLOSE, False), (Fault.LOST, True), (Fault.TRUNCATED, True)]
)
def test_connections_that_break(buffy: Caller, fault: Fault, done: bool) -> None:
    buffy.server.inject(fault)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        buffy.ask("PUT", "/v1/request/", {"url": URL})
    assert len(buffy.ask("GET", "/v1/request/").json()) == done
    assert buffy.server.requests[0].status == (201 if fault is Fault.TRUNCATED else 0)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"fault": 200}, ValueError),
        ({"fault": 600}, ValueError),
        ({"fault": "503"}, TypeError),
        ({"fault": 503, "times": 0}, ValueError),
        ({"fault": 503, "path": "request"}, ValueError),
        ({"fault": 503, "method": "FETCH"}, ValueError),
    ],
)
def test_what_cannot_be_injected(buffy: Caller, arguments: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        buffy.server.inject(**arguments)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - it is refused
