"""Waiting for jobs: faults that pass, the service's word for when to ask, and many jobs in one loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    AsyncClient,
    Client,
    ConnectError,
    DeadlineExceededError,
    DecodeError,
    Done,
    ForbiddenError,
    JackfieldError,
    JobCancelledError,
    JobFailedError,
    JobPolled,
    JobState,
    JobStyle,
    JobTimeoutError,
    NetworkError,
    NotFoundError,
    Pending,
    ReadTimeoutError,
    Request,
    Response,
    Service,
    TLSError,
    UnavailableError,
    UsageError,
    async_wait_all,
    job,
    operation,
    wait_all,
)
from jackfield.testing import FakeTransport, SimulatedRuntime, VirtualSyncRuntime, json_response

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour

DOWN, BUSY = ConnectError("down"), Response(503)


class Every(JobStyle[str]):
    """Polls every so many seconds, for ten minutes at most; the service's answer is its word for the next poll."""

    def __init__(self, seconds: float = 5.0, *, shares: bool = False) -> None:
        self.seconds = seconds
        self.shares = shares

    def timeout(self, service: Any) -> float:
        return 600

    def waits(self, service: Any) -> Iterator[float]:
        return repeat(self.seconds)

    async def poll(self, service: Any, job: Pending) -> JobState[str]:
        return judged(job, await service.look(job.id))

    async def poll_all(self, service: Any, jobs: Sequence[Pending]) -> Sequence[JobState[str] | JackfieldError]:
        answers = await service.look_at_all([job.id for job in jobs])
        outcomes: list[JobState[str] | JackfieldError] = []
        for pending in jobs:
            try:
                outcomes.append(judged(pending, answers[pending.id]))
            except JackfieldError as error:
                outcomes.append(error)
        return outcomes


def judged(job: Pending, told: dict[str, Any]) -> JobState[str]:
    if told["state"] == "failed":
        raise JobFailedError(f"{job.id} failed", code=told.get("code"))
    if told["state"] == "lost":
        raise NotFoundError(f"{job.id} is lost")
    if told["state"] == "done":
        return Done(told.get("result", f"{job.id} is done"))
    return job._replace(state=told["state"], progress=told.get("progress"), after=told.get("after"))


class Cloud(Service):
    @operation
    async def look(self, id: str) -> dict[str, Any]:
        return (await self.send(Request("GET", self.url("jobs", id)))).decode(dict[str, Any])

    @operation
    async def look_at_all(self, ids: list[str]) -> dict[str, dict[str, Any]]:
        answer = await self.send(Request("GET", self.url("jobs"), query={"ids": ",".join(ids)}))
        return answer.decode(dict[str, dict[str, Any]])

    @job(Every(5))
    async def build(self, id: str) -> JobState[str]:
        """Asked for one by one."""
        return Done("done at once") if id == "at once" else Pending(id)

    @job(Every(3))
    async def bake(self, id: str) -> JobState[str]:
        """Asked for one by one, in another rhythm."""
        return Pending(id)

    @job(Every(5, shares=True))
    async def brew(self, id: str) -> JobState[str]:
        """Asked for together."""
        return Pending(id)

    @job(Every(5, shares=True))
    async def boil(self, id: str) -> JobState[str]:
        """Asked for together, but in a style of its own."""
        return Pending(id)

    @operation(bounded=False)
    async def build_all(self, ids: list[str]) -> list[str]:
        """Waits for several jobs inside a body."""
        return await async_wait_all([await self.build.start(id) for id in ids])


def told(state: str, **more: Any) -> Response:
    return json_response({"state": state, **more})


RUNNING, DONE, FAILED = told("running"), told("done", result="m-7"), told("failed", code=507)


def started(colour: Colour, answers: Iterable[Any], otherwise: Any = None, **options: Any) -> tuple[Any, Any]:
    """A client, and a job of it that meets these answers."""
    client = colour.client(Cloud, FakeTransport(answers, otherwise=otherwise), **options)
    return client, colour.get(client.build.start("j1"))


