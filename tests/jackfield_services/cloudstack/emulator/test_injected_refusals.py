"""Refusals that somebody asks for: any code, text, number and envelope, of a request or of a job."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cloudstack_wire import CREDENTIALS, call, deploy, machines, poll, refusal

from jackfield_services.cloudstack.emulator import CloudStackEmulator, JobOutcome, Refusal

CODES = {
    400: 9999,
    401: None,
    405: 9999,
    411: 9999,
    429: 9999,
    430: 9999,
    431: 4350,
    432: 9999,
    530: 4250,
    531: 4365,
    532: 4280,
    533: 4325,
    534: 4380,
    535: 4370,
    536: 4375,
    537: 4360,
}


@pytest.mark.parametrize(("status", "cs_code"), CODES.items())
def test_every_code_comes_with_the_number_that_usually_comes_with_it(
    cloud: CloudStackEmulator, status: int, cs_code: int | None
) -> None:
    cloud.inject(Refusal(status))
    envelope = "errorresponse" if status == 432 else "listzonesresponse"
    assert refusal(call(cloud, "listZones"), envelope)[:2] == (status, cs_code)


def test_an_int_is_a_refusal_of_that_status(cloud: CloudStackEmulator) -> None:
    cloud.inject(537)
    cloud.inject(Refusal(537))
    assert call(cloud, "listZones").body == call(cloud, "listZones").body


def test_what_it_says_can_be_said(cloud: CloudStackEmulator) -> None:
    uuids = [("4a1e", "zone"), ("77b0", "network")]
    cloud.inject(Refusal(533, "No room", cs_code=4335, uuid_list=uuids))
    reply = call(cloud, "listZones")
    assert reply.headers["X-Description"] == "No room"
    assert reply.json["listzonesresponse"] == {
        "uuidList": [{"uuid": "4a1e", "description": "zone"}, {"uuid": "77b0", "description": "network"}],
        "errorcode": 533,
        "cserrorcode": 4335,
        "errortext": "No room",
    }


@pytest.mark.parametrize("envelope", ["errorresponse", "null", "whatever"])
def test_it_may_come_in_any_envelope(cloud: CloudStackEmulator, envelope: str) -> None:
    cloud.inject(Refusal(431, envelope=envelope))
    assert list(call(cloud, "listZones").json) == [envelope]


def test_a_401_may_say_more_than_a_signature_does(cloud: CloudStackEmulator) -> None:
    cloud.inject(Refusal(401))
    cloud.inject(Refusal(401, "not for you", cs_code=9999))
    assert refusal(call(cloud, "listZones"), "listzonesresponse") == (401, None, CREDENTIALS)
    assert refusal(call(cloud, "listZones"), "listzonesresponse") == (401, 9999, "not for you")


def test_a_503_of_the_api_is_no_page_of_a_proxy(cloud: CloudStackEmulator) -> None:
    cloud.inject(Refusal(503, "Async jobs are disabled"))
    assert refusal(call(cloud, "listZones"), "listzonesresponse") == (503, 9999, "Async jobs are disabled")


@pytest.mark.parametrize("status", [0, 200, 399, 600])
def test_a_refusal_is_an_error(status: int) -> None:
    with pytest.raises(ValueError, match="400 to 599"):
        Refusal(status)


def test_a_job_may_fail_with_any_of_them(cloud: CloudStackEmulator) -> None:
    cloud.plan_job(polls=1, error=Refusal(533, "No room"))
    job_id = deploy(cloud)["jobid"]
    pending, failed = poll(cloud, job_id), poll(cloud, job_id)
    assert pending["jobstatus"] == 0
    assert (failed["jobstatus"], failed["jobresultcode"], failed["jobresulttype"]) == (2, 533, "object")
    assert failed["jobresult"] == {"errorcode": 533, "errortext": "No room"}
    assert machines(cloud) == {}


def test_a_job_names_what_its_error_is_about(cloud: CloudStackEmulator) -> None:
    cloud.plan_job(polls=0, error=Refusal(536, uuid_list=[("4a1e", "volume")]))
    result: dict[str, Any] = poll(cloud, deploy(cloud)["jobid"])["jobresult"]
    assert result["uuidList"] == [{"uuid": "4a1e", "description": "volume"}]


def test_a_job_may_succeed_without_a_result(cloud: CloudStackEmulator) -> None:
    cloud.plan_job(polls=0, result=False)
    report = poll(cloud, deploy(cloud)["jobid"])
    assert (report["jobstatus"], report["jobresultcode"]) == (1, 0)
    assert not {"jobresult", "jobresulttype"} & set(report)
    assert machines(cloud)["count"] == 1


def test_a_job_may_have_a_text_for_a_result(cloud: CloudStackEmulator) -> None:
    cloud.plan_job(polls=0, result="all is well")
    report = poll(cloud, deploy(cloud)["jobid"])
    assert (report["jobstatus"], report["jobresulttype"], report["jobresult"]) == (1, "text", "all is well")


def test_a_job_may_be_purged_while_somebody_polls_it(cloud: CloudStackEmulator) -> None:
    cloud.plan_job(polls=2, outcome=JobOutcome.PURGED)
    job_id = deploy(cloud)["jobid"]
    assert [poll(cloud, job_id)["jobstatus"] for _ in range(2)] == [0, 0]
    for _ in range(2):
        code, _, text = refusal(call(cloud, "queryAsyncJobResult", jobid=job_id), "queryasyncjobresultresponse")
        assert code == 431
        assert f"Invalid parameter jobid value={job_id} due to" in text
    assert call(cloud, "listAsyncJobs").json == {"listasyncjobsresponse": {}}


def test_all_jobs_may_be_purged_at_once(cloud: CloudStackEmulator) -> None:
    cloud.job_polls = 0
    started = [deploy(cloud)["jobid"] for _ in range(3)]
    poll(cloud, started[0])
    cloud.purge_jobs()
    assert {call(cloud, "queryAsyncJobResult", jobid=job_id).status for job_id in started} == {431}
    assert deploy(cloud)["jobid"] not in started


def test_a_job_may_be_asked_for_by_what_it_is_about(cloud: CloudStackEmulator) -> None:
    cloud.job_polls = 0
    started = [deploy(cloud) for _ in range(2)]
    about = {"resourceid": started[0]["id"], "resourcetype": "VirtualMachine"}
    report = call(cloud, "queryAsyncJobResult", **about).json["queryasyncjobresultresponse"]
    assert (report["jobid"], report["jobstatus"]) == (started[0]["jobid"], 1)
    assert call(cloud, "queryAsyncJobResult", resourceid="none").status == 431
    text = "Unable to execute API command queryasyncjobresult due to missing parameter jobid"
    assert refusal(call(cloud, "queryAsyncJobResult"), "queryasyncjobresultresponse")[2] == text


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"status": "530"}, "the status of a refusal is a whole number, not '530'"),
        ({"status": 530, "text": 5}, "the text of a refusal is a text, not 5"),
        ({"status": 530, "cs_code": "4250"}, "cs_code is a whole number, not '4250'"),
        ({"status": 530, "uuid_list": ["4a1e"]}, "uuid_list has pairs of a uuid and what it is of, not '4a1e'"),
        ({"status": 530, "uuid_list": [("4a",)]}, "uuid_list has pairs of a uuid and what it is of, not "),
        ({"status": 530, "uuid_list": [("4a", 5)]}, "uuid_list has pairs of a uuid and what it is of, not "),
    ],
)
def test_a_refusal_that_cannot_be_is_refused_where_it_is_made(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Refusal(**wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"outcome": "failed"}, r"outcome is a JobOutcome, as in JobOutcome\.FAILED, not 'failed'"),
        ({"error": 533}, r"error is a Refusal, as in Refusal\(533\), not 533"),
        ({"polls": "2"}, "polls is a whole number, not '2'"),
        ({"polls": 0.5}, "polls is a whole number, not 0.5"),
        ({"result": {"success": True}}, "result is True, False or a text, not "),
        ({"error_in_result": "no"}, "error_in_result is True or False, not 'no'"),
    ],
)
def test_a_job_is_not_planned_by_what_is_no_plan(
    cloud: CloudStackEmulator, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        cloud.plan_job(**wrong)
    cloud.plan_job(polls=0)
    assert poll(cloud, deploy(cloud)["jobid"])["jobstatus"] == 1
