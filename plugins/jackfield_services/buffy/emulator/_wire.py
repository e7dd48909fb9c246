"""What goes over the wire: answers and refusals, ready to be sent; no I/O, no state."""

import datetime
import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

Json: TypeAlias = Any  # None, bool, int, float, str, list or dict, as the json module gives them
Record: TypeAlias = dict[str, Json]
Headers: TypeAlias = Sequence[tuple[str, str]]

JSON_HEADERS: Headers = (("content-type", "application/json"),)


class Delivery(enum.Enum):
    """How an answer reaches the client."""

    WHOLE = enum.auto()
    TRUNCATED = enum.auto()
    BROKEN = enum.auto()  # all of the body, and then no end of it
    CLOSE = enum.auto()
    RESET = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer. `length` is the length that it tells, right or wrong; None: it goes in chunks."""

    status: int
    body: bytes = b""
    headers: Headers = ()
    length: int | None = 0
    delivery: Delivery = Delivery.WHOLE

    def delivered(self, delivery: Delivery) -> "Answer":
        """The same, on another way."""
        return replace(self, delivery=delivery)


@dataclass(slots=True)
class Refused(Exception):
    """What ends a call early, with its answer."""

    answer: Answer


def of_bytes(status: int, body: bytes, headers: Headers = ()) -> Answer:
    """An answer of known length."""
    return Answer(status=status, body=body, headers=headers, length=len(body))


def as_json(status: int, payload: Json, headers: Headers = JSON_HEADERS) -> Answer:
    """An answer in JSON; half of a surrogate pair goes out as it may have come in: escaped."""
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False, default=_plain)
    return of_bytes(status, text.encode(errors="backslashreplace"), headers)


def _plain(value: object) -> str:
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} is no JSON")


def as_html(status: int, title: str) -> Answer:
    """What a proxy says."""
    text = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    return of_bytes(status, text.encode(), (("content-type", "text/html"),))


def detail(status: int, said: Json, headers: Mapping[str, str] | None = None) -> Answer:
    """A refusal in FastAPI's words."""
    return as_json(status, {"detail": said}, (*(headers or {}).items(), *JSON_HEADERS))


def failure() -> Answer:
    """What an error of the server's own looks like: not JSON."""
    return of_bytes(500, b"Internal Server Error", (("content-type", "text/plain; charset=utf-8"),))
