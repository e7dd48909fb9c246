"""Who gets a token, what is in it, and how it ends."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import urllib3
from tests.jackfield_services.flame_hub.hub_wire import NOON, Session, ask, grant, login

from jackfield_services.flame_hub.emulator import FlameHubEmulator, Generation


def claims(token: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def test_a_token_is_a_jwt_of_who_asked(hub: FlameHubEmulator) -> None:
    token = login(hub)["access_token"]
    head = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    body = claims(token)
    assert head == {"typ": "JWT", "alg": "HS256"}
    assert (body["iat"], body["exp"], body["sub_kind"], body["name"]) == (NOON, NOON + 3600, "user", "admin")
    assert body["sub"] == Session(hub).auth("GET", "/users?filter[name]=admin").data[0]["id"]
    assert body["realm_id"] == Session(hub).master_realm()


def test_a_token_of_one_service_is_good_for_all(session: Session) -> None:
    assert session.auth("GET", "/clients").status == 200
    assert session.core("GET", "/nodes").status == 200
    assert session.storage("GET", "/buckets").status == 200


def test_a_token_that_was_changed_is_garbage(old: FlameHubEmulator) -> None:
    head, body, signature = login(old)["access_token"].split(".")
    forged = base64.urlsafe_b64encode(json.dumps({**claims(f"{head}.{body}."), "name": "root"}).encode()).decode()
    for token in (f"{head}.{forged.rstrip('=')}.{signature}", f"{head}.{body}.", f"{head}.{body}", "..", ""):
        assert ask(old.core_url, "GET", "/nodes", headers={"Authorization": f"Bearer {token}"}).status == 400


def test_a_token_of_another_hub_is_garbage(old: FlameHubEmulator) -> None:
    with FlameHubEmulator("0.1.1") as other:
        token = login(other)["access_token"]
    assert ask(old.core_url, "GET", "/nodes", token=token).status == 400


def test_a_refresh_token_is_no_access_token_nor_the_other_way_round(old: FlameHubEmulator) -> None:
    tokens = login(old)
    assert ask(old.core_url, "GET", "/nodes", token=tokens["refresh_token"]).status == 400
    assert grant(old, grant_type="refresh_token", refresh_token=tokens["access_token"]).status == 400


def test_other_schemes_are_garbage(old: FlameHubEmulator) -> None:
    assert ask(old.core_url, "GET", "/nodes", headers={"Authorization": "Basic YTpi"}).status == 400


def test_the_date_of_answers_is_the_clocks() -> None:
    with FlameHubEmulator("1.1.0", now=lambda: 1_000_000_000.0) as hub:
        answer = urllib3.request("GET", f"{hub.auth_url}/realms", retries=False)

    assert answer.headers["date"] == "Sun, 09 Sep 2001 01:46:40 GMT"


def test_tokens_die_by_the_clock() -> None:
    clock = [NOON]
    with FlameHubEmulator("1.1.0", token_life=60, now=lambda: clock[0]) as hub:
        session = Session(hub)
        clock[0] += 59
        alive = session.core("GET", "/nodes").status
        clock[0] += 1
        assert (alive, session.core("GET", "/nodes").status) == (200, 401)


@pytest.mark.parametrize(
    ("generation", "setting", "status", "code"),
    [
        ("0.1.1", None, 500, "INTERNAL_SERVER_ERROR"),
        ("0.1.1", 400, 400, "BAD_REQUEST"),
        ("0.1.1", 401, 401, "UNAUTHORIZED"),
        ("1.1.0", None, 401, "UNAUTHORIZED"),
        ("1.1.0", 400, 400, "BAD_REQUEST"),
        ("1.1.0", 500, 500, "INTERNAL_SERVER_ERROR"),
    ],
)
def test_a_dead_token_shows_as_is_set(generation: Generation, setting: Any, status: int, code: str) -> None:
    with FlameHubEmulator(generation, dead_token=setting) as hub:
        session = Session(hub)
        hub.expire_tokens()
        for ask_it, path in ((session.core, "/nodes"), (session.storage, "/buckets")):
            assert ask_it("GET", path).refusal[:2] == (status, code)
        auth = session.auth("GET", "/clients")
    assert (auth.status, auth.json["code"]) == (status, "invalid_token" if status == 400 else code)


def test_garbage_is_a_401_in_the_new_generation_unless_dead_tokens_are_a_400(new: FlameHubEmulator) -> None:
    assert ask(new.core_url, "GET", "/nodes", token="garbage").status == 401
    new.dead_token = 400
    assert ask(new.core_url, "GET", "/nodes", token="garbage").status == 400


def test_a_dead_token_is_refused_where_none_is_needed_too(hub: FlameHubEmulator) -> None:
    session = Session(hub)
    hub.expire_tokens()
    assert session.auth("GET", "/realms").status >= 400
    assert ask(hub.auth_url, "GET", "/realms").status == 200


def test_realms_are_for_everybody_to_read_and_for_nobody_else_to_write(hub: FlameHubEmulator) -> None:
    (realm,) = ask(hub.auth_url, "GET", "/realms").data
    assert ask(hub.auth_url, "GET", f"/realms/{realm['id']}").status == 200
    for method, path in (("POST", "/realms"), ("POST", f"/realms/{realm['id']}"), ("DELETE", f"/realms/{realm['id']}")):
        assert ask(hub.auth_url, method, path, {"name": "other"}).status == 401
    assert ask(hub.auth_url, "GET", "/token/introspect").status == 401


def test_only_what_was_issued_before_expires(hub: FlameHubEmulator) -> None:
    tokens = login(hub)
    hub.expire_tokens()
    refreshed = grant(hub, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert refreshed.status == 200
    assert ask(hub.core_url, "GET", "/nodes", token=refreshed.json["access_token"]).status == 200


def test_refresh_tokens_can_be_made_to_expire_too(hub: FlameHubEmulator) -> None:
    tokens = login(hub)
    hub.expire_tokens(refresh=True)
    reply = grant(hub, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert reply.refusal[:2] == (400, "inactive_token")


def test_refresh_tokens_die_by_the_clock() -> None:
    clock = [NOON]
    with FlameHubEmulator(refresh_life=10, now=lambda: clock[0]) as hub:
        token = login(hub)["refresh_token"]
        clock[0] += 10
        assert grant(hub, grant_type="refresh_token", refresh_token=token).status == 400


def test_a_refreshed_token_is_of_whom_it_was(hub: FlameHubEmulator) -> None:
    tokens = grant(hub, grant_type="client_credentials", client_id=hub.client_id, client_secret=hub.client_secret)
    again = grant(hub, grant_type="refresh_token", refresh_token=tokens.json["refresh_token"])
    body = claims(again.json["access_token"])
    assert (body["sub"], body["sub_kind"]) == (hub.client_id, "client")
    assert again.json["refresh_token"] != tokens.json["refresh_token"]


def test_expires_in_may_say_what_is_not_so() -> None:
    with FlameHubEmulator("0.1.1", token_life=5, expires_in=3600) as hub:
        tokens = login(hub)
    body = claims(tokens["access_token"])
    assert (tokens["expires_in"], body["exp"] - body["iat"]) == (3600, 5)


def test_the_new_generation_tells_how_long_a_refresh_token_is_good_for(new: FlameHubEmulator) -> None:
    assert login(new)["refresh_token_expires_in"] == 259_200


def test_the_new_generation_has_no_robots(new: FlameHubEmulator) -> None:
    reply = grant(new, grant_type="robot_credentials", id=new.robot_id, secret=new.robot_secret)
    assert reply.refusal[:2] == (400, "invalid_grant")
    assert Session(new).auth("GET", "/robots").body == b""


@pytest.mark.parametrize("asked", [{}, {"grant_type": "bogus"}, {"grant_type": None}, {"grant_type": ["password"]}])
def test_a_grant_that_is_none_is_refused(hub: FlameHubEmulator, asked: dict[str, Any]) -> None:
    assert grant(hub, **asked).refusal[:2] == (400, "invalid_grant")


@pytest.mark.parametrize(
    "asked",
    [
        {"grant_type": "password"},
        {"grant_type": "password", "username": "nobody", "password": "start123"},
        {"grant_type": "password", "username": "admin", "password": None},
        {"grant_type": "password", "username": ["admin"], "password": "start123"},
        {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "x"},
        {"grant_type": "client_credentials", "client_id": 7, "client_secret": "x"},
    ],
)
def test_wrong_credentials_are_a_400(hub: FlameHubEmulator, asked: dict[str, Any]) -> None:
    assert grant(hub, **asked).refusal[:2] == (400, "invalid_credentials")


def test_a_form_is_taken_as_well_as_json(hub: FlameHubEmulator) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    form = b"grant_type=password&username=admin&password=start123"
    assert ask(hub.auth_url, "POST", "/token", form, headers=headers).status == 200


def test_who_is_not_active_gets_no_token(session: Session) -> None:
    client = session.make("clients", name="sleeping", active=False)
    reply = grant(session.hub, grant_type="client_credentials", client_id=client["id"], client_secret=client["secret"])
    assert reply.refusal[:2] == (400, "invalid_credentials")


def test_a_robot_or_a_user_who_is_not_active_gets_none_either(old: FlameHubEmulator) -> None:
    session = Session(old)
    robot = session.make("robots", name="robot", secret="s", active=False)
    session.make("users", name="carol", password="s", active=False)
    assert grant(old, grant_type="robot_credentials", id=robot["id"], secret="s").status == 400
    assert grant(old, grant_type="password", username="carol", password="s").status == 400


def test_a_password_may_be_changed(session: Session) -> None:
    user = session.make("users", name="carol", email="carol@example.com")
    assert grant(session.hub, grant_type="password", username="carol", password="secret").status == 400
    changed = session.auth("POST", f"/users/{user['id']}", {"password": "secret"})
    assert (changed.status, "password" in changed.data, "password" in user) == (202, False, False)
    assert grant(session.hub, grant_type="password", username="carol", password="secret").status == 200
    assert "secret" not in session.auth("GET", "/users").body.decode()


def test_a_bearer_token_does_not_matter_to_the_token_endpoint(hub: FlameHubEmulator) -> None:
    session = Session(hub)
    hub.expire_tokens()
    asked = {"grant_type": "password", "username": hub.username, "password": hub.password}
    assert session.auth("POST", "/token", asked).status == 200
