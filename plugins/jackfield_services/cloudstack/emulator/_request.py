"""What came in: the HTTP around a request, and its parameters by the rules of the port it came to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ._parameters import UndecodableError, first_wins, from_query
from ._signature import string_to_sign
from ._wire import Answer, page_of_html

Port: TypeAlias = Literal["api", "integration"]

PATH = "/client/api"
_ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An HTTP request: names of headers are in lower case, `form` is empty where the body is none."""

    method: str
    target: str
    headers: Mapping[str, str]
    form: bytes
    port: Port


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """A request as the server read it; `status` is what it answered, 0 where it broke the connection.

    `username` is whom it ran as, empty where it ran as nobody; `port` is "api" or "integration".
    """

    http_method: str
    command: str
    parameters: dict[str, str]
    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    port: Port = "api"
    username: str = ""

    @property
    def string_to_sign(self) -> str:
        """What the server makes of the parameters, and holds the signature against: tells why there was a 401."""
        return string_to_sign(self.parameters)


@dataclass(frozen=True, slots=True)
class Parsed:
    """The parameters of a request; `refusal` is what the container answers where it refuses the request itself."""

    parameters: dict[str, str]
    refusal: Answer | None = None
    in_two_places: bool = False


def parsed(incoming: Incoming) -> Parsed:
    """Reads the URL and the form, or on the integration port the URL alone."""
    path, _, query = _ORIGIN.sub("", incoming.target, count=1).partition("?")
    try:
        if incoming.port == "integration":
            return Parsed(first_wins(query.encode("latin-1")))
        in_url, in_body = from_query(query.encode("latin-1")), first_wins(incoming.form)
    except UndecodableError:
        return Parsed({}, page_of_html(400, "Unable to parse URI query"))
    parameters = {**in_body, **in_url}
    if path != PATH and not path.startswith(f"{PATH}/"):
        return Parsed(parameters, page_of_html(404, "Not Found"))
    if incoming.method not in ("GET", "POST"):
        return Parsed(parameters, page_of_html(405, "Method Not Allowed", {"Allow": "GET, POST"}))
    return Parsed(parameters, in_two_places=bool(in_url and in_body))
