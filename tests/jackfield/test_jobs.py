"""Jobs: started, polled, waited for, and taken up again elsewhere."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any

import pytest

from jackfield import (
    AsyncClient,
    ConflictError,
    ConnectError,
    DeadlineExceededError,
    Done,
    ForbiddenError,
    JackfieldError,
    JobCancelledError,
    JobFailedError,
    JobPolled,
    JobState,
    JobStyle,
    JobTimeoutError,
    NotFoundError,
    Pending,
    Request,
    Response,
    Service,
    UsageError,
    job,
    operation,
)
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, json_response

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour, Watch


class EveryFive(JobStyle[str]):
    """Polls every five seconds, for ten minutes at most."""

    def timeout(self, service: Any) -> float:
        return 600

    def waits(self, service: Any) -> Iterator[float]:
        return repeat(5.0)

    async def poll(self, service: Any, job: Pending) -> JobState[str]:
        answer = await service.job_state(job.id)
        if answer["state"] == "failed":
            raise JobFailedError("the disk is full", code=507, text="full")
        if answer["state"] == "cancelled":
            raise JobCancelledError("somebody cancelled it")
        return Done(answer["result"]) if answer["state"] == "done" else job


class Stoppable(EveryFive):
    async def cancel(self, service: Any, job: Pending) -> None:
        await service.stop(job.id)


class Cloud(Service):
    @job(Stoppable())
    async def render(self, resource: str = "") -> JobState[str]:
        """Renders a film; may be cancelled."""
        return Pending("r1", "the film", resource)

    @operation
    async def stop(self, id: str) -> None:
        """Cancels a job."""
        await self.send(Request("DELETE", self.url("jobs", id)))

    @operation
    async def job_state(self, id: str) -> dict[str, Any]:
        """Asks for a job."""
        return (await self.send(Request("GET", self.url("jobs", id)))).decode(dict[str, Any])

    @job(EveryFive())
    async def deploy(self, name: str) -> JobState[str]:
        """Deploys a machine."""
        answer = (await self.send(Request("POST", self.url("machines", name)))).decode(dict[str, Any])
        return Done(answer["result"]) if "result" in answer else Pending(answer["job"], f"deploy {name}")

    @job(EveryFive())
    async def destroy(self, name: str) -> JobState[str]:
        """Destroys a machine."""
        return Pending("d1")

    @operation
    async def deploy_within(self, name: str) -> str:
        """Waits for a job inside a body that has a deadline."""
        return await self.deploy(name)

    @operation(bounded=False)
    async def deploy_two(self) -> list[str]:
        """Waits for two jobs inside a body without a total."""
        return [await self.deploy("a"), await self.deploy("b")]


def started(id: str = "j1") -> Response:
    return json_response({"job": id})


def state(state: str, result: str | None = None) -> Response:
    return json_response({"state": state, "result": result})


RUNNING, DONE = state("running"), state("done", "m-7")


def paths(transport: FakeTransport) -> list[str]:
    return [request.url.path for request in transport.requests]


# --- waiting


def test_calling_a_job_starts_it_waits_and_gives_its_result(colour: Colour) -> None:
    transport = FakeTransport([started(), RUNNING, RUNNING, DONE])
    client = colour.client(Cloud, transport)

    assert colour.get(client.deploy("web")) == "m-7"
    assert paths(transport) == ["/v1/machines/web", "/v1/jobs/j1", "/v1/jobs/j1", "/v1/jobs/j1"]
    assert client.runtime.sleeps == [5, 5, 5]


def test_a_job_that_is_done_at_once_is_not_polled(colour: Colour) -> None:
    transport = FakeTransport([json_response({"result": "m-7"})] * 2)
    client = colour.client(Cloud, transport)

    handle = colour.get(client.deploy.start("web"))

    assert handle.done
    assert colour.get(handle.poll()) is True
    assert colour.get(handle.result()) == "m-7"
    assert colour.get(client.deploy("web")) == "m-7"
    assert len(transport.requests) == 2
    assert client.runtime.sleeps == []


def test_a_job_may_take_longer_than_the_timeout_of_a_call(colour: Colour) -> None:
    transport = FakeTransport([started(), *[RUNNING] * 50, DONE])

    assert colour.get(colour.client(Cloud, transport, timeout=10).deploy("web")) == "m-7"


def test_a_job_inside_a_body_without_a_total_may_take_as_long(colour: Colour) -> None:
    transport = FakeTransport([started(), *[RUNNING] * 50, DONE] * 2)

    assert colour.get(colour.client(Cloud, transport, timeout=10).deploy_two()) == ["m-7", "m-7"]


def test_a_job_inside_a_body_with_a_deadline_is_not_waited_for_any_longer(colour: Colour) -> None:
    client = colour.client(Cloud, FakeTransport([started()], otherwise=RUNNING), timeout=12)

    with pytest.raises(DeadlineExceededError):
        colour.get(client.deploy_within("web"))

    assert client.runtime.elapsed == 12


# --- the handle


def test_start_gives_a_handle_and_does_not_wait(colour: Colour) -> None:
    transport = FakeTransport([started()])
    client = colour.client(Cloud, transport)

    handle = colour.get(client.deploy.start("web"))

    assert not handle.done
    assert paths(transport) == ["/v1/machines/web"]
    assert client.runtime.sleeps == []


def test_poll_asks_once_and_says_whether_it_is_done(colour: Colour) -> None:
    transport = FakeTransport([started(), RUNNING, DONE])
    client = colour.client(Cloud, transport)
    handle = colour.get(client.deploy.start("web"))

    assert colour.get(handle.poll()) is False
    assert not handle.done
    assert colour.get(handle.poll()) is True
    assert handle.done
    assert colour.get(handle.poll()) is True
    assert colour.get(handle.result()) == "m-7"
    assert len(transport.requests) == 3
    assert client.runtime.sleeps == []


def test_a_result_may_be_asked_for_again_and_costs_nothing(colour: Colour) -> None:
    transport = FakeTransport([started(), DONE])
    handle = colour.get(colour.client(Cloud, transport).deploy.start("web"))

    assert [colour.get(handle.result()), colour.get(handle.result(timeout=0))] == ["m-7", "m-7"]
    assert len(transport.requests) == 2


def test_waiting_too_long_is_a_job_timeout_that_says_how_to_go_on(colour: Colour) -> None:
    client = colour.client(Cloud, FakeTransport([started()], otherwise=RUNNING))
    handle = colour.get(client.deploy.start("web"))

    with pytest.raises(JobTimeoutError, match=r"j1 .*after 12 s.*resume") as caught:
        colour.get(handle.result(timeout=12))

    assert client.runtime.elapsed == 12
    assert client.runtime.sleeps == [5, 5, 2]
    assert caught.value.call is not None
    assert caught.value.call.operation == "deploy web"
    assert caught.value.call.attempts == 3
    assert isinstance(caught.value, DeadlineExceededError)


def test_after_a_timeout_the_job_may_be_waited_for_again(colour: Colour) -> None:
    client = colour.client(Cloud, FakeTransport([started(), RUNNING, RUNNING, RUNNING, DONE]))
    handle = colour.get(client.deploy.start("web"))

    with pytest.raises(JobTimeoutError):
        colour.get(handle.result(timeout=12))
    assert not handle.done
    assert colour.get(handle.result(timeout=12)) == "m-7"


def test_the_styles_timeout_holds_where_the_caller_gives_none(colour: Colour) -> None:
    client = colour.client(Cloud, FakeTransport([started()], otherwise=RUNNING))

    with pytest.raises(JobTimeoutError, match="after 600 s and 120 polls"):
        colour.get(client.deploy("web"))

    assert client.runtime.elapsed == 600


def test_a_result_that_nobody_waits_for_is_a_timeout_without_waiting(colour: Colour) -> None:
    client = colour.client(Cloud, FakeTransport([started()], otherwise=RUNNING))
    handle = colour.get(client.deploy.start("web"))

    with pytest.raises(JobTimeoutError):
        colour.get(handle.result(timeout=0))
    assert client.runtime.elapsed == 0


@pytest.mark.parametrize("timeout", [float("nan"), float("inf"), -1, "5", True])
def test_a_timeout_that_is_no_time_is_a_usage_error(colour: Colour, timeout: Any) -> None:
    client = colour.client(Cloud, FakeTransport([started(), *[RUNNING] * 3], otherwise=DONE))
    handle = colour.get(client.deploy.start("web"))

    with pytest.raises(UsageError):
        colour.get(handle.result(timeout=timeout))


# --- failure


def test_a_job_that_fails_is_an_error_with_the_services_words_and_its_call(colour: Colour) -> None:
    client = colour.client(Cloud, FakeTransport([started(), RUNNING, state("failed")]))

    with pytest.raises(JobFailedError, match="the disk is full") as caught:
        colour.get(client.deploy("web"))

    assert (caught.value.code, caught.value.text) == (507, "full")
    assert caught.value.call is not None
    assert caught.value.call.operation == "deploy web"
    assert caught.value.call.attempts == 2


def test_a_job_that_was_cancelled_is_an_error_of_its_own(colour: Colour) -> None:
    client = colour.client(Cloud, FakeTransport([started(), state("cancelled")]))

    with pytest.raises(JobCancelledError):
        colour.get(client.deploy("web"))


def test_a_failed_job_is_not_done(colour: Colour) -> None:
    handle = colour.get(colour.client(Cloud, FakeTransport([started()], otherwise=state("failed"))).deploy.start("web"))

    for ask in (handle.poll, handle.result, handle.poll):
        with pytest.raises(JobFailedError):
            colour.get(ask())
        assert not handle.done


def test_a_poll_that_does_not_get_through_leaves_the_job_as_it_was(colour: Colour) -> None:
    transport = FakeTransport([started(), ConnectError("down"), RUNNING, DONE])
    handle = colour.get(colour.client(Cloud, transport).deploy.start("web"))

    with pytest.raises(ConnectError):
        colour.get(handle.poll())
    assert colour.get(handle.result()) == "m-7"


def test_a_job_that_cannot_be_started_is_the_error_of_starting_it(colour: Colour) -> None:
    client = colour.client(Cloud, FakeTransport([Response(404)]))

    with pytest.raises(NotFoundError) as caught:
        colour.get(client.deploy("web"))

    assert caught.value.call is not None
    assert caught.value.call.operation == "deploy"


# --- tokens


def test_a_token_takes_the_job_up_again_in_another_process(colour: Colour) -> None:
    token = json.loads(
        json.dumps(colour.get(colour.client(Cloud, FakeTransport([started()])).deploy.start("web")).token)
    )
    elsewhere = FakeTransport([RUNNING, DONE])

    handle = colour.client(Cloud, elsewhere).deploy.resume(token)

    assert not handle.done
    assert elsewhere.requests == []
    assert handle.token == token
    assert colour.get(handle.result()) == "m-7"
    assert paths(elsewhere) == ["/v1/jobs/j1", "/v1/jobs/j1"]


def test_a_token_is_json_and_stays_good_while_the_job_goes_on(colour: Colour) -> None:
    handle = colour.get(colour.client(Cloud, FakeTransport([started("j 1/ü"), RUNNING, DONE])).deploy.start("web"))
    token = handle.token

    colour.get(handle.poll())
    assert handle.token == token
    colour.get(handle.poll())

    assert json.loads(token) == ["deploy", "j 1/ü", "deploy web"]
    transport = FakeTransport([DONE])
    assert colour.get(colour.client(Cloud, transport).deploy.resume(handle.token).result()) == "m-7"
    assert paths(transport) == ["/v1/jobs/j%201%2F%C3%BC"]


def test_a_token_of_another_operation_is_refused_and_says_where_it_belongs(colour: Colour) -> None:
    token = colour.get(colour.client(Cloud, FakeTransport()).destroy.start("web")).token

    with pytest.raises(UsageError, match=r"of 'destroy'.*not with 'deploy'"):
        colour.client(Cloud).deploy.resume(token)


def test_the_token_of_a_job_that_was_done_at_once_has_nothing_to_resume(colour: Colour) -> None:
    transport = FakeTransport([json_response({"result": "m-7"})])
    token = colour.get(colour.client(Cloud, transport).deploy.start("web")).token

    with pytest.raises(UsageError, match="was done"):
        colour.client(Cloud).deploy.resume(token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "{}",
        "[]",
        '["deploy"]',
        '["deploy", 7, ""]',
        '["deploy", "j", "l", "m", "n"]',
        '["deploy", "j", "l", 7]',
        "[" * 10000,
        "�",
        None,
        5,
        "[3, 1]",
    ],
    ids=lambda token: repr(token)[:12],
)
def test_what_is_no_token_is_refused_at_once(colour: Colour, token: Any) -> None:
    transport = FakeTransport()

    with pytest.raises(UsageError, match="token of a job"):
        colour.client(Cloud, transport).deploy.resume(token)
    assert transport.requests == []


def test_a_token_keeps_where_the_result_will_be(colour: Colour) -> None:
    token = colour.get(colour.client(Cloud).render.start("/films/1")).token

    assert json.loads(token) == ["render", "r1", "the film", "/films/1"]
    assert colour.client(Cloud).render.resume(token).token == token


def test_a_giant_token_is_refused(colour: Colour) -> None:
    fits = json.dumps(["deploy", "j" * 60_000, ""])

    assert colour.client(Cloud).deploy.resume(fits).token
    with pytest.raises(UsageError, match=r"token of a job.*longer"):
        colour.client(Cloud).deploy.resume(json.dumps(["deploy", "j" * 70_000, ""]))


def test_the_token_is_that_of_the_last_answer(colour: Colour) -> None:
    class Moving(EveryFive):
        async def poll(self, service: Any, job: Pending) -> JobState[str]:
            return Pending(f"{job.id}+")

    class Moved(Service):
        @job(Moving())
        async def build(self) -> JobState[str]:
            return Pending("j", "the build")

    handle = colour.get(colour.client(Moved).build.start())

    colour.get(handle.poll())

    assert json.loads(handle.token) == ["build", "j+", "the build"]


SIGNED = "https://h/ops/1?sig=hunter2"


class Signed(Service):
    job_state = Cloud.job_state

    @job(EveryFive())
    async def build(self) -> JobState[str]:
        return Pending(SIGNED, resource=f"{SIGNED}&result")


def test_an_error_bears_the_token_and_shows_no_url_that_may_be_signed(colour: Colour) -> None:
    class Failing(EveryFive):
        async def poll(self, service: Any, job: Pending) -> JobState[str]:
            raise JobFailedError(f"{job!r}, {job}")

    class Shown(Service):
        @job(Failing())
        async def build(self) -> JobState[str]:
            return Pending(SIGNED, resource=f"{SIGNED}&result")

    handle = colour.get(colour.client(Shown, FakeTransport()).build.start())
    with pytest.raises(JobFailedError) as caught:
        colour.get(handle.result())
    error = caught.value

    assert error.job_token == handle.token
    assert copy.copy(error).job_token == copy.deepcopy(error).job_token == handle.token
    for shown in (error, [error], vars(error), error.args, handle, handle._progress.job):
        assert "hunter2" not in f"{shown} {shown!r}"
    assert "https://h/ops/1" in str(error)


def test_a_token_does_not_go_along_with_a_pickled_error(colour: Colour) -> None:
    handle = colour.get(colour.client(Signed, FakeTransport()).build.start())
    with pytest.raises(JackfieldError) as caught:
        colour.get(handle.cancel())
    assert caught.value.job_token

    pickled = pickle.dumps(caught.value)

    assert b"hunter2" not in pickled
    assert pickle.loads(pickled).job_token is None
    assert str(pickle.loads(pickled)) == str(caught.value)


def test_what_has_to_do_with_no_job_has_no_token() -> None:
    assert JackfieldError("no").job_token is None


def test_what_was_never_awaited_is_warned_of_by_the_name_of_the_operation() -> None:
    class AwaitedCloud(Cloud, AsyncClient): ...

    client = AwaitedCloud("https://h", transport=FakeTransport(), runtime=VirtualAsyncioRuntime())

    with pytest.warns(RuntimeWarning, match=r"coroutine 'Cloud\.deploy' was never awaited"):
        client.deploy("web")  # type: ignore[unused-coroutine]  # that is the mistake


# --- cancelling


def test_a_cancelled_job_is_waited_for_until_the_service_says_so(colour: Colour) -> None:
    transport = FakeTransport([Response(204), RUNNING, state("cancelled")])
    handle = colour.get(colour.client(Cloud, transport).render.start())

    colour.get(handle.cancel())

    with pytest.raises(JobCancelledError, match="somebody"):
        colour.get(handle.result())
    assert [request.method for request in transport.requests] == ["DELETE", "GET", "GET"]


def test_a_job_that_is_done_before_it_is_cancelled_gives_its_result(colour: Colour) -> None:
    handle = colour.get(colour.client(Cloud, FakeTransport([Response(204), RUNNING, DONE])).render.start())

    colour.get(handle.cancel())

    assert colour.get(handle.result()) == "m-7"


@pytest.mark.parametrize("refusal", [400, 404, 409, 410])
def test_a_job_that_can_be_cancelled_no_more_as_it_is_done_is_no_error(colour: Colour, refusal: int) -> None:
    client = colour.client(Cloud, FakeTransport([Response(refusal), DONE]))
    handle = colour.get(client.render.start())

    colour.get(handle.cancel())

    assert handle.done
    assert colour.get(handle.result()) == "m-7"


def test_nor_is_one_that_has_failed_meanwhile(colour: Colour) -> None:
    handle = colour.get(colour.client(Cloud, FakeTransport([Response(409), state("failed")])).render.start())

    colour.get(handle.cancel())

    with pytest.raises(JobFailedError, match="disk"):
        colour.get(handle.result())


@pytest.mark.parametrize("then", [RUNNING, Response(503)], ids=["running", "503"])
def test_a_refusal_to_cancel_a_job_that_runs_is_the_services_error(colour: Colour, then: Response) -> None:
    handle = colour.get(colour.client(Cloud, FakeTransport([Response(409), then])).render.start())

    with pytest.raises(ConflictError) as caught:
        colour.get(handle.cancel())

    assert caught.value.job_token == handle.token
    assert caught.value.call is not None
    assert caught.value.call.method == "DELETE"


def test_a_cancelling_that_does_not_get_through_says_so_and_asks_nothing(colour: Colour) -> None:
    transport = FakeTransport([ConnectError("down")])
    handle = colour.get(colour.client(Cloud, transport).render.start())

    with pytest.raises(ConnectError):
        colour.get(handle.cancel())
    assert len(transport.requests) == 1


def test_a_job_that_is_over_is_not_cancelled(colour: Colour) -> None:
    transport = FakeTransport([DONE, state("failed")])
    client = colour.client(Cloud, transport)
    done, failed = colour.get(client.render.start()), colour.get(client.render.start())
    colour.get(done.poll())
    with pytest.raises(JobFailedError):
        colour.get(failed.poll())

    colour.get(done.cancel())
    colour.get(failed.cancel())

    assert len(transport.requests) == 2


def test_jobs_that_cannot_be_cancelled_say_so_and_go_on(colour: Colour) -> None:
    transport = FakeTransport([started(), Response(404)])
    handle = colour.get(colour.client(Cloud, transport).deploy.start("web"))

    with pytest.raises(UsageError, match="cannot be cancelled"):
        colour.get(handle.cancel())
    with pytest.raises(NotFoundError):  # and not JobCancelledError: nobody cancelled it
        colour.get(handle.result())


# --- what it tells without asking


def test_a_handle_tells_what_it_last_heard(colour: Colour) -> None:
    class Telling(EveryFive):
        async def poll(self, service: Any, job: Pending) -> JobState[str]:
            return job._replace(state="half way", progress=0.5)

    class Told(Service):
        @job(Telling())
        async def build(self) -> JobState[str]:
            return Pending("https://h/ops/1?sig=hunter2", "the build")

    handle = colour.get(colour.client(Told).build.start())
    assert (handle.state, handle.progress) == ("", None)
    assert repr(handle).endswith("Job the build https://h/ops/1: 'pending'>")

    colour.get(handle.poll())

    assert (handle.state, handle.progress) == ("half way", 0.5)
    assert repr(handle).endswith("Job the build https://h/ops/1: 'half way'>")


def test_how_a_job_ended_shows(colour: Colour) -> None:
    client = colour.client(Cloud, FakeTransport([DONE, state("failed")]))
    done, failed = colour.get(client.render.start()), colour.get(client.render.start())
    colour.get(done.poll())
    with pytest.raises(JobFailedError):
        colour.get(failed.poll())

    assert repr(done).endswith("'done'>")
    assert repr(failed).endswith("'failed'>")


def test_a_failure_is_remembered_and_nobody_is_asked_again(colour: Colour) -> None:
    transport = FakeTransport([started(), state("failed")])
    handle = colour.get(colour.client(Cloud, transport).deploy.start("web"))
    errors: list[JobFailedError] = []

    for ask in (handle.result, handle.result, handle.poll):
        with pytest.raises(JobFailedError, match="the disk is full") as caught:
            colour.get(ask())
        errors.append(caught.value)

    assert len(transport.requests) == 2
    assert len({id(error) for error in errors}) == 3
    assert {(error.code, error.job_token) for error in errors} == {(507, handle.token)}


def test_neither_an_event_nor_an_error_shows_a_query_or_a_line_break_of_a_jobs_id(
    colour: Colour, watch: type[Watch]
) -> None:
    class Telling(EveryFive):
        async def poll(self, service: Any, job: Pending) -> JobState[str]:
            return job._replace(state="a\nb" + "c" * 1000)

    class Told(Service):
        @job(Telling())
        async def build(self) -> JobState[str]:
            return Pending("/ops/1\n\x1b[2J?sig=hunter2")

    watching = watch()
    handle = colour.get(colour.client(Told, plugins=[watching]).build.start())

    with pytest.raises(JobTimeoutError) as caught:
        colour.get(handle.result(timeout=0))

    (event,) = watching.events
    assert isinstance(event, JobPolled)
    assert event.job == "/ops/1??[2J"
    assert event.state == "a?b" + "c" * 197
    assert "hunter2" not in str(caught.value)
    assert "the job /ops/1??[2J was not over (a?bccc" in str(caught.value)


class Answering(EveryFive):
    """Polls come to these, in turn."""

    def __init__(self, *outcomes: str | JackfieldError) -> None:
        self.outcomes = list(outcomes)

    async def poll(self, service: Any, job: Pending) -> JobState[str]:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, JackfieldError):
            raise outcome
        return job._replace(state=outcome)


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        (["queued"], "the job 7 was not over (queued) after 10 s and 2 polls; if it runs, it goes on at the service: "),
        ([""], "the job 7 was not over after 10 s and 2 polls; if it runs, it goes on at the service: "),
        (
            ["queued", ConnectError("refused")],
            "the job 7 was not over (queued) after 10 s and 2 polls; the last poll failed: refused; if it runs, it ",
        ),
        (
            [ConnectError("refused")],
            "the job 7 told nothing after 10 s and 2 polls; the last poll failed: refused; wait on with a longer ",
        ),
    ],
    ids=["a state", "none", "a failure after a state", "failures alone"],
)
def test_a_wait_that_ends_too_soon_says_what_is_known(
    colour: Colour, outcomes: list[str | JackfieldError], told: str
) -> None:
    class Known(Service):
        @job(Answering(*(outcomes * 2)[:2]))
        async def build(self) -> JobState[str]:
            return Pending("7")

    handle = colour.get(colour.client(Known).build.start())

    with pytest.raises(JobTimeoutError) as caught:
        colour.get(handle.result(timeout=10))

    assert str(caught.value).startswith(told)


def test_the_error_of_a_poll_says_which_request_that_was(colour: Colour) -> None:
    class Asking(EveryFive):
        async def poll(self, service: Any, job: Pending) -> JobState[str]:
            await service.send(Request("GET", service.url("jobs", job.id), query={"sig": "hunter2"}))
            return job

    class Asked(Service):
        @job(Asking())
        async def build(self) -> JobState[str]:
            return Pending("j1", "the build")

    client = colour.client(Asked, FakeTransport([Response(200), Response(403)]))

    with pytest.raises(ForbiddenError) as caught:
        colour.get(client.build())

    call = caught.value.call
    assert call is not None
    assert (call.operation, call.method, call.attempts, call.elapsed) == ("the build", "GET", 2, 10)
    assert call.url == "https://api.example.test/v1/jobs/j1?sig=***"


# --- what it has besides


def test_a_job_offers_what_every_operation_does(colour: Colour) -> None:
    transport = FakeTransport()
    client = colour.client(Cloud, transport)

    assert colour.get(client.deploy.request("web")).url.path == "/v1/machines/web"
    assert "deploy" in str(colour.get(client.deploy.explain("web")))
    assert client.deploy.__doc__ == "Deploys a machine."
    assert transport.requests == []


def test_every_poll_is_told_to_observers(colour: Colour, watch: type[Watch]) -> None:
    watching = watch()
    client = colour.client(Cloud, FakeTransport([started(), RUNNING, DONE]), plugins=[watching])

    colour.get(client.deploy("web"))

    assert [event for event in watching.events if isinstance(event, JobPolled)] == [
        JobPolled("deploy web", "j1", 1, False),
        JobPolled("deploy web", "j1", 2, True),
    ]


def test_a_closed_client_polls_no_more(colour: Colour) -> None:
    client = colour.client(Cloud, FakeTransport([started()]))
    handle = colour.get(client.deploy.start("web"))

    colour.close(client)

    with pytest.raises(UsageError, match="closed"):
        colour.get(handle.poll())
