"""Tokens that the Hub does not take: replaced once, the call sent once more; and answers that only look like that."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.jackfield_services.flame_hub.auth_world import (
    AUTH,
    INTERNAL,
    INVALID,
    SILENT,
    UNAUTHORIZED,
    World,
    get,
    said,
)

from jackfield import (
    AsyncClient,
    BadRequestError,
    Call,
    ConnectionLostError,
    ReadTimeoutError,
    Request,
    Response,
    ServiceError,
    StreamBody,
    UnauthorizedError,
)
from jackfield.testing import FakeTransport
from jackfield_services.flame_hub._errors import HubLoginError
from jackfield_services.flame_hub.auth import ClientAuth, PasswordAuth, StaticAuth

DEAD = pytest.mark.parametrize("dead", [UNAUTHORIZED, SILENT, INVALID, INTERNAL], ids=lambda dead: dead["code"])
CALLS = pytest.mark.parametrize("call", ["read", "stream", "create"])
ASKED = ["GET /token/introspect"]


def password() -> PasswordAuth:
    return PasswordAuth("admin", "start123", AUTH)


def refused(world: World, call: str, auth: Any = None) -> Any:
    """A client whose token has ended, after the call that finds it out."""
    nodes = world.client(auth or password())
    get(nodes.read())
    world.revoke()
    world.seen.clear()
    get(getattr(nodes, call)())
    return nodes


@CALLS
@DEAD
def test_a_dead_token_is_replaced_and_the_call_sent_again(world: World, dead: dict[str, Any], call: str) -> None:
    world.dead = dead

    refused(world, call)

    assert world.grants == {"password": 1, "refresh_token": 1}
    assert [line for line in world.seen if line.endswith("nodes")] == [
        f"{'POST' if call == 'create' else 'GET'} /nodes"
    ] * 2
    assert world.made == (call == "create")


@DEAD
def test_clients_log_in_again(world: World, dead: dict[str, Any]) -> None:
    world.dead = dead

    refused(world, "read", ClientAuth("id", "s3cret", AUTH))

    assert world.grants == {"client_credentials": 2}


def test_where_the_refresh_token_is_dead_too_the_password_is_sent(world: World) -> None:
    nodes = world.client(password())
    get(nodes.read())
    world.revoke()
    world._refresh_tokens.clear()

    get(nodes.read())

    assert [fields["grant_type"] for fields in world.asked] == ["password", "refresh_token", "password"]


@pytest.mark.parametrize(
    ("dead", "asked"),
    [(UNAUTHORIZED, []), (INVALID, []), (SILENT, ASKED), (INTERNAL, [*ASKED, "GET /realms"])],
    ids=["401", "400 with a code", "400", "500"],
)
def test_only_where_the_answer_does_not_tell_the_auth_service_is_asked(
    world: World, dead: dict[str, Any], asked: list[str]
) -> None:
    world.dead = dead

    refused(world, "create")

    assert world.seen == ["POST /nodes", *asked, "POST /token", *asked[:1], "POST /nodes"]


@pytest.mark.parametrize("status", [200, 404, 429])
def test_a_service_that_answers_without_the_token_is_there(world: World, status: int) -> None:
    world.dead, world.realms = INTERNAL, Response(status)

    refused(world, "read")

    assert world.seen[-2:] == ["POST /token", "GET /nodes"]


@pytest.mark.parametrize("dead", [SILENT, INTERNAL], ids=["400", "500"])
def test_what_is_only_read_is_sent_again_without_another_question(world: World, dead: dict[str, Any]) -> None:
    world.dead = dead

    refused(world, "read")

    assert world.seen.count("GET /token/introspect") == 1


@pytest.mark.parametrize("genuine", [INTERNAL, SILENT], ids=["500", "400"])
@pytest.mark.parametrize("status", [400, 401])
def test_an_auth_service_that_refuses_all_tokens_says_nothing_of_one(
    world: World, genuine: dict[str, Any], status: int
) -> None:
    nodes = world.client(password())
    get(nodes.read())
    world.probed = said({"statusCode": status, "code": "UNAUTHORIZED", "message": "You may not introspect."})
    world.genuine, world.seen = [genuine], []

    with pytest.raises(ServiceError) as caught:
        get(nodes.create())

    assert caught.value.status == genuine["statusCode"]
    assert world.seen.count("POST /nodes") == 1


def test_a_token_that_the_auth_service_cannot_tell_of_lets_nothing_be_made_twice(world: World) -> None:
    nodes = world.client(password())
    get(nodes.read())
    told: list[Response | Exception] = [Response(401), ConnectionLostError("cut")]

    def answer(request: Request) -> Response:
        if request.url.path == "/token/introspect":
            world.probed = told.pop(0)
        return world.answer(request)

    world.transport._otherwise = answer
    world.genuine, world.seen = [INTERNAL], []

    with pytest.raises(ServiceError) as caught:
        get(nodes.create())

    assert caught.value.status == 500
    assert (world.seen.count("POST /nodes"), world.made) == (1, 0)


def test_the_auth_service_is_asked_about_the_token_that_was_sent_and_no_more(world: World) -> None:
    world.dead = INTERNAL

    refused(world, "create")

    first, introspection, realms = world.transport.requests[2:5]
    assert str(introspection.url) == f"{AUTH}/token/introspect"
    assert list(introspection.headers.pairs()) == [("authorization", first.headers["authorization"])]
    assert (str(realms.url), realms.query) == (f"{AUTH}/realms", (("page[limit]", "1"),))


@pytest.mark.parametrize("dead", [INTERNAL, SILENT], ids=["500", "400"])
@pytest.mark.parametrize(
    "probed", [Response(200, body=b'{"active": false}'), Response(400), Response(401), said(INTERNAL)], ids=repr
)
def test_the_auth_service_says_in_its_own_way_that_a_token_is_dead(
    world: World, dead: dict[str, Any], probed: Response
) -> None:
    world.dead, world.probed_dead = dead, probed

    refused(world, "create")

    assert world.grants == {"password": 1, "refresh_token": 1}


def test_what_was_found_dead_stays_so_and_what_comes_after_it_is_asked_about(world: World) -> None:
    world.dead = INTERNAL
    nodes = refused(world, "read")
    world.genuine = [INTERNAL]

    with pytest.raises(ServiceError):
        get(nodes.create())

    assert world.seen.count("GET /token/introspect") == 2
    assert world.grants == {"password": 1, "refresh_token": 1}


@CALLS
@pytest.mark.parametrize(
    ("genuine", "error"), [(INTERNAL, ServiceError), (SILENT, BadRequestError)], ids=["500", "400"]
)
def test_an_answer_that_only_looks_like_that_is_the_callers(
    world: World, call: str, genuine: dict[str, Any], error: type[ServiceError]
) -> None:
    nodes = world.client(password())
    for _ in range(5):
        get(nodes.read())
        world.genuine = [genuine]
        with pytest.raises(error):
            get(getattr(nodes, call)())
        assert not world.genuine

    assert world.grants == {"password": 1}
    assert world.seen.count("GET /nodes") + world.seen.count("POST /nodes") == 10


@pytest.mark.parametrize(
    "genuine",
    [
        {**INTERNAL, "code": "BucketNotEmpty"},
        {**INTERNAL, "statusCode": 503},
        {**SILENT, "message": "The command is locked and can therefore not be executed."},
        {**SILENT, "children": [{"path": "name"}]},
        {"statusCode": 403, "code": "FORBIDDEN", "message": ""},
        {"statusCode": 404, "code": "NOT_FOUND", "message": ""},
        {**INTERNAL, "statusCode": 409},
    ],
    ids=lambda genuine: f"{genuine['statusCode']} {genuine['code']} {genuine['message'][:4]}",
)
def test_what_has_nothing_to_do_with_tokens_costs_nothing(world: World, genuine: dict[str, Any]) -> None:
    nodes = world.client(password())
    get(nodes.read())
    world.genuine, world.seen = [genuine], []

    with pytest.raises(ServiceError):
        get(nodes.create())

    assert world.seen == ["POST /nodes"]


@pytest.mark.parametrize(
    ("probed", "realms"),
    [
        (said(INTERNAL), Response(500)),
        (said(INTERNAL), Response(503)),
        (Response(502), Response(200)),
        (Response(404), Response(200)),
        (Response(403), Response(200)),
        (Response(302), Response(200)),
        (Response(200, body=b"<html>"), Response(200)),
        (Response(200, body=b"[]"), Response(200)),
        (Response(200, body=b"{}"), Response(200)),
        (ConnectionLostError("cut"), Response(200)),
    ],
    ids=repr,
)
def test_a_500_is_the_callers_where_the_auth_service_cannot_tell(world: World, probed: Any, realms: Response) -> None:
    nodes = world.client(password())
    get(nodes.read())
    world.genuine, world.probed, world.realms = [INTERNAL], probed, realms

    with pytest.raises(ServiceError) as caught:
        get(nodes.create())

    assert caught.value.status == 500
    assert world.grants == {"password": 1}
    assert world.made == 0


@pytest.mark.parametrize("turns", [0, 50], ids=["at once", "one after the other"])
def test_however_many_calls_have_a_dead_token_it_is_asked_about_once(turns: int) -> None:
    world = World(AsyncClient)
    world.dead = INTERNAL
    nodes = world.client(password())
    waits = [number * turns for number in range(20)]

    async def late(request: Request) -> Response:
        response = world.answer(request)
        if response.status == 500:
            for _ in range(waits.pop() if request.url.path == "/nodes" else 10):
                await asyncio.sleep(0)
        return response

    async def work() -> None:
        await nodes.read()
        world.revoke()
        world.transport._otherwise = late
        await asyncio.gather(*(nodes.read() for _ in range(20)))

    asyncio.run(work())

    assert world.seen.count("GET /token/introspect") == 1
    assert world.grants == {"password": 1, "refresh_token": 1}


class Silent(FakeTransport):
    """Tells how long somebody would wait for the auth service, and lets it be."""

    limits: tuple[float, ...] = ()

    async def send(self, request: Request, call: Call) -> Response:
        if request.url.path == "/token/introspect":
            self.limits += (call.limit(60),)
            raise ReadTimeoutError("silent")
        return await super().send(request, call)


def test_asking_takes_five_seconds_at_most(world: World) -> None:
    world.transport = silent = Silent(otherwise=world.answer)
    nodes = world.client(password())
    get(nodes.read())
    world.genuine = [INTERNAL]

    with pytest.raises(ServiceError) as caught:
        get(nodes.create())

    assert caught.value.status == 500
    assert silent.limits == (5.0,)


@pytest.mark.parametrize("dead", [UNAUTHORIZED, INTERNAL], ids=["401", "500"])
def test_a_hub_that_takes_no_token_costs_one_in_half_a_minute(world: World, dead: dict[str, Any]) -> None:
    nodes = world.client(password())
    world.probed = said(dead)
    for _ in range(40):
        world.genuine = [dead, dead]
        with pytest.raises(ServiceError):
            get(nodes.create())
        world.runtime.elapsed += 1

    assert len(world.asked) == 3  # the first, its replacement, and one half a minute later


def test_when_no_other_token_can_be_had_the_login_says_why(world: World) -> None:
    nodes = world.client(password())
    get(nodes.read())
    world.revoke()
    wrong = {"statusCode": 400, "code": "invalid_credentials", "message": "The user credentials are invalid."}
    world.answers = [said(wrong), said(wrong)]

    with pytest.raises(HubLoginError, match="invalid_credentials"):
        get(nodes.create())

    assert world.made == 0


def test_a_body_that_can_be_read_once_is_not_sent_again_and_the_next_call_has_another_token(world: World) -> None:
    nodes = world.client(password())
    get(nodes.read())
    world.revoke()

    with pytest.raises(UnauthorizedError):
        get(nodes.create(StreamBody.once([b"{}"])))
    get(nodes.create())

    assert world.grants == {"password": 1, "refresh_token": 1}
    assert world.made == 1


@DEAD
def test_an_access_token_of_the_callers_own_is_not_replaced(world: World, dead: dict[str, Any]) -> None:
    world.dead = dead

    with pytest.raises(ServiceError) as caught:
        get(world.client(StaticAuth("dead")).create())

    assert caught.value.status == dead["statusCode"]
    assert world.seen == ["POST /nodes"]


def test_a_call_that_was_refused_is_tried_again_when_the_new_token_was_lost(world: World) -> None:
    nodes = world.patient(ClientAuth("id", "s3cret", AUTH))
    get(nodes.read())
    world.revoke()
    world.answers = [ConnectionLostError("cut")]

    get(nodes.create())

    assert world.made == 1
