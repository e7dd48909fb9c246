"""What a Hub's refusals become: their classes, their words, what they carry, and what they keep to themselves."""

from __future__ import annotations

import copy
import pickle
import traceback
from json import dumps
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.jackfield_services.flame_hub.hub_clients import BOTH, ID, client, get, listed, node, one

import jackfield
from jackfield import Headers, Request, Response, ServiceError, Url
from jackfield.testing import FakeTransport, json_response
from jackfield_services import flame_hub
from jackfield_services.flame_hub import (
    ErrorResponse,
    HubAPIError,
    HubAuthenticationError,
    HubBadRequestError,
    HubConflictError,
    HubForbiddenError,
    HubNotFoundError,
    HubRateLimitedError,
    HubUnavailableError,
    HubValidationError,
    auth,
)
from jackfield_services.flame_hub._secrecy import masked
from jackfield_services.flame_hub.emulator import FlameHubEmulator

OLD_INVALID = {
    "statusCode": 400,
    "code": "undefined",
    "message": "The attributes name, type are invalid.",
    "children": [
        {"path": "name", "pathAbsolute": "name", "received": "x"},
        {"path": "type", "pathAbsolute": "type", "received": "bogus"},
    ],
    "attributes": ["name", "type"],
}
NEW_INVALID = {
    "statusCode": 400,
    "code": "BAD_REQUEST",
    "message": "The query is invalid.",
    "issues": [
        {"code": "keyNotAllowed", "message": "The key nope is not allowed.", "meta": {"key": "nope"}},
        {"code": "valueInvalid", "message": "Too short.", "path": ["command", "arguments", 0]},
    ],
}


def refusal(status: int = 409, **more: Any) -> Response:
    """How a Hub says no."""
    return json_response({"statusCode": status, "code": "SOME_CODE", "message": "Some words.", **more}, status)


def error_of(answer: Response, colour: str = "sync") -> HubAPIError:
    """What a refusal becomes for who deletes a node."""
    core = client(colour, FakeTransport([answer] * 3))  # DELETE may be tried again
    with pytest.raises(HubAPIError) as caught:
        get(core.delete_node(ID))
    return caught.value


@BOTH
@pytest.mark.parametrize(
    ("status", "kind", "meaning"),
    [
        (400, HubBadRequestError, jackfield.BadRequestError),
        (401, HubAuthenticationError, jackfield.UnauthorizedError),
        (403, HubForbiddenError, jackfield.ForbiddenError),
        (404, HubNotFoundError, jackfield.NotFoundError),
        (409, HubConflictError, jackfield.ConflictError),
        (410, HubNotFoundError, jackfield.NotFoundError),
        (412, HubConflictError, jackfield.ConflictError),
        (418, HubAPIError, ServiceError),
        (422, HubBadRequestError, jackfield.BadRequestError),
        (429, HubRateLimitedError, jackfield.RateLimitedError),
        (500, HubAPIError, ServiceError),
        (501, HubAPIError, ServiceError),
        (502, HubUnavailableError, jackfield.UnavailableError),
        (503, HubUnavailableError, jackfield.UnavailableError),
        (504, HubUnavailableError, jackfield.UnavailableError),
    ],
)
@pytest.mark.parametrize("body", ["old", "new", "html"])
def test_the_class_says_what_the_status_means(
    colour: str, status: int, kind: type[HubAPIError], meaning: type[ServiceError], body: str
) -> None:
    answer = (
        Response(status, body=b"<html>")
        if body == "html"
        else refusal(status, **({"issues": []} if body == "new" else {}))
    )

    error = error_of(answer, colour)

    assert type(error) is kind
    assert isinstance(error, meaning)
    assert error.status == status


def test_each_meaning_that_the_core_knows_is_known() -> None:
    for status in range(400, 600):
        ours = type(error_of(Response(status)))
        assert issubclass(ours, type(ServiceError.from_response(Response(status))))


