"""Errors by meaning (specification 2.3): their classes, what they carry, and the hints they give."""

from __future__ import annotations

import copy
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest

import jackfield_services.cloudstack as package
import jackfield_services.cloudstack._errors as errors
import jackfield_services.cloudstack._job_errors as job_errors
from jackfield import (
    BadRequestError,
    ConflictError,
    DecodeError,
    ForbiddenError,
    JackfieldError,
    JobFailedError,
    NotFoundError,
    RateLimitedError,
    Request,
    Response,
    ServiceError,
    UnauthorizedError,
    UnavailableError,
)
from jackfield.testing import FakeTransport, VirtualSyncRuntime, json_response
from jackfield_services.cloudstack import (
    CloudStack,
    CloudStackAllocationError,
    CloudStackCapacityError,
    CloudStackClientException,
    CloudStackConflictError,
    CloudStackDecodeError,
    CloudStackGatewayError,
    CloudStackInUseError,
    CloudStackJobAllocationError,
    CloudStackJobCapacityError,
    CloudStackJobConflictError,
    CloudStackJobError,
    CloudStackJobInUseError,
    CloudStackJobLimitError,
    CloudStackJobParameterError,
    CloudStackJobPermissionError,
    CloudStackJobUnavailableError,
    CloudStackLimitError,
    CloudStackMaintenanceError,
    CloudStackMethodError,
    CloudStackParameterError,
    CloudStackPermissionError,
    CloudStackRateLimitedError,
    CloudStackSecondFactorError,
    CloudStackTooLongError,
    CloudStackUnauthorizedError,
    CloudStackUnavailableError,
    CloudStackUnknownCommandError,
    CloudStackUnknownJobError,
    Login,
)

if TYPE_CHECKING:
    from tests.jackfield_services.cloudstack.conftest import Converse

UUID = "0d9c4d1c-4b37-4f4c-8b3c-0c2b7a3f7a11"


def refusal(
    code: int, text: str = "no", *, status: int | None = None, key: str = "xresponse", **fields: Any
) -> Response:
    """An answer as the server refuses with; `status` where it is not the code."""
    said: dict[str, Any] = {"uuidList": [], "errorcode": code, "errortext": text, **fields}
    return json_response({key: said}, code if status is None else status)


def client_of(*answers: Response | Exception, **options: Any) -> CloudStack:
    options.setdefault("runtime", VirtualSyncRuntime())
    return CloudStack("http://cloud.test/client/api", "key", "secret", transport=FakeTransport(answers), **options)


def error_of(
    *answers: Response, command: str = "destroyVirtualMachine", **parameters: Any
) -> CloudStackClientException:
    with pytest.raises(CloudStackClientException) as caught:
        client_of(*answers).request(command, **parameters)
    return caught.value


@pytest.mark.parametrize(
    ("code", "kind", "also"),
    [
        (401, CloudStackUnauthorizedError, UnauthorizedError),
        (405, CloudStackMethodError, ServiceError),
        (411, CloudStackSecondFactorError, UnauthorizedError),
        (430, CloudStackParameterError, BadRequestError),
        (431, CloudStackParameterError, BadRequestError),
        (432, CloudStackUnknownCommandError, NotFoundError),
        (503, CloudStackMaintenanceError, UnavailableError),
        (530, CloudStackClientException, ServiceError),
        (531, CloudStackPermissionError, ForbiddenError),
        (532, CloudStackLimitError, ForbiddenError),
        (533, CloudStackCapacityError, UnavailableError),
        (534, CloudStackUnavailableError, UnavailableError),
        (535, CloudStackAllocationError, ForbiddenError),
        (536, CloudStackInUseError, ConflictError),
        (537, CloudStackConflictError, ConflictError),
        (599, CloudStackClientException, ServiceError),
    ],
)
def test_an_error_code_has_its_class_which_is_one_of_the_cores_too(
    converse: Converse, code: int, kind: type[CloudStackClientException], also: type[ServiceError]
) -> None:
    transport = FakeTransport([refusal(code)])

    with pytest.raises(kind) as caught:
        converse(lambda cs: cs.destroyVirtualMachine(id="1"), transport=transport)

    assert type(caught.value) is kind
    assert isinstance(caught.value, also)
    assert (caught.value.error_code, caught.value.code, caught.value.status) == (code, code, code)
    assert len(transport.requests) == 1


