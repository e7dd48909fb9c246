"""Asynchronous jobs: waited for on virtual time, with every way in which they end or do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jackfield import JobCancelledError, JobFailedError, JobTimeoutError, UsageError, async_wait_all, wait_all
from jackfield.testing import FakeTransport, VirtualSyncRuntime, json_response
from jackfield_services.cloudstack import (
    AsyncCloudStack,
    CloudStack,
    CloudStackClientException,
    CloudStackJobCancelledError,
    CloudStackJobError,
    CloudStackUnknownJobError,
)
from jackfield_services.cloudstack.emulator import CloudStackEmulator, JobOutcome, Refusal

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

    with pytest.raises(JobTimeoutError, match="not over after 60 s and 30 polls") as caught:
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


def transport_of(*inside: dict[str, Any]) -> FakeTransport:
    return FakeTransport([json_response({"xresponse": fields}) for fields in inside])


@pytest.mark.parametrize(("given", "sent"), [("d9b6", "d9b6"), (17177, "17177"), ("17177", "17177")])
def test_a_jobs_id_may_be_a_number_or_text(converse: Converse, given: Any, sent: str) -> None:
    transport = transport_of({"id": 1, "jobid": given}, {"jobstatus": 1, "jobresult": {"success": True}})

    assert converse(lambda cs: cs.deployThing(), transport=transport) == {"success": True}
    assert dict(transport.requests[1].query)["jobid"] == sent


@pytest.mark.parametrize("none", [None, ""])
def test_an_answer_with_no_jobs_id_is_no_job(converse: Converse, none: Any) -> None:
    transport = transport_of({"id": "1", "jobid": none})

    assert converse(lambda cs: cs.updateThing(), transport=transport) == {"id": "1", "jobid": none}


def test_a_job_inside_an_item_of_a_list_is_not_waited_for(converse: Converse) -> None:
    transport = transport_of({"count": 1, "thing": [{"id": "1", "jobid": "7", "jobstatus": 0}]})

    assert converse(lambda cs: cs.listThings(), transport=transport)["count"] == 1


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        ({"jobstatus": 1, "jobresultcode": 0, "jobresult": {"success": True}}, {"success": True}),
        ({"jobstatus": "1", "jobresultcode": "0", "jobresult": {"success": "true"}}, {"success": "true"}),
        ({"jobstatus": 1, "jobresult": {}}, {}),
        ({"jobstatus": 1, "jobresulttype": "text", "jobresult": "done"}, {"jobresult": "done"}),
        ({"jobstatus": 1, "jobprocstatus": 1, "jobresult": {"id": "1"}}, {"id": "1"}),
    ],
)
def test_every_form_of_success_is_one(converse: Converse, fields: dict[str, Any], result: dict[str, Any]) -> None:
    transport = transport_of({"jobid": "7"}, {"jobstatus": 0, "jobprocstatus": 1, "jobresultcode": 0}, fields)

    assert converse(lambda cs: cs.deployThing(), transport=transport) == result


@pytest.mark.parametrize(
    ("fields", "code", "text", "kind"),
    [
        (
            {"jobstatus": 2, "jobresultcode": 530, "jobresult": {"errorcode": 530, "errortext": "t"}},
            530,
            "t",
            CloudStackJobError,
        ),
        ({"jobstatus": 2, "jobresultcode": 530, "jobresult": {"errortext": "t"}}, 530, "t", CloudStackJobError),
        ({"jobstatus": 2, "jobresultcode": 0, "jobresult": {"errorcode": "530"}}, 530, None, CloudStackJobError),
        (
            {"jobstatus": 2, "jobresultcode": 530, "jobresulttype": "text", "jobresult": "t"},
            530,
            "t",
            CloudStackJobError,
        ),
        ({"jobstatus": 2}, None, None, CloudStackJobError),
        ({"jobstatus": 1, "jobresultcode": 530, "jobresult": {"id": "1"}}, 530, None, CloudStackJobError),
        ({"jobstatus": 3, "jobresultcode": 0}, None, None, CloudStackJobCancelledError),
        ({"jobstatus": 3, "jobresult": {"errorcode": 530, "errortext": "t"}}, 530, "t", CloudStackJobCancelledError),
        ({"jobstatus": 9}, None, None, CloudStackJobError),
        ({}, None, None, CloudStackJobError),
    ],
)
def test_every_form_of_failure_is_one(
    converse: Converse, fields: dict[str, Any], code: int | None, text: str | None, kind: type[CloudStackJobError]
) -> None:
    with pytest.raises(CloudStackJobError) as caught:
        converse(lambda cs: cs.deployThing(), transport=transport_of({"jobid": "7"}, fields))

    assert type(caught.value) is kind
    assert (caught.value.error_code, caught.value.error_text) == (code, text)
    assert (caught.value.command, caught.value.job_id) == ("deployThing", "7")


def test_a_success_without_a_result_is_told_so_that_nobody_repeats_it(
    cloud: CloudStackEmulator, converse: Converse
) -> None:
    order = start_of(cloud)
    cloud.plan_job(result=False)

    with pytest.raises(CloudStackJobError, match="has succeeded, but its result is missing"):
        converse(lambda cs: cs.deployVirtualMachine(**order))


def test_a_job_that_is_purged_while_it_is_waited_for_is_unknown_and_asked_for_no_more(
    cloud: CloudStackEmulator, converse: Converse
) -> None:
    order = start_of(cloud)
    cloud.plan_job(polls=2, outcome=JobOutcome.PURGED)

    with pytest.raises(CloudStackUnknownJobError) as caught:
        converse(lambda cs: cs.deployVirtualMachine(**order))

    assert [request.command for request in cloud.requests].count("queryAsyncJobResult") == 3
    assert (caught.value.error_code, caught.value.command) == (431, "deployVirtualMachine")
    assert caught.value.job_id
    assert caught.value.job_token


def test_a_job_that_was_purged_before_it_is_taken_up_again_is_unknown(cloud: CloudStackEmulator) -> None:
    order = start_of(cloud)
    keys = (cloud.end_point, cloud.api_key, cloud.api_secret)
    with CloudStack(*keys, runtime=VirtualSyncRuntime()) as client:
        token = client.job.start("deployVirtualMachine", **order).token
        cloud.purge_jobs()

        with pytest.raises(CloudStackUnknownJobError):
            client.job.resume(token).result()


def test_faults_while_a_job_is_waited_for_do_not_end_the_wait(cloud: CloudStackEmulator, converse: Converse) -> None:
    order = start_of(cloud)
    cloud.inject(503, times=9, command="queryAsyncJobResult")  # three polls, of three attempts each

    assert converse(lambda cs: cs.deployVirtualMachine(**order))["virtualmachine"]["name"] == "new"


def test_a_job_is_never_started_twice(cloud: CloudStackEmulator, converse: Converse) -> None:
    order = start_of(cloud)
    cloud.inject(503, command="deployVirtualMachine")

    with pytest.raises(CloudStackClientException):
        converse(lambda cs: cs.deployVirtualMachine(**order))

    assert [request.command for request in cloud.requests].count("deployVirtualMachine") == 1


def test_many_jobs_are_waited_for_at_once(cloud: CloudStackEmulator, converse: Converse) -> None:
    order = start_of(cloud)
    names = [f"new-{n}" for n in range(8)]

    async def awaited(cs: AsyncCloudStack) -> list[dict[str, Any]]:
        jobs = [await cs.job.start("deployVirtualMachine", **{**order, "name": name}) for name in names]
        return await async_wait_all(jobs)

    def plain(cs: CloudStack) -> list[dict[str, Any]]:
        return wait_all([cs.job.start("deployVirtualMachine", **{**order, "name": name}) for name in names])

    results = converse(lambda cs: awaited(cs) if isinstance(cs, AsyncCloudStack) else plain(cs))

    assert [result["virtualmachine"]["name"] for result in results] == names


def test_of_many_jobs_those_that_fail_are_told_apart(cloud: CloudStackEmulator) -> None:
    order = start_of(cloud)
    cloud.plan_job(outcome=JobOutcome.FAILED)
    cloud.plan_job()
    with CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret, runtime=VirtualSyncRuntime()) as client:
        jobs = [client.job.start("deployVirtualMachine", **order) for _ in range(2)]

        failed, done = wait_all(jobs, return_errors=True)

    assert isinstance(failed, CloudStackJobError)
    assert isinstance(done, dict)


def test_the_newest_servers_are_asked_for_a_job_by_its_resource_as_well(
    cloud: CloudStackEmulator, converse: Converse
) -> None:
    order = start_of(cloud)
    with CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret) as client:
        started = client.execute("deployVirtualMachine", **order)

    answer = converse(lambda cs: cs.queryAsyncJobResult(resourceid=started["id"], resourcetype="VirtualMachine"))

    assert answer["jobid"] == started["jobid"]


def test_a_token_names_the_job_the_command_and_the_resource() -> None:
    transport = transport_of({"id": "vm-id", "jobid": "7"})
    client = CloudStack("http://cloud.test/client/api", "key", "secret", transport=transport)

    assert client.job.start("deployThing").token == '["job","7","deployThing","vm-id"]'


def test_a_secret_that_a_failed_job_repeats_is_masked(cloud: CloudStackEmulator, converse: Converse) -> None:
    cloud.plan_job(error=Refusal(431, "the password word-canary is too short", uuid_list=[]))

    with pytest.raises(CloudStackJobError) as caught:
        converse(lambda cs: cs.resetPasswordForVirtualMachine(id=cloud.machine_id(1), password="word-canary"))

    assert caught.value.error_text == "the password *** is too short"
    assert caught.value.response is not None
    assert "canary" not in caught.value.response.content.decode()
