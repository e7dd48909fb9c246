"""The second factor of a login: verified by an authenticator of CloudStack, set up by a command."""

from ._cloud import Cloud
from ._command import Call, Command, Parameter
from ._gate import Asked
from ._login import directly
from ._sessions import same
from ._settings import Settings
from ._wire import Answer, ApiError, JsonObject, Unauthorized, enveloped

_PIN = "135790"  # what setting a second factor up gives


def validate(asked: Asked, cloud: Cloud, settings: Settings) -> Answer | None:
    """The code makes a session good for everything, or, where it is wrong, for nothing; None without a session."""
    session = cloud.sessions.find(asked.cookies, settings.now(), settings.session_timeout)
    if session is None:
        return None
    if not session.proved(asked.cookies, asked.parameters, settings.session_check):
        cloud.sessions.end(session)
        raise Unauthorized("unable to verify user credentials")
    if not same(asked.parameters.get("codefor2fa", ""), session.user.second_factor or ""):
        cloud.sessions.end(session)
        raise ApiError(411, "failed to authenticate user, check if two factor authentication code is correct", None)
    session.verified = True
    return enveloped("validateusertwofactorauthenticationcoderesponse", {"success": True}, asked.response)


def set_up(call: Call) -> JsonObject:
    """The next login asks for a code, or no longer for one; it is told once."""
    on = call.arguments.text("enable").lower() in ("", "true")  # a boolean is true, or else it is false
    call.user.second_factor = _PIN if on else None
    code: JsonObject = {"secretcode": _PIN} if on else {}
    return {"setup2fa": {"id": call.user.id, "accountid": call.user.account_id, **code}}


def list_providers(call: Call) -> JsonObject:
    names = ("staticpin", "totp")
    return {"count": len(names), "providers": [{"name": name, "description": f"by {name}"} for name in names]}


SECOND_FACTOR = (
    Command(
        "validateUserTwoFactorAuthenticationCode",
        "Verify the session by the code of the second factor",
        directly,
        (Parameter("codefor2fa", "string", "the code", required=True),),
        "success",
        {"success": True},
        since="4.18.0",
    ),
    Command(
        "setupUserTwoFactorAuthentication",
        "Set the second factor of the caller up, or drop it",
        set_up,
        (
            Parameter("enable", "boolean", "false drops it"),
            Parameter("provider", "string", "staticpin or totp"),
        ),
        "setup2fa",
        {"id": "", "accountid": "", "secretcode": _PIN},
        since="4.18.0",
    ),
    Command(
        "listUserTwoFactorAuthenticatorProviders",
        "List the ways to give a second factor",
        list_providers,
        (),
        "providers",
        {"name": "totp", "description": "by totp"},
        since="4.18.0",
    ),
)
