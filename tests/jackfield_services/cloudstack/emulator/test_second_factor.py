"""The second factor of a login: what a session may do before its code, and what the code makes of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.cloudstack_wire import CREDENTIALS, Visitor, call, refusal

from jackfield_services.cloudstack.emulator import CloudStackEmulator, User

VALIDATE = "validateUserTwoFactorAuthenticationCode"


@pytest.fixture
def cloud() -> Iterator[CloudStackEmulator]:
    with CloudStackEmulator(users=[User(second_factor="123456")]) as running:
        yield running


@pytest.fixture
def visitor(cloud: CloudStackEmulator) -> Visitor:
    found = Visitor(cloud)
    found.log_in()
    return found


def test_a_login_tells_that_a_code_is_wanted(cloud: CloudStackEmulator) -> None:
    told = Visitor(cloud).log_in().json["loginresponse"]
    assert (told["is2faenabled"], told["is2faverified"]) == ("true", "false")


def test_the_code_opens_everything(cloud: CloudStackEmulator, visitor: Visitor) -> None:
    reply = visitor.ask(VALIDATE, codefor2fa="123456")
    assert reply.json == {"validateusertwofactorauthenticationcoderesponse": {"success": True}}
    assert visitor.ask("listZones").status == 200
    assert [session.verified for session in cloud.sessions] == [True]


def test_another_command_before_the_code_ends_the_session(cloud: CloudStackEmulator, visitor: Visitor) -> None:
    code, cs_code, text = refusal(visitor.ask("listZones"), "listzonesresponse")
    assert (code, cs_code) == (411, None)
    assert text.startswith("Unable to process the API request due to :Two factor authentication 2FA is enabled but not")
    assert text.endswith("Existing session is invalidated.")
    assert cloud.sessions == ()
    assert visitor.ask(VALIDATE, codefor2fa="123456").status == 401


@pytest.mark.parametrize("command", ["listApis", "LISTAPIS", "listUserTwoFactorAuthenticatorProviders", "listIdps"])
def test_some_commands_may_come_before_the_code(cloud: CloudStackEmulator, visitor: Visitor, command: str) -> None:
    visitor.ask(command)
    assert len(cloud.sessions) == 1
    assert visitor.ask(VALIDATE, codefor2fa="123456").status == 200


@pytest.mark.parametrize("code", ["654321", "", "12345"])
def test_a_wrong_code_ends_the_session(cloud: CloudStackEmulator, visitor: Visitor, code: str) -> None:
    status, _, text = refusal(visitor.ask(VALIDATE, codefor2fa=code), "validateusertwofactorauthenticationcoderesponse")
    assert (status, text) == (411, "failed to authenticate user, check if two factor authentication code is correct")
    assert cloud.sessions == ()


def test_a_code_with_a_wrong_session_key_ends_the_session(cloud: CloudStackEmulator, visitor: Visitor) -> None:
    visitor.key = "wrong"
    assert visitor.ask(VALIDATE, codefor2fa="123456").status == 401
    assert cloud.sessions == ()


def test_a_code_without_a_session_is_a_missing_signature(cloud: CloudStackEmulator) -> None:
    reply = Visitor(cloud).ask(VALIDATE, codefor2fa="123456")
    assert refusal(reply, "validateusertwofactorauthenticationcoderesponse") == (401, None, CREDENTIALS)


def test_keys_need_no_code(cloud: CloudStackEmulator) -> None:
    assert call(cloud, "listZones").status == 200


def test_a_code_that_is_signed_verifies_nothing(cloud: CloudStackEmulator) -> None:
    assert call(cloud, VALIDATE, codefor2fa="123456").status == 405


@pytest.mark.parametrize("word", ["false", "FALSE", "no"])
def test_a_second_factor_is_set_up_and_dropped_by_the_user(cloud: CloudStackEmulator, word: str) -> None:
    cloud.user.second_factor = None
    visitor = Visitor(cloud)
    visitor.log_in()
    told = visitor.ask("setupUserTwoFactorAuthentication", provider="staticpin", enable="TRUE").json
    code = told["setupusertwofactorauthenticationresponse"]["setup2fa"]["secretcode"]
    visitor.log_in()
    assert visitor.ask(VALIDATE, codefor2fa=code).status == 200
    assert visitor.ask("setupUserTwoFactorAuthentication", enable=word).status == 200
    assert visitor.log_in().json["loginresponse"]["is2faenabled"] == "false"