def wait(colour: Colour, jobs: Iterable[Any], **options: Any) -> list[Any]:
    if colour.base is Client:
        return wait_all(jobs, **options)
    return asyncio.run(async_wait_all(jobs, **options))


class Jobs:
    """Jobs at a service that are done after so many polls, or fail then; it counts who asks for what."""

    def __init__(self, **polls: int) -> None:
        self.left = polls
        self.failing: set[str] = set()
        self.asked: list[str] = []

    def __call__(self, request: Request) -> Response:
        last = request.url.path.rpartition("/")[2]
        if last != "jobs":
            self.asked.append(last)
            return json_response(self.state(last))
        ids = dict(request.query)["ids"].split(",")
        self.asked.append(",".join(ids))
        return json_response({id: self.state(id) for id in ids})

    def state(self, id: str) -> dict[str, Any]:
        self.left[id] -= 1
        if self.left[id] > 0:
            return {"state": "running"}
        return {"state": "failed" if id in self.failing else "done"}


# --- faults that pass


@pytest.mark.parametrize(
    "fault",
    [DOWN, ReadTimeoutError("slow"), BUSY, Response(429), Response(408), Response(502), Response(504)],
    ids=lambda fault: repr(fault)[:24],
)
def test_a_poll_that_fails_for_a_reason_that_passes_is_made_again(colour: Colour, fault: Any) -> None:
    client, handle = started(colour, [fault, RUNNING, fault, DONE])

    assert colour.get(handle.result()) == "m-7"
    assert client.runtime.sleeps == [5, 5, 5, 5]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Response(403), ForbiddenError),
        (Response(404), NotFoundError),
        (Response(500), JackfieldError),
        (Response(200, body=b"<html>"), DecodeError),
        (TLSError("whose certificate is this"), TLSError),
    ],
    ids=["403", "404", "500", "no JSON", "TLS"],
)
def test_one_that_would_fail_again_ends_the_waiting_and_says_how_to_go_on(
    colour: Colour, fault: Any, kind: type[JackfieldError]
) -> None:
    client, handle = started(colour, [RUNNING, fault, DONE])

    with pytest.raises(kind) as caught:
        colour.get(handle.result())

    assert client.runtime.elapsed == 10
    assert caught.value.job_token == handle.token
    assert caught.value.call is not None
    assert colour.get(client.build.resume(caught.value.job_token).result()) == "m-7"


def test_a_job_that_failed_with_a_status_that_passes_has_failed(colour: Colour) -> None:
    class Fails(Every):
        async def poll(self, service: Any, job: Pending) -> JobState[str]:
            raise JobFailedError("it failed", status=503)

    class Failing(Service):
        @job(Fails())
        async def build(self) -> JobState[str]:
            return Pending("j1")

    client = colour.client(Failing)

    with pytest.raises(JobFailedError):
        colour.get(client.build())
    assert client.runtime.elapsed == 5


def test_five_faults_in_a_row_are_borne_and_not_six(colour: Colour) -> None:
    _, borne = started(colour, [*[DOWN] * 5, RUNNING, *[DOWN] * 5, DONE])
    _, not_borne = started(colour, [RUNNING, *[DOWN] * 6, DONE])

    assert colour.get(borne.result()) == "m-7"
    with pytest.raises(ConnectError) as caught:
        colour.get(not_borne.result())
    assert caught.value.job_token == not_borne.token
    assert colour.get(not_borne.result()) == "m-7"


def test_polls_that_fail_are_made_less_and_less_often(colour: Colour) -> None:
    client, handle = started(colour, [*[DOWN] * 5, RUNNING, DONE])

    colour.get(handle.result())

    assert client.runtime.sleeps == [5, 5, 5, 5, 8, 16, 5]


def test_but_once_a_minute_at_least(colour: Colour) -> None:
    class Patient(Every):
        faults = 3000

    class Waiting(Service):
        look = Cloud.look

        @job(Patient())
        async def build(self) -> JobState[str]:
            return Pending("j1")

    client = colour.client(Waiting, FakeTransport([*[DOWN] * 2000, DONE]))
    handle = colour.get(client.build.start())

    assert colour.get(handle.result(timeout=1e6)) == "m-7"
    assert client.runtime.sleeps[5:9] == [16, 32, 60, 60]
    assert max(client.runtime.sleeps) == 60


