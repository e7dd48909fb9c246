"""What is told when no token can be had, and what is not."""

from __future__ import annotations

import pickle
import traceback
from json import dumps
from typing import Any
from urllib.parse import quote_plus

import pytest
from msgspec.json import encode
from tests.jackfield_services.flame_hub.auth_world import AUTH, World, get, said

from jackfield import (
    Client,
    ConnectionLostError,
    ConnectTimeoutError,
    NetworkError,
    RateLimitedError,
    Response,
    UnauthorizedError,
    UnavailableError,
)
from jackfield.testing import VirtualSyncRuntime
from jackfield_plugins.auth import TokenError
from jackfield_plugins.retry import Retry
from jackfield_services.flame_hub import CoreClient
from jackfield_services.flame_hub._errors import (
    HubAPIError,
    HubLoginError,
    HubRateLimitedError,
    HubUnavailableError,
)
from jackfield_services.flame_hub.auth import ClientAuth, PasswordAuth, RobotAuth

CANARY = 'hunter2/"canary" ä'
WRONG = {
    "statusCode": 400,
    "code": "invalid_credentials",
    "message": "The user credentials are invalid.",
    "error": "invalid_request",
    "error_description": "The user credentials are invalid.",
}
PASSWORD, ROBOT = PasswordAuth("admin", CANARY, AUTH), RobotAuth("r2d2", CANARY, AUTH)
EVERY = pytest.mark.parametrize(
    "auth",
    [PASSWORD, ROBOT, ClientAuth("c3po", CANARY, AUTH)],
    ids=["password", "robot", "client"],
)


def failure(world: World, auth: object, *answers: Response | Exception) -> Any:
    """The error of a call that had no token."""
    world.answers = list(answers)
    with pytest.raises((HubAPIError, NetworkError)) as caught:
        get(world.client(auth).read())
    assert world.seen == ["POST /token"] * len(answers)
    return caught.value


@EVERY
def test_wrong_credentials_are_told_as_the_hub_tells_them(world: World, auth: Any) -> None:
    error = failure(world, auth, said(WRONG))

    assert isinstance(error, HubLoginError)
    assert isinstance(error, UnauthorizedError)
    assert isinstance(error, TokenError)
    assert str(error) == "received status code 400 (invalid_credentials): The user credentials are invalid."
    assert (error.status, error.code, error.text) == (400, "invalid_credentials", "The user credentials are invalid.")
    told = error.error_response
    assert told is not None
    assert (told.status_code, told.code, told.message) == (400, "invalid_credentials", error.text)


def test_the_request_of_the_error_is_the_login(world: World) -> None:
    error = failure(world, PasswordAuth("admin", CANARY, AUTH), said(WRONG))

    assert (error.request.operation, error.request.method, error.request.url) == (
        "read (token)",
        "POST",
        f"{AUTH}/token",
    )
    assert not error.request.may_have_been_processed


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 405, 422])
def test_what_is_not_the_hubs_is_a_refusal_too_and_hints_at_the_address(world: World, status: int) -> None:
    error = failure(world, PasswordAuth("admin", CANARY, AUTH), Response(status, body=b"<html>no such page</html>"))

    assert isinstance(error, HubLoginError)
    assert (str(error), error.status, error.error_response) == (f"received status code {status}", status, None)
    assert "that is not how the Hub's auth service refuses a login: check base_url" in error.__notes__


@pytest.mark.parametrize(
    "body", [b"<!doctype html><title>FLAME</title>", b"", b"[]", b"{}", b'{"access_token": "a\\nb"}'], ids=repr
)
def test_an_answer_without_a_token_hints_at_the_address_too(world: World, body: bytes) -> None:
    error = failure(world, PasswordAuth("admin", CANARY, AUTH), Response(200, {"content-type": "text/html"}, body))

    assert isinstance(error, HubLoginError)
    assert str(error).startswith("no token came: the ")
    assert "that is no answer of a Hub's auth service: check base_url" in error.__notes__
    assert (error.request.operation, error.request.url) == ("read (token)", f"{AUTH}/token")
    assert error.__cause__ is None
    assert error.__context__ is None


def test_a_robot_that_a_later_hub_does_not_know_is_told_of_clients(world: World) -> None:
    unknown = {"statusCode": 400, "code": "invalid_grant", "message": "The grant type is missing."}
    notes = [failure(World(Client), auth, said(unknown)).__notes__ for auth in (ROBOT, PASSWORD)]

    told = "robots are of Hubs of generation 0.1.1: later ones have clients in their place, see ClientAuth"
    assert [told in each for each in notes] == [True, False]


@pytest.mark.parametrize("answer", [said(WRONG), Response(503), Response(200)], ids=["400", "503", "200"])
def test_the_traceback_of_a_login_is_short(world: World, answer: Response) -> None:
    world.answers = [answer]
    core = CoreClient("https://core.hub.test", PASSWORD, transport=world.transport, runtime=VirtualSyncRuntime())
    with pytest.raises(HubAPIError) as caught:
        core.with_options(retry=Retry(max_attempts=1)).get_nodes()

    assert len(traceback.format_exception(caught.value)) <= 15
    assert "During handling" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("answer", "kind", "meaning", "text"),
    [
        (Response(503, {"retry-after": "7"}), HubUnavailableError, UnavailableError, "received status code 503"),
        (Response(502, body=b"<html>"), HubUnavailableError, UnavailableError, "received status code 502"),
        (Response(429, {"retry-after": "7"}), HubRateLimitedError, RateLimitedError, "received status code 429"),
        (said({**WRONG, "statusCode": 500, "code": "X", "message": ""}), HubAPIError, HubAPIError, "500 (X): no error"),
    ],
    ids=["503", "502", "429", "500"],
)
def test_what_may_pass_is_no_refusal(world: World, answer: Response, kind: Any, meaning: Any, text: str) -> None:
    error = failure(world, PasswordAuth("admin", CANARY, AUTH), answer)

    assert type(error) is kind
    assert isinstance(error, meaning)
    assert text in str(error)
    assert error.headers.get("retry-after") == answer.headers.get("retry-after")


