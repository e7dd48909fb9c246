"""Every error that leaves jackfield, drawn by who can act on it. Foreign exceptions are translated elsewhere.

JackfieldError
├── UsageError                 the caller: change the call
│   └── ConfigurationError     the caller: change how the client is made
│       └── PluginError        ... or the plugin it was given
├── NetworkError               the network: try again, or look at what lies between
│   ├── ConnectError           nothing was sent
│   │   ├── ConnectTimeoutError
│   │   ├── PoolTimeoutError
│   │   ├── ProxyError         the proxy is in the way
│   │   └── TLSError           the peer could not prove who it is
│   ├── ConnectionLostError
│   ├── ReadTimeoutError
│   └── ProtocolError          what came is not HTTP as agreed
│       ├── TruncatedBodyError
│       └── BodyTooLargeError
├── ServiceError               the service said no (`status`, and its own `code` and `text`)
│   ├── BadRequestError        400, 422
│   ├── UnauthorizedError      401
│   ├── ForbiddenError         403
│   ├── NotFoundError          404, 410
│   ├── ConflictError          409, 412
│   ├── RateLimitedError       429
│   ├── UnavailableError       502, 503, 504
│   └── JobFailedError         a job ended, and not well
│       └── JobCancelledError
├── ContractError              the service broke its own word
│   ├── DecodeError            its answer could not be read
│   ├── RedirectError          it redirects to where we do not go
│   └── SignatureError         a message that claims to be from it cannot be trusted
└── DeadlineExceededError      the time was up
    └── JobTimeoutError
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from ._messages import Response
    from ._secrets import Secret


class CallSummary(NamedTuple):
    """What is known of the call that failed. `elapsed` is in seconds; `url` shows no secret."""

    operation: str
    method: str
    url: str
    attempts: int
    elapsed: float
    may_have_been_processed: bool

    def __str__(self) -> str:
        tries = "1 attempt" if self.attempts == 1 else f"{self.attempts} attempts"
        where = f" {self.method} {self.url}," if self.url else ""
        doubt = ", may have been processed" if self.may_have_been_processed else ""
        return f"{self.operation}:{where} {tries}, {self.elapsed:.2f} s{doubt}"


class JackfieldError(Exception):
    """The root. Plain data: picklable, without a live response, without a secret."""

    message: str
    call: CallSummary | None
    _job_token: Secret | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.call = None

    def attach(self, call: CallSummary) -> None:
        """Says once in which call this happened; the innermost call wins."""
        if self.call is None:
            self.call = call

    @property
    def job_token(self) -> str | None:
        """That of the job that was polled or waited for: `operation.resume(token)` takes it up again.

        As it may hold a signed URL, it does not go along with an error that is pickled.
        """
        return None if self._job_token is None else self._job_token.reveal()

    def __str__(self) -> str:
        return self.message if self.call is None else f"{self.message} [{self.call}]"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, self.__dict__)


def _restore(cls: type[JackfieldError], args: tuple[Any, ...], state: Mapping[str, Any]) -> JackfieldError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    if notes := state.get("__notes__"):  # each copy has its own
        error.__notes__ = list(notes)
    return error


class UsageError(JackfieldError):
    """The call cannot be carried out as written. Nothing was sent, unless `call.may_have_been_processed` says so."""


class ConfigurationError(UsageError):
    """The client cannot be made as written."""


class PluginError(ConfigurationError):
    """A plugin is unknown, cannot be loaded, or offers nothing."""


class NetworkError(JackfieldError):
    """No complete answer came.

    Attributes:
        sent: whether the service may have seen the request.
        permanent: whether asking again would fail in the same way.
    """

    sent: bool = True
    permanent: bool = False


class ConnectError(NetworkError):
    """No connection could be had; nothing was sent."""

    sent = False


class ConnectTimeoutError(ConnectError):
    """No connection within `connect_timeout` seconds."""


class PoolTimeoutError(ConnectError):
    """Every connection to the origin stayed busy."""


class ProxyError(ConnectError):
    """The proxy cannot be reached, wants other credentials, or made no way to the service."""


class TLSError(ConnectError):
    """The TLS handshake failed: certificate, name or protocol version."""

    permanent = True


class ConnectionLostError(NetworkError):
    """The connection ended before the answer did."""


class ReadTimeoutError(NetworkError):
    """Nothing arrived for `read_timeout` seconds."""


class ProtocolError(NetworkError):
    """The answer is not valid HTTP."""

    permanent = True


class TruncatedBodyError(ProtocolError):
    """The body is shorter than announced."""

    permanent = False


class BodyTooLargeError(ProtocolError):
    """The body is longer than `max_body_size` bytes."""


class ServiceError(JackfieldError):
    """The service answered with an error.

    Args:
        message: what happened, for a person.
        status: the HTTP status.
        code: the service's own error code, where it has one.
        text: the service's own words.
        response: the whole answer, as a value.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: int | str | None = None,
        text: str | None = None,
        response: Response | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.text = text
        self.response = response

    @classmethod
    def from_response(cls, response: Response) -> ServiceError:
        """The error whose class says what the status means (RFC 9110 §15)."""
        kind = _BY_STATUS.get(response.status, ServiceError)
        return kind(f"the service answered {response.status}", status=response.status, response=response)