def test_a_poll_that_fails_says_when_to_come_back(colour: Colour) -> None:
    client, handle = started(colour, [Response(429, {"retry-after": "400"}), DONE])

    colour.get(handle.result())

    assert 400 <= client.runtime.sleeps[1] <= 440


def test_faults_until_the_time_is_up_are_a_timeout_that_tells_of_the_last(colour: Colour) -> None:
    client, handle = started(colour, [RUNNING], otherwise=BUSY)

    with pytest.raises(JobTimeoutError) as caught:
        colour.get(handle.result(timeout=12))

    assert isinstance(caught.value.__cause__, UnavailableError)
    assert client.runtime.elapsed == 12


def test_a_poll_that_takes_too_long_is_a_fault_like_another(colour: Colour) -> None:
    def slow(request: Request) -> Response:
        client.runtime.elapsed += 100
        raise DeadlineExceededError("no answer")

    client, handle = started(colour, [slow, slow, DONE])

    assert colour.get(handle.result()) == "m-7"


# --- the service's word for when to ask


def test_the_services_word_goes_before_our_interval(colour: Colour) -> None:
    client, handle = started(colour, [told("running", after=30), told("running", after=2), RUNNING, DONE])

    colour.get(handle.result())

    first, second, third, fourth = client.runtime.sleeps
    assert first == 5
    assert 30 <= second <= 33
    assert 2 <= third <= 2.2
    assert fourth == 5


@pytest.mark.parametrize(
    ("after", "least", "most"),
    [
        (0, 1, 1.1),
        (0.5, 1, 1.1),
        (-7, 1, 1.1),
        (400, 400, 440),
        (590, 590, 600),
        (1e9, 600, 600),
        (float("inf"), 600, 600),
        (float("nan"), 1, 1.1),
    ],
)
def test_the_services_word_holds_from_a_second_to_the_end_of_the_time_there_is(
    colour: Colour, after: float, least: float, most: float
) -> None:
    client = colour.client(Cloud, FakeTransport([DONE]))
    handle = colour.get(client.build.start("j1"))
    handle._progress.job = Pending("j1", after=after)

    colour.get(handle.result())

    assert least <= client.runtime.elapsed <= most


def test_a_style_that_asks_more_often_than_every_second_may_be_told_to(colour: Colour) -> None:
    class Hasty(Service):
        look = Cloud.look

        @job(Every(0.25))
        async def build(self) -> JobState[str]:
            return Pending("j1", after=0)

    client = colour.client(Hasty, FakeTransport([DONE]))

    colour.get(client.build())

    assert 0.25 <= client.runtime.elapsed <= 0.275


def test_all_who_were_told_the_same_come_back_at_different_times(colour: Colour) -> None:
    client = colour.client(Cloud, FakeTransport(otherwise=told("running", after=100)))
    handle = colour.get(client.build.start("j1"))

    with pytest.raises(JobTimeoutError):
        colour.get(handle.result(timeout=600))

    assert len(set(client.runtime.sleeps[1:-1])) == len(client.runtime.sleeps[1:-1]) > 3


def test_nobody_sleeps_beyond_the_time_there_is(colour: Colour) -> None:
    client, handle = started(colour, [told("running", after=100)], otherwise=RUNNING)

    with pytest.raises(JobTimeoutError):
        colour.get(handle.result(timeout=20))

    assert client.runtime.sleeps == [5, 15]


def test_waits_that_end_go_on_as_the_last(colour: Colour) -> None:
    class Twice(Every):
        def waits(self, service: Any) -> Iterator[float]:
            return iter([1.0, 2.0])

    class Short(Service):
        look = Cloud.look

        @job(Twice())
        async def build(self) -> JobState[str]:
            return Pending("j1")

    client = colour.client(Short, FakeTransport([RUNNING, RUNNING, RUNNING, DONE]))

    assert colour.get(client.build()) == "m-7"
    assert client.runtime.sleeps == [1, 2, 2, 2]


