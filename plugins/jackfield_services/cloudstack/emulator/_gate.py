"""Who asks, and whether they may: sessions, signatures, roles, the rate limit, the rules for POST (ApiServlet)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from ._cloud import Cloud
from ._command import Command
from ._request import Port
from ._sessions import Session
from ._settings import Settings
from ._signature import key_of, verified
from ._users import SYSTEM, User, by_key
from ._wire import ApiError, Unauthorized

_READS = re.compile(r"(get|list|query|find)\w+", re.ASCII | re.IGNORECASE)
_LATEST_EXPIRY = 15 * 60  # seconds; where timestamps are enforced
_FOR_ANYBODY = "listGuiThemes"  # the page that asks for name and password has a theme
_BEFORE_VERIFICATION = {
    "listidps",
    "listapis",
    "listusertwofactorauthenticatorproviders",
    "setupusertwofactorauthentication",
}
_UNVERIFIED = (
    "Unable to process the API request due to :Two factor authentication 2FA is enabled but not verified, please "
    "verify 2FA using validateUserTwoFactorAuthenticationCode API before calling other APIs. Existing session is "
    "invalidated."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked: a request with its parameters and cookies."""

    method: str
    port: Port
    parameters: Mapping[str, str]
    cookies: Mapping[str, str]
    in_two_places: bool

    @property
    def command(self) -> str | None:
        """Its name, with its case; None where there is none."""
        return self.parameters.get("command")

    @property
    def response(self) -> str:
        """The format of the answer: "json", or anything for XML; the ports differ in whose case they mind."""
        if self.port == "api":
            return self.parameters.get("response", "xml").lower()
        return next((value for name, value in self.parameters.items() if name.lower() == "response"), "xml")


class Gate:
    """Lets in, or raises the ApiError that the server answers."""

    def __init__(self, cloud: Cloud, settings: Settings, commands: Mapping[str, Command]) -> None:
        self._cloud = cloud
        self._settings = settings
        self._commands = commands

    def caller(self, asked: Asked) -> User:
        """Whom the command runs as."""
        if asked.port == "integration":
            return self._trusted(asked)
        self._require_post(asked)
        now, timeout = self._settings.now(), self._settings.session_timeout
        session = self._cloud.sessions.find(asked.cookies, now, timeout)
        return self._signer(asked) if session is None else self._of_session(session, asked)

    def _trusted(self, asked: Asked) -> User:
        """The integration port takes everybody for the system user, but not every parameter of everybody."""
        command = self._commands.get(asked.command or "")
        for parameter in command.parameters if command else ():
            if parameter.name in asked.parameters and not parameter.on_integration_port:
                text = f"Parameter {parameter.name} can't be passed through the API integration port"
                raise ApiError(531, text)
        return SYSTEM

    def _require_post(self, asked: Asked) -> None:
        changes = asked.command is not None and not _READS.fullmatch(asked.command)
        if self._settings.enforce_post and changes and asked.method != "POST":
            raise ApiError(405, f"State changing command {asked.command} needs to be sent using POST request")

    def _of_session(self, session: Session, asked: Asked) -> User:
        command = (asked.command or "").lower()
        if not session.verified and command not in _BEFORE_VERIFICATION:
            self._cloud.sessions.end(session)
            raise ApiError(411, _UNVERIFIED, None)
        known = session.user in self._cloud.users and session.user.enabled
        if not known or not session.proved(asked.cookies, asked.parameters, self._settings.session_check):
            self._cloud.sessions.end(session)
            raise Unauthorized("unable to verify user credentials")
        if asked.command is None:
            raise ApiError(400, "no command specified", None)
        self._admit(session.user, asked.command)
        return session.user

    def _signer(self, asked: Asked) -> User:
        """ApiServer.verifyRequest: whatever is wrong, all that is said is 401."""
        if asked.command == _FOR_ANYBODY:
            return SYSTEM
        name, user = asked.command or "", by_key(self._cloud.users, key_of(asked.parameters) or "")
        if asked.in_two_places or name not in self._commands or user is None or not user.enabled:
            raise Unauthorized
        self._admit(user, name)
        signed = verified(
            asked.parameters,
            user.api_key,
            user.api_secret,
            now=self._settings.now(),
            digest=self._settings.signature_algorithm,
            within=_LATEST_EXPIRY if self._settings.enforce_post else inf,
            dates=self._settings.expires_dates,
        )
        if not signed:
            raise Unauthorized
        return user

    def _admit(self, user: User, name: str) -> None:
        self._cloud.limits.count(user, self._settings.throttle, self._settings.now())
        command = self._commands.get(name)
        if command is None or not command.open_to(user.role):
            raise ApiError(401, f"The given command '{name}' either does not exist, is not available for user.")