def test_a_refusal_with_issues_is_of_validation() -> None:
    for body, count in ((OLD_INVALID, 2), (NEW_INVALID, 2)):
        error = error_of(json_response(body, 400))

        assert type(error) is HubValidationError
        assert len(error.issues) == count

    assert type(error_of(refusal(400, issues=[]))) is HubBadRequestError
    assert type(error_of(refusal(409, issues=[{"message": "taken"}]))) is HubConflictError


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (OLD_INVALID, "what is wrong: name; type"),
        (NEW_INVALID, "what is wrong: The key nope is not allowed.; command.arguments.0: Too short."),
    ],
)
def test_notes_say_what_is_wrong_and_in_which_call(body: dict[str, Any], note: str) -> None:
    error = error_of(json_response(body, 400))

    assert error.__notes__[0] == note
    assert error.__notes__[1].startswith(f"delete_node: DELETE https://core.privateaim.dev/nodes/{ID}, 1 attempt")
    assert len(error.__notes__) == 2


@BOTH
@pytest.mark.parametrize("who", [{}, {"auth": "other"}])
def test_a_call_is_named_once(colour: str, who: dict[str, Any]) -> None:
    core = client(colour, FakeTransport([refusal()] * 3))

    for call in (core.find_nodes, core.find_nodes.all):
        with pytest.raises(HubConflictError) as caught:
            get(call(**who))
        assert str(caught.value.__notes__).count("find_nodes:") == 1


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"statusCode": 409, "code": "CONFLICT", "message": "Taken."}, "409 (CONFLICT): Taken."),
        ({"status_code": 409, "code": "CONFLICT", "message": "Taken."}, "409 (CONFLICT): Taken."),
        ({"statusCode": 409, "code": "CONFLICT", "message": ""}, "409 (CONFLICT): no error message present"),
        ({"statusCode": 409, "code": "CONFLICT", "message": " \n"}, "409 (CONFLICT): no error message present"),
        ({"code": "CONFLICT", "message": " Taken.\n"}, "500 (CONFLICT):  Taken. "),
        ({"code": "C\x1b[31m", "message": "m\x1b[2J\nfoo\u2028"}, "500 (C [31m): m [2J foo "),
        ({"statusCode": "418", "code": "A"}, "418 (A): no error message present"),
        ({"statusCode": None, "message": "m"}, "500 (): m"),
        ({}, "500 (): no error message present"),
        ({"statusCode": "9" * 5000}, "500 (): no error message present"),
        ({"statusCode": True, "code": None, "message": None}, "500 (): no error message present"),
        ({"statusCode": [], "code": {}, "message": {"a": 1}, "issues": 5}, "500 (): no error message present"),
        ({"code": 17, "message": 5, "issues": "none"}, "500 (17): 5"),
        ({"code": False, "message": ["a"]}, "500 (): no error message present"),
        ({"code": "E", "message": "ü" * 10_000}, f"500 (E): {'ü' * 10_000}"),
    ],
)
def test_the_message_is_that_of_flame_hub_client(body: dict[str, Any], told: str) -> None:
    error = error_of(json_response(body, 500))

    own = "" if told.startswith("500") else " [the answer's own status is 500]"
    assert str(error) == f"received status code {told}{own}"
    assert error.error_response is not None
    assert str(error.error_response.status_code) == told.split()[0]
    assert error.error_response.message == (body.get("message") if isinstance(body.get("message"), str) else error.text)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'["an error that is no object"]',
        b'"text"',
        b"17",
        b"<html><h1>502 Bad Gateway</h1></html>",
        b"\xff\xfe{}",
        b'{"code": "\xff"}',
        b'{"code": ',
        b'{"a":' * 10_000 + b"1" + b"}" * 4_000,
        b'{"a":' * 9_000 + b"1" + b"}" * 9_000,
        b"[" * 60_000,
        b"x" * 60_000,
    ],
)
def test_an_answer_that_is_nothing_of_the_hubs_is_told_by_its_status(body: bytes) -> None:
    error = error_of(Response(500, {"x-proxy": "a"}, body))

    assert str(error) == "received status code 500"
    assert error.error_response is None
    assert error.headers["x-proxy"] == "a"
    assert error.response is not None
    assert error.response.body == body


