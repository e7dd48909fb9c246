"""CloudStack's answers: what is inside the envelope, or the error that it holds."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from jackfield import DecodeError, Response

from ._errors import (
    CloudStackClientException,
    CloudStackDecodeError,
    CloudStackGatewayError,
    CloudStackTooLongError,
    CloudStackUnauthorizedError,
)
from ._json import inside, lists, mapping, text, whole
from ._meaning import meaning_of
from ._naming import reads
from ._reply import Reply

NOT_JSON = "Could not decode content. Server did not return json content!"
FAILED = "Async CloudStack call failed!"
NO_ENVELOPE = "The answer is not in CloudStack's envelope: is the end point right?"

_END_POINT = (
    "CloudStack's end point is mostly https://HOST/client/api, or http://HOST:8080/client/api: is this client's?"
)
_LOGIN = "name, password or domain is wrong, or this user is disabled or locked"
_ASKS_WHO = "a proxy in front of CloudStack that asks for a login of its own, or an end point that is something else"
_NO_ANSWER = "a proxy in front of CloudStack, which got no answer from it"
_HINTS = {
    **dict.fromkeys((401, 403, 407), _ASKS_WHO),
    **dict.fromkeys((502, 504), _NO_ANSWER),
    503: "a proxy in front of CloudStack, which cannot reach it now",
}
_title = re.compile(rb"<title[^>]{0,99}>([^<]{1,199})", re.IGNORECASE).search

_WITHOUT_JSON = {
    **dict.fromkeys((413, 414, 431), CloudStackTooLongError),  # of HTTP, not of CloudStack
    **dict.fromkeys((502, 503, 504), CloudStackGatewayError),
}


def payload(
    response: Response, command: str = "", job_id: str | None = None, *, unknown: str | None = None
) -> dict[str, Any]:
    """What the envelope holds.

    Its one key is taken as it is and never built from the command: errors come as `errorresponse`, and worse.

    Args:
        response: the answer.
        command: what was asked.
        job_id: the job that it is about.
        unknown: the hint for who is not known to the server, if not that of the error's class.

    Raises:
        CloudStackClientException: CloudStack's own error, or an answer that is not CloudStack's.
    """
    try:
        envelope = response.decode(dict[str, Any])
    except DecodeError as error:
        raise _undecodable(NOT_JSON, response, command) from error
    found: dict[str, Any] = inside(envelope)
    if response.status != 200:
        raise _refused(response, error_of(found), command, job_id, unknown)
    if found is envelope:
        raise _undecodable(NO_ENVELOPE, response, command)
    return found


def _refused(
    response: Response, said: ErrorFields, command: str, job_id: str | None, unknown: str | None
) -> CloudStackClientException:
    code = response.status if said.code is None else said.code
    kind = meaning_of(code, said.cs_code, command)
    hint = _LOGIN if command == "login" else unknown
    if response.status == 404:
        hint = _seen(response, _END_POINT)
    elif kind is not CloudStackUnauthorizedError:
        hint = None
    return kind(
        FAILED,
        code,
        said.text,
        _reply(response),
        cs_error_code=said.cs_code,
        uuid_list=said.uuid_list,
        command=command or None,
        job_id=job_id,
        hint=hint,
    )


def _undecodable(message: str, response: Response, command: str) -> CloudStackDecodeError:
    kind = _WITHOUT_JSON.get(response.status, CloudStackDecodeError)
    code = None if response.status == 200 else response.status
    hint = _HINTS.get(response.status, _END_POINT)
    if hint is _NO_ANSWER and not reads(command):
        hint += ", so it may have been processed: look before you send it again"
    hint = _seen(response, kind.hint or hint)
    return kind(message, code, None, _reply(response), command=command or None, hint=hint)


def _seen(response: Response, hint: str) -> str:
    """The hint, with what came in place of CloudStack's answer."""
    seen = [str(response.status), response.headers.get("content-type", "").partition(";")[0] or "no content type"]
    if not response.content.strip():
        seen.append("empty")
    elif found := _title(response.content):
        seen.append(repr(found[1].decode("utf-8", "replace").strip()))
    return f"the answer was {', '.join(seen)}: {hint}"


def _reply(response: Response) -> Reply:
    return Reply(response.status, response.headers, response.body, redirects=response.redirects)


class ErrorFields(NamedTuple):
    """What CloudStack says of an error, in an answer or in a job's result."""

    code: int | None
    cs_code: int | None
    text: str | None
    uuid_list: list[dict[str, Any]]


def error_of(body: object) -> ErrorFields:
    """These fields, where they are what they should be."""
    fields = mapping(body) or {}
    uuids = dict(lists(fields)).get("uuidList", [])
    return ErrorFields(
        whole(fields.get("errorcode")),
        whole(fields.get("cserrorcode")),
        text(fields.get("errortext")),
        [item for item in map(mapping, uuids) if item is not None],
    )
