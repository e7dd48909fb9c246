"""0.1.1 against what was recorded of Authup 1.0.0-beta.26 and Hub 0.8.10: statuses, headers, bodies, their lengths."""

from __future__ import annotations

from typing import Any

import pytest
from tests.jackfield_services.flame_hub.hub_wire import NO_SUCH, Reply, Session, ask, grant

from jackfield_services.flame_hub.emulator import FlameHubEmulator

MOMENT = "2026-11-20T12:00:00.000Z"
NODE = {
    "external_name": None,
    "hidden": False,
    "name": "rec-db82ecfd",
    "registry_id": None,
    "type": "default",
}


def is_json(reply: Reply) -> bool:
    return (
        reply.headers["content-type"] == "application/json; charset=utf-8"
        and reply.headers["content-encoding"] == "utf-8"
        and reply.headers["content-length"] == str(len(reply.body))
    )


def test_a_password_gets_a_token_in_json_and_in_cookies(old: FlameHubEmulator) -> None:
    reply = grant(old, grant_type="password", username="admin", password="start123")
    assert (reply.status, is_json(reply)) == (200, True)
    assert list(reply.json) == ["access_token", "expires_in", "token_type", "scope", "refresh_token"]
    assert (reply.json["expires_in"], reply.json["token_type"], reply.json["scope"]) == (3600, "Bearer", "global")
    access, refresh = reply.headers.get_all("set-cookie") or []
    ends = "Domain=127.0.0.1; Path=/"
    assert access == f"access_token={reply.json['access_token']}; Max-Age=3600000; {ends}"
    assert refresh == f"refresh_token={reply.json['refresh_token']}; Max-Age=259200000; {ends}"


def test_a_wrong_password_is_a_400(old: FlameHubEmulator) -> None:
    reply = grant(old, grant_type="password", username="admin", password="nope")
    assert (reply.status, len(reply.body), is_json(reply)) == (400, 175, True)
    assert reply.json == {
        "statusCode": 400,
        "code": "invalid_credentials",
        "message": "The user credentials are invalid.",
        "error": "invalid_request",
        "error_description": "The user credentials are invalid.",
    }


def test_a_refresh_token_that_is_used_again_is_a_400(old: FlameHubEmulator) -> None:
    token = grant(old, grant_type="password", username="admin", password="start123").json["refresh_token"]
    replies = [grant(old, grant_type="refresh_token", refresh_token=token) for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 400]
    assert (replies[1].json["code"], len(replies[1].body)) == ("inactive_token", 148)


def test_a_robot_gets_no_refresh_token_in_the_body(old: FlameHubEmulator) -> None:
    reply = grant(old, grant_type="robot_credentials", id=old.robot_id, secret=old.robot_secret)
    assert (reply.status, list(reply.json)) == (200, ["access_token", "expires_in", "token_type", "scope"])
    assert len(reply.headers.get_all("set-cookie") or []) == 2


def test_a_wrong_secret_of_a_robot_is_a_400(old: FlameHubEmulator) -> None:
    reply = grant(old, grant_type="robot_credentials", id=old.robot_id, secret="bad")
    assert (reply.refusal, len(reply.body)) == ((400, "invalid_credentials", "The robot credentials are invalid."), 177)


def test_a_client_gets_a_refresh_token(old: FlameHubEmulator) -> None:
    reply = grant(old, grant_type="client_credentials", client_id=old.client_id, client_secret=old.client_secret)
    assert (reply.status, "refresh_token" in reply.json) == (200, True)


def test_realms_are_found_by_name_without_a_token(old: FlameHubEmulator) -> None:
    reply = ask(old.auth_url, "GET", "/realms?filter%5Bname%5D=master")
    id_ = reply.json["data"][0]["id"]
    dates = {"created_at": MOMENT, "updated_at": MOMENT}
    realm = {"id": id_, "name": "master", "display_name": None, "description": None, "built_in": True, **dates}
    assert reply.json == {"data": [realm], "meta": {"total": 1}}
    assert (reply.status, len(reply.body), is_json(reply)) == (200, 226, True)