ODD: list[Any] = [
    None,
    5,
    "all",
    {"path": "name"},
    [],
    [None, 5, "name", ["name"]],
    [{}],
    [{"path": None}],
    [{"path": {"a": 1}, "message": ["b"], "code": {}}],
    [{"path": [None, {}, 5, "x"], "message": 17}],
    [{"message": "a\nb\x00" * 1_000}],
    [{"path": "x" * 400}] * 150,
]


@pytest.mark.parametrize("issues", ODD)
@pytest.mark.parametrize("name", ["issues", "children"])
def test_issues_of_odd_types_do_no_harm(name: str, issues: Any) -> None:
    error = error_of(refusal(400, **{name: issues}))

    assert isinstance(error, HubBadRequestError)
    assert error.error_response is not None
    assert all(type(issue) is dict for issue in error.error_response.issues)
    assert sum(map(len, error.__notes__)) < 3000
    assert "\n" not in "".join(error.__notes__)


def test_an_issue_without_words_is_a_question_mark() -> None:
    assert error_of(refusal(400, issues=[{}, {"code": "short"}])).__notes__[0] == "what is wrong: ?; short"


def test_issues_come_before_children() -> None:
    error = error_of(refusal(400, issues=[{"path": "a"}], children=[{"path": "b"}]))

    assert error.error_response is not None
    assert error.error_response.issues == [{"path": "a"}]
    assert error.error_response.model_extra == {"children": [{"path": "b"}]}


def test_an_error_carries_what_the_hub_said() -> None:
    error = error_of(json_response(OLD_INVALID, 400, {"x-request-id": "17"}))

    assert isinstance(error, HubValidationError)
    assert error.error_response == ErrorResponse(
        code="undefined",
        status_code=400,
        message="The attributes name, type are invalid.",
        issues=OLD_INVALID["children"],  # type: ignore[arg-type]  # a dictionary of several types
        model_extra={"attributes": ["name", "type"]},
    )
    assert (error.code, error.text, error.status) == ("undefined", "The attributes name, type are invalid.", 400)
    assert error.headers["x-request-id"] == "17"
    assert error.request is not None
    assert error.request == error.call
    assert (error.request.method, error.request.url) == ("DELETE", f"https://core.privateaim.dev/nodes/{ID}")
    assert error.error_model_traceback == ""


def test_what_the_hub_said_is_dumped_as_flame_hub_client_does() -> None:
    told = error_of(json_response(OLD_INVALID, 400)).error_response

    assert told is not None
    dumped = told.model_dump()
    assert list(dumped) == ["code", "status_code", "message", "issues", "attributes"]
    assert (dumped["status_code"], dumped["attributes"]) == (400, ["name", "type"])
    assert told.model_dump_json().startswith('{"code":"undefined","status_code":400,"message":"The attributes')
    assert told.model_dump_json(indent=2).startswith('{\n  "code": "undefined",\n')


def test_an_error_that_was_made_by_hand_has_what_there_is() -> None:
    error = HubAPIError("none")

    assert (str(error), error.status, error.code, error.text) == ("none", None, None, None)
    request: object = error.request
    assert (error.headers, request, error.error_response, error.response) == (Headers(), None, None, None)
    assert HubAPIError("m", error_response=ErrorResponse(status_code=418, code="X")).status == 418
    assert HubValidationError("m").issues == []
    assert not HubNotFoundError("m").is_of_record


def pickled(error: HubAPIError) -> Any:
    return pickle.loads(pickle.dumps(error))


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickled])
@pytest.mark.parametrize("answer", [json_response(OLD_INVALID, 400), refusal(404), Response(503), refusal(429)])
def test_errors_are_data(answer: Response, again: Any) -> None:
    error = error_of(answer)

    copied = again(error)

    assert type(copied) is type(error)
    assert (str(copied), copied.__notes__, copied.call) == (str(error), error.__notes__, error.call)
    assert (copied.error_response, copied.headers, copied.response) == (
        error.error_response,
        error.headers,
        error.response,
    )