@pytest.mark.parametrize(
    ("cs_code", "kind"),
    [
        (4250, CloudStackClientException),
        (4280, CloudStackLimitError),
        (4285, CloudStackUnavailableError),
        (4290, CloudStackUnauthorizedError),
        (4295, CloudStackSecondFactorError),
        (4300, CloudStackConflictError),
        (4305, CloudStackConflictError),
        (4320, CloudStackCapacityError),
        (4325, CloudStackCapacityError),
        (4330, CloudStackCapacityError),
        (4331, CloudStackCapacityError),
        (4335, CloudStackCapacityError),
        (4340, CloudStackCapacityError),
        (4350, CloudStackParameterError),
        (4360, CloudStackConflictError),
        (4365, CloudStackPermissionError),
        (4370, CloudStackAllocationError),
        (4375, CloudStackInUseError),
        (4380, CloudStackUnavailableError),
        (4385, CloudStackUnavailableError),
        (4545, CloudStackRateLimitedError),
        (4550, CloudStackConflictError),
        (9999, CloudStackClientException),
    ],
)
def test_cserrorcode_tells_what_an_internal_error_means(cs_code: int, kind: type[CloudStackClientException]) -> None:
    error = error_of(refusal(530, cserrorcode=cs_code))

    assert type(error) is kind
    assert (error.error_code, error.cs_error_code) == (530, cs_code)


@pytest.mark.parametrize(
    ("code", "cs_code", "kind"),
    [
        (431, 4350, CloudStackParameterError),
        (431, 9999, CloudStackParameterError),
        (431, 4375, CloudStackInUseError),
        (531, 4365, CloudStackPermissionError),
        (531, 4280, CloudStackLimitError),
        (533, 4350, CloudStackCapacityError),
        (537, 4250, CloudStackConflictError),
        (599, 4370, CloudStackAllocationError),
        (401, 9999, CloudStackUnauthorizedError),
    ],
)
def test_cserrorcode_refines_what_is_general_and_nothing_else(
    code: int, cs_code: int, kind: type[CloudStackClientException]
) -> None:
    assert type(error_of(refusal(code, cserrorcode=cs_code))) is kind


def test_an_error_carries_all_that_cloudstack_says_of_it() -> None:
    named = [{"uuid": UUID, "description": "the zone"}]

    error = error_of(refusal(431, "bad zone", cserrorcode="4350", uuidList=named), command="deployVirtualMachine")

    assert (error.http_status, error.status, error.error_code, error.cs_error_code) == (431, 431, 431, 4350)
    assert (error.error_text, error.text, error.uuid_list) == ("bad zone", "bad zone", named)
    assert (error.command, error.job_id) == ("deployVirtualMachine", None)
    assert error.call is not None
    assert error.call.operation == "deployVirtualMachine"


@pytest.mark.parametrize("key", ["destroyvirtualmachineresponse", "errorresponse", "null"])
def test_whatever_key_the_error_stands_under_it_is_found(key: str) -> None:
    error = error_of(refusal(431, "bad id", key=key))

    assert (error.error_code, error.error_text) == (431, "bad id")


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        ({"message": "no Route matched"}, 530, None),
        ({"xresponse": {}}, 530, None),
        ({"xresponse": {"errorcode": "431", "errortext": 5}}, 431, None),
        ({"xresponse": {"errorcode": True, "errortext": "t"}}, 530, "t"),
        ({"xresponse": {"errorcode": None, "uuidList": {"a": 1}, "cserrorcode": []}}, 530, None),
        ({"xresponse": {"errorcode": "9" * 50, "uuidList": [1, "a", None]}}, 530, None),
        ({}, 530, None),
    ],
)
def test_what_an_error_says_wrongly_is_not_believed(body: Any, code: int, text: str | None) -> None:
    error = error_of(json_response(body, 530))

    assert (error.error_code, error.error_text, error.uuid_list) == (code, text, [])


def test_the_answer_of_an_error_is_a_response_and_reads_like_a_dictionary() -> None:
    error = error_of(refusal(431, "bad id", cserrorcode=4350))

    answer: Any = error.response
    assert (answer["errortext"], answer.get("cserrorcode"), answer.get("other", 5)) == ("bad id", 4350, 5)
    assert sorted(answer) == ["cserrorcode", "errorcode", "errortext", "uuidList"]
    assert answer == {"uuidList": [], "errorcode": 431, "errortext": "bad id", "cserrorcode": 4350}
    assert answer == copy.copy(answer)
    assert answer != {}
    assert answer != answer.replace(status=432)
    assert answer
    assert (answer.status, len(answer)) == (431, 4)


def test_an_answer_without_json_reads_like_an_empty_dictionary() -> None:
    from jackfield_services.cloudstack._reply import Reply

    reply = Reply(502, {}, b"<html>")

    assert (dict(reply), bool(reply)) == ({}, True)
    assert hash(reply) == hash(Reply(502, {}, b"<html>"))


