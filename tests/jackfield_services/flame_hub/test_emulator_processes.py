"""Commands, and what they set going: builds, distributions, runs, syncs. Time passes by polls."""

from __future__ import annotations

from typing import Any

import pytest
from tests.jackfield_services.flame_hub.hub_wire import NO_SUCH, Session

from jackfield_services.flame_hub.emulator import FlameHubEmulator, Generation, Outcome


class Analysis:
    """An analysis to command and to look at."""

    def __init__(self, session: Session, *, locked: bool = True) -> None:
        self.session = session
        self.path = f"/analyses/{session.analysis()['id']}"
        if locked:
            self("configurationLock")

    def __call__(self, command: Any) -> int:
        return self.session.core("POST", f"{self.path}/command", {"command": command}).status

    def get(self, field: str) -> Any:
        return self.session.named(self.session.core("GET", self.path).data)[field]

    def watch(self, field: str, times: int) -> list[Any]:
        return [self.get(field) for _ in range(times)]


@pytest.mark.parametrize(("generation", "done"), [("0.1.1", "finished"), ("1.1.0", "executed")])
def test_a_build_is_under_way_for_some_polls(session: Session, done: str) -> None:
    analysis = Analysis(session)
    assert analysis("buildStart") == 202
    assert analysis.watch("build_status", 4) == ["starting", "started", done, done]


def test_the_command_answers_with_the_analysis(session: Session) -> None:
    analysis = Analysis(session)
    reply = session.core("POST", f"{analysis.path}/command", {"command": "buildStart"})
    record = session.named(reply.data)
    assert (record["build_status"], record["configuration_locked"]) == ("starting", True)


def test_a_list_is_a_poll_as_well(session: Session) -> None:
    session.hub.polls = 1
    analysis = Analysis(session)
    analysis("buildStart")
    (before,) = session.core("GET", "/analyses").data
    assert session.named(before)["build_status"] == "starting"
    assert analysis.get("build_status") in ("finished", "executed")


def test_the_new_generation_tells_progress_and_what_was_built(new: FlameHubEmulator) -> None:
    analysis = Analysis(Session(new))
    analysis("buildStart")
    assert analysis.get("build_hash") is None
    assert analysis.watch("build_progress", 3) == [66, 100, 100]
    assert (analysis.get("build_os"), analysis.get("build_hash")[:7]) == ("linux", "sha256:")


@pytest.mark.parametrize(
    ("outcome", "status"),
    [(Outcome.FAILED, "failed"), (Outcome.STOPPED, "stopped"), (Outcome.NEVER, "started")],
)
def test_how_a_build_goes_may_be_planned(session: Session, outcome: Outcome, status: str) -> None:
    session.hub.plan(polls=0, outcome=outcome)
    analysis = Analysis(session)
    analysis("buildStart")
    assert analysis.watch("build_status", 3)[-1] == status


def test_plans_wait_in_line(session: Session) -> None:
    session.hub.plan(polls=0, outcome=Outcome.FAILED)
    session.hub.plan(polls=3)
    analysis = Analysis(session)
    analysis("buildStart")
    failed = analysis.get("build_status")
    analysis("buildStart")
    assert (failed, analysis.watch("build_status", 3)) == ("failed", ["starting", "started", "started"])
    assert analysis.get("build_status") in ("finished", "executed")


