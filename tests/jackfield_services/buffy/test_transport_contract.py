"""Buffy as a transport: what every transport owes to who uses it, whatever Buffy does meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests import skipping
from tests.both import Both
from tests.clients import AnythingClient, AsyncAnythingClient
from tests.jackfield_services.buffy.buffy_world import FakeBuffy
from tests.jackfield_services.buffy.transport_world import (
    BASE,
    BOTH,
    DIRECT,
    DOWN,
    NEW,
    OLD,
    THINGS,
    buffy_client,
    direct,
    over,
    runtime,
    shelf,
)
from tests.jackfield_services.buffy.transport_world import buffy as buffy
from tests.servers import GUARD, Peer, Serve
from tests.skipping import SkippingRuntime

from jackfield import (
    AsyncioRuntime,
    Call,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    Event,
    Proceed,
    Request,
    RequestSent,
    Response,
    ResponseReceived,
    Service,
    Stage,
    Step,
    SyncRuntime,
    UsageError,
    hookimpl,
    operation,
)
from jackfield.testing import FakeTransport
from jackfield_services.buffy import AsyncBuffyClient, BuffyClient, BuffyTransport, BuffyValueError
from jackfield_services.buffy.emulator import BuffyEmulator

MUCH = bytes(range(256)) * 8000


class Watching:
    """Remembers calls, and what observers are told."""

    name = "watching"

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.events: list[Event] = []

    @hookimpl
    def jackfield_steps(self) -> list[Step]:
        return [Step(self.name, Stage.LIMIT, self._run)]

    @hookimpl
    def jackfield_observer(self) -> Callable[[Event], None]:
        return self.events.append

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        self.calls.append(call)
        return await proceed(request, call)


class Reader(Service):
    """Reads answers piece by piece, so many times; None: to the end."""

    @operation(bounded=False)
    async def read(self, pieces: int | None = None, between: Callable[[], None] = lambda: None) -> bytes:
        response = await self.send(Request("GET", self.url("things")), stream=True)
        body: Any = response.body
        got = b""
        try:
            while pieces != 0 and (piece := await body.read()):
                got += piece
                pieces = None if pieces is None else pieces - 1
                between()
            return got
        finally:
            await body.close()
            await body.close()  # may be called again


@BOTH
def test_a_client_of_the_other_colour_is_refused(colour: str, buffy: BuffyEmulator) -> None:
    other: Any = (AsyncBuffyClient if colour == "sync" else BuffyClient)(buffy.url)
    transport: Any = BuffyTransport(other, direct())
    error = pytest.raises(ConfigurationError, match="a sync client takes a BuffyClient here")
    with Both(colour, Reader, BASE, transport) as api, error:
        api.get(api.client.read())

    assert buffy.requests == ()


@pytest.mark.parametrize("given", [None, "http://localhost:8008", 5, direct(), BuffyClient])
def test_what_is_no_client_of_buffy_s_is_refused(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="buffy is a BuffyClient or an AsyncBuffyClient, not"):
        BuffyTransport(given)


@pytest.mark.parametrize(
    "given",
    [{"credentials": "no"}, {"credentials": 1}, {"prefer_cached": None}, {"prefer_tag": 5}, {"cache_configuration": 5}],
)
def test_settings_that_make_no_sense_are_refused(given: dict[str, Any]) -> None:
    with BuffyClient() as client, pytest.raises(BuffyValueError):
        BuffyTransport(client, direct(), **given)


@BOTH
def test_an_answer_is_one_attempt(colour: str, buffy: BuffyEmulator) -> None:
    watching = Watching()
    with shelf(colour, buffy, client={"plugins": [watching]}) as ask:
        ask()

    sent, received = watching.events
    assert isinstance(sent, RequestSent)
    assert isinstance(received, ResponseReceived)
    assert (sent.method, sent.url, sent.attempt) == ("GET", THINGS, 1)
    assert (received.status, received.size) == (200, len(OLD))
    assert [(call.attempts, call.unanswered) for call in watching.calls] == [(1, False)]


@BOTH
@pytest.mark.parametrize("buffy_is_down", [False, True])
def test_a_call_says_whether_it_was_answered(colour: str, buffy: BuffyEmulator, buffy_is_down: bool) -> None:
    watching = Watching()
    if buffy_is_down:
        buffy.stop()
    with shelf(colour, buffy, direct(None if buffy_is_down else DOWN), client={"plugins": [watching]}) as ask:
        ask()
        assert not watching.calls[-1].unanswered
        buffy.stop()
        ask.client.runtime.elapsed += 2
        if not buffy_is_down:
            with pytest.raises(ConnectError):
                ask()
            assert watching.calls[-1].unanswered


@BOTH
def test_a_body_is_read_piece_by_piece(colour: str, buffy: BuffyEmulator) -> None:
    watching, states = Watching(), list[bool]()
    buffy.origin(THINGS, MUCH, headers={"content-type": "application/octet-stream"})
    with over(colour, buffy) as transport, Both(colour, Reader, BASE, transport, plugins=[watching]) as api:
        got = api.get(api.client.read(between=lambda: states.append(watching.calls[-1].unanswered)))

    assert got == MUCH
    assert len(states) > 2
    assert states[0]
    assert not watching.calls[-1].unanswered


@BOTH
@pytest.mark.parametrize("pieces", [0, 1, 2])
def test_a_body_that_is_left_gives_its_connection_up(
    nothing_left: None, colour: str, buffy: BuffyEmulator, pieces: int
) -> None:
    buffy.origin(THINGS, MUCH, headers={"content-type": "application/octet-stream"})
    with over(colour, buffy) as transport, Both(colour, Reader, BASE, transport) as api:
        api.get(api.client.read(pieces))
        assert api.get(api.client.read()) == MUCH
    buffy.stop()


@BOTH
def test_an_empty_body_is_read_to_its_end(colour: str, buffy: BuffyEmulator) -> None:
    buffy.origin(THINGS, b"")
    with over(colour, buffy) as transport, Both(colour, Reader, BASE, transport) as api:
        assert api.get(api.client.read()) == b""


@BOTH
def test_a_body_without_content_at_buffy_s_is_the_service_s_own(colour: str, buffy: BuffyEmulator) -> None:
    buffy.inject(404, path="*/content", times=9)
    with over(colour, buffy) as transport, Both(colour, Reader, BASE, transport) as api:
        assert api.get(api.client.read()) == DIRECT


@BOTH
def test_closing_ends_answers_that_are_read(colour: str, buffy: BuffyEmulator) -> None:
    buffy.origin(THINGS, MUCH, headers={"content-type": "application/octet-stream"})
    with over(colour, buffy) as transport, Both(colour, Reader, BASE, transport) as api:

        def close() -> None:
            SyncRuntime().run(transport.close())

        with pytest.raises(ConnectionLostError, match="the transport was closed"):
            api.get(api.client.read(between=close))
        with pytest.raises(UsageError, match="this transport is closed"):
            api.get(api.client.read())


@BOTH
def test_closing_leaves_what_was_given_open(colour: str, buffy: BuffyEmulator) -> None:
    fallback = direct()
    with over(colour, buffy, fallback) as transport:
        for _ in range(2):
            SyncRuntime().run(transport.close())
        assert not fallback.closed
        with shelf(colour, buffy) as ask:
            assert ask().content == OLD


def _answers_directly(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ndirect")
    peer.hang()


def test_closing_ends_a_fallback_of_its_own(nothing_left: None, buffy: BuffyEmulator, serve: Serve) -> None:
    buffy.stop()
    with BuffyClient(buffy.url) as its:
        transport = BuffyTransport(its)
        kind = type("Api", (Reader, AnythingClient), {})
        server = serve(_answers_directly)
        with kind(server.url, transport=lambda: transport) as api:
            assert api.read() == b"direct"


@BOTH
def test_a_client_of_buffy_s_that_is_closed_is_the_caller_s_mistake(colour: str, buffy: BuffyEmulator) -> None:
    with over(colour, buffy) as transport:
        pass
    with Both(colour, Reader, BASE, transport) as api, pytest.raises(UsageError, match="this client is closed"):
        api.get(api.client.read())


@BOTH
def test_a_buffy_that_takes_a_connection_and_says_nothing_costs_half_of_the_time(colour: str, serve: Serve) -> None:
    server = serve(lambda peer: peer.hang())
    its: Any = (AsyncBuffyClient if colour == "async" else BuffyClient)(server.url)
    transport: Any = BuffyTransport(its, direct())
    down: Any = BuffyTransport(its, FakeTransport(otherwise=DOWN))
    with Both(colour, Reader, BASE, transport, timeout=2) as api:
        assert api.get(api.client.read()) == DIRECT
    with Both(colour, Reader, BASE, down, timeout=2) as api:
        with pytest.raises(ConnectError, match=r"nor has Buffy an answer, at .*: no complete answer within"):
            api.get(api.client.read())
        api.get(its.aclose() if colour == "async" else its.close())


@BOTH
def test_no_time_left_is_the_call_s_end(colour: str, buffy: BuffyEmulator) -> None:
    """Buffy's versions may be late; after the last moment nobody is asked."""
    time: Any = runtime(colour)
    fallback = direct()

    def late(*_: object) -> Response:
        time.elapsed += 100
        return Response(200, body=b"[]")

    its = buffy_client(colour, "http://buffy.test", time, transport=FakeTransport(otherwise=late))
    transport: Any = BuffyTransport(its, fallback)
    error = pytest.raises(DeadlineExceededError, match=r"nor has Buffy an answer, at http://buffy\.test:80/v1: ")
    with Both(colour, Reader, BASE, transport, runtime=time, timeout=30) as api, error:
        api.get(api.client.read())
    assert fallback.requests == []


