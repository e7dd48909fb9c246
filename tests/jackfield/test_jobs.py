"""Jobs: started, polled, waited for, and taken up again elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any

import pytest

from jackfield import (
    ConnectError,
    DeadlineExceededError,
    Done,
    JobCancelledError,
    JobFailedError,
    JobPolled,
    JobState,
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
from jackfield.testing import FakeTransport, json_response

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour, Watch


class EveryFive:
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


class Cloud(Service):
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
        '["deploy", "j", "l", "m"]',
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
