"""The errors of `cs`, and what of ours each of them stands for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jackfield import JackfieldError, JobTimeoutError, Response

from ._errors import CloudStackClientException, CloudStackDecodeError
from ._job_errors import CloudStackJobError


class CloudStackException(JackfieldError):
    """What went wrong, in the words of `args`; the error of this package that it stands for is its `__cause__`."""

    def __init__(self, *args: object, response: Response | None = None) -> None:
        super().__init__(": ".join(map(str, args)) or type(self).__name__)
        self.args = args
        self.response = response

    def __str__(self) -> str:
        return Exception.__str__(self)


class CloudStackApiException(CloudStackException):
    """CloudStack's own error: `error` is the dictionary that it sent, with `errorcode` and `errortext`."""

    def __init__(self, *args: object, error: Any = None, response: Response | None = None) -> None:
        super().__init__(*args, response=response)
        self.error = error

    def __str__(self) -> str:
        return f"{self.args[0] if self.args else type(self).__name__}, error: {self.error}"


def translated(error: CloudStackClientException | JobTimeoutError) -> CloudStackException:
    """What `cs` raises in its place, with the same notes."""
    raised = _translated(error)
    for note in getattr(error, "__notes__", ()):
        raised.add_note(note)
    return raised


def _translated(error: CloudStackClientException | JobTimeoutError) -> CloudStackException:
    if isinstance(error, JobTimeoutError):
        job = json.loads(error.job_token or "[null, null]")[1]
        return CloudStackException("Timeout waiting for async job result", job, response=Response(408))
    if isinstance(error, CloudStackDecodeError):
        return CloudStackException(error.message, response=error.response)
    response = error.response
    told: dict[str, Any] = {**response} if isinstance(response, Mapping) else {}
    if isinstance(error, CloudStackJobError):
        return CloudStackApiException("Job failure", error=told.get("jobresult"), response=response)
    return CloudStackApiException(api_message(response), error=told, response=response)


def api_message(response: Response | None) -> str:
    """What `cs` says of an error of the API."""
    return f"HTTP {response.status if response else '?'} response from CloudStack"
