"""Buffy's errors, in our tree's meanings.

BuffyError
├── BuffyValueError             the call makes no sense, and nothing was sent; a ValueError, too
├── BuffyServerError            the server said no: `status`, `text`
├── BuffyCacheEmptyError        no version can be served: the origin's fault mostly, and `text` is its word
├── BuffyNoMatchError           what `force_…` asks for is not there; a ValueError, too
├── BuffyTimeoutError           it is still being fetched, and that goes on; a TimeoutError, too
├── BuffyIntegrityError         what came is not what was cached
└── BuffyNotAppliedError        a pin, tag or setting was taken, and has no effect
"""

from __future__ import annotations

from jackfield import (
    ContractError,
    JackfieldError,
    JobFailedError,
    JobTimeoutError,
    NotFoundError,
    Response,
    ServiceError,
    SignatureError,
    UsageError,
)

_EXCERPT = 200  # characters of an answer


class BuffyError(JackfieldError):
    """Whatever goes wrong with Buffy, but the network, and calls that make no sense."""

    __module__ = "jackfield_services.buffy"

    def __init_subclass__(cls) -> None:
        if cls.__module__ == __name__:
            cls.__module__ = BuffyError.__module__  # as people import it


class BuffyValueError(BuffyError, UsageError, ValueError):
    """The call makes no sense; nothing was sent."""


class BuffyServerError(BuffyError, ServiceError):
    """The Buffy server, or a proxy before it, said no."""

    @classmethod
    def of(cls, response: Response) -> BuffyServerError:
        """The error that an answer is."""
        text = response.content[: 4 * _EXCERPT].decode("utf-8", "replace")[:_EXCERPT].strip()
        kind = BuffyUnknownError if response.status == 404 else cls
        said = f": {text}" if text else ""
        return kind(f"Buffy answered {response.status}{said}", status=response.status, text=text, response=response)


class BuffyUnknownError(BuffyServerError, NotFoundError):
    """404: the server knows no such request, version or path."""


class BuffyCacheEmptyError(BuffyError, JobFailedError):
    """The origin could not be fetched, and no older version is kept."""


class BuffyNoMatchError(BuffyError, NotFoundError, ValueError):
    """No version is as `force_version`, `force_tag` and `force_pinned` want it."""


class BuffyTimeoutError(BuffyError, JobTimeoutError, TimeoutError):
    """The server is not done yet; it goes on."""


class BuffyIntegrityError(BuffyError, SignatureError):
    """What the server sent is not what it says that it has cached."""


class BuffyNotAppliedError(BuffyError, ContractError):
    """The server took it, and it has no effect."""