# --- the time there is


def test_each_wait_asks_at_least_once(colour: Colour) -> None:
    client, handle = started(colour, [RUNNING, DONE])

    with pytest.raises(JobTimeoutError):
        colour.get(handle.result(timeout=0))
    assert colour.get(handle.result(timeout=0)) == "m-7"
    assert client.runtime.elapsed == 0


def test_a_clock_that_wakes_too_early_makes_no_poll_more(colour: Colour) -> None:
    client, handle = started(colour, [], otherwise=RUNNING)
    sleep = client.runtime.sleep

    def too_short(seconds: float) -> Any:
        return sleep(max(seconds - 0.001, 0.0))

    client.runtime.sleep = too_short

    with pytest.raises(JobTimeoutError, match="12 s and 3 polls"):
        colour.get(handle.result(timeout=12))


def test_a_poll_has_what_is_left_and_ten_seconds_and_no_more_than_a_call_has(colour: Colour) -> None:
    left: list[float] = []

    class Looks(Every):
        async def poll(self, service: Any, job: Pending) -> JobState[str]:
            left.append(service.call.remaining())
            return job

    class Looking(Service):
        @job(Looks(40))
        async def build(self) -> JobState[str]:
            return Pending("j1")

    client = colour.client(Looking)

    with pytest.raises(JobTimeoutError):
        colour.get(colour.get(client.build.start()).result(timeout=100))

    assert left == [60, 30, 10]


def test_a_wait_ends_a_tenth_after_its_time_whatever_polls_take(colour: Colour) -> None:
    def slow(request: Request) -> Response:
        client.runtime.elapsed += 9
        raise ReadTimeoutError("slow")

    client = colour.client(Cloud, FakeTransport(otherwise=slow))
    jobs = [colour.get(client.build.start(f"j{number}")) for number in range(20)]

    heard: list[JobPolled] = []

    errors = wait(colour, jobs, timeout=5, return_errors=True, progress=heard.append)

    assert heard == []
    assert [type(error) for error in errors] == [JobTimeoutError] * 20
    assert client.runtime.elapsed <= 5 + 9
    assert [job._progress.polls for job in jobs] == [1, *[0] * 19]
    assert all("the time was up before it was asked for" in str(error) for error in errors[1:])


@pytest.mark.parametrize(("timeout", "late"), [(0, 10), (1, 0.2), (60, 6.1), (1800, 10)])
def test_a_last_poll_of_a_service_that_hangs_has_a_tenth_more(colour: Colour, timeout: float, late: float) -> None:
    left: list[float] = []

    class Looks(Every):
        async def poll(self, service: Any, job: Pending) -> JobState[str]:
            left.append(service.call.remaining())
            return job

    class Looking(Service):
        @job(Looks(10_000))
        async def build(self) -> JobState[str]:
            return Pending("j1")

    client = colour.client(Looking)

    with pytest.raises(JobTimeoutError):
        colour.get(colour.get(client.build.start()).result(timeout=timeout))

    assert left == [pytest.approx(late)]


def test_a_client_that_is_closed_loses_no_result_of_another(colour: Colour) -> None:
    here = colour.client(Cloud, FakeTransport(otherwise=DONE))
    gone = colour.client(Cloud, FakeTransport(otherwise=DONE), runtime=None)
    jobs = [colour.get(client.build.start("j1")) for client in (here, gone)]
    colour.close(gone)

    first, second = wait(colour, jobs, return_errors=True)

    assert not isinstance(first, JackfieldError)
    assert isinstance(second, UsageError)
    assert second.job_token == jobs[1].token


# --- progress


def test_progress_is_told_after_each_poll(colour: Colour) -> None:
    heard: list[JobPolled] = []
    _, handle = started(colour, [told("queued"), told("running", progress=0.5), DONE])

    colour.get(handle.result(progress=heard.append))

    assert heard == [
        JobPolled("build", "j1", 1, False, "queued", None),
        JobPolled("build", "j1", 2, False, "running", 0.5),
        JobPolled("build", "j1", 3, True, "", 1.0),
    ]


