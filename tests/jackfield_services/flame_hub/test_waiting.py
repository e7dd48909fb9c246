"""Waiting for builds, runs and approvals: in both colours, of both generations, on the client's virtual time."""

from __future__ import annotations

import asyncio
import copy
import pickle
import pydoc
from collections.abc import Iterator
from inspect import Parameter, iscoroutine
from typing import Any

import pytest
from msgspec import UNSET
from tests.jackfield_services.flame_hub.hub_wire import NO_SUCH, NOON

from jackfield import (
    JobCancelledError,
    JobFailedError,
    JobPolled,
    JobTimeoutError,
    UnavailableError,
    UsageError,
    async_wait_all,
    wait_all,
)
from jackfield.testing import VirtualAsyncioRuntime, VirtualSyncRuntime
from jackfield_services.flame_hub import (
    AsyncCoreClient,
    CoreClient,
    HubAPIError,
    HubJobCancelledError,
    HubJobError,
    HubNotFoundError,
)
from jackfield_services.flame_hub.auth import PasswordAuth, StaticAuth
from jackfield_services.flame_hub.emulator import Fault, FlameHubEmulator, Generation, Outcome, Reply


class Desk:
    """Someone who has a project and an analysis, and a client of either colour; the Hub goes by the client's clock."""

    def __init__(self, colour: str, generation: Generation) -> None:
        self.is_sync = colour == "sync"
        self.generation: Generation = generation
        self.runtime: Any = VirtualSyncRuntime() if self.is_sync else VirtualAsyncioRuntime()
        self.runner = asyncio.Runner()
        self.hub = FlameHubEmulator(
            generation, approved=False, now=lambda: NOON + self.runtime.elapsed, token_life=3600
        ).start()
        login = PasswordAuth(self.hub.username, self.hub.password, self.hub.auth_url)
        kind: Any = CoreClient if self.is_sync else AsyncCoreClient
        self.core: Any = kind(self.hub.core_url, login, runtime=self.runtime)
        image = self.do("get_master_images")[0]
        self.project = self.do("create_project", name="project", master_image_id=image, description=None)
        self.analysis = self.do("create_analysis", name="analysis", project_id=self.project, description=None)
        self.command("configurationLock")

    def get(self, outcome: Any) -> Any:
        """The value of a call."""
        return self.runner.run(outcome) if iscoroutine(outcome) else outcome

    def do(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self.get(getattr(self.core, method)(*args, **kwargs))

    def wait(self, what: str, *args: Any, **options: Any) -> Any:
        return self.do(f"wait_until_{what}", *args, **options)

    def start(self, what: str, *args: Any, **options: Any) -> Any:
        return self.get(getattr(self.core, f"wait_until_{what}").start(*args, **options))

    def command(self, command: str, *, polls: int | None = None, outcome: Outcome | None = None) -> None:
        if outcome is not None:
            self.hub.plan(polls=polls, outcome=outcome)
        self.do("send_analysis_command", self.analysis, command)

    def node(self, name: str) -> Any:
        return self.do("create_node", name=name, realm_id=self.project.realm_id)

    def nodes(self, number: int) -> list[Any]:
        """That many more nodes have a part in the project."""
        known = len(self.do("find_project_nodes", meta=True)[0])
        made = [self.node(f"node-{known + one}") for one in range(number)]
        return [self.do("create_project_node", project_id=self.project, node_id=node) for node in made]

    def approve(self, *parts: Any) -> None:
        for part in parts:
            self.do("update_project_node", part, approval_status="approved")

    def asked(self, path: str) -> int:
        """How many GET requests for a path there were."""
        return sum(one.method == "GET" and one.path == path for one in self.hub.requests)

    def close(self) -> None:
        self.get(self.core.close() if self.is_sync else self.core.aclose())
        self.runner.close()
        self.hub.stop()


@pytest.fixture(params=["sync", "async"])
def desk(request: pytest.FixtureRequest, generation: Generation) -> Iterator[Desk]:
    desk = Desk(request.param, generation)
    yield desk
    desk.close()


@pytest.fixture
def new_desk() -> Iterator[Desk]:
    desk = Desk("sync", "1.1.0")
    yield desk
    desk.close()


@pytest.fixture
def old_desk() -> Iterator[Desk]:
    desk = Desk("sync", "0.1.1")
    yield desk
    desk.close()


def test_a_build_is_waited_for(desk: Desk) -> None:
    desk.command("buildStart", polls=3, outcome=Outcome.SUCCEEDED)

    analysis = desk.wait("analysis_built", desk.analysis)

    assert analysis.id == desk.analysis.id
    assert analysis.build_status == ("finished" if desk.generation == "0.1.1" else "executed")
    assert desk.asked(f"/analyses/{analysis.id}") == 4


def test_what_is_built_already_is_not_waited_for(desk: Desk) -> None:
    desk.command("buildStart", polls=0, outcome=Outcome.SUCCEEDED)
    desk.do("get_analysis", desk.analysis)

    desk.wait("analysis_built", desk.analysis.id)

    assert desk.runtime.elapsed == 0


def test_waits_grow_up_to_a_quarter_of_a_minute(desk: Desk) -> None:
    desk.command("buildStart", polls=30, outcome=Outcome.SUCCEEDED)

    desk.wait("analysis_built", desk.analysis)

    waits = [seconds for seconds in desk.runtime.sleeps if seconds]
    assert 1.8 <= waits[0] <= 2.0
    assert 13.5 <= waits[-1] <= 15.0


def test_a_build_that_fails_says_so_and_holds_the_analysis(desk: Desk) -> None:
    desk.command("buildStart", polls=1, outcome=Outcome.FAILED)

    with pytest.raises(HubJobError, match=r"the build of analyses/.* has failed") as caught:
        desk.wait("analysis_built", desk.analysis)

    error = caught.value
    assert isinstance(error, HubAPIError)
    assert isinstance(error, JobFailedError)
    assert not isinstance(error, JobCancelledError)
    assert (error.code, error.record.id, error.record.build_status) == ("failed", desk.analysis.id, "failed")
    assert error.__notes__[0].startswith("wait_until_analysis_built: GET http")


def test_a_build_that_is_stopped_is_told_apart(desk: Desk) -> None:
    desk.command("buildStart", polls=1, outcome=Outcome.STOPPED)

    with pytest.raises(HubJobCancelledError, match="has stopped") as caught:
        desk.wait("analysis_built", desk.analysis)

    assert isinstance(caught.value, JobCancelledError)


def test_the_error_of_a_wait_can_be_copied_and_pickled(new_desk: Desk) -> None:
    new_desk.command("buildStart", polls=0, outcome=Outcome.FAILED)
    with pytest.raises(HubJobError) as caught:
        new_desk.wait("analysis_built", new_desk.analysis)

    for other in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):
        assert str(other) == str(caught.value)
        assert other.record == caught.value.record


