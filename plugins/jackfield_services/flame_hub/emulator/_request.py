"""What came in: a request as it is read, and as it is remembered."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias
from urllib.parse import parse_qsl, unquote

from ._body import Body
from ._wire import Json, Record, Refused

_ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)

ServiceName: TypeAlias = Literal["auth", "core", "storage"]


@dataclass(slots=True, kw_only=True)
class ReceivedRequest:
    """A request as the service read it; `status` is what it answered, 0 where it broke the connection.

    `path` is decoded, `query` its pairs in their order, `json` the body where it was JSON. `actor` is the name of
    whom the token was given to, empty where there was none. Headers and body stay out of its repr.
    """

    service: ServiceName
    method: str
    path: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str] = field(repr=False)
    json: Json = field(default=None, repr=False)
    actor: str = ""
    status: int = 0


@dataclass(frozen=True)
class Incoming:
    """An HTTP request: names of headers are in lower case, the body is still to be read."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: Body

    @property
    def path(self) -> str:
        """Its path, as it came."""
        return _ORIGIN.sub("", self.target, count=1).partition("?")[0]

    @property
    def segments(self) -> list[str]:
        """The path's parts, decoded; of `/` there are none."""
        path = self.path.strip("/")
        return [unquote(part) for part in path.split("/")] if path else []

    @cached_property
    def query(self) -> tuple[tuple[str, str], ...]:
        """The pairs of its query, decoded as a form is: a bare + is a space."""
        return tuple(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @cached_property
    def record(self) -> Record:
        """The body, a JSON object or a form; nothing is an empty one. Refused where it is neither."""
        content_type = self.headers.get("content-type", "")
        body = self.body.whole()
        try:
            if content_type.startswith("application/x-www-form-urlencoded"):
                return dict(parse_qsl(body.decode(), keep_blank_values=True))
            value: Record = json.loads(body or b"{}")
        except (ValueError, RecursionError) as error:
            raise Refused(400, "undefined", f"The body is no JSON: {error}") from None
        if type(value) is not dict:
            raise Refused(400, "undefined", "The body is no JSON object.")
        return value
