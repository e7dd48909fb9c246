"""The emulator itself: settings, start and stop, what it remembers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3

from jackfield_services.buffy.emulator import BuffyEmulator, Quirk

from .conftest import URL, Caller


def test_it_remembers_what_came(buffy: Caller) -> None:
    buffy.ask("PUT", "/v1/request/", {"url": URL}, authorization="Basic secret")
    buffy.ask("GET", "/v1/request/a%20b/response?limit=0&tag=")

    first, second = buffy.server.requests
    assert (first.method, first.path, first.json, first.status) == ("PUT", "/v1/request/", {"url": URL}, 201)
    assert first.headers["authorization"] == "Basic secret"
    assert "secret" not in repr(first)
    assert (second.path, second.query) == ("/v1/request/a b/response", (("limit", "0"), ("tag", "")))


def test_a_body_may_come_in_chunks(buffy: Caller) -> None:
    pieces = iter([b'{"url":', b'"x"}'])
    headers = {"connection": "close"}
    answer = urllib3.request("PUT", f"{buffy.server.url}/v1/request/", body=pieces, headers=headers)
    assert answer.json()["url"] == "x"


def test_a_body_that_is_none_is_refused(buffy: Caller) -> None:
    with urllib3.HTTPConnectionPool("127.0.0.1", int(buffy.server.url.rpartition(":")[2])) as pool:
        answer = pool.request("PUT", "/v1/request/", headers={"content-length": "x"}, retries=False)
    assert answer.status == 400


def test_orders_of_many_threads_are_one_request(buffy: Caller) -> None:
    with ThreadPoolExecutor(12) as threads:
        orders = list(threads.map(buffy.order, [URL] * 12))
    assert len({order["id"] for order in orders}) == 1


def test_it_has_no_url_before_it_is_started(nothing_left: None) -> None:
    with pytest.raises(RuntimeError, match="start it first"):
        _ = BuffyEmulator().url


def test_starting_twice_and_stopping_twice_does_nothing_more(nothing_left: None) -> None:
    emulator = BuffyEmulator()
    emulator.stop()
    url = emulator.start().url
    assert emulator.start().url == url
    emulator.stop()
    emulator.stop()
    assert not emulator.alive


def test_two_emulators_are_alike_and_apart(nothing_left: None) -> None:
    with BuffyEmulator() as one, BuffyEmulator() as other:
        assert one.url != other.url
        assert Caller(one).order()["id"] == Caller(other).order()["id"]
        assert len(one.requests) == 1


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"fastapi": "1.0"}, ValueError),
        ({"polls": -1}, ValueError),
        ({"polls": 1.5}, TypeError),
        ({"clean_every": "5"}, TypeError),
        ({"max_downloads": -1}, ValueError),
        ({"quirks": ["S1"]}, TypeError),
        ({"quirks": 1}, TypeError),
        ({"now": 0}, TypeError),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        BuffyEmulator(**settings)


def test_settings_hold_from_the_next_request_on(buffy: Caller) -> None:
    buffy.server.quirks = frozenset(Quirk) - {Quirk.BROKEN_ROUTES}
    assert buffy.ask("GET", f"/v1/request/{buffy.order()['id']}").status == 200


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"url": 1}, TypeError),
        ({"url": URL, "body": None}, TypeError),
        ({"url": URL, "times": 0}, ValueError),
        ({"url": URL, "headers": []}, TypeError),
    ],
)
def test_origins_that_cannot_be(buffy: Caller, arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        buffy.server.origin(**arguments)


def test_plans_that_cannot_be(buffy: Caller) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        buffy.server.plan(polls=-1)
