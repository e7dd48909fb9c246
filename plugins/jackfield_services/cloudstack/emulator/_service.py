"""One request in, one answer out: who asks, which command, what it says; no socket, no state but the cloud's."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from ._catalogue import COMMANDS
from ._cloud import Cloud
from ._command import Call
from ._faults import Faults
from ._gate import Asked, Gate
from ._login import list_idps, login, logout
from ._parameters import Arguments, refuse_control_characters
from ._request import Incoming, Parsed, ReceivedRequest, parsed
from ._second_factor import validate
from ._sessions import cookies_in
from ._settings import Settings
from ._users import User
from ._wire import JSON_TYPE, Answer, ApiError, Delivery, enveloped, refused

Authenticator: TypeAlias = Callable[[Asked, Cloud, Settings], Answer | None]

_AUTHENTICATORS: Mapping[str, Authenticator] = {
    "login": login,
    "logout": logout,
    "validateUserTwoFactorAuthenticationCode": validate,
    "listIdps": list_idps,
}
_NOTHING = b'{ "error" : { "description" : "Internal Server Error" } }'  # what the integration port says for no answer


class Service:
    """Answers requests, and keeps a record of them; one at a time."""

    def __init__(self, cloud: Cloud, settings: Settings, faults: Faults) -> None:
        self.requests: list[ReceivedRequest] = []
        self._cloud = cloud
        self._settings = settings
        self._faults = faults
        self._gate = Gate(cloud, settings, COMMANDS)

    def respond(self, incoming: Incoming) -> Answer:
        """The answer to a request: a fault that waits for it, else the container's, else the API's."""
        read = parsed(incoming)
        answer, user = self._faults.take(read.parameters) or read.refusal, None
        if answer is None:
            answer, user = self._answer(_asked(incoming, read))
        received = ReceivedRequest(
            http_method=incoming.method,
            command=read.parameters.get("command", ""),
            parameters=read.parameters,
            status=answer.status,
            headers=incoming.headers,
            port=incoming.port,
            username="" if user is None else user.username,
        )
        self.requests.append(received)
        if answer.content_type == JSON_TYPE != self._settings.content_type:
            answer = replace(answer, content_type=self._settings.content_type)
        return _on_integration_port(answer) if incoming.port == "integration" else answer

    def _answer(self, asked: Asked) -> tuple[Answer, User | None]:
        user = None
        try:
            answer = self._authenticated(asked)
            if answer is None:
                user = self._gate.caller(asked)
                answer = self._run(asked, user)
            return answer, user
        except ApiError as error:
            return _refusal(asked, error), user
        except Exception as error:  # as the server does: a bug of ours is a 530, not a dropped connection
            return _refusal(asked, ApiError(530, f"{type(error).__name__}: {error}", 4250)), user

    def _authenticated(self, asked: Asked) -> Answer | None:
        authenticator = _AUTHENTICATORS.get(asked.command or "")
        if authenticator is None:
            return None
        if asked.port == "integration":
            return Answer(status=200, body=_NOTHING)
        return authenticator(asked, self._cloud, self._settings)

    def _run(self, asked: Asked, user: User) -> Answer:
        """The server's order: control characters, command, map parameters, required parameters."""
        refuse_control_characters(asked.parameters)
        if asked.command is None:
            raise ApiError(432, "Invalid request, no command sent")
        command = COMMANDS.get(asked.command)
        if command is None:
            raise ApiError(432, f"Unknown API command: {asked.command}")
        arguments = Arguments.unpack(asked.parameters)
        command.check(arguments)
        payload = command.run(Call(command.name, arguments, self._cloud, self._settings, user))
        return enveloped(f"{command.name.lower()}response", payload, asked.response)


def _asked(incoming: Incoming, read: Parsed) -> Asked:
    return Asked(
        method=incoming.method,
        port=incoming.port,
        parameters=read.parameters,
        cookies=cookies_in(incoming.headers.get("cookie", "")),
        in_two_places=read.in_two_places,
    )


def _refusal(asked: Asked, error: ApiError) -> Answer:
    command = asked.command if asked.parameters else ""
    return refused(error, command, known=command in COMMANDS, response_type=asked.response)


def _on_integration_port(answer: Answer) -> Answer:
    """There the text of an error is in the status line, and a body ends with its connection."""
    delivery = Delivery.UNTIL_CLOSE if answer.delivery is Delivery.WHOLE else answer.delivery
    return replace(answer, reason=answer.headers.get("X-Description"), headers={}, delivery=delivery)