class BadRequestError(ServiceError):
    """400 or 422: the service does not accept what was sent."""


class UnauthorizedError(ServiceError):
    """401: credentials are missing, wrong or expired."""


class ForbiddenError(ServiceError):
    """403: these credentials may not do this."""


class NotFoundError(ServiceError):
    """404 or 410: there is no such thing, or not any more."""


class ConflictError(ServiceError):
    """409 or 412: the resource is in another state than the call expects."""


class RateLimitedError(ServiceError):
    """429: too many requests."""


class UnavailableError(ServiceError):
    """502, 503 or 504: the service cannot answer now."""


class JobFailedError(ServiceError):
    """The service's job ended in failure."""


class JobCancelledError(JobFailedError):
    """The service's job was cancelled."""


class ContractError(JackfieldError):
    """The service answered something that its interface does not provide for."""


class DecodeError(ContractError):
    """The answer cannot be decoded into what the operation promises."""


class RedirectError(ContractError):
    """A redirect that is not followed. `chain` names the URLs that were asked, with nothing secret in them."""

    def __init__(self, message: str, *, chain: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.chain = chain


class SignatureError(ContractError):
    """A message's signature or digest is missing, malformed, out of date or wrong: do not act on the message."""


class DeadlineExceededError(JackfieldError):
    """The call's total time was used up."""

    @classmethod
    def after(cls, seconds: float) -> Self:
        return cls(f"no complete answer within {seconds:g} s")


class JobTimeoutError(DeadlineExceededError):
    """The job was not known to be over when the time to wait for it was up. If it runs, it goes on at the service."""

    @classmethod
    def of(cls, job: str, state: str, seconds: float, polls: int, fault: JackfieldError | None) -> Self:
        """The error of a job that was last told to be in that state, and whose last poll may have failed."""
        asked = f"after {seconds:g} s and {polls} poll{'' if polls == 1 else 's'}"
        on = "wait on with a longer timeout, or resume it from `error.job_token`"
        last = f"; the last poll failed: {fault.message[:200]}" if fault else ""
        if fault and not state:
            return cls(f"the job {job} told nothing {asked}{last}; {on}")
        shown = f" ({state})" if state else ""
        return cls(f"the job {job} was not over{shown} {asked}{last}; if it runs, it goes on at the service: {on}")


_BY_STATUS: dict[int, type[ServiceError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: NotFoundError,
    412: ConflictError,
    422: BadRequestError,
    429: RateLimitedError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}