def test_a_job_that_is_done_is_no_longer_in_the_state_that_was_told_last(colour: Colour) -> None:
    _, handle = started(colour, [told("running", progress=0.5), DONE])

    colour.get(handle.result())

    assert (handle.state, handle.progress) == ("", 1.0)


def test_polls_that_fail_are_not_told_as_progress(colour: Colour) -> None:
    heard: list[JobPolled] = []
    _, handle = started(colour, [DOWN, DONE])

    colour.get(handle.result(progress=heard.append))

    assert [(event.polls, event.done) for event in heard] == [(2, True)]


def test_who_listens_may_end_the_waiting(colour: Colour, new_threads: Callable[[str], list[str]]) -> None:
    _, handle = started(colour, [RUNNING, DONE])

    def enough(event: JobPolled) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        colour.get(handle.result(progress=enough))

    assert new_threads("") == []
    assert colour.get(handle.result()) == "m-7"


# --- many


def test_results_come_in_the_order_of_the_jobs(colour: Colour) -> None:
    service = Jobs(a=3, b=1, c=2)
    client = colour.client(Cloud, FakeTransport(otherwise=service))
    jobs = [colour.get(start(id)) for start, id in zip([client.build.start] * 3, "abc", strict=True)]

    assert wait(colour, jobs) == ["a is done", "b is done", "c is done"]
    assert service.asked == ["a", "b", "c", "a", "c", "a"]
    assert client.runtime.elapsed == 15


def test_each_job_keeps_the_rhythm_of_its_style(colour: Colour) -> None:
    service = Jobs(slow=2, fast=4)
    client = colour.client(Cloud, FakeTransport(otherwise=service))

    wait(colour, [colour.get(client.build.start("slow")), colour.get(client.bake.start("fast"))])

    assert service.asked == ["fast", "slow", "fast", "fast", "slow", "fast"]
    assert client.runtime.elapsed == 12


def test_of_no_jobs_there_are_no_results(colour: Colour) -> None:
    assert wait(colour, []) == []


def test_jobs_that_are_over_are_not_asked_for(colour: Colour) -> None:
    transport = FakeTransport([FAILED])
    client = colour.client(Cloud, transport)
    done, failed = (colour.get(client.build.start(id)) for id in ("at once", "j1"))
    with pytest.raises(JobFailedError):
        colour.get(failed.poll())

    results = wait(colour, [done, failed, done], return_errors=True)

    assert results[0] == results[2] == "done at once"
    assert isinstance(results[1], JobFailedError)
    assert len(transport.requests) == 1
    assert client.runtime.sleeps == []


def test_the_first_failure_is_raised_at_once_and_the_others_go_on(colour: Colour) -> None:
    service = Jobs(a=3, b=2, c=1)
    service.failing = {"b"}
    client = colour.client(Cloud, FakeTransport(otherwise=service))
    jobs = [colour.get(client.build.start(id)) for id in "abc"]

    with pytest.raises(JobFailedError, match="b failed") as caught:
        wait(colour, jobs)

    assert caught.value.job_token == jobs[1].token
    assert client.runtime.elapsed == 10
    assert wait(colour, [jobs[0], jobs[2]]) == ["a is done", "c is done"]


def test_errors_are_given_among_the_results_where_that_is_wanted(colour: Colour) -> None:
    service = Jobs(a=3, b=2, c=1, d=100)
    service.failing = {"b"}
    client = colour.client(Cloud, FakeTransport(otherwise=service))
    jobs = [colour.get(client.build.start(id)) for id in "abcd"]

    a, b, c, d = wait(colour, jobs, timeout=60, return_errors=True)

    assert (a, c) == ("a is done", "c is done")
    assert isinstance(b, JobFailedError)
    assert isinstance(d, JobTimeoutError)
    assert (b.job_token, d.job_token) == (jobs[1].token, jobs[3].token)
    assert client.runtime.elapsed == 60