def test_a_handle_tells_how_a_build_goes(desk: Desk) -> None:
    desk.command("buildStart", polls=3, outcome=Outcome.SUCCEEDED)
    job = desk.start("analysis_built", desk.analysis)
    assert desk.asked(f"/analyses/{desk.analysis.id}") == 0

    told = [(desk.get(job.poll()), job.state, job.progress) for _ in range(2)]

    tells = desk.generation == "1.1.0"
    assert told == [(False, "starting", 0.25 if tells else None), (False, "started", 0.5 if tells else None)]
    assert desk.get(job.result()).id == desk.analysis.id


def test_another_process_may_go_on_waiting(desk: Desk) -> None:
    desk.command("buildStart", polls=1, outcome=Outcome.SUCCEEDED)
    token = desk.start("analysis_built", desk.analysis).token

    assert desk.get(desk.core.wait_until_analysis_built.resume(token).result()).id == desk.analysis.id


def test_the_time_that_is_given_is_waited(desk: Desk) -> None:
    desk.command("buildStart", polls=0, outcome=Outcome.NEVER)

    with pytest.raises(JobTimeoutError) as caught:
        desk.wait("analysis_built", desk.analysis, timeout=100)

    assert 100 <= desk.runtime.elapsed <= 110
    assert caught.value.job_token is not None


def test_the_time_that_is_given_counts_for_a_handle_as_well(desk: Desk) -> None:
    desk.command("buildStart", polls=0, outcome=Outcome.NEVER)
    job = desk.start("analysis_built", desk.analysis, timeout=30)

    with pytest.raises(JobTimeoutError):
        desk.get(job.result())

    assert 30 <= desk.runtime.elapsed <= 33


