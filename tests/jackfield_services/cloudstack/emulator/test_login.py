"""Sessions: login, logout, their cookies and keys, and how they end."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.cloudstack_wire import CREDENTIALS, NOON, Reply, Visitor, call_with, refusal

from jackfield_services.cloudstack.emulator import CloudStackEmulator, User
from jackfield_services.cloudstack.emulator._sessions import SessionCheck

LOST = "unable to verify user credentials"


@pytest.fixture
def clock() -> list[float]:
    return [NOON]


@pytest.fixture
def cloud(clock: list[float]) -> Iterator[CloudStackEmulator]:
    users = [User(), User(username="carol", domain="sales/eu", role="User")]
    with CloudStackEmulator(users=users, now=lambda: clock[0]) as running:
        yield running


@pytest.fixture
def visitor(cloud: CloudStackEmulator) -> Visitor:
    found = Visitor(cloud)
    found.log_in()
    return found


def wrong(reply: Reply) -> tuple[int, int | None, str]:
    return refusal(reply, "listzonesresponse")


def test_a_login_answers_whose_the_session_is_and_how_long_it_lasts(cloud: CloudStackEmulator) -> None:
    told: dict[str, Any] = Visitor(cloud).log_in().json["loginresponse"]
    assert (told["username"], told["account"], told["type"], told["timeout"]) == ("admin", "admin", "1", 1800)
    assert (told["userid"], told["domainid"]) == (cloud.user.id, cloud.user.domain_id)
    assert (told["is2faenabled"], told["is2faverified"]) == ("false", "true")
    assert len(base64.urlsafe_b64decode(told["sessionkey"] + "=")) == 20


def test_a_login_sets_two_cookies_of_which_one_has_a_path(cloud: CloudStackEmulator) -> None:
    reply = Visitor(cloud).log_in()
    session, key = reply.headers.get_all("Set-Cookie", [])
    assert re.fullmatch(r"JSESSIONID=\w+\.node0; Path=/client; HttpOnly", session)
    assert key == f"sessionkey={reply.json['loginresponse']['sessionkey']};HttpOnly"


def test_a_session_stands_for_a_signature_by_get_and_by_post(cloud: CloudStackEmulator, visitor: Visitor) -> None:
    assert visitor.ask("listZones").status == 200
    assert visitor.ask("listZones", method="POST").status == 200
    assert [request.username for request in cloud.requests] == ["", "admin", "admin"]


def test_a_login_may_be_done_by_post_alone_and_says_so_without_json(cloud: CloudStackEmulator) -> None:
    reply = Visitor(cloud).ask("login", username="admin", password="emulator-password")
    assert (reply.status, reply.body) == (405, b"Please use HTTP POST to authenticate using this API")
    assert cloud.sessions == ()


@pytest.mark.parametrize(
    "given", [{"password": "wrong"}, {"password": ""}, {"username": "nobody"}, {"domain": "sales/eu"}]
)
def test_who_does_not_know_name_domain_and_password_is_refused(
    cloud: CloudStackEmulator, given: dict[str, str]
) -> None:
    code, cs_code, text = refusal(Visitor(cloud).log_in(**given), "loginresponse")
    assert (code, cs_code) == (531, None)
    assert text.startswith(f"Failed to authenticate user {given.get('username', 'admin')} in domain ")
    assert cloud.sessions == ()


@pytest.mark.parametrize("domain", ["/", ""])
def test_the_root_domain_is_a_slash_or_nothing(cloud: CloudStackEmulator, domain: str) -> None:
    assert Visitor(cloud).log_in(domain=domain).status == 200


@pytest.mark.parametrize("domain", ["ROOT", "/ROOT", "/sales", "/sales/eu/west/"])
def test_a_domain_that_is_none_is_named_with_slashes_around(cloud: CloudStackEmulator, domain: str) -> None:
    text = f"Unable to find the domain from the path /{domain.strip('/')}/"
    assert refusal(Visitor(cloud).log_in(domain=domain), "loginresponse") == (531, None, text)


@pytest.mark.parametrize("domain", ["sales/eu", "/sales/eu", "sales/eu/", "/sales/eu/"])
def test_a_user_of_another_domain_logs_in_there(cloud: CloudStackEmulator, domain: str) -> None:
    carol = cloud.users[1]
    reply = Visitor(cloud).log_in(username="carol", password=carol.password, domain=domain)
    assert reply.json["loginresponse"]["userid"] == carol.id


def test_a_domain_may_be_named_by_its_id_which_comes_before_its_path(cloud: CloudStackEmulator) -> None:
    carol = cloud.users[1]
    given = {"username": "carol", "password": carol.password}
    assert Visitor(cloud).log_in(**given, domainid=carol.domain_id, domain="/").status == 200
    assert Visitor(cloud).log_in(**given, domainId=carol.domain_id).status == 200
    assert Visitor(cloud).log_in(domainid="1").status == 200
    text = "Invalid domain id entered, please enter a valid one"
    assert refusal(Visitor(cloud).log_in(**given, domainid="2"), "loginresponse") == (401, None, text)


def test_a_disabled_user_neither_logs_in_nor_goes_on_nor_signs(cloud: CloudStackEmulator, visitor: Visitor) -> None:
    cloud.user.enabled = False
    text = "User admin (or their account) in domain 1 is disabled/locked. Please contact the administrator."
    assert refusal(Visitor(cloud).log_in(), "loginresponse") == (531, None, text)
    assert wrong(visitor.ask("listZones")) == (401, None, LOST)
    assert wrong(call_with(cloud, {"command": "listZones"})) == (401, None, CREDENTIALS)


IN_COOKIE, IN_PARAMETER, IN_BOTH = (
    ({"sessionkey"}, set[str]()),
    (set[str](), {"sessionkey"}),
    ({"sessionkey"}, {"sessionkey"}),
)


@pytest.mark.parametrize(
    ("check", "places", "status"),
    [
        ("CookieAndParameter", IN_BOTH, 200),
        ("CookieAndParameter", IN_COOKIE, 401),
        ("CookieAndParameter", IN_PARAMETER, 401),
        ("CookieOrParameter", IN_BOTH, 200),
        ("CookieOrParameter", IN_COOKIE, 200),
        ("CookieOrParameter", IN_PARAMETER, 200),
        ("CookieOrParameter", (set[str](), set[str]()), 401),
        ("ParameterOnly", IN_BOTH, 200),
        ("ParameterOnly", IN_COOKIE, 401),
        ("ParameterOnly", IN_PARAMETER, 200),
    ],
)
def test_the_session_key_has_to_be_where_the_setting_wants_it(
    cloud: CloudStackEmulator, visitor: Visitor, check: SessionCheck, places: tuple[set[str], set[str]], status: int
) -> None:
    cloud.session_check = check
    if not places[0]:
        del visitor.cookies["sessionkey"]
    if not places[1]:
        visitor.key = None
    assert visitor.ask("listZones").status == status
    assert bool(cloud.sessions) is (status == 200)


@pytest.mark.parametrize("check", ["CookieAndParameter", "CookieOrParameter", "ParameterOnly"])
@pytest.mark.parametrize("place", ["cookie", "parameter"])
def test_a_wrong_session_key_anywhere_ends_the_session(
    cloud: CloudStackEmulator, visitor: Visitor, check: SessionCheck, place: str
) -> None:
    cloud.session_check = check
    right = visitor.key
    if place == "cookie":
        visitor.cookies["sessionkey"] = "wrong"
    else:
        visitor.key = "wrong"
    assert wrong(visitor.ask("listZones")) == (401, None, LOST)
    visitor.key = visitor.cookies["sessionkey"] = str(right)
    assert wrong(visitor.ask("listZones")) == (401, None, CREDENTIALS)


def test_a_session_ends_when_nothing_was_asked_for_its_time(
    cloud: CloudStackEmulator, visitor: Visitor, clock: list[float]
) -> None:
    for _ in range(3):
        clock[0] += 1799
        assert visitor.ask("listZones").status == 200
    clock[0] += 1800
    assert cloud.sessions == ()
    assert wrong(visitor.ask("listZones")) == (401, None, CREDENTIALS)


def test_the_time_of_a_session_can_be_set_and_is_told(cloud: CloudStackEmulator, clock: list[float]) -> None:
    cloud.session_timeout = 60
    visitor = Visitor(cloud)
    assert visitor.log_in().json["loginresponse"]["timeout"] == 60
    clock[0] += 60
    assert visitor.ask("listZones").status == 401


def test_a_restarted_server_knows_no_session(cloud: CloudStackEmulator, visitor: Visitor) -> None:
    cloud.end_sessions()
    assert wrong(visitor.ask("listZones")) == (401, None, CREDENTIALS)
    visitor.log_in()
    assert visitor.ask("listZones").status == 200


def test_a_logout_ends_the_session_and_takes_the_cookies_back(cloud: CloudStackEmulator, visitor: Visitor) -> None:
    reply = visitor.ask("logout")
    assert reply.body == b'{"logoutresponse":{"description":"success"}}'
    assert sorted(reply.headers.get_all("Set-Cookie", [])) == ["JSESSIONID=; Max-Age=0", "sessionkey=; Max-Age=0"]
    assert cloud.sessions == ()
    assert visitor.ask("listZones").status == 401


def test_a_logout_without_a_session_is_a_success_too(cloud: CloudStackEmulator) -> None:
    assert Visitor(cloud).ask("logout").status == 200


def test_a_login_ends_the_session_that_asks_for_it(cloud: CloudStackEmulator, visitor: Visitor) -> None:
    visitor.log_in()
    assert len(cloud.sessions) == 1
    visitor.log_in(password="wrong")
    assert len(cloud.sessions) == 0


def test_several_sessions_are_open_at_once(cloud: CloudStackEmulator) -> None:
    visitors = [Visitor(cloud) for _ in range(3)]
    assert len({visitor.log_in().json["loginresponse"]["sessionkey"] for visitor in visitors}) == 3
    assert [visitor.ask("listZones").status for visitor in visitors] == [200] * 3
    assert [session.user.username for session in cloud.sessions] == ["admin"] * 3


def test_a_session_without_a_command_is_told_so(visitor: Visitor) -> None:
    assert refusal(visitor.ask(None), "null") == (400, None, "no command specified")


def test_a_session_hears_of_an_unknown_command_what_a_role_hears(visitor: Visitor) -> None:
    text = "The given command 'flyToTheMoon' either does not exist, is not available for user."
    assert refusal(visitor.ask("flyToTheMoon"), "errorresponse") == (401, 9999, text)


def test_a_user_logged_in_has_the_role_of_a_user(cloud: CloudStackEmulator) -> None:
    carol, visitor = cloud.users[1], Visitor(cloud)
    visitor.log_in(username="carol", password=carol.password, domain=carol.domain)
    assert visitor.ask("listHosts").status == 401
    assert visitor.ask("listZones").status == 200  # which a denied command does not end


@pytest.mark.parametrize("cookie", ["", "node01234.node0", "?;=,", "x"])
def test_a_session_that_is_none_is_no_error_but_a_missing_signature(cloud: CloudStackEmulator, cookie: str) -> None:
    visitor = Visitor(cloud)
    visitor.cookies = {"JSESSIONID": cookie}
    assert wrong(visitor.ask("listZones")) == (401, None, CREDENTIALS)


def test_other_cookies_do_no_harm(visitor: Visitor) -> None:
    visitor.cookies = {"odd": '{"a": 1, é}', **visitor.cookies, "route": ".1"}
    visitor.cookies["sessionkey"] = f'"{visitor.key}"; sessionkey=second'
    assert visitor.ask("listZones").status == 200


def test_the_id_of_a_session_counts_with_the_name_of_its_node_alone(
    cloud: CloudStackEmulator, visitor: Visitor
) -> None:
    visitor.cookies["JSESSIONID"] = visitor.cookies["JSESSIONID"].removesuffix(".node0")
    assert visitor.ask("listZones").status == 401


def test_a_session_tells_neither_its_key_nor_a_password(cloud: CloudStackEmulator, visitor: Visitor) -> None:
    shown = repr(cloud.sessions)
    assert str(visitor.key) not in shown
    assert cloud.user.password not in shown
    assert cloud.api_secret not in shown
    assert "123456" not in repr(User(second_factor="123456"))


@pytest.mark.parametrize("command", ["listIdps", "listGuiThemes"])
def test_what_a_login_page_shows_needs_nobody(cloud: CloudStackEmulator, command: str) -> None:
    assert Visitor(cloud).ask(command).json == {f"{command.lower()}response": {}}
