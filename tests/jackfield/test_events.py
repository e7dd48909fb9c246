"""Events: what observers are told, in order, at nobody's cost but their own."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any

import pytest

from jackfield import (
    AttemptFailed,
    ConnectError,
    Done,
    Event,
    JobPolled,
    JobState,
    JobStyle,
    Observer,
    Page,
    PageFetched,
    Pending,
    Request,
    RequestSent,
    Response,
    ResponseReceived,
    RetryScheduled,
    Service,
    hookimpl,
    job,
    operation,
    paged,
)
from jackfield.testing import Answer, FakeTransport

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour, Steps, Watch

EVENTS = (RequestSent, ResponseReceived, AttemptFailed, RetryScheduled, PageFetched, JobPolled)


class Numbers:
    def first(self, service: Any) -> int:
        return 1

    def after(self, at: int, page: Page[Any]) -> int | None:
        return at + 1 if at < 2 else None


class Polls(JobStyle[bytes]):
    def timeout(self, service: Any) -> float:
        return 60

    def waits(self, service: Any) -> Iterator[float]:
        return repeat(1.0)

    async def poll(self, service: Any, job: Pending) -> JobState[bytes]:
        content: bytes = await service.get("job")
        return Done(content) if content else job


class Core(Service):
    @operation
    async def get(self, name: str) -> bytes:
        return (await self.send(Request("GET", self.url(name), query={"key": "hunter2", "page": "1"}))).content

    @operation
    async def get_two(self) -> None:
        for name in ("one", "two"):
            await self.send(Request("GET", self.url(name)))

    @operation
    async def open(self) -> Response:
        return await self.send(Request("GET", self.url("big")), stream=True)

    @paged(Numbers())
    async def numbers(self, at: int) -> Page[int]:
        await self.get(f"page-{at}")
        return Page([at] * at, total=3)

    @job(Polls())
    async def work(self) -> JobState[bytes]:
        await self.get("start")
        return Pending("j1", "the work")


class Open:
    async def read(self) -> bytes:
        return b""

    async def close(self) -> None:
        pass


class Failing:
    """An observer that fails on every event."""

    def __init__(self, name: str, told: list[Event]) -> None:
        self.name = name
        self.told = told

    @hookimpl
    def jackfield_observer(self) -> Observer:
        return self.observe

    def observe(self, event: Event) -> None:
        self.told.append(event)
        raise RuntimeError("the observer is broken")


def test_an_observer_is_told_of_every_attempt_in_order(colour: Colour, watch: type[Watch]) -> None:
    watching = watch()
    here = Response(200, {"set-cookie": "id=hunter2", "date": "today"}, b"here")
    transport = FakeTransport([ConnectError("down"), Response(503, body=b"no"), here])
    headers = {"authorization": "hunter2"}
    client = colour.client(Core, transport, plugins=[watching, "retry"], visible_query=["page"], headers=headers)

    colour.get(client.get("a"))

    url = "https://api.example.test/v1/a?key=***&page=1"
    delays, sent = client.runtime.sleeps, (("user-agent", "jackfield"), ("authorization", "***"))
    assert watching.events == [
        RequestSent("get", "GET", url, 1, sent),
        AttemptFailed("get", 1, "ConnectError", 0.0),
        RetryScheduled("get", 2, delays[0], "ConnectError"),
        RequestSent("get", "GET", url, 2, sent),
        ResponseReceived("get", 503, 2, 0.0),
        RetryScheduled("get", 3, delays[1], "503"),
        RequestSent("get", "GET", url, 3, sent),
        ResponseReceived("get", 200, 4, 0.0, (("set-cookie", "***"), ("date", "today"))),
    ]


def test_attempts_are_counted_for_each_request_from_one(colour: Colour, watch: type[Watch]) -> None:
    watching = watch()
    answers = [Response(503), Response(200), Response(503), Response(200)]

    colour.get(colour.client(Core, FakeTransport(answers), plugins=[watching, "retry"]).get_two())

    sent = [(event.url[-3:], event.attempt) for event in watching.events if isinstance(event, RequestSent)]
    assert sent == [("one", 1), ("one", 2), ("two", 1), ("two", 2)]


def test_the_time_of_an_answer_is_measured_from_its_own_request(colour: Colour, watch: type[Watch]) -> None:
    watching = watch()

    def after_a_while(request: Request) -> Response:
        client.runtime.elapsed += 2.5
        return Response(200)

    client = colour.client(Core, FakeTransport(otherwise=after_a_while), plugins=[watching])
    for _ in range(2):
        colour.get(client.get("a"))

    assert [event.elapsed for event in watching.events if isinstance(event, ResponseReceived)] == [2.5, 2.5]


def test_the_size_of_a_stream_is_not_known(colour: Colour, watch: type[Watch]) -> None:
    watching = watch()

    colour.get(colour.client(Core, FakeTransport([Response(200, body=Open())]), plugins=[watching]).open())

    assert watching.events[-1] == ResponseReceived("open", 200, -1, 0.0)


def test_an_observer_is_told_of_pages_and_polls_after_their_requests(colour: Colour, watch: type[Watch]) -> None:
    watching = watch()
    answers = [Response(200), Response(200), Response(200), Response(200), Response(200, body=b"done")]
    client = colour.client(Core, FakeTransport(answers), plugins=[watching])

    colour.take(client.numbers.pages())
    colour.get(client.work())

    told = [event for event in watching.events if not isinstance(event, RequestSent | ResponseReceived)]
    assert told == [
        PageFetched("numbers", 1, 3),
        PageFetched("numbers", 2, 3),
        JobPolled("the work", "j1", 1, False),
        JobPolled("the work", "j1", 2, True),
    ]
    assert [type(event).__name__ for event in watching.events[:3]] == ["RequestSent", "ResponseReceived", "PageFetched"]


def test_several_observers_are_told_in_the_order_they_were_plugged_in(colour: Colour, watch: type[Watch]) -> None:
    order: list[str] = []

    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        @hookimpl
        def jackfield_observer(self) -> Observer:
            return lambda event: order.append(self.name)

    client = colour.client(Core, plugins=[Named("zebra"), Named("ant"), Named("mouse")])

    colour.get(client.get("a"))

    assert order == ["zebra", "ant", "mouse"] * 2


def test_an_observer_that_fails_fails_nobody_and_is_logged(
    colour: Colour, watch: type[Watch], caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Event] = []
    watching = watch()
    client = colour.client(
        Core, FakeTransport([Response(200, body=b"here")]), plugins=[Failing("failing", told), watching]
    )

    with caplog.at_level(logging.ERROR, logger="jackfield"):
        assert colour.get(client.get("a")) == b"here"

    assert told == watching.events
    assert [record.name for record in caplog.records] == ["jackfield", "jackfield"]
    assert "RequestSent" in caplog.text
    assert "the observer is broken" in caplog.text
    assert "hunter2" not in caplog.text


def test_events_are_frozen_and_hold_no_secret(colour: Colour, watch: type[Watch]) -> None:
    watching = watch()
    client = colour.client(Core, plugins=[watching], headers={"authorization": "hunter2"})

    colour.get(client.get("a"))

    assert "hunter2" not in repr(watching.events)
    for event in watching.events:
        with pytest.raises(AttributeError):
            event.operation = "another"  # type: ignore[misc]  # what must not be possible


def test_a_view_tells_the_same_observers(colour: Colour, watch: type[Watch], plugin: type[Steps]) -> None:
    watching = watch()
    client = colour.client(Core, plugins=[watching, plugin("other")])

    colour.get(client.with_options(timeout=5).get("a"))
    colour.get(client.with_options(other=None).get("a"))
    colour.get(client.with_options(watch=None).get("a"))

    assert len(watching.events) == 4


def made(colour: Colour, **options: Any) -> list[str]:
    """Which events are made while calls of every kind are made, by whoever makes them."""
    code = {event.__new__.__code__: event.__name__ for event in EVENTS}
    found: list[str] = []

    def look(frame: Any, what: str, argument: Any) -> None:
        if what == "call" and frame.f_code in code:
            found.append(code[frame.f_code])

    answers: list[Answer] = [ConnectError("down"), *[Response(200)] * 4, Response(200, body=b"done")]
    client = colour.client(Core, FakeTransport(answers), **options)
    sys.setprofile(look)
    try:
        colour.take(client.numbers.all())
        colour.get(client.work())
    finally:
        sys.setprofile(None)
    return found


def test_without_an_observer_no_event_is_made(colour: Colour, watch: type[Watch]) -> None:
    assert set(made(colour, plugins=[watch(), "retry"])) == {event.__name__ for event in EVENTS}
    assert made(colour, plugins=["retry"]) == []