def test_every_class_is_named_as_people_import_it() -> None:
    for name in dir(flame_hub):
        found = getattr(flame_hub, name)
        if isinstance(found, type) and issubclass(found, HubAPIError):
            assert (found.__module__, found.__doc__ is None) == ("jackfield_services.flame_hub", False)


def test_a_traceback_shows_message_and_notes_once() -> None:
    error = error_of(json_response(OLD_INVALID, 400))

    shown = "".join(traceback.format_exception(error))

    assert shown.count("received status code 400") == shown.count("what is wrong") == shown.count("1 attempt") == 1
    assert error.__context__ is None
    assert error.__cause__ is None


@BOTH
def test_of_an_endless_refusal_the_beginning_is_kept(colour: str) -> None:
    error = error_of(Response(500, body=b'{"message": "' + b"x" * 10_000_000), colour)

    assert error.error_response is None
    assert error.response is not None
    assert len(error.response.content) == 64 * 1024


# A record that does not exist.


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        json_response({"statusCode": 404, "code": "NOT_FOUND", "message": ""}, 404),
        json_response({"statusCode": 404, "code": "NOT_FOUND", "message": "", "issues": []}, 404),
    ],
)
def test_no_such_record_is_none_for_who_gets_it_and_an_error_for_who_changes_it(colour: str, answer: Response) -> None:
    core = client(colour, FakeTransport(otherwise=answer), generation="1.1.0")

    assert get(core.get_node(ID)) is None
    assert get(core.get_node(ID, meta=True)) is None
    assert get(core.get_node_client_credentials(ID)) is None
    for call in (core.delete_node, core.update_node):
        with pytest.raises(HubNotFoundError) as caught:
            get(call(ID))
        assert len(caught.value.__notes__) == 1


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        Response(404),
        Response(404, body=b"default backend - 404"),
        json_response(["not found"], 404),
        json_response({}, 404),
        json_response({"message": "no Route matched with those values"}, 404),
        json_response({"statusCode": 404, "message": "Cannot GET /nodes", "error": "Not Found"}, 404),
        json_response({"statusCode": 404, "code": "ROUTE_NOT_FOUND", "message": "no route"}, 404),
        json_response({"kind": "Status", "code": 404, "message": "the server could not find it"}, 404),
        json_response({"code": "NOT_FOUND", "message": "no such app"}, 404),
        json_response({"statusCode": 404, "code": "NOT_FOUND", "message": ""}, 410),
    ],
)
def test_a_path_that_is_none_of_the_hubs_is_an_error(colour: str, answer: Response) -> None:
    core = client(colour, FakeTransport(otherwise=answer), generation="1.1.0")

    for call in (core.get_node, core.delete_node):
        with pytest.raises(HubNotFoundError) as caught:
            get(call(ID))
        assert "check the client's base_url" in caught.value.__notes__[0]


# What may be secret.

SECRETS = st.text(min_size=1, max_size=12).filter(lambda text: text.strip('*" \\') != "" and text != "sent")


def echoing(secret: str) -> Response:
    """A service that repeats what it was sent, wherever it can."""
    issue = {"path": ["secret"], "received": secret, "message": "The value is no good."}
    body = {"statusCode": 400, "code": "BAD_REQUEST", "message": "No.", "children": [issue], "sent": {"secret": secret}}
    return json_response(body, 400)


@BOTH
@settings(deadline=None, max_examples=100)
@given(secret=SECRETS)
@example(secret="Code")
@example(secret="secret")
@example(secret="statusCode")
def test_no_error_repeats_a_secret(colour: str, secret: str) -> None:
    transport = FakeTransport(otherwise=echoing(secret))
    people = client(colour, transport, of="Auth", generation="1.1.0")

    with pytest.raises(HubBadRequestError) as caught:
        get(people.create_client("a-client", ID, secret=secret))

    error = caught.value
    assert isinstance(transport.requests[0].body, bytes)
    assert dumps(secret, ensure_ascii=False).encode() in transport.requests[0].body
    assert error.error_response is not None
    assert error.response is not None
    assert error.error_response.issues[0]["received"] == "***"
    assert error.error_response.model_extra == {"sent": {"secret": "***"}}
    told = error.response.decode(dict[str, Any])
    assert (told["children"][0]["received"], told["sent"]) == ("***", {"secret": "***"})