class Late:
    """A body whose first piece takes all the time there is."""

    def __init__(self, time: Any) -> None:
        self._time = time
        self.closed = False

    async def read(self) -> bytes:
        self._time.elapsed += 1000
        return b"x"

    async def close(self) -> None:
        self.closed = True


@BOTH
def test_a_body_that_comes_too_late_is_closed(colour: str) -> None:
    fake, time = FakeBuffy(), runtime(colour)
    late = Late(time)

    def answer(request: Request) -> Response:
        is_content = request.url.path.endswith("/content")
        return Response(200, body=late) if is_content else fake._answer(request)

    its = buffy_client(colour, "http://buffy.test", time, transport=FakeTransport(otherwise=answer))
    transport: Any = BuffyTransport(its, direct())
    with Both(colour, Reader, BASE, transport, runtime=time) as api, pytest.raises(DeadlineExceededError):
        api.get(api.client.read())
    assert late.closed


class Stalling:
    """A body that comes to a halt."""

    def __init__(self) -> None:
        self._left = 3
        self.closed = False

    async def read(self) -> bytes:
        self._left -= 1
        if not self._left:
            await asyncio.Event().wait()
        return b"x"

    async def close(self) -> None:
        self.closed = True


def test_a_body_that_comes_to_a_halt_ends_with_the_call() -> None:
    fake, stalling = FakeBuffy(), Stalling()

    def answer(request: Request) -> Response:
        is_content = request.url.path.endswith("/content")
        return Response(200, body=stalling) if is_content else fake._answer(request)

    async def read() -> None:
        runtime = SkippingRuntime()
        serving = FakeTransport(otherwise=answer)
        async with AsyncBuffyClient("http://buffy.test", transport=serving, runtime=runtime) as its:
            transport: Any = BuffyTransport(its, direct())
            kind: Any = type("Api", (Reader, AsyncAnythingClient), {})
            async with kind(BASE, transport=transport, timeout=60, runtime=runtime) as api:
                with pytest.raises(DeadlineExceededError, match="within 60 s") as caught:
                    await api.read()
        assert caught.value.call is not None
        assert caught.value.call.elapsed == 60

    skipping.run(read())
    assert stalling.closed