def test_an_error_survives_pickling_with_all_it_knows() -> None:
    error = error_of(refusal(431, "bad id", cserrorcode=4350, uuidList=[{"uuid": UUID, "description": "zone"}]))

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert str(again) == str(error)


def test_a_login_that_fails_is_a_matter_of_credentials() -> None:
    assert type(error_of(refusal(531, "Failed to authenticate user"), command="login")) is CloudStackUnauthorizedError


def test_an_unknown_or_purged_job_is_told_by_its_own_error() -> None:
    error = error_of(refusal(431), command="queryAsyncJobResult", jobid="7")

    assert type(error) is CloudStackUnknownJobError
    assert isinstance(error, CloudStackParameterError)
    assert isinstance(error, NotFoundError)
    assert error.job_id == "7"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("The given user has reached his/her account api limit, please retry after [1500] ms.", 1.5),
        ("please retry after [70]ms", 0.07),
        ("please retry after a while", None),
        (None, None),
    ],
)
def test_a_rate_limit_says_how_long_to_wait(text: str | None, seconds: float | None) -> None:
    with pytest.raises(CloudStackRateLimitedError) as caught:
        client_of(refusal(429, text), plugins=[]).with_options(retry=None).execute("listZones")  # type: ignore[arg-type]

    assert isinstance(caught.value, RateLimitedError)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (refusal(401), "expires"),
        (refusal(405), 'method="post"'),
        (refusal(411), "second_factor"),
        (json_response({"message": "no Route matched"}, 404), "end point is mostly"),
        (Response(404, body=b"<html>Not Found</html>"), "end point is mostly"),
        (Response(200, body=b"<html>Sign in</html>"), "end point is mostly"),
        (json_response([]), "end point is mostly"),
        (json_response({"status": "ok"}), "end point is mostly"),
        (Response(431, body=b"<html>Request Header Fields Too Large</html>"), 'method="post"'),
        (Response(414, body=b""), 'method="post"'),
        (Response(502, body=b"<html>Bad Gateway</html>"), "proxy"),
    ],
)
def test_an_error_hints_at_what_to_do(answer: Response, says: str) -> None:
    error = error_of(answer)

    assert says in "".join(traceback.format_exception(error))
    assert says not in str(error)  # which is as CloudStackAIO's


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, CloudStackDecodeError),
        (404, CloudStackDecodeError),
        (413, CloudStackTooLongError),
        (414, CloudStackTooLongError),
        (431, CloudStackTooLongError),
        (500, CloudStackDecodeError),
        (502, CloudStackGatewayError),
        (503, CloudStackGatewayError),
        (504, CloudStackGatewayError),
    ],
)
def test_what_is_no_json_is_never_taken_for_cloudstacks_own_error(status: int, kind: type[Exception]) -> None:
    error = error_of(Response(status, body=b"<html>"))

    assert type(error) is kind
    assert isinstance(error, DecodeError)
    assert isinstance(error, UnavailableError) is (kind is CloudStackGatewayError)
    assert (error.status, error.error_code, error.error_text) == (status, None if status == 200 else status, None)


JOB_ERRORS = [
    (431, None, CloudStackJobParameterError, CloudStackParameterError),
    (531, None, CloudStackJobPermissionError, CloudStackPermissionError),
    (532, None, CloudStackJobLimitError, CloudStackLimitError),
    (533, None, CloudStackJobCapacityError, CloudStackCapacityError),
    (534, None, CloudStackJobUnavailableError, CloudStackUnavailableError),
    (535, None, CloudStackJobAllocationError, CloudStackAllocationError),
    (536, None, CloudStackJobInUseError, CloudStackInUseError),
    (537, None, CloudStackJobConflictError, CloudStackConflictError),
    (530, 4335, CloudStackJobCapacityError, UnavailableError),
    (530, None, CloudStackJobError, CloudStackClientException),
]


@pytest.mark.parametrize(("code", "cs_code", "kind", "meaning"), JOB_ERRORS)
def test_a_failed_job_has_its_meaning_too(
    code: int, cs_code: int | None, kind: type[CloudStackJobError], meaning: type[JackfieldError]
) -> None:
    result = {"errorcode": code, "errortext": "no room", "cserrorcode": cs_code}
    ended = {"jobstatus": 2, "jobresultcode": 530, "jobresulttype": "object", "jobresult": result}
    answers = json_response({"deployresponse": {"jobid": "j"}}), json_response({"queryasyncjobresultresponse": ended})

    error = error_of(*answers, command="deployVirtualMachine")

    assert type(error) is kind
    assert isinstance(error, meaning)
    assert isinstance(error, JobFailedError)
    assert (error.error_code, error.error_text, error.cs_error_code) == (code, "no room", cs_code)
    assert (error.command, error.job_id) == ("deployVirtualMachine", "j")
    assert error.response == ended