def test_those_that_faults_end_stand_among_the_results(colour: Colour) -> None:
    client, handle = started(colour, [RUNNING], otherwise=DOWN)

    (error,) = wait(colour, [handle], return_errors=True)

    assert isinstance(error, ConnectError)
    assert client.runtime.elapsed < 60


def test_a_fault_of_one_job_holds_up_no_other(colour: Colour) -> None:
    def respond(request: Request) -> Response:
        if request.url.path.endswith("/bad"):
            raise DOWN
        return RUNNING if client.runtime.elapsed < 100 else DONE

    client = colour.client(Cloud, FakeTransport(otherwise=respond))
    jobs = [colour.get(client.build.start(id)) for id in ("bad", "good")]

    bad, good = wait(colour, jobs, return_errors=True)

    assert isinstance(bad, ConnectError)
    assert good == "m-7"


def test_jobs_of_the_other_colour_are_refused(colour: Colour) -> None:
    _, handle = started(colour, [])

    other: Any = async_wait_all if colour.base is Client else wait_all

    with pytest.raises(UsageError, match="wait_all waits for what is a"):
        colour.get(other([handle]))


def test_jobs_of_several_clients_are_waited_for_together(colour: Colour) -> None:
    runtime = colour.runtime()
    services = [Jobs(a=2), Jobs(b=1)]
    clients = [colour.client(Cloud, FakeTransport(otherwise=service), runtime=runtime) for service in services]
    jobs = [colour.get(client.build.start(id)) for client, id in zip(clients, "ab", strict=True)]

    assert wait(colour, jobs) == ["a is done", "b is done"]
    assert runtime.elapsed == 10


def test_several_jobs_may_be_waited_for_inside_a_body(colour: Colour) -> None:
    client = colour.client(Cloud, FakeTransport(otherwise=Jobs(a=2, b=1)))

    assert colour.get(client.build_all(["a", "b"])) == ["a is done", "b is done"]


def test_progress_is_told_of_every_job(colour: Colour) -> None:
    heard: list[JobPolled] = []
    client = colour.client(Cloud, FakeTransport(otherwise=Jobs(a=1, b=2)))

    wait(colour, [colour.get(client.build.start(id)) for id in "ab"], progress=heard.append)

    assert [(event.job, event.polls, event.done) for event in heard] == [
        ("a", 1, True),
        ("b", 1, False),
        ("b", 2, True),
    ]


def test_a_timeout_that_is_no_time_is_refused_before_anybody_waits(colour: Colour) -> None:
    client, handle = started(colour, [])

    with pytest.raises(UsageError, match="timeout"):
        wait(colour, [handle], timeout=-1)
    assert client.runtime.sleeps == []


# --- many, by one request


def test_jobs_of_one_style_share_one_request_a_round(colour: Colour) -> None:
    service = Jobs(a=3, b=1, c=2)
    client = colour.client(Cloud, FakeTransport(otherwise=service))
    jobs = [colour.get(client.brew.start(id)) for id in "abc"]

    assert wait(colour, jobs) == ["a is done", "b is done", "c is done"]
    assert service.asked == ["a,b,c", "a,c", "a"]
    assert client.runtime.elapsed == 15


def test_another_style_or_view_is_asked_by_itself(colour: Colour) -> None:
    service = Jobs(a=1, b=1, c=1, d=1)
    client = colour.client(Cloud, FakeTransport(otherwise=service))
    view = client.with_options(headers={"x-tenant": "other"})
    starts = [client.brew, client.boil, view.brew, client.brew]

    wait(colour, [colour.get(one.start(id)) for one, id in zip(starts, "abcd", strict=True)])

    assert service.asked == ["a,d", "b", "c"]


