"""S39 and S40: what may not happen twice is sent once, and an outage is not made worse by those who try again."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from tests.both import Both
from tests.clients import COLOURS, Anything

from jackfield import (
    Call,
    ConnectError,
    JackfieldError,
    NetworkError,
    Proceed,
    Pure,
    Request,
    Response,
    Stage,
    Step,
    Url,
    hookimpl,
)
from jackfield_plugins.retry import IdempotencyKey, Retry

if TYPE_CHECKING:
    from tests.servers import Peer, Script, Serve

COLOUR = pytest.mark.parametrize("colour", COLOURS)
METHODS = pytest.mark.parametrize("method", ["POST", "PATCH"])
BODY = b'{"amount": 100}'


class Eager:
    """Broken on purpose: tries everything three times, whatever came of it, and needs no budget for that."""

    name = "retry"

    def __init__(self, **options: object) -> None: ...

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.RETRY, self.run)]

    async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        for _ in range(2):
            try:
                if (response := await proceed(request, call)).status < 500:
                    return response
            except NetworkError:
                pass
        return await proceed(request, call)


def as_it_is(request: Request, call: Call) -> Request:
    return request


def as_idempotent(request: Request, call: Call) -> Request:
    return request.replace(idempotent=True)


class Shy:
    """Broken on purpose: tries nothing again."""

    name = "retry"

    def __init__(self, **options: object) -> None: ...

    @hookimpl
    def jackfield_steps(self) -> Iterable[Pure]:
        return [Pure(self.name, Stage.LIMIT, request=as_it_is)]


def answer(status: int, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} X", "Content-Length: 0", *headers, "", ""]).encode()


def answering(*answers: bytes) -> Script:
    def script(peer: Peer) -> None:
        for number, _ in enumerate(peer.requests()):
            peer.send(answers[min(number, len(answers) - 1)])

    return script


def reset(peer: Peer) -> None:
    peer.request()
    peer.reset()


def close(peer: Peer) -> None:
    peer.request()
    peer.close()


def hang(peer: Peer) -> None:
    peer.request()
    peer.drain()


def short(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    peer.close()


def cut(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    peer.close()


FAULTS: dict[str, Script] = {
    "a reset": reset,
    "a close": close,
    "silence": hang,
    "half a body": short,
    "half a head": cut,
    "502": answering(answer(502)),
    "503": answering(answer(503)),
    "504": answering(answer(504)),
}


def patience(fault: str) -> dict[str, Any]:
    """The options of a client that is to notice the fault: only silence has to be cut short."""
    return {"read_timeout": 0.05} if fault == "silence" else {}


def given(api: Both, url: str, method: str = "POST", **parts: Any) -> Any:
    """The answer to one request, or the error."""
    try:
        return api.get(api.client.ask(Request(method, Url.parse(f"{url}/pay"), body=BODY, **parts)))
    except JackfieldError as error:
        return error


# --- S39: once


@pytest.mark.subjects(ours=Retry, eager=Eager)
@COLOUR
@METHODS
@pytest.mark.parametrize("fault", [*FAULTS, "500", "501"])
def test_s39_what_may_have_been_done_is_not_asked_for_again(
    subject: Callable[..., Any], fault: str, method: str, colour: str, serve: Serve
) -> None:
    server = serve(FAULTS[fault] if fault in FAULTS else answering(answer(int(fault))))

    with Both(colour, Anything, server.url, **patience(fault), plugins=[subject(base=0.001)]) as api:
        error = given(api, server.url, method)
        server.wait_for_requests(1)

    assert [request.body for request in server.requests] == [BODY]
    assert isinstance(error, JackfieldError)
    assert error.call is not None
    assert error.call.attempts == 1
    assert error.call.may_have_been_processed == (fault != "501")  # which says that it was not


POLICIES: list[tuple[int, dict[str, Any], int]] = [
    (429, {}, 2),
    (503, {}, 1),
    (503, {"unprocessed": {429, 503}}, 2),
]


@pytest.mark.subjects(ours=Retry, eager=Eager, shy=Shy)
@COLOUR
@METHODS
def test_s39_what_the_service_refused_is_asked_for_again_where_the_policy_says_so(
    subject: Callable[..., Any], method: str, colour: str, serve: Serve
) -> None:
    requests: list[int] = []

    for status, policy, _ in POLICIES:
        server = serve(answering(answer(status, "Retry-After: 0"), answer(200)))
        plugins = [subject(base=0.001, throttle_base=0.001, **policy)]
        with Both(colour, Anything, server.url, plugins=plugins) as api:
            given(api, server.url, method)
        requests.append(len(server.requests))

    assert requests == [expected for _, _, expected in POLICIES]


@pytest.mark.subjects(ours=Retry, shy=Shy)
@COLOUR
def test_s39_what_was_never_sent_may_be_sent_again(subject: Callable[..., Any], colour: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"  # where nobody listens, in a moment

    with Both(colour, Anything, url, plugins=[subject(base=0.001)]) as api:
        error = given(api, url)

    assert isinstance(error, ConnectError)
    assert error.call is not None
    assert error.call.attempts == 3


# --- S39: with a key


class KeyOfTheClient(IdempotencyKey):
    """Broken on purpose: one key for all calls."""

    def __init__(self) -> None:
        super().__init__()
        self._key = uuid4().hex

    def _add(self, request: Request, call: Call) -> Request:
        return request.replace(headers=request.headers.replacing("idempotency-key", self._key), idempotent=True)


class KeyOfTheAttempt(IdempotencyKey):
    """Broken on purpose: a key of its own for each attempt."""

    @hookimpl
    def jackfield_steps(self) -> Iterable[Pure]:
        return [
            Pure(self.name, Stage.PREPARE, request=as_idempotent),
            Pure("key", Stage.LIMIT, request=self._add),
        ]


@pytest.mark.subjects(ours=IdempotencyKey, of_the_attempt=KeyOfTheAttempt)
@COLOUR
@pytest.mark.parametrize(("method", "fault"), [*(("POST", fault) for fault in FAULTS), ("PATCH", "a reset")])
def test_s39_with_a_key_it_is_the_same_in_every_attempt(
    subject: Callable[[], Any], fault: str, method: str, colour: str, serve: Serve
) -> None:
    server = serve(FAULTS[fault])

    plugins = [subject(), Retry(base=0.001)]
    with Both(colour, Anything, server.url, **patience(fault), plugins=plugins) as api:
        given(api, server.url, method)
        server.wait_for_requests(3)

    keys = [request.get_all("idempotency-key") for request in server.requests]
    assert len(keys) == 3
    assert len(keys[0]) == 1
    assert keys == [keys[0]] * 3
    assert [request.body for request in server.requests] == [BODY] * 3


@pytest.mark.subjects(ours=IdempotencyKey, of_the_client=KeyOfTheClient)
@COLOUR
def test_s39_a_thousand_calls_have_a_thousand_keys(subject: Callable[[], Any], colour: str, serve: Serve) -> None:
    server = serve(answering(answer(200)))

    with Both(colour, Anything, server.url, plugins=[subject()]) as api:
        for _ in range(1000):
            given(api, server.url)

    keys = [key for request in server.requests for key in request.get_all("idempotency-key")]
    assert len(keys) == 1000
    assert len(set(keys)) == 1000
    assert all(len(key) >= 32 for key in keys)  # 128 bits


# --- S40: the budget

CALLS = 1000
MOST = CALLS + 500 // 14  # a full bucket, and what a retry costs; less than the 1.1 calls + bucket of the contract


@pytest.mark.subjects(ours=Retry, eager=Eager)
@COLOUR
def test_s40_a_thousand_calls_in_an_outage_are_little_more_than_a_thousand_requests(
    subject: Callable[..., Any], colour: str, serve: Serve
) -> None:
    server = serve(answering(answer(503)))

    with Both(colour, Anything, server.url, plugins=[subject(max_attempts=3, base=0.000_01)]) as api:
        for _ in range(CALLS):
            given(api, server.url, "GET")
            assert len(server.requests) <= MOST

    assert len(server.requests) == MOST  # it is used, too


def shared(name: str) -> Retry:
    return Retry(base=0.000_01, budget=name)


def of_its_own(name: str) -> Retry:
    """Broken on purpose: a budget for each client."""
    return Retry(base=0.000_01)


@pytest.mark.subjects(ours=shared, apart=of_its_own)
@COLOUR
def test_s40_clients_that_name_the_same_budget_share_it(
    subject: Callable[[str], Retry], colour: str, serve: Serve
) -> None:
    server, name = serve(answering(answer(503))), uuid4().hex

    for _ in range(4):
        with Both(colour, Anything, server.url, plugins=[subject(name)]) as api:
            for _ in range(CALLS // 10):
                given(api, server.url, "GET")

    assert len(server.requests) == 4 * CALLS // 10 + 500 // 14
