"""The integration port: whoever reaches it is the administrator, so there is nothing to sign with; GET only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from jackfield import ConfigurationError, Request, Response
from jackfield.testing import FakeTransport, json_response
from jackfield_services.cloudstack import (
    AsyncCloudStack,
    CloudStack,
    CloudStackClientException,
    CloudStackPermissionError,
    CloudStackUnknownCommandError,
    Login,
)
from jackfield_services.cloudstack.emulator import CloudStackEmulator

END_POINT = "http://cloud.test:8096/client/api"
EMPTY = json_response({"listzonesresponse": {}})
COLOURS = pytest.mark.parametrize("colour", [CloudStack, AsyncCloudStack])


@pytest.fixture
def cloud() -> Iterator[CloudStackEmulator]:
    with CloudStackEmulator(machines=1200, integration_port=True) as running:
        yield running


def sent(colour: Any, *arguments: Any, **options: Any) -> Request:
    """What goes out of a client made of these."""
    transport = FakeTransport([EMPTY])

    async def awaited() -> None:
        async with colour(*arguments, transport=transport, **options) as client:
            await client.execute("listZones", keyword="x", userdata="y" * 5000, password="z")

    if colour is AsyncCloudStack:
        asyncio.run(awaited())
    else:
        with colour(*arguments, transport=transport, **options) as client:
            client.execute("listZones", keyword="x", userdata="y" * 5000, password="z")
    return transport.requests[0]


@COLOURS
@pytest.mark.parametrize("arguments", [(END_POINT,), (END_POINT, None, None)])
@pytest.mark.parametrize("method", ["auto", "get"])
def test_without_keys_nothing_is_signed_and_all_goes_by_get(colour: Any, arguments: Any, method: str) -> None:
    request = sent(colour, *arguments, method=method)

    assert request.method == "GET"
    assert request.body == b""
    assert sorted(dict(request.query)) == ["command", "keyword", "password", "response", "userdata"]
    assert "cookie" not in request.headers


@COLOURS
def test_posting_there_is_refused(colour: Any) -> None:
    with pytest.raises(ConfigurationError, match="integration port, which takes GET only"):
        colour(END_POINT, method="post")


@COLOURS
def test_an_expiry_of_what_is_not_signed_is_refused(colour: Any) -> None:
    for login in (None, Login("ann", "x", allow_http=True)):
        with pytest.raises(ConfigurationError, match="expires is for requests that are signed"):
            colour(END_POINT, expires=600, login=login)


@COLOURS
@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"api_key": "k"}, "api_secret is missing, and api_key is given: give both"),
        ({"api_secret": "canary"}, "api_key is missing, and api_secret is given: give both"),
        ({"api_key": "", "api_secret": "canary"}, "api_key must be"),
        ({"api_key": "k", "api_secret": ""}, "api_secret must be"),
        ({"api_key": "k", "api_secret": "canary\n"}, "api_secret holds a line break"),
    ],
)
def test_half_a_key_is_refused(colour: Any, keys: Any, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason) as caught:
        colour(END_POINT, **keys)

    assert "canary" not in str(caught.value)


def test_all_machines_come_over_the_emulators_port(cloud: CloudStackEmulator) -> None:
    with CloudStack(cloud.integration_end_point) as client:
        answer = client.listVirtualMachines()

    assert (answer["count"], len(answer["virtualmachine"])) == (1200, 1200)
    assert {request.port for request in cloud.requests} == {"integration"}


def test_jobs_are_waited_for_there(cloud: CloudStackEmulator) -> None:
    async def main() -> Any:
        async with AsyncCloudStack(cloud.integration_end_point, async_poll_latency=0) as client:
            machines = await client.listVirtualMachines(page=1, pagesize=1)
            return await client.stopVirtualMachine(id=machines["virtualmachine"][0]["id"])

    assert asyncio.run(main())["virtualmachine"]["state"] == "Stopped"


def test_what_it_refuses_is_an_error_by_its_meaning(cloud: CloudStackEmulator) -> None:
    with CloudStack(cloud.integration_end_point) as client:
        with pytest.raises(CloudStackUnknownCommandError):
            client.execute("noSuchCommand")
        with pytest.raises(CloudStackPermissionError, match="integration port"):
            client.execute("updateUser", id=cloud.user.id, password="new-canary")


def test_a_client_without_keys_that_meets_the_signed_port_is_refused(cloud: CloudStackEmulator) -> None:
    with CloudStack(cloud.end_point) as client, pytest.raises(CloudStackClientException) as caught:
        client.listZones()

    assert caught.value.status == 401


def test_clients_without_credentials_share_an_identity() -> None:
    transport = FakeTransport([Response(200)])
    with CloudStack(END_POINT, transport=transport) as client:
        assert client._wiring.identity == b""
