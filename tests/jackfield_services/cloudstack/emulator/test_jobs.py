"""The emulator's jobs."""

from __future__ import annotations

import pytest
from tests.cloudstack_wire import call, deploy, finished, machines, poll, refusal

from jackfield_services.cloudstack.emulator import CloudStackEmulator, JobOutcome


def test_a_deployed_machine_exists_once_its_job_succeeded(cloud: CloudStackEmulator) -> None:
    extra = {"name": "web", "details[0].cpuNumber": "2", "tags[3].key": "b", "tags[3].value": "2"}
    started = deploy(cloud, {**extra, "tags[1].key": "a", "tags[1].value": "1"})
    assert set(started) == {"id", "jobid"}
    reports = [poll(cloud, started["jobid"]) for _ in range(4)]
    assert [report["jobstatus"] for report in reports] == [0, 0, 0, 1]
    made = reports[3]["jobresult"]["virtualmachine"]
    assert machines(cloud)["virtualmachine"] == [made]
    assert (made["id"], made["name"], made["details"]) == (started["id"], "web", {"cpuNumber": "2"})
    assert [(tag["key"], tag["value"]) for tag in made["tags"]] == [("a", "1"), ("b", "2")]


def test_a_machine_is_not_there_before_its_job_ends(cloud: CloudStackEmulator) -> None:
    started = deploy(cloud)
    for _ in range(cloud.job_polls):
        poll(cloud, started["jobid"])
        assert machines(cloud) == {}


def test_a_pending_report_has_no_result_and_a_successful_one_has(cloud: CloudStackEmulator) -> None:
    cloud.job_polls = 1
    job_id = deploy(cloud)["jobid"]
    pending, done = poll(cloud, job_id), poll(cloud, job_id)
    assert (pending["jobstatus"], pending["jobresultcode"], pending["jobprocstatus"]) == (0, 0, 0)
    assert not {"jobresult", "jobresulttype", "completed"} & set(pending)
    assert (done["jobstatus"], done["jobresultcode"], done["jobresulttype"]) == (1, 0, "object")
    about = {"jobid", "cmd", "created", "completed", "accountid", "account", "userid", "jobinstanceid"}
    assert about <= set(done)
    assert done["created"] == "2026-11-20T12:00:00+0000"


def test_a_finished_job_stays_as_it_is() -> None:
    with CloudStackEmulator(machines=1, job_polls=0) as cloud:
        machine_id = machines(cloud)["virtualmachine"][0]["id"]
        report = finished(cloud, "destroyVirtualMachine", id=machine_id)
        assert report["jobstatus"] == 1
        assert poll(cloud, report["jobid"]) == report


def test_a_failed_job_has_its_error_inside_the_result_and_changes_nothing(cloud: CloudStackEmulator) -> None:
    cloud.plan_job(polls=0, outcome=JobOutcome.FAILED)
    report = poll(cloud, deploy(cloud)["jobid"])
    assert (report["jobstatus"], report["jobresultcode"], report["jobresulttype"]) == (2, 530, "object")
    assert report["jobresult"]["errorcode"] == 530
    assert "deployVirtualMachine" in report["jobresult"]["errortext"]
    assert machines(cloud) == {}


@pytest.mark.parametrize(("outcome", "status"), [(JobOutcome.FAILED, 2), (JobOutcome.CANCELLED, 3)])
def test_a_job_may_fail_without_a_word(cloud: CloudStackEmulator, outcome: JobOutcome, status: int) -> None:
    cloud.plan_job(polls=0, outcome=outcome, error_in_result=False)
    report = poll(cloud, deploy(cloud)["jobid"])
    assert report["jobstatus"] == status
    assert not {"jobresult", "jobresultcode", "jobresulttype"} & set(report)


def test_a_cancelled_job_has_status_3_and_a_result_code_that_looks_well(cloud: CloudStackEmulator) -> None:
    cloud.plan_job(polls=0, outcome=JobOutcome.CANCELLED)
    report = poll(cloud, deploy(cloud)["jobid"])
    assert (report["jobstatus"], report["jobresultcode"]) == (3, 0)
    assert report["jobresult"]["errortext"] == "The job was cancelled"


def test_a_job_may_never_end(cloud: CloudStackEmulator) -> None:
    cloud.plan_job(polls=0, outcome=JobOutcome.NEVER)
    job_id = deploy(cloud)["jobid"]
    assert {poll(cloud, job_id)["jobstatus"] for _ in range(20)} == {0}


def test_plans_are_used_in_their_order_and_once(cloud: CloudStackEmulator) -> None:
    cloud.plan_job(polls=0, outcome=JobOutcome.FAILED)
    cloud.plan_job(polls=0, outcome=JobOutcome.CANCELLED)
    cloud.job_polls = 0
    assert [poll(cloud, deploy(cloud)["jobid"])["jobstatus"] for _ in range(3)] == [2, 3, 1]


