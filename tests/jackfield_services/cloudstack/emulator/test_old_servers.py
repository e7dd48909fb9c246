"""How old servers were, and odd ones are: types, ids, counts, success."""

from __future__ import annotations

from typing import Any

from tests.cloudstack_wire import call, deploy, finished, machines, poll

from jackfield_services.cloudstack.emulator import CloudStackEmulator

SCRIPT = "text/javascript; charset=UTF-8"


def test_json_may_be_called_javascript_in_answers_and_errors(cloud: CloudStackEmulator) -> None:
    cloud.content_type = SCRIPT
    assert call(cloud, "listZones").headers["Content-Type"] == SCRIPT
    assert call(cloud, "listZones", id="none").headers["Content-Type"] == SCRIPT
    assert call(cloud, "listZones", response="xml").headers["Content-Type"] == "text/xml; charset=UTF-8"


def test_a_list_may_have_no_count() -> None:
    with CloudStackEmulator(machines=3, count="absent") as cloud:
        assert list(machines(cloud)) == ["virtualmachine"]
        assert machines(cloud, page="2", pagesize="3") == {}


def test_a_command_may_take_no_notice_of_paging() -> None:
    with CloudStackEmulator(machines=800, unpaged=["listVirtualMachines"]) as cloud:
        pages = [machines(cloud, page=page, pagesize="500") for page in ("1", "2", "3")]
        assert [len(page["virtualmachine"]) for page in pages] == [800] * 3
        assert [page["count"] for page in pages] == [800] * 3
        assert len(machines(cloud, page="1")["virtualmachine"]) == 800
        assert call(cloud, "listZones", page="1").status == 431


def test_its_name_has_no_case() -> None:
    with CloudStackEmulator(machines=800, unpaged=["listvirtualMACHINES"]) as cloud:
        assert len(machines(cloud, page="2", pagesize="500")["virtualmachine"]) == 800


def test_jobs_may_have_numbers() -> None:
    with CloudStackEmulator(numbered_jobs=True, job_polls=0) as cloud:
        started = [deploy(cloud)["jobid"] for _ in range(2)]
        assert started == [1, 2]
        report: dict[str, Any] = poll(cloud, "2")
        assert (report["jobid"], report["jobstatus"]) == (2, 1)


def test_success_may_be_a_word(cloud: CloudStackEmulator) -> None:
    call(cloud, "createSSHKeyPair", name="laptop")
    call(cloud, "createSSHKeyPair", name="desktop")
    told = [call(cloud, "deleteSSHKeyPair", name="laptop").body]
    cloud.text_success = True
    told.append(call(cloud, "deleteSSHKeyPair", name="desktop").body)
    assert told == [
        b'{"deletesshkeypairresponse":{"success":true}}',
        b'{"deletesshkeypairresponse":{"success":"true"}}',
    ]


def test_success_of_a_job_may_be_a_word() -> None:
    with CloudStackEmulator(machines=1, text_success=True) as cloud:
        found = machines(cloud)["virtualmachine"][0]["id"]
        tag = {"tags[0].key": "a", "tags[0].value": "1"}
        report = finished(cloud, "createTags", resourceids=found, resourcetype="UserVm", **tag)
    assert report["jobresult"] == {"success": "true"}