def test_a_job_that_fails_or_is_lost_is_an_error_of_its_own(colour: Colour) -> None:
    told = {"a": {"state": "failed", "code": 5}, "b": {"state": "lost"}, "c": {"state": "done"}}
    client = colour.client(Cloud, FakeTransport([json_response(told)]))
    jobs = [colour.get(client.brew.start(id)) for id in "abc"]

    failed, lost, done = wait(colour, jobs, return_errors=True)

    assert isinstance(failed, JobFailedError)
    assert failed.code == 5
    assert isinstance(lost, NotFoundError)
    assert (failed.job_token, lost.job_token) == (jobs[0].token, jobs[1].token)
    assert done == "c is done"


def test_a_request_for_all_that_fails_is_a_fault_of_each(colour: Colour) -> None:
    running = json_response({id: {"state": "running"} for id in "ab"})
    client = colour.client(Cloud, FakeTransport([DOWN, running, *[DOWN] * 6]))
    jobs = [colour.get(client.brew.start(id)) for id in "ab"]

    errors = wait(colour, jobs, return_errors=True)

    assert [type(error) for error in errors] == [ConnectError, ConnectError]
    assert [error.job_token for error in errors] == [job.token for job in jobs]
    assert errors[0] is not errors[1]
    assert [job._progress.polls for job in jobs] == [8, 8]


# --- whatever happens

_FAULTS = [DOWN, BUSY, ReadTimeoutError("slow")]
_ENDS = [DONE, FAILED, Response(403), Response(200, body=b"?")]


@given(
    colour=st.sampled_from(["sync", "async"]),
    script=st.lists(st.sampled_from([RUNNING, *_FAULTS]), max_size=30),
    end=st.sampled_from(_ENDS),
    timeout=st.sampled_from([0, 7, 60, 600]),
)
@settings(deadline=None, max_examples=100)
def test_whatever_comes_there_is_one_result_or_a_typed_error_and_no_poll_too_many(
    colour: str, script: list[Any], end: Any, timeout: float
) -> None:
    kind = type("One", (Cloud, Client if colour == "sync" else AsyncClient), {})
    runtime: Any = VirtualSyncRuntime() if colour == "sync" else SimulatedRuntime()
    transport = FakeTransport([*script, end])
    client: Any = kind("https://h", transport=transport, runtime=runtime)

    async def waited() -> Any:
        handle = await client.build.start("j1")
        return await handle.result(timeout=timeout)

    outcome: Any
    try:
        outcome = client.build.start("j1").result(timeout=timeout) if colour == "sync" else runtime.run(waited())
    except JackfieldError as error:
        outcome = error

    polls = len(transport.requests)
    assert 1 <= polls <= timeout // 5 + 2
    assert runtime.elapsed <= timeout
    row = [answer is not RUNNING for answer in script[:polls]]
    if isinstance(outcome, JobTimeoutError):
        assert runtime.elapsed == timeout
    elif isinstance(outcome, NetworkError | UnavailableError):
        assert row[-6:] == [True] * 6
    else:
        assert polls == len(script) + 1
        assert outcome == "m-7" if end is DONE else isinstance(outcome, JackfieldError)


@given(
    polls=st.lists(st.integers(1, 8), min_size=1, max_size=12),
    failing=st.sets(st.integers(0, 11)),
    shared=st.booleans(),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=100)
def test_whatever_the_jobs_each_is_asked_for_until_it_is_over_and_no_longer(
    polls: list[int], failing: set[int], shared: bool, seed: int
) -> None:
    service = Jobs(**{f"j{number}": count for number, count in enumerate(polls)})
    service.failing = {f"j{number}" for number in failing}
    runtime = SimulatedRuntime(seed)
    kind = type("One", (Cloud, AsyncClient), {})
    client: Any = kind("https://h", transport=FakeTransport(otherwise=service), runtime=runtime)

    async def waited() -> list[Any]:
        start = client.brew.start if shared else client.build.start
        return await async_wait_all([await start(id) for id in service.left], return_errors=True)

    results = runtime.run(waited())

    for number, result in enumerate(results):
        assert isinstance(result, JobFailedError) if number in failing else result == f"j{number} is done"
    assert set(service.left.values()) == {0}
    assert runtime.elapsed == 5 * max(polls)
    assert len(service.asked) == (max(polls) if shared else sum(polls))


