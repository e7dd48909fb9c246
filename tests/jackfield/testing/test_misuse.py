"""The kit used wrongly: what is said, when it is said, and that it says what to do."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from jackfield import (
    AsyncClient,
    ConfigurationError,
    ConnectError,
    JackfieldError,
    Request,
    Response,
    Service,
    UsageError,
    operation,
)
from jackfield.testing import (
    Cut,
    Drip,
    FakeTransport,
    FaultServer,
    HangUp,
    Reply,
    SimulatedNetwork,
    SimulatedRuntime,
    Trouble,
    VirtualSyncRuntime,
    json_response,
    storm,
)
from jackfield_plugins.hedging import Hedging
from jackfield_plugins.retry import Retry

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour


class Core(Service):
    @operation
    async def get(self) -> bytes:
        return (await self.send(Request("GET", self.url("a")))).content


class CoreAsync(Core, AsyncClient): ...


def well(request: Request) -> Response:
    return Response(200)


# --- scripts


NO_ANSWERS = [ConnectError, Response, {"a": 1}, None, b"bytes", 200, [Response(200)]]


@pytest.mark.parametrize("wrong", NO_ANSWERS, ids=repr)
def test_what_is_no_answer_is_refused_when_the_script_is_written(wrong: Any) -> None:
    for refused in ([wrong], (Response(200), wrong)):
        with pytest.raises(ConfigurationError, match=r"an answer is a Response, .*not its class.*json_response"):
            FakeTransport(refused)
    if wrong is not None:
        with pytest.raises(ConfigurationError, match="an answer is a Response"):
            FakeTransport(otherwise=wrong)


@pytest.mark.parametrize("wrong", NO_ANSWERS, ids=repr)
def test_what_is_no_answer_is_refused_when_a_generator_gives_it(colour: Colour, wrong: Any) -> None:
    client = colour.client(Core, FakeTransport(answer for answer in [wrong]))

    with pytest.raises(ConfigurationError, match="an answer is a Response"):
        colour.get(client.get())


@pytest.mark.parametrize("one", [Response(200), ConnectError("why"), well], ids=["response", "error", "function"])
def test_one_answer_is_no_script(one: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"answers are several.*for one, \[\.\.\.\] around it"):
        FakeTransport(one)


async def later(request: Request) -> Any:
    return None


def gives(value: Any) -> Callable[[Request], Any]:
    return lambda _: value


WRONG_FUNCTIONS = [gives(None), gives(b"bytes"), gives({"a": 1}), gives(ConnectError("why")), later]


@pytest.mark.parametrize("function", WRONG_FUNCTIONS)
def test_a_function_that_answers_with_no_response_is_told_so(colour: Colour, function: Any) -> None:
    client = colour.client(Core, FakeTransport([function]))

    with pytest.raises(UsageError, match="a scripted function answers with a Response, or raises an error; not with"):
        colour.get(client.get())


@pytest.mark.parametrize("body", ["text", None, {"a": 1}, bytearray(b"a")], ids=repr)
def test_a_body_that_is_none_is_told_so(colour: Colour, body: Any) -> None:
    for transport in (FakeTransport([Response(200, body=body)]), SimulatedNetwork(lambda _: Response(200, body=body))):
        with pytest.raises(UsageError, match=f"a body is bytes, .*, not {type(body).__name__}"):
            colour.get(colour.client(Core, transport).get())


# --- more requests than answers


def test_a_request_beyond_the_script_is_not_tried_again_and_says_which_attempt_it_was(colour: Colour) -> None:
    transport = FakeTransport([Response(503)])
    client = colour.client(Core, transport, plugins=[Retry(max_attempts=5)])

    with pytest.raises(
        AssertionError, match=r"request 2 was not expected, attempt 2 of the call 'get': <Request GET .*otherwise="
    ):
        colour.get(client.get())
    assert len(transport.requests) == 2


def test_a_request_beyond_the_script_is_no_error_that_a_program_expects(colour: Colour) -> None:
    with pytest.raises(AssertionError) as caught:
        colour.get(colour.client(Core, FakeTransport()).get())

    assert not isinstance(caught.value, JackfieldError)


def test_where_only_the_first_answer_counts_the_requests_tell_of_one_too_many() -> None:
    runtime = SimulatedRuntime()

    async def slow(request: Request) -> Response:
        await runtime.sleep(10)
        return Response(200, body=b"well")

    transport = FakeTransport([slow])
    client = CoreAsync("http://api.example.test", transport=transport, runtime=runtime, plugins=[Hedging(1.0)])

    assert runtime.run(client.get()) == b"well"
    assert len(transport.requests) == 2


# --- networks


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trouble": 1.5}, "from 0 to 1, not 1.5"),
        ({"trouble": -0.1}, "from 0 to 1"),
        ({"trouble": float("nan")}, "from 0 to 1"),
        ({"trouble": "0.2"}, "from 0 to 1, not '0.2'"),
        ({"kinds": []}, "kinds are some of Trouble"),
        ({"kinds": Trouble.BUSY}, "kinds are some of Trouble, in a list"),
        ({"kinds": ["busy"]}, "kinds are some of Trouble"),
        ({"latency": (-1, 0)}, "latency must be"),
        ({"latency": 0.1}, "the least and the most"),
        ({"latency": (0.1,)}, "the least and the most"),
        ({"latency": (2, 1)}, "in that order"),
    ],
)
def test_a_network_that_makes_no_sense_is_refused(options: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        SimulatedNetwork(well, **options)


@pytest.mark.parametrize("wrong", [Response(200), None, {}])
def test_the_service_of_a_network_is_a_function(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="a function from Request to Response"):
        SimulatedNetwork(wrong)


@pytest.mark.parametrize("function", WRONG_FUNCTIONS)
def test_the_service_of_a_network_returns_responses(colour: Colour, function: Any) -> None:
    with pytest.raises(UsageError, match="returns a Response, and takes no time"):
        colour.get(colour.client(Core, SimulatedNetwork(function)).get())
    gc.collect()  # no coroutine is found that nobody awaited


# --- simulations


async def main() -> int:
    return 1


@pytest.mark.parametrize("wrong", [main, None, 5, [1]], ids=["function", "None", "5", "[1]"])
def test_what_is_no_coroutine_does_not_become_a_task(wrong: Any) -> None:
    runtime = SimulatedRuntime()

    async def gather() -> None:
        await runtime.gather(wrong)

    async def spawn() -> None:
        await runtime.spawn(wrong)

    for use in (lambda: wrong, gather, spawn):
        with pytest.raises(UsageError, match=r"a task is made of a coroutine, `main\(\)` say, not of"):
            runtime.run(use())
    assert runtime.run(main()) == 1


def test_a_simulated_sleep_outside_the_simulation_says_where_it_belongs() -> None:
    with pytest.raises(UsageError, match=r"waits only inside its own `run"):
        asyncio.run(SimulatedRuntime().sleep(1))


def test_a_virtual_clock_does_not_go_back() -> None:
    runtime = VirtualSyncRuntime()

    runtime.run(runtime.sleep(-5))

    assert runtime.elapsed == 0


# --- servers


NO_BEHAVIOURS = [Reply, HangUp, 503, None, b"HTTP/1.1 200", Response(200), storm(2), json_response({})]


@pytest.mark.parametrize("wrong", NO_BEHAVIOURS, ids=repr)
def test_what_is_no_behaviour_is_refused_before_it_is_met(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"a behaviour is a `Reply\(\)`.*not its class"):
        FaultServer(wrong)
    with pytest.raises(ConfigurationError, match="a behaviour is"):
        FaultServer(otherwise=wrong)
    with FaultServer() as server, pytest.raises(ConfigurationError, match="a behaviour is"):
        server.plan(Reply(), wrong)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (Reply, {"body": "text"}, "bytes for its body"),
        (Reply, {"status": "200"}, "a number for its status"),
        (Reply, {"framing": "chunk"}, "framing must be one of 'length', 'chunked', 'close', not 'chunk'"),
        (Cut, {"by": "clsoe"}, "by must be one of 'close', 'reset', 'half-close', 'stall', not 'clsoe'"),
        (HangUp, {"by": "stop"}, "by must be one of"),
        (Cut, {"of": "text"}, r"a Reply\(\.\.\.\) or bytes, not 'text'"),
        (Cut, {"of": Reply}, r"a Reply\(\.\.\.\) or bytes"),
        (Drip, {"of": None}, r"a Reply\(\.\.\.\) or bytes"),
    ],
)
def test_a_behaviour_is_checked_when_it_is_made(kind: Callable[..., Any], arguments: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        kind(**arguments)


def test_a_server_that_was_not_started_has_no_url() -> None:
    server = FaultServer()

    with pytest.raises(UsageError, match=r"nobody listens there yet: `with"):
        _ = server.url
    with server:
        url = server.url
    assert server.url == url  # of one that is gone, to see what a client does