def test_a_plan_without_polls_takes_the_polls_of_the_emulator(cloud: CloudStackEmulator) -> None:
    cloud.job_polls = 2
    cloud.plan_job(outcome=JobOutcome.FAILED)
    job_id = deploy(cloud)["jobid"]
    assert [poll(cloud, job_id)["jobstatus"] for _ in range(3)] == [0, 0, 2]


def test_an_unknown_job_is_a_431(cloud: CloudStackEmulator) -> None:
    code, _, text = refusal(call(cloud, "queryAsyncJobResult", jobid="gone"), "queryasyncjobresultresponse")
    assert code == 431
    assert "Invalid parameter jobid value=gone due to" in text


def test_a_client_may_choose_the_id_of_a_job_but_not_twice(cloud: CloudStackEmulator) -> None:
    chosen = "0b6f3f0e-5a53-4c8e-9d0a-6a7f2a1f1c11"
    assert deploy(cloud, {"injectedJobId": chosen})["jobid"] == chosen
    assert deploy(cloud, {"injectedJobId": chosen})["errorcode"] == 431
    assert deploy(cloud, {"injectedJobId": "mine"})["errorcode"] == 431


def test_machines_are_stopped_started_and_destroyed_by_jobs() -> None:
    with CloudStackEmulator(machines=2, job_polls=1) as cloud:
        machine_id = machines(cloud)["virtualmachine"][0]["id"]
        reports = [
            finished(cloud, command, id=machine_id)
            for command in ("stopVirtualMachine", "startVirtualMachine", "destroyVirtualMachine")
        ]
        states = [report["jobresult"]["virtualmachine"]["state"] for report in reports]
        assert states == ["Stopped", "Running", "Destroyed"]
        assert [machine["name"] for machine in machines(cloud)["virtualmachine"]] == ["vm-0002"]
        assert call(cloud, "startVirtualMachine", id=machine_id).status == 431


def test_a_job_whose_machine_is_gone_fails_with_the_reason() -> None:
    with CloudStackEmulator(machines=1, job_polls=0) as cloud:
        machine_id = machines(cloud)["virtualmachine"][0]["id"]
        stopping = call(cloud, "stopVirtualMachine", id=machine_id).json["stopvirtualmachineresponse"]
        finished(cloud, "destroyVirtualMachine", id=machine_id)
        report = poll(cloud, stopping["jobid"])
    assert (report["jobstatus"], report["jobresultcode"], report["jobresult"]["errorcode"]) == (2, 431, 431)


def test_tags_are_added_to_every_machine_of_a_comma_joined_list() -> None:
    with CloudStackEmulator(machines=3, job_polls=0) as cloud:
        ids = [machine["id"] for machine in machines(cloud)["virtualmachine"]][:2]
        for key in ("owner", "tier"):
            tag = {"tags[0].key": key, "tags[0].value": "1"}
            report = finished(cloud, "createTags", resourceids=",,".join(ids), resourcetype="UserVm", **tag)
            assert report["jobresult"] == {"success": True}
        tags = [[tag["key"] for tag in machine["tags"]] for machine in machines(cloud)["virtualmachine"]]
    assert tags == [["owner", "tier"], ["owner", "tier"], []]


def test_a_running_job_is_named_inside_the_item_of_a_list() -> None:
    with CloudStackEmulator(machines=2, job_polls=0) as cloud:
        first = machines(cloud)["virtualmachine"][0]["id"]
        job_id = call(cloud, "stopVirtualMachine", id=first).json["stopvirtualmachineresponse"]["jobid"]
        found = machines(cloud)
        assert "jobid" not in found
        assert [(vm.get("jobid"), vm.get("jobstatus")) for vm in found["virtualmachine"]] == [
            (job_id, 0),
            (None, None),
        ]
        poll(cloud, job_id)
        assert all("jobid" not in vm for vm in machines(cloud)["virtualmachine"])


def test_jobs_are_listed_without_moving_them_and_before_their_count(cloud: CloudStackEmulator) -> None:
    cloud.job_polls = 0
    started = [deploy(cloud)["jobid"] for _ in range(3)]
    poll(cloud, started[1])
    lists = [call(cloud, "listAsyncJobs").json["listasyncjobsresponse"] for _ in range(3)]
    assert [list(found) for found in lists] == [["asyncjobs", "count"]] * 3
    assert [(job["jobid"], job["jobstatus"]) for job in lists[2]["asyncjobs"]] == [
        (started[0], 0),
        (started[1], 1),
        (started[2], 0),
    ]


def test_polls_below_nought_are_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        CloudStackEmulator().plan_job(polls=-1)