def test_the_life_of_a_node(old: FlameHubEmulator) -> None:
    session = Session(old)
    created = session.core("POST", "/nodes", {**NODE, "realm_id": session.master_realm()})
    node = created.json
    assert (created.status, len(created.body), is_json(created)) == (201, 379, True)
    assert list(node) == [
        "id",
        "external_name",
        "public_key",
        "name",
        "hidden",
        "type",
        "online",
        "registry_id",
        "registry_project_id",
        "robot_id",
        "realm_id",
        "created_at",
        "updated_at",
    ]

    listed = session.core("GET", "/nodes?page[limit]=2&page[offset]=0&filter[name]=~rec&sort=-created_at")
    assert (listed.status, len(listed.body)) == (200, 430)
    assert listed.json == {"data": [node], "meta": {"total": 1, "limit": 2, "offset": 0}}

    updated = session.core("POST", f"/nodes/{node['id']}", {"hidden": True})
    assert (updated.status, len(updated.body)) == (202, 378)
    assert updated.json == {**node, "hidden": True}

    deleted = session.core("DELETE", f"/nodes/{node['id']}")
    assert (deleted.status, len(deleted.body)) == (202, 344)
    assert deleted.json == {**node, "hidden": True, "robot_id": None}

    missing = session.core("GET", f"/nodes/{node['id']}")
    assert (missing.refusal, len(missing.body), is_json(missing)) == ((404, "NOT_FOUND", ""), 50, True)


def test_what_is_wrong_with_a_node_is_told_by_attribute(old: FlameHubEmulator) -> None:
    reply = Session(old).core("POST", "/nodes", {"name": "x", "type": "bogus"})
    assert (reply.refusal, len(reply.body)) == ((400, "undefined", "The attributes name, type are invalid."), 240)
    assert reply.json["children"] == [
        {"path": "name", "pathAbsolute": "name", "received": "x"},
        {"path": "type", "pathAbsolute": "type", "received": "bogus"},
    ]
    assert reply.json["attributes"] == ["name", "type"]


def test_the_auth_service_complains_twice_of_an_empty_name(old: FlameHubEmulator) -> None:
    reply = Session(old).auth("POST", "/realms", {"name": ""})
    assert (reply.refusal, len(reply.body)) == ((400, "BAD_REQUEST", ""), 198)
    assert reply.json["children"] == [{"path": "name", "pathAbsolute": "name", "received": ""}] * 2


def test_a_name_that_is_taken_is_a_conflict(old: FlameHubEmulator) -> None:
    session, realm = Session(old), {"name": "rec-e9b9c6", "display_name": None, "description": None}
    session.auth("POST", "/realms", realm)
    reply = session.auth("POST", "/realms", realm)
    assert reply.refusal == (409, "CONFLICT", "An entry with some unique attributes already exist.")
    assert len(reply.body) == 100


def test_a_realm_cannot_be_updated_without_its_name(old: FlameHubEmulator) -> None:
    session = Session(old)
    path = f"/realms/{session.make('realms', name='realm')['id']}"
    assert session.auth("POST", path, {"description": "d"}).status == 400
    assert session.auth("POST", path, {"name": "realm", "description": "d"}).json["description"] == "d"


@pytest.mark.parametrize(
    ("token", "refusal", "length"),
    [("", (401, "UNAUTHORIZED", ""), 53), ("garbage", (400, "BAD_REQUEST", ""), 52)],
)
def test_no_token_is_a_401_and_garbage_a_400(
    old: FlameHubEmulator, token: str, refusal: tuple[int, str, str], length: int
) -> None:
    for url in (old.core_url, old.storage_url):
        path = "/nodes" if url == old.core_url else "/buckets"
        reply = ask(url, "GET", path, token=token)
        assert (reply.refusal, len(reply.body), is_json(reply)) == (refusal, length, True)


def test_the_auth_service_calls_garbage_an_invalid_token(old: FlameHubEmulator) -> None:
    assert ask(old.auth_url, "GET", "/robots", token="garbage").refusal[:2] == (400, "invalid_token")
    assert ask(old.auth_url, "GET", "/robots").refusal[:2] == (401, "UNAUTHORIZED")
    assert grant(old, grant_type="refresh_token", refresh_token="garbage").refusal[:2] == (400, "invalid_token")


def test_an_expired_token_is_an_error_of_the_server(old: FlameHubEmulator) -> None:
    session = Session(old)
    old.expire_tokens()
    reply = session.core("GET", "/nodes")
    assert reply.refusal == (500, "INTERNAL_SERVER_ERROR", "An internal server error occurred.")
    assert len(reply.body) == 96


def test_a_sync_that_is_under_way_locks_the_command(old: FlameHubEmulator) -> None:
    session = Session(old)
    replies = [session.core("POST", "/master-images/command", {"command": "sync"}) for _ in range(2)]
    assert [reply.status for reply in replies] == [202, 400]
    assert replies[1].refusal[1:] == ("BAD_REQUEST", "The command is locked and can therefore not be executed.")
    assert len(replies[1].body) == 108