def test_a_plan_has_no_fewer_polls_than_none(hub: FlameHubEmulator) -> None:
    with pytest.raises(ValueError, match="polls is a count"):
        hub.plan(polls=-1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"outcome": "failed"}, r"outcome is an Outcome, as in Outcome\.FAILED, not 'failed'"),
        ({"polls": "2"}, "polls is a whole number, not '2'"),
        ({"polls": 0.5}, "polls is a whole number, not 0.5"),
    ],
)
def test_what_is_no_plan_is_refused(hub: FlameHubEmulator, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        hub.plan(**wrong)


def test_a_configuration_is_locked_before_it_is_built(session: Session) -> None:
    analysis = Analysis(session, locked=False)
    assert analysis("buildStart") == 400
    assert [analysis("configurationLock"), analysis("configurationLock")] == [202, 400]
    assert analysis("buildStart") == 202
    assert [analysis("buildStart"), analysis("configurationUnlock")] == [400, 400]
    analysis.watch("build_status", 3)
    assert (analysis("configurationUnlock"), analysis.get("configuration_locked")) == (202, False)


def test_an_old_build_can_be_stopped(old: FlameHubEmulator) -> None:
    analysis = Analysis(Session(old))
    old.plan(outcome=Outcome.NEVER)
    analysis("buildStart")
    reply = analysis.session.core("POST", f"{analysis.path}/command", {"command": "buildStop"})
    assert (reply.json["build_status"], analysis.get("build_status")) == ("stopping", "stopped")


@pytest.mark.parametrize(
    ("generation", "command", "field", "done"),
    [
        ("0.1.1", "spinUp", "run_status", "finished"),
        ("1.1.0", "distributionStart", "distribution_status", "executed"),
    ],
)
def test_what_follows_the_build_needs_it(session: Session, command: str, field: str, done: str) -> None:
    session.hub.polls = 0
    analysis = Analysis(session)
    assert analysis(command) == 400
    analysis("buildStart")
    analysis.get("build_status")
    assert [analysis(command), analysis(command)] == [202, 400]
    assert analysis.get(field) == done


@pytest.mark.parametrize(
    ("generation", "other"), [("0.1.1", "distributionStart"), ("1.1.0", "spinUp"), ("1.1.0", "buildStop")]
)
def test_commands_of_the_other_generation_are_unknown(session: Session, generation: Generation, other: str) -> None:
    analysis = Analysis(session)
    assert [analysis(command) for command in (other, "bogus", None, ["buildStart"])] == [400] * 4


def test_checks_are_accepted(new: FlameHubEmulator) -> None:
    analysis = Analysis(Session(new))
    assert [analysis(command) for command in ("buildCheck", "distributionCheck", "storageCheck")] == [202] * 3


def test_a_command_to_no_analysis_is_not_found(session: Session) -> None:
    reply = session.core("POST", f"/analyses/{NO_SUCH}/command", {"command": "buildStart"})
    assert reply.refusal[:2] == (404, "NOT_FOUND")


def test_a_sync_brings_images_and_ends_with_a_poll(session: Session) -> None:
    session.hub.polls = 1
    before = {image["name"] for image in session.core("GET", "/master-images").data}
    session.core("POST", "/master-images/command", {"command": "sync"})
    session.core("GET", "/master-images")
    after = {image["id"] for image in session.core("GET", "/master-images").data}
    again = session.core("POST", "/master-images/command", {"command": "sync"})
    assert (len(before), len(after), again.status, again.body) == (2, 3, 202, b"")


def test_a_sync_brings_nothing_twice(session: Session) -> None:
    session.hub.polls = 0
    for _ in range(2):
        session.core("POST", "/master-images/command", {"command": "sync"})
        session.core("GET", "/master-image-groups")
    assert session.core("GET", "/master-images").json["meta"]["total"] == 3
    assert session.core("GET", "/master-image-groups").json["meta"]["total"] == 2


def test_a_sync_that_fails_brings_nothing(session: Session) -> None:
    session.hub.plan(polls=0, outcome=Outcome.FAILED)
    session.core("POST", "/master-images/command", {"command": "sync"})
    assert len(session.core("GET", "/master-images").data) == 2


def test_an_image_is_built_in_the_new_generation(new: FlameHubEmulator) -> None:
    session = Session(new)
    path = f"/master-images/{session.core('GET', '/master-images').data[0]['id']}"

    def build(id_: Any) -> int:
        return session.core("POST", "/master-images/command", {"command": "build", "id": id_}).status

    assert [build(path[15:]), build(path[15:]), build(NO_SUCH), build(7)] == [202, 400, 404, 404]
    statuses = [session.core("GET", path).data["buildStatus"] for _ in range(3)]
    assert statuses == ["starting", "started", "executed"]


def test_images_take_no_other_commands(session: Session) -> None:
    for command in ("bogus", None, ["sync"], "build" if session.old else ""):
        assert session.core("POST", "/master-images/command", {"command": command}).status == 400


def test_a_registry_is_set_up_and_cleaned_up(session: Session) -> None:
    registry = session.make("registries", name="registry", host="registry.example.com")["id"]

    def run(command: str, id_: str) -> int:
        return session.core("POST", "/services/registry/command", {"command": command, "id": id_}).status

    assert [run("setup", registry), run("cleanup", registry)] == [202, 202]
    assert [run("bogus", registry), run("setup", NO_SUCH)] == [400, 404]


def test_a_node_of_an_analysis_tells_how_it_runs(session: Session) -> None:
    analysis, node = session.analysis(), session.make("nodes", name="node")
    link = session.make("analysis-nodes", analysis_id=analysis["id"], node_id=node["id"])
    path, field = f"/analysis-nodes/{link['id']}", "run_status" if session.old else "execution_status"
    word = "running" if session.old else "executing"
    reply = session.core("POST", path, session.wire(**{field: word}))
    assert (reply.status, session.named(reply.data)[field]) == (202, word)
    assert session.core("POST", path, session.wire(**{field: "dancing"})).status == 400
    if not session.old:
        assert session.core("POST", path, {"executionProgress": 101}).status == 400
        assert session.core("POST", path, {"executionProgress": 100}).status == 202


class TestLogs:
    """Of the new generation."""

    def line(self, session: Session, analysis: str, node: str, message: str, level: str = "info") -> Any:
        asked = {"analysisId": analysis, "nodeId": node, "level": level, "message": message, "status": "running"}
        return session.core("POST", "/analysis-node-logs", asked)

    def test_nodes_write_them(self, new: FlameHubEmulator) -> None:
        session = Session(new)
        analysis, node = session.analysis()["id"], session.make("nodes", name="node")["id"]
        reply = self.line(session, analysis, node, "hello")
        assert reply.status == 202
        labels = {"analysis_id": analysis, "node_id": node, "status": "running", "code": None}
        assert reply.data == {
            "time": "2026-11-20T12:00:00.000Z",
            "message": "hello",
            "service": "hub-server-core",
            "channel": "http",
            "level": "info",
            "labels": labels,
        }
        assert self.line(session, analysis, NO_SUCH, "hello").status == 400
        assert self.line(session, analysis, node, "hello", level="loud").status == 400

    def test_they_are_found_and_deleted_by_what_they_are_of(self, new: FlameHubEmulator) -> None:
        session = Session(new)
        analysis, node = session.analysis()["id"], session.make("nodes", name="node")["id"]
        other = session.make("nodes", name="other")["id"]
        self.line(session, analysis, node, "mine")
        self.line(session, analysis, other, "another's")
        of_node = f"/analysis-node-logs?filter[analysisId]={analysis}&filter[nodeId]={node}"
        assert [line["message"] for line in session.core("GET", of_node).data] == ["mine"]
        assert session.core("DELETE", f"/analysis-node-logs?filter[analysisId]={analysis}").status == 400
        deleted = session.core("DELETE", of_node)
        assert (deleted.status, deleted.body) == (202, b"null")
        assert [line["message"] for line in session.core("GET", "/analysis-node-logs").data] == ["another's"]

    def test_the_hub_writes_those_of_an_analysis(self, new: FlameHubEmulator) -> None:
        session = Session(new)
        new.plan(polls=0, outcome=Outcome.FAILED)
        analysis = Analysis(session)
        analysis("buildStart")
        analysis.get("build_status")
        logs = f"/analysis-logs?filter[analysisId]={analysis.path[10:]}"
        (line,) = session.core("GET", logs).data
        assert (line["message"], line["level"], line["channel"]) == ("build failed", "error", "background")
        assert set(line) == {"time", "message", "service", "channel", "level", "labels"}
        assert session.core("DELETE", logs).status == 202
        assert session.core("GET", logs).data == []
        assert session.core("POST", "/analysis-logs", {}).status == 404

    def test_the_old_generation_has_none(self, old: FlameHubEmulator) -> None:
        assert Session(old).core("GET", "/analysis-node-logs").status == 404