@pytest.mark.parametrize("form", ["{}", '<p class="x">{}</p>', '"{}"', '{{"message": "{}"}}', '{{"{}": 1}}'])
@pytest.mark.parametrize(
    "secret", ["hunter22", 'hunter"22', "hünter22", "hunter\n22", "hunter\\22", "hunter22hunter22", "****hunter22"]
)
@pytest.mark.parametrize("ascii", [True, False])
def test_a_secret_is_masked_in_whatever_form_it_comes_back(form: str, secret: str, ascii: bool) -> None:
    escaped = dumps(secret, ensure_ascii=ascii)[1:-1] if form.startswith(("{{", '"')) else secret
    answer = Response(500, body=form.format(escaped).encode())
    people = client("sync", FakeTransport([answer]), of="Auth", generation="1.1.0")

    with pytest.raises(HubAPIError) as caught:
        people.update_client(ID, secret=secret)

    assert caught.value.response is not None
    assert b"unter" not in caught.value.response.content
    assert b"***" in caught.value.response.content
    shown = f"{caught.value} {caught.value.__notes__} {caught.value.error_response!r} {caught.value.text}"
    assert "unter" not in shown


def test_an_answer_that_is_nested_too_deeply_to_be_masked_is_left_out() -> None:
    answer = Response(500, body=b'{"a":' * 900 + b'"hunter22"' + b"}" * 900)
    people = client("sync", FakeTransport([answer]), of="Auth", generation="1.1.0")

    with pytest.raises(HubAPIError, match="received status code 500") as caught:
        people.update_client(ID, secret="hunter22")

    assert caught.value.response is not None
    assert b"unter" not in caught.value.response.content


SECRET = Request.json(
    "POST",
    Url.parse("https://hub.test/"),
    {"password": "start123", "secret": "start123start", "accountSecret": "hünter22", "name": "my-node"},
)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"start123start start123 my-node", b"*** *** my-node"),
        (b'["start123start", "start123", "my-node"]', b'["***","***","my-node"]'),
        ("hünter22 h\\u00fcnter22".encode(), b"*** ***"),
        (b'{"my start123": 1, "start123": 2, "start1234": 3}', b'{"my ***":1,"***":2,"start1234":3}'),
        (b'{"text": "{\\"h\\\\u00fcnter22\\": 1}"}', b'{"text":"{\\"***\\": 1}"}'),
    ],
)
def test_every_secret_is_masked_whole(body: bytes, shown: bytes) -> None:
    assert masked(Response(500, body=body), SECRET).body == shown


def test_an_answer_that_repeats_nothing_is_left_as_it_is() -> None:
    answer = Response(500, body=b'{ "code" : 1.50, "my-node": [null] }')

    assert masked(answer, SECRET) is answer


@pytest.mark.parametrize("short", ["a", "ID", "no"])
def test_a_short_secret_is_masked_where_it_is_a_value(short: str) -> None:
    answer = json_response(
        {"statusCode": 400, "code": "no_ID", "message": "no ID", "a": short, "ID": 1, "no": short}, 400
    )
    people = client("sync", FakeTransport([answer]), of="Auth", generation="1.1.0")

    with pytest.raises(HubAPIError, match=r"400 \(no_ID\): no ID") as caught:
        people.update_client(ID, secret=short)

    assert caught.value.error_response is not None
    assert caught.value.error_response.model_extra == {"a": "***", "ID": 1, "no": "***"}


