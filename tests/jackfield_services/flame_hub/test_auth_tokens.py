"""Logins: what is asked of the token endpoint, when, and how often."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from msgspec.json import decode, encode
from tests.jackfield_services.flame_hub.auth_world import AUTH, World, get

from jackfield import ContractError, Response
from jackfield_plugins.auth import MemoryTokenStore
from jackfield_services.flame_hub._errors import HubLoginError
from jackfield_services.flame_hub._model import Record
from jackfield_services.flame_hub._on_wire import on_wire
from jackfield_services.flame_hub.auth import ClientAuth, HubAuth, PasswordAuth, RobotAuth, StaticAuth
from jackfield_services.flame_hub.models import Client, Robot

ROBOT_ID = "a7a939e5-ebb3-4587-ae67-fcec3d34b42c"
PASSWORD = {"grant_type": "password", "username": "admin", "password": "start123"}
ROBOT = {"grant_type": "robot_credentials", "id": ROBOT_ID, "secret": "beep-beep"}
CLIENT = {"grant_type": "client_credentials", "client_id": ROBOT_ID, "client_secret": "s3cret"}


def password(**options: Any) -> PasswordAuth:
    return PasswordAuth("admin", "start123", AUTH, **options)


def robot(**options: Any) -> RobotAuth:
    return RobotAuth(ROBOT_ID, "beep-beep", AUTH, **options)


def client(**options: Any) -> ClientAuth:
    return ClientAuth(ROBOT_ID, "s3cret", AUTH, **options)


EVERY = pytest.mark.parametrize(
    ("make", "fields"), [(password, PASSWORD), (robot, ROBOT), (client, CLIENT)], ids=["password", "robot", "client"]
)
ANEW = pytest.mark.parametrize(("make", "fields"), [(robot, ROBOT), (client, CLIENT)], ids=["robot", "client"])


@EVERY
def test_a_token_is_asked_for_once_in_json(world: World, make: Any, fields: dict[str, str]) -> None:
    nodes = world.client(make())

    answers = {get(nodes.read())["data"] for _ in range(5)}

    assert len(answers) == 1
    assert world.asked == [fields]
    assert world.seen == ["POST /token", *["GET /nodes"] * 5]


@pytest.mark.parametrize("base_url", [f"{AUTH}/auth", f"{AUTH}/auth/", AUTH, f"{AUTH}/"])
def test_the_auth_service_may_have_a_path(world: World, base_url: str) -> None:
    get(world.client(PasswordAuth("admin", "start123", base_url)).read())

    assert str(world.transport.requests[0].url) == f"{base_url.rstrip('/')}/token"


def test_the_default_is_the_public_hub(world: World) -> None:
    for auth in (PasswordAuth("a", "b"), RobotAuth("a", "b"), ClientAuth("a", "b")):
        get(world.client(auth).read())
        assert str(world.transport.requests[-2].url) == "https://auth.privateaim.dev/token"


def told(model: type[Record]) -> Record:
    """A record of that id, as a Hub tells of it."""
    return decode(encode({"id": ROBOT_ID}), type=on_wire(model, "0.1.1"))


@pytest.mark.parametrize(
    ("robot", "client"),
    [(ROBOT_ID, ROBOT_ID), (UUID(ROBOT_ID), UUID(ROBOT_ID)), (told(Robot), told(Client))],
    ids=["str", "UUID", "record"],
)
def test_robots_and_clients_are_named_by_id_or_by_themselves(world: World, robot: Any, client: Any) -> None:
    get(world.client(RobotAuth(robot, "beep-beep", AUTH)).read())
    get(world.client(ClientAuth(client, "s3cret", AUTH)).read())

    assert world.asked == [ROBOT, CLIENT]


def test_a_user_is_refreshed(world: World) -> None:
    nodes = world.client(password())
    for _ in range(3):
        get(nodes.read())
        world.runtime.elapsed += 3600

    assert world.asked == [
        PASSWORD,
        {"grant_type": "refresh_token", "refresh_token": "refresh-1"},
        {"grant_type": "refresh_token", "refresh_token": "refresh-2"},
    ]


@ANEW
def test_robots_and_clients_log_in_anew(world: World, make: Any, fields: dict[str, str]) -> None:
    nodes = world.client(make())
    for _ in range(3):
        get(nodes.read())
        world.runtime.elapsed += 3600

    assert world.asked == [fields] * 3


def test_where_refreshing_fails_the_password_is_sent_again(world: World) -> None:
    nodes = world.client(password())
    get(nodes.read())
    world._refresh_tokens.clear()
    for _ in range(2):
        world.runtime.elapsed += 3600
        get(nodes.read())

    assert list(world.grants.items()) == [("password", 2), ("refresh_token", 2)]
    assert [fields["grant_type"] for fields in world.asked] == [
        "password",
        "refresh_token",
        "password",
        "refresh_token",
    ]


def test_an_answer_without_a_refresh_token_is_a_token_as_well(world: World) -> None:
    world.refreshes = False
    nodes = world.client(password())
    get(nodes.read())
    world.runtime.elapsed += 3600
    get(nodes.read())

    assert world.grants == {"password": 2}


def test_the_token_itself_says_when_it_ends(world: World) -> None:
    world.life, world.said_life = 60, 3600
    nodes = world.client(client())
    get(nodes.read())
    world.runtime.elapsed += 59
    get(nodes.read())

    assert len(world.asked) == 2
    assert world.seen.count("GET /nodes") == 2  # none was sent with a dead one


@pytest.mark.parametrize(("elapsed", "asked"), [(3299, 1), (3301, 2), (3599, 2)])
def test_it_is_renewed_from_five_minutes_before_its_end(world: World, elapsed: int, asked: int) -> None:
    nodes = world.client(password())
    get(nodes.read())
    world.runtime.elapsed += elapsed
    get(nodes.read())

    assert len(world.asked) == asked


@EVERY
def test_a_store_keeps_logins_for_later(world: World, make: Any, fields: dict[str, str]) -> None:
    store = MemoryTokenStore()
    for _ in range(3):
        get(world.client(make(store=store)).read())

    assert world.asked == [fields]


def test_a_store_keeps_logins_apart(world: World) -> None:
    store = MemoryTokenStore()
    answers = {
        get(world.client(auth).read())["data"]
        for auth in (
            password(store=store),
            PasswordAuth("eve", "start123", AUTH, store=store),
            PasswordAuth("admin", "start123", f"{AUTH}/auth", store=store),
            robot(store=store),
            RobotAuth("other", "beep-beep", AUTH, store=store),
            client(store=store),
            ClientAuth("other", "s3cret", AUTH, store=store),
        )
    }

    assert len(answers) == 7


def test_an_access_token_is_used_as_it_is_to_its_end(world: World) -> None:
    get(world.client(password()).read())
    token = world.transport.requests[-1].headers["authorization"].removeprefix("Bearer ")
    nodes = world.client(StaticAuth(token))
    get(nodes.read())
    get(nodes.read())

    assert len(world.asked) == 1


def test_one_login_serves_every_service_of_the_hub(world: World) -> None:
    auth = password()
    for url in ("https://core.hub.test", "https://storage.hub.test", AUTH, "http://localhost:3000/core/"):
        get(world.client(auth, base_url=url).read())

    assert world.asked == [PASSWORD]


def test_all_of_them_are_what_clients_take_as_auth() -> None:
    for auth in (password(), robot(), client(), StaticAuth("token")):
        assert isinstance(auth, HubAuth)
        assert auth.name == "auth"


def test_a_token_of_another_type_is_told(world: World) -> None:
    world.answers = [Response(200, body=encode({"access_token": "t", "token_type": "mac"}))]

    with pytest.raises(ContractError, match="type 'mac'"):
        get(world.client(password()).read())


def test_an_answer_that_is_no_token_is_told(world: World) -> None:
    world.answers = [Response(200, body=b"<html>Sign in</html>")]

    with pytest.raises(HubLoginError, match=r"^no token came"):
        get(world.client(password()).read())