def test_every_error_is_exported_and_has_a_docstring_that_says_when() -> None:
    defined = {kind for module in (errors, job_errors) for kind in vars(module).values() if isinstance(kind, type)}
    ours = {kind for kind in defined if issubclass(kind, CloudStackClientException)}

    assert {getattr(package, kind.__name__) for kind in ours} == ours
    assert {kind.__name__ for kind in ours} <= set(package.__all__)
    assert all(kind.__doc__ for kind in ours)


PAGE = b"<html><head><title>\n Welcome to nginx </title></head></html>"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Response(200, {"content-type": "text/html; charset=utf-8"}, PAGE), "200, text/html, 'Welcome to nginx': Cl"),
        (Response(200, body=b" \n"), "200, no content type, empty: CloudStack's end point is mostly"),
        (json_response({"status": "ok"}), "200, application/json: CloudStack's end point is mostly"),
        (
            Response(401, {"content-type": "text/html"}, b"<p>"),
            "401, text/html: a proxy in front of CloudStack that",
        ),
        (Response(503, body=b"<html>"), "503, no content type: a proxy in front of CloudStack, which cannot reach it"),
        (
            Response(502, body=b"<html>"),
            "502, no content type: a proxy in front of CloudStack, which got no answer",
        ),
        (Response(504, body=b"<html>"), "so it may have been processed: look before you send it again"),
    ],
)
def test_an_answer_of_something_else_is_told_as_it_looks(answer: Response, says: str) -> None:
    error = error_of(answer)

    assert says in error.hint
    assert error.__notes__[0] == error.hint


def test_what_only_reads_may_be_sent_again_whatever_a_proxy_says() -> None:
    error = error_of(*[Response(504, body=b"<html>")] * 9, command="getThing")

    assert "processed" not in error.hint


def test_an_answer_of_another_shape_does_not_make_the_end_point_doubtful() -> None:
    with pytest.raises(CloudStackDecodeError) as caught:
        client_of(json_response({"r": {"zone": [{"id": "1"}, {"id": "2"}], "count": 2}})).listZones(into=int)

    assert "end point" not in "".join(traceback.format_exception(caught.value))


def test_who_has_no_keys_is_told_so() -> None:
    client = CloudStack("http://cloud.test/client/api", transport=FakeTransport([refusal(401)]))

    with pytest.raises(CloudStackUnauthorizedError) as caught:
        client.listZones()

    assert caught.value.hint.startswith("this client has no keys and no login: nothing was signed")


@pytest.mark.parametrize("status", [401, 531])
def test_who_cannot_log_in_is_not_told_of_keys(status: int) -> None:
    transport = FakeTransport([refusal(status, "Failed to authenticate user")])
    client = CloudStack("https://cloud.test/client/api", login=Login("ann", "word"), transport=transport)

    with pytest.raises(CloudStackUnauthorizedError) as caught:
        client.listZones()

    assert caught.value.hint == "name, password or domain is wrong, or this user is disabled or locked"


def test_who_is_logged_in_is_not_told_of_keys() -> None:
    def respond(request: Request) -> Response:
        if request.method == "POST":
            return json_response({"r": {"sessionkey": "x"}}, headers={"Set-Cookie": "JSESSIONID=y"})
        return refusal(401)

    transport = FakeTransport(otherwise=respond)
    client = CloudStack("https://cloud.test/client/api", login=Login("ann", "word"), transport=transport)

    with pytest.raises(CloudStackUnauthorizedError) as caught:
        client.listZones()

    assert caught.value.hint.startswith("the session is good")


def test_errors_say_of_which_job_they_are() -> None:
    started = json_response({"r": {"jobid": "7"}})
    failed = json_response({"r": {"jobstatus": 2, "jobresult": {"errorcode": 530, "errortext": "boom"}}})
    gone = refusal(431, "no such job")

    assert "\njob 7, deployThing: " in "\n".join(["", *error_of(started, failed, command="deployThing").__notes__])
    purged = error_of(started, gone, command="deployThing")
    assert "look up what came of it" in purged.hint
    assert "this was a poll of the job 7 of deployThing" in purged.__notes__


@pytest.mark.parametrize("name", [name for name in package.__all__ if name.endswith(("Error", "Exception"))])
def test_errors_are_shown_by_the_names_that_people_import(name: str) -> None:
    kind = getattr(package, name)

    assert f"{kind.__module__}.{kind.__qualname__}" == f"jackfield_services.cloudstack.{name}"
    assert type(pickle.loads(pickle.dumps(kind("no")))) is kind
