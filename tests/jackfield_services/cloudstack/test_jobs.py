"""Asynchronous jobs: waited for on virtual time, with every way in which they end or do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jackfield import JobCancelledError, JobFailedError, JobTimeoutError, UsageError
from jackfield.testing import FakeTransport, VirtualSyncRuntime, json_response
from jackfield_services.cloudstack import (
    CloudStack,
    CloudStackClientException,
    CloudStackJobCancelledError,
    CloudStackJobError,
)
from jackfield_services.cloudstack.emulator import CloudStackEmulator, JobOutcome

if TYPE_CHECKING:
    from tests.jackfield_services.cloudstack.conftest import Converse


ANY = "00000000-0000-4000-8000-000000000000"


def start_of(cloud: CloudStackEmulator) -> dict[str, Any]:
    with CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret) as client:
        zone = client.listZones()["zone"][0]["id"]
    return {"name": "new", "zoneid": zone, "serviceofferingid": ANY, "templateid": ANY}


def test_a_command_that_starts_a_job_gives_the_jobs_result(cloud: CloudStackEmulator, converse: Converse) -> None:
    order = start_of(cloud)
    cloud.plan_job(polls=4)

    result = converse(lambda cs: cs.deployVirtualMachine(**order))

    assert result["virtualmachine"]["name"] == "new"
    assert [r.command for r in cloud.requests].count("queryAsyncJobResult") == 5


def test_polls_wait_as_long_as_they_are_told_to(cloud: CloudStackEmulator) -> None:
    order, runtime = start_of(cloud), VirtualSyncRuntime()
    cloud.plan_job(polls=2)
    with CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret, 7, runtime=runtime) as client:
        client.deployVirtualMachine(**order)

    assert runtime.sleeps == [7, 7, 7]


@pytest.mark.parametrize("error_in_result", [True, False])
def test_a_failed_job_is_a_typed_error_with_the_jobs_own_words(
    cloud: CloudStackEmulator, converse: Converse, error_in_result: bool
) -> None:
    order = start_of(cloud)
    cloud.plan_job(polls=1, outcome=JobOutcome.FAILED, error_in_result=error_in_result)

    with pytest.raises(CloudStackJobError) as caught:
        converse(lambda cs: cs.deployVirtualMachine(**order))

    assert isinstance(caught.value, JobFailedError)
    assert isinstance(caught.value, CloudStackClientException)
    assert caught.value.error_code == (530 if error_in_result else None)
    assert bool(caught.value.error_text) is error_in_result
    assert caught.value.call is not None
    assert (caught.value.call.operation, caught.value.call.attempts) == ("deployVirtualMachine", 2)
    assert caught.value.call.elapsed == 4


def test_a_cancelled_job_is_told_apart(cloud: CloudStackEmulator, converse: Converse) -> None:
    order = start_of(cloud)
    cloud.plan_job(outcome=JobOutcome.CANCELLED)

    with pytest.raises(CloudStackJobCancelledError) as caught:
        converse(lambda cs: cs.deployVirtualMachine(**order))

    assert isinstance(caught.value, JobCancelledError)


def test_a_job_that_never_ends_is_waited_for_no_longer_than_allowed(
    cloud: CloudStackEmulator, converse: Converse
) -> None:
    order = start_of(cloud)
    cloud.plan_job(outcome=JobOutcome.NEVER)

    with pytest.raises(JobTimeoutError, match="still running after 60 s and 30 polls") as caught:
        converse(lambda cs: cs.deployVirtualMachine(**order), job_timeout=60)

    assert caught.value.call is not None
    assert (caught.value.call.operation, caught.value.call.attempts) == ("deployVirtualMachine", 30)
    assert caught.value.call.elapsed == 60


def test_a_purged_job_is_the_servers_error(converse: Converse) -> None:
    with pytest.raises(CloudStackClientException) as caught:
        converse(lambda cs: cs.queryAsyncJobResult(jobid=ANY))

    assert caught.value.error_code == 431


def test_a_query_for_a_job_is_not_taken_for_a_job(cloud: CloudStackEmulator, converse: Converse) -> None:
    order = start_of(cloud)
    with CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret) as client:
        job_id = client.execute("deployVirtualMachine", **order)["jobid"]

    assert converse(lambda cs: cs.queryAsyncJobResult(jobid=job_id))["jobstatus"] == 0


def test_a_job_is_taken_up_again_by_another_client(cloud: CloudStackEmulator) -> None:
    order = start_of(cloud)
    keys = (cloud.end_point, cloud.api_key, cloud.api_secret)
    with CloudStack(*keys) as first:
        started = first.job.start("deployVirtualMachine", **order)
        assert not started.poll()
        assert not started.done
        token = started.token

    with CloudStack(*keys, runtime=VirtualSyncRuntime()) as second:
        result = second.job.resume(token).result()

    assert result["virtualmachine"]["name"] == "new"


@pytest.mark.parametrize("token", ["", "{}", "[1,2,3]", '["job","",""]', '["other","id",""]', "\ud800", "[" * 100_000])
def test_what_is_no_token_is_refused(cloud: CloudStackEmulator, token: str) -> None:
    with CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret) as client, pytest.raises(UsageError):
        client.job.resume(token)


def test_a_command_with_list_inside_its_name_that_starts_a_job_is_waited_for(converse: Converse) -> None:
    started = json_response({"createnetworkacllistresponse": {"id": "1", "jobid": "j"}})
    done = {"jobstatus": 1, "jobresultcode": 0, "jobresult": {"networkacllist": {"id": "1"}}}
    transport = FakeTransport([started, json_response({"queryasyncjobresultresponse": done})])

    result = converse(lambda cs: cs.createNetworkACLList(name="acl"), transport=transport)

    assert result == {"networkacllist": {"id": "1"}}
    assert "page" not in dict(transport.requests[0].query)


def test_an_error_of_a_job_carries_the_token_to_take_it_up_again(cloud: CloudStackEmulator) -> None:
    order = start_of(cloud)
    cloud.plan_job(polls=40)
    keys = (cloud.end_point, cloud.api_key, cloud.api_secret)
    with CloudStack(*keys, job_timeout=60, runtime=VirtualSyncRuntime()) as client:
        with pytest.raises(JobTimeoutError) as caught:
            client.deployVirtualMachine(**order)

        result = client.job.resume(caught.value.job_token or "").result()

    assert result["virtualmachine"]["name"] == "new"


def test_a_result_that_must_be_there_now_is_asked_for_once(cloud: CloudStackEmulator) -> None:
    order = start_of(cloud)
    cloud.plan_job(polls=0)
    with CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret) as client:
        assert client.job.start("deployVirtualMachine", **order).result(timeout=0)["virtualmachine"]["name"] == "new"