def test_who_is_cancelled_asks_nobody_else(buffy: BuffyEmulator) -> None:
    buffy.plan(polls=10**9)
    fallback, waited = direct(), asyncio.Event()

    class Runtime(AsyncioRuntime):
        async def sleep(self, seconds: float) -> None:
            waited.set()  # for a version
            await super().sleep(seconds)

    async def cancelled() -> None:
        async with AsyncBuffyClient(buffy.url, runtime=Runtime()) as its:
            transport: Any = BuffyTransport(its, fallback)
            async with AsyncAnythingClient(BASE, transport=transport, runtime=AsyncioRuntime()) as client:
                task = asyncio.ensure_future(client.ask(Request("GET", client.url("things"))))
                await waited.wait()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

    asyncio.run(cancelled())
    assert fallback.requests == []


@BOTH
def test_a_server_that_is_killed_while_it_is_waited_for_is_not_waited_for(colour: str, buffy: BuffyEmulator) -> None:
    buffy.plan(polls=10**9)
    buffy.inject(503, path="*/response")
    with shelf(colour, buffy) as ask:
        assert ask().content == DIRECT
        assert ask.client.runtime.elapsed < 1


@BOTH
def test_the_limits_of_the_call_are_those_of_buffy_s(colour: str, buffy: BuffyEmulator) -> None:
    watching = Watching()
    time = runtime(colour)
    its = buffy_client(colour, buffy.url, time, plugins=[watching])
    transport: Any = BuffyTransport(its, direct())
    limits: dict[str, Any] = {"timeout": 8, "connect_timeout": 3, "read_timeout": 2}
    with Both(colour, Reader, BASE, transport, runtime=time, **limits) as api:
        api.get(api.client.read())
        api.get(its.aclose() if colour == "async" else its.close())

    assert {(call.options.connect_timeout, call.options.read_timeout) for call in watching.calls} == {(3, 2)}
    assert max(call.options.timeout for call in watching.calls) <= 8


