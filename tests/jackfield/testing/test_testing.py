"""What users test with: it answers as scripted, remembers what it was asked, and keeps virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from jackfield import (
    ConnectError,
    NetworkError,
    NotFoundError,
    ReadTimeoutError,
    Request,
    Response,
    Runtime,
    Service,
    SyncRuntime,
    operation,
)
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime, json_response

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour

DAY = 86_400.0
RUNTIMES = pytest.mark.parametrize("make", [VirtualSyncRuntime, VirtualAsyncioRuntime])


class Core(Service):
    @operation
    async def get(self, name: str) -> bytes:
        return (await self.send(Request("GET", self.url(name)))).content

    @operation
    async def post(self, name: str) -> bytes:
        return (await self.send(Request("POST", self.url(name)))).content


def sleep(runtime: Runtime, *seconds: float) -> None:
    async def main() -> None:
        for one in seconds:
            await runtime.sleep(one)

    if isinstance(runtime, SyncRuntime):
        runtime.run(main())
    else:
        asyncio.run(main())


# --- the transport


def test_answers_come_in_the_order_scripted_whatever_their_kind(colour: Colour) -> None:
    def echo(request: Request) -> Response:
        return Response(200, body=request.url.path.encode())

    transport = FakeTransport([Response(200, body=b"one"), ConnectError("down"), echo, json_response({"a": 1})])
    client = colour.client(Core, transport)

    assert colour.get(client.get("a")) == b"one"
    with pytest.raises(ConnectError, match="down"):
        colour.get(client.get("b"))
    assert colour.get(client.get("c")) == b"/v1/c"
    assert json.loads(colour.get(client.get("d"))) == {"a": 1}
    assert [request.url.path for request in transport.requests] == ["/v1/a", "/v1/b", "/v1/c", "/v1/d"]


def test_otherwise_answers_when_the_script_is_used_up_and_as_often_as_asked(colour: Colour) -> None:
    client = colour.client(Core, FakeTransport([Response(200, body=b"first")], otherwise=Response(200, body=b"more")))

    assert [colour.get(client.get("a")) for _ in range(3)] == [b"first", b"more", b"more"]


def test_a_request_that_nobody_scripted_fails_the_test_and_says_which(colour: Colour) -> None:
    client = colour.client(Core, FakeTransport([Response(200)]))
    colour.get(client.get("a"))

    with pytest.raises(AssertionError, match=r"request 2 was not expected.*GET .*/v1/b"):
        colour.get(client.get("b"))


@pytest.mark.parametrize("kind", [ConnectError, NotFoundError])
def test_a_scripted_error_is_a_fresh_one_each_time(colour: Colour, kind: type[NetworkError]) -> None:
    scripted = kind("again")
    transport = FakeTransport([scripted, scripted], otherwise=scripted)
    client = colour.client(Core, transport)
    urls: list[str] = []

    for name in "abc":
        with pytest.raises(kind, match="again") as caught:
            colour.get(client.get(name))
        assert caught.value.call is not None
        urls.append(caught.value.call.url[-1])

    assert urls == ["a", "b", "c"]
    assert scripted.call is None


def test_a_scripted_error_that_cannot_be_copied_is_raised_as_it_is(colour: Colour) -> None:
    class Two(Exception):
        def __init__(self, message: str, number: int) -> None:
            super().__init__(message)
            self.number = number

    client = colour.client(Core, FakeTransport([Two("of a library", 7)]))

    with pytest.raises(Two, match="of a library") as caught:
        colour.get(client.get("a"))
    assert caught.value.number == 7


def test_a_scripted_error_leaves_the_doubt_that_a_real_one_leaves(colour: Colour) -> None:
    client = colour.client(Core, FakeTransport([ReadTimeoutError("late"), ConnectError("down"), NotFoundError("gone")]))
    doubts: list[bool] = []

    for _ in range(3):
        with pytest.raises((NetworkError, NotFoundError)) as caught:
            colour.get(client.post("a"))
        assert caught.value.call is not None
        doubts.append(caught.value.call.may_have_been_processed)

    assert doubts == [True, False, False]


def test_a_script_may_be_endless(colour: Colour) -> None:
    def numbers() -> Any:
        number = 0
        while True:
            number += 1
            yield Response(200, body=str(number).encode())

    client = colour.client(Core, FakeTransport(numbers()))

    assert [colour.get(client.get("a")) for _ in range(3)] == [b"1", b"2", b"3"]


def test_requests_are_remembered_as_they_would_have_gone_out(colour: Colour) -> None:
    transport = FakeTransport(otherwise=Response(200))

    colour.get(colour.client(Core, transport, headers={"x-key": "1"}).get("a b"))

    assert transport.requests[0].target == "/v1/a%20b"
    assert transport.requests[0].headers["x-key"] == "1"


def test_a_transport_remembers_that_it_was_closed() -> None:
    transport = FakeTransport()
    assert not transport.closed

    asyncio.run(transport.close())

    assert transport.closed


# --- answers


@pytest.mark.parametrize("value", [{"a": [1, None, True]}, [], "text", 5, None, {"ü": "ü"}])
def test_a_json_response_decodes_to_its_value_and_says_that_it_is_json(value: Any) -> None:
    response = json_response(value)

    assert response.status == 200
    assert json.loads(response.content) == value
    assert response.headers["content-type"] == "application/json"


def test_a_json_response_may_have_another_status_and_other_headers() -> None:
    response = json_response({}, 404, {"Content-Type": "application/problem+json", "x": "y"})

    assert response.status == 404
    assert response.headers.get_all("content-type") == ["application/problem+json"]
    assert response.headers["x"] == "y"


# --- virtual time


@RUNTIMES
def test_a_day_passes_at_once_and_is_remembered(make: Callable[[], Any]) -> None:
    runtime = make()
    began = runtime.now()

    sleep(runtime, DAY, 0, 0.5)

    assert runtime.monotonic() == runtime.elapsed == DAY + 0.5
    assert runtime.now() - began == DAY + 0.5
    assert runtime.sleeps == [DAY, 0, 0.5]


@RUNTIMES
def test_time_stands_still_unless_somebody_sleeps_or_moves_it(make: Callable[[], Any]) -> None:
    runtime = make()

    assert runtime.monotonic() == runtime.monotonic() == 0
    runtime.elapsed += 7
    assert runtime.monotonic() == 7
    assert runtime.sleeps == []


@RUNTIMES
def test_the_same_seed_gives_the_same_run_and_another_seed_another(make: Callable[..., Any]) -> None:
    def drawn(*seed: int) -> list[Any]:
        runtime = make(*seed)
        return [runtime.token_bytes(16), *(runtime.random() for _ in range(5))]

    assert drawn() == drawn() == drawn(0)
    assert drawn(1)[0] != drawn(2)[0]
    assert drawn(1)[1:] != drawn(2)[1:]
    assert all(0 <= number < 1 for number in drawn(3)[1:])


@RUNTIMES
def test_two_runtimes_have_two_clocks(make: Callable[[], Any]) -> None:
    one, other = make(), make()

    sleep(one, 5)

    assert (one.elapsed, other.elapsed, other.sleeps) == (5, 0, [])


def test_a_virtual_sleep_lets_other_tasks_run() -> None:
    runtime = VirtualAsyncioRuntime()
    order: list[str] = []

    async def walk(name: str) -> None:
        for _ in range(2):
            order.append(name)
            await runtime.sleep(1)

    async def main() -> None:
        await asyncio.gather(walk("a"), walk("b"))

    asyncio.run(main())

    assert order == ["a", "b", "a", "b"]


def test_whole_conversations_are_the_same_every_time(colour: Colour) -> None:
    def conversation() -> list[float]:
        client = colour.client(Core, FakeTransport(otherwise=Response(503)), plugins=["retry"], timeout=DAY)
        for _ in range(3):
            with pytest.raises(Exception, match="503"):
                colour.get(client.get("a"))
        sleeps: list[float] = client.runtime.sleeps
        return sleeps

    assert conversation() == conversation()
    assert len(conversation()) == 6
