"""A Buffy at noon, asked by plain HTTP; what it downloads is in its table unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import urllib3

from jackfield_services.buffy.emulator import BuffyEmulator

NOON = 1_795_000_000.0
URL = "https://example.org/data.csv"


class Clock:
    """Stands still but for `pass_by`."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


class Caller:
    """Asks an emulator, each time on a connection of its own."""

    def __init__(self, server: BuffyEmulator) -> None:
        self.server = server

    def ask(self, method: str, path: str, said: object = None, **headers: str) -> urllib3.BaseHTTPResponse:
        told = {"connection": "close", **headers}
        url = f"{self.server.url}{path}"
        with urllib3.PoolManager() as pool:
            return pool.request(method, url, json=said, headers=told, retries=False, redirect=False, timeout=20)

    def order(self, url: str = URL, **more: object) -> dict[str, Any]:
        """The request as Buffy knows it."""
        answer: dict[str, Any] = self.ask("PUT", "/v1/request/", {"url": url} | more).json()
        return answer

    def listed(self, request: dict[str, Any], query: str = "limit=0") -> list[dict[str, Any]]:
        """Its responses, newest first."""
        answer: list[dict[str, Any]] = self.ask("GET", f"/v1/request/{request['id']}/response?{query}").json()
        return answer

    def settle(self, request: dict[str, Any]) -> dict[str, Any]:
        """The newest response, when nothing is under way any more."""
        self.listed(request)  # it finds what there was before it
        for _ in range(100):
            found = self.listed(request)
            if found and found[0]["status"] not in ("wait", "in_progress"):
                return found[0]
        raise AssertionError("it does not settle")

    def fetched(self, url: str = URL, **more: object) -> dict[str, Any]:
        """The first response to an order."""
        return self.settle(self.order(url, **more))

    def change(self, response: dict[str, Any], what: str, **said: object) -> urllib3.BaseHTTPResponse:
        """Pins or tags."""
        path = f"/v1/request/{response['request_id']}/response/v/{response['version']}/{what}"
        return self.ask("PUT", path, said)

    def content(self, response: dict[str, Any]) -> urllib3.BaseHTTPResponse:
        return self.ask("GET", f"/v1/request/{response['request_id']}/response/v/{response['version']}/content")


Start = Callable[..., Caller]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(nothing_left: None, clock: Clock) -> Iterator[Start]:
    """Starts emulators with settings; what is at `URL` is "a;b"."""
    with ExitStack() as running:

        def started(**settings: Any) -> Caller:
            given: dict[str, Any] = {"now": clock, "max_downloads_per_domain": 4} | settings
            server = running.enter_context(BuffyEmulator(**given))
            server.origin(URL, "a;b\n", headers={"content-type": "text/csv; charset=utf-8", "etag": '"1"'})
            return Caller(server)

        yield started


@pytest.fixture
def buffy(start: Start) -> Caller:
    return start()