def test_a_task_that_is_cancelled_while_it_waits_leaves_nothing_behind() -> None:
    runtime = SimulatedRuntime()
    kind = type("One", (Cloud, AsyncClient), {})
    client: Any = kind("https://h", transport=FakeTransport(otherwise=RUNNING), runtime=runtime)

    async def main() -> int:
        jobs = [await client.build.start(f"j{number}") for number in range(50)]
        waiting = runtime.spawn(async_wait_all(jobs), "waiting")
        await runtime.sleep(7)
        tasks = len(runtime._scheduler.tasks)
        waiting.cancel()
        await waiting.ended.wait()
        await runtime.sleep(100)
        return tasks

    assert runtime.run(main()) == 2  # main and the one that waits
    assert len(client._wiring.transport.requests) == 50


@pytest.mark.parametrize("shared", [False, True], ids=["one by one", "together"])
def test_a_thousand_jobs_are_waited_for_without_a_thread_or_a_task(
    colour: Colour, shared: bool, new_threads: Callable[[str], list[str]]
) -> None:
    service = Jobs(**{f"j{number}": 1 + number % 7 for number in range(1000)})
    service.failing = {f"j{number}" for number in range(0, 1000, 50)}
    client = colour.client(Cloud, FakeTransport(otherwise=service))
    start = (client.brew if shared else client.build).start
    jobs = [colour.get(start(id)) for id in service.left]
    beside = set[int]()

    def tell(event: JobPolled) -> None:
        beside.add(len(new_threads("")))
        if colour.base is AsyncClient:
            beside.add(len(asyncio.all_tasks()) - 1)

    results = wait(colour, jobs, return_errors=True, progress=tell)

    assert beside == {0}
    assert {id for id, result in zip(service.left, results, strict=True) if isinstance(result, JobFailedError)} == (
        service.failing
    )
    assert set(service.left.values()) == {0}
    assert len(service.asked) == (7 if shared else sum(1 + number % 7 for number in range(1000)))
    assert client.runtime.elapsed == 35


def test_two_who_wait_for_one_job_get_one_result() -> None:
    for seed in range(20):
        runtime = SimulatedRuntime(seed)
        kind = type("One", (Cloud, AsyncClient), {})
        service = Jobs(j1=4)
        client: Any = kind("https://h", transport=FakeTransport(otherwise=service), runtime=runtime)

        async def main(client: Any = client, runtime: SimulatedRuntime = runtime) -> list[Any]:
            handle = await client.build.start("j1")
            return await runtime.gather(handle.result(), handle.result())

        assert runtime.run(main()) == ["j1 is done"] * 2
        assert service.left["j1"] <= 0


def test_a_late_answer_does_not_undo_a_result() -> None:
    runtime = SimulatedRuntime()

    async def late(request: Request) -> Response:
        await runtime.sleep(10)
        return RUNNING

    client: Any = type("One", (Cloud, AsyncClient), {})(
        "https://h", transport=FakeTransport([late, DONE]), runtime=runtime
    )

    async def main() -> str:
        handle = await client.build.start("j1")
        slow = runtime.spawn(handle.poll())
        await runtime.sleep(1)
        assert await handle.poll()
        assert await slow
        result: str = await handle.result()
        return result

    assert runtime.run(main()) == "m-7"


# --- cancelling is tested with the handles; what it does to who waits, here


def test_who_waits_for_a_job_that_was_cancelled_and_is_gone_is_told_that(colour: Colour) -> None:
    class Stops(Every):
        async def cancel(self, service: Any, job: Pending) -> None:
            await service.look(job.id)

    class Stopping(Service):
        look = Cloud.look

        @job(Stops())
        async def build(self) -> JobState[str]:
            return Pending("j1")

    client = colour.client(Stopping, FakeTransport([RUNNING, RUNNING, Response(404)]))
    handle = colour.get(client.build.start())

    colour.get(handle.cancel())

    with pytest.raises(JobCancelledError) as caught:
        colour.get(handle.result())
    assert isinstance(caught.value.__cause__, NotFoundError)
    assert caught.value.job_token == handle.token