def test_limits_are_clamped_and_unknown_keys_passed_over(old: FlameHubEmulator) -> None:
    session = Session(old)
    session.make("nodes", name="one")
    session.make("nodes", name="two")
    clamped = session.core("GET", "/nodes?page%5Blimit%5D=500").json["meta"]
    sort = session.core("GET", "/nodes?sort=nope&page%5Blimit%5D=1").json
    filtered = session.core("GET", "/nodes?filter%5Bnope%5D=1&page%5Blimit%5D=1").json
    assert clamped == {"total": 2, "limit": 50, "offset": 0}
    assert sort == filtered
    assert sort["meta"] == {"total": 2, "limit": 1, "offset": 0}


def test_a_token_is_introspected(old: FlameHubEmulator) -> None:
    reply = Session(old).auth("GET", "/token/introspect")
    assert reply.status == 200
    assert reply.json["permissions"][0] == {"name": "client_create", "client_id": None, "realm_id": None}
    expected = {
        "active": True,
        "kind": "access_token",
        "iss": f"{old.auth_url}/",
        "sub_kind": "user",
        "remote_address": "127.0.0.1",
        "realm_name": "master",
        "scope": "global",
        "name": "admin",
        "family_name": None,
        "given_name": None,
        "nickname": "admin",
        "preferred_username": "admin",
    }
    assert {name: reply.json[name] for name in expected} == expected
    assert reply.json["exp"] - reply.json["iat"] == 3600


def test_a_new_robot_is_answered_with_its_secret_and_its_realm(old: FlameHubEmulator) -> None:
    session, secret = Session(old), "0" * 64
    realm = session.auth("GET", "/realms").json["data"][0]
    asked: dict[str, Any] = {"name": "rec-be13215d", "realm_id": realm["id"], "secret": secret, "display_name": None}
    reply = session.auth("POST", "/robots", asked)
    assert (reply.status, len(reply.body)) == (201, 563)
    assert (reply.json["secret"], reply.json["realm"]) == (secret, realm)
    assert "secret" not in session.auth("GET", f"/robots/{reply.json['id']}").json


def test_a_new_client_is_answered_with_its_secret_and_its_realm(old: FlameHubEmulator) -> None:
    session, secret = Session(old), "0" * 64
    asked = {"name": "rec-f59faa95", "realm_id": session.master_realm(), "secret": secret, "is_confidential": True}
    client = session.auth("POST", "/clients", asked).json
    recorded = [
        "name",
        "secret",
        "is_confidential",
        "realm_id",
        "realm",
        "display_name",
        "description",
        "redirect_uri",
        "grant_types",
        "scope",
        "base_url",
        "root_url",
        "user_id",
        "id",
        "built_in",
    ]
    assert set(recorded) <= set(client)
    assert grant(old, grant_type="client_credentials", client_id=client["id"], client_secret=secret).status == 200


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_an_unknown_route_is_empty_and_no_json(old: FlameHubEmulator, method: str) -> None:
    reply = Session(old).core(method, "/bogus" if method != "PUT" else f"/nodes/{NO_SUCH}", {})
    assert (reply.status, reply.body, reply.headers["content-type"]) == (404, b"", None)


def test_an_id_that_is_none_is_not_found(old: FlameHubEmulator) -> None:
    session = Session(old)
    assert session.core("GET", "/nodes/nope").refusal == (404, "NOT_FOUND", "")
    assert session.core("DELETE", f"/nodes/{NO_SUCH}").refusal == (404, "NOT_FOUND", "")


def test_an_update_with_nothing_in_it_is_accepted(old: FlameHubEmulator) -> None:
    session = Session(old)
    path = f"/nodes/{session.make('nodes', name='one')['id']}"
    assert session.core("POST", path, b"").status == 202
    assert session.core("POST", path, {}).status == 202


def test_malformed_json_is_a_400_of_code_undefined(old: FlameHubEmulator) -> None:
    headers = {"Content-Type": "application/json"}
    reply = ask(old.core_url, "POST", "/nodes", b"{", token=Session(old).token, headers=headers)
    assert reply.refusal[:2] == (400, "undefined")


def test_each_service_tells_anybody_its_version(hub: FlameHubEmulator) -> None:
    for url in (hub.auth_url, hub.core_url, hub.storage_url):
        reply = ask(url, "GET", "/")
        assert (reply.status, list(reply.json)) == (200, ["version"])


def test_the_auth_service_tells_its_rate_limit(old: FlameHubEmulator) -> None:
    first, second = (ask(old.auth_url, "GET", "/realms").headers for _ in range(2))
    assert (first["ratelimit-limit"], first["ratelimit-remaining"], first["ratelimit-reset"]) == ("1200", "1199", "60")
    assert second["ratelimit-remaining"] == "1198"
    assert "ratelimit-limit" not in ask(old.core_url, "GET", "/nodes").headers