@pytest.mark.parametrize(
    "trouble", [Response(503, {"retry-after": "7"}), Response(429), ConnectionLostError("cut")], ids=repr
)
def test_what_may_pass_is_tried_again_whatever_the_call_does(world: World, trouble: Any) -> None:
    world.answers = [trouble]

    get(world.patient(PasswordAuth("admin", CANARY, AUTH)).create())

    assert (len(world.asked), world.made) == (2, 1)


def test_the_auth_service_says_when_to_come_back(world: World) -> None:
    world.answers = [Response(503, {"retry-after": "7"})]

    get(world.patient(PasswordAuth("admin", CANARY, AUTH)).create())

    assert world.runtime.elapsed >= 7


def test_when_to_come_back_may_be_told_by_the_services_own_clock(world: World) -> None:
    told = {"date": "Mon, 01 Jan 2001 00:00:00 GMT", "retry-after": "Mon, 01 Jan 2001 00:00:07 GMT"}
    world.answers = [Response(503, told)]

    get(world.patient(PasswordAuth("admin", CANARY, AUTH)).create())

    assert world.runtime.elapsed >= 7


def test_a_refusal_is_not_tried_again(world: World) -> None:
    world.answers = [said(WRONG)] * 3
    with pytest.raises(HubLoginError):
        get(world.patient(PasswordAuth("admin", CANARY, AUTH)).create())

    assert len(world.asked) == 1


def test_errors_are_not_kept(world: World) -> None:
    nodes = world.client(PasswordAuth("admin", CANARY, AUTH))
    world.answers = [said(WRONG)]
    with pytest.raises(HubLoginError):
        get(nodes.read())

    assert get(nodes.read())["data"]


@pytest.mark.parametrize("trouble", [ConnectTimeoutError("slow"), ConnectionLostError("cut")], ids=repr)
def test_troubles_of_the_network_stay_what_they_are(world: World, trouble: NetworkError) -> None:
    error = failure(world, PasswordAuth("admin", CANARY, AUTH), trouble)

    assert type(error) is type(trouble)
    assert not error.sent


# --- secrets


def repeating(secret: str) -> list[Response]:
    """Answers that repeat what was sent, in every way that may be thought of."""
    forms = [secret, quote_plus(secret), dumps(secret)[1:-1], dumps(secret, ensure_ascii=False)[1:-1]]
    bodies = [
        {**WRONG, "message": f"wrong: {form}", "code": form, "error_description": form, form: form, "x": [{"y": form}]}
        for form in forms
    ]
    bodies += [{**WRONG, "statusCode": 500, **body} for body in bodies]
    bodies += [{"message": [secret], "code": {"x": secret}}, {**WRONG, "children": [{"path": "x", "message": secret}]}]
    headers = {"x-echo": quote_plus(secret), "set-cookie": f"a={quote_plus(secret)}"}
    statuses = (400, 401, 429, 500, 503)
    as_they_are = [Response(status, headers, secret.encode()) for status in statuses]
    return as_they_are + [Response(status, headers, encode(body)) for body in bodies for status in statuses]


def everything(error: BaseException) -> str:
    """All that an error shows, or brings along."""
    shown = [str(error), repr(error), *traceback.format_exception(error), repr(vars(error))]
    kept = getattr(error, "response", None)
    told = getattr(error, "error_response", None)
    if kept is not None:
        shown += [kept.content.decode(), repr(kept.headers.pairs())]
    if told is not None:
        shown += [told.model_dump_json(), repr(told)]
    return "\n".join([*shown, pickle.dumps(error).decode("latin-1")])


@EVERY
def test_no_error_repeats_a_secret(auth: Any) -> None:
    for answer in repeating(CANARY):
        error = failure(World(Client), auth, answer)
        shown = everything(error)
        assert "canary" not in shown, (answer.status, answer.content)
        assert error.status == answer.status


def test_what_is_left_of_the_words_can_be_read(world: World) -> None:
    error = failure(world, PasswordAuth("admin", CANARY, AUTH), said({**WRONG, "message": f"no user has {CANARY}!"}))

    assert str(error) == "received status code 400 (invalid_credentials): no user has ***!"


def test_a_code_stays_one_though_a_secret_is_a_part_of_it(world: World) -> None:
    error = failure(world, PasswordAuth("admin", "credentials", AUTH), said(WRONG))

    assert error.code == "invalid_credentials"
    assert error.text == "The user *** are invalid."


def test_a_code_that_is_the_secret_is_none(world: World) -> None:
    error = failure(world, PasswordAuth("admin", "swordfish", AUTH), said({**WRONG, "code": "swordfish"}))

    assert error.code == "***"


def test_a_secret_of_three_letters_is_in_every_other_word(world: World) -> None:
    error = failure(world, PasswordAuth("admin", "use", AUTH), said(WRONG))

    assert error.text == "The user credentials are invalid."
