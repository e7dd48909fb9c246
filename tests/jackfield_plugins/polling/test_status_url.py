"""Jobs whose state has a URL: where it is told, what is believed of it, and where the result is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    Client,
    ConfigurationError,
    ConflictError,
    ContractError,
    DecodeError,
    FieldPath,
    JackfieldError,
    JobCancelledError,
    JobFailedError,
    JobPolled,
    JobState,
    JobTimeoutError,
    Model,
    NotFoundError,
    Pending,
    Request,
    Response,
    Service,
    UnauthorizedError,
    UsageError,
    Without,
    job,
    operation,
)
from jackfield.testing import FakeTransport, VirtualSyncRuntime, json_response
from jackfield_plugins.caching import Cache
from jackfield_plugins.polling import CancelRequest, Result, StateFields, States, StatusUrl
from jackfield_plugins.signing import AwsCredentials, SigV4

if TYPE_CHECKING:
    from tests.jackfield_plugins.polling.conftest import Both


class Image(Model):
    name: str


NO_RESULT = type(None)
STATES = States({"Succeeded"}, failed={"Failed"}, cancelled={"Canceled"})
ONE, RUNNING = json_response({"name": "one"}), Response(202)


def told(state: Any, *, status: int = 200, headers: dict[str, str] | None = None, **more: Any) -> Response:
    return json_response({"status": state, **more}, status, headers)


# --- where the state's URL is told


@pytest.mark.parametrize("header", ["Location", "Operation-Location", "Azure-AsyncOperation", "Content-Location"])
def test_a_202_says_where_the_state_is_and_200_there_is_the_result(both: Both, header: str) -> None:
    client = both.build(StatusUrl(Image), Response(202, {header: "/v1/operations/7?v=2"}), RUNNING, RUNNING, ONE)

    assert both.get(client.build()) == Image(name="one")
    assert both.asked(client) == ["POST /v1/images/one", *["GET /v1/operations/7?v=2"] * 3]


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("https://h.test/v1/operations/7", "/v1/operations/7"),
        ("HTTPS://H.test:443/v1/operations/7#end", "/v1/operations/7"),
        ("operations/7", "/v1/images/operations/7"),
        ("../operations/7", "/v1/operations/7"),
        ("?operation=7", "/v1/images/one?operation=7"),
    ],
)
def test_the_place_is_relative_to_what_was_asked(both: Both, reference: str, target: str) -> None:
    client = both.build(StatusUrl(Image), Response(202, {"location": reference}), ONE)

    both.get(client.build())

    assert both.asked(client)[1] == f"GET {target}"


def test_the_first_header_of_several_counts(both: Both) -> None:
    headers = {"location": "/v1/images/one", "azure-asyncoperation": "/v1/operations/7"}
    client = both.build(StatusUrl(Image), Response(202, headers), ONE)

    both.get(client.build())

    assert both.asked(client)[1] == "GET /v1/operations/7"


@pytest.mark.parametrize("headers", ["X-Monitor", ["x-monitor"]])
def test_a_service_may_have_a_header_of_its_own(both: Both, headers: Any) -> None:
    answer = Response(202, {"location": "/v1/images/one", "x-monitor": "/v1/operations/7"})
    client = both.build(StatusUrl(Image, headers=headers), answer, ONE)

    both.get(client.build())

    assert both.asked(client)[1] == "GET /v1/operations/7"


def test_the_place_may_be_in_the_body(both: Both) -> None:
    style = StatusUrl(Image, STATES, link="urls.get")
    client = both.build(
        style, json_response({"urls": {"get": "/v1/operations/7"}}, 201), told("Running"), told("succeeded", name="one")
    )

    assert both.get(client.build()) == Image(name="one")
    assert both.asked(client)[1] == "GET /v1/operations/7"


@pytest.mark.parametrize("status", [200, 201])
def test_a_job_may_be_done_at_once(both: Both, status: int) -> None:
    # of a 201 Location names what was made, and no state
    answer = json_response({"name": "one"}, status, {"location": "/v1/images/one"})
    client = both.build(StatusUrl(Image), answer)

    handle = both.get(client.build.start())

    assert handle.done
    assert both.get(handle.result()) == Image(name="one")
    assert both.asked(client) == ["POST /v1/images/one"]


@pytest.mark.parametrize("status", [200, 201])
def test_a_resource_that_is_not_done_when_it_is_made_is_asked_for(both: Both, status: int) -> None:
    made = json_response({"status": "Creating"}, status, {"location": "/v1/images/7"})
    client = both.build(StatusUrl(Image, STATES), made, told("Creating"), told("succeeded", name="one"))

    assert both.get(client.build()) == Image(name="one")
    assert both.asked(client) == ["POST /v1/images/one", *["GET /v1/images/7"] * 2]


def test_a_resource_that_failed_when_it_was_made_is_no_result(both: Both) -> None:
    client = both.build(StatusUrl(Image, STATES), told("failed"))

    with pytest.raises(JobFailedError):
        both.get(client.build())


@pytest.mark.parametrize("status", [200, 201])
def test_a_header_that_can_only_name_a_state_counts_whatever_the_status(both: Both, status: int) -> None:
    client = both.build(StatusUrl(Image), Response(status, {"operation-location": "/v1/operations/7"}), ONE)

    both.get(client.build())

    assert both.asked(client)[1] == "GET /v1/operations/7"


def test_a_202_that_does_not_say_where_breaks_the_contract(both: Both) -> None:
    client = both.build(StatusUrl(Image), Response(202))

    with pytest.raises(ContractError, match="does not say where"):
        both.get(client.build())


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.test/v1/operations/7",
        "//evil.test/x",
        "http://h.test/v1/operations/7",
        "https://h.test:444/v1/operations/7",
        "https://user@h.test/v1/operations/7",
        "file:///etc/passwd",
        "\\\\evil.test\\x",
        "/" + "x" * 20_000,
    ],
    ids=lambda place: place[:24],
)
def test_a_place_elsewhere_is_not_asked(both: Both, place: str) -> None:
    by_header = both.build(StatusUrl(Image), Response(202, {"location": place}))
    by_body = both.build(StatusUrl(Image, link="at"), json_response({"at": place}, 202))

    for client in (by_header, by_body):
        with pytest.raises(ContractError):
            both.get(client.build())
        assert len(both.asked(client)) == 1


def test_places_that_differ_lead_nowhere_and_one_that_is_said_twice_is_one(both: Both) -> None:
    differ = both.build(StatusUrl(Image), Response(202, [("location", "/a"), ("location", "/b")]))
    agree = both.build(StatusUrl(Image), Response(202, [("location", "/a"), ("location", "/a")]), ONE)

    with pytest.raises(ContractError, match="2 different values"):
        both.get(differ.build())
    assert both.get(agree.build()) == Image(name="one")


def test_a_202_that_names_another_place_is_followed(both: Both, accepted: Response) -> None:
    client = both.build(StatusUrl(Image), accepted, Response(202, {"location": "8"}), ONE)
    handle = both.get(client.build.start())

    both.get(handle.result())

    assert both.asked(client)[1:] == ["GET /v1/operations/7", "GET /v1/operations/8"]
    assert json.loads(handle.token) == ["build", "https://h.test/v1/operations/8", "the image"]


def test_another_answer_that_names_one_is_not(both: Both, accepted: Response) -> None:
    running = told("Running", headers={"operation-location": "/v1/operations/8", "location": "/v1/images/1"})
    client = both.build(StatusUrl(Image, STATES), accepted, running, told("Succeeded", name="one"))

    both.get(client.build())

    assert both.asked(client)[1:] == ["GET /v1/operations/7"] * 2


def test_a_header_goes_before_a_place_in_the_body(both: Both) -> None:
    answer = json_response({"at": "/v1/operations/8"}, 202, {"location": "/v1/operations/7"})
    client = both.build(StatusUrl(Image, link="at"), answer, ONE)

    both.get(client.build())

    assert both.asked(client)[1] == "GET /v1/operations/7"


@pytest.mark.parametrize("junk", [7, True, ["/v1/operations/7"], {"href": "/v1/operations/7"}], ids=repr)
def test_a_place_that_is_no_text_breaks_the_contract(both: Both, accepted: Response, junk: Any) -> None:
    start = both.build(StatusUrl(Image, link="at"), json_response({"at": junk}))
    result = both.build(StatusUrl(Image, STATES, result=Result(link="at")), accepted, told("Succeeded", at=junk))

    for client in (start, result):
        with pytest.raises(ContractError, match="nowhere"):
            both.get(client.build())


def test_but_not_to_another_origin(both: Both, accepted: Response) -> None:
    client = both.build(StatusUrl(Image), accepted, Response(202, {"location": "https://evil.test/"}))

    with pytest.raises(ContractError, match="another origin"):
        both.get(client.build())


def test_the_url_of_a_resource_may_be_that_of_its_state(both: Both) -> None:
    style = StatusUrl(dict[str, Any], States({"ACTIVE"}, failed={"ERROR"}))

    class Cloud(Service):
        @job(style)
        async def create(self, name: str) -> JobState[dict[str, Any]]:
            await self.send(Request("PUT", self.url("nodes", name)))
            return style.at(self.url("nodes", name), f"create {name}")

    answers = [Response(201), told("BUILD"), told("ACTIVE", ip="::1")]
    client = both.client(Cloud, answers)

    handle = both.get(client.create.start("a/b"))

    assert both.get(handle.result()) == {"status": "ACTIVE", "ip": "::1"}
    assert json.loads(handle.token) == ["create", "https://h.test/v1/nodes/a%2Fb", "create a/b"]
    assert both.asked(client) == ["PUT /v1/nodes/a%2Fb", *["GET /v1/nodes/a%2Fb"] * 2]


# --- tokens


def test_a_token_takes_the_job_up_in_another_process(both: Both) -> None:
    style = StatusUrl(Image, STATES, result=Result(header="location"))
    answer = Response(202, {"operation-location": "/v1/operations/7", "location": "/v1/images/one"})
    token = both.get(both.build(style, answer).build.start()).token

    elsewhere = both.build(style, told("Running"), told("Succeeded"), ONE)

    assert both.get(elsewhere.build.resume(token).result()) == Image(name="one")
    assert both.asked(elsewhere) == ["GET /v1/operations/7"] * 2 + ["GET /v1/images/one"]


@pytest.mark.parametrize(
    "token",
    [
        ["build", "https://evil.test/v1/operations/7", ""],
        ["build", "//evil.test/", ""],
        ["build", "http://h.test/v1/operations/7", ""],
        ["build", "file:///etc/passwd", ""],
        ["build", "/" + "x" * 20_000, ""],
    ],
    ids=lambda token: token[1][:24],
)
def test_a_planted_token_leads_nowhere(both: Both, token: list[str]) -> None:
    client = both.build(StatusUrl(Image))

    with pytest.raises(ContractError):
        both.get(client.build.resume(json.dumps(token)).result())
    assert both.asked(client) == []


def test_nor_does_a_planted_place_of_the_result(both: Both) -> None:
    client = both.build(StatusUrl(Image, STATES, result=Result(header="location")), told("Succeeded"))
    token = json.dumps(["build", "/v1/operations/7", "", "https://evil.test/"])

    with pytest.raises(ContractError, match="another origin"):
        both.get(client.build.resume(token).result())
    assert both.asked(client) == ["GET /v1/operations/7"]


# --- what the states mean


@pytest.mark.parametrize("word", ["Succeeded", "succeeded", "SUCCEEDED"])
def test_case_does_not_count(both: Both, accepted: Response, word: str) -> None:
    client = both.build(StatusUrl(Image, STATES), accepted, told(word, name="one"))

    assert both.get(client.build()) == Image(name="one")


def test_unless_it_is_said_to(both: Both, accepted: Response) -> None:
    style = StatusUrl(Image, States({"Done"}, failed={"DONE"}, ignore_case=False))
    client = both.build(style, accepted, told("done"), told("Done", name="one"))

    assert both.get(client.build()) == Image(name="one")
    assert len(both.asked(client)) == 3


def test_a_word_that_nobody_knows_means_that_the_job_runs_while_there_is_time(both: Both, accepted: Response) -> None:
    client = both.build(StatusUrl(Image, STATES, timeout=10), accepted, otherwise=told("Levitating"))
    handle = both.get(client.build.start())

    with pytest.raises(JobTimeoutError):
        both.get(handle.result())

    assert handle.state == "Levitating"
    assert client.runtime.elapsed == 10


@pytest.mark.parametrize(
    ("field", "answer"),
    [
        ("properties.state", {"properties": {"state": "Succeeded"}}),
        ("steps.1.state", {"steps": [{"state": "Running"}, {"state": "Succeeded"}]}),
        (("@odata.status",), {"@odata.status": "Succeeded"}),
        (("a.b", "0", "c.d"), {"a.b": [{"c.d": "Succeeded"}]}),
    ],
)
def test_the_state_may_be_anywhere(both: Both, accepted: Response, field: FieldPath, answer: Any) -> None:
    style = StatusUrl(NO_RESULT, STATES, StateFields(state=field))

    assert both.get(both.build(style, accepted, json_response(answer)).build()) is None
    with pytest.raises(DecodeError, match="no state"):
        both.get(both.build(style, accepted, json_response({"steps": [{"state": "Succeeded"}]})).build())


def test_names_with_dots_in_them_are_written_one_by_one(both: Both, accepted: Response) -> None:
    fields = StateFields(
        progress=("done.percent",), code=("code", ("odata.error", "code")), text=(("odata.error", "message"),)
    )
    style = StatusUrl(Image, STATES, fields, result=Result(field=("the.image",)), link=("urls.v1", "get"))
    start = json_response({"urls.v1": {"get": "/v1/operations/7"}})
    half = json_response({"status": "Running", "done.percent": 50})
    done = json_response({"status": "Succeeded", "the.image": {"name": "one"}, "image.url": "/v1/images/one"})
    failed = json_response({"status": "Failed", "odata.error": {"code": 9, "message": "no disk"}})
    client = both.build(style, start, half, done)
    elsewhere = StatusUrl(Image, STATES, result=Result(link=("image.url",)))
    handle = both.get(client.build.start())

    assert both.get(handle.poll()) is False
    assert handle.progress == 0.5
    assert both.get(handle.result()) == Image(name="one")
    with pytest.raises(JobFailedError) as caught:
        both.get(both.build(style, accepted, failed).build())
    assert (caught.value.code, caught.value.text) == (9, "no disk")
    assert both.get(both.build(elsewhere, accepted, done, ONE).build()) == Image(name="one")


@pytest.mark.parametrize("word", [" Succeeded", "Succeeded ", "\tsucceeded\r\n"])
def test_blanks_around_a_word_do_not_count(both: Both, accepted: Response, word: str) -> None:
    assert both.get(both.build(StatusUrl(NO_RESULT, STATES), accepted, told(word)).build()) is None


def test_the_state_may_be_a_boolean_that_is_left_out_while_it_is_false(both: Both, accepted: Response) -> None:
    fields = StateFields(state="done", unsaid="false", sign="error")
    style = StatusUrl(Image, States({"true"}, ignore_case=False), fields, result=Result(field="response"))
    done = json_response({"done": True, "response": {"name": "one"}})
    failed = json_response({"done": True, "error": {"code": 9, "message": "no disk"}})

    client = both.build(style, accepted, json_response({}), json_response({"done": False}), done)
    assert both.get(client.build()) == Image(name="one")
    assert len(both.asked(client)) == 4
    with pytest.raises(JobFailedError, match="no disk") as caught:
        both.get(both.build(style, accepted, failed).build())
    assert caught.value.code == 9


def test_the_state_may_be_a_number(both: Both, accepted: Response) -> None:
    style = StatusUrl(NO_RESULT, States({"2"}, failed={"-1"}))

    assert both.get(both.build(style, accepted, told(0), told(1), told(2)).build()) is None
    with pytest.raises(JobFailedError):
        both.get(both.build(style, accepted, told(-1)).build())


@pytest.mark.parametrize(
    "answer",
    [
        json_response([]),
        told({"is": "Succeeded"}),
        told(["Succeeded"]),
        told(["Running"], status=202),
        told(2.5),
        Response(200, body=b"<html>Sign in</html>"),
        Response(200, body=b"\xff"),
        Response(200),
    ],
    ids=lambda answer: answer.body[:24],
)
def test_an_answer_without_a_state_cannot_be_read(both: Both, accepted: Response, answer: Response) -> None:
    for fields in (StateFields(), StateFields(unsaid="Running")):
        client = both.build(StatusUrl(Image, STATES, fields), accepted, answer)
        with pytest.raises(DecodeError, match="no state"):
            both.get(client.build())


@pytest.mark.parametrize("answer", [json_response({}), json_response({"status": None})], ids=["none", "null"])
def test_one_that_names_none_has_the_state_that_is_meant_by_that(
    both: Both, accepted: Response, answer: Response
) -> None:
    unsaid = StatusUrl(NO_RESULT, STATES, StateFields(unsaid="Succeeded"))

    with pytest.raises(DecodeError, match="no state"):
        both.get(both.build(StatusUrl(NO_RESULT, STATES), accepted, answer).build())
    assert both.get(both.build(unsaid, accepted, answer).build()) is None


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>"])
def test_a_202_needs_no_state(both: Both, accepted: Response, body: bytes) -> None:
    client = both.build(StatusUrl(Image, STATES), accepted, Response(202, body=body), told("Succeeded", name="one"))

    assert both.get(client.build()) == Image(name="one")


@pytest.mark.parametrize("status", [200, 201, 204, 206])
def test_without_states_every_2xx_but_a_202_means_that_it_is_done(both: Both, accepted: Response, status: int) -> None:
    client = both.build(StatusUrl(NO_RESULT), accepted, RUNNING, Response(status))

    assert both.get(client.build()) is None
    assert len(both.asked(client)) == 3


def test_an_error_may_mean_a_state(both: Both, accepted: Response) -> None:
    style = StatusUrl(NO_RESULT, States({"DELETED", "404"}, pending={"409"}, failed={"410"}))
    problem = json_response({"title": "It is stuck", "type": "https://h/stuck"}, 410)

    deleted = both.build(style, accepted, told("DELETING"), Response(409), Response(404))
    assert both.get(deleted.build()) is None
    assert len(both.asked(deleted)) == 4
    with pytest.raises(JobFailedError) as caught:
        both.get(both.build(style, accepted, problem).build())
    assert (caught.value.status, caught.value.code, caught.value.text) == (410, "https://h/stuck", "It is stuck")


@pytest.mark.parametrize(("status", "kind"), [(404, NotFoundError), (401, UnauthorizedError), (409, ConflictError)])
def test_one_that_means_none_is_raised(both: Both, accepted: Response, status: int, kind: type[Exception]) -> None:
    for style in (StatusUrl(Image, STATES), StatusUrl(Image)):
        with pytest.raises(kind) as caught:
            both.get(both.build(style, accepted, Response(status)).build())
        assert not isinstance(caught.value, JobFailedError)


# --- failure


@pytest.mark.parametrize(
    ("answer", "code", "text"),
    [
        ({"error": {"code": "DiskFull", "message": "no room"}}, "DiskFull", "no room"),
        ({"error": {"code": 7, "message": ""}}, 7, None),
        ({"error": "no room"}, None, "no room"),
        ({"type": "https://h/disk-full", "title": "Disk full", "detail": "no room"}, "https://h/disk-full", "no room"),
        ({"type": "about:blank", "title": "Disk full"}, None, "Disk full"),
        ({"error": {"type": "https://h/disk-full", "title": "Disk full"}}, "https://h/disk-full", "Disk full"),
        ({"code": True, "message": ["no"]}, None, None),
        ({}, None, None),
    ],
)
def test_a_failure_carries_the_services_own_error(
    both: Both, accepted: Response, answer: dict[str, Any], code: Any, text: Any
) -> None:
    failed = told("Failed", **answer)
    client = both.build(StatusUrl(Image, STATES), accepted, failed)

    with pytest.raises(JobFailedError, match="ended as 'Failed'") as caught:
        both.get(client.build())

    error = caught.value
    assert type(error) is JobFailedError
    assert (error.code, error.text, error.status, error.response) == (code, text, 200, failed)
    assert text is None or text in str(error)
    assert error.call is not None
    assert (error.call.operation, error.call.method, error.call.url, error.call.attempts) == (
        "the image",
        "GET",
        "https://h.test/v1/operations/7",
        1,
    )


def test_it_may_be_hidden_anywhere(both: Both, accepted: Response) -> None:
    fields = StateFields(code=("faults.0.no",), text=("faults.0.says",))
    failed = told("Failed", code="wrong", message="wrong", faults=[{"no": 7, "says": "no room"}])

    with pytest.raises(JobFailedError) as caught:
        both.get(both.build(StatusUrl(Image, STATES, fields), accepted, failed).build())

    assert (caught.value.code, caught.value.text) == (7, "no room")


def test_a_cancelled_job_is_an_error_of_its_own(both: Both, accepted: Response) -> None:
    with pytest.raises(JobCancelledError):
        both.get(both.build(StatusUrl(Image, STATES), accepted, told("canceled")).build())


def test_a_service_that_rambles_does_not_flood_the_message(both: Both, accepted: Response) -> None:
    style = StatusUrl(Image, States({"ok"}, failed={"x" * 1000}))
    client = both.build(style, accepted, told("x" * 1000, message="line\nbreak" * 1000))

    with pytest.raises(JobFailedError) as caught:
        both.get(client.build())

    assert len(caught.value.message) < 600
    assert "\n" not in caught.value.message
    assert caught.value.text == "line\nbreak" * 1000


# --- progress, and when to ask


@pytest.mark.parametrize(
    ("said", "whole", "part"),
    [
        (25, 100, 0.25),
        (0.25, 1, 0.25),
        (0, 100, 0.0),
        (250, 100, 1.0),
        (-3, 100, 0.0),
        (10**18, 100, 1.0),
        ("25", 100, None),
        (True, 1, None),
        (None, 100, None),
    ],
)
def test_progress_is_a_part_of_one(both: Both, accepted: Response, said: Any, whole: float, part: Any) -> None:
    style = StatusUrl(Image, STATES, StateFields(progress="done.part", whole=whole))
    client = both.build(style, accepted, told("Running", done={"part": said}), told("Succeeded", name="one"))
    heard: list[JobPolled] = []

    both.get(both.get(client.build.start()).result(progress=heard.append))

    assert [event.progress for event in heard] == [part, None if part is None else 1.0]
    assert [event.state for event in heard] == ["Running", ""]


def test_retry_after_is_heeded_on_the_first_answer_and_on_polls(both: Both) -> None:
    accepted = Response(202, {"location": "/x", "retry-after": "7"})
    dated = {"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT", "date": "Tue, 14 Nov 2023 22:13:20 GMT"}
    client = both.build(StatusUrl(Image, jitter=0), accepted, Response(202, dated), RUNNING, ONE)

    both.get(client.build())

    first, second, third = client.runtime.sleeps
    assert 7 <= first <= 7.7
    assert 30 <= second <= 33
    assert third == 2


# --- where the result is


def test_the_result_may_be_a_part_of_the_answer(both: Both, accepted: Response) -> None:
    style = StatusUrl(Image, STATES, result=Result(field="outcome.images.0"))
    answers = [accepted, told("Succeeded", outcome={"images": [{"name": "one"}]})]

    assert both.get(both.build(style, *answers).build()) == Image(name="one")
    with pytest.raises(DecodeError):
        both.get(both.build(style, accepted, told("Succeeded")).build())


def test_it_may_be_where_the_answer_says(both: Both, accepted: Response) -> None:
    style = StatusUrl(Image, STATES, result=Result(link="resourceLocation", field="properties"))
    linked = both.build(style, accepted, told("Succeeded", resourceLocation="/v1/images/1"), ONE)
    inside = both.build(style, accepted, told("Succeeded", properties={"name": "one"}))

    assert both.get(linked.build()) == both.get(inside.build()) == Image(name="one")
    assert both.asked(linked)[-1] == "GET /v1/images/1"
    assert len(both.asked(inside)) == 2


def test_it_may_be_where_a_header_of_the_last_answer_says_or_of_the_first(both: Both) -> None:
    style = StatusUrl(Image, STATES, result=Result(header="Location"))
    first = Response(202, {"operation-location": "/v1/operations/7", "location": "/v1/images/1"})
    last = told("Succeeded", headers={"location": "../images/2"})

    of_the_first, of_the_last = both.build(style, first, told("Succeeded"), ONE), both.build(style, first, last, ONE)

    for client, number in ((of_the_first, 1), (of_the_last, 2)):
        assert both.get(client.build()) == Image(name="one")
        assert both.asked(client)[-1] == f"GET /v1/images/{number}"


def test_it_may_be_where_the_job_was_asked_for(both: Both) -> None:
    style = StatusUrl(Image, STATES, result=Result(start=True))
    accepted = Response(201, {"azure-asyncoperation": "/v1/operations/7"}, b"{}")
    client = both.build(style, accepted, told("Succeeded"), ONE, method="PUT")
    at_once = both.build(style, Response(200), ONE, method="PUT")

    assert both.get(client.build()) == both.get(at_once.build()) == Image(name="one")
    assert both.asked(client)[-1] == both.asked(at_once)[-1] == "GET /v1/images/one"


@pytest.mark.parametrize("status", [302, 303])
@pytest.mark.parametrize("drops", [(), (Without("redirect"),)], ids=["redirects followed", "or not"])
@pytest.mark.parametrize("place", ["/v1/images/1", "/v1/operations/7?view=result"])
def test_the_state_may_redirect_to_it(
    both: Both, accepted: Response, status: int, drops: tuple[Any, ...], place: str
) -> None:
    style = StatusUrl(dict[str, str], STATES, result=Result(redirect=True))
    there = Response(status, {"location": place})
    answers = [accepted, told("Running"), there, told("on display")]  # whose status is no state of the job
    client = both.build(style, *answers, plugins=drops)

    assert both.get(client.build()) == {"status": "on display"}
    assert both.asked(client)[2:] == ["GET /v1/operations/7", f"GET {place}"]


@pytest.mark.parametrize("drops", [(), (Without("redirect"),)], ids=["redirects followed", "or not"])
def test_an_error_in_place_of_the_result_is_no_state(both: Both, accepted: Response, drops: tuple[Any, ...]) -> None:
    style = StatusUrl(dict[str, str], States({"Succeeded", "404"}), result=Result(redirect=True))
    there = Response(303, {"location": "/v1/images/1"})
    client = both.build(style, accepted, there, json_response({"no": "image"}, 404), plugins=drops)

    with pytest.raises(NotFoundError):
        both.get(client.build())


def test_what_a_poll_asks_besides_is_no_redirect_of_a_state_that_was_kept(both: Both) -> None:
    class Greeting(StatusUrl[dict[str, str]]):
        async def poll(self, service: Any, job: Pending) -> JobState[dict[str, str]]:
            await service.greet()
            return await super().poll(service, job)

    style = Greeting(dict[str, str], STATES, result=Result(redirect=True))

    class Forge(Service):
        @operation
        async def greet(self) -> bytes:
            return (await self.send(Request("GET", self.url("hello")))).content

        @job(style)
        async def build(self) -> Any:
            return await style.start(self, Request("POST", self.url("images", "one")), "the image")

    states = [told("Succeeded", name="one"), told("Running", headers={"cache-control": "max-age=5"})]

    def answer(request: Request) -> Response:
        if request.method == "POST":
            return Response(202, {"location": "/v1/operations/7"})
        return states.pop() if "operations" in request.target else Response(200)

    client = both.client(Forge, otherwise=answer, cache=Cache())

    assert both.get(client.build())["name"] == "one"
    asked = both.asked(client)
    assert asked.count("GET /v1/operations/7") == 2
    assert asked.count("GET /v1/hello") > 2  # so that a poll was answered by what was kept


def test_what_a_poll_sends_before_the_state_is_no_state_of_it(both: Both, accepted: Response) -> None:
    class Greeting(StatusUrl[dict[str, str]]):
        async def poll(self, service: Any, job: Pending) -> JobState[dict[str, str]]:
            await service.send(Request("GET", service.url("hello")))
            return await super().poll(service.with_options(read_timeout=5), job)

    there = Response(303, {"location": "/v1/images/1"})
    answers = [accepted, Response(200), told("Running"), Response(200), there, told("on display")]
    client = both.build(Greeting(dict[str, str], STATES, result=Result(redirect=True)), *answers)

    assert both.get(client.build()) == {"status": "on display"}
    assert both.asked(client)[-3:] == ["GET /v1/hello", "GET /v1/operations/7", "GET /v1/images/1"]


def test_the_result_that_the_state_redirects_to_may_be_kept_already(both: Both) -> None:
    style = StatusUrl(dict[str, str], STATES, result=Result(redirect=True))

    class Forge(Service):
        @operation
        async def image(self) -> bytes:
            return (await self.send(Request("GET", self.url("images", "1")))).content

        @job(style)
        async def build(self) -> Any:
            return await style.start(self, Request("POST", self.url("images", "one")), "the image")

    def answer(request: Request) -> Response:
        if request.method == "POST":
            return Response(202, {"location": "/v1/operations/7"})
        if "operations" in request.target:
            return Response(303, {"location": "/v1/images/1"})
        return told("on display", headers={"cache-control": "max-age=60"})

    client = both.client(Forge, otherwise=answer, cache=Cache())
    both.get(client.image())

    assert both.get(client.build()) == {"status": "on display"}
    assert both.asked(client).count("GET /v1/images/1") == 1


def test_a_step_that_spells_the_url_in_another_way_redirects_nothing(both: Both) -> None:
    style = StatusUrl(dict[str, str], STATES, result=Result(redirect=True))
    signer = SigV4(AwsCredentials("AK", "secret"), "eu-central-1", "s3")  # which writes a colon as %3A
    accepted = Response(202, {"location": "/v1/operations/arn:7"})
    client = both.build(style, accepted, told("Running"), told("Succeeded", name="one"), plugins=[signer])

    assert both.get(client.build()) == {"status": "Succeeded", "name": "one"}
    assert both.asked(client)[-1] == "GET /v1/operations/arn%3A7"


@pytest.mark.parametrize("result", [Result(), Result(redirect=True)])
@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_state_that_has_moved_is_no_result(both: Both, accepted: Response, status: int, result: Result) -> None:
    moved = Response(status, {"location": "/v2/operations/7"})
    style = StatusUrl(Image, STATES, result=result)
    client = both.build(style, accepted, moved, told("Running"), told("Succeeded", name="one"))

    assert both.get(client.build()) == Image(name="one")


@pytest.mark.parametrize("place", ["https://evil.test/x", "file:///etc/passwd"])
def test_a_result_elsewhere_is_not_fetched(both: Both, accepted: Response, place: str) -> None:
    by_link = both.build(StatusUrl(Image, STATES, result=Result(link="at")), accepted, told("Succeeded", at=place))
    by_header = both.build(
        StatusUrl(Image, STATES, result=Result(header="location")),
        Response(202, {"operation-location": "/v1/operations/7", "location": place}),
    )

    for client in (by_link, by_header):
        with pytest.raises(ContractError):
            both.get(client.build())
        assert all(request.url.origin.host == "h.test" for request in client._wiring.transport.requests)


def test_a_result_that_cannot_be_fetched_now_is_fetched_with_the_next_poll(both: Both, accepted: Response) -> None:
    style = StatusUrl(Image, STATES, result=Result(link="at"))
    done = told("Succeeded", at="/v1/images/1")
    client = both.build(style, accepted, done, Response(503), done, ONE)

    assert both.get(client.build()) == Image(name="one")


# --- cancelling


@pytest.mark.parametrize(
    ("cancel", "asked"),
    [
        (CancelRequest(), "DELETE /v1/operations/7?v=2"),
        (CancelRequest("POST", "/cancel"), "POST /v1/operations/7/cancel?v=2"),
        (CancelRequest("POST", ":cancel"), "POST /v1/operations/7:cancel?v=2"),
    ],
)
def test_a_job_is_cancelled_at_the_url_of_its_state(both: Both, cancel: CancelRequest, asked: str) -> None:
    accepted = Response(202, {"location": "/v1/operations/7?v=2"})
    client = both.build(StatusUrl(Image, STATES, cancel=cancel), accepted, Response(204), told("Canceled"))
    handle = both.get(client.build.start())

    both.get(handle.cancel())

    assert both.asked(client)[-1] == asked
    assert client._wiring.transport.requests[-1].is_idempotent
    with pytest.raises(JobCancelledError):
        both.get(handle.result())


def test_nor_are_jobs_of_a_planted_token_cancelled_elsewhere(both: Both) -> None:
    client = both.build(StatusUrl(Image, cancel=CancelRequest()))
    handle = client.build.resume('["build", "https://evil.test/x", ""]')

    with pytest.raises(ContractError, match="another origin"):
        both.get(handle.cancel())
    assert both.asked(client) == []


def test_without_a_way_to_cancel_that_is_said(both: Both, accepted: Response) -> None:
    handle = both.get(both.build(StatusUrl(Image), accepted).build.start())

    with pytest.raises(UsageError, match="cannot be cancelled"):
        both.get(handle.cancel())


# --- data that makes no sense


@pytest.mark.parametrize(
    "make",
    [
        lambda: States([]),
        lambda: States("done"),
        lambda: States({"done"}, failed="failed"),
        lambda: States({"done"}, failed={"Done"}),
        lambda: States({"done"}, pending={"done"}),
        lambda: StatusUrl(Image, STATES, StateFields(whole=0)),
        lambda: StatusUrl(Image, STATES, StateFields(whole=float("nan"))),
        lambda: StatusUrl(Image, STATES, StateFields(code="error.code")),  # type: ignore[arg-type]  # that is it
        lambda: StatusUrl(Image, STATES, StateFields(text="error.code")),  # type: ignore[arg-type]  # that is it
        lambda: StatusUrl(Image, STATES, StateFields(state="a..b")),
        lambda: StatusUrl(Image, STATES, StateFields(progress=("a", ""))),
        lambda: StatusUrl(Image, STATES, StateFields(sign=".")),
        lambda: StatusUrl(Image, STATES, StateFields(text=("error", ""))),
        lambda: StatusUrl(Image, STATES, StateFields(code=(("a.b", ""),))),
        lambda: StatusUrl(Image, STATES, result=Result(field="a.")),
        lambda: StatusUrl(Image, STATES, result=Result(link=("",))),
        lambda: StatusUrl(Image, STATES, link="urls..get"),
        lambda: StatusUrl(Image, interval=-1),
    ],
)
def test_what_makes_no_sense_is_refused_when_the_style_is_made(make: Any) -> None:
    with pytest.raises(ConfigurationError):
        make()


# --- whatever the service says

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["status", "error", "at", "p"]), inner),
    max_leaves=8,
)
_ANSWERS = st.builds(
    json_response,
    st.dictionaries(st.sampled_from(["status", "error", "at", "p", "code"]), _JSON | st.sampled_from(["Failed", "/x"])),
    st.sampled_from([200, 202, 204, 404, 500, 503]),
    st.dictionaries(
        st.sampled_from(["location", "retry-after"]), st.sampled_from(["/a", "//b", "0", "5", "99999", "x"])
    ),
)


@given(answers=st.lists(_ANSWERS, max_size=8))
@settings(deadline=None, max_examples=100)
def test_whatever_it_answers_there_is_a_result_or_a_typed_error_within_the_time(answers: list[Response]) -> None:
    style = StatusUrl(
        NO_RESULT,
        STATES,
        StateFields(progress="p", sign="error", unsaid="Running"),
        result=Result(link="at"),
        link="at",
        timeout=60,
    )

    class Forge(Service):
        @job(style)
        async def build(self) -> JobState[None]:
            return await style.start(self, Request("POST", self.url("images")))

    class ForgeClient(Forge, Client): ...

    runtime = VirtualSyncRuntime()
    transport = FakeTransport(answers, otherwise=Response(202))
    client = ForgeClient("https://h.test/v1", transport=transport, runtime=runtime)

    try:
        client.build()
    except JackfieldError:
        pass

    assert runtime.elapsed <= 60
    assert all(request.url.origin.host == "h.test" for request in transport.requests)
