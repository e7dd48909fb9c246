"""`signature_algorithm="auto"`: what the server takes is found out once, and never with a user's command."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

from jackfield import ConnectError, NetworkError, Request, Response, UnauthorizedError
from jackfield.testing import FakeTransport, VirtualSyncRuntime, json_response
from jackfield_plugins.retry import Retry
from jackfield_services.cloudstack import (
    AsyncCloudStack,
    CloudStack,
    CloudStackClientException,
    CloudStackUnauthorizedError,
)
from jackfield_services.cloudstack.emulator import CloudStackEmulator, User
from jackfield_services.cloudstack.emulator._signature import verified

if TYPE_CHECKING:
    from tests.jackfield_services.cloudstack.conftest import Converse

END_POINT = "https://cloud.test/client/api"
NOW = 1_700_000_000.0  # when virtual time starts
EMPTY = json_response({"listzonesresponse": {}})
REFUSED = json_response({"listapisresponse": {"errorcode": 401, "errortext": "unable to verify"}}, 401)
DENIED = json_response({"listapisresponse": {"errorcode": 401, "cserrorcode": 9999, "errortext": "not you"}}, 401)
UNKNOWN = json_response({"listapisresponse": {"errorcode": 432, "errortext": "does not exist"}}, 432)


def each(*names: str) -> Any:
    """One command after the other, in either colour."""

    async def later(client: Any) -> None:
        for name in names:
            await client.execute(name)

    def talk(client: Any) -> Any:
        if not isinstance(client, CloudStack):
            return later(client)
        return [client.execute(name) for name in names]

    return talk


def asked(cloud: CloudStackEmulator) -> list[tuple[str, int]]:
    return [(request.command, request.status) for request in cloud.requests]


def commands(transport: FakeTransport) -> list[str]:
    found = [dict(request.query) or dict(parse_qsl(bytes_of(request).decode())) for request in transport.requests]
    return [parameters["command"] for parameters in found]


def bytes_of(request: Request) -> bytes:
    assert isinstance(request.body, bytes)
    return request.body


@pytest.mark.parametrize(
    ("algorithm", "probes"), [("sha512", [("listApis", 200)]), ("sha1", [("listApis", 401), ("listApis", 200)])]
)
@pytest.mark.parametrize("expires", [None, 600])
def test_the_better_one_that_the_server_takes_is_used_and_remembered(
    converse: Converse, algorithm: Any, probes: list[tuple[str, int]], expires: float | None
) -> None:
    with CloudStackEmulator(signature_algorithm=algorithm, now=lambda: NOW) as cloud:
        options: dict[str, Any] = {"end_point": cloud.end_point, "expires": expires}
        converse(each("listZones", "listUsers"), signature_algorithm="auto", **options)

    assert asked(cloud) == [*probes, ("listZones", 200), ("listUsers", 200)]
    assert {request.http_method for request in cloud.requests} == {"GET"}
    assert cloud.requests[0].parameters["name"] == "listApis"  # all of them would be megabytes


def test_a_users_command_is_sent_once_whatever_is_found(cloud: CloudStackEmulator, converse: Converse) -> None:
    converse(lambda cs: cs.execute("createSSHKeyPair", name="k"), signature_algorithm="auto")

    assert [command for command, _ in asked(cloud)].count("createSSHKeyPair") == 1


def test_a_key_that_neither_signs_for_is_an_error_that_says_so(cloud: CloudStackEmulator, converse: Converse) -> None:
    cloud.user.enabled = False

    with pytest.raises(CloudStackUnauthorizedError, match="refuses this key with SHA-512 and with SHA-1") as caught:
        converse(lambda cs: cs.execute("deployVirtualMachine"), signature_algorithm="auto")

    assert isinstance(caught.value, UnauthorizedError)
    assert (caught.value.status, caught.value.error_code) == (401, 401)
    assert "unable to verify" in str(caught.value)
    assert asked(cloud) == [("listApis", 401), ("listApis", 401)]


def test_that_is_not_remembered(cloud: CloudStackEmulator) -> None:
    with CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret, signature_algorithm="auto") as client:
        cloud.user.enabled = False
        with pytest.raises(CloudStackUnauthorizedError):
            client.listZones()
        cloud.user.enabled = True

        assert client.listZones()["count"] == 2


@pytest.mark.parametrize("denied", [DENIED, UNKNOWN])
def test_a_role_that_may_not_list_commands_is_known_all_the_same(converse: Converse, denied: Response) -> None:
    transport = FakeTransport([denied, EMPTY])
    options: dict[str, Any] = {"end_point": END_POINT, "transport": transport}

    converse(lambda cs: cs.execute("listZones"), signature_algorithm="auto", **options)

    assert commands(transport) == ["listApis", "listZones"]
    query = dict(transport.requests[1].query)
    assert len(query["signature"]) == 88  # of SHA-512


def test_a_role_of_a_user_may_list_commands(converse: Converse) -> None:
    with CloudStackEmulator(users=[User(role="User")]) as cloud:
        user = cloud.user
        with CloudStack(cloud.end_point, user.api_key, user.api_secret, signature_algorithm="auto") as client:
            client.listZones()

    assert asked(cloud) == [("listApis", 401), ("listApis", 200), ("listZones", 200)]


@pytest.mark.parametrize("fault", [503, 429])
def test_a_server_that_is_busy_is_asked_again(cloud: CloudStackEmulator, converse: Converse, fault: int) -> None:
    cloud.inject(fault, command="listApis")

    converse(lambda cs: cs.execute("createSSHKeyPair", name="k"), signature_algorithm="auto")

    assert asked(cloud) == [
        *(("listApis", fault), ("listApis", 401), ("listApis", 200), ("createSSHKeyPair", 200)),
    ]


@pytest.mark.parametrize("error", [ConnectError("no"), NetworkError("gone")])
def test_a_probe_that_does_not_arrive_leaves_the_command_unsent(converse: Converse, error: NetworkError) -> None:
    error.sent = True
    transport = FakeTransport([error, EMPTY, EMPTY])
    options: dict[str, Any] = {"end_point": END_POINT, "transport": transport}

    converse(lambda cs: cs.execute("deployVirtualMachine"), signature_algorithm="auto", **options)

    assert commands(transport) == ["listApis", "listApis", "deployVirtualMachine"]


@pytest.mark.parametrize("answer", [Response(200, body=b"<html>"), Response(404), json_response({}, 500)])
def test_an_answer_that_is_no_cloudstacks_is_an_error_and_nothing_is_remembered(
    converse: Converse, answer: Response
) -> None:
    transport = FakeTransport([answer])
    options: dict[str, Any] = {"end_point": END_POINT, "transport": transport, "plugins": [Retry(max_attempts=1)]}

    with pytest.raises(CloudStackClientException):
        converse(lambda cs: cs.execute("listZones"), signature_algorithm="auto", **options)

    assert commands(transport) == ["listApis"]


def test_a_probe_that_does_not_arrive_says_that_the_command_was_not_sent() -> None:
    lost = NetworkError("gone")
    lost.sent = True
    options: dict[str, Any] = {"transport": FakeTransport([lost]), "plugins": [Retry(max_attempts=1)]}
    client = CloudStack(END_POINT, "key", "secret", signature_algorithm="auto", **options)
    with client, pytest.raises(NetworkError) as caught:
        client.execute("deployVirtualMachine")

    assert not caught.value.sent


def test_what_the_client_sends_with_every_request_goes_along_with_a_probe(converse: Converse) -> None:
    transport = FakeTransport([EMPTY, EMPTY])
    options: dict[str, Any] = {"end_point": END_POINT, "transport": transport, "headers": {"x-gateway": "pass"}}

    converse(lambda cs: cs.execute("listZones"), signature_algorithm="auto", **options)

    assert [request.headers["x-gateway"] for request in transport.requests] == ["pass"] * 2


def test_tasks_that_come_together_ask_once(cloud: CloudStackEmulator) -> None:
    async def main() -> None:
        keys = (cloud.end_point, cloud.api_key, cloud.api_secret)
        async with AsyncCloudStack(*keys, signature_algorithm="auto") as client:
            await asyncio.gather(*(client.listZones() for _ in range(8)))

    asyncio.run(main())

    assert [command for command, _ in asked(cloud)].count("listApis") == 2


def test_threads_that_come_together_ask_once(cloud: CloudStackEmulator) -> None:
    start, failed = threading.Barrier(8), list[BaseException]()

    def call() -> None:
        start.wait()
        try:
            client.listZones()
        except BaseException as error:
            failed.append(error)

    with CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret, signature_algorithm="auto") as client:
        threads = [threading.Thread(target=call) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert not failed
    assert [command for command, _ in asked(cloud)].count("listApis") == 2


def test_views_share_what_was_found(cloud: CloudStackEmulator) -> None:
    with CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret, signature_algorithm="auto") as client:
        client.with_options(timeout=5).listZones()
        client.listZones()

    assert [command for command, _ in asked(cloud)].count("listApis") == 2


def test_what_is_only_explained_asks_nobody_and_says_so() -> None:
    transport = FakeTransport()
    with CloudStack(END_POINT, "key", "secret", signature_algorithm="auto", transport=transport) as client:
        request = client.execute.request("listZones")
        explained = str(client.execute.explain("listZones"))

    assert transport.requests == []
    assert verified(dict(request.query), "key", "secret", NOW, "sha512")
    assert "asked first whether it takes sha512 or sha1" in explained


def test_each_attempt_is_signed_afresh() -> None:
    transport = FakeTransport([EMPTY, Response(503), EMPTY])
    options: dict[str, Any] = {"transport": transport, "runtime": VirtualSyncRuntime(), "plugins": [Retry(base=20)]}
    with CloudStack(END_POINT, "key", "secret", signature_algorithm="auto", expires=60, **options) as client:
        client.execute("listZones")

    first, second = (dict(request.query) for request in transport.requests[1:])
    assert first["expires"] != second["expires"]
    assert verified(second, "key", "secret", NOW, "sha512")


def test_what_was_signed_to_find_out_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "jackfield.cloudstack")
    transport = FakeTransport([REFUSED, REFUSED])
    client = CloudStack(END_POINT, "key", "secret-canary", signature_algorithm="auto", transport=transport)
    with client, pytest.raises(CloudStackUnauthorizedError) as caught:
        client.execute("listZones")

    assert [record.getMessage() for record in caplog.records if record.name == "jackfield.cloudstack"] == [
        f"the server answered 401; by {digest} this was signed: apikey=key&command=listapis&name=***&response=json"
        for digest in ("sha512", "sha1")
    ]
    assert "canary" not in caplog.text + repr(vars(caught.value)) + repr(vars(client))


def test_the_key_tells_clients_apart_whatever_is_found() -> None:
    def identity(key: str, secret: str, algorithm: Any) -> bytes:
        with CloudStack(END_POINT, key, secret, signature_algorithm=algorithm, transport=FakeTransport()) as client:
            return client._wiring.identity

    for algorithm in ("auto", "sha1"):
        assert identity("key", "one", algorithm) == identity("key", "one", algorithm)
        others = [identity(*keys, algorithm) for keys in (("key", "one"), ("key", "two"), ("other", "one"))]
        assert len(set(others)) == 3
