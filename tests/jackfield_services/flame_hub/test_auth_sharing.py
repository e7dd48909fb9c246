"""One login for many: threads, tasks and the clients of three services, on real sockets; and what the emulator does."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, Literal

import pytest

from jackfield import AsyncClient, Client, Request, Service, ServiceError, operation
from jackfield_services.flame_hub import CoreClient, HubAuthenticationError
from jackfield_services.flame_hub._errors import HubLoginError
from jackfield_services.flame_hub.auth import ClientAuth, PasswordAuth, RobotAuth
from jackfield_services.flame_hub.emulator import FlameHubEmulator

THREADS = 8


class Records(Service):
    @operation
    async def read(self, path: str) -> Any:
        return (await self.send(Request("GET", self.url(path)))).decode(dict[str, Any])["data"]

    @operation
    async def create(self, path: str, name: str) -> Any:
        return (await self.send(Request.json("POST", self.url(path), {"name": name}))).decode(Any)


class SyncRecords(Records, Client): ...


class AsyncRecords(Records, AsyncClient): ...


@pytest.fixture(params=["0.1.1", "1.1.0"])
def hub(request: pytest.FixtureRequest) -> Iterator[FlameHubEmulator]:
    with FlameHubEmulator(request.param) as running:
        yield running


def password(hub: FlameHubEmulator) -> PasswordAuth:
    return PasswordAuth(hub.username, hub.password, hub.auth_url)


def places(hub: FlameHubEmulator) -> list[tuple[str, str]]:
    return [(hub.auth_url, "clients"), (hub.core_url, "nodes"), (hub.storage_url, "buckets")]


def token_requests(hub: FlameHubEmulator) -> Counter[str]:
    bodies: list[Any] = [request.json for request in hub.requests if request.path == "/token"]
    return Counter(body["grant_type"] for body in bodies)


def questions(hub: FlameHubEmulator) -> int:
    """How often the auth service was asked about a token."""
    return sum(request.path == "/token/introspect" for request in hub.requests)


def together(work: Callable[[int], Any]) -> list[Any]:
    """What each of eight threads gives, that begin at once."""
    barrier = Barrier(THREADS)

    def run(number: int) -> Any:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(run, range(THREADS)))


def test_eight_threads_and_three_services_ask_for_one_token(hub: FlameHubEmulator) -> None:
    auth = password(hub)
    clients = [(SyncRecords(url, plugins=[auth]), path) for url, path in places(hub)]

    def work(number: int) -> Any:
        client, path = clients[number % 3]
        return client.read(path)

    together(work)
    hub.expire_tokens()
    together(work)

    assert token_requests(hub) == {"password": 1, "refresh_token": 1}
    assert questions(hub) == (hub.generation == "0.1.1")
    for client, _ in clients:
        client.close()


def test_tasks_and_three_services_ask_for_one_token(hub: FlameHubEmulator) -> None:
    auth = password(hub)

    async def work() -> None:
        clients = [(AsyncRecords(url, plugins=[auth]), path) for url, path in places(hub)]
        for _ in range(2):
            await asyncio.gather(*(client.read(path) for client, path in clients * 8))
            hub.expire_tokens()
        for client, _ in clients:
            await client.aclose()

    asyncio.run(work())

    assert token_requests(hub) == {"password": 1, "refresh_token": 1}
    assert questions(hub) == (hub.generation == "0.1.1")


def test_threads_and_loops_ask_for_one_token(hub: FlameHubEmulator) -> None:
    auth = password(hub)

    together(lambda number: (in_a_loop if number % 2 else in_a_thread)(hub, auth, "read"))

    assert token_requests(hub) == {"password": 1}


def in_a_thread(hub: FlameHubEmulator, auth: object, method: str, *given: str) -> Any:
    """One call to the core service."""
    with SyncRecords(hub.core_url, plugins=[auth]) as client:
        return getattr(client, method)("nodes", *given)


def in_a_loop(hub: FlameHubEmulator, auth: object, method: str, *given: str) -> Any:
    """The same, awaited."""

    async def run() -> Any:
        async with AsyncRecords(hub.core_url, plugins=[auth]) as client:
            return await getattr(client, method)("nodes", *given)

    return asyncio.run(run())


@pytest.fixture(params=[in_a_thread, in_a_loop], ids=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Any:
    return request.param


DEAD = pytest.mark.parametrize("dead", [400, 401, 500])


@DEAD
def test_a_dead_token_is_replaced_and_nothing_is_made_twice(
    hub: FlameHubEmulator, ask: Any, dead: Literal[400, 401, 500]
) -> None:
    hub.dead_token = dead
    auth = password(hub)
    ask(hub, auth, "read")
    hub.expire_tokens()
    ask(hub, auth, "create", "one")
    hub.expire_tokens(refresh=True)

    assert [node["name"] for node in ask(hub, auth, "read")] == ["one"]
    assert token_requests(hub) == {"password": 2, "refresh_token": 2}


@DEAD
def test_robots_and_clients_are_given_another_token(dead: Literal[400, 401, 500]) -> None:
    with FlameHubEmulator("0.1.1", dead_token=dead) as hub:
        robot = RobotAuth(hub.robot_id, hub.robot_secret, hub.auth_url)
        client = ClientAuth(hub.client_id, hub.client_secret, hub.auth_url)
        for auth in (robot, client):
            with SyncRecords(hub.core_url, plugins=[auth]) as nodes:
                nodes.read("nodes")
                hub.expire_tokens()
                nodes.read("nodes")

        assert token_requests(hub) == {"robot_credentials": 2, "client_credentials": 2}


def test_a_500_of_the_services_own_makes_nothing_twice_and_asks_for_no_token(hub: FlameHubEmulator, ask: Any) -> None:
    auth = password(hub)
    for _ in range(5):
        ask(hub, auth, "read")
        hub.inject(500, path="/nodes", method="POST")
        with pytest.raises(ServiceError):
            ask(hub, auth, "create", "one")

    assert token_requests(hub) == {"password": 1}
    assert [request.status for request in hub.requests if request.method == "POST"] == [200, *[500] * 5]


def test_a_sick_auth_service_makes_no_500_a_dead_token(hub: FlameHubEmulator, ask: Any) -> None:
    auth = password(hub)
    ask(hub, auth, "read")
    for path in ("/nodes", "/token/introspect", "/realms"):
        hub.inject(500, path=path)

    with pytest.raises(ServiceError):
        ask(hub, auth, "create", "one")

    assert ask(hub, auth, "read") == []
    assert token_requests(hub) == {"password": 1}


def test_who_gave_no_auth_is_told(hub: FlameHubEmulator) -> None:
    with CoreClient(hub.core_url) as core, pytest.raises(HubAuthenticationError) as caught:
        core.get_nodes()

    assert "this was asked by nobody: give auth=" in caught.value.__notes__


def test_wrong_credentials_are_told(hub: FlameHubEmulator, ask: Any) -> None:
    auth = PasswordAuth(hub.username, "nope", hub.auth_url)

    with pytest.raises(HubLoginError) as caught:
        ask(hub, auth, "read")

    expected = "received status code 400 (invalid_credentials): The user credentials are invalid."
    assert str(caught.value) == expected
    assert caught.value.request is not None
    assert caught.value.request.url == f"{hub.auth_url}/token"


def test_an_address_that_is_not_the_auth_services_is_told(hub: FlameHubEmulator, ask: Any) -> None:
    auth = PasswordAuth(hub.username, hub.password, hub.core_url)

    with pytest.raises(HubLoginError) as caught:
        ask(hub, auth, "read")

    assert caught.value.status == 404
    assert any("check base_url" in note for note in caught.value.__notes__)
