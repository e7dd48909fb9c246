"""What a step may do with its call besides going on: fetch on the side, take less time, digest a body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from jackfield import (
    Call,
    ConnectionLostError,
    DeadlineExceededError,
    Proceed,
    Pure,
    Request,
    RequestSent,
    Response,
    Service,
    Stage,
    Step,
    StreamBody,
    Url,
    UsageError,
    operation,
)
from jackfield.testing import FakeTransport

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour, Steps, Watch

SIDE = Request("POST", Url.parse("https://login.example.test/token"), headers={"x-mine": "1"}, body=b"side")


class Core(Service):
    @operation
    async def thing(self, body: bytes | StreamBody = b"") -> int:
        return (await self.send(Request("PUT", self.url("thing"), body=body))).status


def doing(work: Callable[[Request, Call], Awaitable[object]]) -> Step:
    """A step that does this before it goes on."""

    async def run(request: Request, call: Call, proceed: Proceed) -> Response:
        await work(request, call)
        return await proceed(request, call)

    return Step("mine", Stage.AUTH, run)


async def fetch(request: Request, call: Call) -> Response:
    return await call.fetch(SIDE, "token")


def test_a_step_may_look_at_what_was_sent_in_the_end(colour: Colour, plugin: type[Steps]) -> None:
    seen: list[Request | None] = []

    async def look(request: Request, call: Call, proceed: Proceed) -> Response:
        seen.append(call.sent)
        response = await proceed(request, call)
        seen.append(call.sent)
        return response

    def sign(request: Request, call: Call) -> Request:
        return request.with_headers(request.headers.replacing("x-signed", "yes"))

    transport = FakeTransport(otherwise=Response(200))
    steps = plugin("mine", Step("look", Stage.CACHE, look), Pure("sign", Stage.AUTH, request=sign))
    client = colour.client(Core, transport, plugins=[steps])

    colour.get(client.thing())

    assert seen == [None, transport.requests[0]]
    assert transport.requests[0].headers["x-signed"] == "yes"


def test_what_a_step_fetches_goes_past_every_step(colour: Colour, plugin: type[Steps]) -> None:
    def sign(request: Request, call: Call) -> Request:
        return request.with_headers(request.headers.replacing("x-signed", "yes"))

    transport = FakeTransport(otherwise=Response(200))
    plugins = [plugin("mine", doing(fetch)), plugin("signer", Pure("signer", Stage.SIGN, request=sign))]
    client = colour.client(Core, transport, plugins=plugins, headers={"x-api-key": "canary"})

    colour.get(client.thing())

    side, thing = transport.requests
    assert side == SIDE
    assert (thing.headers["x-signed"], thing.headers["x-api-key"]) == ("yes", "canary")


@pytest.mark.parametrize("status", [200, 302, 400, 401, 503])
def test_every_status_is_an_answer(colour: Colour, plugin: type[Steps], status: int) -> None:
    seen: list[int] = []

    async def work(request: Request, call: Call) -> None:
        seen.append((await fetch(request, call)).status)

    client = colour.client(Core, FakeTransport([Response(status), Response(200)]), plugins=[plugin("m", doing(work))])

    assert colour.get(client.thing()) == 200
    assert seen == [status]


def test_it_is_no_attempt_of_the_call_and_observers_are_told_of_it(
    colour: Colour, plugin: type[Steps], watch: type[Watch]
) -> None:
    observer = watch()
    client = colour.client(Core, plugins=[plugin("mine", doing(fetch)), observer])

    colour.get(client.thing())

    sent = [event for event in observer.events if isinstance(event, RequestSent)]
    assert [(event.operation, event.attempt) for event in sent] == [("thing (token)", 1), ("thing", 1)]


def test_an_error_tells_which_request_it_was(colour: Colour, plugin: type[Steps]) -> None:
    client = colour.client(Core, FakeTransport([ConnectionLostError("cut")]), plugins=[plugin("mine", doing(fetch))])

    with pytest.raises(ConnectionLostError) as caught:
        colour.get(client.thing())

    assert caught.value.call is not None
    assert caught.value.call[:4] == ("thing (token)", "POST", "https://login.example.test/token", 1)
    assert caught.value.call.may_have_been_processed


def test_it_ends_when_the_call_ends(colour: Colour, plugin: type[Steps]) -> None:
    async def work(request: Request, call: Call) -> None:
        await call.runtime.sleep(7)
        limits.append(call.bounded(600).limit(1000))
        limits.append(call.bounded(2).limit(1000))
        await call.runtime.sleep(100)
        await fetch(request, call)

    limits: list[float] = []

    class Bounding(FakeTransport):
        async def send(self, request: Request, call: Call) -> Response:
            call.limit(1)
            return await super().send(request, call)

    client = colour.client(Core, Bounding(otherwise=Response(200)), plugins=[plugin("mine", doing(work))], timeout=60)

    with pytest.raises(DeadlineExceededError, match="within 60 s"):
        colour.get(client.thing())
    assert limits == [53.0, 2.0]


def test_less_time_says_how_little_it_was(colour: Colour, plugin: type[Steps]) -> None:
    async def work(request: Request, call: Call) -> None:
        less = call.bounded(2)
        await call.runtime.sleep(3)
        less.limit(1)

    client = colour.client(Core, plugins=[plugin("mine", doing(work))])

    with pytest.raises(DeadlineExceededError, match="within 2 s"):
        colour.get(client.thing())


@pytest.mark.parametrize(
    "body", [b"", b"whole", StreamBody(lambda: [b"wh", b"ole"]), StreamBody(lambda: [b"whole"], length=5)], ids=repr
)
def test_a_body_is_digested_and_can_still_be_sent(colour: Colour, plugin: type[Steps], body: Any) -> None:
    async def work(request: Request, call: Call) -> None:
        await request.feed(digest.update, call.runtime)

    digest = sha256()
    transport = FakeTransport(otherwise=Response(200))

    colour.get(colour.client(Core, transport, plugins=[plugin("mine", doing(work))]).thing(body))

    sent = transport.requests[0].body
    assert digest.digest() == sha256(b"".join([sent] if isinstance(sent, bytes) else sent)).digest()


def test_a_body_that_can_be_read_once_only_is_not_digested(colour: Colour, plugin: type[Steps]) -> None:
    async def work(request: Request, call: Call) -> None:
        await request.feed(bytes, call.runtime)

    transport = FakeTransport()
    client = colour.client(Core, transport, plugins=[plugin("mine", doing(work))])

    with pytest.raises(UsageError, match="give bytes, or a StreamBody with a function"):
        colour.get(client.thing(StreamBody.once([b"whole"])))
    assert transport.requests == []


def test_a_body_that_fails_while_it_is_digested_is_the_callers_error(colour: Colour, plugin: type[Steps]) -> None:
    async def work(request: Request, call: Call) -> None:
        await request.feed(bytes, call.runtime)

    client = colour.client(Core, FakeTransport(), plugins=[plugin("mine", doing(work))])

    with pytest.raises(UsageError, match="more than the 1 bytes announced"):
        colour.get(client.thing(StreamBody(lambda: [b"whole"], length=1)))
