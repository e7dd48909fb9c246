"""The Hub's errors: our tree's meanings, with the attributes and the text that users of flame_hub_client know.

HubAPIError
├── HubBadRequestError          400, 422
│   └── HubValidationError      ... that says what is wrong with which attribute
├── HubAuthenticationError      401; and 400 where an old Hub means that
│   └── HubLoginError           no token: these credentials are not taken
├── HubForbiddenError           403
├── HubNotFoundError            404, 410
├── HubConflictError            409, 412
├── HubRateLimitedError         429
└── HubUnavailableError         502, 503, 504
"""

from __future__ import annotations

from typing import Any, cast

from jackfield import (
    BadRequestError,
    CallSummary,
    ConflictError,
    ForbiddenError,
    Headers,
    NotFoundError,
    RateLimitedError,
    Response,
    ServiceError,
    UnauthorizedError,
    UnavailableError,
    UsageError,
)
from jackfield_plugins.auth import TokenError

from ._said import ErrorResponse, is_of_token, said, says_none, shown


class HubAPIError(ServiceError):
    """The Hub did not do what it was asked. Its notes say what was asked for, and what is wrong with which attribute.

    Args:
        message: what happened, in the words that flame_hub_client has for it.
        response: the whole answer, as a value.
        error_response: what the Hub said; None if that was nothing of its own.

    Attributes:
        headers: the answer's.
        error_model_traceback: empty; flame_hub_client has one where it cannot read what the Hub said.
    """

    __module__ = "jackfield_services.flame_hub"

    error_model_traceback = ""

    def __init_subclass__(cls) -> None:
        cls.__module__ = HubAPIError.__module__  # as people import it

    def __init__(
        self, message: str, *, response: Response | None = None, error_response: ErrorResponse | None = None
    ) -> None:
        code, text = (error_response.code, error_response.message) if error_response else (None, None)
        status = response.status if response else error_response.status_code if error_response else None
        ServiceError.__init__(self, message, status=status, code=code, text=text, response=response)
        self.error_response = error_response
        self.headers = response.headers if response else Headers()
        if error_response and (wrong := error_response.wrong()):
            self.add_note(f"what is wrong: {'; '.join(wrong)}")

    @property
    def request(self) -> CallSummary:
        """Which request that was: its `method` and `url`; the same as `call`. None of an error made by hand."""
        return cast("CallSummary", self.call)  # programs for flame_hub_client do not ask whether there is one

    def attach(self, call: CallSummary) -> None:
        """Says once in which call this happened."""
        if self.call is None:
            super().attach(call)
            self.add_note(str(call))

    def __str__(self) -> str:
        return self.message


class HubBadRequestError(HubAPIError, BadRequestError):
    """400, 422: the Hub does not accept what was sent."""


class HubValidationError(HubBadRequestError):
    """400 with `issues`: what is wrong with which attribute."""

    @property
    def issues(self) -> list[dict[str, Any]]:
        """What is wrong, an issue each: with `path`, mostly."""
        return [] if self.error_response is None else self.error_response.issues


class HubAuthenticationError(HubAPIError, UnauthorizedError):
    """401: no token, or one that the Hub does not take."""


class HubLoginError(HubAuthenticationError, TokenError):
    """No token could be had: the Hub does not take these credentials."""


class HubForbiddenError(HubAPIError, ForbiddenError):
    """403: whoever this is may not do this."""


class HubNotFoundError(HubAPIError, NotFoundError):
    """404, 410: there is no such record; or, without a word of the Hub's, no such path."""

    @property
    def is_of_record(self) -> bool:
        """Whether the Hub says so itself, as it does of a record."""
        return self.response is not None and says_none(self.response)


class HubConflictError(HubAPIError, ConflictError):
    """409, 412: there is one already, of this name mostly; or the record is in another state."""


class HubRateLimitedError(HubAPIError, RateLimitedError):
    """429: too many requests."""


class HubUnavailableError(HubAPIError, UnavailableError):
    """502, 503 or 504: a proxy, mostly, that does not reach the Hub."""


class NoMetaError(UsageError, ValueError):
    """`meta=True`, and the Hub tells nothing besides the record."""

    __module__ = HubAPIError.__module__


_MEANINGS: dict[int, type[HubAPIError]] = {
    400: HubBadRequestError,
    401: HubAuthenticationError,
    403: HubForbiddenError,
    404: HubNotFoundError,
    409: HubConflictError,
    410: HubNotFoundError,
    412: HubConflictError,
    422: HubBadRequestError,
    429: HubRateLimitedError,
    502: HubUnavailableError,
    503: HubUnavailableError,
    504: HubUnavailableError,
}


def hub_error(response: Response) -> HubAPIError:
    """The error that an answer from status 400 on is."""
    told = said(response)
    kind = _MEANINGS.get(response.status, HubAPIError)
    if kind is HubBadRequestError and told is not None:
        kind = HubAuthenticationError if is_of_token(told) else HubValidationError if told.issues else kind
    error = kind(message_of(response.status, told), response=response, error_response=told)
    if isinstance(error, HubNotFoundError) and not error.is_of_record:
        error.add_note(
            "that is not how a Hub answers: check the client's base_url, its path, too; or, where other calls succeed, "
            "this Hub is of the other generation, and has no such thing"
        )
    return error


def message_of(status: int, told: ErrorResponse | None) -> str:
    """What flame_hub_client says of an answer."""
    if told is None:
        return f"received status code {status}"
    words = shown(told.message) if told.message.strip() else "no error message present"
    own = "" if told.status_code == status else f" [the answer's own status is {status}]"
    return f"received status code {told.status_code} ({shown(told.code)}): {words}{own}"
