"""The commands that open and end sessions: authenticators of CloudStack, which need no signature."""

from collections.abc import Mapping, Sequence

from ._cloud import Cloud
from ._command import Call, Command, Parameter
from ._gate import Asked
from ._sessions import Session, forgotten, same
from ._settings import Settings
from ._users import ROOT, User, made_id, slashed
from ._wire import Answer, ApiError, Json, JsonObject, enveloped


def login(asked: Asked, cloud: Cloud, settings: Settings) -> Answer:
    """A session for who knows the password; the one before is over, whatever comes of it."""
    if asked.method != "POST":  # the one answer that is no JSON
        return Answer(status=405, body=b"Please use HTTP POST to authenticate using this API")
    now = settings.now()
    before = cloud.sessions.find(asked.cookies, now, settings.session_timeout)
    if before is not None:
        cloud.sessions.end(before)
    session = cloud.sessions.open(_authenticated(asked.parameters, cloud.users), now)
    payload = _about(session, int(settings.session_timeout))
    return enveloped("loginresponse", payload, asked.response, cookies=session.cookies())


def logout(asked: Asked, cloud: Cloud, settings: Settings) -> Answer:
    """The session is over, if there was one."""
    session = cloud.sessions.find(asked.cookies, settings.now(), settings.session_timeout)
    if session is not None:
        cloud.sessions.end(session)
    return enveloped("logoutresponse", {"description": "success"}, asked.response, cookies=forgotten(asked.cookies))


def list_idps(asked: Asked, cloud: Cloud, settings: Settings) -> Answer:
    """There are no identity providers."""
    return enveloped("listidpsresponse", {}, asked.response)


def _authenticated(parameters: Mapping[str, str], users: Sequence[User]) -> User:
    """By domainid, else by domain, else in ROOT."""
    name, domain = parameters.get("username", ""), _domain(parameters, users)
    shown = "1" if domain == ROOT else made_id(f"domain {domain}")
    user = next((user for user in users if user.username == name and slashed(user.domain) == domain), None)
    if user is None or not same(parameters.get("password", ""), user.password):
        text = f"Failed to authenticate user {name} in domain {shown}; please provide valid credentials"
        raise ApiError(531, text, None)
    if not user.enabled:
        text = f"User {name} (or their account) in domain {shown} is disabled/locked. Please contact the administrator."
        raise ApiError(531, text, None)
    return user


def _domain(parameters: Mapping[str, str], users: Sequence[User]) -> str:
    known = {ROOT: made_id("domain ROOT"), **{slashed(user.domain): user.domain_id for user in users}}
    wanted = parameters.get("domainid", parameters.get("domainId"))
    if wanted is not None:
        found = [path for path, id_ in known.items() if wanted == id_ or (path, wanted) == (ROOT, "1")]
        if not found:
            raise ApiError(401, "Invalid domain id entered, please enter a valid one", None)
        return found[0]
    path = slashed(parameters["domain"]) if parameters.get("domain") else ROOT
    if path not in known:
        raise ApiError(531, f"Unable to find the domain from the path {path}", None)
    return path


def _about(session: Session, timeout: int) -> JsonObject:
    """What a login answers: all in strings, but for the seconds that an idle session lasts."""
    user = session.user
    names: JsonObject = {"username": user.username, "firstname": user.username.capitalize(), "lastname": "Example"}
    where: JsonObject = {"userid": user.id, "domainid": user.domain_id, "account": user.username}
    state: JsonObject = {"type": "1" if user.role == "Admin" else "0", "registered": "false"}
    factor = {"is2faenabled": _word(user.second_factor is not None), "is2faverified": _word(session.verified)}
    return {**names, **where, **state, "timeout": timeout, "sessionkey": session.key, **factor}


def directly(call: Call) -> Mapping[str, Json]:
    """Authenticators are answered before any command is run."""
    raise ApiError(405, "This is an authentication api, cannot be used directly")


def _word(value: bool) -> str:
    return "true" if value else "false"


LOGIN = (
    Command(
        "login",
        "Log a user in: a session, and the sessionkey to name in every further request",
        directly,
        (
            Parameter("username", "string", "the name of the user", required=True),
            Parameter("password", "string", "the password", required=True),
            Parameter("domain", "string", "the path of the domain; none: ROOT"),
            Parameter("domainid", "long", "the ID of the domain; comes before its path"),
        ),
        "login",
        {"username": "admin", "sessionkey": "", "timeout": 1800, "is2faenabled": "false", "is2faverified": "true"},
    ),
    Command("logout", "Log the user out", directly, (), "logout", {"description": "success"}),
    Command("listIdps", "List the identity providers", directly, (), "idp", {"id": "", "orgName": ""}),
)