@pytest.mark.parametrize("secret", ["", None])
def test_no_secret_masks_nothing(secret: str | None) -> None:
    answer = json_response({"statusCode": 400, "code": "X", "message": "", "received": ""}, 400)
    people = client("sync", FakeTransport([answer]), of="Auth", generation="1.1.0")

    with pytest.raises(HubAPIError) as caught:
        people.update_client(ID, secret=secret)

    assert caught.value.response == answer


def test_what_bears_no_secret_is_left_as_it_is() -> None:
    answer = refusal(409, received="my-node")
    core = client("sync", FakeTransport([answer]), generation="1.1.0")

    with pytest.raises(HubConflictError) as caught:
        core.create_node("my-node")

    assert caught.value.response == answer


@BOTH
def test_the_unmasked_answer_does_not_go_along(colour: str) -> None:
    people = client(colour, FakeTransport([echoing("hunter22")]), of="Auth", generation="1.1.0")

    with pytest.raises(HubAPIError) as caught:
        get(people.update_client(ID, secret="hunter22"))

    seen: BaseException | None = caught.value
    while seen is not None:
        assert "hunter22" not in repr(vars(seen))
        assert not isinstance(seen, ServiceError) or b"hunter22" not in getattr(seen.response, "body", b"")
        seen = seen.__context__


# Trying again.


@BOTH
@pytest.mark.parametrize("status", [429, 503])
def test_an_answer_that_says_when_to_come_back_is_heeded(colour: str, status: int) -> None:
    later = Response(status, {"retry-after": "7"}, b"{}")
    transport = FakeTransport([later, listed([node()])])
    core = client(colour, transport)
    started = core.runtime.monotonic()

    assert len(get(core.find_nodes())) == 1

    assert 7 <= core.runtime.monotonic() - started < 11


@BOTH
def test_a_wait_that_is_too_long_is_not_begun(colour: str) -> None:
    transport = FakeTransport([Response(429, {"retry-after": "3600"})])
    core = client(colour, transport)

    with pytest.raises(HubRateLimitedError) as caught:
        get(core.find_nodes())

    assert caught.value.headers["retry-after"] == "3600"
    assert len(transport.requests) == 1


@BOTH
@pytest.mark.parametrize("trouble", [502, 503, 504, 500, "lost"])
def test_what_may_have_been_done_is_not_done_again(colour: str, trouble: int | str) -> None:
    answer = jackfield.ConnectionLostError("cut") if trouble == "lost" else Response(int(trouble))
    transport = FakeTransport([answer])
    core = client(colour, transport, generation="1.1.0")

    with pytest.raises(jackfield.JackfieldError) as caught:
        get(core.create_node("my-node"))

    assert caught.value.call is not None
    assert caught.value.call.may_have_been_processed
    assert len(transport.requests) == 1


@BOTH
def test_what_was_certainly_not_done_is_done_again(colour: str) -> None:
    transport = FakeTransport([jackfield.ConnectError("refused"), Response(429), one(node(), 201)])

    assert get(client(colour, transport, generation="1.1.0").create_node("node-1")).name == "node-1"


# A Hub.


def test_what_a_hub_refuses(hub: FlameHubEmulator) -> None:
    who = auth.PasswordAuth(hub.username, hub.password, hub.auth_url)
    with flame_hub.CoreClient(hub.core_url, who) as core, flame_hub.AuthClient(hub.auth_url, who) as people:
        with pytest.raises(HubAPIError, match=r"^received status code 400 \(.*\): .") as caught:
            core.create_node("my-node", "7227f7f3-e8e8-46e4-a6d4-16055aca8299")
        told = caught.value.error_response
        assert told is not None
        assert told.status_code == 400
        assert told.code
        assert told.message

        with pytest.raises(HubConflictError):
            people.create_realm("master")
        with pytest.raises(HubNotFoundError):
            core.delete_node(ID)
        assert core.get_node(ID) is None
        with pytest.raises(HubAuthenticationError):
            core.find_nodes(auth=None)
        with pytest.raises(HubAuthenticationError):
            core.find_nodes(auth="garbage")
        hub.inject(429, path="/nodes")
        assert core.find_nodes() == []
