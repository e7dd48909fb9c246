"""Jobs whose states a list tells: one request for all, and what becomes of those that are not in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from jackfield import (
    BadRequestError,
    ConfigurationError,
    ConnectError,
    ContractError,
    DecodeError,
    JobCancelledError,
    JobFailedError,
    JobState,
    Model,
    NotFoundError,
    Pending,
    Request,
    Response,
    Service,
    async_wait_all,
    job,
    operation,
    wait_all,
)
from jackfield.testing import json_response
from jackfield_plugins.polling import Result, StateFields, States, StatusList

if TYPE_CHECKING:
    from tests.jackfield_plugins.polling.conftest import Both


class Disk(Model):
    id: str
    size: int = 0


STATES = States({"ready"}, failed={"broken"}, cancelled={"dropped"})


async def look(service: Any, ids: Sequence[str]) -> Iterable[Any]:
    items: list[Any] = await service.disks(",".join(ids))
    return items


def cloud(style: StatusList[Any]) -> type[Service]:
    class Cloud(Service):
        @operation
        async def disks(self, ids: str) -> list[Any]:
            answer = await self.send(Request("GET", self.url("disks"), query={"ids": ids}))
            return answer.decode(dict[str, list[Any]])["disks"]

        @job(style)
        async def attach(self, id: str) -> JobState[Any]:
            return Pending(id)

    return Cloud


def disks(**states: Any) -> Response:
    return json_response({"disks": [{"id": id, "status": state, "size": 7} for id, state in states.items()]})


def wait(both: Both, client: Any, ids: Iterable[str], **options: Any) -> list[Any]:
    jobs = [both.get(client.attach.start(id)) for id in ids]
    if both.base.__name__ == "Client":
        return wait_all(jobs, **options)
    return asyncio.run(async_wait_all(jobs, **options))


def test_one_request_a_round_asks_for_all_that_still_run(both: Both) -> None:
    style = StatusList(look, Disk, STATES, jitter=0)
    answers = [disks(a="new", b="ready", c="new"), disks(c="ready", a="new", other="broken"), disks(a="ready")]
    client = both.client(cloud(style), answers)

    assert wait(both, client, "abc") == [Disk(id=id, size=7) for id in "abc"]
    assert both.asked(client) == [f"GET /v1/disks?ids={ids}" for ids in ("a%2Cb%2Cc", "a%2Cc", "a")]
    assert client.runtime.elapsed == 6


def test_the_items_may_be_models(both: Both) -> None:
    class Listed(Model):
        id: str
        status: str
        size: int = 0

    async def typed(service: Any, ids: Sequence[str]) -> Iterable[Listed]:
        return [Listed(id=item["id"], status=item["status"], size=item["size"]) for item in await look(service, ids)]

    client = both.client(cloud(StatusList(typed, Disk, STATES)), [disks(a="ready")])

    assert both.get(client.attach("a")) == Disk(id="a", size=7)


def test_a_list_without_ids_is_not_one_without_jobs(both: Both) -> None:
    answer = json_response({"disks": [{"name": "a", "status": "ready"}]})
    client = both.client(cloud(StatusList(look, Disk, STATES)), [answer])

    with pytest.raises(DecodeError, match="no item"):
        both.get(client.attach("a"))


def test_a_job_by_itself_is_asked_for_by_itself(both: Both) -> None:
    client = both.client(cloud(StatusList(look, Disk, STATES)), [disks(a="new"), disks(b="ready", a="ready")])

    assert both.get(client.attach("a")) == Disk(id="a", size=7)


def test_so_many_are_asked_for_at_once_and_no_more(both: Both) -> None:
    style = StatusList(look, Disk, STATES, at_once=2)
    client = both.client(cloud(style), [disks(a="ready", b="ready"), disks(c="ready", d="ready"), disks(e="ready")])

    assert [disk.id for disk in wait(both, client, "abcde")] == list("abcde")
    assert both.asked(client) == [f"GET /v1/disks?ids={ids}" for ids in ("a%2Cb", "c%2Cd", "e")]
    assert len(client.runtime.sleeps) == 1


def test_each_jobs_end_is_its_own(both: Both) -> None:
    client = both.client(cloud(StatusList(look, Disk, STATES)), [disks(a="broken", b="dropped", c="ready")])

    broken, dropped, missing, ready = wait(both, client, "abxc", return_errors=True)

    assert type(broken) is JobFailedError
    assert type(dropped) is JobCancelledError
    assert type(missing) is NotFoundError
    assert "not in the service's list" in str(missing)
    assert ready == Disk(id="c", size=7)


def test_a_job_may_be_polled_by_itself(both: Both) -> None:
    client = both.client(cloud(StatusList(look, Disk, STATES)), [disks(a="new"), disks(), disks(a="broken")])
    handle = both.get(client.attach.start("a"))

    assert both.get(handle.poll()) is False
    with pytest.raises(NotFoundError):
        both.get(handle.poll())
    with pytest.raises(JobFailedError):
        both.get(handle.poll())


def test_a_failure_tells_the_services_error(both: Both) -> None:
    item = {"id": "a", "status": "broken", "fault": {"code": 7, "says": "no power"}}
    fields = StateFields(code=("fault.code",), text=("fault.says",))
    client = both.client(cloud(StatusList(look, Disk, STATES, fields)), [json_response({"disks": [item]})])

    with pytest.raises(JobFailedError, match="no power") as caught:
        both.get(client.attach("a"))

    assert (caught.value.code, caught.value.text) == (7, "no power")
    assert caught.value.response is not None
    assert caught.value.response.decode(dict[str, Any]) == item


def test_a_job_that_is_missing_has_the_state_404(both: Both) -> None:
    created = StatusList(look, Disk, States({"ready"}, pending={"404"}))
    deleted = StatusList(look, type(None), States({"404"}))

    assert both.get(both.client(cloud(created), [disks(), disks(a="ready")]).attach("a")) == Disk(id="a", size=7)
    assert both.get(both.client(cloud(deleted), [disks(a="deleting"), disks(b="x")]).attach("a")) is None


def test_ids_may_be_numbers_and_have_another_name(both: Both) -> None:
    style = StatusList(look, dict[str, Any], STATES, StateFields(state="meta.state"), id="meta.no")
    item = {"meta": {"no": 7, "state": "ready"}}
    client = both.client(cloud(style), [json_response({"disks": [{}, None, 3, item]})])

    assert both.get(client.attach("7")) == item


def test_an_ids_name_may_have_a_dot_in_it(both: Both) -> None:
    style = StatusList(look, dict[str, str], STATES, id=("meta.id",))
    item = {"meta.id": "7", "status": "ready"}

    assert both.get(both.client(cloud(style), [json_response({"disks": [item]})]).attach("7")) == item


def test_the_result_may_be_a_part_of_the_item_or_elsewhere(both: Both) -> None:
    part = StatusList(look, int, STATES, result=Result(field="size"))
    elsewhere = StatusList(look, Disk, STATES, result=Result(link="at"))
    there, abroad = ({"id": "a", "status": "ready", "at": at} for at in ("/v1/disks/a", "https://evil.test/"))

    assert both.get(both.client(cloud(part), [disks(a="ready")]).attach("a")) == 7
    client = both.client(cloud(elsewhere), [json_response({"disks": [there]}), json_response({"id": "a", "size": 9})])
    assert both.get(client.attach("a")) == Disk(id="a", size=9)
    assert both.asked(client)[-1] == "GET /v1/disks/a"
    with pytest.raises(ContractError, match="another origin"):
        both.get(both.client(cloud(elsewhere), [json_response({"disks": [abroad]})]).attach("a"))


def test_an_item_without_a_state_is_that_jobs_error_and_no_others(both: Both) -> None:
    answer = json_response({"disks": [{"id": "a"}, {"id": "b", "status": "ready"}]})
    client = both.client(cloud(StatusList(look, Disk, STATES)), [answer])

    unread, ready = wait(both, client, "ab", return_errors=True)

    assert isinstance(unread, DecodeError)
    assert ready == Disk(id="b")


def test_a_list_that_does_not_come_is_a_fault_that_passes(both: Both) -> None:
    client = both.client(
        cloud(StatusList(look, Disk, STATES)), [ConnectError("down"), Response(503), disks(a="ready", b="ready")]
    )

    assert [disk.id for disk in wait(both, client, "ab")] == ["a", "b"]


def test_a_list_that_is_refused_is_the_error_of_those_it_was_asked_for(both: Both) -> None:
    style = StatusList(look, Disk, STATES, at_once=2)
    client = both.client(cloud(style), [Response(400), disks(c="ready"), disks(d="ready")])

    first, second, third = wait(both, client, "abc", return_errors=True)

    assert isinstance(first, BadRequestError)
    assert isinstance(second, BadRequestError)
    assert first is not second
    assert isinstance(first.__cause__, BadRequestError)
    assert json.loads(first.job_token or "")[1] == "a"
    assert json.loads(second.job_token or "")[1] == "b"
    assert third.id == "c"


@pytest.mark.parametrize("at_once", [0, -1, 1.5, True, None])
def test_what_makes_no_sense_is_refused_when_the_style_is_made(at_once: Any) -> None:
    with pytest.raises(ConfigurationError, match="at_once"):
        StatusList(look, Disk, STATES, at_once=at_once)


@pytest.mark.parametrize("id", ["", "a.", (), ("",)])
def test_an_id_that_is_nowhere_is_refused(id: Any) -> None:
    with pytest.raises(ConfigurationError):
        StatusList(look, Disk, STATES, id=id)
