"""What goes over the wire: answers and refusals, ready to be sent; no I/O, no state."""

import enum
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, TypeAlias

Json: TypeAlias = Any  # None, bool, int, float, str, list or dict, as the json module gives them
Record: TypeAlias = dict[str, Json]
Headers: TypeAlias = Sequence[tuple[str, str]]

# every JSON answer bears a content coding that is none
JSON_HEADERS: Headers = (("content-type", "application/json; charset=utf-8"), ("content-encoding", "utf-8"))
_TO_JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False)


class Delivery(enum.Enum):
    """How an answer reaches the client."""

    WHOLE = enum.auto()
    TRUNCATED = enum.auto()
    CLOSE = enum.auto()
    RESET = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer; a body that is not bytes goes in chunks."""

    status: int
    body: bytes | Iterable[bytes] = b""
    headers: Headers = ()
    delivery: Delivery = Delivery.WHOLE

    def with_headers(self, headers: Headers) -> "Answer":
        """The same, with more headers."""
        return replace(self, headers=(*self.headers, *headers)) if headers else self


@dataclass(slots=True)
class Refused(Exception):
    """What the service refuses. `invalid` are the attributes that are wrong, with what was received of each
    that was there; `issues` are the new generation's; `oauth`: with the members of an OAuth 2 error.
    """

    status: int
    code: str
    message: str = ""
    invalid: Sequence[tuple[str, Record]] = ()
    issues: Sequence[Record] = field(default_factory=list[Record])
    oauth: bool = False


def unauthorized() -> Refused:
    """Nobody asks."""
    return Refused(401, "UNAUTHORIZED")


def not_found() -> Refused:
    """There is no such record."""
    return Refused(404, "NOT_FOUND")


def bad_request(message: str = "") -> Refused:
    """What is asked cannot be done."""
    return Refused(400, "BAD_REQUEST", message)


NO_ROUTE = Answer(status=404)  # empty, and not JSON


def as_json(status: int, payload: Json, headers: Headers = ()) -> Answer:
    """An answer in JSON."""
    return Answer(status=status, body=_encoded(payload), headers=(*JSON_HEADERS, *headers))


def _encoded(payload: Json) -> bytes:
    """Half of a surrogate pair goes out as it may have come in: escaped."""
    return _TO_JSON.encode(payload).encode(errors="backslashreplace")


def as_html(status: int, title: str) -> Answer:
    """What a proxy says."""
    text = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    return Answer(status=status, body=text.encode(), headers=(("content-type", "text/html"),))


def code_of(status: int) -> str:
    """The code that usually comes with a status: its phrase in capitals."""
    try:
        return HTTPStatus(status).name
    except ValueError:
        return "INTERNAL_SERVER_ERROR" if status >= 500 else "BAD_REQUEST"