def test_without_a_time_it_is_half_an_hour(new_desk: Desk) -> None:
    with pytest.raises(JobTimeoutError):
        new_desk.wait("analysis_built", new_desk.analysis)  # nobody has begun to build it

    assert 1800 <= new_desk.runtime.elapsed <= 1810


def test_no_time_looks_once(desk: Desk) -> None:
    desk.command("buildStart", polls=5, outcome=Outcome.SUCCEEDED)

    with pytest.raises(JobTimeoutError):
        desk.wait("analysis_built", desk.analysis, timeout=0)

    assert desk.asked(f"/analyses/{desk.analysis.id}") == 1


@pytest.mark.parametrize("timeout", [-1, float("nan"), "soon"])
def test_a_time_that_makes_no_sense_is_refused(new_desk: Desk, timeout: Any) -> None:
    with pytest.raises(UsageError, match="timeout"):
        new_desk.wait("analysis_built", new_desk.analysis, timeout=timeout)


@pytest.mark.parametrize("given", [None, "", "..", 7])
def test_what_is_no_id_is_refused(new_desk: Desk, given: Any) -> None:
    with pytest.raises(UsageError, match="analysis_id is an Analysis"):
        new_desk.wait("analysis_built", given)


WAITS = [
    "analysis_built",
    "analysis_distributed",
    "analysis_executed",
    "analysis_approved",
    "project_approved",
    "master_image_built",
]


@pytest.mark.parametrize("what", WAITS)
def test_an_option_that_there_is_not_is_a_type_error(desk: Desk, what: str) -> None:
    asked = len(desk.hub.requests)
    for options in ({"timout": 0}, {"ath": "other"}, {"interval": 1}):
        with pytest.raises(TypeError, match=next(iter(options))):
            desk.wait(what, desk.analysis.id, **options)
        with pytest.raises(TypeError, match=next(iter(options))):
            desk.start(what, desk.analysis.id, **options)
    with pytest.raises(TypeError):
        desk.wait(what)
    with pytest.raises(TypeError):
        desk.wait(what, desk.analysis, desk.analysis)

    assert len(desk.hub.requests) == asked


