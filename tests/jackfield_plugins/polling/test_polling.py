"""Polling: how often, how long, and by whose settings."""

from __future__ import annotations

from itertools import islice
from math import inf, nan
from typing import Any, Unpack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.made import Make, both, get, makers

from jackfield import (
    ConfigurationError,
    ConnectError,
    Done,
    ForbiddenError,
    JobFailedError,
    JobState,
    JobTimeoutError,
    Pending,
    Request,
    Response,
    Service,
    UsageError,
    job,
    operation,
)
from jackfield.testing import FakeTransport
from jackfield_plugins.polling import PaceOptions, Polling

RUNNING, READY, BROKEN = Response(202), Response(200, body=b"m-7"), Response(200, body=b"broken")


async def ask(service: Any, job: Pending) -> JobState[str]:
    response = await service.look(job.id)
    if response.content == b"broken":
        raise JobFailedError("it is broken")
    return Done(response.content.decode()) if response.status == 200 else job


def plain(**pace: Unpack[PaceOptions]) -> Polling[str]:
    """A style without chance."""
    pace.setdefault("jitter", 0)
    return Polling(ask, **pace)


def cloud(style: Polling[str]) -> type[Service]:
    """A service whose jobs are polled in this style."""

    class Cloud(Service):
        latency = 7.0
        patience = 20.0

        @operation
        async def look(self, id: str) -> Response:
            return await self.send(Request("GET", self.url("jobs", id)))

        @job(style)
        async def build(self) -> JobState[str]:
            """Builds."""
            return Pending("j1")

    return Cloud


sync_client, async_client = makers()  # each test has a service of its own
BOTH = both(sync_client, async_client)
HERE = sync_client(Service, FakeTransport())


def waits(style: Polling[str], count: int) -> list[float]:
    return list(islice(style.waits(HERE), count))


@BOTH
def test_a_job_is_asked_for_after_each_interval_until_it_is_done(make: Make) -> None:
    transport = FakeTransport([RUNNING, RUNNING, READY])
    client = make(cloud(plain(interval=3)), transport)

    assert get(client.build()) == "m-7"
    assert client.runtime.sleeps == [3, 3, 3]
    assert [request.url.path for request in transport.requests] == ["/jobs/j1"] * 3


@BOTH
def test_intervals_grow_up_to_the_longest(make: Make) -> None:
    client = make(cloud(plain(interval=1, growth=3, longest=10)), FakeTransport([*[RUNNING] * 4, READY]))

    get(client.build())

    assert client.runtime.sleeps == [1, 3, 9, 10, 10]


def test_an_interval_that_is_longer_than_the_longest_stays_as_it_is() -> None:
    assert waits(plain(interval=100, longest=60), 3) == [100, 100, 100]


@BOTH
def test_interval_and_timeout_may_be_the_services_own_settings(make: Make) -> None:
    style = plain(interval=lambda service: service.latency, timeout=lambda service: service.patience)
    client = make(cloud(style), FakeTransport(otherwise=RUNNING))
    client.patience = 16

    with pytest.raises(JobTimeoutError, match="after 16 s and 3 polls"):
        get(client.build())

    assert client.runtime.sleeps == [7, 7, 2]


@BOTH
def test_the_timeout_is_asked_at_its_end_once_more_and_then_it_is_over(make: Make) -> None:
    in_time = make(cloud(plain(interval=5, timeout=10)), FakeTransport([RUNNING, READY]))
    too_late = make(cloud(plain(interval=5, timeout=10)), FakeTransport([RUNNING, RUNNING, READY]))

    assert get(in_time.build()) == "m-7"
    with pytest.raises(JobTimeoutError):
        get(too_late.build())
    assert too_late.runtime.elapsed == 10


@BOTH
def test_what_the_caller_says_goes_over_the_styles_timeout(make: Make) -> None:
    client = make(cloud(plain(interval=5, timeout=10)), FakeTransport([*[RUNNING] * 9, READY]))
    handle = get(client.build.start())

    assert get(handle.result(timeout=100)) == "m-7"
    assert client.runtime.elapsed == 50


@BOTH
def test_each_wait_for_a_result_begins_with_the_first_interval_again(make: Make) -> None:
    client = make(cloud(plain(interval=1, growth=2)), FakeTransport([*[RUNNING] * 6, READY]))
    handle = get(client.build.start())

    with pytest.raises(JobTimeoutError):
        get(handle.result(timeout=7))
    get(handle.result(timeout=100))

    assert client.runtime.sleeps == [1, 2, 4, 1, 2, 4, 8]