def test_many_threads_may_use_it(buffy: BuffyEmulator) -> None:
    from concurrent.futures import ThreadPoolExecutor

    fallback = direct()
    for number in range(8):
        buffy.origin(f"{BASE}/things?n={number}", f"thing {number}")
    with BuffyClient(buffy.url) as its:
        transport: Any = BuffyTransport(its, fallback)
        client = AnythingClient(BASE, transport=transport)

        def ask(number: int) -> bytes:
            return client.ask(Request("GET", client.url("things"), query={"n": str(number % 8)})).content

        with ThreadPoolExecutor(8) as pool:
            got = list(pool.map(ask, range(32)))
        client.close()

    assert {answer for answer in got if answer != DIRECT} <= {b"thing %d" % number for number in range(8)}
    assert all(answer in (b"thing %d" % (number % 8), DIRECT) for number, answer in enumerate(got))
    assert len(fallback.requests) < 8


def test_who_asks_for_the_same_at_one_time_shares_a_version(buffy: BuffyEmulator) -> None:
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    fallback, together = direct(), Barrier(8)
    with BuffyClient(buffy.url) as its:
        transport: Any = BuffyTransport(its, fallback)
        client = AnythingClient(BASE, transport=transport)

        def ask(_: int) -> bytes:
            together.wait()
            return client.ask(Request("GET", client.url("things"))).content

        with ThreadPoolExecutor(8) as pool:
            got = list(pool.map(ask, range(8)))
        client.close()

    assert got == [OLD] * 8
    assert [one.method for one in buffy.requests].count("PUT") == 1


def test_who_waits_for_another_call_has_time_to_ask_the_service(buffy: BuffyEmulator) -> None:
    from concurrent.futures import ThreadPoolExecutor
    from threading import Event

    waits = Event()

    class Runtime(SyncRuntime):
        async def sleep(self, seconds: float) -> None:
            waits.set()  # for a version
            await super().sleep(seconds)

    buffy.plan(polls=10**9)
    with BuffyClient(buffy.url, runtime=Runtime()) as its, ThreadPoolExecutor(1) as pool:
        transport: Any = BuffyTransport(its, direct())
        with AnythingClient(BASE, transport=transport) as client:
            first = pool.submit(client.ask, Request("GET", client.url("things")))
            waits.wait(GUARD)
            hurried = client.with_options(timeout=2)
            assert hurried.ask(Request("GET", client.url("things"))).content == DIRECT
            assert not first.done()
            buffy.kill()
            assert first.result(GUARD).content == DIRECT


def test_of_very_many_urls_the_last_are_remembered(buffy: BuffyEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jackfield_services.buffy._recent._AT_MOST", 2)
    with shelf("sync", buffy) as ask:
        transport: Any = ask.transport
        for number in range(3):
            ask(query={"n": str(number)})
        known = [transport.request(f"{THINGS}?n={number}").id is not None for number in range(3)]

    assert known == [False, True, True]
    assert NEW != OLD