COMMANDS = {
    "sync_master_images": [],
    "build_master_image": [NO_SUCH],
    "send_registry_command": [NO_SUCH, "setup"],
    "send_analysis_command": [NO_SUCH, "buildStart"],
    "delete_analysis_logs": [NO_SUCH],
    "delete_analysis_node_logs": [NO_SUCH, NO_SUCH],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_take_no_other_options_than_they_have(desk: Desk, command: str) -> None:
    asked = len(desk.hub.requests)
    for options in ({"ath": "other"}, {"timeout": 1}, {"foo": 1}):
        with pytest.raises(TypeError, match=next(iter(options))):
            desk.do(command, *COMMANDS[command], **options)

    assert len(desk.hub.requests) == asked


@pytest.mark.parametrize("word", [None, "", 5, ["setup"], b"setup"])
@pytest.mark.parametrize("command", ["send_registry_command", "send_analysis_command"])
def test_a_command_is_a_word(desk: Desk, command: str, word: Any) -> None:
    asked = len(desk.hub.requests)
    with pytest.raises(UsageError, match=r"command is a word, '\w+', .*, not "):
        desk.do(command, NO_SUCH, word)

    assert len(desk.hub.requests) == asked


@pytest.mark.parametrize("what", WAITS)
def test_help_shows_what_a_wait_takes(what: str) -> None:
    parameters = list(getattr(CoreClient, f"wait_until_{what}").__signature__.parameters.values())

    assert [(one.name, one.kind, one.default) for one in parameters[-2:]] == [
        ("timeout", Parameter.KEYWORD_ONLY, 1800.0),
        ("auth", Parameter.KEYWORD_ONLY, UNSET),
    ]
    shown = pydoc.plain(pydoc.render_doc(getattr(CoreClient, f"wait_until_{what}")))
    assert all(word in shown for word in ("timeout", "auth", "HubJobError", "JobTimeoutError", "and gives "))


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_what_a_command_takes(command: str) -> None:
    operation = getattr(CoreClient, command)
    shown = pydoc.plain(pydoc.render_doc(operation))

    assert all(f"{name}: " in shown.partition("Args:")[2] for name in operation.__signature__.parameters)


@pytest.mark.parametrize("fault", [502, 503, 504, 429, Fault.RESET, Fault.CLOSE, Fault.TRUNCATED])
def test_faults_that_pass_do_not_end_a_wait(desk: Desk, fault: Any) -> None:
    desk.command("buildStart", polls=2, outcome=Outcome.SUCCEEDED)
    desk.hub.inject(fault, times=8, path="/analyses/*", method="GET")

    assert desk.wait("analysis_built", desk.analysis).build_status in ("finished", "executed")


def test_a_hub_that_is_away_for_minutes_does_not_end_a_wait(desk: Desk) -> None:
    desk.command("buildStart", polls=2, outcome=Outcome.SUCCEEDED)
    desk.hub.inject(503, times=60, path="/analyses/*", method="GET")

    assert desk.wait("analysis_built", desk.analysis).build_status in ("finished", "executed")
    assert desk.runtime.elapsed > 300


def test_a_hub_that_is_away_for_good_ends_it_with_the_time_and_the_reason(desk: Desk) -> None:
    desk.hub.inject(503, times=1000, path="/analyses/*", method="GET")

    with pytest.raises(JobTimeoutError, match=r"told nothing after 100 s .*failed: received status code 503") as caught:
        desk.wait("analysis_built", desk.analysis, timeout=100)

    assert isinstance(caught.value.__cause__, UnavailableError)
    assert caught.value.job_token is not None


def test_what_nobody_has_begun_is_told_when_the_time_is_up(desk: Desk) -> None:
    with pytest.raises(JobTimeoutError, match=r"was not over \(not begun\) after 100 s"):
        desk.wait("analysis_built", desk.analysis, timeout=100)
    with pytest.raises(JobTimeoutError, match=r"was not over \(0 of 0 approved\) after 100 s"):
        desk.wait("project_approved", desk.project, timeout=100)


def test_an_error_of_the_hub_ends_a_wait_at_once(desk: Desk) -> None:
    desk.hub.inject(403, path="/analyses/*", method="GET")

    with pytest.raises(HubAPIError, match="403"):
        desk.wait("analysis_built", desk.analysis)

    assert desk.runtime.elapsed == 0


def test_what_is_deleted_meanwhile_is_not_found(desk: Desk) -> None:
    desk.command("buildStart", polls=5, outcome=Outcome.SUCCEEDED)
    job = desk.start("analysis_built", desk.analysis)
    desk.get(job.poll())

    desk.do("delete_analysis", desk.analysis)

    with pytest.raises(HubNotFoundError):
        desk.get(job.result())


def test_a_word_that_is_new_means_that_it_goes_on(desk: Desk) -> None:
    record = desk.analysis.model_dump(mode="json")
    name = "build_status" if desk.generation == "0.1.1" else "buildStatus"
    body: Any = record | {name: "warming_up"}
    if desk.generation == "1.1.0":
        body = {"data": body, "meta": {}}
    desk.hub.inject(Reply(200, body), path="/analyses/*", method="GET")
    desk.command("buildStart", polls=0, outcome=Outcome.SUCCEEDED)
    job = desk.start("analysis_built", desk.analysis)

    assert desk.get(job.poll()) is False
    assert (job.state, job.progress) == ("warming_up", None)
    desk.get(job.result())


@pytest.mark.parametrize(("percent", "part"), [(-5, 0.0), (250, 1.0), (40, 0.4)])
def test_progress_is_a_part_of_one(new_desk: Desk, percent: int, part: float) -> None:
    record = new_desk.analysis.model_dump(mode="json") | {"buildStatus": "executing", "buildProgress": percent}
    new_desk.hub.inject(Reply(200, {"data": record, "meta": {}}), path="/analyses/*", method="GET")
    job = new_desk.start("analysis_built", new_desk.analysis)

    job.poll()

    assert job.progress == part


def test_a_token_that_ends_meanwhile_is_renewed(desk: Desk) -> None:
    desk.hub.token_life = 60
    desk.hub.expire_tokens()
    desk.command("buildStart", polls=20, outcome=Outcome.SUCCEEDED)

    desk.wait("analysis_built", desk.analysis)

    assert desk.runtime.elapsed > 120


def test_polls_ask_with_the_credentials_of_the_call(desk: Desk) -> None:
    desk.command("buildStart", polls=1, outcome=Outcome.SUCCEEDED)

    with pytest.raises(HubAPIError):
        desk.wait("analysis_built", desk.analysis, auth=StaticAuth("of-nobody"))

    assert desk.wait("analysis_built", desk.analysis).build_status in ("finished", "executed")


def test_an_old_hub_tells_no_distribution(old_desk: Desk) -> None:
    with pytest.raises(UsageError, match=r"0\.1\.1 does not tell how the distribution goes"):
        old_desk.wait("analysis_distributed", old_desk.analysis)
    with pytest.raises(UsageError, match=r"0\.1\.1 does not tell how the build goes"):
        old_desk.wait("master_image_built", old_desk.do("get_master_images")[0])


def test_a_distribution_is_waited_for(new_desk: Desk) -> None:
    new_desk.command("buildStart", polls=0, outcome=Outcome.SUCCEEDED)
    new_desk.wait("analysis_built", new_desk.analysis)
    new_desk.command("distributionStart", polls=2, outcome=Outcome.SUCCEEDED)

    assert new_desk.wait("analysis_distributed", new_desk.analysis).distribution_status == "executed"


def test_a_run_of_an_old_hub_is_waited_for(old_desk: Desk) -> None:
    old_desk.command("buildStart", polls=0, outcome=Outcome.SUCCEEDED)
    old_desk.wait("analysis_built", old_desk.analysis)
    old_desk.command("spinUp", polls=2, outcome=Outcome.SUCCEEDED)

    assert old_desk.wait("analysis_executed", old_desk.analysis).run_status == "finished"


def test_an_execution_is_waited_for(new_desk: Desk) -> None:
    record = new_desk.analysis.model_dump(mode="json")
    for told in ({"executionStatus": "executing", "executionProgress": 10}, {"executionStatus": "executed"}):
        reply = Reply(200, {"data": record | told, "meta": {}})
        new_desk.hub.inject(reply, path="/analyses/*", method="GET")

    assert new_desk.wait("analysis_executed", new_desk.analysis).execution_status == "executed"


def test_the_build_of_a_master_image_is_waited_for(new_desk: Desk) -> None:
    image = new_desk.do("get_master_images")[0]
    new_desk.hub.plan(polls=3)
    new_desk.do("build_master_image", image)

    assert new_desk.wait("master_image_built", image).build_status == "executed"


def test_a_project_is_approved_when_all_of_its_nodes_have(desk: Desk) -> None:
    first, second = desk.nodes(2)
    job = desk.start("project_approved", desk.project)
    told = [(desk.get(job.poll()), job.state, job.progress)]
    desk.approve(first)
    told.append((desk.get(job.poll()), job.state, job.progress))
    desk.approve(second)

    parts = desk.get(job.result())

    assert told == [(False, "0 of 2 approved", 0.0), (False, "1 of 2 approved", 0.5)]
    assert {part.id for part in parts} == {first.id, second.id}


def test_nodes_of_later_pages_count_as_well(desk: Desk) -> None:
    parts = desk.nodes(52)
    desk.approve(*parts[1:])
    job = desk.start("project_approved", desk.project)
    assert desk.get(job.poll()) is False
    assert job.state == "51 of 52 approved"

    desk.approve(parts[0])

    assert len(desk.get(job.result())) == 52


def test_a_node_that_rejects_ends_the_wait_and_is_named(desk: Desk) -> None:
    first, second, _ = desk.nodes(3)
    desk.approve(first)
    desk.do("update_project_node", second, approval_status="rejected", comment="not with us")

    with pytest.raises(HubJobError, match=rf"node {second.node_id} has rejected it \(not with us\)\n") as caught:
        desk.wait("project_approved", desk.project)

    assert (caught.value.code, caught.value.record) == ("rejected", desk.do("get_project_node", second, include=()))


def test_nodes_of_other_projects_do_not_count(desk: Desk) -> None:
    desk.approve(*desk.nodes(1))
    image = desk.do("get_master_images")[0]
    other = desk.do("create_project", name="another", master_image_id=image, description=None)
    node = desk.node("elsewhere")
    desk.do("create_project_node", project_id=other, node_id=node)

    assert len(desk.wait("project_approved", desk.project)) == 1
    with pytest.raises(JobTimeoutError):
        desk.wait("project_approved", other, timeout=10)


def test_a_project_without_nodes_is_not_approved(desk: Desk) -> None:
    job = desk.start("project_approved", desk.project)

    assert desk.get(job.poll()) is False
    assert (job.state, job.progress) == ("0 of 0 approved", 0.0)


def test_a_project_that_there_is_not_is_not_found(desk: Desk) -> None:
    with pytest.raises(HubNotFoundError):
        desk.wait("project_approved", NO_SUCH)


def test_an_analysis_is_approved_when_all_of_its_nodes_have(desk: Desk) -> None:
    node = desk.nodes(1)[0].node_id
    part = desk.do("create_analysis_node", analysis_id=desk.analysis, node_id=node)
    with pytest.raises(JobTimeoutError):
        desk.wait("analysis_approved", desk.analysis, timeout=10)

    desk.do("update_analysis_node", part, approval_status="approved")

    assert [one.id for one in desk.wait("analysis_approved", desk.analysis)] == [part.id]


def test_nodes_of_other_analyses_do_not_count(desk: Desk) -> None:
    node = desk.nodes(1)[0].node_id
    other = desk.do("create_analysis", name="another", project_id=desk.project, description=None)
    parts = [desk.do("create_analysis_node", analysis_id=one, node_id=node) for one in (desk.analysis, other)]
    desk.do("update_analysis_node", parts[0], approval_status="approved")
    desk.do("update_analysis_node", parts[1], approval_status="rejected")

    assert [one.id for one in desk.wait("analysis_approved", desk.analysis)] == [parts[0].id]


def test_a_node_that_rejects_an_analysis_is_named(desk: Desk) -> None:
    node = desk.nodes(1)[0].node_id
    part = desk.do("create_analysis_node", analysis_id=desk.analysis, node_id=node)
    desk.do("update_analysis_node", part, approval_status="rejected")

    with pytest.raises(HubJobError, match=rf"node {node} has rejected it\n"):
        desk.wait("analysis_approved", desk.analysis)


def test_an_analysis_that_there_is_not_is_not_found(desk: Desk) -> None:
    with pytest.raises(HubNotFoundError):
        desk.wait("analysis_approved", NO_SUCH)


def test_several_are_waited_for_at_once(desk: Desk) -> None:
    desk.approve(*desk.nodes(1))
    desk.command("buildStart", polls=4, outcome=Outcome.SUCCEEDED)
    jobs = [desk.start("analysis_built", desk.analysis), desk.start("project_approved", desk.project)]

    built, parts = wait_all(jobs) if desk.is_sync else desk.get(async_wait_all(jobs))

    assert (built.id, len(parts)) == (desk.analysis.id, 1)


def test_who_waits_may_give_up() -> None:
    desk = Desk("async", "1.1.0")
    desk.command("buildStart", polls=0, outcome=Outcome.NEVER)

    async def give_up() -> int:
        looked = asyncio.Event()

        def tell(_: JobPolled) -> None:
            looked.set()

        job = await desk.core.wait_until_analysis_built.start(desk.analysis)
        waiting = asyncio.ensure_future(job.result(progress=tell))
        await looked.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return desk.asked(f"/analyses/{desk.analysis.id}")

    asked = desk.get(give_up())

    assert desk.do("get_analysis", desk.analysis).build_status == "started"  # the client is as it was
    assert desk.asked(f"/analyses/{desk.analysis.id}") <= asked + 2
    desk.close()


def test_what_others_do_cannot_be_cancelled(desk: Desk) -> None:
    job = desk.start("analysis_built", desk.analysis)

    with pytest.raises(UsageError, match="cannot be cancelled"):
        desk.get(job.cancel())


def test_the_request_of_a_wait_can_be_seen(new_desk: Desk) -> None:
    request = new_desk.core.wait_until_analysis_built.request(new_desk.analysis)

    assert str(request.url).endswith(f"/analyses/{new_desk.analysis.id}")
