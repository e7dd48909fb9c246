"""CloudStack's errors: our tree's meanings, with the attributes and the text that users of CloudStackAIO know.

CloudStackClientException
├── CloudStackParameterError        430, 431
├── CloudStackPermissionError       531: the account or its role may not do this
│   └── CloudStackUnauthorizedError 401, a bad login: the server says one thing for all of it
│       └── CloudStackSecondFactorError 411
├── CloudStackMethodError           405
├── CloudStackRateLimitedError      429
├── CloudStackUnknownCommandError   432
├── CloudStackUnknownJobError       431 to queryAsyncJobResult
├── CloudStackLimitError            532: the account's limit
├── CloudStackAllocationError       535: the limit of an account, a domain or a project, mostly
├── CloudStackCapacityError         533: the cloud has no room now
├── CloudStackUnavailableError      534
│   └── CloudStackMaintenanceError  503, where the API itself says so
├── CloudStackInUseError            536
├── CloudStackConflictError         537
├── CloudStackDecodeError           not CloudStack's answer at all
│   ├── CloudStackTooLongError      413, 414, 431, said in HTML
│   └── CloudStackGatewayError      502, 503, 504, said by a proxy
└── CloudStackJobError              a job failed; its kinds are in `_job_errors`
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jackfield import (
    BadRequestError,
    CallSummary,
    ConflictError,
    DecodeError,
    ForbiddenError,
    NotFoundError,
    RateLimitedError,
    Response,
    ServiceError,
    UnauthorizedError,
    UnavailableError,
)

from ._reply import Reply
from ._throttle import told_wait

PUBLIC = "jackfield_services.cloudstack"


class CloudStackClientException(ServiceError):
    """CloudStack did not do what it was asked.

    Its text has the form users of CloudStackAIO match on; `call` (and a traceback) says in which call it happened.

    Args:
        message: what happened.
        error_code: CloudStack's `errorcode`, else the HTTP status.
        error_text: CloudStack's `errortext`.
        response: the whole answer, as a value; it reads like the dictionary inside the envelope, too. A dictionary,
            which is what CloudStackAIO's have, becomes one.
        cs_error_code: CloudStack's number for the exception behind it, `cserrorcode`.
        uuid_list: the resources it names, as `{"uuid": …, "description": …}`.
        command: the command that was asked for.
        job_id: the job's, where it is about one.
        hint: what to do about it, where more is known than the class says.
    """

    __module__ = PUBLIC
    hint: str = ""

    def __init_subclass__(cls) -> None:
        if cls.__module__ in (__name__, f"{PUBLIC}._job_errors"):
            cls.__module__ = PUBLIC  # as people import it

    def __init__(
        self,
        message: str,
        error_code: int | None = None,
        error_text: str | None = None,
        response: Response | Mapping[str, Any] | None = None,
        *,
        cs_error_code: int | None = None,
        uuid_list: list[dict[str, Any]] | None = None,
        command: str | None = None,
        job_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        answer = Reply.of(response) if response is not None and not isinstance(response, Response) else response
        status = response.status if isinstance(response, Response) else None
        ServiceError.__init__(self, message, status=status, code=error_code, text=error_text, response=answer)
        self.args = ()  # as CloudStackAIO's have it
        self.error_code = error_code
        self.error_text = error_text
        self.cs_error_code = cs_error_code
        self.uuid_list = uuid_list or []
        self.command = command
        self.job_id = job_id
        if hint is not None:
            self.hint = hint
        if self.hint:
            self.add_note(self.hint)

    @property
    def http_status(self) -> int | None:
        """`status`."""
        return self.status

    def attach(self, call: CallSummary) -> None:
        """Says once in which call this happened."""
        if self.call is None:
            super().attach(call)
            self.add_note(str(call) if self.job_id is None else f"job {self.job_id}, {call}")

    def __str__(self) -> str:
        return f"(message={self.message}, errorcode={self.error_code}, errortext={self.error_text})"

    __repr__ = __str__


class CloudStackParameterError(CloudStackClientException, BadRequestError):
    """430, 431: a parameter is missing, malformed, or names nothing that is there."""


class CloudStackPermissionError(CloudStackClientException, ForbiddenError):
    """531: this account may not do this."""


class CloudStackUnauthorizedError(CloudStackPermissionError, UnauthorizedError):
    """401, or a login that failed: the credentials, or what they may do; the server does not say which."""

    hint = (
        "the server says the same of keys that are wrong or disabled, of a signature it does not compute (sha512, on a "
        "server without sha1), of `expires` by another clock, of a command that it does not know, and of one that the "
        "role of this user may not call"
    )


class CloudStackSecondFactorError(CloudStackUnauthorizedError):
    """411: the session wants its second factor first, and is gone now."""

    hint = 'log in with Login(…, second_factor="123456"), or with a function that asks for the code'


class CloudStackMethodError(CloudStackClientException):
    """405: not by this HTTP method."""

    hint = 'this server takes commands that change something by POST only: make the client with method="post"'


class CloudStackRateLimitedError(CloudStackClientException, RateLimitedError):
    """429: too many calls of this account."""

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asks to wait, where it says so."""
        return told_wait((self.error_text or "").encode())


class CloudStackUnknownCommandError(CloudStackClientException, NotFoundError):
    """432: the server knows no such command."""


class CloudStackUnknownJobError(CloudStackParameterError, NotFoundError):
    """431 of a job: it never was, or was purged after it had ended."""

    hint = "the server knows no such job: it never was, or was purged after it had ended; look up what came of it"


class CloudStackLimitError(CloudStackClientException, ForbiddenError):
    """532: this account may have no more of them."""


class CloudStackAllocationError(CloudStackClientException, ForbiddenError):
    """535: it cannot be allocated, mostly for a limit of the account, domain or project."""


class CloudStackCapacityError(CloudStackClientException, UnavailableError):
    """533: the cloud has no room for it now: hosts, storage, addresses."""


class CloudStackUnavailableError(CloudStackClientException, UnavailableError):
    """534: what it needs is not available: a host, a router, a storage pool."""


class CloudStackMaintenanceError(CloudStackUnavailableError):
    """503, said by the API itself: it takes no jobs now."""


class CloudStackInUseError(CloudStackClientException, ConflictError):
    """536: it is in use."""


class CloudStackConflictError(CloudStackClientException, ConflictError):
    """537: it contradicts what is there, another rule of a network say, or another change going on."""


class CloudStackDecodeError(CloudStackClientException, DecodeError):
    """The answer is not CloudStack's: a proxy's page, say, or an end point that is something else."""


class CloudStackTooLongError(CloudStackDecodeError):
    """413, 414 or 431 of HTTP: the request is longer than the server or a proxy takes."""

    hint = 'the request is too long for the server or a proxy: make the client with method="post"'


class CloudStackGatewayError(CloudStackDecodeError, UnavailableError):
    """502, 503 or 504 of a proxy in front of CloudStack."""