@BOTH
def test_an_error_of_a_poll_ends_the_waiting(make: Make) -> None:
    for answer, kind in ((BROKEN, JobFailedError), (Response(403), ForbiddenError)):
        client = make(cloud(plain(interval=1)), FakeTransport([RUNNING, answer]))
        with pytest.raises(kind):
            get(client.build())
        assert client.runtime.elapsed == 2


def test_usual_settings_are_two_seconds_and_half_an_hour() -> None:
    style = Polling(ask)

    found = waits(style, 100)

    assert all(1.8 <= wait <= 2.0 for wait in found)
    assert len(set(found)) > 50
    assert style.timeout(None) == 1800.0
    assert style.faults == 5


@given(interval=st.floats(0.001, 60), growth=st.floats(1, 1e6), longest=st.floats(60, 1e6), count=st.integers(1, 400))
@settings(deadline=None, max_examples=100)
def test_whatever_the_settings_waits_grow_and_stay_within_the_longest(
    interval: float, growth: float, longest: float, count: int
) -> None:
    found = waits(plain(interval=interval, growth=growth, longest=longest), count)

    assert found[0] == interval
    assert found == sorted(found)
    assert all(0 < wait <= longest for wait in found)
    assert growth == 1 or count < 2 or found[1] > interval or found[1] == longest


@pytest.mark.parametrize(
    "wrong",
    [
        {"growth": 0.5},
        {"growth": inf},
        {"growth": nan},
        {"growth": -1},
        {"interval": -1},
        {"interval": nan},
        {"interval": inf},
        {"interval": "2"},
        {"interval": None},
        {"timeout": -1},
        {"timeout": nan},
        {"timeout": inf},
        {"jitter": -0.1},
        {"jitter": 1.1},
        {"jitter": nan},
        {"faults": -1},
        {"faults": 1.5},
        {"faults": True},
        {"longest": 0},
        {"longest": nan},
        {"longest": inf},
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused_when_the_style_is_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Polling(ask, **wrong)


@BOTH
@pytest.mark.parametrize("setting", ["interval", "timeout"])
@pytest.mark.parametrize("value", [-1, nan, inf, "2", None])
def test_a_setting_of_the_service_that_makes_no_sense_is_refused_before_anybody_waits(
    make: Make, setting: str, value: Any
) -> None:
    def of_the_service(service: Any) -> Any:
        return value

    wrong: dict[str, Any] = {setting: of_the_service}
    client = make(cloud(plain(**wrong)), FakeTransport([RUNNING] * 3, otherwise=READY))

    with pytest.raises(ConfigurationError, match=setting):
        get(client.build())
    assert client.runtime.sleeps == []


def test_chance_takes_no_more_of_a_wait_than_the_jitter() -> None:
    found = waits(Polling(ask, interval=10, growth=2, longest=40, jitter=0.5), 200)

    assert all(high / 2 <= wait <= high for wait, high in zip(found, [10, 20, *[40] * 198], strict=True))
    assert min(found) < 21
    assert max(found) > 39


@BOTH
def test_so_many_faults_in_a_row_are_borne_as_the_style_says(make: Make) -> None:
    down = ConnectError("down")
    borne = make(cloud(plain(interval=1, faults=2)), FakeTransport([down, down, RUNNING, down, down, READY]))
    not_borne = make(cloud(plain(interval=1, faults=2)), FakeTransport([down, down, RUNNING, down, down, down]))

    assert get(borne.build()) == "m-7"
    with pytest.raises(ConnectError):
        get(not_borne.build())


@BOTH
def test_a_job_is_cancelled_by_the_styles_function(make: Make) -> None:
    async def stop(service: Any, job: Pending) -> None:
        await service.look(f"{job.id}-stop")

    transport = FakeTransport([READY])
    client = make(cloud(plain(cancel=stop)), transport)

    get(get(client.build.start()).cancel())

    assert [request.url.path for request in transport.requests] == ["/jobs/j1-stop"]


@BOTH
def test_a_style_without_a_way_to_cancel_says_so(make: Make) -> None:
    handle = get(make(cloud(plain()), FakeTransport()).build.start())

    with pytest.raises(UsageError, match="cannot be cancelled"):
        get(handle.cancel())


def test_two_waits_of_one_style_do_not_disturb_each_other() -> None:
    style = plain(interval=1, growth=2)
    one, other = style.waits(HERE), style.waits(HERE)

    assert [next(one), next(one), next(other), next(one)] == [1, 2, 1, 4]
