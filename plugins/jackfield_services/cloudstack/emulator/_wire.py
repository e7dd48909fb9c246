"""What goes over the wire: an answer, its JSON or XML envelope, its errors; no I/O, no command."""

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias
from xml.sax.saxutils import escape

Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = "dict[str, Json]"

VERSION = "4.20.0.0"
JSON_TYPE = "application/json; charset=UTF-8"
XML_TYPE = "text/xml; charset=UTF-8"
HTML_TYPE = "text/html; charset=UTF-8"
_UNAUTHORIZED = "unable to verify user credentials and/or request signature"
INVALID_VALUE = 4350  # cserrorcode of InvalidParameterValueException
_TO_JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False)
UNKNOWN = 9999  # cserrorcode of an error that names none


class Delivery(enum.Enum):
    """How an answer reaches the client."""

    WHOLE = enum.auto()
    UNTIL_CLOSE = enum.auto()
    TRUNCATED = enum.auto()
    CLOSE = enum.auto()
    RESET = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer, ready to be sent."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    cookies: Sequence[str] = ()
    reason: str | None = None
    delivery: Delivery = Delivery.WHOLE


class ApiError(Exception):
    """A refusal of the API: HTTP status, text, and CloudStack's own number for the exception behind it.

    `uuids` are pairs of a uuid and what it is of; `envelope` is the key it comes under, None: the one of the command.
    """

    def __init__(
        self,
        status: int,
        text: str,
        cs_code: int | None = UNKNOWN,
        uuids: Sequence[tuple[str, str]] = (),
        envelope: str | None = None,
    ) -> None:
        super().__init__(status, text, cs_code)
        self.status = status
        self.text = text
        self.cs_code = cs_code
        self.uuids = uuids
        self.envelope = envelope

    def payload(self) -> JsonObject:
        """Its fields."""
        named: list[Json] = [{"uuid": uuid, "description": of} for uuid, of in self.uuids]
        code: JsonObject = {} if self.cs_code is None else {"cserrorcode": self.cs_code}
        return {"uuidList": named, "errorcode": self.status, **code, "errortext": self.text}


class Unauthorized(ApiError):
    """The one 401 for everything: the signature, the key, the date, the missing command, the unknown one."""

    def __init__(self, text: str = _UNAUTHORIZED) -> None:
        super().__init__(401, text, None)


def enveloped(
    name: str, payload: Mapping[str, Json], response_type: str, status: int = 200, cookies: Sequence[str] = ()
) -> Answer:
    """The payload under the single key `name`; anything but json is answered in XML, as the server does."""
    if response_type == "json":
        return Answer(status=status, body=_TO_JSON.encode({name: payload}).encode(), cookies=cookies)
    text = _xml(f'{name} cloud-stack-version="{VERSION}"', payload)
    body = f'<?xml version="1.0" encoding="UTF-8"?>{text}'
    return Answer(status=status, body=body.encode(), content_type=XML_TYPE, cookies=cookies)


def refused(error: ApiError, command: str | None, *, known: bool, response_type: str) -> Answer:
    """The answer to a refused request. `command` is None where the request had parameters, but no command."""
    name = error.envelope or _envelope_of(error, command, known)
    answer = enveloped(name, error.payload(), response_type, error.status)
    if error.cs_code is None:
        return answer
    return replace(answer, headers={"X-Description": header_safe(error.text)})


def page_of_html(status: int, title: str, headers: Mapping[str, str] | None = None) -> Answer:
    """What a proxy or the servlet container says: HTML, not the API's JSON."""
    heading = f"{status} {title}"
    text = f"<html><head><title>{heading}</title></head><body><h1>{heading}</h1></body></html>\n"
    return Answer(status=status, body=text.encode(), content_type=HTML_TYPE, headers=headers or {})


def _envelope_of(error: ApiError, command: str | None, known: bool) -> str:
    if error.status == 432:
        return "errorresponse"
    if command is None:
        return "null"  # the server writes the name of a command it has not got
    if not known:
        return "errorresponse"
    return f"{command.lower()}response"


def header_safe(text: str) -> str:
    """An error text repeats what the client sent: a line break in it must not become a header of ours."""
    return "".join(c if c.isprintable() else " " for c in text).encode("latin-1", "replace").decode("latin-1")


def _xml(tag: str, value: Json) -> str:
    """A list is its element repeated; an absent value is no element."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "".join(_xml(tag, item) for item in value)
    name = tag.partition(" ")[0]
    if isinstance(value, Mapping):
        return f"<{tag}>{''.join(_xml(key, item) for key, item in value.items())}</{name}>"
    if isinstance(value, bool):
        value = "true" if value else "false"
    return "" if value is None else f"<{tag}>{escape(str(value))}</{name}>"
