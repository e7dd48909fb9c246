"""One request in, one answer out: routing, signature, command; no socket, no state but the cloud's."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ._catalogue import COMMANDS
from ._cloud import Cloud
from ._command import Call, Settings
from ._parameters import Arguments, UndecodableError, from_form, from_query, refuse_control_characters
from ._signature import verified
from ._wire import Answer, ApiError, Json, Unauthorized, enveloped, page_of_html, refused

PATH = "/client/api"
_ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """A request as the server read it; `status` is what it answered, 0 where it broke the connection."""

    http_method: str
    command: str
    parameters: dict[str, str]
    status: int


def parameters_of(method: str, target: str, form: bytes) -> tuple[dict[str, str], Answer | None]:
    """The parameters of a request, and the answer of the container where it refuses the request itself."""
    path, _, query = _ORIGIN.sub("", target, count=1).partition("?")
    try:
        in_url, in_body = from_query(query.encode("latin-1")), from_form(form)
    except UndecodableError:
        return {}, page_of_html(400, "Unable to parse URI query")
    parameters = {**in_body, **in_url}
    if path != PATH and not path.startswith(f"{PATH}/"):
        return parameters, page_of_html(404, "Not Found")
    if method not in ("GET", "POST"):
        return parameters, page_of_html(405, "Method Not Allowed", {"Allow": "GET, POST"})
    return parameters, _refusal(parameters, Unauthorized()) if in_url and in_body else None


def answer(parameters: Mapping[str, str], cloud: Cloud, settings: Settings) -> Answer:
    """What the API answers to these parameters."""
    try:
        payload = _run(parameters, cloud, settings)
    except ApiError as error:
        return _refusal(parameters, error)
    except Exception as error:  # as the server does: a bug of ours is a 530, not a dropped connection
        return _refusal(parameters, ApiError(530, f"{type(error).__name__}: {error}", 4250))
    name = f"{parameters['command'].lower()}response"
    return enveloped(name, payload, parameters.get("response", "xml"))


def _run(parameters: Mapping[str, str], cloud: Cloud, settings: Settings) -> Mapping[str, Json]:
    """The server's order: signature, control characters, command, map parameters, required parameters."""
    if "command" not in parameters:
        raise Unauthorized
    keys = (settings.api_key, settings.api_secret)
    if not verified(parameters, *keys, now=settings.now, digest=settings.signature_algorithm):
        raise Unauthorized
    refuse_control_characters(parameters)
    command = COMMANDS.get(parameters["command"])
    if command is None:
        raise ApiError(432, f"Unknown API command: {parameters['command']}")
    arguments = Arguments.unpack(parameters)
    command.check(arguments)
    return command.run(Call(command.name, arguments, cloud, settings))


def _refusal(parameters: Mapping[str, str], error: ApiError) -> Answer:
    command = parameters.get("command") if parameters else ""
    response_type = parameters.get("response", "xml")
    return refused(error, command, known=command in COMMANDS, response_type=response_type)
